use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::account;
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

/// Every field of an account that is missing or wrong is named, and nothing is made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_are_checked_whole() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let required =
            ["account.account_number", "account.account_type", "account.routing_number", "account.bank_name"];
        let share = ["account.deposit_type", "account.deposit_value"];
        let with = |product: &str, field: &str, value: Value| {
            let mut account = account(product);
            account[field] = value;
            json!({"product_type": product, "account": account})
        };
        let cases: Vec<(Value, Vec<&str>)> = vec![
            (json!({"product_type": "deposit_switch"}), required.to_vec()),
            (json!({"product_type": "dds", "account": {}}), required.to_vec()),
            (json!({"product_type": "fas", "account": null}), required.to_vec()),
            (json!({"product_type": "pll"}), [required.as_slice(), &share].concat()),
            (json!({"product_type": "pll", "account": account("fas")}), share.to_vec()),
            (with("pll", "deposit_value", json!(0)), vec!["account.deposit_value"]),
            (with("pll", "deposit_value", json!(-5)), vec!["account.deposit_value"]),
            (with("pll", "deposit_value", json!("1000000000000")), vec!["account.deposit_value"]),
            (with("pll", "deposit_type", json!("half")), vec!["account.deposit_type"]),
            (with("deposit_switch", "deposit_value", json!("5")), vec!["account.deposit_type"]),
            (with("deposit_switch", "account_number", json!("12a4")), vec!["account.account_number"]),
            (with("deposit_switch", "account_type", json!("C")), vec!["account.account_type"]),
            (with("deposit_switch", "account_number", json!(16002600)), vec!["account"]),
            (
                json!({"product_type": "admin", "allowed_products": ["admin", "income"]}),
                vec!["allowed_products"],
            ),
        ];
        for (body, fields) in cases {
            let reply = client.post("/v1/bridge-tokens/", body.clone()).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}: {reply:?}");
            assert_eq!(reply.invalid_fields(), fields, "{body}");
        }
        let percent = json!({"product_type": "deposit_switch", "account": {
            "account_number": "16002600", "account_type": "checking", "routing_number": "12345678",
            "bank_name": "Truv Bank", "deposit_type": "percent", "deposit_value": 100.01}});
        assert_eq!(
            client.post("/v1/bridge-tokens/", percent).await.invalid_fields(),
            ["account.deposit_value"]
        );
    })
    .await;
}

/// What the person sees of the account; the number itself stays on the server, and is forgotten with the token's end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_widget_is_told_what_to_confirm() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let session = async |token: &str| app.widget(Method::GET, "/session", token, None).await;
        let token = client.bridge_token("pll").await;
        let reply = session(&token).await;
        assert_eq!(
            reply.json()["account"],
            json!({"purpose": "deposit", "action": "create", "bank_name": "TD Bank", "account_type": "checking",
                   "account_last4": "2600", "routing_number": "123456789", "deposit_type": "amount",
                   "deposit_value": "1.00", "is_fixed": true, "choices": []})
        );
        assert!(!reply.text().contains("16002600"), "{reply:?}");
        let dds = session(&client.bridge_token("deposit_switch").await).await.json();
        assert_eq!(dds["account"]["choices"], json!(["entire", "percent", "amount"]));
        assert_eq!(dds["account"]["deposit_type"], "entire");
        let fas = session(&client.bridge_token("fas").await).await.json();
        assert_eq!((&fas["account"]["purpose"], &fas["first_view"]), (&json!("funding"), &json!("PROVIDER_LIST")));
        assert_eq!(session(&client.bridge_token("income").await).await.json()["account"], Value::Null);
    })
    .await;
}
