//! Entries that were kept for five years go, the oldest first.

use citadel_domain::ClientId;
use jiff::{SignedDuration, Timestamp};

use super::Chain;
use crate::{Error, Keyring, Row, Tx, value::params};

/// How long an entry is kept: five years.
pub const KEPT: SignedDuration = SignedDuration::from_hours(1827 * 24);
/// Entries that go in one step.
const AT_ONCE: i64 = 500;

/// Takes some entries from before this time off the beginning of one chain; answers how many. The head keeps the hash of the last
/// of them, with which what is left begins, so that it verifies as before.
pub async fn forget(
    tx: &mut Tx<'_>,
    keyring: &Keyring,
    client_id: ClientId,
    before: Timestamp,
) -> Result<u64, Error> {
    let mut chain = Chain::hold(tx, keyring, client_id).await?;
    let is_good = chain.is_sealed(keyring);
    let oldest = tx
        .fetch_all(
            "select number, at, entry_hash from audit_entries where client_id = $1 and number > $2
              order by number limit $3",
            params![client_id, chain.dropped, AT_ONCE],
            |row: &Row<'_>| Ok((row.get::<i64>(0)?, row.get::<Timestamp>(1)?, row.get::<[u8; 32]>(2)?)),
        )
        .await?;
    let Some((number, _, hash)) = oldest.into_iter().take_while(|(_, at, _)| *at < before).last() else {
        return Ok(0);
    };
    (chain.dropped, chain.dropped_hash) = (number, hash);
    if is_good {
        chain.seal = chain.seal(keyring);
    }
    // The head first: the database lets go of nothing that it has not given up.
    chain.write(tx).await?;
    tx.execute("delete from audit_entries where client_id = $1 and number <= $2", params![client_id, number])
        .await
}
