//! Changes at a provider: what a task wants to change, and how far that has come. The state is written before the provider is
//! called, so that a crash leaves a question and never a second submission (P37).

use citadel_domain::{LinkId, TaskId};
use jiff::Timestamp;

use crate::{Error, FromValue, Row, Tenant, Tx, ValueRef, value::params};

/// How far a change has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The person confirmed it; the provider was not called yet.
    Wanted,
    /// The provider was called, or is about to be.
    Sent,
    /// The provider said yes.
    Answered,
    /// The provider shows it.
    Applied,
    /// The provider said no.
    Refused,
}

impl State {
    /// The word in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Sent => "sent",
            Self::Answered => "answered",
            Self::Applied => "applied",
            Self::Refused => "refused",
        }
    }
}

impl FromValue for State {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        let ValueRef::Text(text) = value else { return None };
        let all = [Self::Wanted, Self::Sent, Self::Answered, Self::Applied, Self::Refused];
        all.into_iter().find(|state| state.as_str() == text)
    }
}

/// A change to be kept.
#[derive(Clone, Debug)]
pub struct NewChange {
    pub task_id: TaskId,
    pub tenant: Tenant,
    pub link_id: LinkId,
    /// `deposit_switch`, `pll`, `funding` or `funding_proof`.
    pub kind: &'static str,
    /// Sealed under the link's data key, as is the plan.
    pub change_sealed: Vec<u8>,
    pub created_at: Timestamp,
}

/// A change.
#[derive(Clone, Debug)]
pub struct Change {
    pub task_id: TaskId,
    pub kind: String,
    pub state: State,
    pub change_sealed: Vec<u8>,
    /// What the accounts were and will be, once that was worked out.
    pub plan_sealed: Option<Vec<u8>>,
    pub created_at: Timestamp,
}

/// What [`read`] reads, in its order.
macro_rules! columns {
    () => {
        "task_id, kind, state, change_sealed, plan_sealed, created_at"
    };
}

/// Keeps a change.
pub async fn create(tx: &mut Tx<'_>, new: &NewChange) -> Result<(), Error> {
    tx.execute(
        "insert into changes
            (client_id, task_id, environment, link_id, kind, state, change_sealed, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        params![
            new.tenant.client_id,
            new.task_id,
            new.tenant.environment,
            new.link_id,
            new.kind,
            State::Wanted.as_str(),
            &new.change_sealed,
            new.created_at,
        ],
    )
    .await
    .map(drop)
}

/// The change of a task.
pub async fn find(tx: &mut Tx<'_>, tenant: Tenant, task_id: TaskId) -> Result<Option<Change>, Error> {
    tx.fetch_optional(
        concat!(
            "select ",
            columns!(),
            " from changes where client_id = $1 and environment = $2 and task_id = $3"
        ),
        params![tenant.client_id, tenant.environment, task_id],
        read,
    )
    .await
}

/// The changes of a link, oldest first.
pub async fn list_for_link(tx: &mut Tx<'_>, tenant: Tenant, link_id: LinkId) -> Result<Vec<Change>, Error> {
    tx.fetch_all(
        concat!(
            "select ",
            columns!(),
            " from changes where client_id = $1 and environment = $2 and link_id = $3
              order by created_at, task_id"
        ),
        params![tenant.client_id, tenant.environment, link_id],
        read,
    )
    .await
}

/// Keeps what a change will do.
pub async fn set_plan(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    task_id: TaskId,
    plan_sealed: &[u8],
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "update changes set plan_sealed = $4, updated_at = $5
          where client_id = $1 and environment = $2 and task_id = $3",
        params![tenant.client_id, tenant.environment, task_id, plan_sealed, now],
    )
    .await
    .map(drop)
}

/// Writes how far a change has come.
pub async fn set_state(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    task_id: TaskId,
    state: State,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "update changes set state = $4, updated_at = $5
          where client_id = $1 and environment = $2 and task_id = $3",
        params![tenant.client_id, tenant.environment, task_id, state.as_str(), now],
    )
    .await
    .map(drop)
}

fn read(row: &Row<'_>) -> Result<Change, Error> {
    Ok(Change {
        task_id: row.get(0)?,
        kind: row.get(1)?,
        state: row.get(2)?,
        change_sealed: row.get(3)?,
        plan_sealed: row.get(4)?,
        created_at: row.get(5)?,
    })
}
