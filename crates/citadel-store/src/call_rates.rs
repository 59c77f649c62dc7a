//! How often access keys call, counted for all nodes together: a bucket per key, which fills up again evenly (P46).

use citadel_domain::AccessKeyId;
use jiff::Timestamp;

use crate::{Error, Tx, value::params};

/// How much a bucket holds, and in which time it fills up.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    /// Microseconds after which one more call fits.
    pub cost: i64,
    /// Microseconds in which an empty bucket fills up.
    pub whole: i64,
}

impl Bucket {
    /// How many of the wanted calls fit, and when the bucket is full again after them. `given_back` were taken before, and not
    /// made.
    pub fn take(self, full_at: i64, now: i64, wanted: u32, given_back: u32) -> (u32, i64) {
        // A clock that was set back shuts nobody out for longer than the bucket takes to fill up.
        let full_at = (full_at - self.cost * i64::from(given_back)).clamp(now, now + self.whole);
        let fitting = u32::try_from((now + self.whole - full_at) / self.cost).unwrap_or(0);
        let taken = wanted.min(fitting);
        (taken, full_at + self.cost * i64::from(taken))
    }
}

/// Takes calls out of a key's bucket, as many as fit; answers as [`Bucket::take`].
pub async fn take(
    tx: &mut Tx<'_>,
    key: AccessKeyId,
    bucket: Bucket,
    now: Timestamp,
    wanted: u32,
    given_back: u32,
) -> Result<(u32, i64), Error> {
    let now = now.as_microsecond();
    // The row is held from here on, also where it is as it was.
    let full_at = tx
        .fetch_one(
            "insert into call_rates (access_key_id, full_at) values ($1, $2)
             on conflict (access_key_id) do update set full_at = call_rates.full_at
             returning full_at",
            params![key, now],
            |row| row.get(0),
        )
        .await?;
    let (taken, full_at) = bucket.take(full_at, now, wanted, given_back);
    tx.execute("update call_rates set full_at = $2 where access_key_id = $1", params![key, full_at]).await?;
    Ok((taken, full_at))
}

/// Forgets buckets that have been full since `before`.
pub async fn delete_full(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, Error> {
    tx.execute("delete from call_rates where full_at < $1", params![before]).await
}
