//! The data key of a link or a user, under which everything that is known of it is sealed, each value for its own place.

use citadel_domain::Secret;
use citadel_store::{DataKey, Place, Tenant, links::Link, users::User};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::{
    app::App,
    error::{self, ApiResult},
};

/// The opened key of one link or user.
pub(crate) struct OwnerKey {
    tenant: Tenant,
    table: &'static str,
    row: [u8; 16],
    key: DataKey,
}

impl OwnerKey {
    pub(crate) fn of_link(app: &App, link: &Link) -> ApiResult<Self> {
        Self::open(app, link.tenant, "links", *link.id.as_bytes(), &link.data_key_wrapped)
    }

    pub(crate) fn of_user(app: &App, user: &User) -> ApiResult<Self> {
        Self::open(app, user.tenant, "users", *user.id.as_bytes(), &user.data_key_wrapped)
    }

    /// A new key for a row that is about to be made, and what is stored of it.
    pub(crate) fn new(
        app: &App,
        tenant: Tenant,
        table: &'static str,
        row: [u8; 16],
    ) -> ApiResult<(Self, Vec<u8>)> {
        let (key, wrapped) = app.keyring.new_data_key(&Place::new(tenant, table, "data_key_wrapped", row))?;
        Ok((Self { tenant, table, row, key }, wrapped))
    }

    fn open(
        app: &App,
        tenant: Tenant,
        table: &'static str,
        row: [u8; 16],
        wrapped: &[u8],
    ) -> ApiResult<Self> {
        let key =
            app.keyring.unwrap_data_key(&Place::new(tenant, table, "data_key_wrapped", row), wrapped)?;
        Ok(Self { tenant, table, row, key })
    }

    /// Seals bytes for a column of the row with this id; a report's kind stands in the place of a column.
    pub(crate) fn seal(
        &self,
        table: &'static str,
        column: &'static str,
        row: [u8; 16],
        plain: &[u8],
    ) -> ApiResult<Vec<u8>> {
        Ok(self.key.seal(&self.place(table, column, row), plain)?)
    }

    pub(crate) fn unseal(
        &self,
        table: &'static str,
        column: &'static str,
        row: [u8; 16],
        sealed: &[u8],
    ) -> ApiResult<Zeroizing<Vec<u8>>> {
        Ok(self.key.open(&self.place(table, column, row), sealed)?)
    }

    pub(crate) fn seal_json(
        &self,
        table: &'static str,
        column: &'static str,
        row: [u8; 16],
        value: &impl Serialize,
    ) -> ApiResult<Vec<u8>> {
        let json = serde_json::to_vec(value).map(Zeroizing::new).map_err(error::internal)?;
        self.seal(table, column, row, &json)
    }

    pub(crate) fn unseal_json<T: DeserializeOwned>(
        &self,
        table: &'static str,
        column: &'static str,
        row: [u8; 16],
        sealed: &[u8],
    ) -> ApiResult<T> {
        let json = self.unseal(table, column, row, sealed)?;
        // The parser would quote the value.
        serde_json::from_slice(&json)
            .map_err(|_| error::internal(format!("a sealed {column} cannot be read")))
    }

    /// A text in the owner's own row.
    pub(crate) fn seal_text(&self, column: &'static str, text: &Secret) -> ApiResult<Vec<u8>> {
        self.seal(self.table, column, self.row, text.expose().as_bytes())
    }

    pub(crate) fn unseal_text(&self, column: &'static str, sealed: &[u8]) -> ApiResult<Secret> {
        let bytes = self.unseal(self.table, column, self.row, sealed)?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| error::internal(format!("a sealed {column} is not text")))?;
        Ok(Secret::new(text))
    }

    fn place(&self, table: &'static str, column: &'static str, row: [u8; 16]) -> Place {
        Place::new(self.tenant, table, column, row)
    }
}
