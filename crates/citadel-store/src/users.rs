//! Users: people of a client. A deleted user is never found.

use citadel_domain::{Product, UserId};
use jiff::Timestamp;

use crate::{
    Error, Row, Tenant, Tx,
    deletions::{self, Deleted, Deletion, Stamp},
    orders::{Stretch, in_stretch},
    value::params,
};

/// A user to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub id: UserId,
    pub tenant: Tenant,
    /// Finds the user by the client's own id.
    pub external_id_hash: Option<[u8; 32]>,
    pub data_key_wrapped: Vec<u8>,
    /// What the client told of the person, sealed under the user's data key.
    pub profile_sealed: Vec<u8>,
    pub created_at: Timestamp,
}

/// A user.
#[derive(Clone, Debug)]
pub struct User {
    pub id: UserId,
    pub tenant: Tenant,
    pub data_key_wrapped: Vec<u8>,
    pub profile_sealed: Vec<u8>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Which users of a list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub external_id_hash: Option<[u8; 32]>,
    pub from: Option<Timestamp>,
    /// Included.
    pub to: Option<Timestamp>,
    /// Only those with a link that serves it.
    pub product: Option<Product>,
}

macro_rules! columns {
    () => {
        "id, client_id, environment, data_key_wrapped, profile_sealed, created_at, updated_at"
    };
}

/// What every list of a [`Filter`] asks: absent values are told apart by what no row has, because Postgres cannot tell the kind of
/// a parameter that is only asked whether it is null.
macro_rules! filtered {
    ($head:expr, $tail:literal) => {
        concat!(
            "select ",
            $head,
            " from users
              where client_id = $1 and environment = $2 and deleted_at is null
                and ($3 = false or external_id_hash = $4) and created_at >= $5 and created_at <= $6
                and ($7 = '' or exists (
                     select 1 from links
                      where links.client_id = users.client_id and links.user_id = users.id and links.deleted_at is null
                        and ' ' || links.allowed_products || ' ' like $8)) ",
            $tail
        )
    };
}

/// Makes a user.
pub async fn create(tx: &mut Tx<'_>, new: &NewUser) -> Result<User, Error> {
    tx.fetch_one(
        concat!(
            "insert into users (client_id, id, environment, external_id_hash, data_key_wrapped, profile_sealed, created_at,
                                updated_at)
             values ($1, $2, $3, $4, $5, $6, $7, $7)
             returning ",
            columns!()
        ),
        params![
            new.tenant.client_id,
            new.id,
            new.tenant.environment,
            new.external_id_hash,
            &new.data_key_wrapped,
            &new.profile_sealed,
            new.created_at,
        ],
        read,
    )
    .await
}

/// The user with this id.
pub async fn find(tx: &mut Tx<'_>, tenant: Tenant, id: UserId) -> Result<Option<User>, Error> {
    tx.fetch_optional(
        concat!(
            "select ",
            columns!(),
            " from users where client_id = $1 and environment = $2 and id = $3 and deleted_at is null"
        ),
        params![tenant.client_id, tenant.environment, id],
        read,
    )
    .await
}

/// The first user that the client gave this id of its own.
pub async fn find_by_external_id(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    external_id_hash: &[u8; 32],
) -> Result<Option<User>, Error> {
    tx.fetch_optional(
        concat!(
            "select ",
            columns!(),
            " from users
              where client_id = $1 and environment = $2 and external_id_hash = $3 and deleted_at is null
              order by created_at, id limit 1"
        ),
        params![tenant.client_id, tenant.environment, external_id_hash],
        read,
    )
    .await
}

/// The people of the orders of a page.
pub async fn list_of_page(tx: &mut Tx<'_>, page: &Stretch) -> Result<Vec<User>, Error> {
    tx.fetch_all(
        concat!(
            "select ",
            columns!(),
            " from users
              where client_id = $1 and environment = $2 and deleted_at is null and id in (
                    select user_id from orders where orders.client_id = $1 and orders.id in ",
            in_stretch!(),
            ")"
        ),
        &page.params(),
        read,
    )
    .await
}

/// A part of the list, newest first.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    filter: &Filter,
    limit: i64,
    offset: i64,
) -> Result<Vec<User>, Error> {
    let mut params = filter.params(tenant);
    params.extend([limit.into(), offset.into()]);
    tx.fetch_all(
        filtered!(columns!(), "order by created_at desc, id desc limit $9 offset $10"),
        &params,
        read,
    )
    .await
}

/// How many there are.
pub async fn count(tx: &mut Tx<'_>, tenant: Tenant, filter: &Filter) -> Result<i64, Error> {
    let params = filter.params(tenant);
    tx.fetch_one(filtered!("cast(count(*) as bigint)", ""), &params, |row| row.get(0)).await
}

impl Filter {
    fn params(&self, tenant: Tenant) -> Vec<crate::Value> {
        let product = self.product.map_or("", Product::as_str);
        params![
            tenant.client_id,
            tenant.environment,
            self.external_id_hash.is_some(),
            self.external_id_hash.unwrap_or_default(),
            self.from.unwrap_or(Timestamp::UNIX_EPOCH),
            self.to.unwrap_or(crate::sandboxes::LAST),
            product,
            format!("% {product} %"),
        ]
        .to_vec()
    }
}

/// Makes other transactions that lock or erase the user wait until this one ends. `false` when the user is gone: nothing may be
/// made for it any more.
pub async fn lock(tx: &mut Tx<'_>, tenant: Tenant, id: UserId) -> Result<bool, Error> {
    let locked = tx
        .execute(
            "update users set updated_at = updated_at
              where client_id = $1 and environment = $2 and id = $3 and deleted_at is null",
            params![tenant.client_id, tenant.environment, id],
        )
        .await?;
    Ok(locked == 1)
}

/// Makes others wait who look for a user by the client's own id in order to make it.
pub async fn lock_external_ids(tx: &mut Tx<'_>, tenant: Tenant) -> Result<(), Error> {
    // A write that changes nothing holds the client's row until the commit.
    tx.execute("update clients set name = name where id = $1", params![tenant.client_id]).await.map(drop)
}

/// Writes what is known of a person anew. `false` when there is no such user.
pub async fn update(
    tx: &mut Tx<'_>,
    user: &User,
    external_id_hash: Option<[u8; 32]>,
    profile_sealed: &[u8],
    now: Timestamp,
) -> Result<bool, Error> {
    let updated = tx
        .execute(
            "update users set external_id_hash = $4, profile_sealed = $5, updated_at = $6
              where client_id = $1 and environment = $2 and id = $3 and deleted_at is null",
            params![
                user.tenant.client_id,
                user.tenant.environment,
                user.id,
                external_id_hash,
                profile_sealed,
                now
            ],
        )
        .await?;
    Ok(updated == 1)
}

/// Erases a user: the key goes, and with it all that lies under it (P22). Links are erased by
/// [`links::erase`](crate::links::erase), each for itself.
pub async fn erase(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: UserId,
    now: Timestamp,
    stamp: Stamp,
) -> Result<bool, Error> {
    let nothing = Vec::<u8>::new();
    let erased = tx
        .execute(
            "update users set external_id_hash = null, data_key_wrapped = $4, profile_sealed = $4, deleted_at = $5
              where client_id = $1 and environment = $2 and id = $3 and deleted_at is null",
            params![tenant.client_id, tenant.environment, id, &nothing, now],
        )
        .await?;
    for statement in [
        "delete from user_reports where client_id = $1 and environment = $2 and user_id = $3",
        "delete from idempotency_keys where client_id = $1 and environment = $2 and user_id = $3",
        "update bridge_tokens set account_sealed = null, expires_at = created_at
          where client_id = $1 and environment = $2 and user_id = $3",
    ] {
        tx.execute(statement, params![tenant.client_id, tenant.environment, id]).await?;
    }
    tx.execute(
        "update orders set body_sealed = $4, page_token_sealed = $4, canceled_at = coalesce(canceled_at, $5), updated_at = $5
          where client_id = $1 and environment = $2 and user_id = $3",
        params![tenant.client_id, tenant.environment, id, &nothing, now],
    )
    .await?;
    tx.execute(
        "update order_employers set body_sealed = $4, bridge_token_sealed = $4
          where client_id = $1 and environment = $2 and order_id in (
                select id from orders where client_id = $1 and user_id = $3)",
        params![tenant.client_id, tenant.environment, id, &nothing],
    )
    .await?;
    if erased == 1 {
        deletions::append(tx, &Deletion { stamp, deleted: Deleted::User(tenant, id) }).await?;
    }
    Ok(erased == 1)
}

fn read(row: &Row<'_>) -> Result<User, Error> {
    Ok(User {
        id: row.get(0)?,
        tenant: Tenant { client_id: row.get(1)?, environment: row.get(2)? },
        data_key_wrapped: row.get(3)?,
        profile_sealed: row.get(4)?,
        created_at: row.get(5)?,
        updated_at: row.get(6)?,
    })
}
