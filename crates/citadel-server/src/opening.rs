//! Opening the store, for the server and for the verbs that work without one: data directory, root key, database,
//! root-key check, migrations. In that order, so that a start that will be refused writes nothing to the database.

use std::{
    fs::{self, DirBuilder},
    mem,
    os::unix::{ffi::OsStrExt, fs::DirBuilderExt},
    sync::Arc,
};

use citadel_domain::{Clock, Random, Secret};
use citadel_store::{
    Db, DbConfig, Keyring,
    audit::{self, Act, Actor, Detail, Entry, Object},
    backup,
    root_keys::{self, Fit},
};
use jiff::Timestamp;

use crate::{
    config::{Config, DATA_DIR, DATABASE_URL, Problem, ROOT_KEY_FILE},
    root_key::RootKey,
    trail,
};

/// Connections to Postgres per node: 2 to 4 per core of the database, shared out among a few nodes.
const POOL_SIZE: usize = 16;

/// Makes the table in which the root-key check lies.
const FIRST_MIGRATION: &str = "0001_init";

/// Why the store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A setting does not fit what was found.
    #[error("{0}")]
    Setting(Problem),
    /// Another process has this data directory. A running server takes administrative requests through its socket.
    #[error("{0}")]
    InUse(Problem),
    /// No copy could be taken of what is about to be changed.
    #[error("the backup before the upgrade failed, and nothing was changed: {0}")]
    Backup(#[from] backup::Error),
    /// The database failed.
    #[error("the database failed")]
    Store(#[from] citadel_store::Error),
}

impl From<Problem> for OpenError {
    fn from(problem: Problem) -> Self {
        Self::Setting(problem)
    }
}

/// An open store, at this release's schema.
pub struct Opened {
    /// The store.
    pub db: Db,
    /// Seals and keyed hashes under the root key.
    pub keyring: Arc<Keyring>,
    /// Migrations that were applied just now.
    pub applied: Vec<&'static str>,
}

/// What [`inspect`] found.
pub struct State {
    /// Migrations that the next start would apply.
    pub pending: Vec<&'static str>,
}

/// Opens the store that the configuration names; makes what a first start makes.
pub async fn open(config: &Config, clock: &dyn Clock, random: &Arc<dyn Random>) -> Result<Opened, OpenError> {
    let mut root_key = RootKey::read_or_generate(config, &**random)?;
    make_data_dir(config)?;
    let db = open_database(config)?;
    if root_key.is_new() {
        // Another process may have made the key, and ended, while this one waited for the database.
        root_key = RootKey::read_or_generate(config, &**random)?;
    }
    let keyring = open_keyring(config, &root_key, random)?;
    let pending = check(config, &db, &keyring, &root_key).await?;

    // From here on things are written: the key before anything that is sealed with it.
    root_key.persist()?;
    let now = clock.now();
    let mut applied = Vec::new();
    if !pending.is_empty() {
        if config.is_embedded() && !pending.contains(&FIRST_MIGRATION) {
            back_up_before(config, pending[0], &keyring, now)?;
        }
        applied = db.migrate(now).await.map_err(|error| failed(config, error))?;
    }
    // Every time, because a start may have been killed between the migration and this line.
    let to_keep = Arc::clone(&keyring);
    let migrated = applied.clone();
    db.write(async move |tx| {
        root_keys::keep(tx, &to_keep, now).await?;
        if !migrated.is_empty() {
            let detail = Detail::NONE.words("migrations", migrated.iter().copied());
            let entry = trail::of_server(now, Actor::SERVER, Act::SchemaMigrated, Object::SERVER);
            audit::append(tx, &to_keep, &Entry { detail, ..entry }).await?;
        }
        Ok(())
    })
    .await
    .map_err(|error| failed(config, error))?;
    let replayed = db.keep_ledger_file(now).await.map_err(|error| failed(config, error))?;
    if replayed > 0 {
        tracing::warn!(
            count = replayed,
            "this database is older than its ledger: deleted again what was deleted since"
        );
    }
    Ok(Opened { db, keyring, applied })
}

/// Copies of the database before an upgrade that are kept.
const KEPT_BACKUPS: usize = 2;

/// A sealed backup of what an upgrade is about to change, in the data directory (P61).
fn back_up_before(
    config: &Config,
    migration: &str,
    keyring: &Keyring,
    now: Timestamp,
) -> Result<(), backup::Error> {
    let target = config.data_dir.join(format!("before-{migration}.backup"));
    // An upgrade that was killed changed nothing: the copy is taken anew, of what has come since.
    let _ = fs::remove_file(&target);
    let progress: backup::Progress = Arc::new(|_, _| ());
    backup::create(&config.database_file(), &target, keyring, now, &progress)?;
    tracing::info!(file = %target.display(), "took a backup before the upgrade");
    let mut kept: Vec<_> = fs::read_dir(&config.data_dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with("before-") && name.ends_with(".backup")
        })
        .collect();
    // Their names sort as the migrations do.
    kept.sort();
    for old in kept.iter().rev().skip(KEPT_BACKUPS) {
        let _ = fs::remove_file(old);
    }
    Ok(())
}

/// Looks, and changes nothing but the row that shows whether writing works. `None`: there is no database yet.
pub async fn inspect(
    config: &Config,
    clock: &dyn Clock,
    random: &Arc<dyn Random>,
) -> Result<Option<State>, OpenError> {
    let root_key = RootKey::read_or_generate(config, &**random)?;
    if config.is_embedded() && !config.database_file().exists() {
        return Ok(None);
    }
    let db = open_database(config)?;
    let keyring = open_keyring(config, &root_key, random)?;
    let pending = check(config, &db, &keyring, &root_key).await?;
    if pending.is_empty() {
        db.ping_write(clock.now()).await.map_err(|error| failed(config, error))?;
    }
    Ok(Some(State { pending }))
}

fn open_keyring(
    config: &Config,
    root_key: &RootKey,
    random: &Arc<dyn Random>,
) -> Result<Arc<Keyring>, OpenError> {
    let keyring = Keyring::open_all(root_key.versions(), Arc::clone(random));
    keyring.map(Arc::new).map_err(|error| failed(config, error))
}

/// [`look`], after which a refused start leaves without closing the database: closing folds SQLite's log into the file,
/// and a start with a wrong key changes no byte (P18). The process ends soon after.
async fn check(
    config: &Config,
    db: &Db,
    keyring: &Arc<Keyring>,
    root_key: &RootKey,
) -> Result<Vec<&'static str>, OpenError> {
    let found = look(config, db, keyring, root_key).await;
    if found.is_err() {
        mem::forget(db.clone());
    }
    found
}

/// Refuses a root key that is not the database's own. Answers the pending migrations. Writes nothing.
async fn look(
    config: &Config,
    db: &Db,
    keyring: &Arc<Keyring>,
    root_key: &RootKey,
) -> Result<Vec<&'static str>, OpenError> {
    let pending = db.pending_migrations().await.map_err(|error| failed(config, error))?;
    if pending.contains(&FIRST_MIGRATION) {
        return Ok(pending);
    }
    let keyring = Arc::clone(keyring);
    let found = db.read(async move |tx| root_keys::fit(tx, &keyring).await).await;
    match found.map_err(|error| failed(config, error))? {
        Fit::New | Fit::Right => Ok(pending),
        // A new key would only hide that the old one is lost.
        Fit::Wrong if root_key.is_new() => Err(missing_key(config).into()),
        Fit::Wrong => {
            let what = "is not the key that sealed this database";
            let fix =
                "restore the right key file from its copy, or name the database that belongs to this key";
            Err(root_key_problem(config, what, fix).into())
        }
        Fit::Missing(ids) => {
            let ids = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let what = format!("lacks version {ids} of the root key, and something is still sealed under it");
            let fix = "put that version's line back (from a copy of the file); `citadel root-key remove` takes it out \
                       once nothing needs it";
            Err(root_key_problem(config, &what, fix).into())
        }
    }
}

fn missing_key(config: &Config) -> Problem {
    let what = "does not exist, but the database was sealed with a root key";
    let begin_anew =
        if config.is_embedded() { "move the data directory away" } else { "name an empty database" };
    let fix = &format!(
        "restore the key file from its copy; without it this database cannot be read (to begin anew, {begin_anew})"
    );
    root_key_problem(config, what, fix)
}

fn root_key_problem(config: &Config, what: &str, fix: &str) -> Problem {
    Problem::of(&ROOT_KEY_FILE, Some(&config.root_key_file.display().to_string()), what, fix)
}

pub(crate) fn make_data_dir(config: &Config) -> Result<(), Problem> {
    // On Postgres the directory is needed only if the root key is to lie in it.
    if !config.is_embedded() && !config.root_key_file.starts_with(&config.data_dir) {
        return Ok(());
    }
    let directory = &config.data_dir;
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|error| {
        let what = format!("cannot be made or used as a directory ({error})");
        data_dir_problem(config, what)
    })
}

fn data_dir_problem(config: &Config, what: String) -> Problem {
    let fix = "set a directory that this user can make and write";
    Problem::of(&DATA_DIR, Some(&config.data_dir.display().to_string()), what, fix)
}

fn open_database(config: &Config) -> Result<Db, OpenError> {
    let db_config = match &config.database_url {
        None => DbConfig::Sqlite { path: config.database_file() },
        Some(url) => DbConfig::Postgres { url: with_authorities(config, url), pool_size: POOL_SIZE },
    };
    Db::open(&db_config).map_err(|error| failed(config, error))
}

/// The address with the file of its authorities, as the store reads it.
fn with_authorities(config: &Config, url: &Secret) -> Secret {
    let Some(path) = &config.database_ca else { return url.clone() };
    let path: String = form_urlencoded::byte_serialize(path.as_os_str().as_bytes()).collect();
    // A blank is `+` in forms only.
    Secret::new(format!("{}&sslrootcert={}", url.expose(), path.replace('+', "%20")))
}

/// A failure of the store, with the setting that has to do with it.
fn failed(config: &Config, error: citadel_store::Error) -> OpenError {
    use citadel_store::Error as Store;
    match (error, &config.database_url) {
        (Store::InUse, _) => {
            let data_dir = config.data_dir.display().to_string();
            let what = "another citadel process uses this data directory, and the embedded database serves one at a time";
            let fix = "stop the other one, or give this one a directory of its own, or use a Postgres to run several";
            OpenError::InUse(Problem::of(&DATA_DIR, Some(&data_dir), what, fix))
        }
        (Store::Unavailable(what), None) => {
            data_dir_problem(config, format!("cannot hold the database ({what})")).into()
        }
        (error @ (Store::Unavailable(_) | Store::Database(_)), Some(url)) => {
            let masked = crate::config::mask_url(url.expose());
            let what = format!("cannot be used ({})", chain(&error));
            let fix = "check that Postgres runs, that the address is right, and that it takes this user and password";
            Problem::of(&DATABASE_URL, Some(&masked), what, fix).into()
        }
        (error, _) => OpenError::Store(error),
    }
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
