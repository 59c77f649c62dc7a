-- Endpoints of clients, what is still to be told to them, and a log of the attempts.

-- Numbers the events of a client's environment in the order of their commits: the number is taken inside the event's own
-- transaction, which holds the row until its end. Whoever reads on from a number misses nothing.
create table event_counters (
    client_id uuid not null references clients (id),
    environment text not null,
    last bigint not null,
    primary key (client_id, environment)
);

alter table webhook_events add column sequence bigint not null default 0;
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
    client_id uuid not null references clients (id),
    id uuid not null,
    environment text not null,
    name text not null,
    webhook_url text not null,
    events text not null,
    is_enabled boolean not null,
    secret_sealed bytea not null,
    previous_secret_sealed bytea,
    previous_until bigint,
    disabled_because text,
    failing_since bigint,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (client_id, id)
);
create unique index webhooks_by_url on webhooks (client_id, environment, webhook_url);

-- One row per event and endpoint until the event is delivered or given up. round grows when the event is asked for
-- again, so that an attempt of an earlier round does not end it. There is no foreign key to webhooks: an endpoint that is
-- deleted must not make a change fail that is just being committed.
create table outbox (
    client_id uuid not null,
    webhook_id uuid not null,
    event_id uuid not null,
    environment text not null,
    sequence bigint not null,
    task_id uuid,
    round bigint not null,
    attempts bigint not null,
    next_at bigint not null,
    primary key (client_id, webhook_id, event_id),
    foreign key (client_id, event_id) references webhook_events (client_id, id)
);
create index outbox_due on outbox (client_id, webhook_id, next_at, sequence);
create index outbox_by_task on outbox (client_id, webhook_id, task_id, sequence) where attempts = 0;

-- Attempts, kept for 30 days. status_code is null when there was no answer.
create table deliveries (
    client_id uuid not null,
    id uuid not null,
    environment text not null,
    webhook_id uuid not null,
    event_id uuid not null,
    event_type text not null,
    webhook_url text not null,
    attempt bigint not null,
    status_code bigint,
    error_message text,
    answer text not null,
    duration_ms bigint not null,
    attempted_at bigint not null,
    primary key (client_id, id),
    foreign key (client_id, event_id) references webhook_events (client_id, id)
);
create index deliveries_by_event on deliveries (client_id, webhook_id, event_id);
create index deliveries_by_end on deliveries (attempted_at);

-- Each kind of job has workers of its own, so that slow endpoints take no worker from tasks.
drop index jobs_due;
create index jobs_due on jobs (kind, run_at) where done = false;

alter table event_counters enable row level security, force row level security;
create policy own_rows on event_counters using (current_setting('app.client', true) in ('*', cast(client_id as text)));

alter table webhooks enable row level security, force row level security;
create policy own_rows on webhooks using (current_setting('app.client', true) in ('*', cast(client_id as text)));

alter table outbox enable row level security, force row level security;
create policy own_rows on outbox using (current_setting('app.client', true) in ('*', cast(client_id as text)));

alter table deliveries enable row level security, force row level security;
create policy own_rows on deliveries using (current_setting('app.client', true) in ('*', cast(client_id as text)));
