//! Webhook events: what happened, written in the transaction in which it happened.

use citadel_domain::{AccessKeyId, EventId, LinkId, OrderId, TaskId};
use jiff::Timestamp;

use crate::{Error, Row, Tenant, Tx, value::params};

/// An event to be kept.
#[derive(Clone, Debug)]
pub struct NewWebhookEvent {
    pub id: EventId,
    pub tenant: Tenant,
    pub link_id: Option<LinkId>,
    pub task_id: Option<TaskId>,
    pub order_id: Option<OrderId>,
    pub event_type: String,
    /// The JSON that is sent, byte for byte: a signature covers it. Ids and statuses only (P7).
    pub body: String,
    pub created_at: Timestamp,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEvent {
    pub id: EventId,
    pub link_id: Option<LinkId>,
    pub task_id: Option<TaskId>,
    pub order_id: Option<OrderId>,
    pub event_type: String,
    pub body: String,
    pub created_at: Timestamp,
    /// Its place among all events of the client's environment, in the order of commits.
    pub sequence: i64,
    /// The key behind its order, or behind the bridge token of its task or link: its secret signs.
    pub access_key_id: Option<AccessKeyId>,
}

/// What [`read`] reads, in its order, of the events of a client's environment.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select e.id, e.link_id, e.task_id, e.event_type, e.body, e.created_at, e.sequence,
                    coalesce(t.access_key_id, b.access_key_id, o.access_key_id), e.order_id
               from webhook_events as e
               left join tasks as t on t.client_id = e.client_id and t.id = e.task_id
               left join links as l on l.client_id = e.client_id and l.id = e.link_id
               left join bridge_tokens as b on b.client_id = l.client_id and b.id = l.bridge_token_id
               left join orders as o on o.client_id = e.client_id and o.id = e.order_id
              where e.client_id = $1 and e.environment = $2 and ",
            $rest
        )
    };
}

/// Takes places in the order of commits for so many events of one client's environment; answers the first, which the
/// others follow.
///
/// Events of one client's environment are written one after another: the counter's row is held until the commit, so
/// that no lower number is ever committed after a higher one.
pub async fn take_places(tx: &mut Tx<'_>, tenant: Tenant, count: usize) -> Result<i64, Error> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let last = tx
        .fetch_one(
            "insert into event_counters (client_id, environment, last) values ($1, $2, $3)
             on conflict (client_id, environment) do update set last = event_counters.last + excluded.last
             returning last",
            params![tenant.client_id, tenant.environment, count],
            |row| row.get::<i64>(0),
        )
        .await?;
    Ok(last - count + 1)
}

/// Keeps events of one client's environment under the places that [`take_places`] gave, `first` and those after it. Answers
/// the number of each among the events of its task, from 1.
pub async fn append(tx: &mut Tx<'_>, first: i64, events: &[NewWebhookEvent]) -> Result<Vec<i64>, Error> {
    let Some(tenant) = events.first().map(|event| event.tenant) else { return Ok(Vec::new()) };
    // Events of one task are numbered too: their times can be equal, and their ids then sort by chance. Two writers cannot take
    // one number, because both would have to change the task's row first.
    let mut numbered = (None, 0);
    let mut numbers = Vec::with_capacity(events.len());
    for (sequence, new) in (first..).zip(events) {
        if numbered.0 != new.task_id {
            numbered = (new.task_id, last_of_task(tx, tenant, new.task_id).await?);
        }
        numbered.1 += 1;
        numbers.push(numbered.1);
        tx.execute(
            "insert into webhook_events
                (client_id, id, environment, link_id, task_id, event_type, body, created_at, sequence, task_sequence,
                 order_id)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            params![
                tenant.client_id,
                new.id,
                tenant.environment,
                new.link_id,
                new.task_id,
                &new.event_type,
                &new.body,
                new.created_at,
                sequence,
                numbered.1,
                new.order_id,
            ],
        )
        .await?;
    }
    Ok(numbers)
}

/// The number of a task's newest event, 0 before the first.
async fn last_of_task(tx: &mut Tx<'_>, tenant: Tenant, task_id: Option<TaskId>) -> Result<i64, Error> {
    let newest = tx
        .fetch_optional(
            "select task_sequence from webhook_events
              where client_id = $1 and task_id = $2 order by task_sequence desc limit 1",
            params![tenant.client_id, task_id],
            |row| row.get(0),
        )
        .await?;
    Ok(newest.unwrap_or(0))
}

/// The event with this id.
pub async fn find(tx: &mut Tx<'_>, tenant: Tenant, id: EventId) -> Result<Option<WebhookEvent>, Error> {
    tx.fetch_optional(select!("e.id = $3"), params![tenant.client_id, tenant.environment, id], read).await
}

/// The events of an order, oldest first.
pub async fn list_for_order(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    order_id: OrderId,
) -> Result<Vec<WebhookEvent>, Error> {
    tx.fetch_all(
        select!("e.order_id = $3 order by e.sequence"),
        params![tenant.client_id, tenant.environment, order_id],
        read,
    )
    .await
}

/// The events of a task, oldest first.
pub async fn list_for_task(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    task_id: TaskId,
) -> Result<Vec<WebhookEvent>, Error> {
    tx.fetch_all(
        select!("e.task_id = $3 order by e.task_sequence"),
        params![tenant.client_id, tenant.environment, task_id],
        read,
    )
    .await
}

/// The events that follow a place, in the order of commits.
pub async fn list_after(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    after: i64,
    limit: u32,
) -> Result<Vec<WebhookEvent>, Error> {
    tx.fetch_all(
        select!("e.sequence > $3 order by e.sequence limit $4"),
        params![tenant.client_id, tenant.environment, after, i64::from(limit)],
        read,
    )
    .await
}

/// The place of the newest event; 0 when there is none.
pub async fn last_sequence(tx: &mut Tx<'_>, tenant: Tenant) -> Result<i64, Error> {
    let last = tx
        .fetch_optional(
            "select last from event_counters where client_id = $1 and environment = $2",
            params![tenant.client_id, tenant.environment],
            |row| row.get(0),
        )
        .await?;
    Ok(last.unwrap_or(0))
}

fn read(row: &Row<'_>) -> Result<WebhookEvent, Error> {
    Ok(WebhookEvent {
        id: row.get(0)?,
        link_id: row.get(1)?,
        task_id: row.get(2)?,
        event_type: row.get(3)?,
        body: row.get(4)?,
        created_at: row.get(5)?,
        sequence: row.get(6)?,
        access_key_id: row.get(7)?,
        order_id: row.get(8)?,
    })
}
