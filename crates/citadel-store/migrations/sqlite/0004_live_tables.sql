-- Tables that hold only what is under way, in one tree each in place of two: a flow writes to all of them, and each tree
-- that a commit touches costs a page of the log. The rows are short and few, so that their tree stays low.

create table new_logins (
    client_id blob not null,
    task_id blob not null,
    environment text not null,
    key_wrapped blob not null,
    login_sealed blob not null,
    session_sealed blob,
    answer_sealed blob,
    grant_sealed blob,
    expires_at integer not null,
    primary key (client_id, task_id),
    foreign key (client_id, task_id) references tasks (client_id, id)
) strict, without rowid;
insert into new_logins (
    client_id, task_id, environment, key_wrapped, login_sealed, session_sealed, answer_sealed, grant_sealed, expires_at)
    select client_id, task_id, environment, key_wrapped, login_sealed, session_sealed, answer_sealed, grant_sealed, expires_at
      from logins;
drop table logins;
alter table new_logins rename to logins;
create index logins_by_end on logins (expires_at);

create table new_jobs (
    id blob not null primary key,
    shard integer not null,
    kind text not null,
    payload text not null,
    run_at integer not null,
    lease_until integer,
    attempts integer not null,
    fence integer not null,
    done integer not null,
    buried_because text,
    created_at integer not null
) strict, without rowid;
insert into new_jobs (
    id, shard, kind, payload, run_at, lease_until, attempts, fence, done, buried_because, created_at)
    select id, shard, kind, payload, run_at, lease_until, attempts, fence, done, buried_because, created_at from jobs;
drop table jobs;
alter table new_jobs rename to jobs;
create index jobs_due on jobs (kind, run_at) where done = false;

create table new_outbox (
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
) strict, without rowid;
insert into new_outbox (
    client_id, webhook_id, event_id, environment, sequence, task_id, round, attempts, next_at)
    select client_id, webhook_id, event_id, environment, sequence, task_id, round, attempts, next_at from outbox;
drop table outbox;
alter table new_outbox rename to outbox;
create index outbox_due on outbox (client_id, webhook_id, next_at, sequence);
create index outbox_by_task on outbox (client_id, webhook_id, task_id, sequence) where attempts = 0;
