-- What access keys have called lately, for all nodes together: when the bucket of each key will be full again, in
-- microseconds. Not in the write-ahead log, so that counting waits for no disk; a crash forgets one minute.
create unlogged table call_rates (
    access_key_id uuid not null primary key,
    full_at bigint not null
);
