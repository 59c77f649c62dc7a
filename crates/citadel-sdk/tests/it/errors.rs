//! Failures say what happened and what to do.

use citadel_sdk::{CreateBridgeToken, Error, ErrorCode, ErrorKind};
use serde_json::json;

use crate::double::{Answer, Double, answer, client};

async fn fail(answer: Answer) -> Error {
    // As often as the call is repeated.
    let double = Double::start(vec![answer; 4]).await;
    double.citadel.exchange_public_token("canary-public").await.expect_err("the script fails")
}

#[tokio::test]
async fn the_shape_of_the_contract() {
    let body = json!({"error": {"code": "incorrect_parameters", "message": "one field is not right.",
        "extra": {"invalid-params": [{"field": "product_type", "message": "is not a product"}]}}});
    let error = fail(answer(400, body).header("x-request-id", "req-7")).await;
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(error.status(), Some(400));
    assert_eq!(error.code(), Some(&ErrorCode::IncorrectParameters));
    assert_eq!(error.message(), "one field is not right.");
    assert_eq!(error.invalid_params()[0].field, "product_type");
    assert_eq!(error.request_id(), Some("req-7"));
    assert_eq!(
        error.to_string(),
        "one field is not right: product_type is not a product; correct the request \
         (status 400, code incorrect_parameters, request req-7)"
    );
}

#[tokio::test]
async fn every_status_has_its_kind_and_its_advice() {
    let coded = |code: &str| json!({"error": {"code": code, "message": "no"}}).to_string();
    for (status, body, kind, code, advice) in [
        (
            401,
            coded("authentication_failed"),
            ErrorKind::Unauthorized,
            Some(ErrorCode::AuthenticationFailed),
            "access secret",
        ),
        (
            403,
            coded("env_not_sandbox"),
            ErrorKind::Forbidden,
            Some(ErrorCode::EnvNotSandbox),
            "right environment",
        ),
        (
            404,
            json!({"detail": "Not Found."}).to_string(),
            ErrorKind::NotFound,
            Some(ErrorCode::NotFound),
            "check the id",
        ),
        (410, coded("expired_token"), ErrorKind::Expired, Some(ErrorCode::ExpiredToken), "new bridge token"),
        (500, coded("error"), ErrorKind::Server, Some(ErrorCode::Error), "operator"),
        (
            418,
            coded("brand_new"),
            ErrorKind::Unexpected,
            Some(ErrorCode::Other("brand_new".into())),
            "base URL",
        ),
    ] {
        let error = fail(answer(status, body)).await;
        assert_eq!((error.kind(), error.code()), (kind, code.as_ref()), "{status}");
        assert!(error.to_string().contains(advice), "{error}");
    }
}

#[tokio::test]
async fn answers_that_are_not_of_the_api() {
    for (status, body) in [(502, "<html>Bad Gateway</html>"), (500, ""), (503, "{\"error\": \"down\"}")] {
        let error = fail(answer(status, body)).await;
        assert_eq!((error.kind(), error.status(), error.code()), (ErrorKind::Server, Some(status), None));
    }
    let error = fail(answer(302, "").header("location", "http://127.0.0.1:9/")).await;
    assert_eq!(error.kind(), ErrorKind::Unexpected);
    assert!(error.to_string().contains("base URL"), "{error}");
}

#[tokio::test]
async fn p57_a_success_of_the_wrong_shape_does_not_quote_the_answer() {
    for body in ["<html>canary</html>", r#"{"access_token": ["canary"], "link_id": "canary"}"#, r#""canary""#]
    {
        let error = fail(answer(200, body)).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::Unexpected, Some(200)));
        let printed = format!("{error} {error:?}");
        assert!(!printed.contains("canary"), "{printed}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    // Bound and dropped, so that nothing listens on it.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let citadel = client(&format!("http://127.0.0.1:{port}"));
    let error = citadel.create_bridge_token(&CreateBridgeToken::new("income")).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Connect, None));
    assert!(error.to_string().contains("check that the server runs"), "{error}");
    assert!(std::error::Error::source(&error).is_some());
}
