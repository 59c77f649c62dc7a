-- What access keys have called lately, for all nodes together. Empty here: the one process counts in its memory.
create table call_rates (
    access_key_id blob not null primary key,
    full_at integer not null
) strict;
