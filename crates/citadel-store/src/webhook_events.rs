//! Webhook events: what happened, written in the transaction in which it happened.

use citadel_domain::{EventId, LinkId, TaskId};
use jiff::Timestamp;

use crate::{Error, Tenant, Tx, value::params};

/// An event to be kept.
#[derive(Clone, Debug)]
pub struct NewWebhookEvent {
    pub id: EventId,
    pub tenant: Tenant,
    pub link_id: Option<LinkId>,
    pub task_id: Option<TaskId>,
    pub event_type: String,
    /// The JSON that is sent, byte for byte: a signature covers it. Ids and statuses only (P7).
    pub body: String,
    pub created_at: Timestamp,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEvent {
    pub id: EventId,
    pub event_type: String,
    pub body: String,
    pub created_at: Timestamp,
}

/// Keeps an event.
pub async fn append(tx: &mut Tx<'_>, new: &NewWebhookEvent) -> Result<(), Error> {
    tx.execute(
        // Events of one task are numbered: their times can be equal, and their ids then sort by chance. Two writers
        // cannot take one number, because both would have to change the task's row first.
        "insert into webhook_events
            (client_id, id, environment, link_id, task_id, event_type, body, created_at, task_sequence)
         select $1, $2, $3, $4, $5, $6, $7, $8, coalesce(max(e.task_sequence), 0) + 1
           from webhook_events as e where e.client_id = $1 and e.task_id = $5",
        params![
            new.tenant.client_id,
            new.id,
            new.tenant.environment,
            new.link_id,
            new.task_id,
            &new.event_type,
            &new.body,
            new.created_at,
        ],
    )
    .await
    .map(drop)
}

/// The events of a task, oldest first.
pub async fn list_for_task(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    task_id: TaskId,
) -> Result<Vec<WebhookEvent>, Error> {
    tx.fetch_all(
        "select id, event_type, body, created_at from webhook_events
          where client_id = $1 and environment = $2 and task_id = $3
          order by task_sequence",
        params![tenant.client_id, tenant.environment, task_id],
        |row| {
            Ok(WebhookEvent {
                id: row.get(0)?,
                event_type: row.get(1)?,
                body: row.get(2)?,
                created_at: row.get(3)?,
            })
        },
    )
    .await
}
