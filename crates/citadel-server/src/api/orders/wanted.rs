//! From a request to an order that may be made.

use citadel_api_types::orders::{CreateOrder, OrderEmployerRequest, RefreshOrder};
use citadel_domain::{AccountDetails, CompanyId, Environment, Fault, Product, TemplateId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Loaded;
use crate::{
    api::{NOT_OFFERED, account, bridge_tokens, users::Profile},
    app::App,
    auth::Caller,
    error::{self, ApiResult},
};

/// Rows of an order: employers times products.
pub(super) const MOST_ROWS: usize = 20;
/// Products of an order, those that are not offered included.
const MOST_PRODUCTS: usize = 12;
/// The longest text, in characters, and the longest object, in bytes of JSON.
const MAX_TEXT: usize = 1024;
const MAX_JSON: usize = 16 * 1024;

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
    pub(super) caller: Caller,
    pub(super) faults: Vec<Fault>,
    pub(super) products: Vec<String>,
    pub(super) employers: Vec<WantedEmployer>,
    pub(super) body: OrderBody,
    pub(super) order_number: Option<String>,
    /// The client's registered name where it told none.
    pub(super) client_name: Option<String>,
    pub(super) source: String,
    pub(super) template_id: Option<TemplateId>,
}

/// An employer that may be put into an order.
#[derive(Clone)]
pub(super) struct WantedEmployer {
    pub(super) product: Product,
    pub(super) account: Option<AccountDetails>,
    pub(super) body: EmployerBody,
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
                if !order.products.iter().any(|product| may_be_asked(product, one)) {
                    let message =
                        "The order was not for this product. Of income, employment may be asked again.";
                    return Err(error::invalid("products", message));
                }
                vec![one.clone()]
            }
            _ => return Err(error::invalid("products", "Send one product, or none for those of the order.")),
        };
        let offered = offered(&products)?;
        let employers = match &asked.employers[..] {
            [] => same_again(before, &offered)?,
            others => employers(app, caller.tenant.environment, &offered, others)?,
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
    fn check(
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
            // Nobody looks at what was found, and the person cannot choose another: only the whole name will do.
            company = app.directory.company_named(name, product);
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

impl OrderBody {
    pub(super) fn check(&self) -> ApiResult<()> {
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

/// Whether what was ordered as one product may be ordered again as another.
fn may_be_asked(before: &str, now: &str) -> bool {
    before == now || (before, now) == (Product::Income.as_str(), Product::Employment.as_str())
}

/// The rows of an order once more, as they are kept: for a product that had none, those of the product that it may stand for.
fn same_again(before: &Loaded, offered: &[Product]) -> ApiResult<Vec<WantedEmployer>> {
    let mut rows = Vec::new();
    for product in offered {
        let of_product: Vec<_> = before.kept().filter(|kept| kept.product == *product).collect();
        match of_product.is_empty() {
            false => rows.extend(of_product),
            true => rows.extend(
                before
                    .kept()
                    .filter(|kept| may_be_asked(kept.product.as_str(), product.as_str()))
                    .map(|kept| WantedEmployer { product: *product, ..kept }),
            ),
        }
    }
    match rows.is_empty() {
        false => Ok(rows),
        true => Err(error::invalid("employers", "The order has no employer for this product. Send some.")),
    }
}

/// Those of the products that this server offers.
pub(super) fn offered(products: &[String]) -> ApiResult<Vec<Product>> {
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
    let too_many =
        || error::invalid("employers", format!("At most {MOST_ROWS}, counted once for each product."));
    let nobody = [OrderEmployerRequest::default()];
    let asked = if asked.is_empty() { &nobody[..] } else { asked };
    if asked.len() > MOST_ROWS {
        return Err(too_many());
    }
    let mut rows = Vec::new();
    for (index, employer) in asked.iter().enumerate() {
        rows.extend(rows_of(app, environment, offered, employer, &format!("employers[{index}]."))?);
    }
    match rows.len() {
        0 => Err(error::invalid("employers", "No employer is for one of the order's products.")),
        1..=MOST_ROWS => Ok(rows),
        _ => Err(too_many()),
    }
}

/// The rows of one employer: one for each product of the order, or for the one that it is meant for.
pub(super) fn rows_of(
    app: &App,
    environment: Environment,
    offered: &[Product],
    asked: &OrderEmployerRequest,
    at: &str,
) -> ApiResult<Vec<WantedEmployer>> {
    let is_meant =
        |product: &&Product| asked.product_type.as_deref().is_none_or(|named| named == product.as_str());
    let meant: Vec<_> = offered.iter().filter(is_meant).collect();
    // One that is not offered is taken beside others, and nothing comes of it.
    if meant.is_empty() && !asked.product_type.as_deref().is_some_and(|named| NOT_OFFERED.contains(&named)) {
        let names = offered.iter().map(|product| product.as_str()).collect::<Vec<_>>().join(", ");
        return Err(error::invalid(
            &format!("{at}product_type"),
            format!("Send one of the order's products: {names}."),
        ));
    }
    meant.into_iter().map(|product| WantedEmployer::check(app, environment, *product, asked, at)).collect()
}
