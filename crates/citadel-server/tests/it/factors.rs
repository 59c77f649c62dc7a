//! Second factors: the four kinds, each as the sandbox asks it.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{TestApp, for_each_db};

async fn answer(app: &TestApp, token: &str, task_id: &str, text: &str) {
    let body = Some(json!({"answer": text}));
    let reply = app.widget(Method::POST, &format!("/tasks/{task_id}/answer"), token, body).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{reply:?}");
    app.run_jobs().await;
}

async fn asked(app: &TestApp, token: &str, password: &str) -> (String, Value) {
    let task_id = app.sign_in(token, "goodlogin", password).await;
    app.run_jobs().await;
    let task = app.task(token, &task_id).await;
    assert_eq!(task["status"], "mfa", "{task}");
    (task_id, task["step"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_and_a_choice_are_answered() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let token = client.bridge_token("income").await;
        let (task_id, step) = asked(&app, &token, "mfa.question").await;
        assert_eq!(step["kind"], "question");
        answer(&app, &token, &task_id, "Rex").await;
        assert_eq!(app.task(&token, &task_id).await["status"], "done");

        let (task_id, step) = asked(&app, &token, "mfa.choice").await;
        assert_eq!(step["kind"], "choice");
        let id = step["options"][0]["id"].as_str().unwrap().to_owned();
        answer(&app, &token, &task_id, &id).await;
        let task = app.task(&token, &task_id).await;
        assert_eq!((&task["status"], &task["step"]["kind"]), (&json!("mfa"), &json!("code")));
        answer(&app, &token, &task_id, "12345").await;
        assert_eq!(app.task(&token, &task_id).await["status"], "done");

        let (task_id, _) = asked(&app, &token, "mfa.question").await;
        answer(&app, &token, &task_id, "Fido").await;
        assert_eq!(app.task(&token, &task_id).await["status"], "mfa_error");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_on_the_phone_needs_no_answer() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let token = client.bridge_token("income").await;
        for (password, end) in [("mfa.push", "done"), ("mfa.push_denied", "mfa_error")] {
            let (task_id, step) = asked(&app, &token, password).await;
            assert_eq!((&step["kind"], &step["has_other"]), (&json!("push"), &json!(true)));
            app.advance(2);
            app.run_jobs().await;
            let waiting = app.task(&token, &task_id).await;
            assert_eq!(
                waiting["step"]["expires_at"], step["expires_at"],
                "looking again does not prolong it"
            );
            app.advance(3);
            app.run_jobs().await;
            assert_eq!(app.task(&token, &task_id).await["status"], end, "{password}");
        }
        // Another way, while it stands.
        let (task_id, _) = asked(&app, &token, "mfa.push").await;
        answer(&app, &token, &task_id, "other").await;
        let task = app.task(&token, &task_id).await;
        assert_eq!(task["step"]["kind"], "choice", "{task}");
        let id = task["step"]["options"][1]["id"].as_str().unwrap().to_owned();
        answer(&app, &token, &task_id, &id).await;
        answer(&app, &token, &task_id, "12345").await;
        assert_eq!(app.task(&token, &task_id).await["status"], "done");
    })
    .await;
}

/// A provider that needs a company code says so in its form, and refuses one that it does not know.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn some_providers_ask_for_a_company_code() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let token = client.bridge_token("income").await;
        let form = app.widget(Method::GET, "/providers/infor", &token, None).await.json();
        assert_eq!(form["organization"]["name"], "organization_id");
        assert_eq!(form["ways"][0]["fields"][0]["label"], "Username");
        let login = json!({"username": "goodlogin", "password": "goodpassword"});
        let body = json!({"provider_id": "infor", "login": login});
        let reply = app.widget(Method::POST, "/tasks", &token, Some(body)).await;
        assert_eq!(reply.invalid_fields(), ["login.organization_id"], "{reply:?}");
        for (code, end) in [("acme", "done"), ("unknown", "config_error")] {
            let mut login = login.clone();
            login["organization_id"] = json!(code);
            let task_id = app.create_task(&token, json!({"provider_id": "infor", "login": login})).await;
            app.run_jobs().await;
            assert_eq!(app.task(&token, &task_id).await["status"], end);
        }
        let admin = client.bridge_token("admin").await;
        let form = app.widget(Method::GET, "/providers/adp", &admin, None).await.json();
        let labels: Vec<_> =
            form["ways"].as_array().unwrap().iter().map(|way| way["label"].clone()).collect();
        assert_eq!(labels, ["API key", "Username and password"]);
        let mixed = json!({"api_key": "x", "username": "goodlogin"});
        let reply = app
            .widget(Method::POST, "/tasks", &admin, Some(json!({"provider_id": "adp", "login": mixed})))
            .await;
        assert_eq!(reply.invalid_fields(), ["login"], "{reply:?}");
    })
    .await;
}
