//! Tasks: one run of work for a link. Every change is conditional on the status that the caller saw, so that two
//! workers cannot both move a task (P36).

use std::str::FromStr;

use citadel_domain::{
    AccessKeyId, BridgeTokenId, Fault, LinkId, OrderEmployerId, OrderId, Product, ScenarioId, TaskId,
    TaskStatus, UserId,
};
use jiff::Timestamp;

use crate::{Error, FromValue, Row, Tenant, Tx, ValueRef, value::params, words};

/// Why a task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A consumer signed in.
    Initial,
    /// The link is read again.
    Refresh,
}

impl Kind {
    /// The word in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Refresh => "refresh",
        }
    }
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        [Self::Initial, Self::Refresh].into_iter().find(|kind| kind.as_str() == word).ok_or(())
    }
}

impl FromValue for Kind {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        if let ValueRef::Text(word) = value { word.parse().ok() } else { None }
    }
}

/// A task to be made.
#[derive(Clone, Debug)]
pub struct NewTask {
    pub id: TaskId,
    pub tenant: Tenant,
    pub link_id: LinkId,
    pub bridge_token_id: Option<BridgeTokenId>,
    pub access_key_id: AccessKeyId,
    pub product: Product,
    pub kind: Kind,
    /// What goes wrong on purpose.
    pub faults: Vec<Fault>,
    /// Which login of the sandbox it met that the client invented.
    pub scenario_id: Option<ScenarioId>,
    pub created_at: Timestamp,
}

/// A task.
#[derive(Clone, Debug)]
pub struct Task {
    pub id: TaskId,
    pub tenant: Tenant,
    pub link_id: LinkId,
    /// The session that began it; only that session sees it in the widget.
    pub bridge_token_id: Option<BridgeTokenId>,
    /// The key whose secret signs its webhooks.
    pub access_key_id: AccessKeyId,
    pub product: Product,
    pub kind: Kind,
    /// What goes wrong on purpose.
    pub faults: Vec<Fault>,
    pub status: TaskStatus,
    /// What the provider said about a failure.
    pub error_message: Option<String>,
    /// The question that the consumer is asked, as JSON, while an answer is awaited.
    pub step: Option<String>,
    pub step_expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// What [`read`] reads, in its order.
macro_rules! columns {
    () => {
        "id, client_id, environment, link_id, bridge_token_id, access_key_id, product, kind, status, error_message, \
         step, step_expires_at, created_at, updated_at, finished_at, faults"
    };
}
pub(crate) use columns;

/// Makes a task, and sets its link to `new`. A conflict without consent, whoever asks (P20): a sign-in needs its receipt, a
/// refresh that what the person allowed has not ended.
pub async fn create(tx: &mut Tx<'_>, new: &NewTask) -> Result<Task, Error> {
    let task = tx
        .fetch_optional(
            concat!(
                "insert into tasks (
                 client_id, id, environment, link_id, bridge_token_id, access_key_id, product, kind, status, created_at,
                 updated_at, faults, scenario_id)
             select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12
               from links
              where client_id = $1 and environment = $3 and id = $4 and deleted_at is null
                and case when $8 = 'refresh' then consent_expires_at > $10 and consent_ended_at is null
                    else exists (select 1 from consents
                                  where consents.client_id = $1 and consents.link_id = $4 and consents.expires_at > $10) end
             returning ",
                columns!()
            ),
            params![
                new.tenant.client_id,
                new.id,
                new.tenant.environment,
                new.link_id,
                new.bridge_token_id,
                new.access_key_id,
                new.product,
                new.kind.as_str(),
                TaskStatus::New,
                new.created_at,
                words::join(&new.faults),
                new.scenario_id,
            ],
            read,
        )
        .await?
        .ok_or(Error::Conflict)?;
    set_link_status(tx, &task, TaskStatus::New, new.created_at).await?;
    Ok(task)
}

/// The task with this id.
pub async fn find(tx: &mut Tx<'_>, tenant: Tenant, id: TaskId) -> Result<Option<Task>, Error> {
    tx.fetch_optional(
        concat!(
            "select ",
            columns!(),
            "
           from tasks
          where client_id = $1 and environment = $2 and id = $3"
        ),
        params![tenant.client_id, tenant.environment, id],
        read,
    )
    .await
}

/// The task with this id, if this session began it.
pub async fn find_for_bridge_token(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    bridge_token_id: BridgeTokenId,
    id: TaskId,
) -> Result<Option<Task>, Error> {
    tx.fetch_optional(
        concat!(
            "select ",
            columns!(),
            "
           from tasks
          where client_id = $1 and environment = $2 and id = $3 and bridge_token_id = $4"
        ),
        params![tenant.client_id, tenant.environment, id, bridge_token_id],
        read,
    )
    .await
}

/// The newest task of a link.
pub async fn latest_for_link(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    link_id: LinkId,
) -> Result<Option<Task>, Error> {
    tx.fetch_optional(
        concat!(
            "select ",
            columns!(),
            "
           from tasks
          where client_id = $1 and environment = $2 and link_id = $3
          order by created_at desc, id desc
          limit 1"
        ),
        params![tenant.client_id, tenant.environment, link_id],
        read,
    )
    .await
}

/// A task of a link that has not ended, whatever the clocks of several nodes say about which is the newest.
pub async fn find_running(tx: &mut Tx<'_>, tenant: Tenant, link_id: LinkId) -> Result<Option<Task>, Error> {
    tx.fetch_optional(
        concat!(
            "select ",
            columns!(),
            "
           from tasks
          where client_id = $1 and environment = $2 and link_id = $3 and finished_at is null
          order by created_at desc, id desc
          limit 1"
        ),
        params![tenant.client_id, tenant.environment, link_id],
        read,
    )
    .await
}

/// The tasks of an order that have not ended, or of one employer in it.
pub async fn list_running_of_order(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    order_id: OrderId,
    employer: Option<OrderEmployerId>,
) -> Result<Vec<TaskId>, Error> {
    tx.fetch_all(
        "select tasks.id from tasks
           join bridge_tokens t on t.client_id = tasks.client_id and t.id = tasks.bridge_token_id
           join order_employers e on e.client_id = t.client_id and e.id = t.order_employer_id
          where e.client_id = $1 and e.environment = $2 and e.order_id = $3 and ($4 = false or e.id = $5)
            and tasks.finished_at is null
          order by tasks.id",
        params![
            tenant.client_id,
            tenant.environment,
            order_id,
            employer.is_some(),
            employer.unwrap_or(OrderEmployerId::from_bytes([0; 16]))
        ],
        |row| row.get(0),
    )
    .await
}

/// The newest refresh of a link.
pub async fn latest_refresh(tx: &mut Tx<'_>, tenant: Tenant, link_id: LinkId) -> Result<Option<Task>, Error> {
    tx.fetch_optional(
        concat!(
            "select ",
            columns!(),
            "
           from tasks
          where client_id = $1 and environment = $2 and link_id = $3 and kind = 'refresh'
          order by created_at desc, id desc
          limit 1"
        ),
        params![tenant.client_id, tenant.environment, link_id],
        read,
    )
    .await
}

/// When the person last signed in with success: what they allowed, they allowed then.
pub async fn last_consent(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    link_id: LinkId,
) -> Result<Option<Timestamp>, Error> {
    tx.fetch_one(
        "select max(finished_at) from tasks
          where client_id = $1 and environment = $2 and link_id = $3 and kind = 'initial' and status = 'done'",
        params![tenant.client_id, tenant.environment, link_id],
        |row| row.get(0),
    )
    .await
}

/// A part of the list of tasks, newest first; of one person's links, if one is asked for.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    user_id: Option<UserId>,
    limit: i64,
    offset: i64,
) -> Result<Vec<Task>, Error> {
    tx.fetch_all(
        concat!(
            "select ",
            columns!(),
            " from tasks
              where client_id = $1 and environment = $2 and link_id in (
                    select id from links
                     where client_id = $1 and deleted_at is null and ($3 = false or user_id = $4))
              order by id desc limit $5 offset $6"
        ),
        params![
            tenant.client_id,
            tenant.environment,
            user_id.is_some(),
            user_id.unwrap_or(UserId::from_bytes([0; 16])),
            limit,
            offset
        ],
        read,
    )
    .await
}

/// How many there are in that list.
pub async fn count(tx: &mut Tx<'_>, tenant: Tenant, user_id: Option<UserId>) -> Result<i64, Error> {
    tx.fetch_one(
        "select cast(count(*) as bigint) from tasks
          where client_id = $1 and environment = $2 and link_id in (
                select id from links where client_id = $1 and deleted_at is null and ($3 = false or user_id = $4))",
        params![
            tenant.client_id,
            tenant.environment,
            user_id.is_some(),
            user_id.unwrap_or(UserId::from_bytes([0; 16]))
        ],
        |row| row.get(0),
    )
    .await
}

/// The scenario that the newest sign-in of a link met.
pub async fn last_scenario(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    link_id: LinkId,
) -> Result<Option<ScenarioId>, Error> {
    let newest = tx
        .fetch_optional(
            "select scenario_id from tasks
              where client_id = $1 and environment = $2 and link_id = $3 and kind = 'initial'
              order by created_at desc, id desc limit 1",
            params![tenant.client_id, tenant.environment, link_id],
            |row| row.get(0),
        )
        .await?;
    Ok(newest.flatten())
}

/// The newest tasks of a link, the last one first.
pub async fn list_for_link(tx: &mut Tx<'_>, tenant: Tenant, link_id: LinkId) -> Result<Vec<Task>, Error> {
    tx.fetch_all(
        concat!(
            "select ",
            columns!(),
            " from tasks
              where client_id = $1 and environment = $2 and link_id = $3
              order by created_at desc, id desc limit 100"
        ),
        params![tenant.client_id, tenant.environment, link_id],
        read,
    )
    .await
}

/// How many tasks a link has had.
pub async fn count_for_link(tx: &mut Tx<'_>, tenant: Tenant, link_id: LinkId) -> Result<i64, Error> {
    tx.fetch_one(
        "select cast(count(*) as bigint) from tasks where client_id = $1 and environment = $2 and link_id = $3",
        params![tenant.client_id, tenant.environment, link_id],
        |row| row.get(0),
    )
    .await
}

/// How many refreshes of a link began after `since`.
pub async fn count_refreshes(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    link_id: LinkId,
    since: Timestamp,
) -> Result<i64, Error> {
    tx.fetch_one(
        "select cast(count(*) as bigint) from tasks
          where client_id = $1 and environment = $2 and link_id = $3 and kind = 'refresh' and created_at > $4",
        params![tenant.client_id, tenant.environment, link_id, since],
        |row| row.get(0),
    )
    .await
}

/// How many tasks stand where, over all clients.
pub async fn count_by_status(tx: &mut Tx<'_>) -> Result<Vec<(TaskStatus, i64)>, Error> {
    tx.fetch_all("select status, cast(count(*) as bigint) from tasks group by status", &[], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
    .await
}

/// Moves a task from the status that the caller saw, ends its question, and tells its link. `false` when the task
/// stands elsewhere by now: then nothing was changed. A step that [`TaskStatus::may_become`] does not draw is an error.
pub async fn advance(
    tx: &mut Tx<'_>,
    task: &Task,
    to: TaskStatus,
    error_message: Option<&str>,
    now: Timestamp,
) -> Result<bool, Error> {
    if !task.status.may_become(to) {
        return Err(Error::Corrupt { what: "a step that is not drawn" });
    }
    let moved = tx
        .execute(
            "update tasks
                set status = $5, error_message = $6, updated_at = $7, finished_at = $8,
                    step = null, step_expires_at = null
              where client_id = $1 and environment = $2 and id = $3 and status = $4",
            params![
                task.tenant.client_id,
                task.tenant.environment,
                task.id,
                task.status,
                to,
                error_message,
                now,
                to.is_final().then_some(now),
            ],
        )
        .await?;
    if moved == 0 {
        return Ok(false);
    }
    set_link_status(tx, task, to, now).await?;
    Ok(true)
}

/// Asks the consumer a question, until it lapses.
pub async fn set_step(
    tx: &mut Tx<'_>,
    task: &Task,
    step: &str,
    lapses: Timestamp,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "update tasks set step = $4, step_expires_at = $5, updated_at = $6
          where client_id = $1 and environment = $2 and id = $3",
        params![task.tenant.client_id, task.tenant.environment, task.id, step, lapses, now],
    )
    .await
    .map(drop)
}

/// Takes the right to answer the question. `false` when none is awaited: it was answered, or it has lapsed.
///
/// Questions age by the machine's clock, `live`; the task's own times are the client's, `now`.
pub async fn take_step(tx: &mut Tx<'_>, task: &Task, live: Timestamp, now: Timestamp) -> Result<bool, Error> {
    let taken = tx
        .execute(
            "update tasks set step = null, step_expires_at = null, updated_at = $5
              where client_id = $1 and environment = $2 and id = $3 and step is not null and step_expires_at > $4",
            params![task.tenant.client_id, task.tenant.environment, task.id, live, now],
        )
        .await?;
    Ok(taken == 1)
}

async fn set_link_status(
    tx: &mut Tx<'_>,
    task: &Task,
    status: TaskStatus,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "update links set status = $4, updated_at = $5 where client_id = $1 and environment = $2 and id = $3",
        params![task.tenant.client_id, task.tenant.environment, task.link_id, status, now],
    )
    .await
    .map(drop)
}

pub(crate) fn read(row: &Row<'_>) -> Result<Task, Error> {
    Ok(Task {
        id: row.get(0)?,
        tenant: Tenant { client_id: row.get(1)?, environment: row.get(2)? },
        link_id: row.get(3)?,
        bridge_token_id: row.get(4)?,
        access_key_id: row.get(5)?,
        product: row.get(6)?,
        kind: row.get(7)?,
        status: row.get(8)?,
        error_message: row.get(9)?,
        step: row.get(10)?,
        step_expires_at: row.get(11)?,
        created_at: row.get(12)?,
        updated_at: row.get(13)?,
        finished_at: row.get(14)?,
        faults: words::split(&row.get::<String>(15)?)?,
    })
}
