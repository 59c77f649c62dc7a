use axum::http::StatusCode;
use serde_json::{Value, json};

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
async fn tasks_are_listed_of_everybody_or_of_one_person() {
    for_each_db(async |app| {
        let (acme, other) = (app.client("acme").await, app.client("other").await);
        let (ada, ben) = (acme.user("ada").await, acme.user("ben").await);
        let (link_id, _) = acme.link_of(&ada, "income").await;
        acme.link_of(&ben, "employment").await;
        acme.link("employment").await;
        let all = acme.get("/v1/tasks/?page_size=2").await.json();
        assert_eq!((&all["count"], all["results"].as_array().unwrap().len()), (&json!(3), 2));
        assert_eq!(all["results"][0]["user_id"], Value::Null);
        assert_eq!(all["results"][1]["user_id"], ben.as_str());
        let next = all["next"].as_str().unwrap().strip_prefix("http://citadel.test").unwrap();
        assert_eq!(acme.get(next).await.json()["results"][0]["link_id"], link_id.as_str());
        let own = acme.get(&format!("/v1/tasks/?user_id={ada}")).await.json();
        assert_eq!((&own["count"], &own["results"][0]["user_id"]), (&json!(1), &json!(ada)));
        // Somebody else's person has no tasks, as one that was never there.
        for user_id in [&ada, &"0".repeat(32)] {
            let reply = other.get(&format!("/v1/tasks/?user_id={user_id}")).await;
            assert_eq!((reply.status, &reply.json()["results"]), (StatusCode::OK, &json!([])));
        }
        assert_eq!(acme.get("/v1/tasks/?user_id=x").await.invalid_fields(), ["user_id"]);
        assert_eq!(acme.get("/v1/tasks/?page=9").await.status, StatusCode::NOT_FOUND);
        assert_eq!(app.get("/v1/tasks/").await.status, StatusCode::UNAUTHORIZED);
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
