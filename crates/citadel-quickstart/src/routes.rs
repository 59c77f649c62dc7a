//! The back end: each call of the page becomes one or a few calls of Citadel.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderName, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use citadel_sdk::{BridgeToken, CreateBridgeToken, Redacted};
use serde_json::json;
use tokio::time::Instant;

use crate::{
    Product, Settings, app::App, failure::Failure, funding::complete_funding_switch_flow, page,
    refresh::create_refresh_task, reports::read_report, webhook,
};

/// The page at `/`, and what it asks for. The routes of other products are not there.
pub fn router(settings: &Settings) -> Router {
    let product = settings.product;
    let mut routes = Router::new()
        .merge(page::page(settings))
        .route("/getBridgeToken", get(get_bridge_token))
        .route(&format!("/{}/{{public_token}}", product.data_route()), get(get_data))
        .route("/webhook", post(webhook::receive).layer(webhook::limit()));
    // Routes that change something are GET here because the first quickstart had them so. Make yours POST, and only
    // for people who are signed in.
    if product.can_refresh() {
        routes = routes.route("/createRefreshTask", get(create_refresh_task));
    }
    if product == Product::Fas {
        let path = "/completeFundingSwitchFlow/{first}/{second}";
        routes = routes.route(path, get(complete_funding_switch_flow));
    }
    let routes = routes
        .fallback(async || (StatusCode::NOT_FOUND, Json(json!({"detail": "Not Found."}))))
        .with_state(App::new(settings));
    page::guarded(routes, &settings.bridge_origin)
}

/// Step 2: ask Citadel for a bridge token and send it to the front end.
async fn get_bridge_token(State(app): State<App>) -> Result<Json<BridgeToken>, Failure> {
    app.log_call("Requesting bridge token from", "bridge-tokens");
    let request = CreateBridgeToken {
        client_name: Some("Citadel Quickstart".to_owned()),
        tracking_info: Some("1337".to_owned()),
        account: app.product.account(),
        ..CreateBridgeToken::new(app.product.as_str())
    };
    let bridge = app.citadel.create_bridge_token(&request).await.map_err(Failure::at(2))?;
    Ok(Json(bridge))
}

/// Steps 8 to 10: exchange the public token, read what the person shared, and send it to the front end.
async fn get_data(State(app): State<App>, Path(public_token): Path<Redacted>) -> Result<Response, Failure> {
    let started = Instant::now();
    let access_token = app.exchange(public_token).await?;
    let exchange = started.elapsed();

    let started = Instant::now();
    let report = read_report(&app, &access_token).await?;
    Ok((server_timing(exchange, started.elapsed()), report).into_response())
}

/// Tells the page, and the browser's own network panel, how long each call to Citadel took.
fn server_timing(exchange: Duration, report: Duration) -> [(HeaderName, String); 1] {
    let milliseconds = |duration: Duration| duration.as_secs_f64() * 1000.0;
    let value = format!("exchange;dur={:.1}, report;dur={:.1}", milliseconds(exchange), milliseconds(report));
    [(HeaderName::from_static("server-timing"), value)]
}
