//! Templates: looks of the widget, as the client sent them.

use citadel_domain::TemplateId;
use jiff::Timestamp;

use crate::{Error, Row, Tenant, Tx, value::params};

/// A template.
#[derive(Clone, Debug)]
pub struct Template {
    pub id: TemplateId,
    pub tenant: Tenant,
    pub name: String,
    /// JSON.
    pub body: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, client_id, environment, name, body, created_at, updated_at from templates
              where client_id = $1 and environment = $2 ",
            $rest
        )
    };
}

/// Makes a template.
pub async fn create(tx: &mut Tx<'_>, new: &Template) -> Result<(), Error> {
    tx.execute(
        "insert into templates (client_id, id, environment, name, body, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        params![
            new.tenant.client_id,
            new.id,
            new.tenant.environment,
            &new.name,
            &new.body,
            new.created_at,
            new.updated_at
        ],
    )
    .await
    .map(drop)
}

/// The template with this id.
pub async fn find(tx: &mut Tx<'_>, tenant: Tenant, id: TemplateId) -> Result<Option<Template>, Error> {
    tx.fetch_optional(select!("and id = $3"), params![tenant.client_id, tenant.environment, id], read).await
}

/// A part of the list, oldest first.
pub async fn list(tx: &mut Tx<'_>, tenant: Tenant, limit: i64, offset: i64) -> Result<Vec<Template>, Error> {
    tx.fetch_all(
        select!("order by created_at, id limit $3 offset $4"),
        params![tenant.client_id, tenant.environment, limit, offset],
        read,
    )
    .await
}

/// How many there are.
pub async fn count(tx: &mut Tx<'_>, tenant: Tenant) -> Result<i64, Error> {
    tx.fetch_one(
        "select cast(count(*) as bigint) from templates where client_id = $1 and environment = $2",
        params![tenant.client_id, tenant.environment],
        |row| row.get(0),
    )
    .await
}

/// Makes other transactions that lock or write the template wait until this one ends. `false` when there is none.
pub async fn lock(tx: &mut Tx<'_>, tenant: Tenant, id: TemplateId) -> Result<bool, Error> {
    let locked = tx
        .execute(
            "update templates set updated_at = updated_at
              where client_id = $1 and environment = $2 and id = $3",
            params![tenant.client_id, tenant.environment, id],
        )
        .await?;
    Ok(locked == 1)
}

/// Writes a template anew. `false` when there is none.
pub async fn update(tx: &mut Tx<'_>, template: &Template) -> Result<bool, Error> {
    let updated = tx
        .execute(
            "update templates set name = $4, body = $5, updated_at = $6
              where client_id = $1 and environment = $2 and id = $3",
            params![
                template.tenant.client_id,
                template.tenant.environment,
                template.id,
                &template.name,
                &template.body,
                template.updated_at
            ],
        )
        .await?;
    Ok(updated == 1)
}

/// Deletes a template. `false` when there is none.
pub async fn delete(tx: &mut Tx<'_>, tenant: Tenant, id: TemplateId) -> Result<bool, Error> {
    let deleted = tx
        .execute(
            "delete from templates where client_id = $1 and environment = $2 and id = $3",
            params![tenant.client_id, tenant.environment, id],
        )
        .await?;
    Ok(deleted == 1)
}

fn read(row: &Row<'_>) -> Result<Template, Error> {
    Ok(Template {
        id: row.get(0)?,
        tenant: Tenant { client_id: row.get(1)?, environment: row.get(2)? },
        name: row.get(3)?,
        body: row.get(4)?,
        created_at: row.get(5)?,
        updated_at: row.get(6)?,
    })
}
