//! Step 1 of a verification: the client's back end asks for permission to open the widget.

use std::collections::HashSet;

use axum::{Json, extract::State, http::StatusCode};
use citadel_api_types::{
    Redacted,
    bridge_tokens::{BridgeToken as BridgeTokenView, CreateBridgeToken},
    error::{Detail, ErrorBody},
};
use citadel_domain::{
    AccountDetails, BridgeTokenId, CompanyId, Environment, Fault, Product, TemplateId, UserId,
};
use citadel_store::{
    Place, Tenant, Tx, bridge_tokens,
    bridge_tokens::{BridgeToken, NewBridgeToken},
    templates, users,
};
use jiff::SignedDuration;
use zeroize::Zeroizing;

use super::{NOT_OFFERED, account, reports};
use crate::{
    app::App,
    auth::{self, Caller},
    body::Body,
    error::{self, ApiError, ApiResult},
    faults::SandboxFaults,
    idempotency::{Holds, Once},
    purposes,
};

/// How long a bridge token opens the widget.
pub(crate) const BRIDGE_TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(6);

/// The longest text that we keep for a client, in characters.
const MAX_TEXT: usize = 1024;

/// Create a bridge token: permission to open the widget, for six hours.
#[utoipa::path(post, path = "/v1/bridge-tokens/", tag = "bridge", request_body = CreateBridgeToken, responses(
    (status = 200, body = BridgeTokenView),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, description = "the access token of a link to repair is unknown", body = Detail),
))]
pub(crate) async fn create_bridge_token(
    State(app): State<App>,
    caller: Caller,
    once: Once,
    SandboxFaults(faults): SandboxFaults,
    Body(body): Body<CreateBridgeToken>,
) -> ApiResult<Json<BridgeTokenView>> {
    make(&app, caller, once, faults, body, None).await.map(Json)
}

/// Makes a bridge token, for a person or for nobody in particular.
pub(super) async fn make(
    app: &App,
    caller: Caller,
    once: Once,
    faults: Vec<Fault>,
    body: CreateBridgeToken,
    user_id: Option<UserId>,
) -> ApiResult<BridgeTokenView> {
    let asked = Asked::check(app, caller.tenant.environment, &body)?;
    let link_id = match &body.access_token {
        Some(access_token) => {
            let link = reports::find_link_to_repair(app, caller.tenant, access_token).await?;
            if !link.allowed_products.contains(&asked.product) {
                return Err(error::invalid(
                    "product_type",
                    "The link of this access token does not serve it.",
                ));
            }
            Some(link.id)
        }
        None => None,
    };
    let template_id = body.template_id.as_deref().map(parse_template_id).transpose()?;
    let now = app.moment(caller.tenant).await?.now;
    let (token, token_hash) = auth::new_token(app, purposes::BRIDGE_TOKEN);
    let new = NewBridgeToken {
        id: BridgeTokenId::from_bytes([0; 16]),
        tenant: caller.tenant,
        access_key_id: caller.access_key_id,
        token_hash,
        product: asked.product,
        allowed_products: asked.allowed_products.clone(),
        client_name: body.client_name.clone(),
        tracking_info: body.tracking_info.clone(),
        company_mapping_id: asked.company_mapping_id,
        provider_id: body.provider_id.clone(),
        link_id,
        data_sources: vec![PAYROLL.to_owned()],
        account_sealed: None,
        faults,
        user_id,
        order_employer_id: None,
        template_id,
        created_at: now,
        expires_at: now.saturating_add(BRIDGE_TOKEN_LIFE).unwrap_or(now),
    };
    let answer = BridgeTokenView {
        bridge_token: Redacted::from(token.expose()),
        tracking_info: body.tracking_info,
        client_name: body.client_name,
        product_type: asked.product.to_string(),
        allowed_products: asked.allowed_products.iter().map(Product::to_string).collect(),
        company_mapping_id: asked.company_mapping_id.map(|id| id.to_string()),
        access_token: body.access_token,
        user_id: user_id.map(|id| id.to_string()),
        template_id: template_id.map(|id| id.to_string()),
        data_sources: vec![PAYROLL.to_owned()],
    };
    let (db, writer, account) = (app.db.scoped(caller.tenant.client_id), app.clone(), asked.account);
    db.write(async move |tx| {
        if let Some(user_id) = new.user_id
            && !users::lock(tx, new.tenant, user_id).await?
        {
            return Err(error::not_found());
        }
        if let Some(template_id) = new.template_id {
            templates::find(tx, new.tenant, template_id).await?.ok_or_else(unknown_template)?;
        }
        create(&writer, tx, new.clone(), account.as_ref()).await?;
        once.keep(tx, StatusCode::OK, &answer, Holds { user_id, link_id }).await?;
        Ok(answer.clone())
    })
    .await
}

/// The one source of data here, and those of the published API.
const PAYROLL: &str = "payroll";
const DATA_SOURCES: [&str; 5] = [PAYROLL, "docs", "insurance", "financial_accounts", "tax"];

/// Keeps a token, with its id and the account that it is about.
pub(super) async fn create(
    app: &App,
    tx: &mut Tx<'_>,
    mut new: NewBridgeToken,
    account: Option<&AccountDetails>,
) -> ApiResult<BridgeTokenId> {
    let source = app.next_id_source(tx, new.tenant, "bridge_token").await?;
    new.id = BridgeTokenId::generate(new.created_at, &*source);
    drop(source);
    // Sealed for its place, which the id is a part of.
    if let Some(account) = account {
        new.account_sealed = Some(seal_account(app, new.tenant, new.id, account)?);
    }
    bridge_tokens::create(tx, &new).await?;
    Ok(new.id)
}

fn parse_template_id(text: &str) -> ApiResult<TemplateId> {
    text.parse().map_err(|_| unknown_template())
}

pub(super) fn unknown_template() -> ApiError {
    error::invalid("template_id", "Unknown template. Take the id from templates.")
}

/// The checked parts of a request.
struct Asked {
    product: Product,
    allowed_products: Vec<Product>,
    company_mapping_id: Option<CompanyId>,
    /// For the products that are about one.
    account: Option<AccountDetails>,
}

impl Asked {
    fn check(app: &App, environment: Environment, body: &CreateBridgeToken) -> Result<Self, ApiError> {
        if NOT_OFFERED.contains(&body.product_type.as_str()) {
            return Err(error::product_not_enabled());
        }
        let mut fields = Vec::new();
        let mut refuse = |field: &str, message: String| fields.push((field.to_owned(), message));
        let mut product = |field: &str, text: &str| match text.parse::<Product>() {
            Ok(product) => Some(product),
            Err(problem) => {
                refuse(
                    field,
                    if text.is_empty() {
                        "This field is required.".to_owned()
                    } else {
                        format!("Unknown product: {problem}.")
                    },
                );
                None
            }
        };
        let wanted = product("product_type", &body.product_type);
        // As in an order: what is not offered is left out, and the answer says what remains.
        let asked = body.allowed_products.iter().filter(|text| !NOT_OFFERED.contains(&text.as_str()));
        let mut allowed: Vec<Product> = asked.filter_map(|text| product("allowed_products", text)).collect();
        if let Some(wanted) = wanted.filter(|wanted| !allowed.contains(wanted)) {
            allowed.insert(0, wanted);
        }
        let mut seen = HashSet::new();
        allowed.retain(|product| seen.insert(*product));
        if allowed.iter().any(|product| product.is_about_a_company() != allowed[0].is_about_a_company()) {
            let message =
                "admin and fas are about a company, the others about a person: one link cannot serve both.";
            refuse("allowed_products", message.to_owned());
        }
        for (field, text) in [("client_name", &body.client_name), ("tracking_info", &body.tracking_info)] {
            if text.as_ref().is_some_and(|text| text.chars().count() > MAX_TEXT) {
                refuse(field, format!("At most {MAX_TEXT} characters."));
            }
        }
        let company_mapping_id = body.company_mapping_id.as_deref().and_then(|text| {
            let company = app.directory.company(text);
            if company.is_none() {
                refuse(
                    "company_mapping_id",
                    "Unknown company. Take the id from company-mappings-search.".to_owned(),
                );
            }
            company.map(|company| company.id)
        });
        if body.provider_id.as_deref().is_some_and(|id| app.directory.provider(id).is_none()) {
            refuse("provider_id", "Unknown provider. Take the id from providers.".to_owned());
        }
        if body.data_sources.iter().any(|text| !DATA_SOURCES.contains(&text.as_str())) {
            refuse("data_sources", format!("Send some of: {}.", DATA_SOURCES.join(", ")));
        } else if !body.data_sources.is_empty() && !body.data_sources.iter().any(|text| text == PAYROLL) {
            let message = "This server reads payroll alone: leave this out, or name payroll too.";
            refuse("data_sources", message.to_owned());
        }
        let account = match wanted.filter(|product| account::is_needed(*product)) {
            Some(product) => account::check(body.account.as_ref(), product, environment)
                .map_err(|problems| fields.extend(problems))
                .ok(),
            None => None,
        };
        match wanted {
            Some(product) if fields.is_empty() => {
                Ok(Self { product, allowed_products: allowed, company_mapping_id, account })
            }
            _ => Err(error::invalid_fields(fields)),
        }
    }
}

/// A token has no data key of its own, so its account lies under the root key, and is swept when the token has aged.
fn seal_account(
    app: &App,
    tenant: Tenant,
    id: BridgeTokenId,
    account: &AccountDetails,
) -> ApiResult<Vec<u8>> {
    let json = serde_json::to_vec(account).map(Zeroizing::new).map_err(error::internal)?;
    Ok(app.keyring.seal(&account_place(tenant, id), &json)?)
}

/// The account that a token is about.
pub(crate) fn open_account(app: &App, token: &BridgeToken) -> ApiResult<Option<AccountDetails>> {
    let Some(sealed) = &token.account_sealed else { return Ok(None) };
    let json = app.keyring.unseal(&account_place(token.tenant, token.id), sealed)?;
    serde_json::from_slice(&json).map(Some).map_err(|_| error::internal("a sealed account cannot be read"))
}

fn account_place(tenant: Tenant, id: BridgeTokenId) -> Place {
    Place::new(tenant, "bridge_tokens", "account_sealed", *id.as_bytes())
}
