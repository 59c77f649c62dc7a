//! Events beyond a task's status: links that are connected and disconnected, and the data that came or changed.

use serde_json::{Value, json};

use crate::support::{TestClient, for_each_db};

/// Types, statuses and what each is about, after a place in the order.
async fn told(client: &TestClient<'_>, after: usize) -> Vec<(String, String, Value)> {
    let text = |event: &Value, key: &str| event["payload"][key].as_str().unwrap().to_owned();
    let about = |event: &Value| event["payload"]["objects_count"].clone();
    let events = client.events().await;
    for event in &events {
        let payload = &event["payload"];
        assert!(payload["link_id"].is_string() && payload["task_id"].is_string(), "{event}");
        let type_is = |part: &str| text(event, "event_type").starts_with(part);
        assert_eq!(
            payload["object_id"].is_string(),
            type_is("employment-") || type_is("profile-"),
            "{event}"
        );
        let several = type_is("statements-") || type_is("bank-accounts-");
        assert_eq!(payload["employment_id"].is_string(), several, "{event}");
    }
    events[after..]
        .iter()
        .filter(|event| event["event_type"] != "task-status-updated")
        .map(|event| (text(event, "event_type"), text(event, "status"), about(event)))
        .collect()
}

fn expected(list: &[(&str, &str, Value)]) -> Vec<(String, String, Value)> {
    let owned = |(kind, status, count): &(&str, &str, Value)| {
        ((*kind).to_owned(), (*status).to_owned(), count.clone())
    };
    list.iter().map(owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_data_is_told_and_then_what_changed() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("income").await;
        let first = told(&client, 0).await;
        assert_eq!(
            first,
            expected(&[
                ("link-connected", "done", Value::Null),
                ("employment-created", "done", Value::Null),
                ("profile-created", "done", Value::Null),
                ("statements-created", "done", first[3].2.clone()),
                ("bank-accounts-created", "done", json!(2)),
            ])
        );
        let statements = first[3].2.as_i64().unwrap();
        let seen = client.events().await.len();
        // Nothing new: nothing is told but the task.
        let refresh = async || {
            app.advance(1);
            client.post("/v1/refresh/tasks/", json!({"access_token": access_token})).await;
            app.run_refresh().await;
        };
        refresh().await;
        assert_eq!(told(&client, seen).await, []);
        // Two weeks later a pay day has passed; the oldest statement may have fallen out of the two years that are shown.
        let seen = client.events().await.len();
        app.advance(100 * 24 * 3600);
        refresh().await;
        let later = told(&client, seen).await;
        let kinds: Vec<_> = later.iter().map(|(kind, ..)| kind.as_str()).collect();
        assert!(!kinds.contains(&"statements-created") && !kinds.contains(&"link-connected"), "{later:?}");
        let updated = later.iter().find(|(kind, ..)| kind == "statements-updated");
        assert!(updated.is_none_or(|(_, _, count)| count.as_i64() != Some(statements)), "{later:?}");

        // A link without income tells of jobs, and of no pay.
        let seen = client.events().await.len();
        client.link("employment").await;
        let bare = told(&client, seen).await;
        let kinds: Vec<_> = bare.iter().map(|(kind, ..)| kind.as_str()).collect();
        assert_eq!(kinds, ["link-connected", "employment-created", "profile-created"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_is_disconnected_once_and_connected_again() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link_as("employment", "goodlogin.expiring", "goodpassword").await;
        let seen = client.events().await.len();
        for _ in 0..2 {
            app.advance(1);
            client.post("/v1/refresh/tasks/", json!({"access_token": access_token})).await;
            app.run_refresh().await;
        }
        let events = told(&client, seen).await;
        assert_eq!(events, expected(&[("link-disconnected", "login_error", Value::Null)]));
        let seen = client.events().await.len();
        let body = json!({"product_type": "employment", "access_token": access_token});
        let token = client.bridge_token_of(body).await;
        app.sign_in(&token, "goodlogin.expiring", "newpassword").await;
        app.run_jobs().await;
        assert_eq!(told(&client, seen).await, expected(&[("link-connected", "done", Value::Null)]));
    })
    .await;
}
