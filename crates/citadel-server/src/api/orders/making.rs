//! Writes orders, and their rows anew.

use citadel_api_types::orders::UpdateOrder;
use citadel_domain::{AccountDetails, CompanyId, Fault, OrderEmployerId, OrderId, OrderStatus};
use citadel_store::{
    Tenant, Tx, clients,
    order_employers::{self, NewOrderEmployer, OrderEmployer},
    orders::{self, NewOrder, Order},
    templates,
    users::{self, User},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Loaded, tokens,
    wanted::{EmployerBody, MOST_ROWS, OrderBody, Wanted, WantedEmployer},
};
use crate::{
    api::{bridge_tokens, users as people, users::Profile},
    app::App,
    auth::{self, Caller},
    error::{self, ApiResult},
    jobs::orders::tell_created,
    moment::Moment,
    owner_key::OwnerKey,
    purposes,
};

/// How long an order can be gone on with.
const LIFE: SignedDuration = SignedDuration::from_hours(72);

/// The user with the client's own id, or a new one.
pub(super) async fn find_or_create_user(
    app: &App,
    tx: &mut Tx<'_>,
    tenant: Tenant,
    profile: &Profile,
    now: Timestamp,
) -> ApiResult<User> {
    if let Some(id) = profile.external_user_id.as_deref() {
        let hash = people::external_id_hash(app, tenant, id);
        users::lock_external_ids(tx, tenant).await?;
        if let Some(user) = users::find_by_external_id(tx, tenant, &hash).await? {
            return Ok(user);
        }
    }
    people::create(app, tx, tenant, profile, now).await
}

/// Writes an order with its employers.
pub(super) async fn make(
    app: &App,
    tx: &mut Tx<'_>,
    user: &User,
    wanted: &Wanted,
    initial_order_id: Option<OrderId>,
    moment: Moment,
) -> ApiResult<OrderId> {
    let (tenant, now) = (user.tenant, moment.now);
    if !users::lock(tx, tenant, user.id).await? {
        return Err(error::not_found());
    }
    if let Some(template_id) = wanted.template_id {
        templates::find(tx, tenant, template_id).await?.ok_or_else(bridge_tokens::unknown_template)?;
    }
    let client_name = match &wanted.client_name {
        Some(name) => Some(name.clone()),
        // P20: a person agrees to nobody without a name.
        None => clients::find(tx, tenant.client_id).await?.map(|client| client.name),
    };
    let source = app.next_id_source(tx, tenant, "order").await?;
    let id = OrderId::generate(now, &*source);
    drop(source);
    let (token, page_token_hash) = auth::new_token(app, purposes::ORDER_PAGE);
    let new = NewOrder {
        id,
        tenant,
        user_id: user.id,
        access_key_id: wanted.caller.access_key_id,
        template_id: wanted.template_id,
        products: wanted.products.clone(),
        source: wanted.source.clone(),
        order_number: wanted.order_number.clone(),
        client_name,
        body_sealed: OwnerKey::of_user(app, user)?.seal_json(
            "orders",
            "body_sealed",
            *id.as_bytes(),
            &wanted.body,
        )?,
        page_token_hash,
        page_token_sealed: tokens::seal_page_token(app, tenant, id, &token)?,
        initial_order_id,
        created_at: now,
        expires_at: now.saturating_add(LIFE).unwrap_or(now),
    };
    orders::create(tx, &new).await?;
    let order = orders::find(tx, tenant, id).await?.ok_or_else(error::not_found)?;
    for (place, employer) in wanted.employers.iter().enumerate() {
        add(app, tx, &order, user, (wanted.caller, &wanted.faults), (place, employer), moment).await?;
    }
    tell_created(app, tx, &order, moment).await?;
    Ok(id)
}

/// Puts an employer into an order, with a bridge token.
pub(super) async fn add(
    app: &App,
    tx: &mut Tx<'_>,
    order: &Order,
    user: &User,
    (caller, faults): (Caller, &[Fault]),
    (place, new): (usize, &WantedEmployer),
    moment: Moment,
) -> ApiResult<()> {
    let (tenant, now) = (order.tenant, moment.now);
    if place >= MOST_ROWS {
        return Err(error::invalid("employers", format!("An order has {MOST_ROWS} employers at most.")));
    }
    let source = app.id_source(tenant, order.id.as_bytes(), "employer", i64::try_from(place).unwrap_or(0));
    let id = OrderEmployerId::generate(now, &*source);
    drop(source);
    let (provider_id, company_mapping_id) = begins_at(app, tx, order, new).await?;
    let token = tokens::New {
        employer_id: id,
        access_key_id: caller.access_key_id,
        product: new.product,
        company_mapping_id,
        provider_id,
        account: new.account.as_ref(),
        faults,
    };
    let bridge_token_sealed = tokens::mint(app, tx, order, token, now).await?;
    let key = OwnerKey::of_user(app, user)?;
    let body = StoredEmployer { body: new.body.clone(), account: new.account.clone() };
    let row = NewOrderEmployer {
        id,
        tenant,
        order_id: order.id,
        place: i64::try_from(place).unwrap_or(i64::MAX),
        product: new.product,
        status: OrderStatus::Pending,
        body_sealed: key.seal_json("order_employers", "body_sealed", *id.as_bytes(), &body)?,
        bridge_token_sealed,
        created_at: now,
    };
    Ok(order_employers::create(tx, &row).await?)
}

/// Where the person signs in for an employer, if it is known: orders of one person with one number of the client's belong
/// together, and what comes later begins where the first was connected.
async fn begins_at(
    app: &App,
    tx: &mut Tx<'_>,
    order: &Order,
    new: &WantedEmployer,
) -> ApiResult<(Option<String>, Option<CompanyId>)> {
    let company_id = new.body.company_mapping_id;
    let Some(number) = &order.order_number else { return Ok((None, company_id)) };
    let connected = order_employers::list_connected(tx, order.tenant, order.user_id, number).await?;
    let serves =
        |id: &str| app.directory.provider(id).is_some_and(|found| found.products.contains(&new.product));
    let found = connected.into_iter().find(|(provider_id, company)| {
        serves(provider_id) && (company_id.is_none() || company_id == *company)
    });
    Ok(match found {
        // An employer that is only named is not known to be the same.
        Some((provider_id, company)) if company_id.is_some() || new.body.company_name.is_none() => {
            (Some(provider_id), company)
        }
        _ => (None, company_id),
    })
}

/// What is kept of an employer: the account as well, because the order may be asked again.
#[derive(Serialize, Deserialize)]
struct StoredEmployer {
    body: EmployerBody,
    account: Option<AccountDetails>,
}

pub(super) fn employer_body(
    key: &OwnerKey,
    row: &OrderEmployer,
) -> ApiResult<(EmployerBody, Option<AccountDetails>)> {
    let stored: StoredEmployer =
        key.unseal_json("order_employers", "body_sealed", *row.id.as_bytes(), &row.body_sealed)?;
    Ok((stored.body, stored.account))
}

pub(super) fn order_body(key: &OwnerKey, order: &Order) -> ApiResult<OrderBody> {
    key.unseal_json("orders", "body_sealed", *order.id.as_bytes(), &order.body_sealed)
}

/// Writes what a client knows better by now.
pub(super) async fn update_body(
    app: &App,
    tx: &mut Tx<'_>,
    user: &User,
    loaded: &Loaded,
    asked: UpdateOrder,
    now: Timestamp,
) -> ApiResult<()> {
    let mut body = loaded.body.clone();
    let mut profile = people::profile(app, user)?;
    if let Some(name) = asked.first_name {
        profile.first_name.clone_from(&name);
        body.first_name = Some(name);
    }
    if let Some(name) = asked.last_name {
        profile.last_name.clone_from(&name);
        body.last_name = Some(name);
    }
    profile.ssn = asked.ssn.or(profile.ssn);
    body.loan = asked.loan.or(body.loan);
    body.notes = asked.notes.or(body.notes);
    body.notification_settings = asked.notification_settings.or(body.notification_settings);
    body.check()?;
    profile.check_texts()?;
    let key = OwnerKey::of_user(app, user)?;
    let order = &loaded.order;
    let sealed = key.seal_json("orders", "body_sealed", *order.id.as_bytes(), &body)?;
    orders::set_body(tx, order, &sealed, now).await?;
    people::write(app, tx, user, &profile, now).await
}
