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

#[tokio::test]
async fn an_exchange_is_repeated_only_when_the_server_did_not_act() {
    let double = Double::start([
        answer(429, throttled()).header("retry-after", "0"),
        answer(200, json!({"access_token": "a1", "link_id": "l1"})),
    ])
    .await;
    assert_eq!(double.citadel.exchange_public_token("p1").await.unwrap().link_id, "l1");

    let double = Double::start([answer(502, "a proxy"), answer(200, "{}")]).await;
    assert_eq!(double.citadel.exchange_public_token("p1").await.unwrap_err().status(), Some(502));
    assert_eq!(double.seen().len(), 1);
}

#[tokio::test]
async fn a_broken_connection_repeats_a_read_but_not_an_exchange() {
    let (base_url, callers) = hangs_up().await;
    let citadel = client(&base_url);
    assert_eq!(citadel.exchange_public_token("p1").await.unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(*callers.lock().unwrap(), 1);
    assert_eq!(citadel.task("t1").await.unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(*callers.lock().unwrap(), 1 + 4);
}
