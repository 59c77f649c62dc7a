//! The ledger of deletions as a file beside the embedded database. Each entry is there before its deletion is answered, so
//! that it outlives the database, and tells a backup that is put in its place what was deleted since (P22).

use std::{
    fs, io,
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use rusqlite::Connection;

use crate::{
    Error,
    deletions::Deletion,
    sqlite::{private, unavailable},
};

/// What the file is called, in the folder of the database.
pub const NAME: &str = "deletions.log";

pub(crate) struct LedgerFile {
    path: PathBuf,
    /// Rows of the table that the open transactions have made, and those that could not be written yet.
    noted: Mutex<Vec<i64>>,
    /// What is made now came out of the file.
    is_replaying: AtomicBool,
}

impl LedgerFile {
    pub(crate) fn beside(database: &Path) -> Self {
        Self {
            path: database.with_file_name(NAME),
            noted: Mutex::default(),
            is_replaying: AtomicBool::new(false),
        }
    }

    /// Remembers a row that was made in the open transaction.
    pub(crate) fn note(&self, row: i64) {
        if self.is_replaying.load(Ordering::Acquire) {
            return;
        }
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).push(row);
    }

    /// Before and after entries of the file are put into the table.
    pub(crate) fn replay(&self, is_replaying: bool) {
        self.is_replaying.store(is_replaying, Ordering::Release);
    }

    /// Writes down the rows that were committed. Those that were undone are not found. What cannot be written now is written
    /// with the next transaction, or at the next start; until then it must not be answered.
    pub(crate) fn keep_noted(&self, connection: &Connection) -> Result<(), Error> {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.is_empty() {
            return Ok(());
        }
        let kept = entries(connection, &noted).and_then(|found| self.append(&found));
        if kept.is_ok() {
            noted.clear();
        }
        kept
    }

    /// Every entry. A last line that a crash cut off is taken away.
    pub(crate) fn read(&self) -> Result<Vec<Deletion>, Error> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unavailable(error)),
        };
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            let file = private().open(&self.path).map_err(unavailable)?;
            file.set_len(whole as u64).map_err(unavailable)?;
        }
        parse(&text[..whole], &self.path)
    }

    pub(crate) fn append(&self, entries: &[Deletion]) -> Result<(), Error> {
        if entries.is_empty() {
            return Ok(());
        }
        let lines: String = entries.iter().map(|entry| format!("{entry}\n")).collect();
        let mut file = private().create(true).truncate(false).open(&self.path).map_err(unavailable)?;
        let end = file.seek(SeekFrom::End(0)).map_err(unavailable)?;
        let written = file.write_all(lines.as_bytes()).and_then(|()| file.sync_data());
        if written.is_err() {
            // No half line stays in front of the next one.
            let _ = file.set_len(end);
        }
        written.map_err(unavailable)
    }
}

/// The entries of a ledger's text.
pub(crate) fn parse(text: &str, path: &Path) -> Result<Vec<Deletion>, Error> {
    let read = |(number, line): (usize, &str)| {
        line.parse().map_err(|_| {
            Error::Unavailable(format!(
                "line {} of {} is no entry of a ledger of deletions: restore the file from its copy",
                number + 1,
                path.display()
            ))
        })
    };
    text.lines().enumerate().map(read).collect()
}

fn entries(connection: &Connection, rows: &[i64]) -> Result<Vec<Deletion>, Error> {
    let sql =
        "select client_id, id, environment, kind, object_id, deleted_at from deletions where rowid = $1";
    connection.execute_batch("begin")?;
    let read =
        |row: &i64| crate::sqlite::fetch_all(connection, sql, &[(*row).into()], crate::deletions::read);
    let found: Result<Vec<_>, Error> = rows.iter().map(read).collect();
    connection.execute_batch("rollback")?;
    Ok(found?.into_iter().flatten().collect())
}
