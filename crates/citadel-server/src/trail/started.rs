//! A start, and which settings differ from those of the start before it: their names, never their values.

use std::{collections::BTreeMap, sync::Arc};

use citadel_domain::tokens::hex;
use citadel_store::{
    Db, Error, Keyring,
    audit::{self, Act, Actor, Detail, Entry, Object},
    settings,
};
use jiff::Timestamp;

use crate::{config::Config, purposes};

/// Where the keyed hashes of the settings are kept.
const KEPT: &str = "audited_settings";

/// Writes an entry about this start, and one about what has changed in the configuration.
pub(crate) async fn note(
    config: &Config,
    db: &Db,
    keyring: &Arc<Keyring>,
    now: Timestamp,
) -> Result<(), Error> {
    let lines = config.lines();
    let hash = |(name, value): (&'static str, String)| {
        (name, hex(&keyring.keyed_hash(purposes::SETTING, &value)[..16]))
    };
    let hashes: BTreeMap<_, _> = lines.into_iter().map(hash).collect();
    let keyring = Arc::clone(keyring);
    db.write(async move |tx| {
        let version = Detail::NONE.word("version", env!("CARGO_PKG_VERSION"));
        let mut entries = vec![entry(now, Act::ServerStarted, version)];
        if let Some(before) = settings::get(tx, KEPT).await? {
            let before: BTreeMap<_, _> = before.lines().filter_map(|line| line.split_once('=')).collect();
            let is_changed =
                |(name, hash): &(&&'static str, &String)| before.get(**name).copied() != Some(hash.as_str());
            let changed: Vec<_> = hashes.iter().filter(is_changed).map(|(name, _)| *name).collect();
            if !changed.is_empty() {
                let detail = Detail::NONE.words("settings", changed);
                entries.push(entry(now, Act::ConfigurationChanged, detail));
            }
        }
        let kept: String = hashes.iter().map(|(name, hash)| format!("{name}={hash}\n")).collect();
        settings::put(tx, KEPT, &kept).await?;
        audit::append_all(tx, &keyring, audit::SERVER, &entries).await.map(drop)
    })
    .await
}

fn entry(at: Timestamp, act: Act, detail: Detail) -> Entry {
    Entry { detail, ..super::of_server(at, Actor::SERVER, act, Object::SERVER) }
}
