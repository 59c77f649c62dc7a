//! Books of providers that exist only in this program: entries are added and never changed, as at a real provider, where
//! nobody can take a submission back.

use citadel_domain::ObjectId;
use jiff::Timestamp;

use crate::{Error, Tenant, Tx, value::params};

/// An entry to be made.
#[derive(Clone, Debug)]
pub struct NewEntry {
    pub id: ObjectId,
    pub tenant: Tenant,
    pub account_hash: [u8; 32],
    pub entry_sealed: Vec<u8>,
    pub created_at: Timestamp,
}

/// An entry.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: ObjectId,
    pub entry_sealed: Vec<u8>,
}

/// Makes an entry.
pub async fn append(tx: &mut Tx<'_>, new: &NewEntry) -> Result<(), Error> {
    tx.execute(
        "insert into provider_books (client_id, id, environment, account_hash, entry_sealed, created_at)
         values ($1, $2, $3, $4, $5, $6)",
        params![
            new.tenant.client_id,
            new.id,
            new.tenant.environment,
            new.account_hash,
            &new.entry_sealed,
            new.created_at
        ],
    )
    .await
    .map(drop)
}

/// The entries for an account, oldest first.
pub async fn list(tx: &mut Tx<'_>, tenant: Tenant, account_hash: &[u8; 32]) -> Result<Vec<Entry>, Error> {
    tx.fetch_all(
        "select id, entry_sealed from provider_books
          where client_id = $1 and environment = $2 and account_hash = $3
          order by created_at, id",
        params![tenant.client_id, tenant.environment, account_hash],
        |row| Ok(Entry { id: row.get(0)?, entry_sealed: row.get(1)? }),
    )
    .await
}
