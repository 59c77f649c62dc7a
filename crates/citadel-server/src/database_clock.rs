//! The time that all nodes on one Postgres agree on, whatever their machines say (P41).
//!
//! A node asks the database for its time at the start and every minute. From the answer on it counts by the machine's
//! monotonic clock, which nobody sets: when somebody sets the machine's own clock, nothing here moves, and a lease or the
//! life of a token is neither longer nor shorter. On SQLite there is one process and the machine's clock is the time.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use citadel_domain::Clock;
use citadel_store::{Db, Error};
use jiff::{SignedDuration, Timestamp};
use tokio::{sync::watch, time::Instant};

/// How often the database is asked.
const EVERY: Duration = Duration::from_secs(60);
/// How often the machine's clock is looked at in between.
const LOOK: Duration = Duration::from_secs(1);
/// When the machine's clock goes this far from the monotonic one, it was set, or the machine slept, which stops the monotonic
/// clock: then the database is asked at once.
const JUMP: SignedDuration = SignedDuration::from_secs(2);

/// A clock that goes on from what the database said last.
pub struct DatabaseClock {
    machine: Arc<dyn Clock>,
    known: Mutex<Known>,
}

#[derive(Clone, Copy)]
struct Known {
    /// When the database's answer held.
    at: Instant,
    /// What the database said.
    database: Timestamp,
    /// What the machine said.
    machine: Timestamp,
}

impl DatabaseClock {
    /// The clock of a node: the database's, asked again until told to stop, or the machine's where that is the same.
    pub async fn follow(
        db: &Db,
        machine: Arc<dyn Clock>,
        stopping: &watch::Receiver<bool>,
    ) -> Result<Arc<dyn Clock>, Error> {
        let Some(known) = ask(db, &*machine).await? else { return Ok(machine) };
        tell(known);
        let clock = Arc::new(Self { machine, known: Mutex::new(known) });
        tokio::spawn(keep(Arc::clone(&clock), db.clone(), stopping.clone()));
        Ok(clock)
    }

    fn known(&self) -> Known {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the machine's clock and the monotonic one went apart since the database was asked.
    fn has_jumped(&self) -> bool {
        let known = self.known();
        let passed = since(known.at);
        (self.machine.now().duration_since(known.machine) - passed).abs() > JUMP
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> Timestamp {
        let known = self.known();
        let now = known.database.saturating_add(since(known.at)).unwrap_or(known.database);
        // Microseconds are what the database keeps.
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}

fn since(at: Instant) -> SignedDuration {
    SignedDuration::try_from(at.elapsed()).unwrap_or(SignedDuration::ZERO)
}

/// The database's time, and the machine's at the same instant. `None` on SQLite.
async fn ask(db: &Db, machine: &dyn Clock) -> Result<Option<Known>, Error> {
    let Some((database, at)) = db.now().await? else { return Ok(None) };
    let machine = machine.now().saturating_sub(since(at)).unwrap_or(database);
    Ok(Some(Known { at, database, machine }))
}

async fn keep(clock: Arc<DatabaseClock>, db: Db, mut stopping: watch::Receiver<bool>) {
    let mut asked = Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stopping.wait_for(|is_stopping| *is_stopping) => return,
        }
        let has_jumped = clock.has_jumped();
        if !has_jumped && asked.elapsed() < EVERY {
            continue;
        }
        match ask(&db, &*clock.machine).await {
            Ok(Some(known)) => {
                if has_jumped {
                    tell(known);
                }
                *clock.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
                asked = Instant::now();
            }
            Ok(None) => return,
            // Counting goes on from the last answer.
            Err(cause) => tracing::debug!(error.cause = %cause, "the database does not tell the time"),
        }
    }
}

/// Says in the log how far the machine is off, where that may surprise somebody who compares logs.
fn tell(known: Known) {
    let ahead = known.machine.duration_since(known.database);
    if ahead.abs() > JUMP {
        let fix = "set the machine's clock (timedatectl set-ntp true)";
        tracing::warn!(
            ahead_s = ahead.as_secs(),
            fix,
            "this machine's clock is not the database's, which is followed"
        );
    }
}
