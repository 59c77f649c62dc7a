//! Two clocks. The machine's runs everything that is about machines: leases, waits at a provider, how long a sign-in and a
//! question are kept, signatures. A client's own runs what is about its world: what day it is, when something happened, how old
//! a token is, when a webhook is tried again. They are the same but in a sandbox whose clock was turned.

use citadel_domain::{Environment, NumberedRandom, Random, random};
use citadel_store::{Error, Tenant, Tx, sandboxes, sandboxes::Pace};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::Offset};

use crate::app::Shared;

/// An instant on both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// On the client's.
    pub(crate) now: Timestamp,
    /// On the machine's.
    pub(crate) live: Timestamp,
    pace: Pace,
}

/// How long a job sleeps that waits for a clock which stands: turning it wakes the job.
const STANDSTILL: SignedDuration = SignedDuration::from_hours(24);

impl Moment {
    pub(crate) fn of(pace: Pace, live: Timestamp) -> Self {
        Self { now: pace.shows(live), live, pace }
    }

    /// Whether the client's clock runs.
    pub(crate) const fn is_running(&self) -> bool {
        matches!(self.pace, Pace::Running { .. })
    }

    /// The client's day, in UTC.
    pub(crate) fn today(&self) -> Date {
        Offset::UTC.to_datetime(self.now).date()
    }

    /// When the machine's clock should be looked at for something that is due at a time of the client's.
    pub(crate) fn live_at(&self, due: Timestamp) -> Timestamp {
        let wait = due.duration_since(self.now);
        let wait = match self.pace {
            Pace::Standing { .. } if wait.is_positive() => STANDSTILL,
            _ => wait.max(SignedDuration::ZERO),
        };
        self.live.saturating_add(wait).unwrap_or(self.live)
    }
}

impl Shared {
    /// The present instant.
    pub(crate) async fn moment(&self, tenant: Tenant) -> Result<Moment, Error> {
        if tenant.environment != Environment::Sandbox {
            return Ok(self.live_moment());
        }
        let db = self.db.scoped(tenant.client_id);
        let pace = db.read(async move |tx| sandboxes::pace(tx, tenant).await).await?;
        Ok(Moment::of(pace, self.clock.now()))
    }

    /// The present instant where no client's clock was turned.
    pub(crate) fn live_moment(&self) -> Moment {
        Moment::of(Pace::Running { ahead: SignedDuration::ZERO }, self.clock.now())
    }

    /// Where an id of something that belongs to something else comes from: in the sandbox a function of the seed, the other one's
    /// id, a word and a number, elsewhere chance.
    pub(crate) fn id_source(
        &self,
        tenant: Tenant,
        parent: &[u8],
        word: &str,
        number: i64,
    ) -> Box<dyn Random + '_> {
        if tenant.environment != Environment::Sandbox {
            return Box::new(Machine(&*self.random));
        }
        let seed = self.sandbox.seed.as_bytes();
        let number = number.unsigned_abs();
        let seed = random::seed_of(&[seed, parent, word.as_bytes(), &number.to_be_bytes()]);
        Box::new(NumberedRandom::new(seed, number))
    }

    /// Where the id of something comes from that belongs to nothing but its client: it is counted.
    pub(crate) async fn next_id_source(
        &self,
        tx: &mut Tx<'_>,
        tenant: Tenant,
        word: &str,
    ) -> Result<Box<dyn Random + '_>, Error> {
        if tenant.environment != Environment::Sandbox {
            return Ok(Box::new(Machine(&*self.random)));
        }
        let (client, number) = sandboxes::count(tx, tenant).await?;
        Ok(self.id_source(tenant, &client.to_be_bytes(), word, number))
    }
}

/// The machine's chance.
struct Machine<'a>(&'a dyn Random);

impl Random for Machine<'_> {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}
