-- What ends: deletions, consents, root keys.

-- What was deleted, by id, and nothing about anybody. A backup that is older than a row here is brought up to it before it
-- is served (P22, P60). There is no foreign key: the rows outlive what they tell of. Times are the machine's;
-- a client's own deletion names no environment.
create table deletions (
    client_id blob not null,
    id blob not null,
    environment text,
    kind text not null,
    object_id blob not null,
    deleted_at integer not null,
    primary key (client_id, id)
) strict;
create index deletions_by_time on deletions (deleted_at);

-- What a person agreed to at a sign-in. It outlives the link (P20).
create table consents (
    client_id blob not null,
    id blob not null,
    environment text not null,
    link_id blob not null,
    text_hash blob not null,
    products text not null,
    given_at integer not null,
    expires_at integer not null,
    primary key (client_id, id)
) strict;
create index consents_by_link on consents (client_id, link_id);

-- Links that were made before count from the last sign-in that succeeded.
alter table links add column consent_expires_at integer not null default 0;
update links set consent_expires_at = 31536000000000 + coalesce(
    (select max(finished_at) from tasks
      where tasks.client_id = links.client_id and tasks.link_id = links.id and tasks.kind = 'initial' and tasks.status = 'done'),
    created_at);
-- When it was seen that the consent had ended. From then on nothing is read, and a new sign-in of the same person begins anew.
alter table links add column consent_ended_at integer;
create index links_by_consent on links (consent_expires_at);

-- What was erased and whose rows are still to go.
alter table clients add column deleted_at integer;
create index links_erased on links (client_id, id) where deleted_at is not null;
create index users_erased on users (client_id, id) where deleted_at is not null;

-- Versions of the root key, by the id that the seals under them name. The one that came into use last seals. emptied_at says
-- that nothing is sealed under it any more.
create table root_keys (
    id text not null primary key,
    in_use_since integer not null,
    emptied_at integer
) strict;
