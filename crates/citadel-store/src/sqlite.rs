//! SQLite: one writer thread with group commit, readers on the caller's thread, one process.

use std::{
    cell::RefCell,
    collections::HashMap,
    fs::{File, OpenOptions, TryLockError},
    mem,
    os::unix::fs::OpenOptionsExt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use rusqlite::{CachedStatement, Connection, config::DbConfig as Flag, ffi, hooks::Action};
use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};

use crate::{Error, LogFigures, Row, Value, ledger_file::LedgerFile};

/// Transactions that share one commit, at the most.
const GROUP: usize = 64;
/// How long a group may grow before it is committed.
const GROUP_TIME: Duration = Duration::from_millis(5);
const STATEMENTS: usize = 256;
/// How long somebody waits for a lock of SQLite's own.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of a page in the log: the page and its frame's head.
const LOGGED_PAGE: u64 = 4096 + 24;
/// Pages in the log from which it is folded into the database file, beside the writer.
const FOLD_AT: u64 = 4096;
/// Pages in the log from which the writer waits for the folding: the log cannot begin anew while it grows.
const FOLD_NOW_AT: u64 = 4 * FOLD_AT;

/// Tells a waiting caller how the group's commit went.
type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;
/// One transaction of a group; gets an error instead of a connection when the group could not begin.
type WriteUnit = Box<dyn FnOnce(Result<&mut Connection, Error>) -> Answer + Send>;
/// What the writer thread is asked for.
enum Message {
    Write(WriteUnit),
    /// Fold the log into the database file and empty it; wait so long for those who read in it.
    Checkpoint(Duration, oneshot::Sender<Result<(), Error>>),
}

#[derive(Clone)]
pub(crate) struct Sqlite {
    writer: mpsc::Sender<Message>,
    readers: Arc<Readers>,
    log: Arc<Log>,
    keys: Arc<Keys>,
    ledger: Arc<LedgerFile>,
    disk: Arc<Disk>,
    /// Held as long as anyone can reach the database: a second process on the file is refused (P41).
    _lock: Arc<File>,
}

/// Connections that read, as many as were ever needed at once.
struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    fn take(&self) -> Result<Connection, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        let connection = connect(&self.path)?;
        connection.execute_batch("pragma query_only = on;")?;
        Ok(connection)
    }

    fn put_back(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}

/// Whether access keys are still as somebody remembers them.
#[derive(Default)]
struct Keys {
    /// Grows with each commit that touched them, before the commit is answered.
    generation: AtomicU64,
    /// The open group of transactions touched them.
    is_touched: AtomicBool,
}

/// Whether the disk still keeps what it is given. After a sync that failed nobody knows what it holds, and a second one that
/// goes well says nothing about it: the pages of the first may have been dropped (PostgreSQL, 2018). So nothing is written any
/// more, and the process has to end (P35).
#[derive(Default)]
struct Disk {
    has_failed: watch::Sender<bool>,
}

impl Disk {
    fn has_failed(&self) -> bool {
        *self.has_failed.borrow()
    }

    /// Passes on what came of something that may have synced.
    fn noting<T>(&self, result: rusqlite::Result<T>) -> Result<T, Error> {
        if let Err(rusqlite::Error::SqliteFailure(error, _)) = &result
            && [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC].contains(&error.extended_code)
        {
            self.has_failed.send_replace(true);
        }
        Ok(result?)
    }
}

/// What the writer does to the log, counted.
#[derive(Default)]
struct Log {
    /// Pages in it now.
    pages: AtomicU64,
    syncs: AtomicU64,
    bytes: AtomicU64,
}

impl Log {
    /// SQLite calls this after each commit that wrote, with the pages that are in the log then.
    fn committed(&self, pages: u64) {
        let before = self.pages.swap(pages, Ordering::Relaxed);
        // Fewer than before: the log began anew.
        let written = if pages >= before { pages - before } else { pages };
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(written * LOGGED_PAGE, Ordering::Relaxed);
    }
}

impl Sqlite {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let lock = lock(path)?;
        // The file is made here, so that it never exists with wider permissions.
        private().create(true).truncate(false).open(path).map_err(unavailable)?;
        let mut writer_connection = connect(path)?;
        // Room for the pages that are written again and again, in KiB. What a savepoint may have to undo stays in memory: in a
        // group it would outgrow SQLite's 64 KiB, and be written to a file that nobody reads.
        writer_connection.execute_batch(
            "pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -16384; \
             pragma temp_store = memory;",
        )?;
        let log = Arc::new(Log::default());
        let counted = Arc::clone(&log);
        // In place of SQLite's own, which folds the log inside whichever commit comes to its limit.
        writer_connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            counted.committed(u64::try_from(pages).unwrap_or(0));
            Ok(())
        }))?;
        let keys = Arc::new(Keys::default());
        let touched = Arc::clone(&keys);
        let ledger = Arc::new(LedgerFile::beside(path));
        let noted = Arc::clone(&ledger);
        writer_connection.update_hook(Some(move |action, _: &str, table: &str, row: i64| match table {
            "access_keys" => touched.is_touched.store(true, Ordering::Relaxed),
            "deletions" if action == Action::SQLITE_INSERT => noted.note(row),
            _ => {}
        }))?;
        let disk = Arc::new(Disk::default());
        let (fold, folds) = mpsc::sync_channel::<()>(1);
        let (folder_connection, folded) = (connect(path)?, Arc::clone(&disk));
        spawn("citadel-folder", move || {
            while folds.recv().is_ok() {
                // What could not be folded now is folded next time.
                let _ = fold_log(&folder_connection, &folded);
            }
        })?;
        let (writer, messages) = mpsc::channel();
        let seen = Seen {
            log: Arc::clone(&log),
            keys: Arc::clone(&keys),
            ledger: Arc::clone(&ledger),
            disk: Arc::clone(&disk),
        };
        spawn("citadel-writer", move || write_loop(writer_connection, &messages, &seen, &fold))?;
        let readers = Arc::new(Readers { path: path.to_owned(), idle: Mutex::default() });
        Ok(Self { writer, readers, log, keys, ledger, disk, _lock: Arc::new(lock) })
    }

    /// Ends when a sync has failed.
    pub(crate) async fn sync_failed(&self) {
        // The sender is here, so it is there as long as somebody waits.
        let _ = self.disk.has_failed.subscribe().wait_for(|has_failed| *has_failed).await;
    }

    /// What the log has cost since the start.
    pub(crate) fn log_figures(&self) -> LogFigures {
        LogFigures {
            syncs: self.log.syncs.load(Ordering::Relaxed),
            bytes: self.log.bytes.load(Ordering::Relaxed),
        }
    }

    /// The copy of the ledger of deletions beside the database.
    pub(crate) fn ledger(&self) -> &LedgerFile {
        &self.ledger
    }

    /// Grows when an access key was made or changed.
    pub(crate) fn key_generation(&self) -> u64 {
        self.keys.generation.load(Ordering::Acquire)
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

    /// Folds the log into the database file, so that the file alone is the whole truth, if nobody reads in the log any more after
    /// this time. Meanwhile nobody writes.
    pub(crate) async fn checkpoint(&self, patience: Duration) -> Result<(), Error> {
        let (send, receive) = oneshot::channel();
        self.writer.send(Message::Checkpoint(patience, send)).map_err(|_| stopped())?;
        receive.await.map_err(|_| stopped())?
    }

    /// Reads on the caller's own thread: a look-up takes microseconds, less than handing it to another thread and back.
    pub(crate) fn read<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.readers.take()?;
        let result = run(&connection, "begin deferred").map_err(E::from).and_then(|()| {
            let result = caught(|| work(&mut connection));
            // Nothing was written, so ending the snapshot cannot lose anything.
            let _ = run(&connection, "rollback");
            result
        });
        self.readers.put_back(connection);
        result
    }
}

pub(crate) fn private() -> OpenOptions {
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
    connection.busy_timeout(PATIENCE)?;
    connection.set_db_config(Flag::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(Flag::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // A prepared statement keeps its plan, whatever its parameters are: to plan again costs more than to run it.
    connection.set_db_config(Flag::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
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

pub(crate) fn unavailable(error: std::io::Error) -> Error {
    Error::Unavailable(error.to_string())
}

fn not_kept() -> Error {
    Error::Unavailable("a sync failed: nothing more is written before a new start".to_owned())
}

fn stopped() -> Error {
    Error::Unavailable("the database was closed".to_owned())
}

/// What others see of the writer's work.
struct Seen {
    log: Arc<Log>,
    keys: Arc<Keys>,
    ledger: Arc<LedgerFile>,
    disk: Arc<Disk>,
}

/// Takes what waits, commits once, then answers all.
fn write_loop(
    mut connection: Connection,
    messages: &mpsc::Receiver<Message>,
    seen: &Seen,
    fold: &mpsc::SyncSender<()>,
) {
    let Seen { log, keys, ledger, disk } = seen;
    while let Ok(message) = messages.recv() {
        let first = match message {
            Message::Write(unit) if disk.has_failed() => {
                unit(Err(not_kept()))(Ok(()));
                continue;
            }
            Message::Write(unit) => unit,
            Message::Checkpoint(patience, done) => {
                checkpoint(&connection, disk, patience, done);
                continue;
            }
        };
        if let Err(error) = run(&connection, "begin immediate") {
            first(Err(error))(Ok(()));
            continue;
        }
        let until = Instant::now() + GROUP_TIME;
        let mut answers = vec![first(Ok(&mut connection))];
        let mut afterwards = None;
        while !connection.is_autocommit() && answers.len() < GROUP && Instant::now() < until {
            match messages.try_recv() {
                Ok(Message::Write(unit)) => answers.push(unit(Ok(&mut connection))),
                Ok(Message::Checkpoint(patience, done)) => {
                    afterwards = Some((patience, done));
                    break;
                }
                Err(_) => break,
            }
        }
        let committed =
            still_open(&connection).and_then(|()| disk.noting(execute_text(&connection, "commit")));
        if committed.is_err() {
            let _ = run(&connection, "rollback");
        }
        if keys.is_touched.swap(false, Ordering::Relaxed) {
            keys.generation.fetch_add(1, Ordering::Release);
        }
        // Before the answer: a deletion that was answered is in both places.
        let committed = committed.and_then(|()| ledger.keep_noted(&connection));
        let committed = committed.map_err(|error| match error {
            Error::Unavailable(message) => message,
            other => other.to_string(),
        });
        for answer in answers {
            answer(committed.clone().map_err(Error::Unavailable));
        }
        if let Some((patience, done)) = afterwards {
            checkpoint(&connection, disk, patience, done);
        }
        match log.pages.load(Ordering::Relaxed) {
            pages if pages >= FOLD_NOW_AT => drop(fold_log(&connection, disk)),
            // A folding that is asked for already is enough.
            pages if pages >= FOLD_AT => drop(fold.try_send(())),
            _ => {}
        }
    }
    if disk.has_failed() {
        // To close it would fold the log, which the disk may not have.
        mem::forget(connection);
    }
}

fn checkpoint(
    connection: &Connection,
    disk: &Disk,
    patience: Duration,
    done: oneshot::Sender<Result<(), Error>>,
) {
    let folded = match disk.has_failed() {
        true => Err(not_kept()),
        false => disk.noting(
            connection
                .busy_timeout(patience)
                .and_then(|()| connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))),
        ),
    };
    let _ = connection.busy_timeout(PATIENCE);
    let _ = done.send(folded);
}

/// Copies what is in the log to the database file, as far as no reader still needs the older pages. When all was copied the
/// next commit begins the log anew, in the same file.
fn fold_log(connection: &Connection, disk: &Disk) -> Result<(), Error> {
    if disk.has_failed() {
        return Err(not_kept());
    }
    disk.noting(connection.query_row("pragma wal_checkpoint(passive)", [], |_| Ok(())))
}

/// Runs a statement that has neither parameters nor rows.
fn run(connection: &Connection, sql: &str) -> Result<(), Error> {
    Ok(execute_text(connection, sql)?)
}

fn execute_text(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.raw_execute().map(drop)
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
    run(connection, "savepoint unit")?;
    let result = caught(|| work(connection));
    still_open(connection)?;
    if result.is_err() {
        run(connection, "rollback to unit")?;
    }
    run(connection, "release unit")?;
    result
}

fn caught<T, E: From<Error>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Error::Panicked.into()))
}

thread_local! {
    /// Statements as SQLite reads them, by the place of their text: they are all `'static`.
    static NUMBERED: RefCell<HashMap<(usize, usize), Rc<str>>> = RefCell::default();
}

/// The statement with `?n` in place of `$n`: SQLite gives `$n` a number by first appearance, and `?n` that of the number
/// itself, as Postgres does.
fn numbered(sql: &'static str) -> Rc<str> {
    NUMBERED.with_borrow_mut(|known| {
        let entry = known.entry((sql.as_ptr() as usize, sql.len()));
        Rc::clone(entry.or_insert_with(|| sql.replace('$', "?").into()))
    })
}

fn prepare<'c>(
    connection: &'c Connection,
    sql: &'static str,
    params: &[Value],
) -> Result<CachedStatement<'c>, Error> {
    still_open(connection)?;
    let mut statement = connection.prepare_cached(&numbered(sql))?;
    for (index, value) in (1..).zip(params) {
        statement.raw_bind_parameter(index, value)?;
    }
    Ok(statement)
}

pub(crate) fn execute(connection: &Connection, sql: &'static str, params: &[Value]) -> Result<u64, Error> {
    Ok(prepare(connection, sql, params)?.raw_execute()? as u64)
}

pub(crate) fn fetch_all<T>(
    connection: &Connection,
    sql: &'static str,
    params: &[Value],
    read: fn(&Row<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let mut statement = prepare(connection, sql, params)?;
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(&Row::Sqlite(row))?);
    }
    Ok(found)
}
