//! The audit trail: who did what to what, when, and with what outcome; ids and names of fields, never values (P25, P26).
//!
//! There is a chain of entries per client, and one of the server's own. An entry's hash is keyed and covers the one before it, so
//! whoever can write to the database but lacks the root key can neither change an entry nor make one. A chain's head tells, under
//! a keyed hash of its own, how long it is; what happens to a database that is put back whole to an earlier state is told by the
//! heads that were copied out ([`heads`]). [`verify`](verify::page) checks all of that.
//!
//! The head's row is held until the commit, so entries of one chain follow each other in the order of commits. [`append`] comes
//! after everything else that a transaction locks but the kept answer of an idempotency key: two that take rows in another order
//! would wait for each other.

mod act;
mod detail;
mod forget;
mod list;
pub mod verify;

use citadel_domain::{AccessKeyId, BridgeTokenId, ClientId, Environment, ObjectId, tokens::hex};
use jiff::Timestamp;

pub use self::{
    act::{Act, ActorKind, ObjectKind, Outcome},
    detail::Detail,
    forget::{KEPT, forget},
    list::{Filter, Record, list},
};
use crate::{Error, Keyring, Row, Tx, seal::push_with_length, value::params};

/// Whose chain has what the server does for no client.
pub const SERVER: ClientId = ClientId::from_bytes([0; 16]);

/// Purposes of keyed hashes, beside those of the server.
const ENTRY: &str = "audit_entry";
const HEAD: &str = "audit_head";

const NOTHING: [u8; 32] = [0; 32];

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Actor {
    pub kind: ActorKind,
    pub id: Option<ObjectId>,
}

impl Actor {
    /// A job, or a start.
    pub const SERVER: Self = Self { kind: ActorKind::Server, id: None };
    /// The command line.
    pub const OPERATOR: Self = Self { kind: ActorKind::Operator, id: None };
    /// Somebody without a good key.
    pub const STRANGER: Self = Self { kind: ActorKind::Stranger, id: None };

    /// A client's back end.
    pub const fn access_key(id: AccessKeyId) -> Self {
        Self { kind: ActorKind::AccessKey, id: Some(ObjectId::from_bytes(*id.as_bytes())) }
    }

    /// The person behind a bridge token.
    pub const fn consumer(id: BridgeTokenId) -> Self {
        Self { kind: ActorKind::Consumer, id: Some(ObjectId::from_bytes(*id.as_bytes())) }
    }

    /// Somebody of the dashboard.
    pub const fn member(id: [u8; 16]) -> Self {
        Self { kind: ActorKind::Member, id: Some(ObjectId::from_bytes(id)) }
    }
}

/// What is acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Object {
    pub kind: ObjectKind,
    pub id: Option<ObjectId>,
}

impl Object {
    /// The server itself.
    pub const SERVER: Self = Self { kind: ObjectKind::Server, id: None };

    /// The one with this id.
    pub const fn of(kind: ObjectKind, id: &[u8; 16]) -> Self {
        Self { kind, id: Some(ObjectId::from_bytes(*id)) }
    }
}

/// An entry to be made.
#[derive(Clone, Debug)]
pub struct Entry {
    /// In whose chain; [`SERVER`] for nobody's.
    pub client_id: ClientId,
    pub environment: Option<Environment>,
    /// On the machine's clock.
    pub at: Timestamp,
    pub actor: Actor,
    pub act: Act,
    pub object: Object,
    pub outcome: Outcome,
    /// Of the call that did it.
    pub request_id: Option<String>,
    pub detail: Detail,
}

/// The end of a chain, as it is copied out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub client_id: ClientId,
    /// Entries that were ever made.
    pub number: i64,
    /// The hash of the last.
    pub hash: [u8; 32],
}

/// Adds an entry to its chain, in the transaction of the act; answers its number.
pub async fn append(tx: &mut Tx<'_>, keyring: &Keyring, entry: &Entry) -> Result<i64, Error> {
    append_all(tx, keyring, entry.client_id, std::slice::from_ref(entry)).await
}

/// Adds entries of one chain; answers the number of the last.
pub async fn append_all(
    tx: &mut Tx<'_>,
    keyring: &Keyring,
    client_id: ClientId,
    entries: &[Entry],
) -> Result<i64, Error> {
    let mut chain = Chain::hold(tx, keyring, client_id).await?;
    let is_good = chain.is_sealed(keyring);
    for entry in entries {
        let line = Line::new(entry, client_id, chain.last + 1, chain.last_hash);
        let hash = line.hash(keyring);
        line.insert(tx, &hash).await?;
        (chain.last, chain.last_hash) = (line.number, hash);
    }
    // A head that somebody forged is not made good by what comes after it.
    if is_good {
        chain.seal = chain.seal(keyring);
    }
    chain.write(tx).await?;
    Ok(chain.last)
}

/// Where every chain ends.
pub async fn heads(tx: &mut Tx<'_>) -> Result<Vec<Head>, Error> {
    tx.fetch_all(
        "select client_id, last, last_hash from audit_heads order by client_id",
        &[],
        |row: &Row<'_>| Ok(Head { client_id: row.get(0)?, number: row.get(1)?, hash: row.get(2)? }),
    )
    .await
}

/// A chain's row.
pub(crate) struct Chain {
    client_id: ClientId,
    pub(crate) last: i64,
    pub(crate) last_hash: [u8; 32],
    /// Entries that had their time, and the hash of the last of them.
    pub(crate) dropped: i64,
    pub(crate) dropped_hash: [u8; 32],
    seal: [u8; 32],
}

impl Chain {
    fn empty(keyring: &Keyring, client_id: ClientId) -> Self {
        let mut chain =
            Self { client_id, last: 0, last_hash: NOTHING, dropped: 0, dropped_hash: NOTHING, seal: NOTHING };
        chain.seal = chain.seal(keyring);
        chain
    }

    /// Reads the row, or makes it, and holds it until the commit.
    async fn hold(tx: &mut Tx<'_>, keyring: &Keyring, client_id: ClientId) -> Result<Self, Error> {
        let new = Self::empty(keyring, client_id);
        tx.fetch_one(
            "insert into audit_heads (client_id, last, last_hash, dropped, dropped_hash, seal)
             values ($1, 0, $2, 0, $2, $3)
             on conflict (client_id) do update set last = audit_heads.last
             returning client_id, last, last_hash, dropped, dropped_hash, seal",
            params![client_id, new.last_hash, new.seal],
            Self::read,
        )
        .await
    }

    async fn find(tx: &mut Tx<'_>, client_id: ClientId) -> Result<Option<Self>, Error> {
        tx.fetch_optional(
            "select client_id, last, last_hash, dropped, dropped_hash, seal from audit_heads where client_id = $1",
            params![client_id],
            Self::read,
        )
        .await
    }

    fn read(row: &Row<'_>) -> Result<Self, Error> {
        Ok(Self {
            client_id: row.get(0)?,
            last: row.get(1)?,
            last_hash: row.get(2)?,
            dropped: row.get(3)?,
            dropped_hash: row.get(4)?,
            seal: row.get(5)?,
        })
    }

    fn seal(&self, keyring: &Keyring) -> [u8; 32] {
        let (last, dropped) = (self.last.to_be_bytes(), self.dropped.to_be_bytes());
        let parts: [&[u8]; 5] =
            [self.client_id.as_bytes(), &last, &self.last_hash, &dropped, &self.dropped_hash];
        let mut text = Vec::with_capacity(160);
        parts.iter().for_each(|part| push_with_length(&mut text, part));
        keyring.keyed_hash(HEAD, &text)
    }

    /// Whether the row is as we wrote it.
    pub(crate) fn is_sealed(&self, keyring: &Keyring) -> bool {
        self.seal(keyring) == self.seal
    }

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.execute(
            "update audit_heads set last = $2, last_hash = $3, dropped = $4, dropped_hash = $5, seal = $6
              where client_id = $1",
            params![self.client_id, self.last, self.last_hash, self.dropped, self.dropped_hash, self.seal],
        )
        .await
        .map(drop)
    }
}

/// An entry as it lies in the database, in the database's words: those of a newer release hash the same.
pub(crate) struct Line {
    client_id: ClientId,
    pub(crate) number: i64,
    at: Timestamp,
    actor_kind: String,
    actor_id: Option<ObjectId>,
    environment: Option<String>,
    act: String,
    object_kind: String,
    object_id: Option<ObjectId>,
    outcome: String,
    request_id: Option<String>,
    detail: String,
    previous_hash: [u8; 32],
}

impl Line {
    fn new(entry: &Entry, client_id: ClientId, number: i64, previous_hash: [u8; 32]) -> Self {
        Self {
            client_id,
            number,
            at: entry.at,
            actor_kind: entry.actor.kind.as_str().to_owned(),
            actor_id: entry.actor.id,
            environment: entry.environment.map(|environment| environment.as_str().to_owned()),
            act: entry.act.as_str().to_owned(),
            object_kind: entry.object.kind.as_str().to_owned(),
            object_id: entry.object.id,
            outcome: entry.outcome.as_str().to_owned(),
            request_id: entry.request_id.clone(),
            detail: entry.detail.to_string(),
            previous_hash,
        }
    }

    /// Each field behind its length, and the optional ones behind whether they are there, so that no two entries spell the same.
    fn hash(&self, keyring: &Keyring) -> [u8; 32] {
        fn text(text: Option<&String>) -> Option<&[u8]> {
            text.map(String::as_bytes)
        }
        fn id(id: Option<&ObjectId>) -> Option<&[u8]> {
            id.map(|id| id.as_bytes().as_slice())
        }
        let (number, at) = (self.number.to_be_bytes(), self.at.as_microsecond().to_be_bytes());
        let parts: [Option<&[u8]>; 13] = [
            Some(&self.previous_hash),
            Some(self.client_id.as_bytes()),
            Some(&number),
            Some(&at),
            Some(self.actor_kind.as_bytes()),
            id(self.actor_id.as_ref()),
            text(self.environment.as_ref()),
            Some(self.act.as_bytes()),
            Some(self.object_kind.as_bytes()),
            id(self.object_id.as_ref()),
            Some(self.outcome.as_bytes()),
            text(self.request_id.as_ref()),
            Some(self.detail.as_bytes()),
        ];
        let mut bytes = Vec::with_capacity(384);
        for part in parts {
            bytes.push(u8::from(part.is_some()));
            push_with_length(&mut bytes, part.unwrap_or_default());
        }
        keyring.keyed_hash(ENTRY, &bytes)
    }

    async fn insert(&self, tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<(), Error> {
        tx.execute(
            "insert into audit_entries (client_id, number, at, actor_kind, actor_id, environment, act, object_kind,
                                        object_id, outcome, request_id, detail, previous_hash, entry_hash)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            params![
                self.client_id,
                self.number,
                self.at,
                &self.actor_kind,
                self.actor_id,
                self.environment.as_ref(),
                &self.act,
                &self.object_kind,
                self.object_id,
                &self.outcome,
                self.request_id.as_ref(),
                &self.detail,
                self.previous_hash,
                hash,
            ],
        )
        .await
        .map(drop)
    }
}

/// What a [`Line`] and its hash are read from.
macro_rules! select_lines {
    ($rest:literal) => {
        concat!(
            "select client_id, number, at, actor_kind, actor_id, environment, act, object_kind, object_id, outcome,
                    request_id, detail, previous_hash, entry_hash from audit_entries where ",
            $rest
        )
    };
}
use select_lines;

fn read_line(row: &Row<'_>) -> Result<(Line, [u8; 32]), Error> {
    let line = Line {
        client_id: row.get(0)?,
        number: row.get(1)?,
        at: row.get(2)?,
        actor_kind: row.get(3)?,
        actor_id: row.get(4)?,
        environment: row.get(5)?,
        act: row.get(6)?,
        object_kind: row.get(7)?,
        object_id: row.get(8)?,
        outcome: row.get(9)?,
        request_id: row.get(10)?,
        detail: row.get(11)?,
        previous_hash: row.get(12)?,
    };
    Ok((line, row.get(13)?))
}

/// One line of the file of heads: when, whose, how many, the last one's hash.
impl Head {
    /// As it is written at a time.
    pub fn line(&self, at: Timestamp) -> String {
        format!("{at} {} {} {}", self.client_id, self.number, hex(&self.hash))
    }

    /// What such a line says. `None` for anything else.
    pub fn parse(line: &str) -> Option<Self> {
        let words: Vec<_> = line.split(' ').collect();
        let [_, client_id, number, hash] = words.as_slice() else { return None };
        let hash = crate::root_keys::unhex(hash).ok()?.try_into().ok()?;
        Some(Self { client_id: client_id.parse().ok()?, number: number.parse().ok()?, hash })
    }
}
