//! Tries to sign in, counted by the hour: at a login of a provider, and from an address, through whichever client's widget
//! they come (P14). The rows hold keyed hashes and nothing of the person.

use jiff::{SignedDuration, Timestamp};

use crate::{Error, Tx, value::params};

const HOUR: i64 = 3_600_000_000;

/// How often.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// In one hour of the clock.
    pub most: i64,
    /// After the first try of an hour; after the n-th it is n² times as long.
    pub pause: SignedDuration,
}

/// Counts one more try, or tells how long to wait for it. Two at once count one after the other.
pub async fn count(
    tx: &mut Tx<'_>,
    key_hash: &[u8; 32],
    limit: Limit,
    now: Timestamp,
) -> Result<Option<SignedDuration>, Error> {
    let micros = now.as_microsecond();
    let hour = micros - micros.rem_euclid(HOUR);
    let pause = i64::try_from(limit.pause.as_micros()).unwrap_or(HOUR);
    let counted = tx
        .execute(
            "insert into sign_in_tries (key_hash, hour, tries, last_at) values ($1, $2, 1, $3)
             on conflict (key_hash, hour) do update
                set tries = sign_in_tries.tries + 1, last_at = excluded.last_at
              where sign_in_tries.tries < $4
                and sign_in_tries.last_at + sign_in_tries.tries * sign_in_tries.tries * $5 <= excluded.last_at",
            params![&key_hash[..], hour, micros, limit.most, pause],
        )
        .await?;
    if counted > 0 {
        return Ok(None);
    }
    let (tries, last_at): (i64, i64) = tx
        .fetch_one(
            "select tries, last_at from sign_in_tries where key_hash = $1 and hour = $2",
            params![&key_hash[..], hour],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .await?;
    let next = if tries < limit.most { last_at + tries * tries * pause } else { hour + HOUR };
    Ok(Some(SignedDuration::from_micros((next - micros).max(0))))
}

/// Forgets the hours that are over; answers how many rows.
pub async fn delete_before(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, Error> {
    let before = now.as_microsecond().saturating_sub(HOUR);
    tx.execute("delete from sign_in_tries where hour < $1", params![before]).await
}

/// Forgets the tries of this hour: who signed in has guessed nothing.
pub async fn forgive(tx: &mut Tx<'_>, key_hash: &[u8; 32]) -> Result<(), Error> {
    tx.execute("delete from sign_in_tries where key_hash = $1", params![&key_hash[..]]).await.map(drop)
}
