//! Sign-ins of running tasks: class S1, sealed under a key that lives in the same row and dies with it. They are kept
//! until the task ends, and fifteen minutes at the most.

use citadel_domain::TaskId;
use jiff::Timestamp;

use crate::{Error, Row, Tenant, Tx, value::params};

/// A sign-in to be kept.
#[derive(Clone, Debug)]
pub struct NewLogin {
    pub task_id: TaskId,
    pub tenant: Tenant,
    pub key_wrapped: Vec<u8>,
    pub login_sealed: Vec<u8>,
    pub expires_at: Timestamp,
}

/// A sign-in.
#[derive(Clone, Debug)]
pub struct Login {
    pub task_id: TaskId,
    pub key_wrapped: Vec<u8>,
    pub login_sealed: Vec<u8>,
    /// What the connector needs at its next step.
    pub session_sealed: Option<Vec<u8>>,
    /// The consumer's answer to a question, until the connector has used it.
    pub answer_sealed: Option<Vec<u8>>,
    /// What reading needs, once signed in.
    pub grant_sealed: Option<Vec<u8>>,
    pub expires_at: Timestamp,
}

/// Keeps a sign-in, in place of one that the task had.
pub async fn put(tx: &mut Tx<'_>, new: &NewLogin) -> Result<(), Error> {
    tx.execute(
        "insert into logins (client_id, task_id, environment, key_wrapped, login_sealed, expires_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (client_id, task_id) do update
            set key_wrapped = excluded.key_wrapped, login_sealed = excluded.login_sealed,
                expires_at = excluded.expires_at,
                session_sealed = null, answer_sealed = null, grant_sealed = null
          where logins.environment = excluded.environment",
        params![
            new.tenant.client_id,
            new.task_id,
            new.tenant.environment,
            &new.key_wrapped,
            &new.login_sealed,
            new.expires_at,
        ],
    )
    .await
    .map(drop)
}

/// The sign-in of a task, unless its time is over.
pub async fn find(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    task_id: TaskId,
    now: Timestamp,
) -> Result<Option<Login>, Error> {
    tx.fetch_optional(
        "select task_id, key_wrapped, login_sealed, session_sealed, answer_sealed, grant_sealed, expires_at
           from logins
          where client_id = $1 and environment = $2 and task_id = $3 and expires_at > $4",
        params![tenant.client_id, tenant.environment, task_id, now],
        read,
    )
    .await
}

/// Keeps the connector's session. An answer that came before was used by it, so the answer goes.
pub async fn set_session(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    task_id: TaskId,
    sealed: &[u8],
) -> Result<(), Error> {
    tx.execute(
        "update logins set session_sealed = $4, answer_sealed = null
          where client_id = $1 and environment = $2 and task_id = $3",
        params![tenant.client_id, tenant.environment, task_id, sealed],
    )
    .await
    .map(drop)
}

/// Keeps the consumer's answer.
pub async fn set_answer(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    task_id: TaskId,
    sealed: &[u8],
) -> Result<(), Error> {
    tx.execute(
        "update logins set answer_sealed = $4 where client_id = $1 and environment = $2 and task_id = $3",
        params![tenant.client_id, tenant.environment, task_id, sealed],
    )
    .await
    .map(drop)
}

/// Keeps what reading needs. The sign-in is over, so what only its steps needed goes.
pub async fn set_grant(tx: &mut Tx<'_>, tenant: Tenant, task_id: TaskId, sealed: &[u8]) -> Result<(), Error> {
    tx.execute(
        "update logins set grant_sealed = $4, session_sealed = null, answer_sealed = null
          where client_id = $1 and environment = $2 and task_id = $3",
        params![tenant.client_id, tenant.environment, task_id, sealed],
    )
    .await
    .map(drop)
}

/// Forgets the sign-in of a task that has ended.
pub async fn delete(tx: &mut Tx<'_>, tenant: Tenant, task_id: TaskId) -> Result<(), Error> {
    tx.execute(
        "delete from logins where client_id = $1 and environment = $2 and task_id = $3",
        params![tenant.client_id, tenant.environment, task_id],
    )
    .await
    .map(drop)
}

/// Forgets every sign-in whose time is over; answers how many.
pub async fn delete_expired(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, Error> {
    tx.execute("delete from logins where expires_at <= $1", params![now]).await
}

fn read(row: &Row<'_>) -> Result<Login, Error> {
    Ok(Login {
        task_id: row.get(0)?,
        key_wrapped: row.get(1)?,
        login_sealed: row.get(2)?,
        session_sealed: row.get(3)?,
        answer_sealed: row.get(4)?,
        grant_sealed: row.get(5)?,
        expires_at: row.get(6)?,
    })
}
