//! Versions of the root key as the database knows them: which one seals, which ones may still be needed, and the rewrapping of
//! what lies under an older one (P19). Also the check that a key is the database's own (P18).

use std::collections::BTreeMap;

use citadel_domain::{ClientId, Environment, tokens::hex};
use jiff::Timestamp;

use crate::{Error, Keyring, Place, RootKeyId, Row, Tenant, Tx, settings, value::params};

/// A keyed hash of a fixed text: the same for the same hash key only, and it tells nothing about the key.
const CHECK: &str = "root_key_check";
/// The hash key, sealed, as hex digits.
const HASH_KEY: &str = "hash_key_sealed";

const HASH_KEY_PLACE: Place = Place::new(
    Tenant { client_id: ClientId::from_bytes([0; 16]), environment: Environment::Prod },
    "settings",
    HASH_KEY,
    [0; 16],
);

/// A version of the root key under which something was sealed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    pub id: RootKeyId,
    pub in_use_since: Timestamp,
    /// Since when nothing lies under it any more.
    pub emptied_at: Option<Timestamp>,
}

/// What the database says about a keyring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Nothing was ever sealed here.
    New,
    /// These keys sealed what is here, and the keyring is ready: it hashes and seals as the database has it.
    Right,
    /// Others did.
    Wrong,
    /// The keys are right, and these are missing, under which something may still lie.
    Missing(Vec<RootKeyId>),
}

/// Whether a keyring is the database's own, and makes it ready if it is. Writes nothing.
pub async fn fit(tx: &mut Tx<'_>, keyring: &Keyring) -> Result<Fit, Error> {
    let Some(check) = settings::get(tx, CHECK).await? else { return Ok(Fit::New) };
    let versions = if has_table(tx).await? { list(tx).await? } else { Vec::new() };
    let known = keyring.ids();
    let missing: Vec<_> = versions
        .iter()
        .filter(|version| version.emptied_at.is_none() && !known.contains(&version.id))
        .map(|version| version.id)
        .collect();
    match settings::get(tx, HASH_KEY).await? {
        None => {
            // Before versions: the hash key was made of the one root key that there was.
            let made = keyring.first_hashes(CHECK, "citadel");
            let Some((id, _)) = made.into_iter().find(|(_, hash)| hex(hash) == check) else {
                return Ok(Fit::Wrong);
            };
            keyring.hash_as(id);
            keyring.seal_with(id);
            return Ok(Fit::Right);
        }
        Some(text) => {
            let sealed = unhex(&text)?;
            if RootKeyId::of(&sealed).is_none_or(|id| !known.contains(&id)) {
                let is_any_known = versions.iter().any(|version| known.contains(&version.id));
                return Ok(if is_any_known { Fit::Missing(missing) } else { Fit::Wrong });
            }
            // A key of the right name that does not open it is another key all the same.
            if keyring.unseal_hash_key(&HASH_KEY_PLACE, &sealed).is_err() || fingerprint(keyring) != check {
                return Ok(Fit::Wrong);
            }
        }
    }
    if !missing.is_empty() {
        return Ok(Fit::Missing(missing));
    }
    if let Some(current) = current(&versions) {
        keyring.seal_with(current.id);
    }
    Ok(Fit::Right)
}

/// Writes down a keyring that fits: that it is the database's own, which version seals, and the hash key.
pub async fn keep(tx: &mut Tx<'_>, keyring: &Keyring, now: Timestamp) -> Result<(), Error> {
    if settings::get(tx, CHECK).await?.is_none() {
        settings::put(tx, CHECK, &fingerprint(keyring)).await?;
    }
    if settings::get(tx, HASH_KEY).await?.is_none() {
        seal_with(tx, keyring, keyring.current(), now).await?;
    }
    Ok(())
}

/// Makes a version of the keyring the one that seals here. Tell the keyring after the commit.
pub async fn seal_with(
    tx: &mut Tx<'_>,
    keyring: &Keyring,
    id: RootKeyId,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "insert into root_keys (id, in_use_since, emptied_at) values ($1, $2, null)
         on conflict (id) do update set in_use_since = excluded.in_use_since, emptied_at = null",
        params![id.to_string(), now],
    )
    .await?;
    settings::put(tx, HASH_KEY, &hex(&keyring.seal_hash_key(&HASH_KEY_PLACE, id)?)).await
}

/// Every version that ever sealed here, the one that seals last.
pub async fn list(tx: &mut Tx<'_>) -> Result<Vec<Version>, Error> {
    tx.fetch_all(
        "select id, in_use_since, emptied_at from root_keys order by in_use_since, id",
        &[],
        |row: &Row<'_>| {
            let id = row.get::<String>(0)?.parse().map_err(|_| Error::Corrupt { what: "a root key's id" })?;
            Ok(Version { id, in_use_since: row.get(1)?, emptied_at: row.get(2)? })
        },
    )
    .await
}

/// The version that seals, of a list.
pub fn current(versions: &[Version]) -> Option<&Version> {
    versions.last()
}

/// Says that nothing lies under a version any more, unless it came into use again.
pub async fn set_emptied(tx: &mut Tx<'_>, version: Version, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "update root_keys set emptied_at = $3 where id = $1 and in_use_since = $2",
        params![version.id.to_string(), version.in_use_since, now],
    )
    .await
    .map(drop)
}

/// Forgets a version under which nothing lies. `false` when something may.
pub async fn forget(tx: &mut Tx<'_>, id: RootKeyId) -> Result<bool, Error> {
    let forgotten = tx
        .execute("delete from root_keys where id = $1 and emptied_at is not null", params![id.to_string()])
        .await?;
    Ok(forgotten == 1)
}

async fn has_table(tx: &mut Tx<'_>) -> Result<bool, Error> {
    crate::migrate::has_table(tx, "root_keys").await
}

fn fingerprint(keyring: &Keyring) -> String {
    hex(&keyring.keyed_hash(CHECK, "citadel"))
}

pub(crate) fn unhex(text: &str) -> Result<Vec<u8>, Error> {
    let corrupt = || Error::Corrupt { what: "a sealed setting" };
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return Err(corrupt());
    }
    let pair = |start| u8::from_str_radix(&text[start..start + 2], 16).map_err(|_| corrupt());
    (0..text.len()).step_by(2).map(pair).collect()
}

/// A column whose values are sealed under the root key itself.
pub struct Column {
    table: &'static str,
    column: &'static str,
    /// In the order of keys: client, environment, row, value; after a place.
    page: &'static str,
    swap: &'static str,
    count: &'static str,
}

macro_rules! column {
    ($table:literal, $key:literal, $column:literal) => {
        Column {
            table: $table,
            column: $column,
            page: concat!(
                "select client_id, environment, ",
                $key,
                ", ",
                $column,
                " from ",
                $table,
                " where (client_id, ",
                $key,
                ") > ($1, $2) order by client_id, ",
                $key,
                " limit $3"
            ),
            swap: concat!(
                "update ",
                $table,
                " set ",
                $column,
                " = $4 where client_id = $1 and ",
                $key,
                " = $2 and ",
                $column,
                " = $3"
            ),
            count: concat!(
                "select substr(",
                $column,
                ", 2, 4), cast(count(*) as bigint) from ",
                $table,
                " where length(",
                $column,
                ") > 0 group by substr(",
                $column,
                ", 2, 4)"
            ),
        }
    };
}

/// Every such column. What is sealed under a data key stays as it is: the data key's wrapping changes.
pub const COLUMNS: &[Column] = &[
    column!("links", "id", "data_key_wrapped"),
    column!("users", "id", "data_key_wrapped"),
    column!("logins", "task_id", "key_wrapped"),
    column!("access_keys", "id", "secret_sealed"),
    column!("webhooks", "id", "secret_sealed"),
    column!("webhooks", "id", "previous_secret_sealed"),
    column!("bridge_tokens", "id", "account_sealed"),
    column!("orders", "id", "page_token_sealed"),
    column!("order_employers", "id", "bridge_token_sealed"),
    column!("provider_books", "id", "entry_sealed"),
    column!("scenarios", "id", "body_sealed"),
    column!("idempotency_keys", "id", "answer_sealed"),
];

/// A row of such a column. Rows go in the order of their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    client_id: ClientId,
    row: citadel_domain::ObjectId,
}

/// Before the first row.
pub const BEGINNING: At =
    At { client_id: ClientId::from_bytes([0; 16]), row: citadel_domain::ObjectId::from_bytes([0; 16]) };

/// A value of such a column.
pub struct Sealed {
    pub at: At,
    environment: Environment,
    value: Option<Vec<u8>>,
}

impl Column {
    /// The next values after a place.
    pub async fn page(&self, tx: &mut Tx<'_>, after: At, limit: i64) -> Result<Vec<Sealed>, Error> {
        tx.fetch_all(self.page, params![after.client_id, after.row, limit], |row: &Row<'_>| {
            let at = At { client_id: row.get(0)?, row: row.get(2)? };
            Ok(Sealed { at, environment: row.get(1)?, value: row.get(3)? })
        })
        .await
    }

    /// Seals a value anew if an older version sealed it; unless it has changed meanwhile, in which case what changed it used the
    /// version that seals. Answers whether there was anything to do.
    pub async fn rewrap(&self, tx: &mut Tx<'_>, keyring: &Keyring, sealed: &Sealed) -> Result<bool, Error> {
        let Some(value) = sealed.value.as_ref().filter(|_| sealed.is_older(keyring)) else {
            return Ok(false);
        };
        let tenant = Tenant { client_id: sealed.at.client_id, environment: sealed.environment };
        let place = Place::new(tenant, self.table, self.column, *sealed.at.row.as_bytes());
        let plain = keyring.unseal(&place, value)?;
        let anew = keyring.seal(&place, &plain)?;
        tx.execute(self.swap, params![sealed.at.client_id, sealed.at.row, value, anew]).await?;
        Ok(true)
    }

    /// Where it is.
    pub const fn name(&self) -> (&'static str, &'static str) {
        (self.table, self.column)
    }
}

impl Sealed {
    /// Whether another version than the one that seals now has sealed it.
    pub fn is_older(&self, keyring: &Keyring) -> bool {
        let id = self.value.as_deref().and_then(RootKeyId::of);
        id.is_some_and(|id| id != keyring.current())
    }
}

/// How many values lie under each version.
pub async fn count(tx: &mut Tx<'_>) -> Result<BTreeMap<RootKeyId, i64>, Error> {
    let mut counts = BTreeMap::new();
    for column in COLUMNS {
        let found = tx
            .fetch_all(column.count, &[], |row: &Row<'_>| Ok((row.get::<Vec<u8>>(0)?, row.get::<i64>(1)?)))
            .await?;
        for (id, count) in found {
            let id = <[u8; 4]>::try_from(id).map_err(|_| Error::Corrupt { what: "a sealed value" })?;
            *counts.entry(RootKeyId::from(id)).or_default() += count;
        }
    }
    Ok(counts)
}
