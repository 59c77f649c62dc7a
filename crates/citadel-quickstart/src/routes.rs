//! The back end: two calls of the page, each of which becomes one or two calls of Citadel.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderName, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use citadel_sdk::{BridgeToken, CreateBridgeToken, Error, Redacted};
use serde_json::json;
use tokio::time::Instant;

use crate::{Product, Settings, console::log, mask::mask, page};

/// The page at `/`, and what it asks for.
pub fn router(settings: &Settings) -> Router {
    let routes = Router::new()
        .merge(page::page(settings))
        .route("/getBridgeToken", get(get_bridge_token))
        .route("/getVerifications/{public_token}", get(get_verifications))
        .fallback(async || (StatusCode::NOT_FOUND, Json(json!({"detail": "Not Found."}))))
        .with_state(settings.clone());
    page::guarded(routes, &settings.bridge_origin)
}

/// Step 2: ask Citadel for a bridge token and send it to the front end.
async fn get_bridge_token(State(app): State<Settings>) -> Result<Json<BridgeToken>, Failure> {
    log(&format!("Requesting bridge token from {}bridge-tokens", app.citadel.base_url()));
    let request = CreateBridgeToken {
        client_name: Some("Citadel Quickstart".to_owned()),
        tracking_info: Some("1337".to_owned()),
        ..CreateBridgeToken::new(app.product.as_str())
    };
    let bridge = app.citadel.create_bridge_token(&request).await.map_err(Failure::at(2))?;
    Ok(Json(bridge))
}

/// Steps 8 to 10: exchange the public token, read what the person shared, and send it to the front end.
async fn get_verifications(
    State(app): State<Settings>,
    Path(public_token): Path<Redacted>,
) -> Result<Response, Failure> {
    let base_url = app.citadel.base_url();
    log(&format!("Exchanging a public_token for an access_token from {base_url}link-access-tokens"));
    log(&format!("Public Token - {}", mask(&public_token)));
    let started = Instant::now();
    let link = app.citadel.exchange_public_token(public_token).await.map_err(Failure::at(8))?;
    let exchange = started.elapsed();

    // A real app would now store `link.access_token` and `link.link_id` with its user.
    let (word, path) = match app.product {
        Product::Employment => ("employment", "verifications/employments"),
        Product::Income => ("income", "verifications/incomes"),
    };
    log(&format!("Requesting {word} verification data using an access_token from {base_url}{path}"));
    log(&format!("Access Token - {}", mask(&link.access_token)));
    let started = Instant::now();
    let report = match app.product {
        Product::Employment => app.citadel.employment_report(&link.access_token).await.map(as_json),
        Product::Income => app.citadel.income_report(&link.access_token).await.map(as_json),
    }
    .map_err(Failure::at(9))?;
    Ok((server_timing(exchange, started.elapsed()), report).into_response())
}

fn as_json(report: impl serde::Serialize) -> Response {
    Json(report).into_response()
}

/// Tells the page, and the browser's own network panel, how long each call to Citadel took.
fn server_timing(exchange: Duration, report: Duration) -> [(HeaderName, String); 1] {
    let milliseconds = |duration: Duration| duration.as_secs_f64() * 1000.0;
    let value = format!("exchange;dur={:.1}, report;dur={:.1}", milliseconds(exchange), milliseconds(report));
    [(HeaderName::from_static("server-timing"), value)]
}

/// A call to Citadel that failed, and the step in which it did. Its text says what to do, so the page shows it.
struct Failure {
    step: u8,
    error: Error,
}

impl Failure {
    fn at(step: u8) -> impl FnOnce(Error) -> Self {
        move |error| Self { step, error }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self { step, error } = self;
        log(&format!("Step {step} failed - {}", error.to_string().escape_debug()));
        let status = error.status().and_then(|status| StatusCode::from_u16(status).ok());
        let status = status.filter(|status| status.as_u16() >= 400).unwrap_or(StatusCode::BAD_GATEWAY);
        let code = error.code().map(|code| code.as_str());
        (status, Json(json!({"error": {"code": code, "message": error.to_string()}, "step": step})))
            .into_response()
    }
}
