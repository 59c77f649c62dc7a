//! The outbox: events that an endpoint has still to be told, each with its next attempt (P27).
//!
//! Whoever adds a row makes the endpoint's job due first (`jobs::ensure_due`), in the same transaction: everybody then
//! takes the rows of jobs and outbox in one order, and nobody waits in a circle.

use citadel_domain::{AccessKeyId, EventId, TaskId, WebhookId};
use jiff::Timestamp;

use crate::{Error, Row, Tenant, Tx, value::params};

/// An event that waits for its next attempt at an endpoint.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub event_id: EventId,
    /// Grows when the event is asked for again; an attempt counts for its own round only.
    pub round: i64,
    /// Attempts in this round so far.
    pub attempts: i64,
    /// Whether the event is told once more after it was delivered: a fault on purpose.
    pub is_doubled: bool,
    pub event_type: String,
    pub body: String,
    pub event_created_at: Timestamp,
    /// The key behind the bridge token of the event's task or link; `None` for an event of neither.
    pub access_key_id: Option<AccessKeyId>,
}

/// Which events of a past time are asked for again.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    pub from: Timestamp,
    /// Included.
    pub to: Timestamp,
    /// Only those that this endpoint never took.
    pub only_failed: bool,
}

/// An event that no attempt has been made for keeps its later siblings of the same task back (P31).
macro_rules! eligible {
    () => {
        "(o.attempts > 0 or o.task_id is null or not exists (
             select 1 from outbox as e
              where e.client_id = o.client_id and e.webhook_id = o.webhook_id and e.task_id = o.task_id
                and e.attempts = 0 and e.sequence < o.sequence))"
    };
}

/// Has an event delivered, from `at` on. When it waits already, it begins a new round.
pub async fn put(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    webhook_id: WebhookId,
    (event_id, sequence, task_id): (EventId, i64, Option<TaskId>),
    is_doubled: bool,
    at: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "insert into outbox (client_id, webhook_id, event_id, environment, sequence, task_id, round, attempts, next_at,
                             is_doubled)
         values ($1, $2, $3, $4, $5, $6, 1, 0, $7, $8)
         on conflict (client_id, webhook_id, event_id) do update
            set round = outbox.round + 1, attempts = 0, next_at = excluded.next_at",
        params![
            tenant.client_id,
            webhook_id,
            event_id,
            tenant.environment,
            sequence,
            task_id,
            at,
            is_doubled,
        ],
    )
    .await
    .map(drop)
}

/// Has the events of a range delivered once more, as far as their types are among `types`. Answers how many those are.
pub async fn put_range(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    webhook_id: WebhookId,
    types: &[&str],
    range: Range,
    now: Timestamp,
) -> Result<u64, Error> {
    tx.execute(
        "insert into outbox (client_id, webhook_id, event_id, environment, sequence, task_id, round, attempts, next_at)
         select e.client_id, $2, e.id, e.environment, e.sequence, e.task_id, 1, 0, $8
           from webhook_events as e
          where e.client_id = $1 and e.environment = $3 and e.created_at >= $4 and e.created_at <= $5
            and $6 like '% ' || e.event_type || ' %'
            and ($7 = false or not exists (
                select 1 from deliveries as d
                 where d.client_id = e.client_id and d.webhook_id = $2 and d.event_id = e.id
                   and d.status_code between 200 and 299))
         on conflict (client_id, webhook_id, event_id) do update
            set round = outbox.round + 1, attempts = 0, next_at = excluded.next_at",
        params![
            tenant.client_id,
            webhook_id,
            tenant.environment,
            range.from,
            range.to,
            format!(" {} ", types.join(" ")),
            range.only_failed,
            now,
        ],
    )
    .await
}

/// What is due at an endpoint, the longest due first. Of a task at most one event without an attempt.
pub async fn due(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    webhook_id: WebhookId,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Waiting>, Error> {
    tx.fetch_all(
        concat!(
            "select o.event_id, o.round, o.attempts, v.event_type, v.body, v.created_at,
                    coalesce(t.access_key_id, b.access_key_id, r.access_key_id), o.is_doubled
               from outbox as o
               join webhook_events as v on v.client_id = o.client_id and v.id = o.event_id
               left join tasks as t on t.client_id = v.client_id and t.id = v.task_id
               left join links as l on l.client_id = v.client_id and l.id = v.link_id
               left join bridge_tokens as b on b.client_id = l.client_id and b.id = l.bridge_token_id
               left join orders as r on r.client_id = v.client_id and r.id = v.order_id
              where o.client_id = $1 and o.environment = $2 and o.webhook_id = $3 and o.next_at <= $4 and ",
            eligible!(),
            "
              order by o.next_at, o.sequence
              limit $5"
        ),
        params![tenant.client_id, tenant.environment, webhook_id, now, i64::from(limit)],
        read,
    )
    .await
}

/// When the next attempt at an endpoint is due; `None` when nothing waits.
pub async fn next_at(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    webhook_id: WebhookId,
) -> Result<Option<Timestamp>, Error> {
    tx.fetch_optional(
        concat!(
            "select o.next_at from outbox as o where o.client_id = $1 and o.environment = $2 and o.webhook_id = $3 and ",
            eligible!(),
            " order by o.next_at limit 1"
        ),
        params![tenant.client_id, tenant.environment, webhook_id],
        |row| row.get(0),
    )
    .await
}

/// Plans the next attempt, after a failure or to tell the event once more, unless it was asked for again meanwhile.
pub async fn retry(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    webhook_id: WebhookId,
    waiting: &Waiting,
    is_doubled: bool,
    at: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "update outbox set attempts = attempts + 1, next_at = $5, is_doubled = $6
          where client_id = $1 and webhook_id = $2 and event_id = $3 and round = $4",
        params![tenant.client_id, webhook_id, waiting.event_id, waiting.round, at, is_doubled],
    )
    .await
    .map(drop)
}

/// Takes an event out: it was delivered or given up. Not when it was asked for again meanwhile.
pub async fn remove(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    webhook_id: WebhookId,
    waiting: &Waiting,
) -> Result<(), Error> {
    tx.execute(
        "delete from outbox where client_id = $1 and webhook_id = $2 and event_id = $3 and round = $4",
        params![tenant.client_id, webhook_id, waiting.event_id, waiting.round],
    )
    .await
    .map(drop)
}

/// Drops everything that waits for an endpoint. Answers how many events those were.
pub async fn clear(tx: &mut Tx<'_>, tenant: Tenant, webhook_id: WebhookId) -> Result<u64, Error> {
    tx.execute(
        "delete from outbox where client_id = $1 and webhook_id = $2",
        params![tenant.client_id, webhook_id],
    )
    .await
}

fn read(row: &Row<'_>) -> Result<Waiting, Error> {
    Ok(Waiting {
        event_id: row.get(0)?,
        round: row.get(1)?,
        attempts: row.get(2)?,
        event_type: row.get(3)?,
        body: row.get(4)?,
        event_created_at: row.get(5)?,
        access_key_id: row.get(6)?,
        is_doubled: row.get(7)?,
    })
}

/// An event that waits, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingLine {
    pub event_id: EventId,
    pub event_type: String,
    pub attempts: i64,
    pub next_at: Timestamp,
}

/// What waits for an endpoint, the next one first.
pub async fn list_waiting(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    webhook_id: WebhookId,
    limit: u32,
) -> Result<Vec<WaitingLine>, Error> {
    tx.fetch_all(
        "select o.event_id, v.event_type, o.attempts, o.next_at
           from outbox as o
           join webhook_events as v on v.client_id = o.client_id and v.id = o.event_id
          where o.client_id = $1 and o.environment = $2 and o.webhook_id = $3
          order by o.next_at, o.sequence
          limit $4",
        params![tenant.client_id, tenant.environment, webhook_id, i64::from(limit)],
        |row| {
            Ok(WaitingLine {
                event_id: row.get(0)?,
                event_type: row.get(1)?,
                attempts: row.get(2)?,
                next_at: row.get(3)?,
            })
        },
    )
    .await
}

/// How many events wait for an endpoint, over all clients.
pub async fn count(tx: &mut Tx<'_>) -> Result<i64, Error> {
    tx.fetch_one("select cast(count(*) as bigint) from outbox", &[], |row| row.get(0)).await
}
