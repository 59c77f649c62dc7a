//! Why there is no sandbox, and what to do about it.

use std::{error, fmt, io, path::PathBuf, process::ExitStatus, time::Duration};

/// Why a [`Sandbox`](super::Sandbox) did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// There is no `citadel` program where one was looked for.
    NotFound {
        /// Every place, in this order.
        looked: Vec<PathBuf>,
    },
    /// The program is there and cannot be started.
    CannotStart {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The server ended before it took requests.
    Ended {
        /// The program.
        program: PathBuf,
        /// How it ended.
        status: Option<ExitStatus>,
        /// The last lines of its standard error.
        log: String,
    },
    /// The server said nothing in time.
    Silent {
        /// The program.
        program: PathBuf,
        /// How long it was waited for.
        after: Duration,
        /// The last lines of its standard error.
        log: String,
    },
    /// The program did not print one of the lines of `--print-env`.
    Missing {
        /// The program.
        program: PathBuf,
        /// What is missing.
        name: &'static str,
    },
    /// The client could not be made from what the program printed.
    Client(crate::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { looked } => {
                f.write_str(
                    "the citadel program was not found: build it with `cargo build --release -p citadel-cli`, \
                     then put it on the PATH or set CITADEL_BIN to its path; looked for",
                )?;
                looked.iter().try_for_each(|path| write!(f, " {}", path.display()))
            }
            Self::CannotStart { program, .. } => {
                write!(f, "{} cannot be started: is it a program for this machine?", program.display())
            }
            Self::Ended { program, status, log } => {
                write!(f, "{} ended before it took requests", program.display())?;
                if let Some(status) = status {
                    write!(f, " ({status})")?;
                }
                write!(f, "; if it does not know --ephemeral it is too old. It said:\n{log}")
            }
            Self::Silent { program, after, log } => {
                let (program, after) = (program.display(), after.as_secs());
                write!(
                    f,
                    "{program} was not ready after {after} s: is the machine overloaded? It said:\n{log}"
                )
            }
            Self::Missing { program, name } => {
                let program = program.display();
                write!(f, "{program} did not print {name}: use a citadel of the same release as the SDK")
            }
            Self::Client(error) => write!(f, "the client cannot be made: {error}"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::CannotStart { source, .. } => Some(source),
            Self::Client(error) => Some(error),
            _ => None,
        }
    }
}
