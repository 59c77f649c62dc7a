//! Passkeys of members: a second factor that a browser or a device holds.

use citadel_domain::{MemberId, PasskeyId};
use jiff::Timestamp;

use crate::{Error, Row, Tx, value::params};

/// A passkey.
#[derive(Clone, Debug)]
pub struct Passkey {
    pub id: PasskeyId,
    pub member_id: MemberId,
    /// As its owner calls it.
    pub name: String,
    /// What proves it: public parts only, as JSON.
    pub credential: String,
    pub created_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

/// Keeps a passkey.
pub async fn create(tx: &mut Tx<'_>, new: &Passkey) -> Result<(), Error> {
    tx.execute(
        "insert into passkeys (id, member_id, name, credential, created_at) values ($1, $2, $3, $4, $5)",
        params![new.id, new.member_id, &new.name, &new.credential, new.created_at],
    )
    .await
    .map(drop)
}

/// The passkeys of a member, oldest first.
pub async fn list(tx: &mut Tx<'_>, member_id: MemberId) -> Result<Vec<Passkey>, Error> {
    tx.fetch_all(
        "select id, member_id, name, credential, created_at, used_at from passkeys
          where member_id = $1 order by created_at, id",
        params![member_id],
        read,
    )
    .await
}

/// Members who have a passkey.
pub async fn owners(tx: &mut Tx<'_>) -> Result<Vec<MemberId>, Error> {
    tx.fetch_all("select distinct member_id from passkeys", &[], |row: &Row<'_>| row.get(0)).await
}

/// Says that a passkey was used, and keeps its new counter. `false` when it was deleted meanwhile.
pub async fn set_used(tx: &mut Tx<'_>, used: &Passkey, now: Timestamp) -> Result<bool, Error> {
    let kept = tx
        .execute(
            "update passkeys set credential = $3, used_at = $4 where member_id = $1 and id = $2",
            params![used.member_id, used.id, &used.credential, now],
        )
        .await?;
    Ok(kept == 1)
}

/// Forgets a passkey. `false` when the member has no such one.
pub async fn delete(tx: &mut Tx<'_>, member_id: MemberId, id: PasskeyId) -> Result<bool, Error> {
    Ok(tx.execute("delete from passkeys where member_id = $1 and id = $2", params![member_id, id]).await?
        == 1)
}

fn read(row: &Row<'_>) -> Result<Passkey, Error> {
    Ok(Passkey {
        id: row.get(0)?,
        member_id: row.get(1)?,
        name: row.get(2)?,
        credential: row.get(3)?,
        created_at: row.get(4)?,
        used_at: row.get(5)?,
    })
}
