//! The people who break integrations do not break Citadel: reports, documents and refreshes of all of them.

use axum::http::StatusCode;
use citadel_connectors::sandbox::ugly_pack;
use serde_json::{Value, json};

use crate::support::{TestApp, TestClient};

const MONTH: i64 = 31 * 24 * 3600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_has_a_report_and_documents() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    for ugly in ugly_pack() {
        let access_token = client.link_as("income", &ugly.username, "goodpassword").await;
        for path in ["/v1/verifications/incomes/", "/v1/verifications/employments/"] {
            let reply = client.post(path, json!({"access_token": access_token})).await;
            assert_eq!(reply.status, StatusCode::OK, "{}: {reply:?}", ugly.username);
            let report = reply.json();
            assert_eq!(report["status"], "done", "{}", ugly.username);
            assert!(!report["employments"].as_array().unwrap().is_empty(), "{}", ugly.username);
        }
        let report = client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await;
        read_documents(&client, &report.json(), &ugly.username).await;
    }
}

async fn read_documents(client: &TestClient<'_>, report: &Value, who: &str) {
    for job in report["employments"].as_array().unwrap() {
        let statements = job["statements"].as_array().unwrap().iter().take(3);
        for file in statements.chain(job["w2s"].as_array().unwrap()).map(|each| &each["file"]) {
            let path = file.as_str().unwrap().strip_prefix("http://citadel.test").unwrap();
            let reply = client.app.get(path).await;
            assert_eq!(reply.status, StatusCode::OK, "{who}: {reply:?}");
            assert!(reply.body.starts_with(b"%PDF-"), "{who}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_name_is_told_by_a_refresh() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let access_token = client.link_as("income", "ugly.name-change", "goodpassword").await;
    let report = async || {
        client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await.json()
    };
    assert_eq!(report().await["employments"][0]["profile"]["last_name"], "Alder");
    app.advance(2 * MONTH);
    client.post("/v1/refresh/tasks/", json!({"access_token": access_token})).await;
    app.run_refresh().await;
    assert_eq!(report().await["employments"][0]["profile"]["last_name"], "Alder-Brook");
    let told = client.events().await;
    assert!(told.iter().any(|event| event["event_type"] == "profile-updated"), "{told:#?}");
}
