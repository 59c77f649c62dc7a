//! How orders and their employers end, and what ends with them.

use axum::http::{Method, StatusCode};
use citadel_domain::Environment;
use serde_json::{Value, json};

use crate::{
    orders::{connect, make, page, text},
    sandbox::{sign_in, turn},
    support::{TestApp, TestClient, account, for_each_db},
};

/// The token in the address of an order's page.
fn page_token(order: &Value) -> String {
    text(&order["share_url"]).rsplit('/').next().unwrap().to_owned()
}

fn path(order: &Value) -> String {
    format!("/v1/orders/{}/", text(&order["id"]))
}

/// What an order's events tell, as `(type, status, employer)`.
async fn told(client: &TestClient<'_>, order: &Value) -> Vec<(String, String, Value)> {
    let events = client.get(&format!("{}events/", path(order))).await.json();
    let of = |event: &Value| {
        let payload = &event["payload"];
        (text(&payload["event_type"]), text(&payload["status"]), payload["employer_id"].clone())
    };
    events.as_array().unwrap().iter().map(of).collect()
}

async fn wait_out(app: &TestApp, seconds: usize) {
    for _ in 0..seconds {
        app.advance(1);
        app.run_jobs().await;
    }
}

/// The statuses that were told of a task.
async fn statuses(client: &TestClient<'_>, task_id: &str) -> Vec<String> {
    let events = client.events().await;
    let of_task =
        events.iter().map(|event| &event["payload"]).filter(|payload| payload["task_id"] == task_id);
    of_task
        .filter(|payload| payload["event_type"] == "task-status-updated")
        .map(|payload| text(&payload["status"]))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn canceling_and_skipping_stop_the_sign_ins_that_run() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        for (product, is_skipped) in [("deposit_switch", false), ("income", false), ("deposit_switch", true), ("income", true)] {
            let order = make(
                &client,
                json!({"products": [product], "employers": [{"company_name": "Home Depot", "account": account(product)}, {"account": account(product)}]}),
            )
            .await;
            let token = text(&order["bridge_token"]);
            let task = app.confirm(&token, "goodlogin", "longcheck").await;
            app.advance(1);
            app.run_jobs().await;
            let expected = if is_skipped {
                let skip = format!("/order/employers/{}/skip", text(&order["employers"][0]["id"]));
                let reply = page(&app, Method::POST, &skip, &page_token(&order)).await;
                assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
                "skipped"
            } else {
                let reply = client.post(&format!("{}cancel/", path(&order)), json!({})).await;
                assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
                "canceled"
            };
            wait_out(&app, 40).await;
            assert_eq!(statuses(&client, &task).await, ["new", "login", "error"], "{product}");
            let row = client.get(&path(&order)).await.json()["employers"][0].clone();
            assert_eq!((&row["status"], &row["last_task_status"]), (&json!(expected), &json!("error")));
            assert_eq!(row["tasks"][0]["error_message"], "This is not needed any more.");
            assert_eq!(row["bridge_token"], Value::Null);
            let seen = app.widget(Method::GET, &format!("/tasks/{task}"), &token, None).await;
            assert_eq!(seen.status, StatusCode::GONE);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settled_employer_takes_no_more_sign_ins() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let employers =
            json!([{"account": account("deposit_switch")}, {"account": account("deposit_switch")}]);
        let order = make(&client, json!({"products": ["deposit_switch"], "employers": employers})).await;
        let token = text(&order["bridge_token"]);
        // Two at once: the quicker one counts, and the other changes nothing.
        let slow = app.confirm(&token, "goodlogin", "longcheck").await;
        app.run_jobs().await;
        let quick = app.confirm(&token, "goodlogin.weekly", "goodpassword").await;
        wait_out(&app, 5).await;
        assert_eq!(app.task(&token, &quick).await["status"], "done");
        app.public_token(&token, &quick).await;
        wait_out(&app, 40).await;
        let slow = statuses(&client, &slow).await;
        assert_eq!(slow.last().map(String::as_str), Some("error"));
        assert!(!slow.contains(&"switch_deposit".to_owned()), "{slow:?}");

        let login = json!({"username": "goodlogin", "password": "goodpassword"});
        let body = json!({"provider_id": "adp", "login": login, "consented": true, "confirmed": true});
        let again = app.widget(Method::POST, "/tasks", &token, Some(body)).await;
        assert_eq!(again.status, StatusCode::GONE, "{again:?}");
        // The order goes on with what is left.
        let now = client.get(&path(&order)).await.json();
        assert_eq!(
            (&now["employers"][0]["status"], &now["status"]),
            (&json!("completed"), &json!("pending"))
        );
        assert_eq!(now["employers"][0]["bridge_token"], Value::Null);
        assert_eq!(now["bridge_token"], order["employers"][1]["bridge_token"]);
        assert!(now["employers"][0]["pdf_report"].is_string());
        // The page of the host goes on with the token that it was opened with.
        let framed = page(&app, Method::GET, "/order", &token).await.json();
        assert_eq!(framed["employers"][1]["bridge_token"], now["bridge_token"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p20_nobody_signs_in_for_an_order_without_having_agreed() {
    for_each_db(async |app| {
        let client = app.client("Acme Loans").await;
        let login = json!({"username": "goodlogin", "password": "goodpassword"});
        let body = json!({"provider_id": "adp", "login": login});
        let order = make(&client, json!({"products": ["income"], "employers": [{}, {}]})).await;
        let (token, page_token) = (text(&order["bridge_token"]), page_token(&order));
        // Who asks is told, whatever the client sends.
        let shown = page(&app, Method::GET, "/order", &page_token).await.json();
        assert_eq!(
            (&shown["client_name"], &order["client_name"]),
            (&json!("Acme Loans"), &json!("Acme Loans"))
        );
        let session = app.widget(Method::GET, "/session", &token, None).await.json();
        assert_eq!(session["client_name"], "Acme Loans");

        let refused = app.widget(Method::POST, "/tasks", &token, Some(body.clone())).await;
        assert_eq!(refused.invalid_fields(), ["consented"]);
        let skip = format!("/order/employers/{}/skip", text(&order["employers"][1]["id"]));
        let refused = page(&app, Method::POST, &skip, &page_token).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{refused:?}");
        assert!(client.get("/v1/tasks/").await.json()["results"].as_array().unwrap().is_empty());
        // On the page, once for all employers.
        page(&app, Method::POST, "/order/consent", &page_token).await;
        let begun = app.widget(Method::POST, "/tasks", &token, Some(body.clone())).await;
        assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
        assert_eq!(page(&app, Method::POST, &skip, &page_token).await.status, StatusCode::OK);
        assert!(client.get(&path(&order)).await.json()["user_consent_at"].is_string());

        // In the widget that a client opens with the token itself.
        let order = make(&client, json!({"products": ["income"]})).await;
        let mut agreed = body;
        agreed["consented"] = json!(true);
        let begun = app.widget(Method::POST, "/tasks", &text(&order["bridge_token"]), Some(agreed)).await;
        assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
        let now = client.get(&path(&order)).await.json();
        assert!(now["user_consent_at"].is_string());
        // Tasks tell their order.
        let task_id = text(&begun.json()["task_id"]);
        assert_eq!(now["employers"][0]["tasks"][0]["order_id"], order["id"]);
        assert_eq!(client.get(&format!("/v1/tasks/{task_id}/")).await.json()["order_id"], order["id"]);
        assert_eq!(client.get("/v1/tasks/").await.json()["results"][0]["order_id"], order["id"]);
        // Without an order nothing is different.
        let plain = client.bridge_token("income").await;
        app.advance(1);
        assert_eq!(
            app.widget(Method::POST, "/tasks", &plain, Some(json!({"provider_id": "adp", "login": login})))
                .await
                .status,
            StatusCode::CREATED
        );
        assert_eq!(client.get("/v1/tasks/").await.json()["results"][0]["order_id"], Value::Null);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p08_a_bridge_token_of_an_order_lives_six_hours_as_all_do() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let body =
            json!({"products": ["deposit_switch"], "employers": [{"account": account("deposit_switch")}]});
        let order = make(&client, body).await;
        let first = text(&order["bridge_token"]);
        turn(&client, json!({"advance": "PT4H"})).await;
        assert_eq!(client.get(&path(&order)).await.json()["bridge_token"], order["bridge_token"]);
        turn(&client, json!({"advance": "PT2H1S"})).await;
        let try_with = async |token: &str| {
            sign_in(
                &client,
                json!({"bridge_token": token, "username": "goodlogin", "password": "goodpassword"}),
            )
            .await
        };
        assert_eq!(try_with(&first).await.status, StatusCode::GONE);
        assert_eq!(page(&app, Method::GET, "/order", &first).await.status, StatusCode::GONE);
        assert_eq!(client.get("/v1/orders/").await.json()["results"][0]["bridge_token"], Value::Null);
        // The order goes on: the page has a new one, which reading the order tells as well.
        let shown = page(&app, Method::GET, "/order", &page_token(&order)).await.json();
        let second = text(&shown["employers"][0]["bridge_token"]);
        assert_ne!(second, first);
        assert_eq!(client.get(&path(&order)).await.json()["bridge_token"], json!(second));
        assert_eq!(try_with(&second).await.json()["status"], "done");
        // Never longer than the order.
        let order = make(&client, json!({"products": ["income"]})).await;
        turn(&client, json!({"advance": "PT71H59M"})).await;
        let late = text(&client.get(&path(&order)).await.json()["bridge_token"]);
        assert_eq!(client.get(&path(&order)).await.json()["bridge_token"], json!(late));
        turn(&client, json!({"advance": "PT1M"})).await;
        assert_eq!(try_with(&late).await.status, StatusCode::GONE);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_for_which_nobody_came_ends_and_tells() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let order = make(&client, json!({"products": ["income"], "employers": [{}, {}]})).await;
        let live = make(&app.client("live").await, json!({"products": ["income"]})).await;
        connect(&client, &order["employers"][0]["bridge_token"], "goodlogin", "goodpassword").await;
        app.sweep().await;
        assert_eq!(client.get(&path(&order)).await.json()["employers"][1]["status"], "pending");
        turn(&client, json!({"advance": "P3D"})).await;
        for _ in 0..2 {
            app.sweep().await;
        }
        let late = client.get(&path(&order)).await.json();
        assert_eq!((&late["status"], &late["is_expired"]), (&json!("expired"), &json!(true)));
        assert_eq!((&late["share_url"], &late["bridge_token"]), (&Value::Null, &Value::Null));
        assert_eq!(late["employers"][0]["status"], "completed", "what is connected stays");
        let mut events = told(&client, &order).await;
        let expired = events.pop().unwrap();
        let second = order["employers"][1]["id"].clone();
        assert_eq!(expired, ("order-status-updated".to_owned(), "expired".to_owned(), second));
        assert_eq!(events.len(), 2, "once: {events:?}");
        let token = page_token(&order);
        assert_eq!(page(&app, Method::GET, "/order", &token).await.json()["status"], "expired");
        // Another client's clock is another.
        let shown = page(&app, Method::GET, "/order", &page_token(&live)).await.json();
        assert_eq!(shown["status"], "pending");
        app.advance(3 * 24 * 3600);
        app.sweep().await;
        assert_eq!(page(&app, Method::GET, "/order", &page_token(&live)).await.json()["status"], "expired");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_a_person_ends_their_orders() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let order =
            make(&client, json!({"products": ["income"], "external_user_id": "u", "employers": [{}, {}]}))
                .await;
        let done = make(&client, json!({"products": ["income"], "external_user_id": "u"})).await;
        assert_eq!(done["user_id"], order["user_id"]);
        connect(&client, &done["bridge_token"], "goodlogin", "goodpassword").await;
        let running = app.sign_in(&text(&order["bridge_token"]), "goodlogin", "longcheck").await;
        app.run_jobs().await;
        let reply = client.delete(&format!("/v1/users/{}/", text(&order["user_id"]))).await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT);
        for order in [&order, &done] {
            let now = client.get(&path(order)).await.json();
            let texts = now.to_string();
            for secret in
                [&order["bridge_token"], &order["employers"][0]["bridge_token"], &json!(page_token(order))]
            {
                assert!(!texts.contains(secret.as_str().unwrap()), "{now}");
            }
            assert_eq!((&now["share_url"], &now["bridge_token"]), (&Value::Null, &Value::Null));
        }
        let now = client.get(&path(&order)).await.json();
        assert_eq!(
            (&now["status"], &now["employers"][1]["status"]),
            (&json!("canceled"), &json!("canceled"))
        );
        let events = told(&client, &order).await;
        let canceled = |row: usize| {
            ("order-status-updated".to_owned(), "canceled".to_owned(), order["employers"][row]["id"].clone())
        };
        assert_eq!(events[1..], [canceled(0), canceled(1)]);
        assert_eq!(statuses(&client, &running).await.last().map(String::as_str), Some("error"));
        // Nothing is left that could be asked again.
        for action in ["", "refresh/"] {
            let reply = client.post(&format!("{}{action}", path(&order)), json!({})).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_goes_on_when_the_key_that_made_it_ends() {
    for_each_db(async |app| {
        let old = app.client("acme").await;
        let order = make(&old, json!({"products": ["income"]})).await;
        let (key_id, secret) = app.key(old.id, Environment::Sandbox).await;
        let new = TestClient { app: &app, id: old.id, key_id, secret };
        let ended = new.post("/v1/keys/deactivate/", json!({"id": old.key_id.to_string()})).await;
        assert_eq!(ended.status, StatusCode::OK, "{ended:?}");
        // P8: what the key gave out is revoked.
        assert_eq!(
            page(&app, Method::GET, "/order", &text(&order["bridge_token"])).await.status,
            StatusCode::UNAUTHORIZED
        );
        let shown = page(&app, Method::GET, "/order", &page_token(&order)).await.json();
        let token = text(&shown["employers"][0]["bridge_token"]);
        assert_ne!(json!(token), order["bridge_token"]);
        assert_eq!(connect(&new, &json!(token), "goodlogin", "goodpassword").await["status"], "done");
        let shown = page(&app, Method::GET, "/order", &page_token(&order)).await.json();
        assert_eq!(shown["status"], "completed");

        // Without any key nobody asks any more, and the page says so.
        let order = make(&new, json!({"products": ["income"]})).await;
        let (now, client_id) = (app.stamp(), new.id);
        app.app
            .db
            .write(async move |tx| citadel_store::access_keys::delete(tx, client_id, key_id, now).await)
            .await
            .unwrap();
        let shown = page(&app, Method::GET, "/order", &page_token(&order)).await.json();
        assert_eq!((&shown["status"], &shown["employers"]), (&json!("expired"), &json!([])));
    })
    .await;
}
