-- What a client's sandbox has of its own: a clock, faults, and logins that the client invented.

-- number is the client's place among all, from which the sandbox's ids follow; made counts what they were given to.
-- The clock shows the machine's time and clock_ahead microseconds more, or stands at standing_at.
create table sandboxes (
    client_id uuid not null primary key references clients (id),
    number bigint not null,
    made bigint not null,
    clock_ahead bigint not null,
    standing_at bigint,
    faults text not null
);
create unique index sandboxes_by_number on sandboxes (number);
insert into sandboxes (client_id, number, made, clock_ahead, standing_at, faults)
    select id, row_number() over (order by created_at, id), 0, 0, null, '' from clients;

-- The label, the user name's keyed hash and the faults are kept beside the sealed scenario, to find it by.
create table scenarios (
    client_id uuid not null references clients (id),
    id uuid not null,
    environment text not null,
    data_source text not null,
    label text not null,
    username_hash bytea not null,
    faults text not null,
    body_sealed bytea not null,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (client_id, id)
);
create unique index scenarios_by_label on scenarios (client_id, data_source, label);
create index scenarios_by_username on scenarios (client_id, username_hash);

-- What goes wrong on purpose: words between spaces.
alter table bridge_tokens add column faults text not null default '';
alter table tasks add column faults text not null default '';
-- Whether the event is told once more after it was delivered.
alter table outbox add column is_doubled boolean not null default false;

alter table sandboxes enable row level security, force row level security;
create policy own_rows on sandboxes using (current_setting('app.client', true) in ('*', cast(client_id as text)));

alter table scenarios enable row level security, force row level security;
create policy own_rows on scenarios using (current_setting('app.client', true) in ('*', cast(client_id as text)));
