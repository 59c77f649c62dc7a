//! `POST /webhook`: what is taken, and what is refused. What the terminal shows is in `program.rs`.

use reqwest::StatusCode;
use serde_json::Value;

use crate::double::{http, quickstart};

async fn send(body: impl Into<reqwest::Body>, signature: Option<&str>) -> (StatusCode, Value) {
    let base = quickstart("income").await;
    let mut request = http().post(format!("{base}/webhook")).body(body);
    if let Some(signature) = signature {
        request = request.header("X-WEBHOOK-SIGN", signature);
    }
    let response = request.send().await.expect("an answer");
    (response.status(), response.json().await.expect("JSON"))
}

#[tokio::test]
async fn an_event_is_received_whatever_its_signature() {
    for signature in [None, Some("v1=00")] {
        let (status, body) = send(r#"{"event_type":"task-status-updated"}"#, signature).await;
        assert_eq!((status, &body["received"]), (StatusCode::OK, &Value::Bool(true)));
    }
}

#[tokio::test]
async fn what_is_not_an_event_is_refused() {
    let (status, body) = send("event_type=done", None).await;
    assert_eq!((status, &body["detail"]), (StatusCode::BAD_REQUEST, &Value::from("the body is not JSON")));
    let long = format!("\"{}\"", "a".repeat(64 * 1024));
    let (status, body) = send(long, None).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(body["detail"].as_str().unwrap().contains("64 KiB"), "{body}");
}
