//! Members: the people who use the dashboard. They belong to the server; who signs in is looked up before any client is known.

use citadel_domain::{ClientId, MemberId, Role};
use jiff::Timestamp;

use crate::{Error, Row, Tx, value::params};

/// A member to be made.
#[derive(Clone, Debug)]
pub struct NewMember {
    pub id: MemberId,
    /// The one client that the member sees; `None` for all.
    pub client_id: Option<ClientId>,
    /// In lower case.
    pub email: String,
    pub name: String,
    pub role: Role,
    /// As Argon2 prints it.
    pub password_hash: String,
    pub created_at: Timestamp,
}

/// A member who was not removed.
#[derive(Clone, Debug)]
pub struct Member {
    pub id: MemberId,
    pub client_id: Option<ClientId>,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub password_hash: String,
    /// What the seed of the one-time codes is made of. `None`: the member has none.
    pub totp_salt: Option<Vec<u8>>,
    pub created_at: Timestamp,
}

impl Member {
    /// Whether the member sees this client.
    pub fn sees(&self, client_id: ClientId) -> bool {
        self.client_id.is_none_or(|own| own == client_id)
    }
}

/// What [`read`] reads, in its order.
macro_rules! columns {
    () => {
        "id, sees_client_id, email, name, role, password_hash, totp_salt, created_at"
    };
}

/// Makes a member. `false` when somebody has this address already.
pub async fn create(tx: &mut Tx<'_>, new: &NewMember) -> Result<bool, Error> {
    let made = tx
        .execute(
            "insert into members (id, sees_client_id, email, name, role, password_hash, created_at)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (email) where removed_at is null do nothing",
            params![
                new.id,
                new.client_id,
                &new.email,
                &new.name,
                new.role,
                &new.password_hash,
                new.created_at
            ],
        )
        .await?;
    Ok(made == 1)
}

/// Whether there is any member.
pub async fn is_any(tx: &mut Tx<'_>) -> Result<bool, Error> {
    let found = tx
        .fetch_optional("select id from members where removed_at is null limit 1", &[], |row| {
            row.get::<MemberId>(0)
        })
        .await?;
    Ok(found.is_some())
}

/// The member with this address, in lower case.
pub async fn find_by_email(tx: &mut Tx<'_>, email: &str) -> Result<Option<Member>, Error> {
    tx.fetch_optional(
        concat!("select ", columns!(), " from members where email = $1 and removed_at is null"),
        params![email],
        read,
    )
    .await
}

/// The member with this id.
pub async fn find(tx: &mut Tx<'_>, id: MemberId) -> Result<Option<Member>, Error> {
    tx.fetch_optional(
        concat!("select ", columns!(), " from members where id = $1 and removed_at is null"),
        params![id],
        read,
    )
    .await
}

/// Every member, oldest first.
pub async fn list(tx: &mut Tx<'_>) -> Result<Vec<Member>, Error> {
    tx.fetch_all(
        concat!("select ", columns!(), " from members where removed_at is null order by created_at, id"),
        &[],
        read,
    )
    .await
}

/// What came of a change that could take the last owner away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    Done,
    /// The member is the last owner of every client, and stays.
    LastOwner,
    /// No such member.
    Unknown,
}

/// Gives a member another role.
pub async fn set_role(tx: &mut Tx<'_>, id: MemberId, role: Role) -> Result<Changed, Error> {
    change(tx, id, role == Role::Owner, async |tx| {
        tx.execute("update members set role = $2 where id = $1", params![id, role]).await
    })
    .await
}

/// Takes a member away, with sessions, passkeys and codes.
pub async fn remove(tx: &mut Tx<'_>, id: MemberId, now: Timestamp) -> Result<Changed, Error> {
    change(tx, id, false, async |tx| take_away(tx, id, now).await).await
}

/// Takes away every member who sees a client that is gone, and nothing else.
pub(crate) async fn remove_of_client(
    tx: &mut Tx<'_>,
    client_id: ClientId,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "select id from members where sees_client_id = $1 and removed_at is null";
    for id in tx.fetch_all(sql, params![client_id], |row| row.get(0)).await? {
        take_away(tx, id, now).await?;
    }
    Ok(())
}

async fn take_away(tx: &mut Tx<'_>, id: MemberId, now: Timestamp) -> Result<u64, Error> {
    for statement in [
        "delete from dashboard_sessions where member_id = $1",
        "delete from passkeys where member_id = $1",
        "delete from recovery_codes where member_id = $1",
        "delete from invitations where member_id = $1",
    ] {
        tx.execute(statement, params![id]).await?;
    }
    tx.execute(
        "update members set removed_at = $2, password_hash = '', totp_salt = null where id = $1",
        params![id, now],
    )
    .await
}

/// A change that is not made when it would leave nobody who owns everything.
async fn change(
    tx: &mut Tx<'_>,
    id: MemberId,
    stays_owner: bool,
    make: impl AsyncFnOnce(&mut Tx<'_>) -> Result<u64, Error>,
) -> Result<Changed, Error> {
    // A write that changes nothing holds the owners' rows, so that two who take each other's role away count one after another.
    tx.execute(
        "update members set role = role where role = 'owner' and sees_client_id is null and removed_at is null",
        &[],
    )
    .await?;
    let all = list(tx).await?;
    let owns_all = |member: &&Member| member.role == Role::Owner && member.client_id.is_none();
    let Some(member) = all.iter().find(|member| member.id == id) else { return Ok(Changed::Unknown) };
    if owns_all(&member) && !stays_owner && all.iter().filter(owns_all).count() == 1 {
        return Ok(Changed::LastOwner);
    }
    make(tx).await?;
    Ok(Changed::Done)
}

/// Makes other transactions that lock the member wait until this one ends.
pub async fn lock(tx: &mut Tx<'_>, id: MemberId) -> Result<(), Error> {
    tx.execute("update members set role = role where id = $1", params![id]).await.map(drop)
}

/// Sets a new password.
pub async fn set_password(tx: &mut Tx<'_>, id: MemberId, password_hash: &str) -> Result<(), Error> {
    tx.execute("update members set password_hash = $2 where id = $1", params![id, password_hash])
        .await
        .map(drop)
}

/// Gives a member one-time codes, or with `None` takes them away.
pub async fn set_totp(tx: &mut Tx<'_>, id: MemberId, salt: Option<&[u8]>, step: i64) -> Result<(), Error> {
    tx.execute(
        "update members set totp_salt = $2, totp_step = $3 where id = $1",
        params![id, salt.map(<[u8]>::to_vec), step],
    )
    .await
    .map(drop)
}

/// Spends the one-time code of a step of time. `false` when it or a later one was used already: of any number of uses at once,
/// one succeeds (P55).
pub async fn spend_totp(tx: &mut Tx<'_>, id: MemberId, step: i64) -> Result<bool, Error> {
    let spent = tx
        .execute(
            "update members set totp_step = $2
              where id = $1 and totp_step < $2 and totp_salt is not null and removed_at is null",
            params![id, step],
        )
        .await?;
    Ok(spent == 1)
}

/// Puts new recovery codes in the place of all that there were.
pub async fn set_recovery_codes(tx: &mut Tx<'_>, id: MemberId, hashes: &[[u8; 32]]) -> Result<(), Error> {
    tx.execute("delete from recovery_codes where member_id = $1", params![id]).await?;
    for hash in hashes {
        tx.execute("insert into recovery_codes (code_hash, member_id) values ($1, $2)", params![hash, id])
            .await?;
    }
    Ok(())
}

/// Spends a recovery code. Of any number of uses at once, one succeeds.
pub async fn spend_recovery_code(tx: &mut Tx<'_>, id: MemberId, hash: &[u8; 32]) -> Result<bool, Error> {
    let spent = tx
        .execute("delete from recovery_codes where code_hash = $1 and member_id = $2", params![hash, id])
        .await?;
    Ok(spent == 1)
}

/// How many recovery codes are left.
pub async fn count_recovery_codes(tx: &mut Tx<'_>, id: MemberId) -> Result<i64, Error> {
    tx.fetch_one(
        "select cast(count(*) as bigint) from recovery_codes where member_id = $1",
        params![id],
        |row| row.get(0),
    )
    .await
}

/// Keeps the hash of a set-up code.
pub async fn add_setup_code(tx: &mut Tx<'_>, hash: &[u8; 32], expires_at: Timestamp) -> Result<(), Error> {
    tx.execute("insert into setup_codes (code_hash, expires_at) values ($1, $2)", params![hash, expires_at])
        .await
        .map(drop)
}

/// Whether a set-up code is good.
pub async fn has_setup_code(tx: &mut Tx<'_>, hash: &[u8; 32], now: Timestamp) -> Result<bool, Error> {
    let found = tx
        .fetch_optional(
            "select expires_at from setup_codes where code_hash = $1 and expires_at > $2",
            params![hash, now],
            |row| row.get::<Timestamp>(0),
        )
        .await?;
    Ok(found.is_some())
}

/// Spends a set-up code, and ends all others. `false` when it is not good.
pub async fn spend_setup_code(tx: &mut Tx<'_>, hash: &[u8; 32], now: Timestamp) -> Result<bool, Error> {
    let spent = tx
        .execute("delete from setup_codes where code_hash = $1 and expires_at > $2", params![hash, now])
        .await?;
    if spent == 1 {
        tx.execute("delete from setup_codes", &[]).await?;
    }
    Ok(spent == 1)
}

fn read(row: &Row<'_>) -> Result<Member, Error> {
    Ok(Member {
        id: row.get(0)?,
        client_id: row.get(1)?,
        email: row.get(2)?,
        name: row.get(3)?,
        role: row.get(4)?,
        password_hash: row.get(5)?,
        totp_salt: row.get(6)?,
        created_at: row.get(7)?,
    })
}
