//! Refreshes: old data meanwhile, new data afterwards, and what a refusal leaves.

use axum::http::StatusCode;
use citadel_domain::Environment;
use serde_json::{Value, json};

use crate::support::{TestClient, for_each_db};

const DAY: i64 = 24 * 3600;

async fn income(client: &TestClient<'_>, access_token: &str) -> Value {
    client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await.json()
}

async fn refresh(client: &TestClient<'_>, access_token: &str) -> String {
    client.app.advance(1);
    let reply = client.post("/v1/refresh/tasks/", json!({"access_token": access_token})).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let json = reply.json();
    assert_eq!(json.as_object().unwrap().len(), 1, "{json}");
    json["task_id"].as_str().unwrap().to_owned()
}

async fn status(client: &TestClient<'_>, task_id: &str) -> String {
    let reply = client.get(&format!("/v1/refresh/tasks/{task_id}")).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    reply.json()["status"].as_str().unwrap().to_owned()
}

fn pay_days(report: &Value) -> Vec<String> {
    let statements = report["employments"][0]["statements"].as_array().unwrap();
    statements.iter().map(|each| each["pay_date"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pay_day_that_has_passed_appears() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("income").await;
        let before = income(&client, &access_token).await;
        assert_eq!((&before["status"], &before["refresh_status"]), (&json!("done"), &Value::Null));
        app.advance(14 * DAY);
        assert_eq!(
            pay_days(&income(&client, &access_token).await),
            pay_days(&before),
            "nothing comes by itself"
        );

        let task_id = refresh(&client, &access_token).await;
        // The first look must see it unfinished (R9), and so must one while the provider lets us in.
        assert_eq!(status(&client, &task_id).await, "new");
        app.run_jobs().await;
        assert_eq!(status(&client, &task_id).await, "login");
        let meanwhile = income(&client, &access_token).await;
        assert_eq!((&meanwhile["status"], &meanwhile["refresh_status"]), (&json!("login"), &json!("login")));
        assert_eq!(pay_days(&meanwhile), pay_days(&before), "the old data is readable meanwhile");
        // One that is asked for again meanwhile is the same.
        assert_eq!(refresh(&client, &access_token).await, task_id);

        app.run_refresh().await;
        assert_eq!(status(&client, &task_id).await, "done");
        let after = income(&client, &access_token).await;
        assert_eq!((&after["status"], &after["refresh_status"]), (&json!("done"), &json!("done")));
        assert!(pay_days(&after)[0] > pay_days(&before)[0], "{:?}", pay_days(&after));
        assert_eq!(after["employments"][0]["id"], before["employments"][0]["id"]);
        let task = client.get(&format!("/v1/refresh/tasks/{task_id}/")).await.json();
        assert_eq!(task["refresh_date"], "2026-12-02");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_keeps_the_old_data_and_a_repair_keeps_the_link() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link_as("income", "goodlogin.expiring", "goodpassword").await;
        let before = income(&client, &access_token).await;
        let task_id = refresh(&client, &access_token).await;
        app.run_refresh().await;
        assert_eq!(status(&client, &task_id).await, "login_error");
        let after = income(&client, &access_token).await;
        assert_eq!(
            (&after["status"], &after["refresh_status"]),
            (&json!("login_error"), &json!("login_error"))
        );
        assert_eq!(pay_days(&after), pay_days(&before));
        // The provider's permission is gone, so the next one cannot work either.
        let task_id = refresh(&client, &access_token).await;
        assert_eq!(status(&client, &task_id).await, "new");
        app.run_refresh().await;
        assert_eq!(status(&client, &task_id).await, "login_error");

        let body = json!({"product_type": "income", "access_token": access_token});
        let token = client.bridge_token_of(body).await;
        let repaired = app.sign_in(&token, "goodlogin.expiring", "newpassword").await;
        app.run_jobs().await;
        let public_token = app.public_token(&token, &repaired).await;
        let exchanged = client.exchange(&public_token).await.json();
        assert_eq!(exchanged["access_token"], access_token.as_str(), "the link stays");
        let link_id = client.get(&format!("/v1/tasks/{task_id}/")).await.json()["link_id"].clone();
        assert_eq!(exchanged["link_id"], link_id);
        let task_id = refresh(&client, &access_token).await;
        app.run_refresh().await;
        assert_eq!(status(&client, &task_id).await, "done");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_are_named_and_change_nothing() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("income").await;
        let send = async |body: Value| client.post("/v1/refresh/tasks/", body).await;
        assert_eq!(send(json!({})).await.invalid_fields(), ["access_token"]);
        for product in ["horoscope", "pll", "employment"] {
            let body = json!({"access_token": access_token, "product_type": product});
            let reply = send(body).await;
            assert_eq!(reply.invalid_fields(), ["product_type"], "{product}: {reply:?}");
        }
        let with_account = json!({"access_token": access_token, "account": {"account_number": "1"}});
        assert_eq!(send(with_account).await.invalid_fields(), ["account"]);
        assert_eq!(income(&client, &access_token).await["refresh_status"], Value::Null);
        // A task that is no refresh is not found here.
        let token = client.bridge_token("income").await;
        let task_id = app.sign_in(&token, "goodlogin", "goodpassword").await;
        app.run_jobs().await;
        let reply = client.get(&format!("/v1/refresh/tasks/{task_id}/")).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
    })
    .await;
}

/// While somebody signs in again, a refresh has to wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_task_of_a_link_at_a_time() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("income").await;
        let body = json!({"product_type": "income", "access_token": access_token});
        let token = client.bridge_token_of(body).await;
        app.sign_in(&token, "goodlogin", "mfa").await;
        app.run_jobs().await;
        let reply = client.post("/v1/refresh/tasks/", json!({"access_token": access_token})).await;
        assert_eq!(reply.status, StatusCode::CONFLICT, "{reply:?}");
    })
    .await;
}

/// A refresh on every day costs real providers something: four a day and link, outside the sandbox.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outside_the_sandbox_refreshes_are_limited() {
    for_each_db(async |app| {
        let sandbox = app.client("acme").await;
        let access_token = sandbox.link("income").await;
        for _ in 0..6 {
            refresh(&sandbox, &access_token).await;
            app.run_refresh().await;
        }
        // No provider is connected outside the sandbox yet, so the link is moved there by hand.
        let moved = |environment: &'static str| {
            async move |tx: &mut citadel_store::Tx<'_>| {
                let to: [citadel_store::Value; 1] = [environment.into()];
                tx.execute("update links set environment = $1", &to).await?;
                tx.execute("update tasks set environment = $1", &to).await
            }
        };
        app.app.db.write(moved("dev")).await.unwrap();
        let (key_id, secret) = app.key(sandbox.id, Environment::Dev).await;
        let dev = TestClient { app: &app, id: sandbox.id, key_id, secret };
        let reply = dev.post("/v1/refresh/tasks/", json!({"access_token": access_token})).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (StatusCode::TOO_MANY_REQUESTS, "throttled"),
            "{reply:?}"
        );
        assert_eq!(reply.header("retry-after"), "3600");
        assert!(reply.text().contains("limit") && reply.text().contains("3600 seconds"), "{reply:?}");
    })
    .await;
}
