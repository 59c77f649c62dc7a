-- Who did what (P25, P26). One chain of entries per client, and one of the server's own under the client of sixteen zeros. There
-- is no foreign key: the trail outlives what it tells of. Times are the machine's.
create table audit_entries (
    client_id blob not null,
    number integer not null,
    at integer not null,
    actor_kind text not null,
    actor_id blob,
    environment text,
    act text not null,
    object_kind text not null,
    object_id blob,
    outcome text not null,
    request_id text,
    detail text not null,
    previous_hash blob not null,
    entry_hash blob not null,
    primary key (client_id, number)
) strict, without rowid;
create index audit_entries_by_object on audit_entries (client_id, object_id, number) where object_id is not null;

-- Where each chain ends, and after which entry it begins since older ones had their time. The seal is a keyed hash of all of it.
create table audit_heads (
    client_id blob not null primary key,
    last integer not null,
    last_hash blob not null,
    dropped integer not null,
    dropped_hash blob not null,
    seal blob not null
) strict, without rowid;

create trigger audit_entries_stay before update on audit_entries
begin
    select raise(abort, 'the audit trail cannot be changed');
end;
-- What the head has given up may go, and nothing else.
create trigger audit_entries_last before delete on audit_entries
when old.number > coalesce((select dropped from audit_heads where client_id = old.client_id), 0)
begin
    select raise(abort, 'the audit trail cannot be changed');
end;
create trigger audit_heads_grow before update on audit_heads
when new.client_id <> old.client_id or new.last < old.last or new.dropped < old.dropped or new.dropped > new.last
begin
    select raise(abort, 'the audit trail cannot be changed');
end;
create trigger audit_heads_stay before delete on audit_heads
begin
    select raise(abort, 'the audit trail cannot be changed');
end;
