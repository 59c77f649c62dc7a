//! The log of delivery attempts, kept for 30 days (P32).

use citadel_domain::{ClientId, DeliveryId, EventId, WebhookId};
use jiff::Timestamp;

use crate::{Error, Row, Tenant, Tx, browse::back_to, value::params};

/// An attempt to be kept.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    pub id: DeliveryId,
    pub tenant: Tenant,
    pub webhook_id: WebhookId,
    pub event_id: EventId,
    pub event_type: String,
    pub url: String,
    /// The number of the attempt in its round, from 1.
    pub attempt: i64,
    /// `None` when there was no answer.
    pub status_code: Option<i64>,
    pub error_message: Option<String>,
    /// The beginning of the answer, escaped.
    pub answer: String,
    pub duration_ms: i64,
    pub attempted_at: Timestamp,
}

impl NewDelivery {
    /// Whether the receiver took the event.
    pub fn was_taken(&self) -> bool {
        self.status_code.is_some_and(|code| (200..300).contains(&code))
    }
}

/// An attempt, with the event that it was for.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub id: DeliveryId,
    pub webhook_id: WebhookId,
    pub event_id: EventId,
    pub event_type: String,
    pub url: String,
    pub attempt: i64,
    pub status_code: Option<i64>,
    pub error_message: Option<String>,
    pub answer: String,
    pub duration_ms: i64,
    pub attempted_at: Timestamp,
    pub event_created_at: Timestamp,
    pub body: String,
}

/// Which attempts are listed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub from: Option<Timestamp>,
    /// Included.
    pub to: Option<Timestamp>,
    pub event_type: Option<String>,
    pub status_code: Option<i64>,
    pub webhook_id: Option<WebhookId>,
    /// Not before this one: how far back is looked.
    pub back_to: Option<DeliveryId>,
}

/// Keeps an attempt.
pub async fn append(tx: &mut Tx<'_>, new: &NewDelivery) -> Result<(), Error> {
    tx.execute(
        "insert into deliveries (client_id, id, environment, webhook_id, event_id, event_type, webhook_url, attempt,
                                 status_code, error_message, answer, duration_ms, attempted_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        params![
            new.tenant.client_id,
            new.id,
            new.tenant.environment,
            new.webhook_id,
            new.event_id,
            &new.event_type,
            &new.url,
            new.attempt,
            new.status_code,
            new.error_message.clone(),
            &new.answer,
            new.duration_ms,
            new.attempted_at,
        ],
    )
    .await
    .map(drop)
}

/// Ids begin with the time, so that they are the order of the attempts and a place to go on from.
macro_rules! list {
    ($beside:literal, $order:literal) => {
        concat!(
            "select d.id, d.webhook_id, d.event_id, d.event_type, d.webhook_url, d.attempt, d.status_code,
                    d.error_message, d.answer, d.duration_ms, d.attempted_at, v.created_at, v.body
               from deliveries as d
               join webhook_events as v on v.client_id = d.client_id and v.id = d.event_id
              where d.client_id = $1 and d.environment = $2
                and (cast($3 as bigint) = -1 or d.attempted_at >= $3)
                and (cast($4 as bigint) = -1 or d.attempted_at <= $4)
                and ($5 = '' or d.event_type = $5) and (cast($6 as bigint) = -1 or d.status_code = $6)
                and ($9 = false or d.webhook_id = $10) and d.id >= $11 and ",
            $beside,
            " order by d.id ",
            $order,
            " limit $7"
        )
    };
}

/// The attempts before one, or the newest ones; newest first.
pub async fn list_before(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    filter: &Filter,
    before: Option<DeliveryId>,
    limit: u32,
) -> Result<Vec<Delivery>, Error> {
    // No id is greater than this one.
    let before = before.unwrap_or(DeliveryId::from_bytes([0xFF; 16]));
    fetch(tx, list!("d.id < $8", "desc"), tenant, filter, before, limit).await
}

/// The attempts after one; oldest first.
pub async fn list_after(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    filter: &Filter,
    after: DeliveryId,
    limit: u32,
) -> Result<Vec<Delivery>, Error> {
    fetch(tx, list!("d.id > $8", "asc"), tenant, filter, after, limit).await
}

/// The attempt that lies so many before another one, or before the newest. `None`: there are fewer.
pub async fn find_before(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    before: Option<DeliveryId>,
    count: u32,
) -> Result<Option<DeliveryId>, Error> {
    tx.fetch_optional(
        back_to!("deliveries"),
        params![tenant.client_id, before.unwrap_or(DeliveryId::from_bytes([0xFF; 16])), i64::from(count)],
        |row| row.get(0),
    )
    .await
}

/// How many attempts at an event an endpoint has seen, as far as they are kept.
pub async fn count(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    webhook_id: WebhookId,
    event_id: EventId,
) -> Result<i64, Error> {
    tx.fetch_one(
        "select cast(count(*) as bigint) from deliveries
          where client_id = $1 and webhook_id = $2 and event_id = $3 and environment = $4",
        params![tenant.client_id, webhook_id, event_id, tenant.environment],
        |row| row.get(0),
    )
    .await
}

/// Drops attempts that were made before a time. Not of sandboxes whose clocks were turned.
pub async fn delete_before(tx: &mut Tx<'_>, time: Timestamp) -> Result<u64, Error> {
    tx.execute(
        "delete from deliveries
          where attempted_at < $1
            and (environment <> 'sandbox' or client_id not in (
                select client_id from sandboxes where clock_ahead <> 0 or standing_at is not null))",
        params![time],
    )
    .await
}

/// The same for one client's sandbox, by its own clock.
pub async fn delete_sandbox_before(
    tx: &mut Tx<'_>,
    client_id: ClientId,
    time: Timestamp,
) -> Result<u64, Error> {
    tx.execute(
        "delete from deliveries where client_id = $1 and environment = 'sandbox' and attempted_at < $2",
        params![client_id, time],
    )
    .await
}

async fn fetch(
    tx: &mut Tx<'_>,
    sql: &'static str,
    tenant: Tenant,
    filter: &Filter,
    beside: DeliveryId,
    limit: u32,
) -> Result<Vec<Delivery>, Error> {
    // Values instead of nulls: Postgres cannot tell the kind of a parameter that is only asked whether it is null.
    let micros = |time: Option<Timestamp>| time.map_or(-1, Timestamp::as_microsecond);
    tx.fetch_all(
        sql,
        params![
            tenant.client_id,
            tenant.environment,
            micros(filter.from),
            micros(filter.to),
            filter.event_type.as_deref().unwrap_or_default(),
            filter.status_code.unwrap_or(-1),
            i64::from(limit),
            beside,
            filter.webhook_id.is_some(),
            filter.webhook_id.unwrap_or(WebhookId::from_bytes([0; 16])),
            filter.back_to.unwrap_or(DeliveryId::from_bytes([0; 16])),
        ],
        read,
    )
    .await
}

fn read(row: &Row<'_>) -> Result<Delivery, Error> {
    Ok(Delivery {
        id: row.get(0)?,
        webhook_id: row.get(1)?,
        event_id: row.get(2)?,
        event_type: row.get(3)?,
        url: row.get(4)?,
        attempt: row.get(5)?,
        status_code: row.get(6)?,
        error_message: row.get(7)?,
        answer: row.get(8)?,
        duration_ms: row.get(9)?,
        attempted_at: row.get(10)?,
        event_created_at: row.get(11)?,
        body: row.get(12)?,
    })
}
