-- Of all clients together, hence without a client: who guesses goes from one to the next.
create table sign_in_tries (
    key_hash bytea not null,
    hour bigint not null,
    tries bigint not null,
    last_at bigint not null,
    primary key (key_hash, hour)
);
create index sign_in_tries_by_hour on sign_in_tries (hour);
