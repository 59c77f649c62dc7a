//! What the widget shows before the sign-in: where to begin, employers, providers, the sign-in form.

use axum::{Json, extract::State};
use citadel_connectors::{LoginField, LoginForm, LoginWay};
use citadel_domain::{Product, TemplateId};
use citadel_store::{Tenant, bridge_tokens::BridgeToken, links, templates};
use serde::{Deserialize, Serialize};

use super::deposit::{self, AccountView};
use crate::{
    api::{self, Params, PathId},
    app::App,
    auth::BridgeSession,
    directory::{Company, Provider},
    error::{self, ApiResult},
    look::Look,
    reports,
};

/// How many employers the widget lists.
const MOST_COMPANIES: usize = 8;

/// What the widget shows first.
#[derive(Serialize)]
pub(crate) struct SessionView {
    product_type: String,
    client_name: Option<String>,
    environment: &'static str,
    tracking_info: Option<String>,
    expires_at: String,
    first_view: &'static str,
    company: Option<CompanyOption>,
    provider: Option<ProviderOption>,
    /// The person signs in again, for a link that is there.
    is_repair: bool,
    /// What the person has to confirm, for the products that change something.
    account: Option<AccountView>,
    /// The client's own look, where the token names one.
    look: Look,
}

#[derive(Serialize)]
pub(crate) struct CompanyOption {
    company_mapping_id: String,
    name: String,
    domain: Option<String>,
    logo_url: String,
}

#[derive(Serialize)]
pub(crate) struct ProviderOption {
    id: String,
    name: String,
    logo_url: String,
}

fn company_option(app: &App, company: &Company) -> CompanyOption {
    let id = company.id.to_string();
    let logo_url = app.mark_url(&id);
    CompanyOption {
        company_mapping_id: id,
        name: company.name.clone(),
        domain: company.domain.clone(),
        logo_url,
    }
}

fn provider_option(app: &App, provider: &Provider) -> ProviderOption {
    ProviderOption {
        id: provider.id.clone(),
        name: provider.name.clone(),
        logo_url: app.mark_url(&provider.id),
    }
}

/// What this bridge token is for, and where its flow begins.
pub(crate) async fn get_session(
    State(app): State<App>,
    session: BridgeSession,
) -> ApiResult<Json<SessionView>> {
    let token = &session.token;
    let company = token.company_mapping_id.and_then(|id| app.directory.find_company(id));
    let mut provider = token.provider_id.as_deref().and_then(|id| app.directory.provider(id));
    if let Some(link_id) = token.link_id {
        let tenant = token.tenant;
        let db = app.db.scoped(tenant.client_id);
        let link = db.read(async move |tx| links::find(tx, tenant, link_id).await).await?;
        provider = link.and_then(|link| app.directory.provider(&link.provider_id)).or(provider);
    }
    let first_view = match (company, provider) {
        (_, Some(_)) => "PROVIDER_LOGIN",
        (Some(company), None) => {
            match providers_of(&app, company, token.product).take(2).collect::<Vec<_>>()[..] {
                [only] => {
                    provider = Some(only);
                    "PROVIDER_LOGIN"
                }
                _ => "PROVIDER_LIST",
            }
        }
        (None, None) => match token.product {
            Product::Admin | Product::Fas => "PROVIDER_LIST",
            _ => "SELECT_EMPLOYER",
        },
    };
    let look = look(&app, token.tenant, token.template_id).await?;
    Ok(Json(SessionView {
        product_type: token.product.to_string(),
        client_name: look.company_name.clone().or_else(|| token.client_name.clone()),
        environment: token.tenant.environment.as_str(),
        tracking_info: token.tracking_info.clone(),
        expires_at: reports::time(token.expires_at),
        first_view,
        company: company.map(|company| company_option(&app, company)),
        provider: provider.map(|provider| provider_option(&app, provider)),
        is_repair: token.link_id.is_some(),
        account: deposit::view(&app, token)?,
        look,
    }))
}

/// What is applied of the template of a token or an order. One that was deleted has nothing to say.
pub(super) async fn look(app: &App, tenant: Tenant, template_id: Option<TemplateId>) -> ApiResult<Look> {
    let Some(template_id) = template_id else { return Ok(Look::default()) };
    let db = app.db.scoped(tenant.client_id);
    let template = db.read(async move |tx| templates::find(tx, tenant, template_id).await).await?;
    template.as_ref().map_or_else(|| Ok(Look::default()), api::templates::look)
}

#[derive(Deserialize)]
pub(crate) struct CompanyQuery {
    query: Option<String>,
}

/// Employers as the consumer types.
pub(crate) async fn search_companies(
    State(app): State<App>,
    session: BridgeSession,
    Params(params): Params<CompanyQuery>,
) -> Json<Vec<CompanyOption>> {
    let query = params.query.unwrap_or_default();
    let hits = app.directory.search(&query, Some(session.token.product), MOST_COMPANIES);
    Json(hits.into_iter().map(|(company, _)| company_option(&app, company)).collect())
}

#[derive(Deserialize)]
pub(crate) struct ProviderQuery {
    query: Option<String>,
    company_mapping_id: Option<String>,
}

/// Providers of an employer, or all that serve the product.
pub(crate) async fn list_providers(
    State(app): State<App>,
    session: BridgeSession,
    Params(params): Params<ProviderQuery>,
) -> Json<Vec<ProviderOption>> {
    let company = params.company_mapping_id.as_deref().and_then(|id| app.directory.company(id));
    let options = match company {
        Some(company) => providers_of(&app, company, session.token.product)
            .map(|provider| provider_option(&app, provider))
            .collect(),
        None => {
            let query = params.query.unwrap_or_default();
            let found = app.directory.providers(&query, Some(session.token.product));
            found.map(|provider| provider_option(&app, provider)).collect()
        }
    };
    Json(options)
}

/// The providers of an employer that serve a product.
fn providers_of<'a>(
    app: &'a App,
    company: &'a Company,
    product: Product,
) -> impl Iterator<Item = &'a Provider> {
    app.directory.providers_of(company).filter(move |provider| provider.products.contains(&product))
}

/// A provider with its sign-in form.
#[derive(Serialize)]
pub(crate) struct ProviderForm {
    #[serde(flatten)]
    provider: ProviderOption,
    /// Asked for on a screen of its own, before the sign-in.
    organization: Option<FormField>,
    /// The first is shown, the others are a click away. None: the provider is not served.
    ways: Vec<FormWay>,
    forgot_password_url: Option<String>,
}

#[derive(Serialize)]
struct FormWay {
    label: &'static str,
    fields: Vec<FormField>,
}

#[derive(Serialize)]
struct FormField {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    autocomplete: &'static str,
    hint: Option<&'static str>,
}

impl From<&LoginField> for FormField {
    fn from(field: &LoginField) -> Self {
        let kind = if field.is_secret { "password" } else { "text" };
        Self { name: field.name, label: field.label, kind, autocomplete: field.autocomplete, hint: None }
    }
}

/// The sign-in form of a provider.
pub(crate) async fn get_provider(
    State(app): State<App>,
    session: BridgeSession,
    PathId(id): PathId<String>,
) -> ApiResult<Json<ProviderForm>> {
    let provider = app.directory.provider(&id).ok_or_else(error::not_found)?;
    let form = login_form(&app, &session.token, &id);
    let way = |way: &LoginWay| FormWay {
        label: way.label,
        fields: way.fields.iter().map(FormField::from).collect(),
    };
    Ok(Json(ProviderForm {
        provider: provider_option(&app, provider),
        organization: form.and_then(|form| form.organization).as_ref().map(FormField::from),
        ways: form.map_or_else(Vec::new, |form| form.ways.iter().map(way).collect()),
        forgot_password_url: None,
    }))
}

/// What a sign-in asks for; `None` where no connector serves the provider.
pub(super) fn login_form(app: &App, token: &BridgeToken, provider_id: &str) -> Option<LoginForm> {
    let connector = app.connectors.find(token.tenant.environment, provider_id)?;
    Some(connector.login_form(provider_id, token.product))
}
