//! How a transaction is run: as a closure, on either database, from one SQL text.

use std::{
    collections::HashSet, path::PathBuf, pin::pin, task::Context, task::Poll, task::Waker, time::Duration,
};

use citadel_domain::{ClientId, Secret};
use jiff::Timestamp;

use tokio::time::Instant;

use crate::{
    Error, Row, Value,
    deletions::{self, Deletion},
    postgres,
    postgres::{Postgres, Run},
    retention, sqlite,
    sqlite::Sqlite,
};

/// Where the data is.
#[derive(Clone, Debug)]
pub enum DbConfig {
    /// One file, held by one process.
    Sqlite {
        /// The file; made when missing.
        path: PathBuf,
    },
    /// A Postgres server, shared by many nodes.
    Postgres {
        /// `postgres://…`, which may hold a password.
        url: Secret,
        /// Connections in the pool.
        pool_size: usize,
    },
}

/// The database. Cheap to clone.
///
/// As it was opened, it sees every client's rows: that is for the system's own work, such as the queue, sweeps,
/// administration, figures, and look-ups by a token that is itself the proof. Whoever knows the client takes
/// [`Db::scoped`].
#[derive(Clone)]
pub struct Db {
    backend: Backend,
    /// How transactions are run on Postgres.
    how: Run,
}

#[derive(Clone)]
enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// What the write-ahead log has cost since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogFigures {
    /// Commits that reached the disk, each with one sync.
    pub syncs: u64,
    /// Bytes written to the log.
    pub bytes: u64,
}

/// Which database a transaction runs on, for the few statements that must differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// Postgres.
    Postgres,
}

/// The connections of this process to Postgres.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolFigures {
    /// As many as there may be.
    pub most: usize,
    /// As there are.
    pub open: usize,
    /// Those of them that nobody uses.
    pub idle: usize,
    /// Transactions that wait for one.
    pub waiting: usize,
}

/// An open transaction. There is no other way to the tables.
pub enum Tx<'a> {
    /// On the writer's or a reader's own connection.
    Sqlite(&'a mut rusqlite::Connection),
    /// On a pooled connection.
    Postgres(postgres::PgTx<'a>),
}

impl Db {
    /// Opens the database. Creates the SQLite file; never touches a schema.
    pub fn open(config: &DbConfig) -> Result<Self, Error> {
        let backend = match config {
            DbConfig::Sqlite { path } => Backend::Sqlite(Sqlite::open(path)?),
            DbConfig::Postgres { url, pool_size } => {
                Backend::Postgres(Postgres::open(url.expose(), *pool_size)?)
            }
        };
        Ok(Self { backend, how: Run { scope: None, is_long: false } })
    }

    /// The same database as one client may see it. On Postgres the rows of others are not there, even for a statement
    /// that forgets to name the client (P5); SQLite has only the statements.
    pub fn scoped(&self, client: ClientId) -> Self {
        Self { backend: self.backend.clone(), how: Run { scope: Some(client), ..self.how } }
    }

    /// The same database for work that nobody waits for: a transaction may take minutes on Postgres, where eight seconds are
    /// the end of others (P40).
    pub fn patient(&self) -> Self {
        Self { backend: self.backend.clone(), how: Run { is_long: true, ..self.how } }
    }

    /// What Postgres says of the time, and when it held. `None` on SQLite, which has no time of its own.
    pub async fn now(&self) -> Result<Option<(Timestamp, Instant)>, Error> {
        let Backend::Postgres(_) = &self.backend else { return Ok(None) };
        self.read(async |tx| {
            let sql = "select cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)";
            let asked = Instant::now();
            let now = tx.fetch_one(sql, &[], |row| row.get::<Timestamp>(0)).await?;
            Ok(Some((now, asked + asked.elapsed() / 2)))
        })
        .await
    }

    /// Whether the database is SQLite's, which serves one process.
    pub const fn is_embedded(&self) -> bool {
        matches!(self.backend, Backend::Sqlite(_))
    }

    /// Whether Postgres keeps clients apart for the role that is used here: superusers pass row-level security.
    /// Always so on SQLite, where there is none to pass.
    pub async fn is_role_fenced(&self) -> Result<bool, Error> {
        match &self.backend {
            Backend::Sqlite(_) => Ok(true),
            Backend::Postgres(_) => {
                self.read(async |tx| {
                    let sql =
                        "select not (rolsuper or rolbypassrls) from pg_roles where rolname = current_user";
                    tx.fetch_one(sql, &[], |row| row.get(0)).await
                })
                .await
            }
        }
    }

    /// Makes the database file of SQLite the whole truth again, for whoever copies it while the server stands. Nothing to
    /// do on Postgres.
    pub async fn checkpoint(&self) -> Result<(), Error> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.checkpoint(sqlite::PATIENCE).await,
            Backend::Postgres(_) => Ok(()),
        }
    }

    /// Empties the log of SQLite, in which older pages lie: what was deleted, sealed logins for example. Holds nobody up: where
    /// somebody reads in it, it is left for the next time.
    pub async fn empty_log(&self) -> Result<(), Error> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.checkpoint(Duration::ZERO).await,
            Backend::Postgres(_) => Ok(()),
        }
    }

    /// Brings the database up to the ledger of deletions that lies beside it in a file, and the file up to the database.
    /// The file is ahead where an older database was put in the newer one's place: what was deleted since is deleted again,
    /// and nobody may be served before that (P22). Answers how many deletions that were. Nothing to do on Postgres, where no
    /// file lies beside the database.
    pub async fn keep_ledger_file(&self, now: Timestamp) -> Result<usize, Error> {
        let Backend::Sqlite(sqlite) = &self.backend else { return Ok(0) };
        let mut in_file = sqlite.ledger().read()?;
        // As the table forgets: in a sandbox an id may come again by then.
        let oldest = now.saturating_sub(retention::UNUSED).unwrap_or(Timestamp::MIN);
        in_file.retain(|entry| entry.stamp.at >= oldest);
        sqlite.ledger().replay(true);
        let replayed = self.replay(&in_file).await;
        sqlite.ledger().replay(false);
        let replayed = replayed?;
        let in_file: HashSet<_> = in_file.iter().map(Deletion::place).collect();
        let mut after = None;
        loop {
            let page = self.read(async move |tx| deletions::list_after(tx, after, 1000).await).await?;
            let Some(last) = page.last() else { return Ok(replayed) };
            after = Some(last.place());
            let missing: Vec<_> =
                page.into_iter().filter(|entry| !in_file.contains(&entry.place())).collect();
            sqlite.ledger().append(&missing)?;
        }
    }

    async fn replay(&self, entries: &[Deletion]) -> Result<usize, Error> {
        let mut replayed = 0;
        for entry in entries {
            let entry = *entry;
            replayed += usize::from(self.write(async move |tx| deletions::replay(tx, &entry).await).await?);
        }
        Ok(replayed)
    }

    /// Whether other nodes may use the database too.
    pub const fn is_shared(&self) -> bool {
        matches!(self.backend, Backend::Postgres(_))
    }

    /// Ends when the disk did not keep what it was told to keep (P35). From then on nothing is written, and reads show what may
    /// be lost: the process has to end, and a new one reads what the disk really holds. Never on Postgres, which ends itself.
    pub async fn sync_failed(&self) {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.sync_failed().await,
            Backend::Postgres(_) => std::future::pending().await,
        }
    }

    /// Grows when an access key was made or changed, before that is answered: what was read under a number holds as long as
    /// the number stands. `None` on Postgres, where another node may change a key.
    pub fn key_generation(&self) -> Option<u64> {
        match &self.backend {
            Backend::Sqlite(sqlite) => Some(sqlite.key_generation()),
            Backend::Postgres(_) => None,
        }
    }

    /// What the log of SQLite has cost since the start. `None` on Postgres, which tells by itself.
    pub fn log_figures(&self) -> Option<LogFigures> {
        match &self.backend {
            Backend::Sqlite(sqlite) => Some(sqlite.log_figures()),
            Backend::Postgres(_) => None,
        }
    }

    /// The connections to Postgres. `None` on SQLite, which has as many as are asked for.
    pub fn pool_figures(&self) -> Option<PoolFigures> {
        match &self.backend {
            Backend::Sqlite(_) => None,
            Backend::Postgres(postgres) => Some(postgres.pool_figures()),
        }
    }

    /// Runs a closure in one transaction and commits it, or rolls back when it fails. Where the client is known, call
    /// it on [`Db::scoped`].
    ///
    /// Inside, nothing but the database may be awaited. The closure may run again on Postgres, after a serialisation failure
    /// or a cut line, so it borrows or clones what it captured. On SQLite the answer comes after the commit has reached
    /// the disk; waiting transactions share one commit.
    pub async fn write<F, T, E>(&self, work: F) -> Result<T, E>
    where
        F: for<'a, 'b> AsyncFn(&'a mut Tx<'b>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.write(move |connection| run_on_sqlite(&work, connection)).await,
            Backend::Postgres(postgres) => postgres.write(self.how, &work).await,
        }
    }

    /// Runs a closure on one consistent snapshot. Writing in it is an error. Where the client is known, call it on
    /// [`Db::scoped`].
    pub async fn read<F, T, E>(&self, work: F) -> Result<T, E>
    where
        F: for<'a, 'b> AsyncFn(&'a mut Tx<'b>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.read(|connection| run_on_sqlite(&work, connection)),
            Backend::Postgres(postgres) => postgres.read(self.how, &work).await,
        }
    }
}

/// Runs the whole closure on the connection's own thread. Calls to SQLite are always ready, so `Pending` means that
/// the closure awaited something else.
pub(crate) fn run_on_sqlite<F, T, E>(work: &F, connection: &mut rusqlite::Connection) -> Result<T, E>
where
    F: for<'a, 'b> AsyncFn(&'a mut Tx<'b>) -> Result<T, E>,
    E: From<Error>,
{
    let mut tx = Tx::Sqlite(connection);
    let future = pin!(work(&mut tx));
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(Error::Waited.into()),
    }
}

impl Tx<'_> {
    /// Which database this is.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a statement; answers how many rows it changed.
    pub async fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64, Error> {
        match self {
            Self::Sqlite(connection) => sqlite::execute(connection, sql, params),
            Self::Postgres(tx) => tx.execute(sql, params).await,
        }
    }

    /// Runs several statements without parameters: migrations and locks.
    pub(crate) async fn execute_batch(&mut self, sql: &str) -> Result<(), Error> {
        match self {
            Self::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Self::Postgres(tx) => tx.execute_batch(sql).await,
        }
    }

    /// Every row.
    pub async fn fetch_all<T>(
        &mut self,
        sql: &'static str,
        params: &[Value],
        read: fn(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Sqlite(connection) => sqlite::fetch_all(connection, sql, params, read),
            Self::Postgres(tx) => tx.fetch_all(sql, params, read).await,
        }
    }

    /// The first row, if there is one.
    pub async fn fetch_optional<T>(
        &mut self,
        sql: &'static str,
        params: &[Value],
        read: fn(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        Ok(self.fetch_all(sql, params, read).await?.into_iter().next())
    }

    /// The one row of a statement that always has one.
    pub async fn fetch_one<T>(
        &mut self,
        sql: &'static str,
        params: &[Value],
        read: fn(&Row<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let row = self.fetch_optional(sql, params, read).await?;
        row.ok_or(Error::Corrupt { what: "an answer without its row" })
    }
}
