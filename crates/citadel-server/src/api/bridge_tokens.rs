//! Step 1 of a verification: the client's back end asks for permission to open the widget.

use std::collections::HashSet;

use axum::{Json, extract::State};
use citadel_api_types::{
    Redacted,
    bridge_tokens::{BridgeToken as BridgeTokenView, CreateBridgeToken},
    error::{Detail, ErrorBody},
};
use citadel_domain::{BridgeTokenId, CompanyId, Product};
use citadel_store::{Tenant, bridge_tokens, bridge_tokens::NewBridgeToken, links, links::Link};
use jiff::SignedDuration;

use crate::{
    app::App,
    auth::{self, Caller},
    body::Body,
    error::{self, ApiError, ApiResult},
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
    Body(body): Body<CreateBridgeToken>,
) -> ApiResult<Json<BridgeTokenView>> {
    let order = Order::check(&app, &body)?;
    let link_id = match &body.access_token {
        Some(access_token) => {
            let link = find_link(&app, caller.tenant, access_token.expose()).await?;
            if !link.allowed_products.contains(&order.product) {
                return Err(error::invalid(
                    "product_type",
                    "The link of this access token does not serve it.",
                ));
            }
            Some(link.id)
        }
        None => None,
    };
    let now = app.clock.now();
    let id = BridgeTokenId::generate(now, &*app.random);
    let (token, token_hash) = auth::new_token(&app, purposes::BRIDGE_TOKEN);
    let new = NewBridgeToken {
        id,
        tenant: caller.tenant,
        access_key_id: caller.access_key_id,
        token_hash,
        product: order.product,
        allowed_products: order.allowed_products.clone(),
        client_name: body.client_name.clone(),
        tracking_info: body.tracking_info.clone(),
        company_mapping_id: order.company_mapping_id,
        provider_id: body.provider_id.clone(),
        link_id,
        data_sources: vec!["payroll".to_owned()],
        created_at: now,
        expires_at: now + BRIDGE_TOKEN_LIFE,
    };
    let db = app.db.scoped(caller.tenant.client_id);
    db.write(async move |tx| bridge_tokens::create(tx, &new).await).await?;
    Ok(Json(BridgeTokenView {
        bridge_token: Redacted::from(token.expose()),
        tracking_info: body.tracking_info,
        client_name: body.client_name,
        product_type: order.product.to_string(),
        allowed_products: order.allowed_products.iter().map(Product::to_string).collect(),
        company_mapping_id: order.company_mapping_id.map(|id| id.to_string()),
        access_token: body.access_token,
        user_id: None,
        template_id: None,
        data_sources: vec!["payroll".to_owned()],
    }))
}

/// The checked parts of a request.
struct Order {
    product: Product,
    allowed_products: Vec<Product>,
    company_mapping_id: Option<CompanyId>,
}

impl Order {
    fn check(app: &App, body: &CreateBridgeToken) -> Result<Self, ApiError> {
        let mut fields = Vec::new();
        let mut refuse = |field: &str, message: String| fields.push((field.to_owned(), message));
        let mut product = |field: &str, text: &str| match text.parse::<Product>() {
            Ok(product) if SERVED.contains(&product) => Some(product),
            Ok(product) => {
                refuse(field, format!("{product} is not served by this version; employment and income are."));
                None
            }
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
        let mut allowed: Vec<Product> =
            body.allowed_products.iter().filter_map(|text| product("allowed_products", text)).collect();
        if let Some(wanted) = wanted.filter(|wanted| !allowed.contains(wanted)) {
            allowed.insert(0, wanted);
        }
        let mut seen = HashSet::new();
        allowed.retain(|product| seen.insert(*product));
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
        match wanted {
            Some(product) if fields.is_empty() => {
                Ok(Self { product, allowed_products: allowed, company_mapping_id })
            }
            _ => Err(error::invalid_fields(fields)),
        }
    }
}

/// The products that this version serves from end to end.
const SERVED: [Product; 2] = [Product::Employment, Product::Income];

async fn find_link(app: &App, tenant: Tenant, access_token: &str) -> ApiResult<Link> {
    let hash = app.keyring.keyed_hash(purposes::ACCESS_TOKEN, access_token);
    let db = app.db.scoped(tenant.client_id);
    let link = db.read(async move |tx| links::find_by_access_token(tx, tenant, &hash).await).await?;
    link.ok_or_else(error::not_found)
}
