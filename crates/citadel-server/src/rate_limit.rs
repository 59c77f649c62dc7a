//! How many calls an access key may make in a minute, all endpoints together (P46): a bucket of that many, which fills up again
//! evenly. It is in the memory of this process; several nodes each have one.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use citadel_domain::AccessKeyId;
use jiff::Timestamp;

use crate::error::{self, ApiResult};

const MINUTE: i64 = 60_000_000;

/// Keys that are remembered before full buckets are forgotten.
const MANY: usize = 10_000;

/// The buckets.
#[derive(Default)]
pub(crate) struct RateLimit {
    /// 0: there is none.
    per_minute: u32,
    /// For each key, when its bucket will be full again, in microseconds.
    full_at: Mutex<HashMap<AccessKeyId, i64>>,
}

impl RateLimit {
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute, ..Self::default() }
    }

    /// Takes one call out of a key's bucket, or refuses it.
    pub(crate) fn take(&self, key: AccessKeyId, now: Timestamp) -> ApiResult<()> {
        if self.per_minute == 0 {
            return Ok(());
        }
        let now = now.as_microsecond();
        let cost = MINUTE / i64::from(self.per_minute);
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MANY {
            buckets.retain(|_, full_at| *full_at > now);
        }
        let full_at = buckets.entry(key).or_insert(now);
        // A clock that was set back shuts nobody out for longer than a minute.
        let after = (*full_at).clamp(now, now + MINUTE) + cost;
        let wait = after - (now + MINUTE);
        if wait > 0 {
            let seconds = u32::try_from((wait + 999_999) / 1_000_000).unwrap_or(60);
            let reason = format!("More than {} requests a minute with this access secret", self.per_minute);
            return Err(error::throttled(&reason, seconds));
        }
        *full_at = after;
        Ok(())
    }
}
