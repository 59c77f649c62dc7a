//! How many calls an access key may make in a minute, all endpoints together (P46): a bucket of that many, which fills up again
//! evenly.
//!
//! On SQLite it is in the memory of the one process. On Postgres all nodes share it. A node takes calls out of it in advance: one
//! for a key that calls now and then, twice as many each time that those were used up at once, up to a twentieth of a minute's.
//! So there is a write for every fifteenth call of a busy key, and what one node has taken and not used is all that others miss.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use citadel_domain::AccessKeyId;
use citadel_store::{
    Db,
    call_rates::{self, Bucket},
};
use jiff::Timestamp;
use tokio::time::timeout;

use crate::error::{self, ApiResult};

const MINUTE: i64 = 60_000_000;
/// How long calls that were taken in advance are good; what is left of them then goes back. In microseconds.
const LIFE: i64 = 2_000_000;
/// How long the database may take to count. A node that cannot count with the others counts alone for a while.
const PATIENCE: Duration = Duration::from_secs(1);
const ALONE: i64 = 5_000_000;
/// Keys that are remembered before those that have not called lately are forgotten.
const MANY: usize = 10_000;

/// The buckets.
pub(crate) struct RateLimit {
    /// 0: there is none.
    per_minute: u32,
    keys: Mutex<HashMap<AccessKeyId, Key>>,
}

/// What this node knows of a key. Instants are in microseconds.
#[derive(Default)]
struct Key {
    /// When the bucket will be full again, as far as this node alone counts.
    full_at: i64,
    /// Calls that were taken in advance, how many they were, and until when they are good.
    left: u32,
    taken: u32,
    good_until: i64,
    /// When the next call fits into the bucket.
    fits_at: i64,
    /// Until when this node counts alone.
    alone_until: i64,
    /// Held by whoever asks the database: the others wait for what it brings.
    gate: Arc<tokio::sync::Mutex<()>>,
}

impl RateLimit {
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute, keys: Mutex::default() }
    }

    /// Takes one call out of a key's bucket, or refuses it.
    pub(crate) async fn take(&self, db: &Db, key: AccessKeyId, now: Timestamp) -> ApiResult<()> {
        if self.per_minute == 0 {
            return Ok(());
        }
        let at = now.as_microsecond();
        if !db.is_shared() {
            return self.take_alone(key, at);
        }
        let gate = match self.take_in_advance(key, at) {
            Some(answer) => return answer,
            None => Arc::clone(&self.of(&mut self.lock(at), key).gate),
        };
        let _held = gate.lock().await;
        // Whoever held it before may have brought enough.
        if let Some(answer) = self.take_in_advance(key, at) {
            return answer;
        }
        self.draw(db, key, now).await
    }

    /// A call out of those that were taken in advance. `None`: the database must be asked.
    fn take_in_advance(&self, key: AccessKeyId, at: i64) -> Option<ApiResult<()>> {
        let mut keys = self.lock(at);
        let known = self.of(&mut keys, key);
        if at < known.alone_until {
            drop(keys);
            return Some(self.take_alone(key, at));
        }
        if known.left > 0 && at < known.good_until {
            known.left -= 1;
            return Some(Ok(()));
        }
        // As in `take_alone`: nobody is shut out for longer than a minute.
        let is_refused = at < known.fits_at && known.fits_at <= at + MINUTE;
        is_refused.then(|| Err(self.refusal(known.fits_at - at)))
    }

    /// Takes calls out of the bucket that all nodes share, the one that is being made among them.
    async fn draw(&self, db: &Db, key: AccessKeyId, now: Timestamp) -> ApiResult<()> {
        let at = now.as_microsecond();
        let (wanted, given_back) = {
            let mut keys = self.lock(at);
            let known = self.of(&mut keys, key);
            let is_busy = known.left == 0 && at < known.good_until;
            let most = (self.per_minute / 20).max(1);
            let wanted = if is_busy { (2 * known.taken).clamp(1, most) } else { 1 };
            (wanted, std::mem::take(&mut known.left))
        };
        let bucket = self.bucket();
        let drawn =
            db.write(async move |tx| call_rates::take(tx, key, bucket, now, wanted, given_back).await);
        let drawn = timeout(PATIENCE, drawn).await;
        let mut keys = self.lock(at);
        let known = self.of(&mut keys, key);
        let (taken, full_at) = match drawn {
            Ok(Ok(drawn)) => drawn,
            Ok(Err(_)) | Err(_) => {
                tracing::warn!("cannot count calls with the other nodes; counting alone for a while");
                known.alone_until = at + ALONE;
                drop(keys);
                return self.take_alone(key, at);
            }
        };
        known.fits_at = full_at + bucket.cost - MINUTE;
        if taken == 0 {
            return Err(self.refusal(known.fits_at - at));
        }
        (known.taken, known.left, known.good_until) = (taken, taken - 1, at + LIFE);
        Ok(())
    }

    /// A call out of this node's own bucket.
    fn take_alone(&self, key: AccessKeyId, at: i64) -> ApiResult<()> {
        let mut keys = self.lock(at);
        let known = self.of(&mut keys, key);
        let bucket = self.bucket();
        let (taken, full_at) = bucket.take(known.full_at, at, 1, 0);
        known.full_at = full_at;
        if taken == 0 {
            return Err(self.refusal(full_at + bucket.cost - (at + MINUTE)));
        }
        Ok(())
    }

    fn bucket(&self) -> Bucket {
        Bucket { cost: MINUTE / i64::from(self.per_minute), whole: MINUTE }
    }

    fn refusal(&self, wait: i64) -> error::ApiError {
        let seconds = u32::try_from((wait + 999_999) / 1_000_000).unwrap_or(60).max(1);
        let reason = format!("More than {} requests a minute with this access secret", self.per_minute);
        error::throttled(&reason, seconds)
    }

    fn of<'a>(&self, keys: &'a mut HashMap<AccessKeyId, Key>, key: AccessKeyId) -> &'a mut Key {
        keys.entry(key).or_default()
    }

    fn lock(&self, at: i64) -> MutexGuard<'_, HashMap<AccessKeyId, Key>> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MANY {
            keys.retain(|_, key| key.full_at > at || key.good_until > at || Arc::strong_count(&key.gate) > 1);
        }
        keys
    }
}
