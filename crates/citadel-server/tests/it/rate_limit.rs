use axum::http::{Method, StatusCode};
use citadel_domain::Environment;
use serde_json::json;

use crate::support::{TestApp, TestClient, for_each_db};

/// P46: what is over the limit waits, and is told for how long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p46_an_access_secret_has_so_many_calls_a_minute() {
    for app in TestApp::each_limited(30).await {
        let client = app.client("acme").await;
        // All endpoints together, and refused calls too.
        for _ in 0..15 {
            assert_eq!(client.get("/v1/links/").await.status, StatusCode::OK);
            assert_eq!(client.post("/v1/bridge-tokens/", json!({})).await.status, StatusCode::BAD_REQUEST);
        }
        for path in ["/v1/links/", "/v1/tasks/x"] {
            let reply = client.get(path).await;
            assert_eq!((reply.status, reply.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "throttled"));
            assert_eq!(reply.header("retry-after"), "2");
            assert!(reply.text().contains("2 seconds"), "{reply:?}");
        }
        // Another secret has its own minute, also one of the same client.
        let (_, secret) = app.key(client.id, Environment::Sandbox).await;
        let second = TestClient { app: &app, id: client.id, key_id: client.key_id, secret };
        assert_eq!(second.get("/v1/links/").await.status, StatusCode::OK);
        // A call that is looked at twice counts once.
        for _ in 0..28 {
            let request = second.request(Method::POST, "/v1/bridge-tokens/").header("X-Sandbox-Fault", "x");
            assert_ne!(
                app.send(request.body("{}".into()).unwrap()).await.status,
                StatusCode::TOO_MANY_REQUESTS
            );
        }
        assert_eq!(second.get("/v1/links/").await.status, StatusCode::OK);
        assert_eq!(second.get("/v1/links/").await.status, StatusCode::TOO_MANY_REQUESTS);
        // Somebody without a key counts for nobody.
        assert_eq!(app.get("/v1/links/").await.status, StatusCode::UNAUTHORIZED);
        app.advance(1);
        assert_eq!(client.get("/v1/links/").await.header("retry-after"), "1");
        app.advance(1);
        assert_eq!(client.get("/v1/links/").await.status, StatusCode::OK);
        assert_eq!(client.get("/v1/links/").await.status, StatusCode::TOO_MANY_REQUESTS);
        app.advance(3600);
        for _ in 0..30 {
            assert_eq!(client.get("/v1/links/").await.status, StatusCode::OK);
        }
        assert_eq!(client.get("/v1/links/").await.status, StatusCode::TOO_MANY_REQUESTS);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_limit_any_number_of_calls_is_answered() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        for _ in 0..400 {
            assert_eq!(client.get("/v1/providers/adp").await.status, StatusCode::OK);
        }
    })
    .await;
}
