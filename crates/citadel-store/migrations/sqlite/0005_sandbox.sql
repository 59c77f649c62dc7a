-- What a client's sandbox has of its own: a clock, faults, and logins that the client invented.

-- number is the client's place among all, from which the sandbox's ids follow; made counts what they were given to.
-- The clock shows the machine's time and clock_ahead microseconds more, or stands at standing_at.
create table sandboxes (
    client_id blob not null primary key references clients (id),
    number integer not null,
    made integer not null,
    clock_ahead integer not null,
    standing_at integer,
    faults text not null
) strict;
create unique index sandboxes_by_number on sandboxes (number);
insert into sandboxes (client_id, number, made, clock_ahead, standing_at, faults)
    select id, row_number() over (order by created_at, id), 0, 0, null, '' from clients;

-- The label, the user name's keyed hash and the faults are kept beside the sealed scenario, to find it by.
create table scenarios (
    client_id blob not null references clients (id),
    id blob not null,
    environment text not null,
    data_source text not null,
    label text not null,
    username_hash blob not null,
    faults text not null,
    body_sealed blob not null,
    created_at integer not null,
    updated_at integer not null,
    primary key (client_id, id)
) strict;
create unique index scenarios_by_label on scenarios (client_id, data_source, label);
create index scenarios_by_username on scenarios (client_id, username_hash);

-- What goes wrong on purpose: words between spaces.
alter table bridge_tokens add column faults text not null default '';
alter table tasks add column faults text not null default '';
-- Whether the event is told once more after it was delivered.
alter table outbox add column is_doubled integer not null default 0;
