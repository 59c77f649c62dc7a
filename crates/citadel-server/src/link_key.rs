//! A link's data key, under which everything that the link knows is sealed, each value for its own place.

use citadel_domain::Secret;
use citadel_store::{DataKey, Place, links::Link};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::{
    app::App,
    error::{self, ApiResult},
};

/// The opened key of one link.
pub(crate) struct LinkKey<'a> {
    link: &'a Link,
    key: DataKey,
}

impl<'a> LinkKey<'a> {
    pub(crate) fn open(app: &App, link: &'a Link) -> ApiResult<Self> {
        let place = Place::new(link.tenant, "links", "data_key_wrapped", *link.id.as_bytes());
        Ok(Self { link, key: app.keyring.unwrap_data_key(&place, &link.data_key_wrapped)? })
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

    /// A text in the link's own row.
    pub(crate) fn seal_text(&self, column: &'static str, text: &Secret) -> ApiResult<Vec<u8>> {
        self.seal("links", column, *self.link.id.as_bytes(), text.expose().as_bytes())
    }

    pub(crate) fn unseal_text(&self, column: &'static str, sealed: &[u8]) -> ApiResult<Secret> {
        let bytes = self.unseal("links", column, *self.link.id.as_bytes(), sealed)?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| error::internal(format!("a sealed {column} is not text")))?;
        Ok(Secret::new(text))
    }

    fn place(&self, table: &'static str, column: &'static str, row: [u8; 16]) -> Place {
        Place::new(self.link.tenant, table, column, row)
    }
}
