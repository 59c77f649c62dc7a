//! Logins that clients of the sandbox invented.

use citadel_domain::ScenarioId;
use jiff::Timestamp;

use crate::{Error, Row, Tenant, Tx, value::params};

/// A scenario to be kept.
#[derive(Clone, Debug)]
pub struct NewScenario {
    pub id: ScenarioId,
    pub tenant: Tenant,
    pub data_source: String,
    /// One of its kind among the client's scenarios of the data source.
    pub label: String,
    pub username_hash: [u8; 32],
    /// The JSON.
    pub body_sealed: Vec<u8>,
    pub now: Timestamp,
}

/// A scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub id: ScenarioId,
    pub tenant: Tenant,
    pub body_sealed: Vec<u8>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, client_id, environment, body_sealed, created_at, updated_at from scenarios
              where client_id = $1 and environment = $2 and ",
            $rest
        )
    };
}

/// Keeps a new scenario. `false` when the label is taken.
pub async fn create(tx: &mut Tx<'_>, new: &NewScenario) -> Result<bool, Error> {
    let made = tx
        .execute(
            "insert into scenarios (client_id, id, environment, data_source, label, username_hash, body_sealed,
                                    created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
             on conflict (client_id, data_source, label) do nothing",
            params![
                new.tenant.client_id,
                new.id,
                new.tenant.environment,
                &new.data_source,
                &new.label,
                new.username_hash,
                &new.body_sealed,
                new.now,
            ],
        )
        .await?;
    Ok(made == 1)
}

/// Writes a scenario anew. `false` when the label belongs to another one.
pub async fn update(tx: &mut Tx<'_>, new: &NewScenario) -> Result<bool, Error> {
    let updated = tx
        .execute(
            "update scenarios set data_source = $4, label = $5, username_hash = $6, body_sealed = $7, updated_at = $8
              where client_id = $1 and environment = $2 and id = $3
                and not exists (
                    select 1 from scenarios as other
                     where other.client_id = $1 and other.data_source = $4 and other.label = $5 and other.id <> $3)",
            params![
                new.tenant.client_id,
                new.tenant.environment,
                new.id,
                &new.data_source,
                &new.label,
                new.username_hash,
                &new.body_sealed,
                new.now,
            ],
        )
        .await?;
    Ok(updated == 1)
}

/// The scenario with this id.
pub async fn find(tx: &mut Tx<'_>, tenant: Tenant, id: ScenarioId) -> Result<Option<Scenario>, Error> {
    tx.fetch_optional(select!("id = $3"), params![tenant.client_id, tenant.environment, id], read).await
}

/// How many scenarios there are.
pub async fn count(tx: &mut Tx<'_>, tenant: Tenant) -> Result<i64, Error> {
    tx.fetch_one(
        "select cast(count(*) as bigint) from scenarios where client_id = $1 and environment = $2",
        params![tenant.client_id, tenant.environment],
        |row| row.get(0),
    )
    .await
}

/// A part of the list of scenarios, oldest first.
pub async fn list(tx: &mut Tx<'_>, tenant: Tenant, limit: i64, offset: i64) -> Result<Vec<Scenario>, Error> {
    tx.fetch_all(
        select!("1 = 1 order by created_at, id limit $3 offset $4"),
        params![tenant.client_id, tenant.environment, limit, offset],
        read,
    )
    .await
}

/// The scenarios of a user name, newest first.
pub async fn list_for_username(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    username_hash: &[u8; 32],
) -> Result<Vec<Scenario>, Error> {
    tx.fetch_all(
        select!("username_hash = $3 order by created_at desc, id desc"),
        params![tenant.client_id, tenant.environment, username_hash],
        read,
    )
    .await
}

/// Deletes a scenario. `false` when there is none.
pub async fn delete(tx: &mut Tx<'_>, tenant: Tenant, id: ScenarioId) -> Result<bool, Error> {
    let deleted = tx
        .execute(
            "delete from scenarios where client_id = $1 and environment = $2 and id = $3",
            params![tenant.client_id, tenant.environment, id],
        )
        .await?;
    Ok(deleted == 1)
}

fn read(row: &Row<'_>) -> Result<Scenario, Error> {
    Ok(Scenario {
        id: row.get(0)?,
        tenant: Tenant { client_id: row.get(1)?, environment: row.get(2)? },
        body_sealed: row.get(3)?,
        created_at: row.get(4)?,
        updated_at: row.get(5)?,
    })
}
