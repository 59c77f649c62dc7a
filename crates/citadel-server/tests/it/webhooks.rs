//! Endpoints: registered, changed, removed.

use axum::http::{Method, StatusCode};
use citadel_domain::Environment;
use serde_json::{Value, json};

use crate::support::{TestApp, for_each_db};

const URL: &str = "https://example.com/webhook";

fn body(url: &str) -> Value {
    json!({"name": "Back office", "webhook_url": url, "env_type": "sandbox"})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_is_registered_read_changed_and_removed() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let mut wanted = body(URL);
        wanted["events"] = json!(["link-connected", "task-status-updated", "link-connected"]);
        let reply = client.post("/v1/webhooks/", wanted).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        let mut made = reply.json();
        let secret = made.as_object_mut().unwrap().remove("secret").unwrap();
        assert!(secret.as_str().unwrap().starts_with("whsec_") && secret.as_str().unwrap().len() == 50);
        let path = format!("/v1/webhooks/{}/", made["id"].as_str().unwrap());
        assert_eq!(
            made,
            json!({
                "id": made["id"], "name": "Back office", "webhook_url": URL,
                "events": ["link-connected", "task-status-updated"], "env_type": "sandbox", "enabled": true,
                "disabled_because": null, "created_at": "2026-11-18T15:00:00.000000Z",
                "updated_at": "2026-11-18T15:00:00.000000Z",
            })
        );
        // The secret is in no other answer.
        assert_eq!(client.get(&path).await.json(), made);
        let list = client.get("/v1/webhooks").await.json();
        assert_eq!(list, json!({"count": 1, "next": null, "previous": null, "results": [made]}));

        app.advance(5);
        let changed =
            client.patch(&path, json!({"name": "Other", "events": [], "enabled": false, "x": 1})).await;
        assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
        let changed = changed.json();
        assert_eq!((&changed["name"], &changed["events"]), (&json!("Other"), &json!([])));
        assert_eq!((&changed["enabled"], &changed["webhook_url"]), (&json!(false), &json!(URL)));
        assert_eq!(changed["updated_at"], "2026-11-18T15:00:05.000000Z");
        assert_eq!(client.patch(&path, json!({"enabled": true})).await.json()["enabled"], true);

        let rotated = client.post(&format!("{path}rotate-secret/"), json!({})).await;
        assert_eq!(rotated.status, StatusCode::OK, "{rotated:?}");
        assert_ne!(rotated.json()["secret"], secret);

        assert_eq!(client.delete(&path).await.status, StatusCode::NO_CONTENT);
        for method in [Method::GET, Method::DELETE, Method::PATCH] {
            let request = client.request(method, &path).body(axum::body::Body::empty()).unwrap();
            assert_eq!(app.send(request).await.status, StatusCode::NOT_FOUND);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_registered_once_per_environment_and_ten_are_enough() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        client.webhook(URL).await;
        let (other, _) = client.webhook("https://example.com/1").await;
        for same in [URL, "HTTPS://EXAMPLE.com:443/a/../webhook"] {
            for reply in [
                client.post("/v1/webhooks/", body(same)).await,
                client.patch(&format!("/v1/webhooks/{other}/"), json!({"webhook_url": same})).await,
            ] {
                assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply:?}");
                assert_eq!(reply.invalid_fields(), ["webhook_url"]);
                assert!(reply.text().contains("already registered"), "{reply:?}");
            }
        }
        // Its own address is no obstacle.
        let own = json!({"webhook_url": "https://example.com/1"});
        assert_eq!(client.patch(&format!("/v1/webhooks/{other}/"), own).await.status, StatusCode::OK);
        let dev = crate::support::TestClient {
            app: &app,
            id: client.id,
            key_id: client.key_id,
            secret: app.key(client.id, Environment::Dev).await.1,
        };
        let mut in_dev = body(URL);
        in_dev["env_type"] = json!("dev");
        assert_eq!(dev.post("/v1/webhooks/", in_dev).await.status, StatusCode::CREATED);
        for number in 2..10 {
            client.webhook(&format!("https://example.com/{number}")).await;
        }
        let reply = client.post("/v1/webhooks/", body("https://example.com/10")).await;
        assert_eq!(
            (reply.status, reply.invalid_fields()),
            (StatusCode::BAD_REQUEST, vec!["webhook_url".to_owned()])
        );
        let page = client.get("/v1/webhooks/?page=2&page_size=4").await.json();
        assert_eq!((&page["count"], page["results"].as_array().unwrap().len()), (&json!(10), 4));
        assert_eq!(page["next"], "http://citadel.test/v1/webhooks/?page=3&page_size=4");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_names_every_field_and_changes_nothing() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let (id, _) = client.webhook(URL).await;
    let before = client.get("/v1/webhooks/").await.json();
    let check = async |body: Value, fields: &[&str]| {
        let reply = client.post("/v1/webhooks/", body.clone()).await;
        assert_eq!(
            (reply.status, reply.invalid_fields()),
            (StatusCode::BAD_REQUEST, fields.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>()),
            "{body}: {reply:?}"
        );
    };
    check(json!({}), &["name", "webhook_url", "env_type"]).await;
    check(
        json!({"name": null, "webhook_url": null, "env_type": null, "events": null}),
        &["name", "webhook_url", "env_type"],
    )
    .await;
    check(
        json!({"name": "n".repeat(129), "webhook_url": "x", "env_type": "moon", "events": ["link-lost"]}),
        &["name", "webhook_url", "env_type", "events"],
    )
    .await;
    check(json!({"name": "a\r\nb", "webhook_url": URL, "env_type": "prod"}), &["name", "env_type"]).await;
    check(json!({"name": 5}), &["name"]).await;
    check(json!({"name": "n", "webhook_url": URL, "env_type": "sandbox", "events": "all"}), &["events"])
        .await;
    check(json!({"name": "n", "webhook_url": format!("https://example.com/{}", "a".repeat(2048)), "env_type": "sandbox"}), &["webhook_url"]).await;
    let path = format!("/v1/webhooks/{id}/");
    for (body, field) in [
        (json!({"name": ""}), "name"),
        (json!({"webhook_url": "http://10.0.0.1/"}), "webhook_url"),
        (json!({"env_type": "prod"}), "env_type"),
        (json!({"events": ["x"]}), "events"),
        (json!({"enabled": "yes"}), "enabled"),
    ] {
        let reply = client.patch(&path, body).await;
        assert_eq!(
            (reply.status, reply.invalid_fields()),
            (StatusCode::BAD_REQUEST, vec![field.to_owned()]),
            "{reply:?}"
        );
    }
    for query in ["page=0", "page_size=x", "page=-1"] {
        assert_eq!(client.get(&format!("/v1/webhooks/?{query}")).await.status, StatusCode::BAD_REQUEST);
    }
    assert_eq!(client.get("/v1/webhooks/?page=1000000000").await.status, StatusCode::NOT_FOUND);
    assert_eq!(client.get("/v1/webhooks/").await.json(), before);
    for path in ["/v1/webhooks/", "/v1/webhook-requests/", "/v1/events/", "/v1/events/stream/"] {
        assert_eq!(app.get(path).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
}
