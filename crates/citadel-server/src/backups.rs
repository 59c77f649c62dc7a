//! Backups and what comes after them: a copy is taken beside a running server, and one that was restored forgets what may have
//! been used or ended since, before anybody is served (P60).

use std::{fs, io, path::Path, sync::Arc};

use citadel_domain::{AccessKeyId, Clock, DeletionId, Random};
use citadel_store::{
    Db, DbConfig, Keyring,
    audit::{self, Act, Actor, Detail, Entry, Object},
    backup,
    deletions::{self, Deletion, Stamp},
    restore, retention,
    root_keys::{self, Fit},
};
pub use citadel_store::{
    backup::{Contents, Progress},
    restore::{KeyOf, parse_ledger},
};

use crate::{
    config::{Config, DATABASE_URL, Problem},
    opening::{self, OpenError},
    root_key::RootKey,
    trail,
};

/// What an embedded database is called while it is being restored.
const RESTORING: &str = "citadel.db.restoring";

/// Why it did not work.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It cannot be done here, or so. The text says what to do.
    #[error("{0}")]
    Told(String),
    /// A setting or the database stands in the way.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The backup itself.
    #[error(transparent)]
    Backup(#[from] backup::Error),
}

impl From<Problem> for BackupError {
    fn from(problem: Problem) -> Self {
        Self::Open(problem.into())
    }
}

impl From<citadel_store::Error> for BackupError {
    fn from(error: citadel_store::Error) -> Self {
        Self::Open(error.into())
    }
}

/// How a restored database learns what has happened since the backup.
pub enum Since {
    /// From the ledger of deletions.
    Ledger(Vec<Deletion>),
    /// It does not: every token and session ends, and every key that is neither named nor confirmed.
    Unknown { named: Vec<AccessKeyId>, is_confirmed: Box<dyn FnMut(&KeyOf) -> bool + Send> },
}

/// What a restored database has forgotten.
#[derive(Debug, Default)]
pub struct Settled {
    /// Deletions of the ledger that it did not know.
    pub deleted_again: usize,
    /// Tokens, sessions and sign-ins.
    pub ended: u64,
    pub ended_keys: Vec<AccessKeyId>,
    pub kept_keys: Vec<AccessKeyId>,
}

/// Takes a backup of the embedded database, whether a server uses it or not: SQLite lets other processes read beside it.
pub fn create(
    config: &Config,
    target: &Path,
    clock: &dyn Clock,
    random: &Arc<dyn Random>,
    progress: &Progress,
) -> Result<Contents, BackupError> {
    refuse_postgres(config, "take it with pg_dump or pg_basebackup")?;
    let source = config.database_file();
    if !source.exists() {
        return Err(BackupError::Told(format!(
            "there is no database yet: {} does not exist",
            source.display()
        )));
    }
    Ok(backup::create(&source, target, &keyring(config, random)?, clock.now(), progress)?)
}

/// Opens a backup and checks all of it.
pub fn verify(
    config: &Config,
    file: &Path,
    random: &Arc<dyn Random>,
    progress: &Progress,
) -> Result<Contents, BackupError> {
    let folder = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(backup::verify(file, folder, &keyring(config, random)?, progress)?)
}

/// Puts a backup into an empty data directory. The database is not there before it has forgotten what it must.
pub async fn restore(
    config: &Config,
    file: &Path,
    since: Since,
    clock: &dyn Clock,
    random: &Arc<dyn Random>,
    progress: &Progress,
) -> Result<(Contents, Settled), BackupError> {
    refuse_postgres(config, "restore it with its own tools, then run `citadel backup settle`")?;
    let keyring = Arc::new(keyring(config, random)?);
    opening::make_data_dir(config)?;
    refuse_full(config)?;
    let target = config.data_dir.join(RESTORING);
    remove_with_log(&target);
    let restored = restore_to(config, &target, file, since, &keyring, clock, random, progress).await;
    remove_with_log(&target);
    if restored.is_err() {
        // There was none before: what this attempt wrote must not stand in the way of the next.
        let _ = fs::remove_file(config.data_dir.join(citadel_store::LEDGER_FILE));
    }
    restored
}

#[expect(clippy::too_many_arguments, reason = "the inside of `restore`")]
async fn restore_to(
    config: &Config,
    target: &Path,
    file: &Path,
    since: Since,
    keyring: &Arc<Keyring>,
    clock: &dyn Clock,
    random: &Arc<dyn Random>,
    progress: &Progress,
) -> Result<(Contents, Settled), BackupError> {
    let contents = backup::extract(file, target, keyring, progress)?;
    let reach = clock.now().saturating_sub(retention::UNUSED).unwrap_or(jiff::Timestamp::MIN);
    if matches!(since, Since::Ledger(_)) && contents.made_at < reach {
        let text = "the backup is older than 24 months, and no ledger reaches back that far: restore it with --without-ledger";
        return Err(BackupError::Told(text.to_owned()));
    }
    let db = Db::open(&DbConfig::Sqlite { path: target.to_owned() })?;
    let asked = Arc::clone(keyring);
    match db.read(async move |tx| root_keys::fit(tx, &asked).await).await? {
        Fit::New | Fit::Right => {}
        Fit::Wrong => return Err(backup::Error::WrongKey.into()),
        Fit::Missing(ids) => {
            return Err(ids
                .first()
                .map_or(backup::Error::WrongKey, |id| backup::Error::UnknownKey(*id))
                .into());
        }
    }
    let now = clock.now();
    db.migrate(now).await?;
    let kept = Arc::clone(keyring);
    db.write(async move |tx| root_keys::keep(tx, &kept, now).await).await?;
    let settled = settle_in(&db, keyring, Act::BackupRestored, since, clock, &**random).await?;
    db.keep_ledger_file(now).await?;
    backup::move_out(target, &config.database_file(), progress)?;
    Ok((contents, settled))
}

/// The same for a database that came back by other means: a Postgres by its own tools. No server may run on it.
pub async fn settle(
    config: &Config,
    since: Since,
    clock: &dyn Clock,
    random: &Arc<dyn Random>,
) -> Result<Settled, BackupError> {
    let opened = opening::open(config, clock, random).await?;
    settle_in(&opened.db, &opened.keyring, Act::BackupSettled, since, clock, &**random).await
}

async fn settle_in(
    db: &Db,
    keyring: &Arc<Keyring>,
    act: Act,
    since: Since,
    clock: &dyn Clock,
    random: &dyn Random,
) -> Result<Settled, BackupError> {
    let now = clock.now();
    if let Since::Unknown { named, .. } = &since {
        // Before anything ends: whoever has mistyped the one key that goes on would lose it.
        let known = db.read(async |tx| restore::list_keys(tx).await).await?;
        if let Some(id) = named.iter().find(|id| !known.iter().any(|key| key.id == **id)) {
            return Err(BackupError::Told(format!(
                "--keep-key {id} names no active key of this database, and nothing was changed: name one of `citadel key list`, \
                 or leave it out"
            )));
        }
    }
    let mut settled = Settled {
        ended: db.write(async move |tx| restore::end_unspent(tx, now).await).await?,
        ..Settled::default()
    };
    match since {
        Since::Ledger(entries) => {
            for entry in entries {
                let is_new = db.write(async move |tx| deletions::replay(tx, &entry).await).await?;
                settled.deleted_again += usize::from(is_new);
            }
        }
        Since::Unknown { named, mut is_confirmed } => {
            settled.ended += db.write(async move |tx| restore::end_tokens(tx, now).await).await?;
            for key in db.read(async |tx| restore::list_keys(tx).await).await? {
                if named.contains(&key.id) || is_confirmed(&key) {
                    settled.kept_keys.push(key.id);
                    continue;
                }
                settled.ended_keys.push(key.id);
                let stamp = Stamp { id: DeletionId::generate(now, random), at: now };
                db.write(async move |tx| restore::end_key(tx, &key, stamp).await).await?;
            }
        }
    }
    let detail =
        Detail::NONE.count("deleted_again", settled.deleted_again as u64).count("ended", settled.ended);
    let entry = Entry { detail, ..trail::of_server(now, Actor::OPERATOR, act, Object::SERVER) };
    let keyring = Arc::clone(keyring);
    db.write(async move |tx| audit::append(tx, &keyring, &entry).await).await?;
    Ok(settled)
}

/// The ledger of deletions, in the form of its file.
pub async fn ledger(
    config: &Config,
    clock: &dyn Clock,
    random: &Arc<dyn Random>,
) -> Result<String, BackupError> {
    if config.is_embedded() {
        let path = config.data_dir.join(citadel_store::LEDGER_FILE);
        return match fs::read_to_string(&path) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(BackupError::Told(format!("{}: {error}", path.display()))),
        };
    }
    let opened = opening::open(config, clock, random).await?;
    let (mut text, mut after) = (String::new(), None);
    loop {
        let page = opened.db.read(async move |tx| deletions::list_after(tx, after, 1000).await).await?;
        let Some(last) = page.last() else { return Ok(text) };
        after = Some(last.place());
        text.extend(page.iter().map(|entry| format!("{entry}\n")));
    }
}

fn keyring(config: &Config, random: &Arc<dyn Random>) -> Result<Keyring, BackupError> {
    let file = RootKey::read(&config.root_key_file, config.profile)?;
    Ok(Keyring::open_all(file.versions(), Arc::clone(random))?)
}

fn refuse_postgres(config: &Config, instead: &str) -> Result<(), BackupError> {
    if config.is_embedded() {
        return Ok(());
    }
    Err(BackupError::Told(format!(
        "{} names a Postgres, and this verb is for the embedded database: {instead} (docs/operating.md, \"Backup\")",
        DATABASE_URL.env
    )))
}

/// The root key and what a broken-off attempt has left may be there.
fn refuse_full(config: &Config) -> Result<(), BackupError> {
    let io = |error: io::Error| BackupError::Told(format!("{}: {error}", config.data_dir.display()));
    for entry in fs::read_dir(&config.data_dir).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_key = path.canonicalize().ok() == config.root_key_file.canonicalize().ok();
        if !is_key && !name.starts_with("citadel.db.") && name != "citadel.lock" {
            return Err(BackupError::Told(format!(
                "{} is not empty ({name} lies there): restore into a new directory, with the root key file in it or named by \
                 CITADEL_ROOT_KEY_FILE",
                config.data_dir.display()
            )));
        }
    }
    Ok(())
}

fn remove_with_log(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let _ = fs::remove_file(name);
    }
    let _ = fs::remove_file(path.with_extension("lock"));
}
