//! Events, read and sent again.

use axum::{http::StatusCode, response::IntoResponse};
use citadel_domain::{Clock, EventId};
use citadel_server::system::SystemRandom;
use citadel_store::{Tenant, webhook_events};
use serde_json::json;

use crate::{
    receiver::Receiver,
    support::{TestApp, TestClient, for_each_db},
};

/// Writes events as changes do, but no outbox.
async fn write_events(app: &TestApp, client: &TestClient<'_>, count: usize) {
    let now = app.clock.now();
    let tenant = Tenant { client_id: client.id, environment: citadel_domain::Environment::Sandbox };
    app.app
        .db
        .write(async move |tx| {
            for _ in 0..count {
                let id = EventId::generate(now, &SystemRandom);
                let new = webhook_events::NewWebhookEvent {
                    id,
                    tenant,
                    link_id: None,
                    task_id: None,
                    order_id: None,
                    event_type: "task-status-updated".to_owned(),
                    body: json!({"webhook_id": id.to_string(), "status": "done"}).to_string(),
                    created_at: now,
                };
                let first = webhook_events::take_places(tx, new.tenant, 1).await?;
                webhook_events::append(tx, first, std::slice::from_ref(&new)).await?;
            }
            Ok::<_, citadel_store::Error>(())
        })
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_read_in_order_and_from_any_place() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let other = app.client("other").await;
        client.connect("income").await;
        other.connect("income").await;
        let events = client.events().await;
        let statuses: Vec<_> =
            events.iter().map(|event| event["payload"]["status"].as_str().unwrap()).collect();
        assert_eq!(statuses[..5], ["new", "login", "parse", "full_parse", "done"]);
        assert_eq!(
            events.iter().map(|event| event["sequence"].as_i64().unwrap()).collect::<Vec<_>>(),
            (1..=10).collect::<Vec<_>>()
        );
        assert_eq!(events[0]["id"], events[0]["payload"]["webhook_id"]);
        let page = client.get("/v1/events/?after=1&page_size=2").await.json();
        assert_eq!(page["results"].as_array().unwrap()[..], events[1..3]);
        assert_eq!(page["next"], "http://citadel.test/v1/events/?after=3&page_size=2");
        assert_eq!(
            client.get("/v1/events/?after=10").await.json(),
            json!({"next": null, "previous": null, "results": []})
        );
        for query in ["after=-1", "after=x", "after=99999999999999999999", "page_size=0"] {
            let reply = client.get(&format!("/v1/events/?{query}")).await;
            assert_eq!(
                (reply.status, reply.code()),
                (StatusCode::BAD_REQUEST, "incorrect_parameters".to_owned())
            );
        }
    })
    .await;
}

/// P32: one event again, with its id and a new time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p32_one_event_is_sent_again_with_the_same_id_and_a_new_time() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let receiver = Receiver::start().await;
        let elsewhere = Receiver::start().await;
        client.webhook(&receiver.url()).await;
        client.connect("income").await;
        app.run_jobs().await;
        let (second, _) = client.webhook(&elsewhere.url()).await;
        let first = receiver.received();
        assert_eq!(first.len(), 5);
        app.advance(3600);
        let path = format!("/v1/events/{}/resend/", first[4].id());
        assert_eq!(client.post(&path, json!({})).await.json(), json!({"count": 2}));
        assert_eq!(client.post(&path, json!({"webhook_id": second})).await.json(), json!({"count": 1}));
        app.run_jobs().await;
        let again = receiver.received();
        assert_eq!(again.len(), 6);
        assert_eq!(
            (again[5].header("webhook-id"), &again[5].body),
            (first[4].header("webhook-id"), &first[4].body)
        );
        assert_ne!(again[5].header("webhook-timestamp"), first[4].header("webhook-timestamp"));
        assert_eq!(again[5].header("x-webhook-sign"), first[4].header("x-webhook-sign"));
        assert_eq!(elsewhere.received().len(), 1, "asked for twice before it was sent once");

        let other = app.client("other").await;
        let (foreign, _) = other.webhook("https://example.com/").await;
        let reply = client.post(&path, json!({"webhook_id": foreign})).await;
        assert_eq!((reply.status, reply.text()), (StatusCode::NOT_FOUND, r#"{"detail":"Not Found."}"#));
        client.patch(&format!("/v1/webhooks/{second}/"), json!({"enabled": false})).await;
        let reply = client.post(&path, json!({"webhook_id": second})).await;
        assert_eq!(
            (reply.status, reply.invalid_fields()),
            (StatusCode::BAD_REQUEST, vec!["webhook_id".to_owned()])
        );
    })
    .await;
}

/// P32: a range of 500 that failed is delivered once more, each once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p32_a_failed_range_of_500_is_delivered_once_more_each() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let receiver = Receiver::answering(|number, _| match number {
            0..500 => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            _ => StatusCode::OK.into_response(),
        })
        .await;
        write_events(&app, &client, 3).await;
        app.advance(60);
        let (id, _) = client.webhook(&receiver.url()).await;
        write_events(&app, &client, 500).await;
        let range =
            json!({"created_at__gte": "2026-11-18T15:01:00Z", "created_at__lte": "2026-11-18T15:01:00Z"});
        assert_eq!(client.post("/v1/events/resend/", range.clone()).await.json(), json!({"count": 500}));
        app.run_jobs().await;
        assert_eq!(receiver.received().len(), 500);
        let mut failed = range.clone();
        failed["only_failed"] = json!(true);
        failed["webhook_id"] = json!(id);
        assert_eq!(client.post("/v1/events/resend/", failed.clone()).await.json(), json!({"count": 500}));
        app.run_jobs().await;
        let ids = |from: usize| {
            receiver.received()[from..]
                .iter()
                .map(crate::receiver::Received::id)
                .collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!((receiver.received().len(), ids(500).len()), (1000, 500));
        assert_eq!(
            client.post("/v1/events/resend/", failed).await.json(),
            json!({"count": 0}),
            "all were taken"
        );
        app.advance(4 * 24 * 3600);
        app.run_jobs().await;
        assert_eq!(receiver.received().len(), 1000, "nothing is left over");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_range_that_makes_no_sense_is_refused() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    for (body, field) in [
        (json!({}), "created_at__gte"),
        (json!({"created_at__gte": "yesterday"}), "created_at__gte"),
        (json!({"created_at__gte": "0000-00-00"}), "created_at__gte"),
        (json!({"created_at__gte": "2026-02-29"}), "created_at__gte"),
        (json!({"created_at__gte": "2026-10-01"}), "created_at__gte"),
        (
            json!({"created_at__gte": "2026-11-18T14:00:00Z", "created_at__lte": "2026-11-18T13:00:00Z"}),
            "created_at__lte",
        ),
        (json!({"created_at__gte": "2026-11-18", "only_failed": "x"}), "only_failed"),
    ] {
        let reply = client.post("/v1/events/resend/", body).await;
        assert_eq!(
            (reply.status, reply.invalid_fields()),
            (StatusCode::BAD_REQUEST, vec![field.to_owned()]),
            "{reply:?}"
        );
    }
    let unknown = json!({"created_at__gte": "2026-11-18", "webhook_id": "x"});
    assert_eq!(client.post("/v1/events/resend/", unknown).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        client.post("/v1/events/resend/", json!({"created_at__gte": "2026-11-18"})).await.json(),
        json!({"count": 0})
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p32_attempts_are_listed_page_by_page_for_30_days() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let receiver = Receiver::answering(|number, _| match number {
            0 => (StatusCode::BAD_GATEWAY, "<b>\u{202e}no\0</b>").into_response(),
            _ => StatusCode::NO_CONTENT.into_response(),
        })
        .await;
        client.webhook(&receiver.url()).await;
        client.connect("income").await;
        app.run_jobs().await;
        let all = client.attempts().await;
        assert_eq!(all.len(), 5);
        let first = all.iter().find(|attempt| attempt["status_code"] == 502).unwrap();
        assert_eq!(first["error_message"], "the endpoint answered 502");
        assert_eq!(first["answer"], "<b>\\u{202e}no\\0</b>");
        assert_eq!(first["webhook_payload"]["webhook_id"], first["webhook_id"]);
        assert_eq!((&first["attempt"], &first["webhook_url"]), (&json!(1), &json!(receiver.url())));
        assert!(
            all.iter()
                .filter(|attempt| attempt["status_code"] == 204)
                .all(|attempt| attempt["error_message"].is_null())
        );

        // Forward and back again.
        let follow = async |address: &serde_json::Value| {
            let address = address.as_str().unwrap().strip_prefix("http://citadel.test").unwrap().to_owned();
            client.get(&address).await.json()
        };
        let one = client.get("/v1/webhook-requests/?page_size=2").await.json();
        assert_eq!(
            (one["results"].as_array().unwrap()[..] == all[..2], &one["previous"]),
            (true, &json!(null))
        );
        let two = follow(&one["next"]).await;
        let three = follow(&two["next"]).await;
        assert_eq!(
            (two["results"].as_array().unwrap()[..] == all[2..4], &three["next"]),
            (true, &json!(null))
        );
        assert_eq!(three["results"].as_array().unwrap()[..], all[4..]);
        assert_eq!(follow(&three["previous"]).await["results"], two["results"]);
        assert_eq!(follow(&two["previous"]).await["results"], one["results"]);

        let count = async |query: &str| {
            client.get(&format!("/v1/webhook-requests/?{query}")).await.json()["results"]
                .as_array()
                .unwrap()
                .len()
        };
        assert_eq!(count("status_code=502").await, 1);
        assert_eq!(count("event_type=link-deleted").await, 0);
        assert_eq!(
            count("created_at__gte=2026-11-18T15:00:01Z&created_at__lte=2026-11-18T15:00:01%2B00:00").await,
            5
        );
        assert_eq!(count("created_at__lte=2026-11-18").await, 0);
        for query in
            ["cursor=x", "cursor=b00", "status_code=ok", "event_type=x", "created_at__gte=x", "page_size=-1"]
        {
            let reply = client.get(&format!("/v1/webhook-requests/?{query}")).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{query}");
        }
    })
    .await;
}
