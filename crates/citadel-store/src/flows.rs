//! One flow: all that happened around one bridge token, in order of time.

use std::collections::HashMap;

use citadel_domain::{
    BridgeTokenId, CallId, DeliveryId, EventId, LinkId, Product, TaskId, TaskStatus, WebhookId,
};
use jiff::Timestamp;

use crate::{
    Error, Row, Tenant, Tx,
    browse::{Found, back_to, found},
    calls::{self, Bodies, Call},
    value::params,
};

/// Entries of one kind on a line, at the most; the oldest ones.
const MOST: i64 = 500;

/// A flow in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    pub bridge_token_id: BridgeTokenId,
    pub created_at: Timestamp,
    pub product: Product,
    /// Of its newest task.
    pub link_id: Option<LinkId>,
    pub provider_id: Option<String>,
    pub task_id: Option<TaskId>,
    pub status: Option<TaskStatus>,
    /// The screen that was shown last.
    pub screen: Option<String>,
}

/// Something on the line of a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// On the client's clock.
    pub at: Timestamp,
    pub what: What,
}

/// What it is. Its bodies are read one by one: `calls::get`, `webhook_events::find`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Its client or its widget called.
    Call(Call),
    /// The widget showed this.
    Screen(String),
    /// A task began.
    Begun { task_id: TaskId, link_id: LinkId },
    /// A task ended so.
    Ended { task_id: TaskId, link_id: LinkId, status: TaskStatus },
    /// An event was written: also each step of a task.
    Event { id: EventId, event_type: String, task_id: Option<TaskId>, link_id: Option<LinkId>, body: String },
    /// An event was sent to an endpoint.
    Delivery {
        id: DeliveryId,
        webhook_id: WebhookId,
        event_id: EventId,
        event_type: String,
        attempt: i64,
        status_code: Option<i64>,
        error_message: Option<String>,
        duration_ms: i64,
    },
}

impl What {
    /// Which comes first of those that happened in one instant.
    const fn rank(&self) -> u8 {
        match self {
            Self::Call(_) => 0,
            Self::Screen(_) => 1,
            Self::Begun { .. } => 2,
            Self::Event { .. } => 3,
            Self::Ended { .. } => 4,
            Self::Delivery { .. } => 5,
        }
    }
}

/// Flows that a look goes through, at the most.
const LOOK: i64 = 20_000;

/// Flows before one, or the newest ones; newest first.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    before: Option<BridgeTokenId>,
    limit: u32,
) -> Result<Found<Flow, BridgeTokenId>, Error> {
    let before = before.unwrap_or(BridgeTokenId::from_bytes([0xFF; 16]));
    let params = params![tenant.client_id, before, LOOK];
    let back_to: Option<BridgeTokenId> =
        tx.fetch_optional(back_to!("bridge_tokens"), params, |row| row.get(0)).await?;
    let rows = tx
        .fetch_all(
            "select b.id, b.created_at, b.product, t.link_id, l.provider_id, t.id, t.status,
                (select s.name from screens as s where s.client_id = b.client_id and s.bridge_token_id = b.id
                  order by s.id desc limit 1)
           from bridge_tokens as b
           left join tasks as t on t.client_id = b.client_id and t.id = (
                select n.id from tasks as n where n.client_id = b.client_id and n.bridge_token_id = b.id
                 order by n.created_at desc, n.id desc limit 1)
           left join links as l on l.client_id = t.client_id and l.id = t.link_id
          where b.client_id = $1 and b.environment = $2 and b.id < $3 and b.id >= $5
          order by b.id desc limit $4",
            params![
                tenant.client_id,
                tenant.environment,
                before,
                i64::from(limit),
                back_to.unwrap_or(BridgeTokenId::from_bytes([0; 16]))
            ],
            |row| {
                Ok(Flow {
                    bridge_token_id: row.get(0)?,
                    created_at: row.get(1)?,
                    product: row.get(2)?,
                    link_id: row.get(3)?,
                    provider_id: row.get(4)?,
                    task_id: row.get(5)?,
                    status: row.get(6)?,
                    screen: row.get(7)?,
                })
            },
        )
        .await?;
    Ok(found(rows, limit, back_to))
}

/// The tasks of a token and of the links that were made under it. SQLite reads what is joined by `cross join` in the order in which
/// it is written; left to itself it begins with every task that there is. With `union` in place of `union all` it does so as well.
macro_rules! own_tasks {
    () => {
        "(select id from tasks where client_id = $1 and environment = $2 and bridge_token_id = $3
          union all
          select k.id from links as m cross join tasks as k
           where m.client_id = $1 and m.environment = $2 and m.bridge_token_id = $3
             and k.client_id = $1 and k.environment = $2 and k.link_id = m.id)"
    };
}

const CALLS: &str = concat!(
    "select ",
    calls::columns!(),
    " from calls where client_id = $1 and environment = $2 and bridge_token_id = $3 order by id limit $4"
);
/// The links of others are not shown with a token that repairs one, but what it did to that link is.
const CALLS_ABOUT_LINKS: &str =
    "select c.id, c.at, c.method, c.route, c.path, c.status, c.duration_us, c.access_key_id,
        c.bridge_token_id, c.link_id, c.task_id
   from links as m cross join calls as c
  where m.client_id = $1 and m.environment = $2 and m.bridge_token_id = $3
    and c.client_id = $1 and c.environment = $2 and c.link_id = m.id
    and (c.bridge_token_id is null or c.bridge_token_id <> $3)
  order by c.id limit $4";
const SCREENS: &str = "select at, name from screens
  where client_id = $1 and environment = $2 and bridge_token_id = $3 order by id limit $4";
/// In this order, because it is that of the index by which events of tasks are found.
const EVENTS: &str = concat!(
    "select e.created_at, e.id, e.event_type, e.task_id, e.link_id, e.body from webhook_events as e
      where e.client_id = $1 and e.environment = $2 and e.task_id in ",
    own_tasks!(),
    " order by e.task_id, e.task_sequence limit $4"
);
const EVENTS_ABOUT_LINKS: &str = "select e.created_at, e.id, e.event_type, e.task_id, e.link_id, e.body
   from links as m cross join webhook_events as e
  where m.client_id = $1 and m.environment = $2 and m.bridge_token_id = $3
    and e.client_id = $1 and e.environment = $2 and e.link_id = m.id and e.task_id is null
  order by e.link_id, e.sequence limit $4";
const DELIVERIES: &str = concat!(
    "select d.attempted_at, d.id, d.webhook_id, d.event_id, d.event_type, d.attempt, d.status_code, d.error_message,
            d.duration_ms
       from webhook_events as e cross join webhooks as w cross join deliveries as d
      where e.client_id = $1 and e.environment = $2 and w.client_id = $1 and w.environment = $2
        and d.client_id = $1 and d.webhook_id = w.id and d.event_id = e.id and e.task_id in ",
    own_tasks!(),
    " order by e.task_id, e.task_sequence, d.id limit $4"
);
const TASKS: &str = concat!(
    "select id, link_id, status, created_at, finished_at from tasks
      where client_id = $1 and environment = $2 and id in ",
    own_tasks!(),
    " order by created_at, id limit $4"
);
const BODIES: &str = "select b.call_id, b.request, b.response from calls as c cross join call_bodies as b
  where c.client_id = $1 and c.environment = $2 and c.bridge_token_id = $3 and c.id >= $4 and c.id <= $5
    and b.client_id = $1 and b.environment = $2 and b.call_id = c.id
  order by c.id limit $6";
const BODIES_ABOUT_LINKS: &str = "select b.call_id, b.request, b.response
   from links as m cross join calls as c cross join call_bodies as b
  where m.client_id = $1 and m.environment = $2 and m.bridge_token_id = $3
    and c.client_id = $1 and c.environment = $2 and c.link_id = m.id and c.id >= $4 and c.id <= $5
    and b.client_id = $1 and b.environment = $2 and b.call_id = c.id
  order by c.id limit $6";

/// What was sent and answered in the calls of a flow, of those between two, both included.
pub async fn bodies(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: BridgeTokenId,
    (first, last): (CallId, CallId),
) -> Result<HashMap<CallId, Bodies>, Error> {
    let params = params![tenant.client_id, tenant.environment, id, first, last, MOST];
    let mut bodies = HashMap::new();
    for sql in [BODIES, BODIES_ABOUT_LINKS] {
        let read = |row: &Row<'_>| {
            Ok((row.get::<CallId>(0)?, Bodies { request: row.get(1)?, response: row.get(2)? }))
        };
        bodies.extend(tx.fetch_all(sql, params, read).await?);
    }
    Ok(bodies)
}

/// What happened under a bridge token and to the links that were made under it, oldest first. Empty for a token that is not
/// the tenant's.
pub async fn timeline(tx: &mut Tx<'_>, tenant: Tenant, id: BridgeTokenId) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    let params = params![tenant.client_id, tenant.environment, id, MOST];
    for sql in [CALLS, CALLS_ABOUT_LINKS] {
        let found = tx.fetch_all(sql, params, calls::read).await?;
        entries.extend(found.into_iter().map(|call| Entry { at: call.at, what: What::Call(call) }));
    }
    for (sql, read) in [
        (SCREENS, read_screen as fn(&Row<'_>) -> Result<Entry, Error>),
        (EVENTS, read_event),
        (EVENTS_ABOUT_LINKS, read_event),
        (DELIVERIES, read_delivery),
    ] {
        entries.extend(tx.fetch_all(sql, params, read).await?);
    }
    for (begun, ended) in tx.fetch_all(TASKS, params, read_task).await? {
        entries.push(begun);
        entries.extend(ended);
    }
    // Stable: what is of one kind keeps its order.
    entries.sort_by_key(|entry| (entry.at, entry.what.rank()));
    Ok(entries)
}

fn read_screen(row: &Row<'_>) -> Result<Entry, Error> {
    Ok(Entry { at: row.get(0)?, what: What::Screen(row.get(1)?) })
}

fn read_event(row: &Row<'_>) -> Result<Entry, Error> {
    let what = What::Event {
        id: row.get(1)?,
        event_type: row.get(2)?,
        task_id: row.get(3)?,
        link_id: row.get(4)?,
        body: row.get(5)?,
    };
    Ok(Entry { at: row.get(0)?, what })
}

fn read_delivery(row: &Row<'_>) -> Result<Entry, Error> {
    let what = What::Delivery {
        id: row.get(1)?,
        webhook_id: row.get(2)?,
        event_id: row.get(3)?,
        event_type: row.get(4)?,
        attempt: row.get(5)?,
        status_code: row.get(6)?,
        error_message: row.get(7)?,
        duration_ms: row.get(8)?,
    };
    Ok(Entry { at: row.get(0)?, what })
}

fn read_task(row: &Row<'_>) -> Result<(Entry, Option<Entry>), Error> {
    let (task_id, link_id, status) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let begun = Entry { at: row.get(3)?, what: What::Begun { task_id, link_id } };
    let ended = row.get::<Option<Timestamp>>(4)?;
    Ok((begun, ended.map(|at| Entry { at, what: What::Ended { task_id, link_id, status } })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::Plans;

    #[tokio::test]
    async fn a_flow_is_read_without_looking_through_those_of_others() {
        let plans = Plans::open("flows").await;
        for (sql, params) in [
            (CALLS, 4),
            (CALLS_ABOUT_LINKS, 4),
            (SCREENS, 4),
            (EVENTS, 4),
            (EVENTS_ABOUT_LINKS, 4),
            (DELIVERIES, 4),
            (TASKS, 4),
            (BODIES, 6),
            (BODIES_ABOUT_LINKS, 6),
        ] {
            for step in plans.of(sql, params).await {
                let is_wide = ["SCAN", "(client_id=?)", "(client_id=? AND environment=?)"];
                // A client has a few endpoints.
                let is_wide =
                    !step.starts_with("SEARCH w ") && is_wide.iter().any(|wide| step.contains(wide));
                assert!(!is_wide, "{step}: {sql}");
            }
        }
    }
}
