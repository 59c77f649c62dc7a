//! Whether the trail is what was written: step by step, so that nobody waits, and each step on one snapshot.

use std::fmt;

use citadel_domain::ClientId;

use super::{Chain, Head, read_line, select_lines};
use crate::{Error, Keyring, Tx, value::params};

/// Up to where a chain was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub client_id: ClientId,
    pub number: i64,
    /// The hash of the entry with this number.
    pub hash: [u8; 32],
}

/// What is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    pub client_id: ClientId,
    /// The first entry that is not as it was; what follows it was not checked.
    pub number: i64,
    pub what: What,
}

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Its text or its hash was changed, or it is none of ours.
    Changed,
    /// It is not there, or another one stands in its place.
    Missing,
    /// There are entries beyond the end that the head tells.
    Beyond,
    /// The head is not as we wrote it.
    Head,
    /// It is not the one whose hash was copied out.
    Exported,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Entries that were looked at.
    pub checked: u64,
    pub finding: Option<Finding>,
    /// Where the next step begins. `None`: that was all.
    pub next: Option<Place>,
}

/// Checks some entries after a place; begins with `None`. After a finding the next step begins with the next chain.
pub async fn page(
    tx: &mut Tx<'_>,
    keyring: &Keyring,
    after: Option<Place>,
    limit: u32,
) -> Result<Page, Error> {
    let Some(place) = after else {
        let first = next_chain(tx, None).await?;
        return Ok(Page { checked: 0, finding: None, next: first });
    };
    let Some(chain) = Chain::find(tx, place.client_id).await? else {
        return found(tx, 0, place.client_id, 1, What::Head).await;
    };
    if !chain.is_sealed(keyring) {
        return found(tx, 0, place.client_id, chain.last, What::Head).await;
    }
    let (mut number, mut hash) = (place.number, place.hash);
    if number <= chain.dropped {
        (number, hash) = (chain.dropped, chain.dropped_hash);
    }
    // Whatever lies before the beginning is none of ours.
    let from = if number == chain.dropped { i64::MIN } else { number };
    let lines = tx
        .fetch_all(
            select_lines!("client_id = $1 and number > $2 order by number limit $3"),
            params![place.client_id, from, i64::from(limit)],
            read_line,
        )
        .await?;
    let (mut checked, is_end) = (0, lines.len() < limit as usize);
    for (line, entry_hash) in lines {
        checked += 1;
        let what = if line.number > chain.last {
            What::Beyond
        } else if line.number != number + 1 {
            What::Missing
        } else if line.previous_hash != hash || line.hash(keyring) != entry_hash {
            What::Changed
        } else {
            (number, hash) = (line.number, entry_hash);
            continue;
        };
        return found(tx, checked, place.client_id, number + 1, what).await;
    }
    if !is_end {
        let next = Place { client_id: place.client_id, number, hash };
        return Ok(Page { checked, finding: None, next: Some(next) });
    }
    if number != chain.last {
        return found(tx, checked, place.client_id, number + 1, What::Missing).await;
    }
    if hash != chain.last_hash {
        return found(tx, checked, place.client_id, number, What::Changed).await;
    }
    let next = next_chain(tx, Some(place.client_id)).await?;
    Ok(Page { checked, finding: None, next })
}

async fn found(
    tx: &mut Tx<'_>,
    checked: u64,
    client_id: ClientId,
    number: i64,
    what: What,
) -> Result<Page, Error> {
    let next = next_chain(tx, Some(client_id)).await?;
    Ok(Page { checked, finding: Some(Finding { client_id, number, what }), next })
}

/// The beginning of the chain that comes next, with a head or without.
async fn next_chain(tx: &mut Tx<'_>, after: Option<ClientId>) -> Result<Option<Place>, Error> {
    let (client_id, or_equal) = (after.unwrap_or(super::SERVER), after.is_none());
    let read = |row: &crate::Row<'_>| row.get::<ClientId>(0);
    let mut next: Vec<ClientId> = Vec::new();
    for sql in [
        "select client_id from audit_heads where client_id > $1 or (client_id = $1 and $2 = true)
          order by client_id limit 1",
        "select client_id from audit_entries where client_id > $1 or (client_id = $1 and $2 = true)
          order by client_id limit 1",
    ] {
        next.extend(tx.fetch_optional(sql, params![client_id, or_equal], read).await?);
    }
    let place = |client_id| Place { client_id, number: 0, hash: super::NOTHING };
    Ok(next.into_iter().min().map(place))
}

/// Checks that entries whose hashes were copied out are still there. Those that had their time since are not asked for.
pub async fn exported(tx: &mut Tx<'_>, keyring: &Keyring, heads: &[Head]) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    for head in heads {
        let chain = Chain::find(tx, head.client_id).await?;
        let dropped = chain.filter(|chain| chain.is_sealed(keyring)).map_or(0, |chain| chain.dropped);
        if head.number <= dropped {
            continue;
        }
        let hash = tx
            .fetch_optional(
                "select entry_hash from audit_entries where client_id = $1 and number = $2",
                params![head.client_id, head.number],
                |row| row.get::<[u8; 32]>(0),
            )
            .await?;
        if hash != Some(head.hash) {
            let what = What::Exported;
            findings.push(Finding { client_id: head.client_id, number: head.number, what });
        }
    }
    Ok(findings)
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changed => "is not as it was written",
            Self::Missing => "is missing",
            Self::Beyond => "lies beyond the end of its chain",
            Self::Head => "is where the chain ends, and that end was forged",
            Self::Exported => {
                "is not the one whose hash was copied out: the tail was cut, or the database put back"
            }
        })
    }
}
