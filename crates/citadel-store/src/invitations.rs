//! Invitations: links by which somebody joins the dashboard, or a member sets a new password. Each works once.

use citadel_domain::{ClientId, MemberId, Role};
use jiff::Timestamp;

use crate::{Error, Row, Tx, value::params};

/// An invitation.
#[derive(Clone, Debug)]
pub struct Invitation {
    pub token_hash: [u8; 32],
    /// Who sets a new password; `None` for somebody who joins.
    pub member_id: Option<MemberId>,
    pub client_id: Option<ClientId>,
    pub email: String,
    pub role: Role,
    pub invited_by: MemberId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What [`read`] reads, in its order.
macro_rules! columns {
    () => {
        "token_hash, member_id, sees_client_id, email, role, invited_by, created_at, expires_at"
    };
}

/// Makes an invitation; older ones for the same address end.
pub async fn create(tx: &mut Tx<'_>, new: &Invitation) -> Result<(), Error> {
    tx.execute("delete from invitations where email = $1", params![&new.email]).await?;
    tx.execute(
        "insert into invitations (token_hash, member_id, sees_client_id, email, role, invited_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            new.token_hash,
            new.member_id,
            new.client_id,
            &new.email,
            new.role,
            new.invited_by,
            new.created_at,
            new.expires_at
        ],
    )
    .await
    .map(drop)
}

/// The invitation with this token, unless it has ended.
pub async fn find(tx: &mut Tx<'_>, hash: &[u8; 32], now: Timestamp) -> Result<Option<Invitation>, Error> {
    tx.fetch_optional(
        concat!("select ", columns!(), " from invitations where token_hash = $1 and expires_at > $2"),
        params![hash, now],
        read,
    )
    .await
}

/// Every invitation that is open, the newest first.
pub async fn list(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<Invitation>, Error> {
    tx.fetch_all(
        concat!("select ", columns!(), " from invitations where expires_at > $1 order by created_at desc"),
        params![now],
        read,
    )
    .await
}

/// Spends an invitation. Of any number of uses at once, one gets it.
pub async fn spend(tx: &mut Tx<'_>, hash: &[u8; 32], now: Timestamp) -> Result<Option<Invitation>, Error> {
    let found = find(tx, hash, now).await?;
    let spent = tx.execute("delete from invitations where token_hash = $1", params![hash]).await?;
    Ok(found.filter(|_| spent == 1))
}

/// Ends the invitation of an address.
pub async fn withdraw(tx: &mut Tx<'_>, email: &str) -> Result<bool, Error> {
    Ok(tx.execute("delete from invitations where email = $1", params![email]).await? > 0)
}

fn read(row: &Row<'_>) -> Result<Invitation, Error> {
    Ok(Invitation {
        token_hash: row.get(0)?,
        member_id: row.get(1)?,
        client_id: row.get(2)?,
        email: row.get(3)?,
        role: row.get(4)?,
        invited_by: row.get(5)?,
        created_at: row.get(6)?,
        expires_at: row.get(7)?,
    })
}
