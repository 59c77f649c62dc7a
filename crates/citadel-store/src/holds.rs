//! Holds: a link that is kept, with what belongs to it, whatever its age. A hold stops retention and nothing else: consent ends
//! as it does, and what the person or the client deletes is deleted.

use citadel_domain::{ClientId, Environment, LinkId};
use jiff::Timestamp;

use crate::{Error, Row, Tx, value::params};

/// A link that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub client_id: ClientId,
    pub environment: Environment,
    pub link_id: LinkId,
    pub reason: String,
    pub held_at: Timestamp,
}

/// Holds a link for a reason, in place of one that was there. `false` when there is no such link.
pub async fn set(
    tx: &mut Tx<'_>,
    client_id: ClientId,
    link_id: LinkId,
    reason: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let held = tx
        .execute(
            "update links set hold_reason = $3, held_at = $4
              where client_id = $1 and id = $2 and deleted_at is null",
            params![client_id, link_id, reason, now],
        )
        .await?;
    Ok(held == 1)
}

/// Lets a link go. `false` when it is not held.
pub async fn clear(tx: &mut Tx<'_>, client_id: ClientId, link_id: LinkId) -> Result<bool, Error> {
    let cleared = tx
        .execute(
            "update links set hold_reason = null, held_at = null
              where client_id = $1 and id = $2 and held_at is not null and deleted_at is null",
            params![client_id, link_id],
        )
        .await?;
    Ok(cleared == 1)
}

/// What is held of a client, the oldest hold first.
pub async fn list(tx: &mut Tx<'_>, client_id: ClientId) -> Result<Vec<Hold>, Error> {
    tx.fetch_all(
        "select client_id, environment, id, hold_reason, held_at from links
          where client_id = $1 and held_at is not null and deleted_at is null
          order by held_at, id",
        params![client_id],
        |row: &Row<'_>| {
            Ok(Hold {
                client_id: row.get(0)?,
                environment: row.get(1)?,
                link_id: row.get(2)?,
                reason: row.get(3)?,
                held_at: row.get(4)?,
            })
        },
    )
    .await
}

/// Whether a link is held.
pub async fn is_held(tx: &mut Tx<'_>, client_id: ClientId, link_id: LinkId) -> Result<bool, Error> {
    let sql = "select id from links where client_id = $1 and id = $2 and held_at is not null and deleted_at is null";
    let held = tx.fetch_optional(sql, params![client_id, link_id], |row| row.get::<LinkId>(0)).await?;
    Ok(held.is_some())
}
