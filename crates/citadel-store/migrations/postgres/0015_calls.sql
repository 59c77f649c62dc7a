-- What was called, which screens were shown, and how often: for who looks for a fault, beside what happened and never part of it.

-- A call of a client's back end or of its widget. The id is the request id that the caller got; it begins with the machine's
-- time, while "at" is the time of the client's world, as in every other table. There is no foreign key: a call is
-- kept when what it was about is gone.
create table calls (
    client_id uuid not null,
    environment text not null,
    id uuid not null,
    at bigint not null,
    method text not null,
    route text not null,
    path text not null,
    status bigint not null,
    is_error boolean not null,
    duration_us bigint not null,
    access_key_id uuid,
    bridge_token_id uuid,
    link_id uuid,
    task_id uuid,
    primary key (client_id, environment, id)
);
create index calls_by_time on calls (at);
create index calls_by_route on calls (client_id, environment, route, id);
create index calls_by_key on calls (client_id, environment, access_key_id, id) where access_key_id is not null;
create index calls_by_bridge_token on calls (client_id, environment, bridge_token_id, id) where bridge_token_id is not null;
create index calls_by_link on calls (client_id, environment, link_id, id) where link_id is not null;
create index calls_that_failed on calls (client_id, environment, is_error, id) where is_error = true;

-- Beside the calls, so that looking through those reads none of this. Values about people are masked before they come here.
create table call_bodies (
    client_id uuid not null,
    environment text not null,
    call_id uuid not null,
    request bytea,
    response bytea,
    primary key (client_id, environment, call_id)
);

-- A screen that the widget showed. is_first: for the first time under its token.
create table screens (
    client_id uuid not null,
    environment text not null,
    id uuid not null,
    bridge_token_id uuid not null,
    name text not null,
    is_first boolean not null,
    at bigint not null,
    primary key (client_id, id)
);
create index screens_by_time on screens (at);
create index screens_by_bridge_token on screens (client_id, bridge_token_id, id);
create index screens_by_day on screens (client_id, environment, at, name) where is_first = true;

-- How many calls an hour of the machine's clock had, by route, first digit of the status, and time that they took: bucket n
-- holds what took less than 2^n ms and no less than half of that; the last bucket holds the rest.
create table usage_hours (
    client_id uuid not null,
    environment text not null,
    hour bigint not null,
    route text not null,
    status_class bigint not null,
    bucket bigint not null,
    calls bigint not null,
    duration_us bigint not null,
    primary key (client_id, environment, hour, route, status_class, bucket)
);

-- For outcomes by day, and for the tasks of one widget.
create index tasks_by_end on tasks (client_id, environment, finished_at) where finished_at is not null;
create index tasks_by_bridge_token on tasks (client_id, bridge_token_id, created_at) where bridge_token_id is not null;
create index webhook_events_by_link on webhook_events (client_id, link_id, sequence)
    where task_id is null and link_id is not null;

alter table calls enable row level security, force row level security;
create policy own_rows on calls using (current_setting('app.client', true) in ('*', cast(client_id as text)));

alter table call_bodies enable row level security, force row level security;
create policy own_rows on call_bodies using (current_setting('app.client', true) in ('*', cast(client_id as text)));

alter table screens enable row level security, force row level security;
create policy own_rows on screens using (current_setting('app.client', true) in ('*', cast(client_id as text)));

alter table usage_hours enable row level security, force row level security;
create policy own_rows on usage_hours using (current_setting('app.client', true) in ('*', cast(client_id as text)));
