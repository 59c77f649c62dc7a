//! Webhooks: the endpoints of clients to which events are delivered.

use citadel_domain::{ClientId, WebhookId};
use jiff::Timestamp;

use crate::{Error, Row, Tenant, Tx, value::params, words};

/// An endpoint to be made.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    pub id: WebhookId,
    pub tenant: Tenant,
    pub name: String,
    pub url: String,
    /// The types of events that it wants.
    pub events: Vec<String>,
    pub secret_sealed: Vec<u8>,
    pub created_at: Timestamp,
}

/// An endpoint.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub id: WebhookId,
    pub tenant: Tenant,
    pub name: String,
    pub url: String,
    pub events: Vec<String>,
    pub is_enabled: bool,
    pub secret_sealed: Vec<u8>,
    /// The secret before the last rotation, and until when it signs too.
    pub previous: Option<(Vec<u8>, Timestamp)>,
    pub disabled_because: Option<String>,
    /// The first failure after the last success.
    pub failing_since: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What [`read`] reads, in its order.
macro_rules! columns {
    () => {
        "id, client_id, environment, name, webhook_url, events, is_enabled, secret_sealed, previous_secret_sealed, \
         previous_until, disabled_because, failing_since, created_at, updated_at"
    };
}

/// Holds the client's row until the commit, so that parallel changes of its endpoints count one after another.
pub async fn lock(tx: &mut Tx<'_>, client_id: ClientId) -> Result<(), Error> {
    tx.execute("update clients set name = name where id = $1", params![client_id]).await.map(drop)
}

/// Makes an endpoint. Call [`lock`] and look for its address first.
pub async fn create(tx: &mut Tx<'_>, new: &NewWebhook) -> Result<(), Error> {
    tx.execute(
        "insert into webhooks (client_id, id, environment, name, webhook_url, events, is_enabled, secret_sealed,
                               created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, true, $7, $8, $8)",
        params![
            new.tenant.client_id,
            new.id,
            new.tenant.environment,
            &new.name,
            &new.url,
            words::join(&new.events),
            &new.secret_sealed,
            new.created_at,
        ],
    )
    .await
    .map(drop)
}

/// The endpoint with this id.
pub async fn find(tx: &mut Tx<'_>, tenant: Tenant, id: WebhookId) -> Result<Option<Webhook>, Error> {
    tx.fetch_optional(
        concat!(
            "select ",
            columns!(),
            " from webhooks where client_id = $1 and environment = $2 and id = $3"
        ),
        params![tenant.client_id, tenant.environment, id],
        read,
    )
    .await
}

/// The endpoints of a client's environment, oldest first.
pub async fn list(tx: &mut Tx<'_>, tenant: Tenant) -> Result<Vec<Webhook>, Error> {
    tx.fetch_all(
        concat!(
            "select ",
            columns!(),
            " from webhooks where client_id = $1 and environment = $2 order by created_at, id"
        ),
        params![tenant.client_id, tenant.environment],
        read,
    )
    .await
}

/// Writes what a client may change: name, address, events, and whether it is enabled.
pub async fn update(tx: &mut Tx<'_>, webhook: &Webhook, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "update webhooks set name = $4, webhook_url = $5, events = $6, is_enabled = $7, disabled_because = $8,
                             failing_since = $9, updated_at = $10
          where client_id = $1 and environment = $2 and id = $3",
        params![
            webhook.tenant.client_id,
            webhook.tenant.environment,
            webhook.id,
            &webhook.name,
            &webhook.url,
            words::join(&webhook.events),
            webhook.is_enabled,
            webhook.disabled_because.clone(),
            webhook.failing_since,
            now,
        ],
    )
    .await
    .map(drop)
}

/// Makes other transactions that change the endpoint wait until this one ends.
pub async fn hold(tx: &mut Tx<'_>, tenant: Tenant, id: WebhookId) -> Result<(), Error> {
    tx.execute(
        "update webhooks set name = name where client_id = $1 and environment = $2 and id = $3",
        params![tenant.client_id, tenant.environment, id],
    )
    .await
    .map(drop)
}

/// Gives an endpoint a new secret. The old one signs beside it until `previous_until`.
pub async fn rotate_secret(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: WebhookId,
    secret_sealed: &[u8],
    previous_sealed: &[u8],
    previous_until: Timestamp,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "update webhooks set secret_sealed = $4, previous_secret_sealed = $5, previous_until = $6, updated_at = $7
          where client_id = $1 and environment = $2 and id = $3",
        params![
            tenant.client_id,
            tenant.environment,
            id,
            secret_sealed,
            previous_sealed,
            previous_until,
            now
        ],
    )
    .await
    .map(drop)
}

/// Removes an endpoint. `false` when there is no such.
pub async fn delete(tx: &mut Tx<'_>, tenant: Tenant, id: WebhookId) -> Result<bool, Error> {
    let deleted = tx
        .execute(
            "delete from webhooks where client_id = $1 and environment = $2 and id = $3",
            params![tenant.client_id, tenant.environment, id],
        )
        .await?;
    Ok(deleted == 1)
}

/// Notes how the newest attempts went: since when there were only failures, or `None` after a success.
pub async fn set_failing_since(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: WebhookId,
    since: Option<Timestamp>,
) -> Result<(), Error> {
    tx.execute(
        "update webhooks set failing_since = $4 where client_id = $1 and environment = $2 and id = $3",
        params![tenant.client_id, tenant.environment, id, since],
    )
    .await
    .map(drop)
}

/// Switches an endpoint off, and says why.
pub async fn disable(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: WebhookId,
    because: &str,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "update webhooks set is_enabled = false, disabled_because = $4, updated_at = $5
          where client_id = $1 and environment = $2 and id = $3",
        params![tenant.client_id, tenant.environment, id, because, now],
    )
    .await
    .map(drop)
}

fn read(row: &Row<'_>) -> Result<Webhook, Error> {
    let previous_sealed: Option<Vec<u8>> = row.get(8)?;
    let previous_until: Option<Timestamp> = row.get(9)?;
    Ok(Webhook {
        id: row.get(0)?,
        tenant: Tenant { client_id: row.get(1)?, environment: row.get(2)? },
        name: row.get(3)?,
        url: row.get(4)?,
        events: words::split(&row.get::<String>(5)?)?,
        is_enabled: row.get(6)?,
        secret_sealed: row.get(7)?,
        previous: previous_sealed.zip(previous_until),
        disabled_because: row.get(10)?,
        failing_since: row.get(11)?,
        created_at: row.get(12)?,
        updated_at: row.get(13)?,
    })
}
