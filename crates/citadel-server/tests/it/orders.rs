//! Users, orders and reports about people.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    sandbox::{link, sign_in, turn},
    support::{TestApp, TestClient, for_each_db},
};

pub(crate) async fn make(client: &TestClient<'_>, body: Value) -> Value {
    let reply = client.post("/v1/orders/", body).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    reply.json()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// Signs in for an employer of an order.
pub(crate) async fn connect(
    client: &TestClient<'_>,
    bridge_token: &Value,
    username: &str,
    password: &str,
) -> Value {
    let body = json!({
        "bridge_token": bridge_token, "provider_id": "adp", "username": username, "password": password,
    });
    let reply = sign_in(client, body).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    reply.json()
}

pub(crate) async fn page(
    app: &TestApp,
    method: axum::http::Method,
    path: &str,
    token: &str,
) -> crate::support::Reply {
    app.widget(method, path, token, None).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_are_made_found_changed_and_erased() {
    for_each_db(async |app| {
        let (acme, other) = (app.client("acme").await, app.client("other").await);
        // As the five quickstarts send it.
        let body = json!({"external_user_id": "qs-1338", "first_name": "John", "last_name": "Johnson", "email": "j.johnson@example.com"});
        let reply = acme.post("/v1/users/", body.clone()).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        let user = reply.json();
        let path = format!("/v1/users/{}", text(&user["id"]));
        assert!(user.get("links").is_none() && user["phone"].is_null(), "{user}");
        let second = acme.post("/v1/users/", body).await.json();
        assert_ne!(second["id"], user["id"], "a repeated id of the client's is another user");

        let page = acme.get("/v1/users/?external_user_id=qs-1338&list_links=false").await.json();
        assert_eq!(page["count"], 2);
        assert_eq!(page["results"][1], user);
        assert_eq!(acme.get("/v1/users/?external_user_id=nobody").await.json()["count"], 0);
        assert_eq!(acme.get("/v1/users/?page=2").await.status, StatusCode::NOT_FOUND);
        let read = acme.get(&path).await.json();
        assert_eq!((&read["links"], &read["voie_report_id"]), (&json!([]), &Value::Null));

        let reply = acme.patch(&path, json!({"last_name": "Doe", "phone": null, "ssn": "991919991"})).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        assert_eq!(reply.json()["last_name"], "Doe");
        assert_eq!(reply.json()["first_name"], "John");
        let reply = acme.post("/v1/users/", json!({"first_name": "", "last_name": null})).await;
        assert_eq!(reply.invalid_fields(), ["first_name", "last_name"]);
        let reply = acme.patch(&path, json!({"ssn": "12"})).await;
        assert_eq!(reply.invalid_fields(), ["ssn"]);
        for foreign in [other.get(&path).await, other.patch(&path, json!({})).await, other.delete(&path).await] {
            assert_eq!(foreign.status, StatusCode::NOT_FOUND);
        }

        // A token has no id, and what is connected with it belongs to the user.
        let reply = acme.post(&format!("{path}/tokens/"), json!({"product_type": "income", "client_name": ""})).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        assert!(reply.json().get("id").is_none());
        assert_eq!(reply.json()["user_id"], user["id"]);
        let signed = connect(&acme, &reply.json()["bridge_token"], "goodlogin", "goodpassword").await;
        assert_eq!(signed["status"], "done");
        let exchanged = acme.exchange(&text(&signed["public_token"])).await.json();
        let read = acme.get(&format!("{path}/")).await.json();
        let link = &read["links"][0];
        assert_eq!(link["id"], exchanged["link_id"]);
        assert_eq!(link["user_external_id"], "qs-1338");
        let whole = text(&exchanged["access_token"]);
        assert_eq!(link["access_token"], format!("{}{}", "*".repeat(28), &whole[28..]));
        assert_eq!(acme.get("/v1/users/?product_type=income").await.json()["count"], 1);
        assert_eq!(acme.get("/v1/users/?product_type=admin").await.json()["count"], 0);

        // P22: with the user go the links and all that they know.
        assert_eq!(acme.delete(&path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(acme.get(&path).await.status, StatusCode::NOT_FOUND);
        let reply = acme.post("/v1/verifications/incomes/", json!({"access_token": whole})).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
        let events = acme.events().await;
        let last = events.last().unwrap();
        assert_eq!((&last["event_type"], &last["payload"]["user_id"]), (&json!("link-deleted"), &user["id"]));
        assert_eq!(acme.get("/v1/users/").await.json()["count"], 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_goes_from_pending_to_completed() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let order = make(
            &client,
            json!({
                "order_number": "qs-1", "external_user_id": "u-1", "first_name": "John", "last_name": "Johnson",
                "email": "j@example.com", "products": ["income"],
                "employers": [{"company_name": "Home Depot"}, {"company_name": "A shop that nobody knows", "suborder_number": "2"}],
            }),
        )
        .await;
        assert_eq!((&order["status"], &order["is_expired"]), (&json!("pending"), &json!(false)));
        assert!(order.get("error").is_none());
        let rows = order["employers"].as_array().unwrap().clone();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0]["bridge_token"], order["bridge_token"]);
        assert_eq!(rows[0]["employments"], json!([]));
        let path = format!("/v1/orders/{}", text(&order["id"]));
        assert_eq!(client.get(&path).await.json(), order, "no slash");
        let user = client.get("/v1/users/?external_user_id=u-1").await.json();
        assert_eq!(user["results"][0]["id"], order["user_id"]);

        // A wrong password leaves the row open.
        connect(&client, &rows[0]["bridge_token"], "nobody", "wrong").await;
        assert_eq!(client.get(&path).await.json()["employers"][0]["status"], "pending");
        let signed = connect(&client, &rows[0]["bridge_token"], "goodlogin", "goodpassword").await;
        assert_eq!(signed["status"], "done");
        let now = client.get(&path).await.json();
        let row = &now["employers"][0];
        assert_eq!((&row["status"], &row["last_task_status"]), (&json!("completed"), &json!("done")));
        assert!(!row["employments"][0]["statements"].as_array().unwrap().is_empty());
        assert_eq!(row["provider"]["id"], "adp");
        assert!(!row["tasks"].as_array().unwrap().is_empty());
        let report = client.post("/v1/verifications/incomes/", json!({"access_token": row["access_token"]})).await;
        assert_eq!(report.json()["tracking_info"], row["id"]);
        assert_eq!(now["status"], "pending", "one employer is open");
        assert!(now["voie_report_id"].is_string());

        let signed = connect(&client, &rows[1]["bridge_token"], "error.user", "no_data").await;
        assert_eq!(signed["status"], "no_data");
        assert_eq!(client.get(&path).await.json()["employers"][1]["status"], "no_data");
        let signed = connect(&client, &rows[1]["bridge_token"], "fulltime", "goodpassword").await;
        assert_eq!(signed["status"], "done");
        let done = client.get(&path).await.json();
        assert_eq!((&done["status"], done["completed_at"].is_string()), (&json!("completed"), true));

        let events = client.get(&format!("{path}/events/")).await.json();
        let told: Vec<_> = events
            .as_array()
            .unwrap()
            .iter()
            .map(|event| {
                let payload = &event["payload"];
                assert_eq!((&payload["order_id"], &payload["order_number"]), (&order["id"], &json!("qs-1")));
                (text(&payload["event_type"]), text(&payload["status"]), payload["employer_id"].clone())
            })
            .collect();
        let updated = |status: &str, row: &Value| ("order-status-updated".to_owned(), status.to_owned(), row["id"].clone());
        let expected = [
            ("order-created".to_owned(), "pending".to_owned(), Value::Null),
            updated("completed", &rows[0]),
            updated("no_data", &rows[1]),
            updated("completed", &rows[1]),
        ];
        assert_eq!(told, expected);
        assert_eq!(client.get("/v1/orders/?order_number=qs-1").await.json()["count"], 1);
        let found = client.post("/v1/orders/lookup/", json!({"order_number": "qs-1"})).await.json();
        assert_eq!(found["results"][0]["id"], order["id"]);
        assert_eq!(client.post(&format!("{path}/cancel/"), json!({})).await.status, StatusCode::CONFLICT);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_number_of_somebody_else_finds_nothing() {
    for_each_db(async |app| {
        let (acme, other) = (app.client("acme").await, app.client("other").await);
        make(&acme, json!({"products": ["income"], "order_number": "7"})).await;
        for (client, count) in [(&acme, 1), (&other, 0)] {
            let found = client.post("/v1/orders/lookup/", json!({"order_number": "7"})).await.json();
            assert_eq!(found["count"], count);
            assert_eq!(client.get("/v1/orders/?order_number=7").await.json()["count"], count);
        }
        let reply = acme.post("/v1/orders/lookup/", json!({"order_number": null})).await;
        assert_eq!(reply.invalid_fields(), ["order_number"]);
    })
    .await;
}

/// A sign-in that somebody left and began anew: the one that succeeds counts, and what was canceled stays so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sign_in_that_succeeds_settles_an_employer_and_none_after_its_end() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let order = make(&client, json!({"products": ["income"], "employers": [{}, {}]})).await;
        let path = format!("/v1/orders/{}/", text(&order["id"]));
        let tokens: Vec<_> =
            order["employers"].as_array().unwrap().iter().map(|row| text(&row["bridge_token"])).collect();
        // The first waits at the provider while the person tries elsewhere, and mistypes.
        app.sign_in(&tokens[0], "goodlogin", "longcheck").await;
        app.run_jobs().await;
        connect(&client, &json!(tokens[0]), "nobody", "wrong").await;
        for _ in 0..30 {
            app.advance(1);
            app.run_jobs().await;
        }
        let now = client.get(&path).await.json();
        assert_eq!(now["employers"][0]["status"], "completed", "{now}");
        assert!(now["employers"][0]["employments"][0].is_object());

        // The second is canceled while the person is signing in.
        app.sign_in(&tokens[1], "fulltime", "goodpassword").await;
        let canceled = client.post(&format!("{path}cancel/"), json!({})).await.json();
        assert_eq!(canceled["employers"][1]["status"], "canceled");
        app.run_jobs().await;
        let later = client.get(&path).await.json();
        assert_eq!(
            (&later["status"], &later["employers"][1]["status"]),
            (&json!("canceled"), &json!("canceled"))
        );
        assert!(later["employers"][1]["access_token"].is_null());
        // Its page knows nobody any more, and a list has no jobs.
        let token = text(&order["share_url"]).rsplit('/').next().unwrap().to_owned();
        let shown = page(&app, axum::http::Method::GET, "/order", &token).await.json();
        assert_eq!((&shown["status"], &shown["employers"]), (&json!("canceled"), &json!([])));
        let listed = client.get("/v1/orders/").await.json();
        assert_eq!(listed["results"][0]["employers"][0]["employments"], json!([]));
        assert_eq!(listed["results"][0]["employers"][0]["last_task_status"], "done");
        let framed = app.get(&format!("/bridge/order?bridge_token={token}")).await;
        assert!(framed.header("content-security-policy").contains("frame-ancestors 'none'"));
    })
    .await;
}

/// Every form in which clients order (contract 5.8, 10.1).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_are_taken_in_every_form_and_refused_with_the_field() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let account = json!({"account_number": "16002600", "account_type": "checking", "routing_number": "12345678", "bank_name": "Truv Bank"});
        let mut loan = account.clone();
        loan["deposit_type"] = "amount".into();
        loan["deposit_value"] = "100".into();
        let name = |products: Value, employers: Value| {
            let mut body = json!({"order_number": "qs", "first_name": "John", "last_name": "Johnson", "email": "j@example.com", "products": products});
            if !employers.is_null() {
                body["employers"] = employers;
            }
            body
        };
        for body in [
            name(json!(["income"]), Value::Null),
            name(json!(["employment"]), json!([{"company_name": "Home Depot"}])),
            name(json!(["deposit_switch"]), json!([{"company_name": "Home Depot", "account": account}])),
            name(json!(["pll"]), json!([{"company_name": "Home Depot", "account": loan}])),
            name(json!(["deposit_switch"]), json!([{"account": account}])),
            name(json!(["admin"]), Value::Null),
            json!({"products": ["income", "assets"], "first_name": null, "last_name": null}),
        ] {
            let order = make(&client, body).await;
            assert!(order["share_url"].as_str().unwrap().starts_with("http://citadel.test/orders/"));
            assert!(order["short_share_url"].as_str().unwrap().starts_with("http://citadel.test/o/"));
            assert_eq!(order["employers"].as_array().unwrap().len(), 1);
        }
        for (body, field) in [
            (json!({}), "products"),
            (json!({"products": ["weather"]}), "products"),
            (json!({"products": vec!["income"; 13]}), "products"),
            (json!({"products": ["income"], "employers": vec![json!({}); 21]}), "employers"),
            (json!({"products": ["pll"]}), "employers[0].account.account_number"),
            (json!({"products": ["income"], "employers": [{"company_mapping_id": "nowhere"}]}), "employers[0].company_mapping_id"),
            (json!({"products": ["income"], "employers": [{"start_date": "soon"}]}), "employers[0].start_date"),
            (json!({"products": ["income"], "template_id": "none"}), "template_id"),
            (json!({"products": ["income"], "email": "nowhere"}), "email"),
        ] {
            let reply = client.post("/v1/orders/", body).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply:?}");
            assert!(reply.invalid_fields().contains(&field.to_owned()), "{field}: {reply:?}");
        }
        let reply = client.post("/v1/orders/", json!({"products": ["assets"]})).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::FORBIDDEN, "not_authenticated"));
        let stranger = app.client("other").await;
        let order = make(&client, json!({"products": ["income"]})).await;
        let path = format!("/v1/orders/{}/", text(&order["id"]));
        assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND);
        for action in ["", "refresh/", "cancel/", "employers/"] {
            let reply = stranger.post(&format!("{path}{action}"), json!({})).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{action}");
        }
        assert_eq!(app.get("/v1/orders/").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(client.get("/v1/orders").await.status, StatusCode::OK, "used to try a key");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_are_changed_taken_back_asked_again_and_end() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let order = make(&client, json!({"products": ["income"], "first_name": "Jon", "external_user_id": "u", "order_number": "7"})).await;
        let path = format!("/v1/orders/{}/", text(&order["id"]));
        let changed = client.patch(&path, json!({"first_name": "John", "loan": {"amount": 1000}, "notes": null})).await;
        assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
        assert_eq!((&changed.json()["first_name"], &changed.json()["loan"]["amount"]), (&json!("John"), &json!(1000)));
        let added = client.post(&format!("{path}employers/"), json!({"company_name": "Home Depot"})).await;
        assert_eq!((added.status, &added.json()["product_type"]), (StatusCode::CREATED, &json!("income")));
        let bridge_token = added.json()["bridge_token"].clone();

        let canceled = client.post(&format!("{path}cancel/"), json!({})).await;
        assert_eq!(canceled.status, StatusCode::OK, "{canceled:?}");
        assert_eq!(canceled.json()["status"], "canceled");
        assert_eq!(canceled.json()["employers"][1]["status"], "canceled");
        assert_eq!(client.post(&format!("{path}cancel/"), json!({})).await.status, StatusCode::OK, "twice");
        let body = json!({"bridge_token": bridge_token, "username": "goodlogin", "password": "goodpassword"});
        assert_eq!(sign_in(&client, body).await.status, StatusCode::GONE);
        assert_eq!(client.patch(&path, json!({"notes": "late"})).await.status, StatusCode::CONFLICT);

        let again = client.post(&format!("{path}refresh/"), json!({"products": ["employment"]})).await;
        assert_eq!(again.status, StatusCode::CREATED, "{again:?}");
        let again = again.json();
        assert_eq!((&again["initial_order"], &again["user_id"]), (&order["id"], &order["user_id"]));
        assert_eq!((&again["order_number"], again["employers"].as_array().unwrap().len()), (&json!("7"), 2));
        assert_eq!(client.get(&path).await.json()["refresh_order"], again["id"]);
        let older = client.post(path.trim_end_matches('/'), json!({})).await;
        assert_eq!(older.status, StatusCode::CREATED, "{older:?}");
        let reply = client.post(&format!("{path}refresh/"), json!({"products": ["pll"]})).await;
        assert_eq!(reply.invalid_fields(), ["products"]);

        // Three days, on the client's clock.
        let path = format!("/v1/orders/{}/", text(&again["id"]));
        turn(&client, json!({"advance": "P3D"})).await;
        let late = client.get(&path).await.json();
        assert_eq!((&late["status"], &late["is_expired"]), (&json!("expired"), &json!(true)));
        assert_eq!(late["employers"][0]["status"], "expired");
        let body = json!({"bridge_token": again["bridge_token"], "username": "goodlogin", "password": "goodpassword"});
        assert_eq!(sign_in(&client, body).await.status, StatusCode::GONE);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_an_order_tells_what_is_left_to_do() {
    use axum::http::Method;
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let body = json!({"products": ["income"], "client_name": "Acme", "employers": [{"company_name": "Home Depot"}, {}]});
        let order = make(&client, body).await;
        let token = text(&order["share_url"]).rsplit('/').next().unwrap().to_owned();
        let shown = page(&app, Method::GET, "/order", &token).await;
        assert_eq!(shown.status, StatusCode::OK, "{shown:?}");
        let shown = shown.json();
        assert_eq!((&shown["status"], &shown["is_consented"]), (&json!("pending"), &json!(false)));
        assert_eq!(shown["employers"][0]["bridge_token"], order["bridge_token"]);
        // The bridge token of an employer opens the same page.
        let framed = page(&app, Method::GET, "/order", order["bridge_token"].as_str().unwrap()).await;
        assert_eq!(framed.json(), shown);
        let consented = page(&app, Method::POST, "/order/consent", &token).await;
        assert_eq!(consented.json()["is_consented"], true);
        let path = format!("/v1/orders/{}/", text(&order["id"]));
        assert!(client.get(&path).await.json()["user_consent_at"].is_string());

        let skip = format!("/order/employers/{}/skip", text(&order["employers"][1]["id"]));
        let skipped = page(&app, Method::POST, &skip, &token).await.json();
        assert_eq!((&skipped["employers"][1]["status"], &skipped["employers"][1]["bridge_token"]), (&json!("skipped"), &Value::Null));
        connect(&client, &order["bridge_token"], "goodlogin", "goodpassword").await;
        let shown = page(&app, Method::GET, "/order", &token).await.json();
        assert_eq!((&shown["status"], &shown["employers"][0]["status"]), (&json!("completed"), &json!("completed")));

        for wrong in ["", "0123456789abcdef0123456789abcdef", client.secret.as_str()] {
            let reply = page(&app, Method::GET, "/order", wrong).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{wrong}");
        }
        // A token that is not of an order opens no page of one.
        let plain = client.bridge_token("income").await;
        assert_eq!(page(&app, Method::GET, "/order", &plain).await.status, StatusCode::UNAUTHORIZED);
        let html = app.get(&format!("/orders/{token}")).await;
        assert_eq!(html.status, StatusCode::OK);
        assert!(html.header("content-security-policy").contains("frame-ancestors 'none'"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_about_a_person_stay_as_they_were_made() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let user = client.post("/v1/users/", json!({"first_name": "John", "last_name": "Doe"})).await.json();
        let path = format!("/v1/users/{}", text(&user["id"]));
        let empty = client.post(&format!("{path}/reports/"), json!({})).await;
        assert_eq!((empty.status, &empty.json()["links"]), (StatusCode::OK, &json!([])));
        let token = client.post(&format!("{path}/tokens/"), json!({"product_type": "income"})).await.json();
        connect(&client, &token["bridge_token"], "goodlogin", "goodpassword").await;
        let report =
            client.post_text(&format!("{path}/reports/"), "application/json", String::new()).await.json();
        let job = &report["links"][0]["employments"][0];
        assert!(!job["statements"].as_array().unwrap().is_empty() && job["gse_accepted"].is_null());
        assert_eq!(report["links"][0]["provider"], "adp");
        let read_path = format!("{path}/reports/{}/", text(&report["report_id"]));
        let without_files = |mut value: Value| {
            value["links"][0]["employments"][0]["statements"] = Value::Null;
            value["links"][0]["employments"][0]["w2s"] = Value::Null;
            value
        };
        turn(&client, json!({"advance": "P60D"})).await;
        let later = client.get(&read_path).await.json();
        assert_eq!(without_files(later), without_files(report.clone()));
        assert_eq!(client.get(&path).await.json()["voie_report_id"], report["report_id"]);

        // The document, and those of the link's own reports, at addresses that need no key.
        let pdf = client.get(&format!("{read_path}?fmt=pdf")).await;
        assert_eq!((pdf.status, pdf.header("content-type")), (StatusCode::OK, "application/pdf"));
        assert!(pdf.body.starts_with(b"%PDF"));
        let again = client.get(&format!("{read_path}?fmt=pdf")).await;
        assert_eq!(pdf.body, again.body, "the same bytes");
        for product in ["income", "employment", "deposit_switch", "pll"] {
            let username = if product == "pll" { "goodlogin.monthly" } else { "goodlogin.weekly" };
            let access_token = link(&client, product, username, "goodpassword").await;
            let kind = if product == "deposit_switch" { "direct_deposit" } else { product };
            let path = format!("/v1/links/reports/{kind}/");
            let report = client.post(&path, json!({"access_token": access_token})).await.json();
            let address = text(&report["pdf_report"]);
            let pdf = app.get(address.strip_prefix("http://citadel.test").unwrap()).await;
            assert_eq!(pdf.status, StatusCode::OK, "{kind}");
            assert!(pdf.body.starts_with(b"%PDF"), "{kind}");
        }

        let voe = client.post(&format!("{path}/reports/"), json!({"is_voe": true})).await.json();
        let job = &voe["links"][0]["employments"][0];
        assert_eq!(
            (&job["income"], &job["statements"], &job["job_title"]),
            (&Value::Null, &json!([]), &json!("PR associate"))
        );
        let stranger = app.client("other").await;
        assert_eq!(stranger.get(&read_path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(stranger.post(&format!("{path}/reports/"), json!({})).await.status, StatusCode::NOT_FOUND);
        assert_eq!(client.get(&format!("{read_path}?fmt=xml")).await.invalid_fields(), ["fmt"]);

        // P22: a copy of what a link knew goes with the link.
        let link_id = text(&voe["links"][0]["link_id"]);
        assert_eq!(client.delete(&format!("/v1/links/{link_id}/")).await.status, StatusCode::NO_CONTENT);
        for report in [&report, &voe] {
            let gone = format!("{path}/reports/{}/", text(&report["report_id"]));
            assert_eq!(client.get(&gone).await.status, StatusCode::NOT_FOUND);
        }
        assert!(client.get(&path).await.json()["voie_report_id"].is_null());
    })
    .await;
}
