//! Seals anew, in the background, what lies under an older version of the root key (P19).

use std::{sync::Arc, time::Duration};

use citadel_store::{
    Db, Error, Keyring,
    root_keys::{self, BEGINNING, COLUMNS, Version},
};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::app::App;
use crate::trail;
use citadel_store::audit::{self, Act, Actor, Detail, Entry};

/// How often a node looks which version is in use.
const EVERY: Duration = Duration::from_secs(5);
/// Values that are read, and sealed anew in one transaction.
const AT_ONCE: i64 = 100;
/// How long after a change of versions somebody may still commit what was sealed before it: a slow request, or a node that has
/// not looked yet.
const SETTLED: SignedDuration = SignedDuration::from_secs(60);

/// Looks now and then, until told to stop.
pub(super) async fn until(app: App, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(cause) = look(&app.db.patient(), &app.keyring, app.clock.now()).await {
            tracing::warn!(error.cause = %cause, "cannot seal anew what lies under an older version of the root key");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Seals with the version that is in use, and empties the others. Answers how many values were sealed anew.
pub async fn look(db: &Db, keyring: &Arc<Keyring>, now: Timestamp) -> Result<u64, Error> {
    let versions = db.read(async |tx| root_keys::list(tx).await).await?;
    let Some(current) = root_keys::current(&versions).copied() else { return Ok(0) };
    if current.id != keyring.current() && !keyring.seal_with(current.id) {
        tracing::error!(root_key.id = %current.id, "another node seals with a version that this node's key file lacks: \
             copy the key file here and start again");
        return Ok(0);
    }
    let is_filled = |version: &Version| version.id != current.id && version.emptied_at.is_none();
    let filled: Vec<Version> = versions.into_iter().filter(is_filled).collect();
    if filled.is_empty() {
        return Ok(0);
    }
    let began = now;
    let (mut rewrapped, mut left) = (0, 0);
    for column in 0..COLUMNS.len() {
        let (done, failed) = empty(db, keyring, column).await?;
        rewrapped += done;
        left += failed;
    }
    if rewrapped > 0 {
        tracing::info!(count = rewrapped, root_key.id = %current.id, "sealed anew under the version in use");
    }
    if left == 0 && began.duration_since(current.in_use_since) >= SETTLED {
        for version in filled {
            let keyring = Arc::clone(keyring);
            db.write(async move |tx| {
                root_keys::set_emptied(tx, version, now).await?;
                let detail = Detail::NONE.word("version", &version.id.to_string());
                let entry = trail::of_server(now, Actor::SERVER, Act::RootKeyEmptied, trail::ROOT_KEY);
                audit::append(tx, &keyring, &Entry { detail, ..entry }).await.map(drop)
            })
            .await?;
        }
    }
    Ok(rewrapped)
}

/// Goes through a column once. Answers how many values were sealed anew, and how many could not be.
///
/// The column goes by its number: a reference in a transaction's closure is one lifetime too many for the compiler to see that
/// this can run on any thread.
async fn empty(db: &Db, keyring: &Arc<Keyring>, column: usize) -> Result<(u64, u64), Error> {
    let (mut done, mut failed) = (0, 0);
    let mut after = BEGINNING;
    loop {
        let page = db.read(async move |tx| COLUMNS[column].page(tx, after, AT_ONCE).await).await?;
        let Some(last) = page.last() else { return Ok((done, failed)) };
        after = last.at;
        let older: Vec<_> = page.into_iter().filter(|sealed| sealed.is_older(keyring)).collect();
        if older.is_empty() {
            continue;
        }
        let keyring = Arc::clone(keyring);
        let (sealed, broken) = db
            .write(async move |tx| {
                let (mut sealed, mut broken) = (0, 0);
                for value in &older {
                    match COLUMNS[column].rewrap(tx, &keyring, value).await {
                        Ok(is_done) => sealed += u64::from(is_done),
                        Err(Error::Corrupt { .. }) => broken += 1,
                        Err(cause) => return Err(cause),
                    }
                }
                Ok((sealed, broken))
            })
            .await?;
        if broken > 0 {
            let (table, column) = COLUMNS[column].name();
            tracing::error!(
                table,
                column,
                count = broken,
                "values that do not open stay under their version of the root key"
            );
        }
        done += sealed;
        failed += broken;
    }
}
