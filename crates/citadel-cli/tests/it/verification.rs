//! One verification through the real server, its back-end half through the SDK.

use std::{thread, time::Duration};

use citadel_sdk::{Citadel, CreateBridgeToken, ErrorCode};
use serde_json::{Value, json};

use crate::harness::{Home, Server};

/// The consumer's half, as the widget's script speaks.
struct Widget {
    http: reqwest::Client,
    token: String,
}

impl Widget {
    async fn post(&self, server: &Server, path: &str, body: Value) -> Value {
        let url = format!("http://{}/bridge/api{path}", server.api);
        let reply = self.http.post(url).bearer_auth(&self.token).json(&body).send().await.unwrap();
        assert!(reply.status().is_success(), "{path}: {}", reply.status());
        reply.json().await.unwrap()
    }

    async fn sign_in(&self, server: &Server, password: &str) -> String {
        let body = json!({"provider_id": "adp", "login": {"username": "goodlogin", "password": password}});
        self.post(server, "/tasks", body).await["task_id"].as_str().unwrap().to_owned()
    }

    /// Waits until the task has one of these statuses.
    async fn wait(&self, server: &Server, task_id: &str, statuses: &[&str]) -> String {
        let url = format!("http://{}/bridge/api/tasks/{task_id}", server.api);
        for _ in 0..600 {
            let reply = self.http.get(&url).bearer_auth(&self.token).send().await.unwrap();
            let task: Value = reply.json().await.unwrap();
            let status = task["status"].as_str().unwrap().to_owned();
            if statuses.contains(&status.as_str()) {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the task is none of {statuses:?} after a minute");
    }
}

fn sdk(server: &Server, keys: &Value) -> Citadel {
    let base = format!("http://{}", server.api);
    Citadel::builder(base, keys["client_id"].as_str().unwrap(), keys["sandbox"].as_str().unwrap())
        .build()
        .unwrap()
}

async fn widget(citadel: &Citadel) -> Widget {
    let token = citadel.create_bridge_token(&CreateBridgeToken::new("income")).await.unwrap();
    let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
    Widget { http, token: token.bridge_token.expose().to_owned() }
}

fn create_client(home: &Home) -> Value {
    home.run(&["client", "create", "--name", "demo", "--json"]).succeeded().json()
}

#[tokio::test]
async fn a_verification_from_bridge_token_to_report() {
    let home = Home::new();
    let server = home.serve();
    let citadel = sdk(&server, &create_client(&home));
    let widget = widget(&citadel).await;
    let task_id = widget.sign_in(&server, "goodpassword").await;
    assert_eq!(widget.wait(&server, &task_id, &["done"]).await, "done");
    let proof = widget.post(&server, &format!("/tasks/{task_id}/public-token"), json!({})).await;
    let public_token = proof["public_token"].as_str().unwrap();

    let link = citadel.exchange_public_token(public_token).await.unwrap();
    let report = citadel.income_report(link.access_token.clone()).await.unwrap();
    assert_eq!(report.status, "done");
    assert_eq!(report.employments[0].employment.profile.last_name.as_deref(), Some("Doe"));
    assert!(!report.employments[0].statements.is_empty());
    assert_eq!(citadel.task(&task_id).await.unwrap().link_id.as_deref(), Some(link.link_id.as_str()));
    let file = report.employments[0].statements[0].file.clone().unwrap();
    let pdf = widget.http.get(file).send().await.unwrap().bytes().await.unwrap();
    assert!(pdf.starts_with(b"%PDF-"));

    let again = citadel.exchange_public_token(public_token).await.unwrap_err();
    assert_eq!((again.status(), again.code()), (Some(410), Some(&ErrorCode::ExpiredToken)));
    assert!(again.request_id().is_some());
}

/// P36: the server is killed while a task waits at the provider; the next start ends the task.
#[tokio::test]
async fn p36_a_task_survives_sigkill() {
    let home = Home::new();
    let mut server = home.serve();
    let keys = create_client(&home);
    let widget = widget(&sdk(&server, &keys)).await;
    let waiting = widget.sign_in(&server, "longcheck").await;
    widget.wait(&server, &waiting, &["login"]).await;
    let asked = widget.sign_in(&server, "mfa").await;
    widget.wait(&server, &asked, &["mfa"]).await;
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    thread::sleep(Duration::from_millis(200));

    let server = home.serve();
    widget.post(&server, &format!("/tasks/{asked}/answer"), json!({"answer": "12345"})).await;
    assert_eq!(widget.wait(&server, &asked, &["done", "error", "mfa_error"]).await, "done");
    assert_eq!(widget.wait(&server, &waiting, &["done", "error", "login_error"]).await, "done");
}
