//! The ends of all chains, copied out every hour: to a file beside the data, and to the log. Whoever cuts the tail of a chain, or
//! puts the whole database back, would have to reach the copies too (P25).

use std::{
    collections::HashMap,
    fs::OpenOptions,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use citadel_domain::{ClientId, tokens::hex};
use citadel_store::{
    Db, Error,
    audit::{self, Head},
};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::app::App;

/// The file's name in the data directory.
pub const FILE: &str = "audit-heads.log";

const EVERY: Duration = Duration::from_secs(3600);

/// Copies the heads out every hour, until told to stop.
pub(crate) async fn until(app: App, path: PathBuf, mut stop: watch::Receiver<bool>) {
    let mut known = HashMap::new();
    while !*stop.borrow() {
        if let Err(cause) = export(&app.db.patient(), &path, app.clock.now(), &mut known).await {
            tracing::warn!(error.cause = %cause, "cannot copy out the heads of the audit trail");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Copies out the heads that have grown since they were last; answers how many.
pub async fn export(
    db: &Db,
    path: &Path,
    now: Timestamp,
    known: &mut HashMap<ClientId, i64>,
) -> Result<usize, Error> {
    let heads = db.read(async |tx| audit::heads(tx).await).await?;
    let is_new = |head: &&Head| known.get(&head.client_id) != Some(&head.number);
    let new: Vec<_> = heads.iter().filter(is_new).copied().collect();
    for Head { client_id, number, hash } in &new {
        tracing::info!(audit.chain = %client_id, audit.number = number, audit.hash = hex(hash), "head of the audit trail");
    }
    let lines: String = new.iter().map(|head| format!("{}\n", head.line(now))).collect();
    append(path, &lines).map_err(|error| Error::Unavailable(error.to_string()))?;
    known.extend(new.iter().map(|head| (head.client_id, head.number)));
    Ok(new.len())
}

/// On Postgres there may be no data directory: then the log alone has the heads.
fn append(path: &Path, lines: &str) -> io::Result<()> {
    if lines.is_empty() || !path.parent().is_some_and(Path::exists) {
        return Ok(());
    }
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.write_all(lines.as_bytes())?;
    file.sync_data()
}

/// The heads of such a file, each once. A last line that a crash cut off is left out; any other that is none is an error.
pub fn parse(text: &str, path: &Path) -> Result<Vec<Head>, String> {
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    let mut heads = HashMap::new();
    for (number, line) in text[..whole].lines().enumerate() {
        let head = Head::parse(line);
        let wrong = || format!("line {} of {} is no head of an audit trail", number + 1, path.display());
        let head = head.ok_or_else(wrong)?;
        heads.insert((head.client_id, head.number, head.hash), head);
    }
    let mut heads: Vec<_> = heads.into_values().collect();
    heads.sort_by_key(|head| (head.client_id, head.number));
    Ok(heads)
}
