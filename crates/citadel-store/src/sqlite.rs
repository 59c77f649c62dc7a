//! SQLite: one writer thread with group commit, four readers, one process.

use std::{
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use rusqlite::{Connection, config::DbConfig as Flag};
use tokio::{sync::oneshot, time::Instant};

use crate::{Error, Row, Value};

const READERS: usize = 4;
/// Transactions that share one commit, at the most.
const GROUP: usize = 64;
/// How long a group may grow before it is committed.
const GROUP_TIME: Duration = Duration::from_millis(5);
const STATEMENTS: usize = 256;
/// The names of parameters, in the one spelling that both databases read.
const NAMES: [&str; 32] = [
    "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$16",
    "$17", "$18", "$19", "$20", "$21", "$22", "$23", "$24", "$25", "$26", "$27", "$28", "$29", "$30", "$31",
    "$32",
];

/// Tells a waiting caller how the group's commit went.
type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;
/// One transaction of a group; gets an error instead of a connection when the group could not begin.
type WriteUnit = Box<dyn FnOnce(Result<&mut Connection, Error>) -> Answer + Send>;
/// What the writer thread is asked for.
enum Message {
    Write(WriteUnit),
    /// Fold the log into the database file.
    Checkpoint(oneshot::Sender<Result<(), Error>>),
}
type ReadUnit = Box<dyn FnOnce(&mut Connection) + Send>;

#[derive(Clone)]
pub(crate) struct Sqlite {
    writer: mpsc::Sender<Message>,
    readers: mpsc::Sender<ReadUnit>,
    /// Held as long as anyone can reach the database: a second process on the file is refused (P41).
    _lock: Arc<File>,
}

impl Sqlite {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let lock = lock(path)?;
        // The file is made here, so that it never exists with wider permissions.
        private().create(true).truncate(false).open(path).map_err(unavailable)?;
        let writer_connection = connect(path)?;
        writer_connection.execute_batch("pragma journal_mode = wal; pragma synchronous = full;")?;
        let (writer, messages) = mpsc::channel();
        spawn("citadel-writer", move || write_loop(writer_connection, &messages))?;
        let (readers, read_units) = mpsc::channel::<ReadUnit>();
        let read_units = Arc::new(Mutex::new(read_units));
        for _ in 0..READERS {
            let connection = connect(path)?;
            connection.execute_batch("pragma query_only = on;")?;
            let units = read_units.clone();
            spawn("citadel-reader", move || read_loop(connection, &units))?;
        }
        Ok(Self { writer, readers, _lock: Arc::new(lock) })
    }

    pub(crate) async fn write<T, E>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (send, receive) = oneshot::channel();
        let unit: WriteUnit = Box::new(move |connection| {
            let result = connection.map_err(E::from).and_then(|connection| in_savepoint(connection, work));
            Box::new(move |committed| {
                // A caller that went away does not need the answer.
                // A group that was not committed takes refusals along: they may rest on what was never kept.
                let _ = send.send(committed.map_err(E::from).and(result));
            })
        });
        self.writer.send(Message::Write(unit)).map_err(|_| stopped())?;
        receive.await.map_err(|_| stopped())?
    }

    /// Folds the log into the database file, so that the file alone is the whole truth.
    pub(crate) async fn checkpoint(&self) -> Result<(), Error> {
        let (send, receive) = oneshot::channel();
        self.writer.send(Message::Checkpoint(send)).map_err(|_| stopped())?;
        receive.await.map_err(|_| stopped())?
    }

    pub(crate) async fn read<T, E>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (send, receive) = oneshot::channel();
        let unit: ReadUnit = Box::new(move |connection| {
            let result = begin(connection, "begin deferred").map_err(E::from).and_then(|()| {
                let result = caught(|| work(connection));
                // Nothing was written, so ending the snapshot cannot lose anything.
                let _ = connection.execute_batch("rollback");
                result
            });
            let _ = send.send(result);
        });
        self.readers.send(unit).map_err(|_| stopped())?;
        receive.await.map_err(|_| stopped())?
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

fn lock(path: &Path) -> Result<File, Error> {
    let file =
        private().create(true).truncate(false).open(path.with_extension("lock")).map_err(unavailable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse),
        Err(TryLockError::Error(error)) => Err(unavailable(error)),
    }
}

fn connect(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_db_config(Flag::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(Flag::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // A misspelt column in double quotes is an error and not a text.
    connection.set_db_config(Flag::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(Flag::SQLITE_DBCONFIG_DQS_DDL, false)?;
    // What is deleted is overwritten with zeros, and does not stay in free pages.
    connection
        .execute_batch("pragma foreign_keys = on; pragma synchronous = full; pragma secure_delete = on;")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    thread::Builder::new().name(name.to_owned()).spawn(body).map(drop).map_err(unavailable)
}

fn unavailable(error: std::io::Error) -> Error {
    Error::Unavailable(error.to_string())
}

fn stopped() -> Error {
    Error::Unavailable("the database was closed".to_owned())
}

/// Takes what waits, commits once, then answers all.
fn write_loop(mut connection: Connection, messages: &mpsc::Receiver<Message>) {
    while let Ok(message) = messages.recv() {
        let first = match message {
            Message::Write(unit) => unit,
            Message::Checkpoint(done) => {
                checkpoint(&connection, done);
                continue;
            }
        };
        if let Err(error) = begin(&mut connection, "begin immediate") {
            first(Err(error))(Ok(()));
            continue;
        }
        let until = Instant::now() + GROUP_TIME;
        let mut answers = vec![first(Ok(&mut connection))];
        let mut afterwards = None;
        while !connection.is_autocommit() && answers.len() < GROUP && Instant::now() < until {
            match messages.try_recv() {
                Ok(Message::Write(unit)) => answers.push(unit(Ok(&mut connection))),
                Ok(Message::Checkpoint(done)) => {
                    afterwards = Some(done);
                    break;
                }
                Err(_) => break,
            }
        }
        let committed = still_open(&connection).and_then(|()| Ok(connection.execute_batch("commit")?));
        if committed.is_err() {
            let _ = connection.execute_batch("rollback");
        }
        let committed = committed.map_err(|error| match error {
            Error::Unavailable(message) => message,
            other => other.to_string(),
        });
        for answer in answers {
            answer(committed.clone().map_err(Error::Unavailable));
        }
        if let Some(done) = afterwards {
            checkpoint(&connection, done);
        }
    }
}

fn checkpoint(connection: &Connection, done: oneshot::Sender<Result<(), Error>>) {
    let _ = done.send(connection.execute_batch("pragma wal_checkpoint(truncate)").map_err(Error::from));
}

fn read_loop(mut connection: Connection, units: &Mutex<mpsc::Receiver<ReadUnit>>) {
    loop {
        // Readers take turns at waiting; whoever holds the lock takes the next unit.
        let unit = units.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(unit) = unit else { return };
        unit(&mut connection);
    }
}

fn begin(connection: &mut Connection, sql: &str) -> Result<(), Error> {
    Ok(connection.execute_batch(sql)?)
}

/// After a full disk or an I/O error SQLite may roll the whole transaction back by itself. What is run after that would
/// be committed alone, statement by statement.
fn still_open(connection: &Connection) -> Result<(), Error> {
    if connection.is_autocommit() {
        return Err(Error::Unavailable(
            "SQLite undid the transaction: the disk may be full or failing".to_owned(),
        ));
    }
    Ok(())
}

/// Runs one transaction of a group. When it fails, only its own changes are undone.
fn in_savepoint<T, E: From<Error>>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    connection.execute_batch("savepoint unit").map_err(|error| E::from(error.into()))?;
    let result = caught(|| work(connection));
    still_open(connection)?;
    let end = if result.is_ok() { "release unit" } else { "rollback to unit; release unit" };
    connection.execute_batch(end).map_err(|error| E::from(error.into()))?;
    result
}

fn caught<T, E: From<Error>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Error::Panicked.into()))
}

fn bind(statement: &mut rusqlite::Statement<'_>, params: &[Value]) -> Result<(), Error> {
    // By name: SQLite numbers `$n` by first appearance, Postgres by the number itself.
    for (name, value) in NAMES.iter().zip(params) {
        if let Some(index) = statement.parameter_index(name)? {
            statement.raw_bind_parameter(index, value)?;
        }
    }
    Ok(())
}

pub(crate) fn execute(connection: &Connection, sql: &str, params: &[Value]) -> Result<u64, Error> {
    still_open(connection)?;
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, params)?;
    Ok(statement.raw_execute()? as u64)
}

pub(crate) fn fetch_all<T>(
    connection: &Connection,
    sql: &str,
    params: &[Value],
    read: fn(&Row<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    still_open(connection)?;
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, params)?;
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(&Row::Sqlite(row))?);
    }
    Ok(found)
}
