//! Bridge tokens: permission to open the widget, for six hours. The row decides what the widget may do, whatever the
//! page says (P8).

use citadel_domain::{
    AccessKeyId, BridgeTokenId, ClientId, CompanyId, Fault, LinkId, OrderEmployerId, OrderId, Product,
    TemplateId, UserId,
};
use jiff::Timestamp;

use crate::{
    Error, Row, Tenant, Tx,
    orders::{Stretch, in_stretch},
    sandboxes::Pace,
    value::params,
    words,
};

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewBridgeToken {
    pub id: BridgeTokenId,
    pub tenant: Tenant,
    pub access_key_id: AccessKeyId,
    pub token_hash: [u8; 32],
    pub product: Product,
    pub allowed_products: Vec<Product>,
    pub client_name: Option<String>,
    pub tracking_info: Option<String>,
    pub company_mapping_id: Option<CompanyId>,
    pub provider_id: Option<String>,
    /// The link to repair.
    pub link_id: Option<LinkId>,
    pub data_sources: Vec<String>,
    /// The account that the token is about, sealed under the root key.
    pub account_sealed: Option<Vec<u8>>,
    /// What goes wrong on purpose in the token's sign-ins.
    pub faults: Vec<Fault>,
    /// The person for whom it is.
    pub user_id: Option<UserId>,
    /// The employer of an order for which it is.
    pub order_employer_id: Option<OrderEmployerId>,
    /// How the widget looks.
    pub template_id: Option<TemplateId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A token's row, aged or not.
#[derive(Clone, Debug)]
pub struct BridgeToken {
    pub id: BridgeTokenId,
    pub tenant: Tenant,
    pub access_key_id: AccessKeyId,
    pub product: Product,
    pub allowed_products: Vec<Product>,
    pub client_name: Option<String>,
    pub tracking_info: Option<String>,
    pub company_mapping_id: Option<CompanyId>,
    pub provider_id: Option<String>,
    pub link_id: Option<LinkId>,
    pub data_sources: Vec<String>,
    pub account_sealed: Option<Vec<u8>>,
    pub faults: Vec<Fault>,
    pub user_id: Option<UserId>,
    pub order_employer_id: Option<OrderEmployerId>,
    pub template_id: Option<TemplateId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// The client's, as they are now: a page that is taken off the list stops at once.
    pub allowed_origins: Vec<String>,
    /// Its access key was deleted: the client has taken back what it gave out.
    pub is_revoked: bool,
    /// How the client's clock goes.
    pub pace: Pace,
}

/// Makes a token.
pub async fn create(tx: &mut Tx<'_>, new: &NewBridgeToken) -> Result<(), Error> {
    tx.execute(
        "insert into bridge_tokens (
             client_id, id, environment, access_key_id, token_hash, product, allowed_products, client_name,
             tracking_info, company_mapping_id, provider_id, link_id, data_sources, link_count, sign_in_count,
             account_sealed, faults, created_at, expires_at, user_id, order_employer_id, template_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 0, $14, $15, $16, $17, $18, $19, $20)",
        params![
            new.tenant.client_id,
            new.id,
            new.tenant.environment,
            new.access_key_id,
            new.token_hash,
            new.product,
            words::join_products(&new.allowed_products),
            new.client_name.clone(),
            new.tracking_info.clone(),
            new.company_mapping_id,
            new.provider_id.clone(),
            new.link_id,
            words::join(&new.data_sources),
            new.account_sealed.clone(),
            words::join(&new.faults),
            new.created_at,
            new.expires_at,
            new.user_id,
            new.order_employer_id,
            new.template_id,
        ],
    )
    .await
    .map(drop)
}

/// What [`read`] reads, in its order.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "select t.id, t.client_id, t.environment, t.access_key_id, t.product, t.allowed_products, t.client_name,
                    t.tracking_info, t.company_mapping_id, t.provider_id, t.link_id, t.data_sources, t.created_at,
                    t.expires_at, c.allowed_origins, k.deleted_at is not null, t.account_sealed, t.faults, s.clock_ahead,
                    s.standing_at, t.user_id, t.order_employer_id, t.template_id
               from bridge_tokens t
               join clients c on c.id = t.client_id
               join access_keys k on k.client_id = t.client_id and k.id = t.access_key_id
               left join sandboxes s on s.client_id = t.client_id and t.environment = 'sandbox'
              where ",
            $condition
        )
    };
}

/// The token with this hash. It names no tenant: the token is what proves one.
pub async fn find_by_hash(tx: &mut Tx<'_>, token_hash: &[u8; 32]) -> Result<Option<BridgeToken>, Error> {
    tx.fetch_optional(select!("t.token_hash = $1"), params![token_hash], read).await
}

/// The token with this id.
pub async fn find(tx: &mut Tx<'_>, tenant: Tenant, id: BridgeTokenId) -> Result<Option<BridgeToken>, Error> {
    let sql = select!("t.client_id = $1 and t.environment = $2 and t.id = $3");
    tx.fetch_optional(sql, params![tenant.client_id, tenant.environment, id], read).await
}

/// Counts one more link of the token. `false` when it has made `max` already.
pub async fn count_link(tx: &mut Tx<'_>, token: &BridgeToken, max: i64) -> Result<bool, Error> {
    let counted = tx
        .execute(
            "update bridge_tokens set link_count = link_count + 1
              where client_id = $1 and environment = $2 and id = $3 and link_count < $4",
            params![token.tenant.client_id, token.tenant.environment, token.id, max],
        )
        .await?;
    Ok(counted == 1)
}

/// Counts one more sign-in of the token, and answers how many that makes. `None` when there were `max` already, or the token has
/// ended meanwhile.
///
/// The row stays locked until the commit, so that sign-ins of one token happen one after another.
pub async fn count_sign_in(
    tx: &mut Tx<'_>,
    token: &BridgeToken,
    max: i64,
    now: Timestamp,
) -> Result<Option<i64>, Error> {
    tx.fetch_optional(
        "update bridge_tokens set sign_in_count = sign_in_count + 1
          where client_id = $1 and environment = $2 and id = $3 and sign_in_count < $4 and expires_at > $5
         returning sign_in_count",
        params![token.tenant.client_id, token.tenant.environment, token.id, max, now],
        |row| row.get(0),
    )
    .await
}

/// The employer of an order for which a token was made.
pub async fn order_employer(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: BridgeTokenId,
) -> Result<Option<OrderEmployerId>, Error> {
    let found = tx
        .fetch_optional(
            "select order_employer_id from bridge_tokens where client_id = $1 and environment = $2 and id = $3",
            params![tenant.client_id, tenant.environment, id],
            |row| row.get(0),
        )
        .await?;
    Ok(found.flatten())
}

/// What is to be known of the newest token of an order's employer.
#[derive(Clone, Debug)]
pub struct Newest {
    pub order_employer_id: OrderEmployerId,
    pub expires_at: Timestamp,
    /// Its access key was deleted.
    pub is_revoked: bool,
    pub provider_id: Option<String>,
    pub company_mapping_id: Option<CompanyId>,
    pub faults: Vec<Fault>,
}

/// The rest of a select of [`Newest`], from oldest to newest.
macro_rules! newest {
    ($order_ids:expr) => {
        concat!(
            "select t.order_employer_id, t.expires_at, k.deleted_at is not null, t.provider_id,
                    t.company_mapping_id, t.faults
               from bridge_tokens t
               join access_keys k on k.client_id = t.client_id and k.id = t.access_key_id
              where t.client_id = $1 and t.environment = $2 and t.order_employer_id in (
                    select e.id from order_employers e where e.client_id = $1 and e.order_id in ",
            $order_ids,
            ") order by t.created_at, t.id"
        )
    };
}

/// The tokens of an order's employers, from oldest to newest.
pub async fn list_of_order(tx: &mut Tx<'_>, tenant: Tenant, order_id: OrderId) -> Result<Vec<Newest>, Error> {
    let params = params![tenant.client_id, tenant.environment, order_id];
    tx.fetch_all(newest!("($3)"), params, read_newest).await
}

/// The same for the orders of a page.
pub async fn list_of_page(tx: &mut Tx<'_>, page: &Stretch) -> Result<Vec<Newest>, Error> {
    tx.fetch_all(newest!(in_stretch!()), &page.params(), read_newest).await
}

fn read_newest(row: &Row<'_>) -> Result<Newest, Error> {
    Ok(Newest {
        order_employer_id: row.get(0)?,
        expires_at: row.get(1)?,
        is_revoked: row.get(2)?,
        provider_id: row.get(3)?,
        company_mapping_id: row.get(4)?,
        faults: words::split(&row.get::<String>(5)?)?,
    })
}

/// Ends the tokens of one employer of an order.
pub async fn end_of_order_employer(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: OrderEmployerId,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "update bridge_tokens set expires_at = $4, account_sealed = null
          where client_id = $1 and environment = $2 and order_employer_id = $3 and expires_at > $4",
        params![tenant.client_id, tenant.environment, id, now],
    )
    .await
    .map(drop)
}

/// Ends the tokens of an order's employers.
pub async fn end_of_order(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    order_id: OrderId,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "update bridge_tokens set expires_at = $4, account_sealed = null
          where client_id = $1 and environment = $2 and expires_at > $4 and order_employer_id in (
                select id from order_employers where client_id = $1 and order_id = $3)",
        params![tenant.client_id, tenant.environment, order_id, now],
    )
    .await
    .map(drop)
}

/// Empties the accounts of tokens that have aged; answers how many there were. Not of sandboxes whose clocks were turned.
pub async fn delete_aged_accounts(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, Error> {
    tx.execute(
        "update bridge_tokens set account_sealed = null
          where expires_at <= $1 and account_sealed is not null
            and (environment <> 'sandbox' or client_id not in (
                select client_id from sandboxes where clock_ahead <> 0 or standing_at is not null))",
        params![now],
    )
    .await
}

/// The same for one client's sandbox, by its own clock.
pub async fn delete_aged_sandbox_accounts(
    tx: &mut Tx<'_>,
    client_id: ClientId,
    now: Timestamp,
) -> Result<u64, Error> {
    tx.execute(
        "update bridge_tokens set account_sealed = null
          where client_id = $1 and environment = 'sandbox' and expires_at <= $2 and account_sealed is not null",
        params![client_id, now],
    )
    .await
}

fn read(row: &Row<'_>) -> Result<BridgeToken, Error> {
    Ok(BridgeToken {
        id: row.get(0)?,
        tenant: Tenant { client_id: row.get(1)?, environment: row.get(2)? },
        access_key_id: row.get(3)?,
        product: row.get(4)?,
        allowed_products: words::split(&row.get::<String>(5)?)?,
        client_name: row.get(6)?,
        tracking_info: row.get(7)?,
        company_mapping_id: row.get(8)?,
        provider_id: row.get(9)?,
        link_id: row.get(10)?,
        data_sources: words::split(&row.get::<String>(11)?)?,
        created_at: row.get(12)?,
        expires_at: row.get(13)?,
        allowed_origins: words::split(&row.get::<String>(14)?)?,
        is_revoked: row.get(15)?,
        account_sealed: row.get(16)?,
        faults: words::split(&row.get::<String>(17)?)?,
        pace: Pace::of(row.get(18)?, row.get(19)?),
        user_id: row.get(20)?,
        order_employer_id: row.get(21)?,
        template_id: row.get(22)?,
    })
}
