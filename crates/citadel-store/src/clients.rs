//! Clients: the companies that use our API.

use citadel_domain::ClientId;
use jiff::Timestamp;

use crate::{
    Error, Row, Tx,
    deletions::{self, Deleted, Deletion, Stamp},
    members, sandboxes,
    value::params,
    words,
};

/// A client to be made.
#[derive(Clone, Debug)]
pub struct NewClient {
    pub id: ClientId,
    pub name: String,
    /// The origins whose pages may frame the widget; none means no page. The sandbox lets pages on loopback in besides.
    pub allowed_origins: Vec<String>,
    pub created_at: Timestamp,
}

/// A client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub id: ClientId,
    pub name: String,
    pub allowed_origins: Vec<String>,
    pub created_at: Timestamp,
}

/// Makes a client, with its sandbox.
pub async fn create(tx: &mut Tx<'_>, new: &NewClient) -> Result<(), Error> {
    tx.execute(
        "insert into clients (id, name, allowed_origins, created_at) values ($1, $2, $3, $4)",
        params![new.id, &new.name, words::join(&new.allowed_origins), new.created_at],
    )
    .await?;
    sandboxes::create(tx, new.id).await
}

/// The client with this id.
pub async fn find(tx: &mut Tx<'_>, id: ClientId) -> Result<Option<Client>, Error> {
    tx.fetch_optional(
        "select id, name, allowed_origins, created_at from clients where id = $1 and deleted_at is null",
        params![id],
        read,
    )
    .await
}

/// Sets the origins whose pages may frame the widget.
pub async fn set_origins(tx: &mut Tx<'_>, id: ClientId, origins: &[String]) -> Result<(), Error> {
    tx.execute("update clients set allowed_origins = $2 where id = $1", params![id, words::join(origins)])
        .await
        .map(drop)
}

/// Every client, oldest first.
pub async fn list(tx: &mut Tx<'_>) -> Result<Vec<Client>, Error> {
    tx.fetch_all(
        "select id, name, allowed_origins, created_at from clients where deleted_at is null order by created_at, id",
        &[],
        read,
    )
    .await
}

/// Erases a client: every key of it goes, and with them all that lies under them; what lies under the root key alone goes too;
/// its work ends, and so do the members who see nothing else; the ledger tells of it (P22). The rows go later, and with them the record of its calls, which holds nothing
/// about anybody. `false` when there is no such client.
pub async fn erase(tx: &mut Tx<'_>, id: ClientId, stamp: Stamp) -> Result<bool, Error> {
    // First the jobs, as in `links::erase`, and once more below.
    const JOBS: [&str; 2] = [
        "delete from jobs where id in (select id from tasks where client_id = $1 and finished_at is null)",
        "delete from jobs where id in (select id from webhooks where client_id = $1)",
    ];
    for statement in JOBS {
        tx.execute(statement, params![id]).await?;
    }
    let erased = tx
        .execute(
            "update clients set deleted_at = $2, name = '', allowed_origins = '' where id = $1 and deleted_at is null",
            params![id, stamp.at],
        )
        .await?;
    if erased == 0 {
        return Ok(false);
    }
    // A task that began while this waited has its job found by its row, which is still open here.
    for statement in JOBS {
        tx.execute(statement, params![id]).await?;
    }
    for statement in [
        "update access_keys set deleted_at = coalesce(deleted_at, $2), secret_sealed = null where client_id = $1",
        "update tasks set status = 'error', step = null, finished_at = $2, updated_at = $2
          where client_id = $1 and finished_at is null",
    ] {
        tx.execute(statement, params![id, stamp.at]).await?;
    }
    for statement in [
        "update links set data_key_wrapped = $3, access_token_hash = null, access_token_sealed = null, grant_sealed = null,
                          person_hash = null, deleted_at = coalesce(deleted_at, $2) where client_id = $1",
        "update users set external_id_hash = null, data_key_wrapped = $3, profile_sealed = $3,
                          deleted_at = coalesce(deleted_at, $2) where client_id = $1",
        "update order_employers set body_sealed = $3, bridge_token_sealed = $3, updated_at = $2 where client_id = $1",
        "update orders set body_sealed = $3, page_token_sealed = $3, canceled_at = coalesce(canceled_at, $2)
          where client_id = $1",
    ] {
        tx.execute(statement, params![id, stamp.at, &Vec::<u8>::new()]).await?;
    }
    for statement in [
        "delete from logins where client_id = $1",
        "delete from idempotency_keys where client_id = $1",
        "delete from public_tokens where client_id = $1",
        "update bridge_tokens set account_sealed = null, expires_at = created_at where client_id = $1",
        "delete from webhooks where client_id = $1",
        "delete from provider_books where client_id = $1",
        "delete from scenarios where client_id = $1",
        "delete from invitations where sees_client_id = $1",
    ] {
        tx.execute(statement, params![id]).await?;
    }
    members::remove_of_client(tx, id, stamp.at).await?;
    deletions::append(tx, &Deletion { stamp, deleted: Deleted::Client(id) }).await?;
    Ok(true)
}

fn read(row: &Row<'_>) -> Result<Client, Error> {
    Ok(Client {
        id: row.get(0)?,
        name: row.get(1)?,
        allowed_origins: words::split(&row.get::<String>(2)?)?,
        created_at: row.get(3)?,
    })
}
