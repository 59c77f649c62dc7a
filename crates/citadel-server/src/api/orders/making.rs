//! From a request to the rows of an order.

use citadel_api_types::{
    Redacted,
    orders::{CreateOrder, OrderEmployerRequest, RefreshOrder, UpdateOrder},
};
use citadel_domain::{
    AccountDetails, BridgeTokenId, CompanyId, Environment, Fault, OrderEmployerId, OrderId, OrderStatus,
    Product, Secret, TemplateId,
};
use citadel_store::{
    Place, Tenant, Tx,
    bridge_tokens::NewBridgeToken,
    order_employers::{self, NewOrderEmployer, OrderEmployer},
    orders::{self, NewOrder, Order},
    templates,
    users::{self, User},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Loaded;
use crate::{
    api::{account, bridge_tokens, users as people, users::Profile},
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
/// Rows of an order: employers times products.
const MOST_ROWS: usize = 20;
/// Products of an order, those that are not offered included.
const MOST_PRODUCTS: usize = 12;
/// The longest text, in characters, and the longest object, in bytes of JSON.
const MAX_TEXT: usize = 1024;
const MAX_JSON: usize = 16 * 1024;
/// How sure the search must be of an employer that is only named.
const SURE: f64 = 0.5;
/// Products of the published API that this server does not offer.
const NOT_OFFERED: [&str; 6] = ["assets", "transactions", "insurance", "scoring", "balances", "documents"];

/// What the client told of the person and the order. Sealed under the user's data key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct OrderBody {
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) custom_field: Option<String>,
    pub(super) loan: Option<Value>,
    pub(super) manager: Option<Value>,
    pub(super) notification_settings: Option<Value>,
    pub(super) notes: Option<String>,
}

/// What the client told of an employer. Sealed under the user's data key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct EmployerBody {
    pub(crate) company_name: Option<String>,
    pub(super) company_domain: Option<String>,
    pub(super) company_logo: Option<String>,
    pub(super) company_address: Option<Value>,
    pub(super) start_date: Option<String>,
    pub(super) end_date: Option<String>,
    pub(super) suborder_number: Option<String>,
    pub(super) company_mapping_id: Option<CompanyId>,
}

/// An order that may be made.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) profile: Profile,
    caller: Caller,
    faults: Vec<Fault>,
    products: Vec<String>,
    employers: Vec<WantedEmployer>,
    body: OrderBody,
    order_number: Option<String>,
    client_name: Option<String>,
    source: String,
    template_id: Option<TemplateId>,
}

/// An employer that may be put into an order.
#[derive(Clone)]
pub(super) struct WantedEmployer {
    product: Product,
    account: Option<AccountDetails>,
    body: EmployerBody,
}

impl Wanted {
    pub(super) fn check(
        app: &App,
        caller: Caller,
        faults: Vec<Fault>,
        asked: CreateOrder,
    ) -> ApiResult<Self> {
        let offered = offered(&asked.products)?;
        let employers = employers(app, caller.tenant.environment, &offered, &asked.employers)?;
        let profile = Profile {
            external_user_id: asked.external_user_id,
            first_name: asked.first_name.clone().unwrap_or_default(),
            last_name: asked.last_name.clone().unwrap_or_default(),
            email: asked.email.clone(),
            phone: asked.phone.clone(),
            ssn: asked.ssn.or(asked.social_security_number),
        };
        profile.check_texts()?;
        let body = OrderBody {
            first_name: asked.first_name,
            last_name: asked.last_name,
            email: asked.email,
            phone: asked.phone,
            custom_field: asked.custom_field,
            loan: asked.loan,
            manager: asked.manager,
            notification_settings: asked.notification_settings,
            notes: asked.notes,
        };
        body.check()?;
        texts(&[
            ("order_number", asked.order_number.as_deref()),
            ("client_name", asked.client_name.as_deref()),
            ("source", asked.source.as_deref()),
        ])?;
        let template_id = asked
            .template_id
            .as_deref()
            .map(|text| text.parse().map_err(|_| bridge_tokens::unknown_template()));
        Ok(Self {
            profile,
            caller,
            faults,
            products: asked.products,
            employers,
            body,
            order_number: asked.order_number,
            client_name: asked.client_name,
            source: asked.source.unwrap_or_else(|| "external".to_owned()),
            template_id: template_id.transpose()?,
        })
    }

    /// The same order again, with what the client wants otherwise.
    pub(super) fn again(
        app: &App,
        caller: Caller,
        faults: Vec<Fault>,
        before: &Loaded,
        asked: RefreshOrder,
    ) -> ApiResult<Self> {
        let order = &before.order;
        let products = match &asked.products[..] {
            [] => order.products.clone(),
            [one] => {
                let may_be = |product: &str| match product {
                    "income" => matches!(one.as_str(), "income" | "employment"),
                    known => one == known,
                };
                if !order.products.iter().any(|product| may_be(product)) {
                    let message =
                        "The order was not for this product. Of income, employment may be asked again.";
                    return Err(error::invalid("products", message));
                }
                vec![one.clone()]
            }
            _ => return Err(error::invalid("products", "Send one product, or none for those of the order.")),
        };
        let offered = offered(&products)?;
        let employers = if asked.employers.is_empty() {
            let same = before.employers_as_asked();
            employers(app, caller.tenant.environment, &offered, &same)?
        } else {
            employers(app, caller.tenant.environment, &offered, &asked.employers)?
        };
        let mut body = before.body.clone();
        body.email = asked.email.or(body.email);
        body.phone = asked.phone.or(body.phone);
        body.manager = asked.manager.or(body.manager);
        body.check()?;
        Ok(Self {
            profile: Profile::default(),
            caller,
            faults,
            products,
            employers,
            body,
            order_number: order.order_number.clone(),
            client_name: order.client_name.clone(),
            source: order.source.clone(),
            template_id: order.template_id,
        })
    }
}

impl WantedEmployer {
    /// `at` is where the request holds it, such as `employers[0].`.
    pub(super) fn check(
        app: &App,
        environment: Environment,
        product: Product,
        asked: &OrderEmployerRequest,
        at: &str,
    ) -> ApiResult<Self> {
        let field = |name: &str| format!("{at}{name}");
        let mut company = None;
        if let Some(id) = asked.company_mapping_id.as_deref() {
            let found = app.directory.company(id);
            company = Some(found.ok_or_else(|| {
                let message = "Unknown company. Take the id from company-mappings-search.";
                error::invalid(&field("company_mapping_id"), message)
            })?);
        } else if let Some(name) = asked.company_name.as_deref() {
            let found = app.directory.search(name, Some(product), 1).into_iter().next();
            company = found.filter(|(_, confidence)| *confidence >= SURE).map(|(company, _)| company);
        }
        let account = match account::is_needed(product) {
            true => {
                Some(account::check(asked.account.as_ref(), product, environment).map_err(|problems| {
                    error::invalid_fields(
                        problems.into_iter().map(|(name, message)| (field(&name), message)).collect(),
                    )
                })?)
            }
            false => None,
        };
        for (name, text) in [
            ("company_name", &asked.company_name),
            ("company_domain", &asked.company_domain),
            ("company_logo", &asked.company_logo),
            ("suborder_number", &asked.suborder_number),
        ] {
            texts(&[(&field(name), text.as_deref())])?;
        }
        for (name, day) in [("start_date", &asked.start_date), ("end_date", &asked.end_date)] {
            if day.as_deref().is_some_and(|day| day.parse::<jiff::civil::Date>().is_err()) {
                return Err(error::invalid(&field(name), "Send a day as in 2026-11-18."));
            }
        }
        json(&field("company_address"), asked.company_address.as_ref())?;
        let body = EmployerBody {
            company_name: asked.company_name.clone().or_else(|| company.map(|company| company.name.clone())),
            company_domain: asked
                .company_domain
                .clone()
                .or_else(|| company.and_then(|company| company.domain.clone())),
            company_logo: asked.company_logo.clone(),
            company_address: asked.company_address.clone(),
            start_date: asked.start_date.clone(),
            end_date: asked.end_date.clone(),
            suborder_number: asked.suborder_number.clone(),
            company_mapping_id: company.map(|company| company.id),
        };
        Ok(Self { product, account, body })
    }
}

impl EmployerBody {
    /// As a request would send it.
    pub(super) fn as_asked(&self, account: Option<&AccountDetails>) -> OrderEmployerRequest {
        OrderEmployerRequest {
            company_name: self.company_name.clone(),
            company_mapping_id: self.company_mapping_id.map(|id| id.to_string()),
            company_domain: self.company_domain.clone(),
            company_logo: self.company_logo.clone(),
            company_address: self.company_address.clone(),
            start_date: self.start_date.clone(),
            end_date: self.end_date.clone(),
            suborder_number: self.suborder_number.clone(),
            product_type: None,
            account: account.map(account::as_sent),
        }
    }
}

impl OrderBody {
    fn check(&self) -> ApiResult<()> {
        texts(&[
            ("first_name", self.first_name.as_deref()),
            ("last_name", self.last_name.as_deref()),
            ("email", self.email.as_deref()),
            ("phone", self.phone.as_deref()),
            ("custom_field", self.custom_field.as_deref()),
            ("notes", self.notes.as_deref()),
        ])?;
        json("loan", self.loan.as_ref())?;
        json("manager", self.manager.as_ref())?;
        json("notification_settings", self.notification_settings.as_ref())
    }
}

fn texts(fields: &[(&str, Option<&str>)]) -> ApiResult<()> {
    let long = fields.iter().find(|(_, text)| text.is_some_and(|text| text.chars().count() > MAX_TEXT));
    match long {
        Some((field, _)) => Err(error::invalid(field, format!("At most {MAX_TEXT} characters."))),
        None => Ok(()),
    }
}

fn json(field: &str, value: Option<&Value>) -> ApiResult<()> {
    match value {
        Some(value) if value.to_string().len() > MAX_JSON => {
            Err(error::invalid(field, format!("At most {MAX_JSON} bytes.")))
        }
        _ => Ok(()),
    }
}

/// Those of the products that this server offers.
fn offered(products: &[String]) -> ApiResult<Vec<Product>> {
    if products.is_empty() {
        return Err(error::invalid("products", "This field is required."));
    }
    if products.len() > MOST_PRODUCTS {
        return Err(error::invalid("products", format!("At most {MOST_PRODUCTS}.")));
    }
    let mut offered = Vec::new();
    for text in products {
        match text.parse::<Product>() {
            Ok(product) if !offered.contains(&product) => offered.push(product),
            Ok(_) => {}
            Err(_) if NOT_OFFERED.contains(&text.as_str()) => {}
            Err(problem) => return Err(error::invalid("products", format!("Unknown product: {problem}."))),
        }
    }
    if offered.is_empty() {
        return Err(error::product_not_enabled());
    }
    Ok(offered)
}

/// A row for each employer and product; one without an employer where none is named.
fn employers(
    app: &App,
    environment: Environment,
    offered: &[Product],
    asked: &[OrderEmployerRequest],
) -> ApiResult<Vec<WantedEmployer>> {
    let nobody = [OrderEmployerRequest::default()];
    let asked = if asked.is_empty() { &nobody[..] } else { asked };
    if asked.len() > MOST_ROWS {
        return Err(error::invalid(
            "employers",
            format!("At most {MOST_ROWS}, counted once for each product."),
        ));
    }
    let mut rows = Vec::new();
    for (index, employer) in asked.iter().enumerate() {
        let at = format!("employers[{index}].");
        for product in offered {
            let is_meant = |named: &String| named == product.as_str();
            if employer.product_type.as_ref().is_none_or(is_meant) {
                rows.push(WantedEmployer::check(app, environment, *product, employer, &at)?);
            }
        }
    }
    match rows.len() {
        0 => Err(error::invalid("employers", "No employer is for one of the order's products.")),
        1..=MOST_ROWS => Ok(rows),
        _ => Err(error::invalid("employers", format!("At most {MOST_ROWS}, counted once for each product."))),
    }
}

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
        client_name: wanted.client_name.clone(),
        body_sealed: OwnerKey::of_user(app, user)?.seal_json(
            "orders",
            "body_sealed",
            *id.as_bytes(),
            &wanted.body,
        )?,
        page_token_hash,
        page_token_sealed: app.keyring.seal(&page_place(tenant, id), token.expose().as_bytes())?,
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

/// Puts an employer into an order, with a bridge token that lives as long as the order.
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
    let (token, token_hash) = auth::new_token(app, purposes::BRIDGE_TOKEN);
    let bridge_token = NewBridgeToken {
        id: BridgeTokenId::from_bytes([0; 16]),
        tenant,
        access_key_id: caller.access_key_id,
        token_hash,
        product: new.product,
        allowed_products: vec![new.product],
        client_name: order.client_name.clone(),
        tracking_info: Some(id.to_string()),
        company_mapping_id: new.body.company_mapping_id,
        provider_id: None,
        link_id: None,
        data_sources: vec!["payroll".to_owned()],
        account_sealed: None,
        faults: faults.to_vec(),
        user_id: Some(user.id),
        order_employer_id: Some(id),
        template_id: order.template_id,
        created_at: now,
        expires_at: order.expires_at,
    };
    bridge_tokens::create(app, tx, bridge_token, new.account.as_ref()).await?;
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
        bridge_token_sealed: app.keyring.seal(&token_place(tenant, id), token.expose().as_bytes())?,
        created_at: now,
    };
    Ok(order_employers::create(tx, &row).await?)
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

/// The token in the address of an order's page.
pub(crate) fn open_page_token(app: &App, order: &Order) -> ApiResult<Redacted> {
    text(&app.keyring.unseal(&page_place(order.tenant, order.id), &order.page_token_sealed)?)
}

/// The bridge token of an employer.
pub(crate) fn open_bridge_token(app: &App, row: &OrderEmployer) -> ApiResult<Redacted> {
    text(&app.keyring.unseal(&token_place(row.tenant, row.id), &row.bridge_token_sealed)?)
}

fn text(bytes: &[u8]) -> ApiResult<Redacted> {
    let text = std::str::from_utf8(bytes).map_err(|_| error::internal("a sealed token is not text"))?;
    Ok(Redacted::from(Secret::new(text).expose()))
}

fn page_place(tenant: Tenant, id: OrderId) -> Place {
    Place::new(tenant, "orders", "page_token_sealed", *id.as_bytes())
}

fn token_place(tenant: Tenant, id: OrderEmployerId) -> Place {
    Place::new(tenant, "order_employers", "bridge_token_sealed", *id.as_bytes())
}
