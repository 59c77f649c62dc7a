//! A Citadel that knows one public token, and a quickstart in front of it.

use axum::{
    Json, Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use citadel_quickstart::{Settings, Variables, router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) const SECRET: &str = "sandbox-0123456789abcdef0123456789abcdef01234567";
pub(crate) const PUBLIC_TOKEN: &str = "5aa6324bc06c692448427a36d43c4d56";

/// Starts both and gives the address of the quickstart.
pub(crate) async fn quickstart(product: &str) -> String {
    let citadel = serve(
        Router::new()
            .route("/v1/bridge-tokens/", post(bridge_token))
            .route("/v1/link-access-tokens/", post(exchange))
            .route(
                "/v1/verifications/employments/",
                post(async || report(json!({"id": "e1", "job_title": "Baker"}))),
            )
            .route(
                "/v1/verifications/incomes/",
                post(async || report(json!({"id": "e1", "income": "72000.00"}))),
            ),
    )
    .await;
    serve(router(&settings(product, &citadel))).await
}

pub(crate) fn settings(product: &str, citadel: &str) -> Settings {
    Settings::read(&Variables::from([
        ("API_CLIENT_ID", "48427a36d43c4d5aa6324bc06c692456"),
        ("API_SECRET", SECRET),
        ("API_PRODUCT_TYPE", product),
        ("API_URL", citadel),
    ]))
    .expect("good settings")
}

pub(crate) async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn bridge_token(Json(request): Json<Value>) -> Json<Value> {
    assert_eq!(request["client_name"], "Citadel Quickstart");
    assert_eq!(request["tracking_info"], "1337");
    Json(json!({"bridge_token": "48427a36d43c4d5aa6324bc06c692456", "product_type": request["product_type"]}))
}

async fn exchange(Json(request): Json<Value>) -> Response {
    if request["public_token"] == PUBLIC_TOKEN {
        return Json(json!({"access_token": "c06c692448427a36d43c4d565aa6324b", "link_id": "l1"}))
            .into_response();
    }
    let error = json!({"error": {"code": "expired_token", "message": "the public token was used before"}});
    (StatusCode::GONE, Json(error)).into_response()
}

fn report(employment: Value) -> Json<Value> {
    Json(json!({"id": "r1", "status": "done", "employments": [employment]}))
}
