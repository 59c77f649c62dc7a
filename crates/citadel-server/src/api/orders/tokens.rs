//! The tokens of an order: the one in the address of its page, which lives as long as the order, and the bridge tokens of its
//! employers, which live for six hours as all others do (P8). A look at an order whose bridge tokens have aged makes new ones.

use citadel_api_types::Redacted;
use citadel_domain::{
    AccessKeyId, AccountDetails, BridgeTokenId, CompanyId, Fault, OrderEmployerId, OrderId, Product, Secret,
};
use citadel_store::{
    Place, Tenant, Tx, access_keys,
    bridge_tokens::{NewBridgeToken, Newest},
    order_employers::{self, OrderEmployer},
    orders::{self, Order},
};
use jiff::{SignedDuration, Timestamp};

use super::Loaded;
use crate::{
    api::bridge_tokens::{self, BRIDGE_TOKEN_LIFE},
    app::App,
    auth,
    error::{self, ApiResult},
    moment::Moment,
    purposes,
};

/// A token that has less than this to live is replaced: a person who has just been sent somewhere needs some time.
const MARGIN: SignedDuration = SignedDuration::from_hours(1);

/// A bridge token to be made.
pub(super) struct New<'a> {
    pub(super) employer_id: OrderEmployerId,
    pub(super) access_key_id: AccessKeyId,
    pub(super) product: Product,
    pub(super) company_mapping_id: Option<CompanyId>,
    /// Where the person signs in, if it is known.
    pub(super) provider_id: Option<String>,
    pub(super) account: Option<&'a AccountDetails>,
    pub(super) faults: &'a [Fault],
}

/// Makes a bridge token for an employer of an order; answers it sealed.
pub(super) async fn mint(
    app: &App,
    tx: &mut Tx<'_>,
    order: &Order,
    new: New<'_>,
    now: Timestamp,
) -> ApiResult<Vec<u8>> {
    let tenant = order.tenant;
    let (token, token_hash) = auth::new_token(app, purposes::BRIDGE_TOKEN);
    let bridge_token = NewBridgeToken {
        id: BridgeTokenId::from_bytes([0; 16]),
        tenant,
        access_key_id: new.access_key_id,
        token_hash,
        product: new.product,
        allowed_products: vec![new.product],
        client_name: order.client_name.clone(),
        tracking_info: Some(new.employer_id.to_string()),
        company_mapping_id: new.company_mapping_id,
        provider_id: new.provider_id,
        link_id: None,
        data_sources: vec!["payroll".to_owned()],
        account_sealed: None,
        faults: new.faults.to_vec(),
        user_id: Some(order.user_id),
        order_employer_id: Some(new.employer_id),
        template_id: order.template_id,
        created_at: now,
        expires_at: now.saturating_add(BRIDGE_TOKEN_LIFE).unwrap_or(now).min(order.expires_at),
    };
    bridge_tokens::create(app, tx, bridge_token, new.account).await?;
    Ok(app.keyring.seal(&token_place(tenant, new.employer_id), token.expose().as_bytes())?)
}

/// Whether the newest token of an employer should be followed by another.
pub(super) fn is_due(newest: Option<&Newest>, order: &Order, now: Timestamp) -> bool {
    let needed = now.saturating_add(MARGIN).unwrap_or(now).min(order.expires_at);
    newest.is_none_or(|newest| newest.is_revoked || newest.expires_at < needed)
}

/// Reads an order, with new bridge tokens where they have aged or their access key was deleted.
pub(crate) async fn load_renewed(
    app: &App,
    tenant: Tenant,
    id: OrderId,
    moment: Moment,
) -> ApiResult<Loaded> {
    let db = app.db.scoped(tenant.client_id);
    let reader = app.clone();
    let loaded = db.read(async move |tx| Loaded::find(&reader, tx, tenant, id).await).await?;
    if loaded.due(moment.now).next().is_none() {
        return Ok(loaded);
    }
    let writer = app.clone();
    db.write(async move |tx| {
        orders::lock(tx, tenant, id).await?;
        let loaded = Loaded::find(&writer, tx, tenant, id).await?;
        if renew(&writer, tx, &loaded, moment.now).await? {
            return Loaded::find(&writer, tx, tenant, id).await;
        }
        Ok(loaded)
    })
    .await
}

/// `false` when there is nothing to renew, or no key in whose name.
async fn renew(app: &App, tx: &mut Tx<'_>, loaded: &Loaded, now: Timestamp) -> ApiResult<bool> {
    let order = &loaded.order;
    let keys = access_keys::list_active(tx, order.tenant.client_id).await?;
    let mut keys = keys.iter().filter(|key| key.environment == order.tenant.environment);
    // The key that made the order, as long as it lives; then the newest of the same environment.
    let made_by = keys.clone().find(|key| key.id == order.access_key_id);
    let Some(key) = made_by.or_else(|| keys.next_back()) else { return Ok(false) };
    let mut is_renewed = false;
    for (row, kept, newest) in loaded.due(now) {
        let token = New {
            employer_id: row.id,
            access_key_id: key.id,
            product: row.product,
            company_mapping_id: match newest {
                Some(newest) => newest.company_mapping_id,
                None => kept.body.company_mapping_id,
            },
            provider_id: newest.and_then(|newest| newest.provider_id.clone()),
            account: kept.account.as_ref(),
            faults: newest.map_or(&[], |newest| &newest.faults),
        };
        let sealed = mint(app, tx, order, token, now).await?;
        order_employers::set_bridge_token(tx, order.tenant, row.id, &sealed).await?;
        is_renewed = true;
    }
    Ok(is_renewed)
}

/// The token in the address of an order's page, as long as it is told.
pub(crate) fn open_page_token(app: &App, order: &Order) -> ApiResult<Option<Redacted>> {
    open(app, &page_place(order.tenant, order.id), &order.page_token_sealed)
}

/// The bridge token of an employer, as long as it is told.
pub(super) fn open_bridge_token(app: &App, row: &OrderEmployer) -> ApiResult<Option<Redacted>> {
    open(app, &token_place(row.tenant, row.id), &row.bridge_token_sealed)
}

/// Seals the token in the address of an order's page.
pub(super) fn seal_page_token(app: &App, tenant: Tenant, id: OrderId, token: &Secret) -> ApiResult<Vec<u8>> {
    Ok(app.keyring.seal(&page_place(tenant, id), token.expose().as_bytes())?)
}

fn open(app: &App, place: &Place, sealed: &[u8]) -> ApiResult<Option<Redacted>> {
    if sealed.is_empty() {
        return Ok(None);
    }
    let bytes = app.keyring.unseal(place, sealed)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| error::internal("a sealed token is not text"))?;
    Ok(Some(Redacted::from(Secret::new(text).expose())))
}

fn page_place(tenant: Tenant, id: OrderId) -> Place {
    Place::new(tenant, "orders", "page_token_sealed", *id.as_bytes())
}

fn token_place(tenant: Tenant, id: OrderEmployerId) -> Place {
    Place::new(tenant, "order_employers", "bridge_token_sealed", *id.as_bytes())
}
