//! Postgres: a pool, prepared statements, and a new try after a serialisation failure.

use std::{
    hash::{BuildHasher, RandomState},
    str::FromStr,
    time::Duration,
};

use citadel_domain::ClientId;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts, Transaction};
use tokio_postgres::{Config, IsolationLevel, NoTls, config::SslMode, error::SqlState, types::ToSql};

use crate::{Error, PoolFigures, Row, Tx, Value};

/// Tries of a transaction that lost against another.
const TRIES: u32 = 5;
/// How long a call may wait for a connection (P40).
const WAIT: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(crate) struct Postgres {
    pool: Pool,
}

/// A transaction on a pooled connection.
pub struct PgTx<'a> {
    tx: &'a Transaction<'a>,
    /// A statement failed because another transaction won: the same work may succeed when it is done again.
    lost: bool,
}

impl Postgres {
    pub(crate) fn open(url: &str, pool_size: usize) -> Result<Self, Error> {
        // The parser's message may quote the password.
        let config =
            Config::from_str(url).map_err(|_| Error::Schema("the database URL cannot be read".to_owned()))?;
        if config.get_ssl_mode() == SslMode::Require {
            let message =
                "sslmode=require is not served yet: reach Postgres over a private network or a TLS tunnel";
            return Err(Error::Schema(message.to_owned()));
        }
        let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(config, NoTls, manager_config);
        let timeouts = Timeouts { wait: Some(WAIT), create: Some(WAIT), recycle: Some(WAIT) };
        let pool = Pool::builder(manager)
            .max_size(pool_size)
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Self { pool })
    }

    pub(crate) fn pool_figures(&self) -> PoolFigures {
        let status = self.pool.status();
        PoolFigures {
            most: status.max_size,
            open: status.size,
            idle: status.available,
            waiting: status.waiting,
        }
    }

    pub(crate) async fn write<F, T, E>(&self, scope: Option<ClientId>, work: &F) -> Result<T, E>
    where
        F: for<'a, 'b> AsyncFn(&'a mut Tx<'b>) -> Result<T, E>,
        E: From<Error>,
    {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mut connection = self.pool.get().await.map_err(Error::from)?;
            let tx = connection.build_transaction().start().await.map_err(Error::from)?;
            let (result, lost) = scoped(&tx, scope, work).await;
            let lost = match result {
                Ok(value) => match tx.commit().await {
                    Ok(()) => return Ok(value),
                    Err(error) if !is_lost(&error) => return Err(Error::from(error).into()),
                    Err(_) => true,
                },
                Err(error) if !lost || attempt == TRIES => return Err(error),
                Err(_) => {
                    // A rollback that fails leaves a connection that the pool will not hand out again.
                    let _ = tx.rollback().await;
                    lost
                }
            };
            if lost && attempt == TRIES {
                return Err(
                    Error::Unavailable("a transaction lost against others too often".to_owned()).into()
                );
            }
            tokio::time::sleep(backoff(attempt)).await;
        }
    }

    pub(crate) async fn read<F, T, E>(&self, scope: Option<ClientId>, work: &F) -> Result<T, E>
    where
        F: for<'a, 'b> AsyncFn(&'a mut Tx<'b>) -> Result<T, E>,
        E: From<Error>,
    {
        let mut connection = self.pool.get().await.map_err(Error::from)?;
        let builder =
            connection.build_transaction().read_only(true).isolation_level(IsolationLevel::RepeatableRead);
        let tx = builder.start().await.map_err(Error::from)?;
        // Ends with a rollback that nobody waits for: nothing was written.
        scoped(&tx, scope, work).await.0
    }
}

/// Runs the closure with the rows of a client in sight. Answers whether it failed because another transaction won.
///
/// The first statement is sent behind the scope without waiting for it, which saves the way to the database and back; if the
/// scope could not be set, the database refuses everything after it.
async fn scoped<F, T, E>(tx: &Transaction<'_>, scope: Option<ClientId>, work: &F) -> (Result<T, E>, bool)
where
    F: for<'a, 'b> AsyncFn(&'a mut Tx<'b>) -> Result<T, E>,
    E: From<Error>,
{
    let sql = scope_sql(scope);
    let mut worked = Tx::Postgres(PgTx { tx, lost: false });
    let (set, result) = tokio::join!(biased; tx.batch_execute(&sql), work(&mut worked));
    match (set, worked) {
        (Ok(()), Tx::Postgres(PgTx { lost, .. })) => (result, lost),
        (Ok(()), Tx::Sqlite(_)) => (result, false),
        (Err(error), _) => (Err(Error::from(error).into()), false),
    }
}

/// Tells the policies on the tables whose rows this transaction may see. It ends with the transaction, so that a
/// connection back in the pool sees nothing.
fn scope_sql(scope: Option<ClientId>) -> String {
    match scope {
        // As the database writes it, which is what the policies compare.
        Some(client) => format!("select set_config('app.client', cast(uuid '{client}' as text), true)"),
        None => "select set_config('app.client', '*', true)".to_owned(),
    }
}

/// 10 ms doubled with each try, half of it by chance, so that losers do not meet again.
fn backoff(attempt: u32) -> Duration {
    let chance = RandomState::new().hash_one(attempt) % 100;
    Duration::from_millis((5 << attempt.min(6)) * (100 + chance) / 100)
}

fn is_lost(error: &tokio_postgres::Error) -> bool {
    matches!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
}

impl PgTx<'_> {
    fn note(&mut self, error: tokio_postgres::Error) -> Error {
        self.lost |= is_lost(&error);
        error.into()
    }

    pub(crate) async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, Error> {
        let result = match self.tx.prepare_cached(sql).await {
            Ok(statement) => self.tx.execute(&statement, &by_reference(params)).await,
            Err(error) => Err(error),
        };
        result.map_err(|error| self.note(error))
    }

    pub(crate) async fn execute_batch(&mut self, sql: &str) -> Result<(), Error> {
        let result = self.tx.batch_execute(sql).await;
        result.map_err(|error| self.note(error))
    }

    pub(crate) async fn fetch_all<T>(
        &mut self,
        sql: &str,
        params: &[Value],
        read: fn(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let result = match self.tx.prepare_cached(sql).await {
            Ok(statement) => self.tx.query(&statement, &by_reference(params)).await,
            Err(error) => Err(error),
        };
        let rows = result.map_err(|error| self.note(error))?;
        rows.iter().map(|row| read(&Row::Postgres(row))).collect()
    }
}

fn by_reference(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}
