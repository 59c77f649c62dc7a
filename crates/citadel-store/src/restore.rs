//! What a database that came back from a backup must forget before anybody is served (P60).

use citadel_domain::{AccessKeyId, ClientId};
use jiff::Timestamp;

use crate::{
    Error, Row, Tx, access_keys,
    deletions::{Deletion, Stamp},
    value::params,
};

/// Ends what may have been used since the backup was taken: public tokens, each good for one use, and sign-ins that were under
/// way. Tasks that ran go on without their sign-in, and so end.
pub async fn end_unspent(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, Error> {
    let revoked = tx
        .execute(
            "update public_tokens set revoked_at = $1 where spent_at is null and revoked_at is null",
            params![now],
        )
        .await?;
    // Whoever used the dashboard signs in again; an invitation, and a set-up code, may have been used since.
    let mut gone = 0;
    for statement in [
        "delete from logins",
        "delete from dashboard_sessions",
        "delete from invitations",
        "delete from setup_codes",
    ] {
        gone += tx.execute(statement, &[]).await?;
    }
    Ok(revoked + gone)
}

/// Ends every token and session, and orders that are open: nobody can tell which ones were ended since the backup was taken. Links, people and reports
/// stay; a link's data is asked for under the link's id, with a key.
pub async fn end_tokens(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, Error> {
    let links = tx
        .execute(
            "update links set access_token_hash = null, access_token_sealed = null where access_token_hash is not null",
            &[],
        )
        .await?;
    let sessions = tx
        .execute(
            "update bridge_tokens set account_sealed = null, expires_at = created_at where expires_at > created_at",
            &[],
        )
        .await?;
    // The address of an order's page is a token too, from which new ones come.
    tx.execute(
        "update order_employers set bridge_token_sealed = $1 where exists (
             select 1 from orders where orders.client_id = order_employers.client_id
                and orders.id = order_employers.order_id and orders.completed_at is null)",
        params![&Vec::<u8>::new()],
    )
    .await?;
    let pages = tx
        .execute(
            "update orders set canceled_at = $1, page_token_sealed = $2
              where completed_at is null and canceled_at is null and expired_at is null",
            params![now, &Vec::<u8>::new()],
        )
        .await?;
    Ok(links + sessions + pages)
}

/// An active key, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyOf {
    pub client_id: ClientId,
    pub client_name: String,
    pub id: AccessKeyId,
    pub environment: citadel_domain::Environment,
    pub created_at: Timestamp,
}

/// Every active key.
pub async fn list_keys(tx: &mut Tx<'_>) -> Result<Vec<KeyOf>, Error> {
    tx.fetch_all(
        "select c.id, c.name, k.id, k.environment, k.created_at from access_keys k join clients c on c.id = k.client_id
          where k.deleted_at is null order by c.created_at, c.id, k.created_at, k.id",
        &[],
        |row: &Row<'_>| {
            Ok(KeyOf {
                client_id: row.get(0)?,
                client_name: row.get(1)?,
                id: row.get(2)?,
                environment: row.get(3)?,
                created_at: row.get(4)?,
            })
        },
    )
    .await
}

/// Ends a key, as [`access_keys::delete`].
pub async fn end_key(tx: &mut Tx<'_>, key: &KeyOf, stamp: Stamp) -> Result<bool, Error> {
    access_keys::delete(tx, key.client_id, key.id, stamp).await
}

/// The entries of a ledger's text, as it lies in `deletions.log`. A last line without its end is left out: its deletion was
/// never answered.
pub fn parse_ledger(text: &str, path: &std::path::Path) -> Result<Vec<Deletion>, Error> {
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    crate::ledger_file::parse(&text[..whole], path)
}
