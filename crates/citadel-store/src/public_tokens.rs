//! Public tokens: the widget's single-use proof of success.

use citadel_domain::{LinkId, PublicTokenId, TaskId};
use jiff::Timestamp;

use crate::{Error, Tenant, Tx, value::params};

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewPublicToken {
    pub id: PublicTokenId,
    pub tenant: Tenant,
    pub link_id: LinkId,
    pub task_id: TaskId,
    pub token_hash: [u8; 32],
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What came of an attempt to spend a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spend {
    /// It was good, and never will be again.
    Spent { link_id: LinkId, task_id: TaskId },
    /// It was spent before.
    Replayed { link_id: LinkId },
    /// It was revoked, or has aged.
    Gone,
    /// This tenant never had such a token.
    Unknown,
}

/// Makes a token.
pub async fn create(tx: &mut Tx<'_>, new: &NewPublicToken) -> Result<(), Error> {
    tx.execute(
        "insert into public_tokens (
             client_id, id, environment, link_id, task_id, token_hash, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            new.tenant.client_id,
            new.id,
            new.tenant.environment,
            new.link_id,
            new.task_id,
            new.token_hash,
            new.created_at,
            new.expires_at,
        ],
    )
    .await
    .map(drop)
}

/// Revokes the tokens of a task that were not spent.
pub async fn revoke_unspent(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    task_id: TaskId,
    now: Timestamp,
) -> Result<(), Error> {
    // A write that changes nothing holds the task's row until the commit: of two makers at once, the second sees and
    // revokes what the first has made.
    tx.execute(
        "update tasks set status = status where client_id = $1 and environment = $2 and id = $3",
        params![tenant.client_id, tenant.environment, task_id],
    )
    .await?;
    tx.execute(
        "update public_tokens set revoked_at = $4
          where client_id = $1 and environment = $2 and task_id = $3 and spent_at is null and revoked_at is null",
        params![tenant.client_id, tenant.environment, task_id, now],
    )
    .await
    .map(drop)
}

/// Spends a token: one conditional update, so that among any number of attempts exactly one succeeds (P9).
pub async fn spend(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Spend, Error> {
    let spent = tx
        .fetch_optional(
            "update public_tokens set spent_at = $4
              where client_id = $1 and environment = $2 and token_hash = $3
                and spent_at is null and revoked_at is null and expires_at > $4
             returning link_id, task_id",
            params![tenant.client_id, tenant.environment, token_hash, now],
            |row| Ok(Spend::Spent { link_id: row.get(0)?, task_id: row.get(1)? }),
        )
        .await?;
    if let Some(spent) = spent {
        return Ok(spent);
    }
    let known = tx
        .fetch_optional(
            "select link_id, spent_at from public_tokens
              where client_id = $1 and environment = $2 and token_hash = $3",
            params![tenant.client_id, tenant.environment, token_hash],
            |row| {
                let spent_at: Option<Timestamp> = row.get(1)?;
                Ok(match spent_at {
                    Some(_) => Spend::Replayed { link_id: row.get(0)? },
                    None => Spend::Gone,
                })
            },
        )
        .await?;
    Ok(known.unwrap_or(Spend::Unknown))
}
