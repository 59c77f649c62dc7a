use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Reply, TestClient, for_each_db};

fn check_not_found(reply: &Reply) {
    assert_eq!((reply.status, reply.text()), (StatusCode::NOT_FOUND, r#"{"detail":"Not Found."}"#));
}

async fn session(client: &TestClient<'_>, template_id: &Value) -> Value {
    let body = json!({"product_type": "income", "client_name": "Acme", "template_id": template_id});
    let bridge_token = client.bridge_token_of(body).await;
    client.app.widget(Method::GET, "/session", &bridge_token, None).await.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_is_kept_as_it_was_sent() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let sent = json!({
            "name": "Main", "id": "mine", "created_at": 1,
            "landing": {"anything": [1, {"deep": null}], "money": 1.5},
            "bridge": {"texts": {"search_header": "Where do you work?"}},
        });
        let reply = client.post("/v1/templates/", sent.clone()).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        let made = reply.json();
        let id = made["id"].as_str().unwrap();
        assert_eq!((made["name"].as_str(), id.len()), (Some("Main"), 32));
        for key in ["landing", "bridge"] {
            assert_eq!(made[key], sent[key], "{key}");
        }
        let path = format!("/v1/templates/{id}");
        assert_eq!(client.get(&path).await.json(), made);
        let list = client.get("/v1/templates/").await.json();
        assert_eq!((&list["count"], &list["results"][0]), (&json!(1), &made));

        app.advance(1);
        let changed =
            client.patch(&path, json!({"landing": null, "branding": {"accent_color": "#0f5c56"}})).await;
        assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
        let changed = changed.json();
        assert_eq!((&changed["bridge"], &changed["name"]), (&sent["bridge"], &json!("Main")));
        assert_eq!(changed.get("landing"), Some(&Value::Null));
        assert_eq!(changed["created_at"], made["created_at"]);
        assert_ne!(changed["updated_at"], made["updated_at"]);
        assert_eq!(client.patch(&path, json!({"name": "Other"})).await.json()["name"], "Other");

        let gone = client.delete(&path).await;
        assert_eq!((gone.status, gone.body.len()), (StatusCode::NO_CONTENT, 0));
        check_not_found(&client.delete(&path).await);
        check_not_found(&client.get(&path).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_widget_would_apply_is_checked() {
    for_each_db(async |app| {
        let (acme, other) = (app.client("acme").await, app.client("other").await);
        let id = acme.post("/v1/templates/", json!({"name": "Main"})).await.json()["id"].clone();
        let path = format!("/v1/templates/{}/", id.as_str().unwrap());
        for (body, field) in [
            (json!({"name": "x".repeat(129)}), "name"),
            (json!({"name": "a\nb"}), "name"),
            (
                json!({"name": "Main", "branding": {"background_color": "url(x)"}}),
                "branding.background_color",
            ),
            (json!({"name": "Main", "bridge": {"texts": {"success_cta": 7}}}), "bridge.texts.success_cta"),
        ] {
            for reply in [acme.post("/v1/templates/", body.clone()).await, acme.patch(&path, body).await] {
                assert_eq!(
                    (reply.status, reply.invalid_fields()),
                    (StatusCode::BAD_REQUEST, vec![field.to_owned()])
                );
            }
        }
        assert_eq!(acme.post("/v1/templates/", json!({"landing": 1})).await.invalid_fields(), ["name"]);
        let large = json!({"name": "Main", "landing": "x".repeat(65_536)});
        let reply = acme.post("/v1/templates/", large).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "incorrect_parameters"));

        check_not_found(&other.get(&path).await);
        check_not_found(&other.patch(&path, json!({"name": "Theirs"})).await);
        check_not_found(&other.delete(&path).await);
        assert_eq!(other.get("/v1/templates/").await.json()["count"], 0);
        let reply =
            other.post("/v1/bridge-tokens/", json!({"product_type": "income", "template_id": id})).await;
        assert_eq!(reply.invalid_fields(), ["template_id"]);
        assert_eq!(app.get("/v1/templates/").await.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_widget_gets_what_it_applies() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let plain = session(&client, &Value::Null).await;
        assert_eq!((&plain["client_name"], &plain["look"]["accent_color"]), (&json!("Acme"), &Value::Null));
        let body = json!({
            "name": "Main", "hide_truv_logo": true, "secret": "stays here",
            "branding": {"company_name": "Harbor Bank", "accent_color": "#A0F", "logo": "https://example.com/x.png"},
            "bridge": {"texts": {"success_cta": "Back to Harbor"}},
        });
        let id = client.post("/v1/templates/", body).await.json()["id"].clone();
        let dressed = session(&client, &id).await;
        assert_eq!(dressed["client_name"], "Harbor Bank");
        assert_eq!(
            dressed["look"],
            json!({"search_header": null, "success_cta": "Back to Harbor", "company_name": "Harbor Bank",
                   "accent_color": "#aa00ff", "background_color": null, "logo": null, "hide_mark": true})
        );
        assert!(!dressed.to_string().contains("stays here"));
        let body = json!({"product_type": "income", "client_name": "Acme", "template_id": id});
        let bridge_token = client.bridge_token_of(body).await;
        client.delete(&format!("/v1/templates/{}", id.as_str().unwrap())).await;
        let session = app.widget(Method::GET, "/session", &bridge_token, None).await.json();
        assert_eq!((&session["client_name"], &session["look"]["hide_mark"]), (&json!("Acme"), &json!(false)));
    })
    .await;
}
