//! Step 2 of a verification: the framed widget. The page itself holds nothing; its script reads the bridge token from
//! the address and speaks to [`crate::api::widget`].

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use citadel_domain::{Environment, tokens};
use citadel_store::orders;
use serde::Deserialize;

use super::{
    assets::{ORDER_PAGE, WIDGET_PAGE},
    kept::Kept,
};
use crate::{
    api::Params,
    app::App,
    auth,
    error::{self, ApiResult},
    purposes,
};

/// Everything but who may frame it (widget contract, section 5, rule 6).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; form-action 'none'; base-uri 'none'; require-trusted-types-for 'script'";

/// Pages on the developer's own machine, which sandbox tokens allow.
const LOOPBACK: &str = "http://localhost:* http://127.0.0.1:* https://localhost:* https://127.0.0.1:*";

#[derive(Deserialize)]
pub(crate) struct WidgetParams {
    bridge_token: Option<String>,
}

/// The framed widget. Who may frame it is decided by the token's client, never by the page that asks.
pub(crate) async fn get_widget(
    State(app): State<App>,
    Params(params): Params<WidgetParams>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    page(&headers, &ancestors(&app, &params).await?)
}

async fn ancestors(app: &App, params: &WidgetParams) -> ApiResult<String> {
    let asked = params.bridge_token.as_deref().unwrap_or_default();
    let token = auth::find_bridge_token(app, asked).await?;
    Ok(match token {
        Some(token) => {
            let mut origins = token.allowed_origins;
            // The page of an order frames the widget, and may itself be framed.
            if token.order_employer_id.is_some() {
                origins.push("'self'".to_owned());
            }
            if token.tenant.environment == Environment::Sandbox {
                origins.push(LOOPBACK.to_owned());
            }
            if origins.is_empty() { "'none'".to_owned() } else { origins.join(" ") }
        }
        // A token with something around it is no token here. Whoever sends one hopes that a later reader trims it.
        None if tokens::is_token(asked.trim_matches(|letter: char| !letter.is_ascii_alphanumeric()))
            && !tokens::is_token(asked) =>
        {
            "'none'".to_owned()
        }
        // A made-up token opens nothing: the page can only say that it is not good, and anyone may show that.
        None => "*".to_owned(),
    })
}

/// What the page of an order may do besides: frame the widget of each employer.
const FRAMES: &str = "frame-src 'self'";

/// The page of an order in a host's page.
pub(crate) async fn get_framed_order(
    State(app): State<App>,
    Params(params): Params<WidgetParams>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    // The token of the page that the person was sent opens the order as well, and that page is framed by nobody.
    let asked = params.bridge_token.as_deref().unwrap_or_default();
    let hash = app.keyring.keyed_hash(purposes::ORDER_PAGE, asked);
    let order = app.db.read(async move |tx| orders::find_by_page_token(tx, &hash).await).await?;
    let ancestors = match order {
        Some(_) => "'none'".to_owned(),
        None => ancestors(&app, &params).await?,
    };
    with_policy(&ORDER_PAGE, &headers, &format!("{POLICY}; {FRAMES}"), &ancestors)
}

/// The page of an order under the address that the person was sent. The token in it is read by the page's script.
pub(crate) async fn get_order(headers: HeaderMap) -> ApiResult<Response> {
    with_policy(&ORDER_PAGE, &headers, &format!("{POLICY}; {FRAMES}"), "'none'")
}

/// The same widget for native web views: top-level, never framed.
pub(crate) async fn get_mobile(headers: HeaderMap) -> ApiResult<Response> {
    page(&headers, "'none'")
}

fn page(headers: &HeaderMap, ancestors: &str) -> ApiResult<Response> {
    with_policy(&WIDGET_PAGE, headers, POLICY, ancestors)
}

fn with_policy(kept: &Kept, headers: &HeaderMap, policy: &str, ancestors: &str) -> ApiResult<Response> {
    let policy =
        HeaderValue::from_str(&format!("{policy}; frame-ancestors {ancestors}")).map_err(error::internal)?;
    let mut response = kept.body(headers);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}
