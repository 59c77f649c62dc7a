use axum::http::StatusCode;
use citadel_domain::Environment;
use serde_json::json;

use crate::support::{TestClient, for_each_db};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_changed_without_an_interruption() {
    for_each_db(async |app| {
        let old = app.client("acme").await;
        let access_token = old.link("income").await;
        let reply = old.post("/v1/keys/", json!({})).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        let made = reply.json();
        assert_eq!((&made["client_id"], &made["env_type"]), (&json!(old.id.to_string()), &json!("sandbox")));
        let secret = made["access_secret"].as_str().unwrap().to_owned();
        assert!(secret.starts_with("sandbox-"));
        let new = TestClient { app: &app, id: old.id, key_id: old.key_id, secret };
        for client in [&old, &new] {
            let reply =
                client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await;
            assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        }
        let third = new.post("/v1/keys/", json!({})).await;
        assert_eq!((third.status, third.code().as_str()), (StatusCode::BAD_REQUEST, "incorrect_parameters"));
        assert!(third.text().contains("deactivate one first"), "{third:?}");

        let ended = new.post("/v1/keys/deactivate/", json!({"access_secret": old.secret})).await;
        assert_eq!((ended.status, &ended.json()["id"]), (StatusCode::OK, &json!(old.key_id.to_string())));
        assert!(!ended.text().contains(&old.secret));
        assert_eq!(old.get("/v1/tasks/").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(new.get("/v1/tasks/").await.status, StatusCode::OK);
        // There is room again, and a key may end itself.
        let next = new.post("/v1/keys", json!({})).await.json();
        assert_eq!(new.post("/v1/keys/deactivate", json!({"id": made["id"]})).await.status, StatusCode::OK);
        assert_eq!(new.get("/v1/tasks/").await.status, StatusCode::UNAUTHORIZED);
        let secret = next["access_secret"].as_str().unwrap().to_owned();
        let last = TestClient { app: &app, id: old.id, key_id: old.key_id, secret };
        let reply = last.post("/v1/keys/deactivate/", json!({"id": next["id"]})).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        assert!(reply.text().contains("last active key"), "{reply:?}");
        assert_eq!(last.get("/v1/tasks/").await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_somebody_else_are_not_there() {
    for_each_db(async |app| {
        let (acme, other) = (app.client("acme").await, app.client("other").await);
        let (dev_id, dev_secret) = app.key(acme.id, Environment::Dev).await;
        acme.post("/v1/keys/", json!({})).await;
        for body in [
            json!({"id": other.key_id.to_string()}),
            json!({"access_secret": other.secret}),
            // The client's own of another environment.
            json!({"id": dev_id.to_string()}),
            json!({"access_secret": dev_secret}),
            json!({"id": "0".repeat(32)}),
            json!({"id": "x"}),
            json!({"access_secret": "sandbox-x"}),
        ] {
            let reply = acme.post("/v1/keys/deactivate/", body).await;
            assert_eq!((reply.status, reply.text()), (StatusCode::NOT_FOUND, r#"{"detail":"Not Found."}"#));
        }
        assert_eq!(other.get("/v1/tasks/").await.status, StatusCode::OK);
        for body in [json!({}), json!({"id": acme.key_id.to_string(), "access_secret": acme.secret})] {
            assert_eq!(acme.post("/v1/keys/deactivate/", body).await.invalid_fields(), ["id"]);
        }
        for path in ["/v1/keys/", "/v1/keys/deactivate/"] {
            let nobody = TestClient { app: &app, id: acme.id, key_id: acme.key_id, secret: String::new() };
            assert_eq!(nobody.post(path, json!({})).await.status, StatusCode::UNAUTHORIZED);
        }
    })
    .await;
}
