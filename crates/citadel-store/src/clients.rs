//! Clients: the companies that use our API.

use citadel_domain::ClientId;
use jiff::Timestamp;

use crate::{Error, Row, Tx, sandboxes, value::params, words};

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
        "select id, name, allowed_origins, created_at from clients where id = $1",
        params![id],
        read,
    )
    .await
}

/// Every client, oldest first.
pub async fn list(tx: &mut Tx<'_>) -> Result<Vec<Client>, Error> {
    tx.fetch_all(
        "select id, name, allowed_origins, created_at from clients order by created_at, id",
        &[],
        read,
    )
    .await
}

fn read(row: &Row<'_>) -> Result<Client, Error> {
    Ok(Client {
        id: row.get(0)?,
        name: row.get(1)?,
        allowed_origins: words::split(&row.get::<String>(2)?)?,
        created_at: row.get(3)?,
    })
}
