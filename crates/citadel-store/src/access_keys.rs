//! Access keys: a client's server credentials. At most two are active in an environment, so that a key can be changed
//! without an interruption.

use citadel_domain::{AccessKeyId, ClientId, Environment};
use jiff::Timestamp;

use crate::{
    Error, Row, Tenant, Tx,
    deletions::{self, Deleted, Deletion, Stamp},
    value::params,
};

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewAccessKey {
    pub id: AccessKeyId,
    pub client_id: ClientId,
    pub environment: Environment,
    /// As whoever made it calls it; may be empty.
    pub name: String,
    /// Whether its holder is told no more than the end of what is most personal (P7).
    pub is_masked: bool,
    pub secret_hash: [u8; 32],
    /// For signing webhooks; sealed under the root key.
    pub secret_sealed: Vec<u8>,
    pub created_at: Timestamp,
}

/// An active key.
#[derive(Clone, Debug)]
pub struct AccessKey {
    pub id: AccessKeyId,
    pub client_id: ClientId,
    pub environment: Environment,
    pub name: String,
    pub is_masked: bool,
    pub secret_sealed: Vec<u8>,
    pub created_at: Timestamp,
}

/// Makes a key. `false` when two are active in that environment.
pub async fn create(tx: &mut Tx<'_>, new: &NewAccessKey) -> Result<bool, Error> {
    // A write that changes nothing holds the client's row until the commit, so that parallel creations count one after
    // another (P3).
    tx.execute("update clients set name = name where id = $1", params![new.client_id]).await?;
    let made = tx
        .execute(
            "insert into access_keys (client_id, id, environment, secret_hash, secret_sealed, created_at, name,
                                      is_masked)
             select $1, $2, $3, $4, $5, $6, $7, $8
              where (select count(*) from access_keys
                      where client_id = $1 and environment = $3 and deleted_at is null) < 2",
            params![
                new.client_id,
                new.id,
                new.environment,
                new.secret_hash,
                &new.secret_sealed,
                new.created_at,
                &new.name,
                new.is_masked
            ],
        )
        .await?;
    Ok(made == 1)
}

/// The active key of a client with this secret.
pub async fn find_active(
    tx: &mut Tx<'_>,
    client_id: ClientId,
    secret_hash: &[u8; 32],
) -> Result<Option<AccessKey>, Error> {
    tx.fetch_optional(
        "select id, client_id, environment, secret_sealed, created_at, name, is_masked from access_keys
          where client_id = $1 and secret_hash = $2 and deleted_at is null",
        params![client_id, secret_hash],
        read,
    )
    .await
}

/// The active keys of a client, oldest first.
pub async fn list_active(tx: &mut Tx<'_>, client_id: ClientId) -> Result<Vec<AccessKey>, Error> {
    tx.fetch_all(
        "select id, client_id, environment, secret_sealed, created_at, name, is_masked from access_keys
          where client_id = $1 and deleted_at is null
          order by created_at, id",
        params![client_id],
        read,
    )
    .await
}

/// Ends a key at once. The row stays, because tokens and tasks name it; its secret goes. `false` when no such key is
/// active.
pub async fn delete(
    tx: &mut Tx<'_>,
    client_id: ClientId,
    id: AccessKeyId,
    stamp: Stamp,
) -> Result<bool, Error> {
    let ended = tx
        .fetch_optional(
            "update access_keys set deleted_at = $3, secret_sealed = null
              where client_id = $1 and id = $2 and deleted_at is null
             returning environment",
            params![client_id, id, stamp.at],
            |row| row.get::<Environment>(0),
        )
        .await?;
    let Some(environment) = ended else { return Ok(false) };
    let deleted = Deleted::AccessKey(Tenant { client_id, environment }, id);
    deletions::append(tx, &Deletion { stamp, deleted }).await?;
    Ok(true)
}

/// What came of [`deactivate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deactivated {
    /// The key has ended.
    Done,
    /// It is the last one of its environment, and goes on.
    Last,
    /// No such key is active in this environment.
    Unknown,
}

/// As [`delete`], for the client itself: never the last active key of its environment.
pub async fn deactivate(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: AccessKeyId,
    stamp: Stamp,
) -> Result<Deactivated, Error> {
    // As in `create`: two that end each other's key must not leave none.
    tx.execute("update clients set name = name where id = $1", params![tenant.client_id]).await?;
    let active = list_active(tx, tenant.client_id).await?;
    let active: Vec<_> = active.iter().filter(|key| key.environment == tenant.environment).collect();
    if !active.iter().any(|key| key.id == id) {
        return Ok(Deactivated::Unknown);
    }
    if active.len() == 1 {
        return Ok(Deactivated::Last);
    }
    delete(tx, tenant.client_id, id, stamp).await?;
    Ok(Deactivated::Done)
}

fn read(row: &Row<'_>) -> Result<AccessKey, Error> {
    Ok(AccessKey {
        id: row.get(0)?,
        client_id: row.get(1)?,
        environment: row.get(2)?,
        secret_sealed: row.get(3)?,
        created_at: row.get(4)?,
        name: row.get(5)?,
        is_masked: row.get(6)?,
    })
}
