//! A few words about the database itself.

use crate::{Error, Tx, value::params};

/// The text kept under a name.
pub async fn get(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>, Error> {
    tx.fetch_optional("select value from settings where name = $1", params![name], |row| row.get(0)).await
}

/// Keeps a text under a name.
pub async fn put(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<(), Error> {
    tx.execute(
        "insert into settings (name, value) values ($1, $2)
         on conflict (name) do update set value = excluded.value",
        params![name, value],
    )
    .await
    .map(drop)
}
