//! Orders: what a client asks of a person, with a page of its own.

use citadel_domain::{AccessKeyId, ClientId, OrderId, TemplateId, UserId, UserReportId};
use jiff::Timestamp;

use crate::{Error, Row, Tenant, Tx, Value, value::params, words};

/// An order to be made.
#[derive(Clone, Debug)]
pub struct NewOrder {
    pub id: OrderId,
    pub tenant: Tenant,
    pub user_id: UserId,
    pub access_key_id: AccessKeyId,
    pub template_id: Option<TemplateId>,
    /// As the client named them, those that this server does not offer included.
    pub products: Vec<String>,
    pub source: String,
    pub order_number: Option<String>,
    pub client_name: Option<String>,
    /// What the person is called and how it is reached, sealed under the user's data key.
    pub body_sealed: Vec<u8>,
    pub page_token_hash: [u8; 32],
    /// Sealed under the root key: its address is told again.
    pub page_token_sealed: Vec<u8>,
    /// The order that this one asks again.
    pub initial_order_id: Option<OrderId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// An order.
#[derive(Clone, Debug)]
pub struct Order {
    pub id: OrderId,
    pub tenant: Tenant,
    pub user_id: UserId,
    pub access_key_id: AccessKeyId,
    pub template_id: Option<TemplateId>,
    pub products: Vec<String>,
    pub source: String,
    pub order_number: Option<String>,
    pub client_name: Option<String>,
    pub body_sealed: Vec<u8>,
    /// Empty once the order is canceled or has expired: its address is told no more.
    pub page_token_sealed: Vec<u8>,
    pub initial_order_id: Option<OrderId>,
    /// The order that asks this one again.
    pub refresh_order_id: Option<OrderId>,
    /// The newest report about the person's employments and income.
    pub voie_report_id: Option<UserReportId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub expires_at: Timestamp,
    pub consented_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub canceled_at: Option<Timestamp>,
    /// When it was noted that nobody came in time.
    pub expired_at: Option<Timestamp>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, client_id, environment, user_id, access_key_id, template_id, products, source, order_number,
                    client_name, body_sealed, page_token_sealed, initial_order_id, refresh_order_id, voie_report_id,
                    created_at, updated_at, expires_at, consented_at, completed_at, canceled_at, expired_at
               from orders where ",
            $rest
        )
    };
}

/// Makes an order.
pub async fn create(tx: &mut Tx<'_>, new: &NewOrder) -> Result<(), Error> {
    tx.execute(
        "insert into orders (
             client_id, id, environment, user_id, access_key_id, template_id, products, source, order_number, client_name,
             body_sealed, page_token_hash, page_token_sealed, initial_order_id, created_at, updated_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $16)",
        params![
            new.tenant.client_id,
            new.id,
            new.tenant.environment,
            new.user_id,
            new.access_key_id,
            new.template_id,
            words::join(&new.products),
            &new.source,
            new.order_number.clone(),
            new.client_name.clone(),
            &new.body_sealed,
            new.page_token_hash,
            &new.page_token_sealed,
            new.initial_order_id,
            new.created_at,
            new.expires_at,
        ],
    )
    .await
    .map(drop)
}

/// The order with this id.
pub async fn find(tx: &mut Tx<'_>, tenant: Tenant, id: OrderId) -> Result<Option<Order>, Error> {
    tx.fetch_optional(
        select!("client_id = $1 and environment = $2 and id = $3"),
        params![tenant.client_id, tenant.environment, id],
        read,
    )
    .await
}

/// The order of a page. It names no tenant: the token is what proves one.
pub async fn find_by_page_token(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Order>, Error> {
    tx.fetch_optional(select!("page_token_hash = $1"), params![hash], read).await
}

/// A part of the list, newest first; with this order number, if one is asked for.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    order_number: Option<&str>,
    limit: i64,
    offset: i64,
) -> Result<Vec<Order>, Error> {
    tx.fetch_all(
        select!(
            "client_id = $1 and environment = $2 and ($3 = false or order_number = $4)
              order by created_at desc, id desc limit $5 offset $6"
        ),
        params![
            tenant.client_id,
            tenant.environment,
            order_number.is_some(),
            order_number.unwrap_or_default(),
            limit,
            offset
        ],
        read,
    )
    .await
}

/// How many there are in that list.
pub async fn count(tx: &mut Tx<'_>, tenant: Tenant, order_number: Option<&str>) -> Result<i64, Error> {
    tx.fetch_one(
        "select cast(count(*) as bigint) from orders
          where client_id = $1 and environment = $2 and ($3 = false or order_number = $4)",
        params![
            tenant.client_id,
            tenant.environment,
            order_number.is_some(),
            order_number.unwrap_or_default()
        ],
        |row| row.get(0),
    )
    .await
}

/// Writes anew what is known of the person.
pub async fn set_body(
    tx: &mut Tx<'_>,
    order: &Order,
    body_sealed: &[u8],
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "update orders set body_sealed = $4, updated_at = $5 where client_id = $1 and environment = $2 and id = $3",
        params![order.tenant.client_id, order.tenant.environment, order.id, body_sealed, now],
    )
    .await
    .map(drop)
}

/// What happens to an order.
#[derive(Clone, Copy, Debug)]
pub enum Mark {
    /// The person agreed.
    Consented,
    /// Every employer is settled.
    Completed,
    /// The client took it back.
    Canceled,
    /// Nobody came in time.
    Expired,
}

/// Notes that something happened, the first time that it did. Holds the order until the commit.
pub async fn mark(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: OrderId,
    mark: Mark,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = match mark {
        Mark::Consented => {
            "update orders set consented_at = coalesce(consented_at, $4), updated_at = $4
              where client_id = $1 and environment = $2 and id = $3"
        }
        Mark::Completed => {
            "update orders set completed_at = coalesce(completed_at, $4), updated_at = $4
              where client_id = $1 and environment = $2 and id = $3"
        }
        Mark::Canceled => {
            "update orders set canceled_at = coalesce(canceled_at, $4), updated_at = $4,
                               page_token_sealed = substr(page_token_sealed, 1, 0)
              where client_id = $1 and environment = $2 and id = $3"
        }
        Mark::Expired => {
            "update orders set expired_at = coalesce(expired_at, $4), updated_at = $4,
                               page_token_sealed = substr(page_token_sealed, 1, 0)
              where client_id = $1 and environment = $2 and id = $3"
        }
    };
    tx.execute(sql, params![tenant.client_id, tenant.environment, id, now]).await.map(drop)
}

/// Orders whose time is over and of which that is not noted yet, over all clients. Not of sandboxes whose clocks were turned.
pub async fn list_overdue(
    tx: &mut Tx<'_>,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(Tenant, OrderId)>, Error> {
    tx.fetch_all(
        "select client_id, environment, id from orders
          where expires_at <= $1 and completed_at is null and canceled_at is null and expired_at is null
            and (environment <> 'sandbox' or client_id not in (
                select client_id from sandboxes where clock_ahead <> 0 or standing_at is not null))
          order by expires_at limit $2",
        params![now, limit],
        read_key,
    )
    .await
}

/// The same for one client's sandbox, by its own clock.
pub async fn list_overdue_in_sandbox(
    tx: &mut Tx<'_>,
    client_id: ClientId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(Tenant, OrderId)>, Error> {
    tx.fetch_all(
        "select client_id, environment, id from orders
          where client_id = $1 and environment = 'sandbox' and expires_at <= $2
            and completed_at is null and canceled_at is null and expired_at is null
          order by expires_at limit $3",
        params![client_id, now, limit],
        read_key,
    )
    .await
}

/// The orders of a person that nothing has ended.
pub async fn list_open_of_user(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    user_id: UserId,
) -> Result<Vec<OrderId>, Error> {
    tx.fetch_all(
        "select id from orders
          where client_id = $1 and environment = $2 and user_id = $3
            and completed_at is null and canceled_at is null and expired_at is null
          order by id",
        params![tenant.client_id, tenant.environment, user_id],
        |row| row.get(0),
    )
    .await
}

fn read_key(row: &Row<'_>) -> Result<(Tenant, OrderId), Error> {
    Ok((Tenant { client_id: row.get(0)?, environment: row.get(1)? }, row.get(2)?))
}

/// A stretch of the list, by which what belongs to its orders is read in one go. At its ends there may be orders of the same
/// instant that are not on the page.
#[derive(Clone, Debug)]
pub struct Stretch {
    pub tenant: Tenant,
    pub order_number: Option<String>,
    pub from: Timestamp,
    /// Included.
    pub to: Timestamp,
}

impl Stretch {
    pub(crate) fn params(&self) -> Vec<Value> {
        params![
            self.tenant.client_id,
            self.tenant.environment,
            self.order_number.is_some(),
            self.order_number.clone().unwrap_or_default(),
            self.from,
            self.to,
        ]
        .to_vec()
    }
}

/// The ids of the orders of a [`Stretch`], whose parameters are `$1` to `$6`.
macro_rules! in_stretch {
    () => {
        "(select orders.id from orders
           where orders.client_id = $1 and orders.environment = $2 and ($3 = false or orders.order_number = $4)
             and orders.created_at >= $5 and orders.created_at <= $6)"
    };
}
pub(crate) use in_stretch;

/// Makes other transactions that lock the order wait until this one ends.
pub async fn lock(tx: &mut Tx<'_>, tenant: Tenant, id: OrderId) -> Result<(), Error> {
    tx.execute(
        "update orders set updated_at = updated_at where client_id = $1 and environment = $2 and id = $3",
        params![tenant.client_id, tenant.environment, id],
    )
    .await
    .map(drop)
}

/// Names the order that asks this one again.
pub async fn set_refresh_order(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: OrderId,
    refresh_order_id: OrderId,
) -> Result<(), Error> {
    tx.execute(
        "update orders set refresh_order_id = $4 where client_id = $1 and environment = $2 and id = $3",
        params![tenant.client_id, tenant.environment, id, refresh_order_id],
    )
    .await
    .map(drop)
}

/// Names the newest report about the person.
pub async fn set_voie_report(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: OrderId,
    report_id: UserReportId,
) -> Result<(), Error> {
    tx.execute(
        "update orders set voie_report_id = $4 where client_id = $1 and environment = $2 and id = $3",
        params![tenant.client_id, tenant.environment, id, report_id],
    )
    .await
    .map(drop)
}

fn read(row: &Row<'_>) -> Result<Order, Error> {
    Ok(Order {
        id: row.get(0)?,
        tenant: Tenant { client_id: row.get(1)?, environment: row.get(2)? },
        user_id: row.get(3)?,
        access_key_id: row.get(4)?,
        template_id: row.get(5)?,
        products: words::split(&row.get::<String>(6)?)?,
        source: row.get(7)?,
        order_number: row.get(8)?,
        client_name: row.get(9)?,
        body_sealed: row.get(10)?,
        page_token_sealed: row.get(11)?,
        initial_order_id: row.get(12)?,
        refresh_order_id: row.get(13)?,
        voie_report_id: row.get(14)?,
        created_at: row.get(15)?,
        updated_at: row.get(16)?,
        expires_at: row.get(17)?,
        consented_at: row.get(18)?,
        completed_at: row.get(19)?,
        canceled_at: row.get(20)?,
        expired_at: row.get(21)?,
    })
}
