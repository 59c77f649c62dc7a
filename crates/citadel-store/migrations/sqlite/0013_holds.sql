-- Links that are kept past their limits, and why.

alter table links add column hold_reason text;
alter table links add column held_at integer;
create index links_held on links (client_id, held_at) where held_at is not null;
