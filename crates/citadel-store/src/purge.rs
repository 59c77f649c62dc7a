//! Takes away the rows of what was erased. The keys went at once, in the transaction of the deletion; this is the rest, in
//! small steps, so that nobody waits long for the writer (P22).

use citadel_domain::{ClientId, LinkId, UserId};

use crate::{Error, Row, Tx, value::params};

/// Links or users that go in one step.
const AT_ONCE: i64 = 50;

/// Takes one step; answers how many rows went. 0: nothing is left to take away.
pub async fn step(tx: &mut Tx<'_>) -> Result<u64, Error> {
    let mut gone = 0;
    for (client_id, id) in erased_links(tx).await? {
        gone += purge_link(tx, client_id, id).await?;
    }
    if gone == 0 {
        for (client_id, id) in erased_users(tx).await? {
            gone += purge_user(tx, client_id, id).await?;
        }
    }
    if gone == 0
        && let Some(client_id) = erased_client(tx).await?
    {
        gone += purge_client(tx, client_id).await?;
    }
    Ok(gone)
}

async fn erased_links(tx: &mut Tx<'_>) -> Result<Vec<(ClientId, LinkId)>, Error> {
    let sql = "select client_id, id from links where deleted_at is not null limit $1";
    tx.fetch_all(sql, params![AT_ONCE], |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?))).await
}

async fn erased_users(tx: &mut Tx<'_>) -> Result<Vec<(ClientId, UserId)>, Error> {
    let sql = "select client_id, id from users where deleted_at is not null limit $1";
    tx.fetch_all(sql, params![AT_ONCE], |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?))).await
}

async fn erased_client(tx: &mut Tx<'_>) -> Result<Option<ClientId>, Error> {
    let sql = "select id from clients where deleted_at is not null order by id limit 1";
    tx.fetch_optional(sql, &[], |row| row.get(0)).await
}

/// What was sent and answered about a link. The index is by environment too, of which there are three.
pub(crate) const BODIES_OF_LINK: &str =
    "delete from call_bodies where client_id = $1 and (environment, call_id) in (
     select c.environment, c.id from calls as c
      where c.client_id = $1 and c.environment in ('sandbox', 'dev', 'prod') and c.link_id = $2)";

/// Whatever hangs on the link goes before it.
async fn purge_link(tx: &mut Tx<'_>, client_id: ClientId, id: LinkId) -> Result<u64, Error> {
    let mut gone = 0;
    for statement in [
        BODIES_OF_LINK,
        "delete from logins where client_id = $1 and task_id in (
             select id from tasks where client_id = $1 and link_id = $2)",
        "delete from public_tokens where client_id = $1 and link_id = $2",
        "delete from changes where client_id = $1 and link_id = $2",
        "delete from reports where client_id = $1 and link_id = $2",
        "delete from payroll_reports where client_id = $1 and link_id = $2",
        "delete from tasks where client_id = $1 and link_id = $2",
        "delete from links where client_id = $1 and id = $2 and deleted_at is not null",
    ] {
        gone += tx.execute(statement, params![client_id, id]).await?;
    }
    Ok(gone)
}

async fn purge_user(tx: &mut Tx<'_>, client_id: ClientId, id: UserId) -> Result<u64, Error> {
    let mut gone = 0;
    for statement in [
        "delete from order_employers where client_id = $1 and order_id in (
             select id from orders where client_id = $1 and user_id = $2)",
        "delete from orders where client_id = $1 and user_id = $2",
        "delete from user_reports where client_id = $1 and user_id = $2",
        "delete from users where client_id = $1 and id = $2 and deleted_at is not null",
    ] {
        gone += tx.execute(statement, params![client_id, id]).await?;
    }
    Ok(gone)
}

/// A statement that takes a few rows of a client out of a table.
macro_rules! some_of {
    ($table:literal, $key:literal) => {
        concat!(
            "delete from ",
            $table,
            " where client_id = $1 and (",
            $key,
            ") in (
                 select ",
            $key,
            " from ",
            $table,
            " where client_id = $1 limit 500)"
        )
    };
}

/// In an order in which nothing goes before what points to it.
async fn purge_client(tx: &mut Tx<'_>, client_id: ClientId) -> Result<u64, Error> {
    for statement in [
        some_of!("call_bodies", "environment, call_id"),
        some_of!("calls", "environment, id"),
        some_of!("screens", "id"),
        some_of!("usage_hours", "environment, hour, route, status_class, bucket"),
        some_of!("deliveries", "id"),
        some_of!("outbox", "webhook_id, event_id"),
        some_of!("webhook_events", "id"),
        some_of!("webhooks", "id"),
        some_of!("reports", "link_id, kind"),
        some_of!("payroll_reports", "id"),
        some_of!("changes", "task_id"),
        some_of!("public_tokens", "id"),
        some_of!("logins", "task_id"),
        some_of!("tasks", "id"),
        some_of!("links", "id"),
        some_of!("bridge_tokens", "id"),
        some_of!("user_reports", "id"),
        some_of!("order_employers", "id"),
        some_of!("orders", "id"),
        some_of!("users", "id"),
        some_of!("templates", "id"),
        some_of!("provider_books", "id"),
        some_of!("scenarios", "id"),
        some_of!("idempotency_keys", "id"),
        some_of!("access_keys", "id"),
        "delete from event_counters where client_id = $1",
        "delete from sandboxes where client_id = $1",
        "delete from clients where id = $1 and deleted_at is not null",
    ] {
        let gone = tx.execute(statement, params![client_id]).await?;
        // One table at a time.
        if gone > 0 {
            return Ok(gone);
        }
    }
    Ok(0)
}
