-- Of all clients together, hence without a client: who guesses goes from one to the next.
create table sign_in_tries (
    key_hash blob not null,
    hour integer not null,
    tries integer not null,
    last_at integer not null,
    primary key (key_hash, hour)
) strict;
create index sign_in_tries_by_hour on sign_in_tries (hour);
