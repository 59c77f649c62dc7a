//! The ledger of deletions: what was deleted and when, by id, and nothing about anybody (P22).
//!
//! Each row is written in the transaction that destroys the keys. A database that comes back from a backup is brought up to
//! the ledger before it is served ([`replay`]), so that nothing deleted comes to life again.

use std::{fmt, str::FromStr};

use citadel_domain::{AccessKeyId, ClientId, DeletionId, Environment, LinkId, UserId};
use jiff::Timestamp;

use crate::{Error, Row, Tenant, Tx, access_keys, clients, links, users, value::params};

/// The name and the time of a deletion. The time is the machine's, whatever a sandbox's clock shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub id: DeletionId,
    pub at: Timestamp,
}

/// What was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    AccessKey(Tenant, AccessKeyId),
    Link(Tenant, LinkId),
    User(Tenant, UserId),
    Client(ClientId),
}

/// An entry of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    pub stamp: Stamp,
    pub deleted: Deleted,
}

impl Deleted {
    const fn kind(self) -> &'static str {
        match self {
            Self::AccessKey(..) => "access_key",
            Self::Link(..) => "link",
            Self::User(..) => "user",
            Self::Client(_) => "client",
        }
    }

    const fn client_id(self) -> ClientId {
        match self {
            Self::AccessKey(tenant, _) | Self::Link(tenant, _) | Self::User(tenant, _) => tenant.client_id,
            Self::Client(client_id) => client_id,
        }
    }

    const fn environment(self) -> Option<Environment> {
        match self {
            Self::AccessKey(tenant, _) | Self::Link(tenant, _) | Self::User(tenant, _) => {
                Some(tenant.environment)
            }
            Self::Client(_) => None,
        }
    }
}

/// Writes an entry.
pub async fn append(tx: &mut Tx<'_>, deletion: &Deletion) -> Result<(), Error> {
    let Deletion { stamp, deleted } = deletion;
    let object: crate::Value = match *deleted {
        Deleted::AccessKey(_, id) => id.into(),
        Deleted::Link(_, id) => id.into(),
        Deleted::User(_, id) => id.into(),
        Deleted::Client(id) => id.into(),
    };
    let values = [
        deleted.client_id().into(),
        stamp.id.into(),
        deleted.environment().into(),
        deleted.kind().into(),
        object,
        stamp.at.into(),
    ];
    tx.execute(
        "insert into deletions (client_id, id, environment, kind, object_id, deleted_at)
         values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        &values,
    )
    .await
    .map(drop)
}

/// Does again what the ledger tells of, unless this database knows it. `false` when it does.
pub async fn replay(tx: &mut Tx<'_>, deletion: &Deletion) -> Result<bool, Error> {
    let Deletion { stamp, deleted } = *deletion;
    if is_known(tx, deletion).await? {
        return Ok(false);
    }
    match deleted {
        Deleted::AccessKey(tenant, id) => drop(access_keys::delete(tx, tenant.client_id, id, stamp).await?),
        Deleted::Link(tenant, id) => drop(links::erase(tx, tenant, id, stamp.at, stamp).await?),
        Deleted::User(tenant, id) => drop(users::erase(tx, tenant, id, stamp.at, stamp).await?),
        Deleted::Client(id) => drop(clients::erase(tx, id, stamp).await?),
    }
    // What the backup never held has its entry all the same.
    append(tx, deletion).await?;
    Ok(true)
}

async fn is_known(tx: &mut Tx<'_>, deletion: &Deletion) -> Result<bool, Error> {
    let known = tx
        .fetch_optional(
            "select id from deletions where client_id = $1 and id = $2",
            params![deletion.deleted.client_id(), deletion.stamp.id],
            |row| row.get::<DeletionId>(0),
        )
        .await?;
    Ok(known.is_some())
}

/// A part of the ledger in the order of ids, beginning after one.
pub async fn list_after(
    tx: &mut Tx<'_>,
    after: Option<(ClientId, DeletionId)>,
    limit: i64,
) -> Result<Vec<Deletion>, Error> {
    let (client_id, id) = after.unwrap_or((ClientId::from_bytes([0; 16]), DeletionId::from_bytes([0; 16])));
    tx.fetch_all(
        "select client_id, id, environment, kind, object_id, deleted_at from deletions
          where (client_id, id) > ($1, $2) order by client_id, id limit $3",
        params![client_id, id, limit],
        read,
    )
    .await
}

impl Deletion {
    /// Where [`list_after`] goes on after this one.
    pub const fn place(&self) -> (ClientId, DeletionId) {
        (self.deleted.client_id(), self.stamp.id)
    }
}

/// Forgets entries that are older than any backup may be; answers how many.
pub async fn delete_before(tx: &mut Tx<'_>, time: Timestamp) -> Result<u64, Error> {
    tx.execute("delete from deletions where deleted_at < $1", params![time]).await
}

pub(crate) fn read(row: &Row<'_>) -> Result<Deletion, Error> {
    let client_id = row.get(0)?;
    let tenant = |row: &Row<'_>| Ok::<_, Error>(Tenant { client_id, environment: row.get(2)? });
    let deleted = match row.get::<String>(3)?.as_str() {
        "access_key" => Deleted::AccessKey(tenant(row)?, row.get(4)?),
        "link" => Deleted::Link(tenant(row)?, row.get(4)?),
        "user" => Deleted::User(tenant(row)?, row.get(4)?),
        "client" => Deleted::Client(client_id),
        _ => return Err(Error::Corrupt { what: "a kind of deletion" }),
    };
    Ok(Deletion { stamp: Stamp { id: row.get(1)?, at: row.get(5)? }, deleted })
}

/// One line of the ledger's file: id, time in microseconds, kind, client, and environment and object where there are any.
impl fmt::Display for Deletion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stamp, deleted } = self;
        let (kind, client_id) = (deleted.kind(), deleted.client_id());
        write!(f, "{} {} {kind} {client_id}", stamp.id, stamp.at.as_microsecond())?;
        match deleted {
            Deleted::AccessKey(tenant, id) => write!(f, " {} {id}", tenant.environment),
            Deleted::Link(tenant, id) => write!(f, " {} {id}", tenant.environment),
            Deleted::User(tenant, id) => write!(f, " {} {id}", tenant.environment),
            Deleted::Client(_) => Ok(()),
        }
    }
}

/// The text is no line of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDeletion;

impl FromStr for Deletion {
    type Err = NoDeletion;

    fn from_str(line: &str) -> Result<Self, NoDeletion> {
        let words: Vec<_> = line.split(' ').collect();
        let [id, at, kind, client_id, rest @ ..] = words.as_slice() else { return Err(NoDeletion) };
        let at = at.parse().ok().and_then(|micros| Timestamp::from_microsecond(micros).ok());
        let stamp = Stamp { id: parsed(id)?, at: at.ok_or(NoDeletion)? };
        let client_id = parsed(client_id)?;
        let deleted = match (*kind, rest) {
            ("client", []) => Deleted::Client(client_id),
            (kind, [environment, object]) => {
                let tenant = Tenant { client_id, environment: parsed(environment)? };
                match kind {
                    "access_key" => Deleted::AccessKey(tenant, parsed(object)?),
                    "link" => Deleted::Link(tenant, parsed(object)?),
                    "user" => Deleted::User(tenant, parsed(object)?),
                    _ => return Err(NoDeletion),
                }
            }
            _ => return Err(NoDeletion),
        };
        Ok(Self { stamp, deleted })
    }
}

fn parsed<T: FromStr>(word: &str) -> Result<T, NoDeletion> {
    word.parse().map_err(|_| NoDeletion)
}
