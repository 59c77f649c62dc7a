//! What the page asks the back end for.

use reqwest::StatusCode;
use serde_json::Value;

use crate::double::{PUBLIC_TOKEN, quickstart, serve, settings};

async fn get(url: String) -> (StatusCode, Value) {
    let response = reqwest::get(url).await.expect("an answer");
    (response.status(), response.json().await.expect("JSON"))
}

#[tokio::test]
async fn a_public_token_becomes_a_report() {
    let base = quickstart("income").await;
    let response = reqwest::get(format!("{base}/getVerifications/{PUBLIC_TOKEN}")).await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    let timing = response.headers()["server-timing"].to_str().unwrap().to_owned();
    assert!(timing.starts_with("exchange;dur=") && timing.contains("report;dur="), "{timing}");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["employments"][0]["income"], "72000.00");

    let base = quickstart("employment").await;
    let (_, body) = get(format!("{base}/getVerifications/{PUBLIC_TOKEN}")).await;
    assert_eq!(body["employments"][0]["job_title"], "Baker");
    assert!(body["employments"][0].get("income").is_none());
}

#[tokio::test]
async fn a_failure_says_in_which_step_and_what_to_do() {
    let base = quickstart("income").await;
    let (status, body) = get(format!("{base}/getVerifications/0000000000000000")).await;
    assert_eq!(status, StatusCode::GONE);
    assert_eq!(body["error"]["code"], "expired_token");
    assert_eq!(body["step"], 8);
    let message = body["error"]["message"].as_str().unwrap();
    assert!(message.contains("start again with a new bridge token"), "{message}");

    let nowhere = serve(axum::Router::new()).await;
    let base = serve(citadel_quickstart::router(&settings("income", &nowhere))).await;
    let (status, body) = get(format!("{base}/getBridgeToken")).await;
    assert_eq!((status, &body["step"]), (StatusCode::NOT_FOUND, &Value::from(2)));
}

#[tokio::test]
async fn the_page_lets_in_only_the_bridge() {
    let base = quickstart("income").await;
    let response = reqwest::get(format!("{base}/")).await.unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    let page = response.text().await.unwrap();

    let start = page.find("<script src=\"").unwrap() + "<script src=\"".len();
    let bridge = page[start..].split('"').next().unwrap().strip_suffix("/bridge.js").unwrap();
    assert!(policy.contains(&format!("script-src 'self' {bridge};")), "{policy}");
    assert!(policy.contains(&format!("frame-src {bridge};")), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(!page.contains("{{"), "a placeholder is left");
    assert!(page.contains(r#"data-product="income""#) && page.contains(r#"data-environment="sandbox""#));

    for (path, kind) in [
        ("app.js", "text/javascript"),
        ("back-end.js", "text/javascript"),
        ("deposits.js", "text/javascript"),
        ("dom.js", "text/javascript"),
        ("steps.js", "text/javascript"),
        ("view.js", "text/javascript"),
        ("view-company.js", "text/javascript"),
        ("view-deposit.js", "text/javascript"),
        ("view-funding.js", "text/javascript"),
        ("view-jobs.js", "text/javascript"),
        ("words.js", "text/javascript"),
        ("style.css", "text/css"),
        ("mark.svg", "image/svg+xml"),
    ] {
        let response = reqwest::get(format!("{base}/{path}")).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with(kind), "{path}");
    }
}
