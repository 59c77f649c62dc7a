//! What can go wrong in storage. "Not found" is not among it: a look-up answers `Option`.

use std::error::Error as StdError;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A unique rule was broken.
    #[error("a row with this key exists already")]
    Conflict,
    /// The database cannot be reached or is out of space; the same call may work later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Stored bytes are not what we wrote: a wrong key, another row's value, or damage.
    #[error("stored data cannot be read: {what}")]
    Corrupt {
        /// Which data, without its value.
        what: &'static str,
    },
    /// Another process holds the database file.
    #[error("another Citadel process is using this database")]
    InUse,
    /// The database has a schema that this program does not know, or a migration was changed after it was applied.
    #[error("{0}")]
    Schema(String),
    /// A transaction awaited something other than the database.
    #[error("a transaction waited for something other than the database")]
    Waited,
    /// The code inside a transaction panicked.
    #[error("the code inside a transaction panicked")]
    Panicked,
    /// Any other refusal of the database.
    #[error("database error")]
    Database(#[source] Box<dyn StdError + Send + Sync>),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match error.sqlite_error_code() {
            Some(Code::ConstraintViolation) => Self::Conflict,
            Some(
                Code::DatabaseBusy
                | Code::DatabaseLocked
                | Code::DiskFull
                | Code::CannotOpen
                | Code::ReadOnly
                | Code::SystemIoFailure
                // What SQLite makes of a read that the disk refused (P35); a file that is damaged for good looks the same.
                | Code::DatabaseCorrupt,
            ) => Self::Unavailable(error.to_string()),
            _ => Self::Database(Box::new(error)),
        }
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(refusal) = error.as_db_error() else {
            return if error.is_closed() || error.source().is_some_and(|source| source.is::<std::io::Error>())
            {
                Self::Unavailable(error.to_string())
            } else {
                Self::Database(Box::new(error))
            };
        };
        match refusal.code().code() {
            code if code.starts_with("23") => Self::Conflict,
            // Connection trouble, no resources, operator intervention, a standby that cannot write, and others that always won.
            code if ["08", "53", "57"].iter().any(|class| code.starts_with(class))
                || ["25006", "40001", "40P01"].contains(&code) =>
            {
                // The server's message may quote values; the code does not.
                Self::Unavailable(format!("SQLSTATE {code}"))
            }
            code => Self::Database(format!("SQLSTATE {code}").into()),
        }
    }
}

impl From<deadpool_postgres::PoolError> for Error {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Backend(error) => match Self::from(error) {
                Self::Database(error) => Self::Unavailable(error.to_string()),
                other => other,
            },
            other => Self::Unavailable(other.to_string()),
        }
    }
}
