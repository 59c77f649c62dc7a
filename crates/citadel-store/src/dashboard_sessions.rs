//! Sessions of the dashboard (P53). A session is found by the keyed hash of its cookie, and ends by its row.

use citadel_domain::{MemberId, SessionId};
use jiff::{SignedDuration, Timestamp};

use crate::{Error, Row, Tx, value::params};

/// A session ends when nothing came for so long, and when it is so old.
pub const IDLE: SignedDuration = SignedDuration::from_mins(30);
pub const LONGEST: SignedDuration = SignedDuration::from_hours(12);

/// A session.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: SessionId,
    pub token_hash: [u8; 32],
    pub member_id: MemberId,
    /// What the browser calls itself.
    pub agent: String,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    /// When the second factor was last proven. `None`: not yet, and the session may do nothing else.
    pub factor_at: Option<Timestamp>,
}

/// What [`read`] reads, in its order.
macro_rules! columns {
    () => {
        "id, token_hash, member_id, agent, created_at, seen_at, factor_at"
    };
}

/// Begins a session.
pub async fn create(tx: &mut Tx<'_>, new: &Session) -> Result<(), Error> {
    tx.execute(
        "insert into dashboard_sessions (id, token_hash, member_id, agent, created_at, seen_at, factor_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        params![
            new.id,
            new.token_hash,
            new.member_id,
            &new.agent,
            new.created_at,
            new.seen_at,
            new.factor_at
        ],
    )
    .await
    .map(drop)
}

/// The session of a cookie, unless it has ended.
pub async fn find(tx: &mut Tx<'_>, token_hash: &[u8; 32], now: Timestamp) -> Result<Option<Session>, Error> {
    tx.fetch_optional(
        concat!(
            "select ",
            columns!(),
            " from dashboard_sessions where token_hash = $1 and seen_at > $2 and created_at > $3"
        ),
        params![token_hash, now - IDLE, now - LONGEST],
        read,
    )
    .await
}

/// The sessions of a member that go on, the last seen first.
pub async fn list(tx: &mut Tx<'_>, member_id: MemberId, now: Timestamp) -> Result<Vec<Session>, Error> {
    tx.fetch_all(
        concat!(
            "select ",
            columns!(),
            " from dashboard_sessions where member_id = $1 and seen_at > $2 and created_at > $3
              order by seen_at desc, id"
        ),
        params![member_id, now - IDLE, now - LONGEST],
        read,
    )
    .await
}

/// Says that a session was seen.
pub async fn touch(tx: &mut Tx<'_>, id: SessionId, now: Timestamp) -> Result<(), Error> {
    tx.execute("update dashboard_sessions set seen_at = $2 where id = $1 and seen_at < $2", params![id, now])
        .await
        .map(drop)
}

/// Ends a session of a member. `false` when there is none.
pub async fn end(tx: &mut Tx<'_>, member_id: MemberId, id: SessionId) -> Result<bool, Error> {
    let ended = tx
        .execute("delete from dashboard_sessions where member_id = $1 and id = $2", params![member_id, id])
        .await?;
    Ok(ended == 1)
}

/// Ends the sessions of a member, but for one that goes on.
pub async fn end_others(tx: &mut Tx<'_>, member_id: MemberId, but: Option<SessionId>) -> Result<u64, Error> {
    tx.execute(
        "delete from dashboard_sessions where member_id = $1 and id <> $2",
        params![member_id, but.unwrap_or(SessionId::from_bytes([0; 16]))],
    )
    .await
}

/// Forgets sessions, invitations and set-up codes whose time is over; answers how many.
pub async fn delete_ended(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, Error> {
    let mut gone = tx
        .execute(
            "delete from dashboard_sessions where seen_at <= $1 or created_at <= $2",
            params![now - IDLE, now - LONGEST],
        )
        .await?;
    for statement in
        ["delete from invitations where expires_at <= $1", "delete from setup_codes where expires_at <= $1"]
    {
        gone += tx.execute(statement, params![now]).await?;
    }
    Ok(gone)
}

fn read(row: &Row<'_>) -> Result<Session, Error> {
    Ok(Session {
        id: row.get(0)?,
        token_hash: row.get(1)?,
        member_id: row.get(2)?,
        agent: row.get(3)?,
        created_at: row.get(4)?,
        seen_at: row.get(5)?,
        factor_at: row.get(6)?,
    })
}
