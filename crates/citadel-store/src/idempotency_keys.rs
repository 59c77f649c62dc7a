//! Answers under idempotency keys: written in the transaction of the effect, so that neither is there without the other (P43).

use citadel_domain::{LinkId, ObjectId, TaskId, UserId};
use jiff::Timestamp;

use crate::{Error, Tenant, Tx, value::params};

/// An answer to be kept, or the task at whose end it comes.
#[derive(Clone, Debug)]
pub struct NewAnswer {
    pub tenant: Tenant,
    /// Of the key, with whose it is and the path.
    pub key_hash: [u8; 32],
    /// Of everything else that was sent.
    pub request_hash: [u8; 32],
    /// `None` while the task runs.
    pub answer_sealed: Option<Vec<u8>>,
    /// Goes with this user.
    pub user_id: Option<UserId>,
    /// Goes with this link.
    pub link_id: Option<LinkId>,
    pub task_id: Option<TaskId>,
    pub created_at: Timestamp,
}

/// What is kept under a key.
#[derive(Clone, Debug)]
pub struct Kept {
    pub request_hash: Vec<u8>,
    pub answer_sealed: Option<Vec<u8>>,
    pub task_id: Option<TaskId>,
}

/// Keeps an answer. `false` when another is there that was made after `since`: then the effect must not happen again. Waits
/// for a twin whose transaction is open. The answer at the end of a task takes the place of the task.
pub async fn keep(tx: &mut Tx<'_>, new: &NewAnswer, since: Timestamp) -> Result<bool, Error> {
    let kept = tx
        .execute(
            "insert into idempotency_keys (
                 client_id, environment, id, key_hash, request_hash, answer_sealed, user_id, link_id, task_id,
                 created_at)
             values ($1, $2, $11, $3, $4, $5, $6, $7, $8, $9)
             on conflict (client_id, environment, key_hash) do update
                set request_hash = excluded.request_hash, answer_sealed = excluded.answer_sealed,
                    user_id = excluded.user_id, link_id = excluded.link_id, task_id = excluded.task_id,
                    created_at = excluded.created_at
              where idempotency_keys.created_at <= $10
                 or (idempotency_keys.answer_sealed is null and idempotency_keys.task_id = excluded.task_id)",
            params![
                new.tenant.client_id,
                new.tenant.environment,
                new.key_hash,
                new.request_hash,
                new.answer_sealed.clone(),
                new.user_id,
                new.link_id,
                new.task_id,
                new.created_at,
                since,
                row_id(&new.key_hash),
            ],
        )
        .await?;
    Ok(kept == 1)
}

/// The row under a key: the place for which its answer is sealed.
pub fn row_id(key_hash: &[u8; 32]) -> ObjectId {
    let mut id = [0; 16];
    id.copy_from_slice(&key_hash[..16]);
    ObjectId::from_bytes(id)
}

/// What was kept under a key after `since`.
pub async fn find(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    key_hash: &[u8; 32],
    since: Timestamp,
) -> Result<Option<Kept>, Error> {
    tx.fetch_optional(
        "select request_hash, answer_sealed, task_id from idempotency_keys
          where client_id = $1 and environment = $2 and key_hash = $3 and created_at > $4",
        params![tenant.client_id, tenant.environment, key_hash, since],
        |row| Ok(Kept { request_hash: row.get(0)?, answer_sealed: row.get(1)?, task_id: row.get(2)? }),
    )
    .await
}

/// Forgets what was kept at `since` or earlier. Answers how many.
pub async fn delete_until(tx: &mut Tx<'_>, since: Timestamp) -> Result<u64, Error> {
    tx.execute("delete from idempotency_keys where created_at <= $1", params![since]).await
}
