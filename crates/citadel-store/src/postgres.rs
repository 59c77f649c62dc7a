//! Postgres: a pool, prepared statements, a new try after a serialisation failure or a cut line, and an end to every wait
//! (P39, P40).

mod address;
mod tls;

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use citadel_domain::ClientId;
use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType, Timeouts,
    Transaction,
};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::{IsolationLevel, NoTls, error::SqlState, types::ToSql, types::Type};

use self::address::Address;
use crate::{Error, PoolFigures, Row, Tx, Value};

/// Tries of a transaction that lost against another.
const TRIES: u32 = 5;
/// How long a call may wait for a free connection, and for a new one.
const WAIT: Duration = Duration::from_secs(4);
/// How long a call goes on trying while the database cannot be reached. A restart or a failover that is over sooner is
/// noticed by nobody; behind a longer one nothing piles up.
const OUTAGE: Duration = Duration::from_secs(3);
/// How long the begin of a transaction may take, which waits for nothing but the line: one on which nothing comes back is left
/// for another, before anything was asked on it.
const BEGIN: Duration = Duration::from_secs(2);
/// How long a transaction may take, every try and wait included: a request ends within ten seconds (P40).
const PATIENCE: Duration = Duration::from_secs(8);
/// The same for work that nobody waits for.
const LONG_PATIENCE: Duration = Duration::from_secs(600);

#[derive(Clone)]
pub(crate) struct Postgres {
    pool: Pool,
    /// Whether there ever was a connection: before that the address may be wrong, and nobody waits for it.
    was_reached: Arc<AtomicBool>,
    is_prepared: bool,
}

/// How a transaction is run.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    /// The one client whose rows are seen; `None` for all.
    pub(crate) scope: Option<ClientId>,
    /// Whether nobody waits for it.
    pub(crate) is_long: bool,
}

/// A transaction on a pooled connection.
pub struct PgTx<'a> {
    tx: &'a Transaction<'a>,
    is_prepared: bool,
    /// Why a statement failed, if that was not its own fault.
    trouble: Option<Trouble>,
}

/// Why a transaction failed, where that was not its own fault.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// Another transaction won: the same work may succeed when it is done again.
    Lost,
    /// The database is away, or turned into one that cannot be written. Nothing was committed.
    Cut,
    /// The same, with a commit under way: nobody knows whether it holds, so the work is not done again.
    InDoubt,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
}

impl Run {
    fn patience(self) -> Duration {
        if self.is_long { LONG_PATIENCE } else { PATIENCE }
    }

    /// Tells the policies on the tables whose rows this transaction may see, and ends statements that nobody waits for any
    /// more, and transactions whose client has gone without a word: their locks would hold up everybody else until the
    /// database's own look at the line, hours later. All of it ends with the transaction, so that a connection back in the pool sees nothing, also where the pool is
    /// another program's.
    fn sql(self) -> String {
        let millis = self.patience().as_millis();
        // As the database writes it, which is what the policies compare.
        let client = match self.scope {
            Some(client) => format!("cast(uuid '{client}' as text)"),
            None => "'*'".to_owned(),
        };
        format!(
            "select set_config('app.client', {client}, true), set_config('statement_timeout', '{millis}', true),
                    set_config('idle_in_transaction_session_timeout', '{millis}', true)"
        )
    }
}

impl Postgres {
    pub(crate) fn open(url: &str, pool_size: usize) -> Result<Self, Error> {
        let Address { config, tls, is_prepared } = Address::read(url)?;
        let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match tls {
            Some(tls) => Manager::from_config(config, tls, manager_config),
            None => Manager::from_config(config, NoTls, manager_config),
        };
        let timeouts = Timeouts { wait: Some(WAIT), create: Some(WAIT), recycle: Some(WAIT) };
        let pool = Pool::builder(manager)
            .max_size(pool_size)
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Self { pool, was_reached: Arc::default(), is_prepared })
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

    pub(crate) async fn write<F, T, E>(&self, how: Run, work: &F) -> Result<T, E>
    where
        F: for<'a, 'b> AsyncFn(&'a mut Tx<'b>) -> Result<T, E>,
        E: From<Error>,
    {
        self.run(Kind::Write, how, work).await
    }

    pub(crate) async fn read<F, T, E>(&self, how: Run, work: &F) -> Result<T, E>
    where
        F: for<'a, 'b> AsyncFn(&'a mut Tx<'b>) -> Result<T, E>,
        E: From<Error>,
    {
        self.run(Kind::Read, how, work).await
    }

    async fn run<F, T, E>(&self, kind: Kind, how: Run, work: &F) -> Result<T, E>
    where
        F: for<'a, 'b> AsyncFn(&'a mut Tx<'b>) -> Result<T, E>,
        E: From<Error>,
    {
        let begun = Instant::now();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let (error, trouble) = match self.attempt(kind, how, work, begun + how.patience()).await {
                Ok(value) => return Ok(value),
                Err(failed) => failed,
            };
            let is_worth_another = match trouble {
                None => false,
                Some(Trouble::Lost) => attempt < TRIES,
                Some(Trouble::Cut | Trouble::InDoubt) => {
                    // What is idle in the pool was connected before this happened, and would fail one call after another.
                    self.pool.retain(|_, _| false);
                    let is_outage = trouble == Some(Trouble::Cut) && self.was_reached.load(Ordering::Relaxed);
                    is_outage && begun.elapsed() < OUTAGE
                }
            };
            if !is_worth_another {
                return Err(error);
            }
            tokio::time::sleep(backoff(attempt)).await;
        }
    }

    async fn attempt<F, T, E>(
        &self,
        kind: Kind,
        how: Run,
        work: &F,
        deadline: Instant,
    ) -> Result<T, (E, Option<Trouble>)>
    where
        F: for<'a, 'b> AsyncFn(&'a mut Tx<'b>) -> Result<T, E>,
        E: From<Error>,
    {
        let mut connection = match timeout_at(deadline, self.pool.get()).await {
            Ok(Ok(connection)) => {
                self.was_reached.store(true, Ordering::Relaxed);
                connection
            }
            Ok(Err(error)) => {
                let trouble = is_cut_off(&error).then_some(Trouble::Cut);
                return Err((Error::from(error).into(), trouble));
            }
            Err(_) => return Err((no_answer().into(), None)),
        };
        let transaction = transact(&mut connection, kind, how, self.is_prepared, work);
        let result = match timeout_at(deadline, transaction).await {
            Ok(result) => result,
            Err(_) => Err((no_answer().into(), Some(Trouble::InDoubt))),
        };
        if matches!(result, Err((_, Some(Trouble::Cut | Trouble::InDoubt)))) {
            // Half-open, it may be: nobody shall have it again.
            drop(Object::take(connection));
        }
        result
    }
}

fn no_answer() -> Error {
    Error::Unavailable("no answer in time".to_owned())
}

/// One transaction, from its begin to its end.
async fn transact<F, T, E>(
    connection: &mut Object,
    kind: Kind,
    how: Run,
    is_prepared: bool,
    work: &F,
) -> Result<T, (E, Option<Trouble>)>
where
    F: for<'a, 'b> AsyncFn(&'a mut Tx<'b>) -> Result<T, E>,
    E: From<Error>,
{
    let mut builder = connection.build_transaction();
    if kind == Kind::Read {
        builder = builder.read_only(true).isolation_level(IsolationLevel::RepeatableRead);
    }
    let tx = match timeout(BEGIN, builder.start()).await {
        Ok(begun) => begun.map_err(outside)?,
        Err(_) => return Err((no_answer().into(), Some(Trouble::Cut))),
    };
    let value = scoped(&tx, how, is_prepared, work).await;
    match (value, kind) {
        // Ends with a rollback that nobody waits for: nothing was written.
        (value, Kind::Read) => value,
        (Ok(value), Kind::Write) => tx.commit().await.map(|()| value).map_err(|error| {
            let (error, trouble) = outside(error);
            (error, trouble.map(|trouble| if trouble == Trouble::Cut { Trouble::InDoubt } else { trouble }))
        }),
        (Err(failed), Kind::Write) => {
            // A rollback that fails leaves a connection that the pool will not hand out again.
            if failed.1 == Some(Trouble::Lost) {
                let _ = tx.rollback().await;
            }
            Err(failed)
        }
    }
}

/// A failure of ours and not of the work's.
fn outside<E: From<Error>>(error: tokio_postgres::Error) -> (E, Option<Trouble>) {
    let trouble = trouble_of(&error);
    (Error::from(error).into(), trouble)
}

/// Runs the closure with the rows of a client in sight.
///
/// The first statement is sent behind the scope without waiting for it, which saves the way to the database and back; if the
/// scope could not be set, the database refuses everything after it.
async fn scoped<F, T, E>(
    tx: &Transaction<'_>,
    how: Run,
    is_prepared: bool,
    work: &F,
) -> Result<T, (E, Option<Trouble>)>
where
    F: for<'a, 'b> AsyncFn(&'a mut Tx<'b>) -> Result<T, E>,
    E: From<Error>,
{
    let sql = how.sql();
    let mut worked = Tx::Postgres(PgTx { tx, is_prepared, trouble: None });
    let (set, result) = tokio::join!(biased; tx.batch_execute(&sql), work(&mut worked));
    set.map_err(outside)?;
    let trouble = if let Tx::Postgres(PgTx { trouble, .. }) = worked { trouble } else { None };
    result.map_err(|error| (error, trouble))
}

/// 10 ms doubled with each try, half of it by chance, so that losers do not meet again.
fn backoff(attempt: u32) -> Duration {
    let chance = RandomState::new().hash_one(attempt) % 100;
    Duration::from_millis((5 << attempt.min(6)) * (100 + chance) / 100)
}

fn trouble_of(error: &tokio_postgres::Error) -> Option<Trouble> {
    let Some(code) = error.code() else {
        let is_of_the_line = error.source_is_io() || error.is_closed();
        return is_of_the_line.then_some(Trouble::Cut);
    };
    let is_lost = matches!(*code, SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED);
    // Connection trouble, shutdown, start-up, and a primary that became a standby.
    let is_cut = ["08", "57P"].iter().any(|class| code.code().starts_with(class))
        || *code == SqlState::READ_ONLY_SQL_TRANSACTION;
    match (is_lost, is_cut) {
        (true, _) => Some(Trouble::Lost),
        (_, true) => Some(Trouble::Cut),
        _ => None,
    }
}

/// Whether there was no connection because there is no database.
fn is_cut_off(error: &PoolError) -> bool {
    match error {
        PoolError::Backend(error) => trouble_of(error) == Some(Trouble::Cut),
        PoolError::Timeout(TimeoutType::Create) => true,
        _ => false,
    }
}

/// Tells whether an error came from the line.
trait OfTheLine {
    fn source_is_io(&self) -> bool;
}

impl OfTheLine for tokio_postgres::Error {
    fn source_is_io(&self) -> bool {
        std::error::Error::source(self).is_some_and(|source| source.is::<std::io::Error>())
    }
}

impl PgTx<'_> {
    fn note(&mut self, error: tokio_postgres::Error) -> Error {
        self.trouble = self.trouble.or(trouble_of(&error));
        error.into()
    }

    pub(crate) async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, Error> {
        let result = if self.is_prepared {
            match self.tx.prepare_cached(sql).await {
                Ok(statement) => self.tx.execute(&statement, &by_reference(params)).await,
                Err(error) => Err(error),
            }
        } else {
            self.tx.execute_typed(sql, &with_types(params)).await
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
        let result = if self.is_prepared {
            match self.tx.prepare_cached(sql).await {
                Ok(statement) => self.tx.query(&statement, &by_reference(params)).await,
                Err(error) => Err(error),
            }
        } else {
            self.tx.query_typed(sql, &with_types(params)).await
        };
        let rows = result.map_err(|error| self.note(error))?;
        rows.iter().map(|row| read(&Row::Postgres(row))).collect()
    }
}

fn by_reference(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// For a statement that is parsed, bound and run in one go, under no name: a proxy that gives each transaction another
/// connection would not find it again.
fn with_types(params: &[Value]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    params.iter().map(|value| (value as &(dyn ToSql + Sync), value.postgres_type())).collect()
}
