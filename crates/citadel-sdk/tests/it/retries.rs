//! Calls are repeated when that is safe, and only then.

use std::time::Duration;

use citadel_sdk::{CreateBridgeToken, ErrorKind};
use serde_json::json;

use crate::double::{Double, answer, client, hangs_up};

fn throttled() -> serde_json::Value {
    json!({"error": {"code": "throttled", "message": "expected available in 1 seconds"}})
}

#[tokio::test]
async fn a_call_gets_through_after_faults() {
    let double = Double::start([
        answer(503, "starting"),
        answer(429, throttled()).header("retry-after", "0"),
        answer(500, json!({"error": {"code": "error", "message": "a fault"}})),
        answer(200, json!({"bridge_token": "b1", "product_type": "income"})),
    ])
    .await;
    let bridge = double.citadel.create_bridge_token(&CreateBridgeToken::new("income")).await.unwrap();
    assert_eq!(bridge.bridge_token.expose(), "b1");
    let bodies: Vec<String> = double.seen().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies, vec![r#"{"product_type":"income"}"#; 4]);
}

#[tokio::test]
async fn the_fourth_fault_is_the_answer() {
    let double = Double::start((0..9).map(|_| answer(503, "down"))).await;
    let error = double.citadel.income_report("a1").await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(503)));
    assert_eq!(double.seen().len(), 4);
}

#[tokio::test]
async fn retry_after_is_obeyed() {
    let double = Double::start([
        answer(429, throttled()).header("retry-after", "1"),
        answer(200, json!({"id": "adp", "name": "ADP"})),
    ])
    .await;
    // Too short for the wait that the server asked for, ample for the client's own.
    let early = tokio::time::timeout(Duration::from_millis(600), double.citadel.provider("adp")).await;
    assert!(early.is_err(), "the client did not wait");
    assert_eq!(double.citadel.provider("adp").await.unwrap().name, "ADP");
}

#[tokio::test]
async fn a_long_retry_after_is_passed_on() {
    let double = Double::start([answer(429, throttled()).header("retry-after", "3600")]).await;
    let error = double.citadel.provider("adp").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(double.seen().len(), 1);
}

#[tokio::test]
async fn a_refusal_is_not_repeated() {
    let double = Double::start([answer(400, "{}")]).await;
    assert_eq!(double.citadel.task("t1").await.unwrap_err().status(), Some(400));
    assert_eq!(double.seen().len(), 1);
}

fn keys(double: &Double) -> Vec<Option<String>> {
    let key = |name: &str, headers: &axum::http::HeaderMap| {
        Some(headers.get(name)?.to_str().expect("a text").to_owned())
    };
    double.seen().iter().map(|seen| key("idempotency-key", &seen.headers)).collect()
}

/// The server acts once: it knows the second call by its key.
#[tokio::test]
async fn p43_what_spends_is_repeated_under_one_key() {
    let running = json!({"error": {"code": "idempotency_key_in_use", "message": "still running"}});
    let double = Double::start([
        answer(502, "a proxy"),
        answer(409, running).header("retry-after", "0"),
        answer(200, json!({"access_token": "a1", "link_id": "l1"})),
        answer(200, json!({"access_token": "a2", "link_id": "l2"})),
        answer(200, json!({"id": "adp", "name": "ADP"})),
    ])
    .await;
    assert_eq!(double.citadel.exchange_public_token("p1").await.unwrap().link_id, "l1");
    assert_eq!(double.citadel.exchange_public_token("p2").await.unwrap().link_id, "l2");
    double.citadel.provider("adp").await.unwrap();
    let keys = keys(&double);
    assert!(keys[0].as_ref().is_some_and(|key| key.len() == 32), "{keys:?}");
    assert_eq!((&keys[1], &keys[2]), (&keys[0], &keys[0]));
    assert!(keys[3].is_some() && keys[3] != keys[0], "another call has another key");
    assert_eq!(keys[4], None, "what reads has none");
}

#[tokio::test]
async fn p43_a_key_of_ones_own_goes_with_the_call() {
    let double =
        Double::start((0..2).map(|_| answer(200, json!({"access_token": "a1", "link_id": "l1"})))).await;
    let own = double.citadel.with_idempotency_key("order-7/exchange").unwrap();
    own.exchange_public_token("p1").await.unwrap();
    double.citadel.exchange_public_token("p1").await.unwrap();
    let keys = keys(&double);
    assert_eq!(keys[0].as_deref(), Some("order-7/exchange"));
    assert_ne!(keys[1], keys[0], "the client itself is as it was");
    for bad in ["", "a b", "\n", "\u{e9}", &"k".repeat(256)] {
        assert_eq!(double.citadel.with_idempotency_key(bad).unwrap_err().kind(), ErrorKind::Configuration);
    }
}

#[tokio::test]
async fn a_broken_connection_repeats_all_but_a_deletion() {
    let (base_url, callers) = hangs_up().await;
    let citadel = client(&base_url);
    assert_eq!(citadel.delete_link("l1").await.unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(*callers.lock().unwrap(), 1);
    assert_eq!(citadel.exchange_public_token("p1").await.unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(citadel.task("t1").await.unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(*callers.lock().unwrap(), 1 + 4 + 4);
}
