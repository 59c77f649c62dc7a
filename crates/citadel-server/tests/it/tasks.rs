use axum::http::StatusCode;

use crate::support::for_each_db;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_tells_how_it_went() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let bridge_token = client.bridge_token("income").await;
        let task_id = app.sign_in(&bridge_token, "error.user", "config_error").await;
        let before = client.get(&format!("/v1/tasks/{task_id}/")).await.json();
        assert_eq!(before["status"], "new");
        app.run_jobs().await;
        for path in [format!("/v1/tasks/{task_id}/"), format!("/v1/tasks/{task_id}")] {
            let task = client.get(&path).await.json();
            assert_eq!(task["id"], task_id.as_str());
            assert_eq!(task["status"], "config_error");
            assert_eq!(task["product_type"], "income");
            assert_eq!(task["provider"]["id"], "adp");
            assert_eq!(task["tracking_info"], "1337");
            assert!(task["error_message"].as_str().is_some_and(|words| !words.is_empty()));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_a_task_is_not_found() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let (short, long, upper) = ("0".repeat(31), "0".repeat(33), "A".repeat(32));
        for id in [short.as_str(), &long, &upper, "x", "%00", "%2f", "%ff", "..", "a%2Fb"] {
            let reply = client.get(&format!("/v1/tasks/{id}/")).await;
            assert_eq!(
                (reply.status, reply.text()),
                (StatusCode::NOT_FOUND, r#"{"detail":"Not Found."}"#),
                "{id}"
            );
        }
    })
    .await;
}
