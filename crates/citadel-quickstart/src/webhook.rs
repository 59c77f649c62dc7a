//! Webhooks: Citadel tells what happened, as it happens.

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    hmac::{HMAC_SHA256, Key, sign},
};
use axum::{
    Json,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use citadel_sdk::Redacted;
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
    let signatures_match = signature_matches(&app.secret, signature, &body);
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

/// Is this the header that Citadel makes for the body: `v1=` and the HMAC-SHA256 in hexadecimal digits, under the
/// access secret?
fn signature_matches(secret: &Redacted, header: Option<&str>, body: &[u8]) -> bool {
    let signature = sign(&Key::new(HMAC_SHA256, secret.expose().as_bytes()), body);
    let digits: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = format!("v1={digits}");
    // Takes the same time wherever the first difference is, so that nobody can guess their way to it.
    verify_slices_are_equal(expected.as_bytes(), header.unwrap_or_default().as_bytes()).is_ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_over_the_body_and_under_the_secret() {
        let secret = Redacted::from("sandbox-0123456789abcdef0123456789abcdef01234567");
        let body = br#"{"event_type":"task-status-updated","status":"done"}"#;
        let good = "v1=c20d5d77cec60af6ed86b825c294205a7fd3e68fdf569926d6f0322b8ebb3056";
        assert!(signature_matches(&secret, Some(good), body));
        assert!(!signature_matches(&secret, Some(good), b"{}"));
        assert!(!signature_matches(&"sandbox-other".into(), Some(good), body));
        for wrong in ["", "v1=", "v1=é", "v1=0", "v1=zz", &good[3..], &good[..good.len() - 1]] {
            assert!(!signature_matches(&secret, Some(wrong), body), "{wrong}");
        }
        assert!(!signature_matches(&secret, None, body));
    }
}
