//! A few words about the database itself, and the check that the root key is the one that sealed it.

use citadel_domain::tokens::hex;

use crate::{Error, Keyring, Tx, value::params};

const ROOT_KEY_CHECK: &str = "root_key_check";

/// What the database says about a root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootKeyCheck {
    /// Nothing was ever sealed here.
    New,
    /// This key sealed what is here.
    Right,
    /// Another key did.
    Wrong,
}

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

/// Whether this root key is the database's own. Writes nothing (P18).
pub async fn check_root_key(tx: &mut Tx<'_>, keyring: &Keyring) -> Result<RootKeyCheck, Error> {
    Ok(match get(tx, ROOT_KEY_CHECK).await? {
        None => RootKeyCheck::New,
        Some(stored) if stored == fingerprint(keyring) => RootKeyCheck::Right,
        Some(_) => RootKeyCheck::Wrong,
    })
}

/// Makes this root key the database's own.
pub async fn put_root_key_check(tx: &mut Tx<'_>, keyring: &Keyring) -> Result<(), Error> {
    put(tx, ROOT_KEY_CHECK, &fingerprint(keyring)).await
}

/// A keyed hash of a fixed text: the same for the same key only, and it tells nothing about the key.
fn fingerprint(keyring: &Keyring) -> String {
    hex(&keyring.keyed_hash(ROOT_KEY_CHECK, "citadel"))
}
