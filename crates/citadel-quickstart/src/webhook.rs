//! Webhooks: Citadel tells what happened, as it happens.

use axum::{
    Json,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use citadel_sdk::webhooks::verify_citadel_signature;
use serde_json::{Value, json};

use crate::{app::App, console::log};

/// Far more than an event needs, and little enough to be read before anybody knows who sent it.
const LARGEST_BODY: usize = 64 * 1024;

pub(crate) fn limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(LARGEST_BODY)
}

/// Shows an event in the terminal, and whether its signature is right. The signature is over the body as it came,
/// byte by byte: check it before you parse.
///
/// A real app drops an event whose signature does not match, and does its work after it has answered.
pub(crate) async fn receive(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return refuse(rejection.status(), "the body cannot be read, or is over 64 KiB"),
    };
    let signature = headers.get("x-webhook-sign").and_then(|value| value.to_str().ok());
    let signatures_match =
        verify_citadel_signature(app.secret.expose(), signature.unwrap_or_default(), &body).is_ok();
    let Ok(event) = serde_json::from_slice::<Value>(&body) else {
        return refuse(StatusCode::BAD_REQUEST, "the body is not JSON");
    };
    // One call, so that the lines of two events do not mix.
    let lines = [
        "Webhook received".to_owned(),
        format!("Event type: {}", word(&event["event_type"])),
        format!("Status: {}", word(&event["status"])),
        format!("Signatures match - {signatures_match}"),
    ];
    log(&lines.join("\nCITADEL: "));
    Json(json!({"received": true})).into_response()
}

/// A word of the event, made fit for a terminal: anybody could have sent it.
fn word(value: &Value) -> String {
    let word = value.as_str().unwrap_or("none").chars().take(40);
    word.map(|letter| if letter.is_ascii_graphic() { letter } else { '?' }).collect()
}

fn refuse(status: StatusCode, why: &str) -> Response {
    log(&format!("Webhook refused: {why}"));
    (status, Json(json!({"detail": why}))).into_response()
}
