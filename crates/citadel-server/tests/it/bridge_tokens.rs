use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::for_each_db;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_has_every_key_and_no_id() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let body =
            json!({"product_type": "income", "client_name": "Citadel Quickstart", "tracking_info": "1337"});
        let reply = client.post("/v1/bridge-tokens/", body).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(reply.header("cache-control"), "no-store");
        let mut json = reply.json();
        let token = json["bridge_token"].take();
        assert_eq!(token.as_str().unwrap().len(), 32);
        // R12: no key `id`, which pages take for an order.
        assert_eq!(
            json,
            json!({"bridge_token": null, "tracking_info": "1337", "client_name": "Citadel Quickstart",
                "product_type": "income", "allowed_products": ["income"], "company_mapping_id": null,
                "access_token": null, "user_id": null, "template_id": null, "data_sources": ["payroll"]})
        );
    })
    .await;
}

/// Rules Q1 to Q4 and Q9: what published clients send.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn published_clients_are_understood() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let good =
            r#"{"product_type":"employment","client_name":null,"tracking_info":"","unknown":{"a":[1]}}"#;
        for path in ["/v1/bridge-tokens/", "/v1/bridge-tokens"] {
            for content_type in
                ["application/json", "application/json;charset=UTF-8", "application/json; charset=utf-8"]
            {
                let reply = client.post_text(path, content_type, good).await;
                assert_eq!(reply.status, StatusCode::OK, "{path} {content_type}: {reply:?}");
                assert_eq!(reply.json()["client_name"], Value::Null);
            }
        }
        let form = client
            .post_text("/v1/bridge-tokens/", "application/x-www-form-urlencoded", "product_type=income")
            .await;
        assert_eq!(form.status, StatusCode::OK, "{form:?}");
        let parts = "--x\r\nContent-Disposition: form-data; name=\"product_type\"\r\n\r\nincome\r\n--x--\r\n";
        let parts = client.post_text("/v1/bridge-tokens", "multipart/form-data; boundary=x", parts).await;
        assert_eq!(parts.status, StatusCode::OK, "{parts:?}");
        // Without a content type, and in pieces without a length (Q3).
        let pieces =
            ["{\"product_ty", "pe\":\"income\"}"].map(|piece| Ok::<_, std::io::Error>(piece.to_owned()));
        let body = axum::body::Body::from_stream(futures(pieces));
        let request = client.request(Method::POST, "/v1/bridge-tokens/").body(body).unwrap();
        assert_eq!(app.send(request).await.status, StatusCode::OK);
    })
    .await;
}

fn futures<T: Send + 'static>(
    items: impl IntoIterator<Item = T, IntoIter: Send + Unpin + 'static>,
) -> impl futures_core::Stream<Item = T> + Send + 'static {
    struct Items<I>(I);
    impl<I: Iterator + Unpin> futures_core::Stream for Items<I> {
        type Item = I::Item;
        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<I::Item>> {
            std::task::Poll::Ready(self.0.next())
        }
    }
    Items(items.into_iter())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_refused_by_name() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let cases = [
            (json!({}), "product_type"),
            (json!({"product_type": ""}), "product_type"),
            (json!({"product_type": null}), "product_type"),
            (json!({"product_type": 7}), "product_type"),
            (json!({"product_type": ["income"]}), "product_type"),
            (json!({"product_type": "horoscope"}), "product_type"),
            (json!({"product_type": "INCOME"}), "product_type"),
            (json!({"product_type": "income", "allowed_products": ["horoscope"]}), "allowed_products"),
            (json!({"product_type": "income", "allowed_products": "income"}), "allowed_products"),
            (json!({"product_type": "income", "company_mapping_id": "x"}), "company_mapping_id"),
            (json!({"product_type": "income", "company_mapping_id": "0".repeat(32)}), "company_mapping_id"),
            (json!({"product_type": "income", "provider_id": "nobody"}), "provider_id"),
            (json!({"product_type": "income", "client_name": "x".repeat(1025)}), "client_name"),
            (json!({"product_type": "income", "tracking_info": 1337}), "tracking_info"),
        ];
        for (body, field) in cases {
            let reply = client.post("/v1/bridge-tokens/", body.clone()).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}: {reply:?}");
            assert_eq!(reply.code(), "incorrect_parameters");
            assert_eq!(reply.invalid_fields(), [field], "{body}");
        }
    })
    .await;
}

/// Products that this version does not serve from end to end say so, instead of opening a widget that cannot finish.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_that_are_not_served_are_refused() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        for product in ["admin", "deposit_switch", "dds", "pll", "fas"] {
            let reply = client.post("/v1/bridge-tokens/", json!({"product_type": product})).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{product}");
            assert!(reply.text().contains("not served by this version"), "{reply:?}");
        }
    })
    .await;
}
