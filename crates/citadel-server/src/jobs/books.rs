//! The books of providers that exist only in this program, one set for each client and environment. A real provider keeps
//! its own; this is what the sandbox has in their place, so that a change of pay outlives the task that made it.

use std::fmt;

use citadel_connectors::{Books, BoxFuture, ConnectorError, Entry, Invented};
use citadel_domain::{ScenarioId, Secret};
use citadel_store::{
    Error, Place, Tenant, provider_books,
    scenarios::{self, Scenario},
};

use crate::{app::App, purposes};

/// The books for one client and environment.
pub(crate) struct ProviderBooks {
    app: App,
    tenant: Tenant,
}

impl ProviderBooks {
    pub(crate) fn of(app: &App, tenant: Tenant) -> Self {
        Self { app: app.clone(), tenant }
    }

    /// Who has the account is personal, so the row tells no more than that two entries are for the same one.
    fn account_hash(&self, account: &str) -> [u8; 32] {
        self.app.keyring.keyed_hash(purposes::PROVIDER_ACCOUNT, account)
    }

    fn place(&self, id: [u8; 16]) -> Place {
        Place::new(self.tenant, "provider_books", "entry_sealed", id)
    }

    async fn read(&self, account: &str) -> Result<Vec<Entry>, Error> {
        let (tenant, hash) = (self.tenant, self.account_hash(account));
        let db = self.app.db.scoped(tenant.client_id);
        let rows = db.read(async move |tx| provider_books::list(tx, tenant, &hash).await).await?;
        rows.into_iter()
            .map(|row| {
                let text = self.app.keyring.unseal(&self.place(*row.id.as_bytes()), &row.entry_sealed)?;
                serde_json::from_slice(&text)
                    .map_err(|_| Error::Corrupt { what: "an entry in a provider's books" })
            })
            .collect()
    }

    async fn write(&self, account: &str, entry: &Entry) -> Result<(), Error> {
        let now = self.app.clock.now();
        let id = citadel_domain::ObjectId::generate(now, &*self.app.random);
        let text = zeroize::Zeroizing::new(
            serde_json::to_vec(entry)
                .map_err(|_| Error::Corrupt { what: "an entry in a provider's books" })?,
        );
        let new = provider_books::NewEntry {
            id,
            tenant: self.tenant,
            account_hash: self.account_hash(account),
            entry_sealed: self.app.keyring.seal(&self.place(*id.as_bytes()), &text)?,
            created_at: now,
        };
        let db = self.app.db.scoped(self.tenant.client_id);
        db.write(async move |tx| provider_books::append(tx, &new).await).await
    }
}

impl ProviderBooks {
    async fn invented(&self, username: &str) -> Result<Vec<Invented>, Error> {
        let tenant = self.tenant;
        let hash = self.app.keyring.keyed_hash(purposes::SCENARIO_USERNAME, username);
        let db = self.app.db.scoped(tenant.client_id);
        let rows = db.read(async move |tx| scenarios::list_for_username(tx, tenant, &hash).await).await?;
        rows.iter()
            .map(|row| Ok(Invented { id: row.id.to_string(), json: open_scenario(&self.app, row)? }))
            .collect()
    }
}

/// The JSON of a scenario, which lies under the root key as the books do.
pub(crate) fn open_scenario(app: &App, row: &Scenario) -> Result<Secret, Error> {
    let bytes = app.keyring.unseal(&scenario_place(row.tenant, row.id), &row.body_sealed)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Error::Corrupt { what: "a scenario" })?;
    Ok(Secret::new(text))
}

/// Where a scenario's JSON is sealed for.
pub(crate) fn scenario_place(tenant: Tenant, id: ScenarioId) -> Place {
    Place::new(tenant, "scenarios", "body_sealed", *id.as_bytes())
}

/// A provider whose books cannot be reached is down.
fn down(cause: Error) -> ConnectorError {
    tracing::warn!(error.cause = %cause, "a provider's books cannot be used");
    ConnectorError::ProviderDown { retry_after: Some(jiff::SignedDuration::from_secs(2)) }
}

impl Books for ProviderBooks {
    fn list<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Vec<Entry>> {
        Box::pin(async move { self.read(account).await.map_err(down) })
    }

    fn enter<'a>(&'a self, account: &'a str, entry: &'a Entry) -> BoxFuture<'a, ()> {
        Box::pin(async move { self.write(account, entry).await.map_err(down) })
    }

    fn scenarios<'a>(&'a self, username: &'a str) -> BoxFuture<'a, Vec<Invented>> {
        Box::pin(async move { self.invented(username).await.map_err(down) })
    }
}

impl fmt::Debug for ProviderBooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProviderBooks")
    }
}
