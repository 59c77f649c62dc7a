//! Employers of orders, each with a bridge token of its own.

use citadel_domain::{LinkId, OrderEmployerId, OrderId, OrderStatus, Product};
use jiff::Timestamp;

use crate::{Error, Row, Tenant, Tx, value::params};

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

/// Sets the status, and the link that it comes from, if it comes from one.
pub async fn set_status(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: OrderEmployerId,
    status: OrderStatus,
    link_id: Option<LinkId>,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "update order_employers set status = $4, link_id = coalesce($5, link_id), updated_at = $6
          where client_id = $1 and environment = $2 and id = $3",
        params![tenant.client_id, tenant.environment, id, status, link_id, now],
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
