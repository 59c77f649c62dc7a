//! Employers of orders, each with a bridge token of its own.

use citadel_domain::{CompanyId, LinkId, OrderEmployerId, OrderId, OrderStatus, Product, TaskId, UserId};
use jiff::Timestamp;

use crate::{
    Error, Row, Tenant, Tx,
    orders::{Stretch, in_stretch},
    value::params,
};

/// An employer to be put into an order.
#[derive(Clone, Debug)]
pub struct NewOrderEmployer {
    pub id: OrderEmployerId,
    pub tenant: Tenant,
    pub order_id: OrderId,
    /// Its place in the order, from 0.
    pub place: i64,
    pub product: Product,
    pub status: OrderStatus,
    /// What the client told of the employer, sealed under the user's data key.
    pub body_sealed: Vec<u8>,
    /// Sealed under the root key: it is told again.
    pub bridge_token_sealed: Vec<u8>,
    pub created_at: Timestamp,
}

/// An employer of an order.
#[derive(Clone, Debug)]
pub struct OrderEmployer {
    pub id: OrderEmployerId,
    pub tenant: Tenant,
    pub order_id: OrderId,
    pub place: i64,
    pub product: Product,
    pub status: OrderStatus,
    pub body_sealed: Vec<u8>,
    /// The newest one. Empty once nothing can be done for the employer any more.
    pub bridge_token_sealed: Vec<u8>,
    /// From the first sign-in on.
    pub link_id: Option<LinkId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, client_id, environment, order_id, place, product, status, body_sealed, bridge_token_sealed, link_id,
                    created_at, updated_at
               from order_employers
              where client_id = $1 and environment = $2 and ",
            $rest
        )
    };
}

/// Puts an employer into an order.
pub async fn create(tx: &mut Tx<'_>, new: &NewOrderEmployer) -> Result<(), Error> {
    tx.execute(
        "insert into order_employers (client_id, id, environment, order_id, place, product, status, body_sealed,
                                      bridge_token_sealed, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)",
        params![
            new.tenant.client_id,
            new.id,
            new.tenant.environment,
            new.order_id,
            new.place,
            new.product,
            new.status,
            &new.body_sealed,
            &new.bridge_token_sealed,
            new.created_at,
        ],
    )
    .await
    .map(drop)
}

/// The employer with this id.
pub async fn find(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: OrderEmployerId,
) -> Result<Option<OrderEmployer>, Error> {
    tx.fetch_optional(select!("id = $3"), params![tenant.client_id, tenant.environment, id], read).await
}

/// The employers of an order, in their order.
pub async fn list(tx: &mut Tx<'_>, tenant: Tenant, order_id: OrderId) -> Result<Vec<OrderEmployer>, Error> {
    tx.fetch_all(
        select!("order_id = $3 order by place, id"),
        params![tenant.client_id, tenant.environment, order_id],
        read,
    )
    .await
}

/// The employers of the orders of a page, in their order.
pub async fn list_of_page(tx: &mut Tx<'_>, page: &Stretch) -> Result<Vec<OrderEmployer>, Error> {
    tx.fetch_all(concat!(select!("order_id in "), in_stretch!(), " order by place, id"), &page.params(), read)
        .await
}

/// Where a person was connected for orders with a number of the client's, the newest first: providers, each with the employer.
pub async fn list_connected(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    user_id: UserId,
    order_number: &str,
) -> Result<Vec<(String, Option<CompanyId>)>, Error> {
    tx.fetch_all(
        "select l.provider_id, l.company_mapping_id
           from orders o
           join order_employers e on e.client_id = o.client_id and e.order_id = o.id and e.status = 'completed'
           join links l on l.client_id = e.client_id and l.id = e.link_id and l.deleted_at is null
          where o.client_id = $1 and o.environment = $2 and o.order_number = $4 and o.user_id = $3
          order by e.updated_at desc, e.id desc limit 20",
        params![tenant.client_id, tenant.environment, user_id, order_number],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
    .await
}

/// Keeps a newer bridge token.
pub async fn set_bridge_token(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: OrderEmployerId,
    bridge_token_sealed: &[u8],
) -> Result<(), Error> {
    tx.execute(
        "update order_employers set bridge_token_sealed = $4
          where client_id = $1 and environment = $2 and id = $3",
        params![tenant.client_id, tenant.environment, id, bridge_token_sealed],
    )
    .await
    .map(drop)
}

/// The tasks that began in an order, of those with ids from `first` to `last`, each with its order; of one person's links, if
/// one is asked for.
pub async fn list_tasks(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    (first, last): (TaskId, TaskId),
    user_id: Option<UserId>,
) -> Result<Vec<(TaskId, OrderId)>, Error> {
    tx.fetch_all(
        "select tasks.id, e.order_id
           from tasks
           join bridge_tokens t on t.client_id = tasks.client_id and t.id = tasks.bridge_token_id
           join order_employers e on e.client_id = t.client_id and e.id = t.order_employer_id
          where tasks.client_id = $1 and tasks.environment = $2 and tasks.id >= $3 and tasks.id <= $4
            and ($5 = false or tasks.link_id in (select id from links where client_id = $1 and user_id = $6))",
        params![
            tenant.client_id,
            tenant.environment,
            first,
            last,
            user_id.is_some(),
            user_id.unwrap_or(UserId::from_bytes([0; 16]))
        ],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
    .await
}

/// Says for which link the person signs in.
pub async fn set_link(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: OrderEmployerId,
    link_id: LinkId,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "update order_employers set link_id = $4, updated_at = $5
          where client_id = $1 and environment = $2 and id = $3 and status <> 'completed'",
        params![tenant.client_id, tenant.environment, id, link_id, now],
    )
    .await
    .map(drop)
}

/// Sets the status, and the link that it comes from, if it comes from one. Where nothing can be done any more, the bridge token
/// is told no more.
pub async fn set_status(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: OrderEmployerId,
    status: OrderStatus,
    link_id: Option<LinkId>,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "update order_employers
            set status = $4, link_id = coalesce($5, link_id), updated_at = $6,
                bridge_token_sealed = case when $7 then bridge_token_sealed else substr(bridge_token_sealed, 1, 0) end
          where client_id = $1 and environment = $2 and id = $3",
        params![tenant.client_id, tenant.environment, id, status, link_id, now, status.is_open()],
    )
    .await
    .map(drop)
}

fn read(row: &Row<'_>) -> Result<OrderEmployer, Error> {
    Ok(OrderEmployer {
        id: row.get(0)?,
        tenant: Tenant { client_id: row.get(1)?, environment: row.get(2)? },
        order_id: row.get(3)?,
        place: row.get(4)?,
        product: row.get(5)?,
        status: row.get(6)?,
        body_sealed: row.get(7)?,
        bridge_token_sealed: row.get(8)?,
        link_id: row.get(9)?,
        created_at: row.get(10)?,
        updated_at: row.get(11)?,
    })
}
