//! What SQLite would do with a statement: for tests.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::{Db, DbConfig, Value};

/// An empty database, whose planner knows the indexes and nothing else, as in production.
pub(crate) struct Plans {
    db: Db,
    path: PathBuf,
}

impl Plans {
    pub(crate) async fn open(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("citadel-plans-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        let db = Db::open(&DbConfig::Sqlite { path: path.join("citadel.db") }).unwrap();
        db.migrate(Timestamp::UNIX_EPOCH).await.unwrap();
        Self { db, path }
    }

    /// The steps of a statement with so many parameters.
    pub(crate) async fn of(&self, sql: &str, params: usize) -> Vec<String> {
        let sql: &'static str = format!("explain query plan {sql}").leak();
        let params = vec![Value::from(""); params];
        let steps = self.db.read(async move |tx| tx.fetch_all(sql, &params, |row| row.get(3)).await);
        steps.await.unwrap()
    }
}

impl Drop for Plans {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
