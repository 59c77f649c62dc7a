//! Refreshes: asked for, watched, and never sent twice when that would change something twice.

use std::time::Duration;

use citadel_sdk::{AccountDetails, CreateRefreshTask, ErrorKind, Polling};
use serde_json::{Value, from_str, json};

use crate::double::{Answer, Double, answer};

fn task(status: &str) -> Answer {
    answer(200, json!({"id": "t1", "status": status, "created_at": "", "refresh_date": ""}))
}

fn soon(at_most: Duration) -> Polling {
    Polling { every: Duration::from_millis(1), at_most }
}

#[tokio::test]
async fn a_refresh_is_watched_to_its_end() {
    for end in ["done", "login_error"] {
        let double = Double::start([
            answer(200, json!({"task_id": "t1"})),
            task("new"),
            task("a_word_of_a_newer_server"),
            task(end),
        ])
        .await;
        let created = double.citadel.create_refresh_task(&CreateRefreshTask::new("a1")).await.unwrap();
        let polling = soon(Duration::from_secs(5));
        let task = double.citadel.wait_for_refresh(&created.task_id, polling).await.unwrap();
        assert_eq!(task.status, end);
        assert_eq!(double.seen()[0].body, r#"{"access_token":"a1"}"#);
        let look = "GET /v1/refresh/tasks/t1/";
        assert_eq!(double.lines(), ["POST /v1/refresh/tasks/", look, look, look]);
    }
}

#[tokio::test]
async fn a_wait_has_an_end() {
    let double = Double::start((0..9).map(|_| task("parse"))).await;
    let error = double.citadel.wait_for_refresh("t1", soon(Duration::ZERO)).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Unfinished, None));
    assert!(error.to_string().contains("again later"), "{error}");
    assert_eq!(double.seen().len(), 1);
}

#[tokio::test]
async fn a_plain_refresh_is_repeated_after_a_fault() {
    let double = Double::start([answer(502, "a proxy"), answer(200, json!({"task_id": "t1"}))]).await;
    let created = double.citadel.create_refresh_task(&CreateRefreshTask::new("a1")).await.unwrap();
    assert_eq!(created.task_id, "t1");
}

/// A provider counts how often amounts are tried, and an account that arrives twice could be added twice.
#[tokio::test]
async fn micro_deposits_and_accounts_are_repeated_under_one_key() {
    let deposits = CreateRefreshTask::micro_deposits("a1", "0.1", "0.2");
    let account =
        CreateRefreshTask { account: Some(AccountDetails::default()), ..CreateRefreshTask::new("a1") };
    for request in [&deposits, &account] {
        let double = Double::start([answer(502, "a proxy"), answer(200, json!({"task_id": "t1"}))]).await;
        double.citadel.create_refresh_task(request).await.unwrap();
        let seen = double.seen();
        let key = |at: usize| seen[at].headers.get("idempotency-key").cloned();
        assert!(key(0).is_some() && key(0) == key(1), "{seen:?}");
        assert_eq!(seen[0].body, seen[1].body);
    }
    let double = Double::start([answer(200, json!({"task_id": "t1"}))]).await;
    double.citadel.create_refresh_task(&deposits).await.unwrap();
    assert_eq!(
        from_str::<Value>(&double.seen()[0].body).unwrap(),
        json!({"access_token": "a1", "settings": {"micro_deposits": ["0.1", "0.2"]}})
    );
}
