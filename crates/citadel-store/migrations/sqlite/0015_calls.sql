-- What was called, which screens were shown, and how often: for who looks for a fault, beside what happened and never part of it.

-- A call of a client's back end or of its widget. The id is the request id that the caller got; it begins with the machine's
-- time, while "at" is the time of the client's world, as in every other table. There is no foreign key: a call is
-- kept when what it was about is gone.
-- Not without rowid: SQLite would go through the whole table in the order of its key rather than by an index.
create table calls (
    client_id blob not null,
    environment text not null,
    id blob not null,
    at integer not null,
    method text not null,
    route text not null,
    path text not null,
    status integer not null,
    is_error integer not null,
    duration_us integer not null,
    access_key_id blob,
    bridge_token_id blob,
    link_id blob,
    task_id blob,
    primary key (client_id, environment, id)
) strict;
create index calls_by_time on calls (at);
create index calls_by_route on calls (client_id, environment, route, id);
create index calls_by_key on calls (client_id, environment, access_key_id, id) where access_key_id is not null;
create index calls_by_bridge_token on calls (client_id, environment, bridge_token_id, id) where bridge_token_id is not null;
create index calls_by_link on calls (client_id, environment, link_id, id) where link_id is not null;
create index calls_that_failed on calls (client_id, environment, is_error, id) where is_error = true;

-- Beside the calls, so that looking through those reads none of this. Values about people are masked before they come here.
create table call_bodies (
    client_id blob not null,
    environment text not null,
    call_id blob not null,
    request blob,
    response blob,
    primary key (client_id, environment, call_id)
) strict, without rowid;

-- A screen that the widget showed. is_first: for the first time under its token.
create table screens (
    client_id blob not null,
    environment text not null,
    id blob not null,
    bridge_token_id blob not null,
    name text not null,
    is_first integer not null,
    at integer not null,
    primary key (client_id, id)
) strict;
create index screens_by_time on screens (at);
create index screens_by_bridge_token on screens (client_id, bridge_token_id, id);
create index screens_by_day on screens (client_id, environment, at, name) where is_first = true;

-- How many calls an hour of the machine's clock had, by route, first digit of the status, and time that they took: bucket n
-- holds what took less than 2^n ms and no less than half of that; the last bucket holds the rest.
create table usage_hours (
    client_id blob not null,
    environment text not null,
    hour integer not null,
    route text not null,
    status_class integer not null,
    bucket integer not null,
    calls integer not null,
    duration_us integer not null,
    primary key (client_id, environment, hour, route, status_class, bucket)
) strict, without rowid;

-- For outcomes by day, and for the tasks of one widget.
create index tasks_by_end on tasks (client_id, environment, finished_at) where finished_at is not null;
create index tasks_by_bridge_token on tasks (client_id, bridge_token_id, created_at) where bridge_token_id is not null;
create index webhook_events_by_link on webhook_events (client_id, link_id, sequence)
    where task_id is null and link_id is not null;
