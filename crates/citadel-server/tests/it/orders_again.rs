//! Orders that are asked again, get more employers, or belong together; and what their pages look like.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    orders::{connect, make, page, text},
    support::{TestClient, account, for_each_db},
};

async fn again(client: &TestClient<'_>, order: &Value, action: &str, body: Value) -> Value {
    let reply = client.post(&format!("/v1/orders/{}/{action}", text(&order["id"])), body).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    reply.json()
}

/// What each row asks, and of whom.
fn rows(order: &Value) -> Vec<(String, Option<String>)> {
    let of = |row: &Value| (text(&row["product_type"]), row["company_name"].as_str().map(str::to_owned));
    order["employers"].as_array().unwrap().iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_asked_again_row_by_row() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let several = json!({
            "products": ["income", "pll"], "external_user_id": "u",
            "employers": [{"company_name": "Home Depot", "account": account("pll"), "suborder_number": "7"}],
        });
        let order = make(&client, several).await;
        assert_eq!(order["employers"].as_array().unwrap().len(), 2);
        for action in ["refresh/", ""] {
            let new = again(&client, &order, action, json!({})).await;
            assert_eq!(rows(&new), rows(&order), "{action}");
            assert_eq!(new["employers"][1]["suborder_number"], "7");
            let signed =
                connect(&client, &new["employers"][1]["bridge_token"], "goodlogin.monthly", "goodpassword")
                    .await;
            assert_eq!(signed["status"], "done", "the account came along");
        }
        let apart = json!({
            "products": ["income", "employment"],
            "employers": [
                {"company_name": "Home Depot", "product_type": "income"},
                {"company_name": "Walmart", "product_type": "employment"},
            ],
        });
        let order = make(&client, apart).await;
        let new = again(&client, &order, "refresh/", json!({})).await;
        assert_eq!(rows(&new), rows(&order));
        assert_eq!(rows(&again(&client, &new, "refresh/", json!({})).await), rows(&order), "and again");
        let one = again(&client, &order, "refresh/", json!({"products": ["employment"]})).await;
        assert_eq!(rows(&one), [("employment".to_owned(), Some("Walmart".to_owned()))]);
        let order =
            make(&client, json!({"products": ["income"], "employers": [{"company_name": "Home Depot"}, {}]}))
                .await;
        let one = again(&client, &order, "refresh/", json!({"products": ["employment"]})).await;
        assert_eq!(
            rows(&one),
            [("employment".to_owned(), Some("Home Depot".to_owned())), ("employment".to_owned(), None)]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_fails_is_told_as_one() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let order = make(&client, json!({"products": ["income"], "order_number": "7"})).await;
        let types = async |order: &Value| -> Vec<String> {
            let path = format!("/v1/orders/{}/events/", text(&order["id"]));
            let events = client.get(&path).await.json();
            events.as_array().unwrap().iter().map(|event| text(&event["payload"]["event_type"])).collect()
        };
        connect(&client, &order["bridge_token"], "error.user", "no_data").await;
        assert_eq!(types(&order).await, ["order-created", "order-status-updated"]);
        let new = again(&client, &order, "refresh/", json!({})).await;
        connect(&client, &new["bridge_token"], "error.user", "no_data").await;
        assert_eq!(types(&new).await, ["order-created", "order-status-updated", "order-refresh-failed"]);
        let events = client.get(&format!("/v1/orders/{}/events/", text(&new["id"]))).await.json();
        let failed = &events[2]["payload"];
        assert_eq!((&failed["status"], &failed["order_number"]), (&json!("no_data"), &json!("7")));
        assert_eq!(failed["employer_id"], new["employers"][0]["id"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_more_employer_is_asked_what_the_order_asks() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let order = make(
            &client,
            json!({"products": ["income", "employment"], "employers": [{"product_type": "income"}]}),
        )
        .await;
        let path = format!("/v1/orders/{}/", text(&order["id"]));
        let add = async |body: Value| client.post(&format!("{path}employers/"), body).await;
        for (body, field) in [
            (json!({"product_type": "horoscope"}), "product_type"),
            (json!({"product_type": "pll"}), "product_type"),
            (json!({"start_date": "soon"}), "start_date"),
        ] {
            let reply = add(body).await;
            assert_eq!(
                (reply.status, reply.invalid_fields()),
                (StatusCode::BAD_REQUEST, vec![field.to_owned()])
            );
        }
        let one = add(json!({"company_name": "Walmart", "product_type": "employment"})).await;
        assert_eq!((one.status, &one.json()["product_type"]), (StatusCode::CREATED, &json!("employment")));
        let each = add(json!({"company_name": "Home Depot"})).await;
        assert_eq!((each.status, &each.json()["company_name"]), (StatusCode::CREATED, &json!("Home Depot")));
        let row = |product: &str, name: Option<&str>| (product.to_owned(), name.map(str::to_owned));
        let expected = [
            row("income", None),
            row("employment", Some("Walmart")),
            row("income", Some("Home Depot")),
            row("employment", Some("Home Depot")),
        ];
        let now = client.get(&path).await.json();
        assert_eq!(rows(&now), expected);
        assert_eq!(each.json()["id"], now["employers"][2]["id"]);
        let reply = client
            .post(
                "/v1/orders/",
                json!({"products": ["income"], "employers": [{}, {"product_type": "horoscope"}]}),
            )
            .await;
        assert_eq!(reply.invalid_fields(), ["employers[1].product_type"]);
    })
    .await;
}

/// Nobody looks at what a name became, so a part of one is not enough.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_employer_that_is_named_is_found_by_its_whole_name_alone() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        for (name, is_found) in [
            ("Home Depot", true),
            ("the home depot, inc.", true),
            ("HOME-DEPOT", true),
            ("Walmart", true),
            ("Hom", false),
            ("Home", false),
            ("Depot", false),
            ("Home Depo", false),
        ] {
            let order =
                make(&client, json!({"products": ["income"], "employers": [{"company_name": name}]})).await;
            let session = app
                .widget(Method::GET, "/session", order["bridge_token"].as_str().unwrap(), None)
                .await
                .json();
            assert_eq!(session["company"].is_object(), is_found, "{name}");
            assert_eq!(order["employers"][0]["company_name"], name);
        }
    })
    .await;
}

/// Contract 1.9: an order number is the client's own, and two orders may share one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_orders_of_one_number_are_one_persons_and_both_come_to_their_end() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let body = |product: &str| {
            json!({
                "products": [product], "order_number": "demo-1", "external_user_id": "u-1", "first_name": "John",
                "employers": [{"company_name": "Home Depot", "account": account("pll")}],
            })
        };
        let income = make(&client, body("income")).await;
        connect(&client, &income["bridge_token"], "goodlogin", "goodpassword").await;
        let pll = make(&client, body("pll")).await;
        assert_ne!(pll["id"], income["id"]);
        assert_eq!(pll["user_id"], income["user_id"]);
        // The second begins where the first was connected: the person searches for nothing again.
        let session = app.widget(Method::GET, "/session", pll["bridge_token"].as_str().unwrap(), None).await.json();
        assert_eq!((&session["first_view"], &session["provider"]["id"]), (&json!("PROVIDER_LOGIN"), &json!("adp")));
        connect(&client, &pll["bridge_token"], "goodlogin.monthly", "goodpassword").await;
        let found = client.get("/v1/orders/?order_number=demo-1").await.json();
        assert_eq!(found["count"], 2);
        for order in found["results"].as_array().unwrap() {
            assert_eq!(order["status"], "completed");
        }
        let done = client.get(&format!("/v1/orders/{}/", text(&pll["id"]))).await.json();
        let document = text(&done["employers"][0]["pdf_report"]);
        let pdf = app.get(document.strip_prefix("http://citadel.test").unwrap()).await;
        assert_eq!((pdf.status, pdf.body.starts_with(b"%PDF")), (StatusCode::OK, true));
        // Another number, or another person, is another matter.
        for other in [json!({"order_number": "demo-2"}), json!({"external_user_id": "u-2"})] {
            let mut body = body("pll");
            body["employers"][0].as_object_mut().unwrap().remove("company_name");
            body.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
            let order = make(&client, body).await;
            let session = app.widget(Method::GET, "/session", order["bridge_token"].as_str().unwrap(), None).await.json();
            assert_eq!((&session["first_view"], &session["provider"]), (&json!("SELECT_EMPLOYER"), &Value::Null));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_an_order_looks_as_its_template_says() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let template =
            json!({"name": "Main", "branding": {"company_name": "Acme Mortgage", "accent_color": "#0f5c56"}});
        let template = client.post("/v1/templates/", template).await.json();
        let settings = json!({"email": {"is_on": false}});
        let order = make(
            &client,
            json!({"products": ["income"], "template_id": template["id"], "notification_settings": settings}),
        )
        .await;
        assert_eq!(order["notification_settings"], settings);
        let token = text(&order["share_url"]).rsplit('/').next().unwrap().to_owned();
        let shown = page(&app, Method::GET, "/order", &token).await.json();
        assert_eq!(
            (&shown["client_name"], &shown["look"]["accent_color"]),
            (&json!("Acme Mortgage"), &json!("#0f5c56"))
        );
    })
    .await;
}

/// What a list tells of an order is what the order tells of itself, without what would be too much.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_orders_tells_each_as_it_is() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        for number in 0..5 {
            let body = json!({
                "products": ["income"], "external_user_id": format!("u-{}", number % 2), "order_number": format!("{}", number % 2),
                "first_name": "Ann", "employers": [{"suborder_number": format!("{number}")}, {}],
            });
            let order = make(&client, body).await;
            if number % 2 == 0 {
                connect(&client, &order["bridge_token"], "goodlogin", "goodpassword").await;
            }
        }
        let plain = |mut order: Value| {
            for row in order["employers"].as_array_mut().unwrap() {
                for left_out in ["employments", "tasks", "pdf_report"] {
                    row[left_out] = Value::Null;
                }
            }
            order
        };
        for query in ["", "?order_number=1", "?page=2&page_size=2", "?page_size=1"] {
            let listed = client.get(&format!("/v1/orders/{query}")).await.json();
            assert!(!listed["results"].as_array().unwrap().is_empty());
            for order in listed["results"].as_array().unwrap() {
                let alone = client.get(&format!("/v1/orders/{}/", text(&order["id"]))).await.json();
                assert_eq!(plain(order.clone()), plain(alone), "{query}");
            }
        }
    })
    .await;
}
