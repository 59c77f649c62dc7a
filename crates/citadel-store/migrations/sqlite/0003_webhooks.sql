-- Endpoints of clients, what is still to be told to them, and a log of the attempts.

-- Numbers the events of a client's environment in the order of their commits: the number is taken inside the event's own
-- transaction, which holds the row until its end. Whoever reads on from a number misses nothing.
create table event_counters (
    client_id blob not null references clients (id),
    environment text not null,
    last integer not null,
    primary key (client_id, environment)
) strict;

alter table webhook_events add column sequence integer not null default 0;
update webhook_events set sequence = numbered.number
  from (select client_id, id, row_number() over (
                   partition by client_id, environment order by created_at, task_id, task_sequence, id) as number
          from webhook_events) as numbered
 where webhook_events.client_id = numbered.client_id and webhook_events.id = numbered.id;
insert into event_counters (client_id, environment, last)
    select client_id, environment, max(sequence) from webhook_events group by client_id, environment;
create unique index webhook_events_by_sequence on webhook_events (client_id, environment, sequence);

-- previous_secret_sealed signs beside the new secret until previous_until. failing_since is the first failure after the
-- last success.
create table webhooks (
    client_id blob not null references clients (id),
    id blob not null,
    environment text not null,
    name text not null,
    webhook_url text not null,
    events text not null,
    is_enabled integer not null,
    secret_sealed blob not null,
    previous_secret_sealed blob,
    previous_until integer,
    disabled_because text,
    failing_since integer,
    created_at integer not null,
    updated_at integer not null,
    primary key (client_id, id)
) strict;
create unique index webhooks_by_url on webhooks (client_id, environment, webhook_url);

-- One row per event and endpoint until the event is delivered or given up. round grows when the event is asked for
-- again, so that an attempt of an earlier round does not end it. There is no foreign key to webhooks: an endpoint that is
-- deleted must not make a change fail that is just being committed.
create table outbox (
    client_id blob not null,
    webhook_id blob not null,
    event_id blob not null,
    environment text not null,
    sequence integer not null,
    task_id blob,
    round integer not null,
    attempts integer not null,
    next_at integer not null,
    primary key (client_id, webhook_id, event_id),
    foreign key (client_id, event_id) references webhook_events (client_id, id)
) strict;
create index outbox_due on outbox (client_id, webhook_id, next_at, sequence);
create index outbox_by_task on outbox (client_id, webhook_id, task_id, sequence) where attempts = 0;

-- Attempts, kept for 30 days. status_code is null when there was no answer.
create table deliveries (
    client_id blob not null,
    id blob not null,
    environment text not null,
    webhook_id blob not null,
    event_id blob not null,
    event_type text not null,
    webhook_url text not null,
    attempt integer not null,
    status_code integer,
    error_message text,
    answer text not null,
    duration_ms integer not null,
    attempted_at integer not null,
    primary key (client_id, id),
    foreign key (client_id, event_id) references webhook_events (client_id, id)
) strict;
create index deliveries_by_event on deliveries (client_id, webhook_id, event_id);
create index deliveries_by_end on deliveries (attempted_at);

-- Each kind of job has workers of its own, so that slow endpoints take no worker from tasks.
drop index jobs_due;
create index jobs_due on jobs (kind, run_at) where done = false;
