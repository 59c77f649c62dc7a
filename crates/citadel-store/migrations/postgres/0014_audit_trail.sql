-- Who did what (P25, P26). One chain of entries per client, and one of the server's own under the client of sixteen zeros. There
-- is no foreign key: the trail outlives what it tells of. Times are the machine's.
create table audit_entries (
    client_id uuid not null,
    number bigint not null,
    at bigint not null,
    actor_kind text not null,
    actor_id uuid,
    environment text,
    act text not null,
    object_kind text not null,
    object_id uuid,
    outcome text not null,
    request_id text,
    detail text not null,
    previous_hash bytea not null,
    entry_hash bytea not null,
    primary key (client_id, number)
);
create index audit_entries_by_object on audit_entries (client_id, object_id, number) where object_id is not null;

-- Where each chain ends, and after which entry it begins since older ones had their time. The seal is a keyed hash of all of it.
create table audit_heads (
    client_id uuid not null primary key,
    last bigint not null,
    last_hash bytea not null,
    dropped bigint not null,
    dropped_hash bytea not null,
    seal bytea not null
);

create function audit_trail_refuses() returns trigger language plpgsql as $$
begin
    raise exception 'the audit trail cannot be changed' using errcode = 'integrity_constraint_violation';
end
$$;
-- What the head has given up may go, and nothing else.
create function audit_entry_may_go() returns trigger language plpgsql as $$
begin
    if old.number > coalesce((select dropped from audit_heads where client_id = old.client_id), 0) then
        raise exception 'the audit trail cannot be changed' using errcode = 'integrity_constraint_violation';
    end if;
    return old;
end
$$;
create trigger audit_entries_stay before update on audit_entries
    for each row execute function audit_trail_refuses();
create trigger audit_entries_last before delete on audit_entries
    for each row execute function audit_entry_may_go();
create trigger audit_entries_whole before truncate on audit_entries
    for each statement execute function audit_trail_refuses();
create trigger audit_heads_grow before update on audit_heads for each row
    when (new.client_id <> old.client_id or new.last < old.last or new.dropped < old.dropped or new.dropped > new.last)
    execute function audit_trail_refuses();
create trigger audit_heads_stay before delete on audit_heads
    for each row execute function audit_trail_refuses();
create trigger audit_heads_whole before truncate on audit_heads
    for each statement execute function audit_trail_refuses();

alter table audit_entries enable row level security, force row level security;
create policy own_rows on audit_entries using (current_setting('app.client', true) in ('*', cast(client_id as text)));

alter table audit_heads enable row level security, force row level security;
create policy own_rows on audit_heads using (current_setting('app.client', true) in ('*', cast(client_id as text)));
