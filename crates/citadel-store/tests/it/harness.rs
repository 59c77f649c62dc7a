//! A fresh, migrated database of each kind.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use citadel_domain::{Secret, SeededRandom};
use citadel_store::{Db, DbConfig};
use jiff::Timestamp;
use tokio_postgres::NoTls;

/// Connections of a test. Some tests want to see callers wait for one.
const POOL_SIZE: usize = 16;

/// A database with what is needed to fill it.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) db: Db,
    pub(crate) random: Arc<SeededRandom>,
    /// When the test happens.
    pub(crate) now: Timestamp,
}

impl Store {
    pub(crate) async fn open(config: &DbConfig) -> Self {
        let db = Db::open(config).unwrap();
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        db.migrate(now).await.unwrap();
        Self { db, random: Arc::new(SeededRandom::new(7)), now }
    }
}

/// Runs a test on SQLite, then on Postgres. `name` must be the test's own.
pub(crate) async fn for_each_db(name: &str, test: impl AsyncFn(Store)) {
    on_sqlite(name, &test).await;
    on_postgres(name, &test).await;
}

pub(crate) async fn on_sqlite(name: &str, test: &impl AsyncFn(Store)) {
    let dir = TempDir::new(name);
    test(Store::open(&DbConfig::Sqlite { path: dir.database() }).await).await;
}

/// Runs a test on an empty database of each kind.
pub(crate) async fn for_each_new_db(name: &str, test: &impl AsyncFn(Db)) {
    let dir = TempDir::new(name);
    test(Db::open(&DbConfig::Sqlite { path: dir.database() }).unwrap()).await;
    on_new_postgres(name, &async |config: DbConfig| test(Db::open(&config).unwrap()).await).await;
}

pub(crate) async fn on_postgres(name: &str, test: &impl AsyncFn(Store)) {
    on_new_postgres(name, &async |config: DbConfig| test(Store::open(&config).await).await).await;
}

async fn on_new_postgres(name: &str, test: &impl AsyncFn(DbConfig)) {
    let Some(server) = postgres_url() else { return };
    let database = format!("citadel_{name}_{}", std::process::id());
    let (admin, connection) = tokio_postgres::connect(&server, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    admin.batch_execute(&format!("create database {database}")).await.unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    let config = DbConfig::Postgres { url: Secret::new(format!("{base}/{database}")), pool_size: POOL_SIZE };
    test(config).await;
    // A test that fails leaves its database behind, for whoever looks into it.
    admin.batch_execute(&format!("drop database {database} with (force)")).await.unwrap();
    drop(admin);
    connection.await.unwrap().unwrap();
}

/// The server to test on; `None` where tests on Postgres are skipped.
#[expect(clippy::disallowed_methods, reason = "the tests' own settings")]
pub(crate) fn postgres_url() -> Option<String> {
    let url = std::env::var("CITADEL_TEST_DATABASE_URL").ok().filter(|url| !url.is_empty());
    let required = std::env::var("CITADEL_TEST_REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
    assert!(
        url.is_some() || !required,
        "CITADEL_TEST_DATABASE_URL is not set, and the tests on Postgres are required"
    );
    url
}

/// A folder that goes with the test.
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("citadel-store-{name}-{}", std::process::id()));
        // Left by a process of the same number that was killed.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path().join("citadel.db")
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
