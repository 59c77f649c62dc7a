//! Other published clients, box by box (contract 10.5). What they ask of banks and of documents that people upload is not here.

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use citadel_api_types::webhooks::EVENT_TYPES;
use citadel_sdk::webhooks::verify_citadel_signature;
use serde_json::{Value, json};

use crate::{
    clients::{check_job, id, text},
    receiver::Receiver,
    sandbox::sign_in,
    support::{Reply, TestApp, TestClient, for_each_db},
};

async fn get(client: &TestClient<'_>, path: &str) -> Value {
    let reply = client.get(path).await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {reply:?}");
    reply.json()
}

async fn post(client: &TestClient<'_>, path: &str, body: Value) -> Value {
    let reply = client.post(path, body).await;
    assert!([StatusCode::OK, StatusCode::CREATED].contains(&reply.status), "{path}: {reply:?}");
    reply.json()
}

/// No body at all (Q11).
async fn post_nothing(client: &TestClient<'_>, path: &str) -> Reply {
    client.app.send(client.request(Method::POST, path).body(Body::empty()).unwrap()).await
}

fn check_refused(reply: &Reply) {
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::FORBIDDEN, "not_authenticated"));
}

/// The person in front of the widget: a public token.
async fn person(client: &TestClient<'_>, bridge_token: &Value, username: &str) -> String {
    let body = json!({
        "bridge_token": id(bridge_token), "provider_id": "adp", "username": username, "password": "goodpassword",
    });
    let signed = sign_in(client, body).await.json();
    assert_eq!(signed["status"], "done", "{signed}");
    id(&signed["public_token"])
}

/// The person, and the client's call after it: a link's id.
async fn connect(client: &TestClient<'_>, bridge_token: &Value, username: &str) -> String {
    let body = json!({"public_token": person(client, bridge_token, username).await});
    id(&post(client, "/v1/link-access-tokens/", body).await["link_id"])
}

/// The one answer that is a bare list by design (R2): the first of it, by its id.
async fn first_company(client: &TestClient<'_>, path: &str) -> String {
    let found = get(client, path).await;
    id(&found.as_array().unwrap_or_else(|| panic!("{path}"))[0]["company_mapping_id"])
}

/// As one client sends it for a loan: with a number where others send a text.
fn account() -> Value {
    json!({
        "account_number": "16002600", "account_type": "checking", "routing_number": "12345678",
        "bank_name": "Truv Bank", "deposit_type": "amount", "deposit_value": 100,
    })
}

fn check_account(report: &Value) {
    let details = &report["deposit_details"];
    assert_eq!((&details["deposit_value"], &details["deposit_type"]), (&json!("100.00"), &json!("amount")));
    assert_eq!(
        (&details["routing_number"], &details["account_number"]),
        (&json!("12345678"), &json!("16002600"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mcp_runs_unchanged() {
    for_each_db(async |app| {
        let client = app.client("mcp").await;
        let body = json!({
            "products": ["income", "assets"], "first_name": null, "last_name": null, "external_user_id": "m",
            "financial_institutions": [{"id": "1", "name": "A bank"}],
        });
        let order = post(&client, "/v1/orders/", body).await;
        assert!(order["short_share_url"].as_str().unwrap().starts_with("http"));
        person(&client, &order["bridge_token"], "goodlogin").await;
        let users = get(&client, "/v1/users/?external_user_id=m&list_links=false").await;
        let user = &users["results"][0];
        assert!(user.get("links").is_none() && user["external_user_id"] == "m", "{user}");
        assert!(user["first_name"].is_string() && user["last_name"].is_string());
        let user = id(&user["id"]);
        assert_eq!(get(&client, &format!("/v1/users/{user}")).await["id"], user);
        let links = get(&client, &format!("/v1/links/?user_id={user}&page=1&page_size=100")).await;
        assert!(links["count"].is_number() && links["next"].is_null());
        let link = id(&links["results"][0]["id"]);
        id(&links["results"][0]["access_token"]);
        let report = get(&client, &format!("/v1/links/{link}/income/report")).await;
        assert_eq!(report["status"], "done");
        check_job(&report, true, "mcp");
        // It takes them out without looking.
        let has = |object: &Value, keys: &[&str]| {
            for key in keys {
                assert!(object.get(key).is_some(), "R13: {key}");
            }
        };
        has(&report, &["pdf_report", "access_token"]);
        for job in report["employments"].as_array().unwrap() {
            has(job, &["derived_fields", "missing_data_fields", "bank_accounts", "profile"]);
            for statement in job["statements"].as_array().unwrap() {
                has(statement, &["check_number", "file", "derived_fields", "missing_data_fields"]);
            }
            job["w2s"].as_array().unwrap().iter().for_each(|each| has(each, &["file"]));
        }
        let path = "transactions?page_size=100&page=1&transacted_at_from=2026-01-01T00:00:00Z";
        check_refused(&client.get(&format!("/v1/links/{link}/{path}")).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn demo_of_bridge_runs_unchanged() {
    for_each_db(async |app| {
        let client = app.client("demo").await;
        let company = first_company(&client, "/v1/company-mappings-search/?query=home+depot").await;
        let body = json!({
            "external_user_id": "demo-1", "first_name": "John", "last_name": "Johnson", "email": "j@example.com",
        });
        let user = id(&post(&client, "/v1/users/", body).await["id"]);
        let tokens = format!("/v1/users/{user}/tokens/");
        let mut body = json!({
            "product_type": "income", "data_sources": ["payroll"], "provider_id": "adp",
            "company_mapping_id": company,
        });
        let token = post(&client, &tokens, body.clone()).await;
        assert_eq!((&token["company_mapping_id"], &token["data_sources"]), (&json!(company), &json!(["payroll"])));
        let link = connect(&client, &token["bridge_token"], "goodlogin").await;
        check_job(&get(&client, &format!("/v1/links/{link}/income/report/")).await, true, "demo");
        let shown = get(&client, &format!("/v1/links/{link}/")).await;
        assert_eq!(shown["company_mapping"]["name"], "Home Depot");
        for (product, username) in [("pll", "goodlogin.monthly"), ("deposit_switch", "fulltime")] {
            body["product_type"] = product.into();
            body["company_mapping_id"] = Value::Null;
            body["account"] = account();
            let token = post(&client, &tokens, body.clone()).await;
            let link = connect(&client, &token["bridge_token"], username).await;
            // The product is put into the address as the page has it.
            check_account(&get(&client, &format!("/v1/links/{link}/{product}/report/")).await);
        }
        let switched = get(&client, &format!("/v1/users/{user}/deposit_switch/report/")).await;
        check_account(&switched["links"][0]);
        assert!(switched["links"][0]["provider"]["id"] == "adp" && switched["completed_at"].is_string());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn demo_of_orders_runs_unchanged() {
    for_each_db(async |app| {
        let client = app.client("demo").await;
        let body = json!({
            "products": ["pll"], "external_user_id": "demo-1", "first_name": "John", "last_name": "Johnson",
            "social_security_number": "991919991", "data_sources": ["payroll"],
            "employers": [{"company_name": "Home Depot", "account": account()}],
        });
        let loan = post(&client, "/v1/orders/", body.clone()).await;
        let link = connect(&client, &loan["bridge_token"], "goodlogin.monthly").await;
        check_account(&get(&client, &format!("/v1/links/{link}/pll/report/")).await);

        let body = json!({
            "products": ["income"], "external_user_id": "demo-1", "first_name": "John", "last_name": "Johnson",
            "email": "j@example.com", "phone": "+12025550137",
        });
        let order = post(&client, "/v1/orders/", body).await;
        let path = format!("/v1/orders/{}/", id(&order["id"]));
        let read = get(&client, &path).await;
        assert_eq!(read["id"], order["id"]);
        assert!(read["share_url"].is_string() && read["status"].is_string() && read["employers"].is_array());
        let user = id(&order["user_id"]);
        assert_eq!(user, loan["user_id"], "one external_user_id is one user");
        person(&client, &order["bridge_token"], "goodlogin").await;
        let again = post(&client, &format!("{path}refresh/"), json!({"products": ["income"]})).await;
        assert_eq!(again["refresh_order"].as_str().or(again["initial_order"].as_str()), order["id"].as_str());

        let reports = format!("/v1/users/{user}/reports/");
        for made in [post_nothing(&client, &reports).await, client.post(&reports, json!({"is_voe": true})).await] {
            assert_eq!(made.status, StatusCode::OK, "{made:?}");
            let made = made.json();
            let path = format!("{reports}{}/", id(&made["report_id"]));
            assert_eq!(get(&client, &path).await, made, "the answer is the report");
            assert!(made["links"][0]["employments"][0]["company"]["name"].is_string());
            let pdf = client.get(&format!("{path}?fmt=pdf")).await;
            assert_eq!(pdf.header("content-type"), "application/pdf");
        }
        let insights = json!({
            "days_requested": 90, "consumer_report_permissible_purpose": "EXTENSION_OF_CREDIT",
        });
        for what in ["assets", "income_insights"] {
            let reports = format!("/v1/users/{user}/{what}/reports/");
            check_refused(&post_nothing(&client, &reports).await);
            check_refused(&client.post(&reports, insights.clone()).await);
            check_refused(&client.get(&reports).await);
        }
    })
    .await;
}

/// One order for the income, and one for the loan that repeats its number and its person.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn demo_of_the_chain_runs_unchanged() {
    for_each_db(async |app| {
        let client = app.client("demo").await;
        let company = first_company(&client, "/v1/company-mappings-search/?query=home+depot&product_type=pll").await;
        let info = get(&client, &format!("/v1/companies/{company}?product_type=pll")).await;
        assert!(info["success_rate"].is_string() && info["features"]["deposit_switch"].is_object());
        let mut body = json!({
            "products": ["income"], "order_number": "chain-1", "external_user_id": "demo-1", "first_name": "John",
            "last_name": "Johnson", "email": "j@example.com", "employers": [{"company_mapping_id": company}],
        });
        let income = post(&client, "/v1/orders/", body.clone()).await;
        person(&client, &income["bridge_token"], "goodlogin.monthly").await;
        let user = id(&income["user_id"]);
        let links = get(&client, &format!("/v1/links/?user_id={user}")).await;
        let link = get(&client, &format!("/v1/links/{}/", id(&links["results"][0]["id"]))).await;
        assert_eq!(link["is_dds_available"], true);
        assert_eq!((&link["company_mapping"]["id"], &link["company_mapping"]["name"]), (&json!(company), &json!("Home Depot")));

        body["products"] = json!(["pll"]);
        body["employers"][0]["account"] = account();
        let loan = post(&client, "/v1/orders/", body).await;
        assert_ne!(loan["id"], income["id"]);
        assert_eq!((&loan["order_number"], &loan["user_id"]), (&json!("chain-1"), &json!(user)));
        let link = connect(&client, &loan["bridge_token"], "goodlogin.monthly").await;
        check_account(&get(&client, &format!("/v1/links/{link}/pll/report/")).await);
        let tasks = get(&client, &format!("/v1/tasks/?user_id={user}")).await;
        let tasks = tasks["results"].as_array().unwrap();
        assert!(tasks.iter().any(|task| task["product_type"] == "income" && task["status"] == "done"));
        assert!(tasks.iter().any(|task| task["product_type"] == "pll" && task["status"] == "done"));
        let found = get(&client, "/v1/orders/?order_number=chain-1").await;
        assert_eq!(found["count"], 2, "a number may be repeated");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn demo_of_coverage_runs_unchanged() {
    for app in TestApp::each_limited(4).await {
        let client = app.client("demo").await;
        let body = json!({
            "name": "Home Depot", "domain": "homedepot.com", "ein": "", "phone": null, "address": "", "state": "GA",
            "product_type": "income",
        });
        assert_eq!(post(&client, "/v1/companies/", body).await["name"], "Home Depot");
        let path = "/v1/providers/?query=adp&product_type=income&data_source=payroll";
        assert_eq!(get(&client, path).await["results"][0]["id"], "adp");
        // It asks for many at once, waits as long as it is told, and goes on.
        let refused = loop {
            let reply = client.get(path).await;
            if reply.status != StatusCode::OK {
                break reply;
            }
        };
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{refused:?}");
        let seconds: i64 = refused.header("retry-after").parse().unwrap();
        let message = text(&refused.json()["error"]["message"]);
        assert!(message.contains(&format!("{seconds} seconds")), "where the header is lost: {message}");
        app.advance(seconds);
        get(&client, path).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn demo_of_webhooks_runs_unchanged() {
    const ALL: [&str; 17] = [
        "task-status-updated",
        "order-created",
        "order-status-updated",
        "order-refresh-failed",
        "link-connected",
        "link-disconnected",
        "link-deleted",
        "employment-created",
        "employment-updated",
        "profile-created",
        "profile-updated",
        "statements-created",
        "statements-updated",
        "bank-accounts-created",
        "bank-accounts-updated",
        "shifts-created",
        "shifts-updated",
    ];
    for_each_db(async |app| {
        let client = app.client("demo").await;
        let receiver = Receiver::start().await;
        assert_eq!(get(&client, "/v1/webhooks/").await["results"], json!([]));
        let body = json!({
            "name": "Demo", "webhook_url": receiver.url(), "env_type": "sandbox", "events": ALL,
        });
        let made = client.post("/v1/webhooks/", body.clone()).await;
        assert_eq!(made.status, StatusCode::CREATED, "R5: {made:?}");
        assert_eq!(made.json()["events"].as_array().unwrap().len(), ALL.len());
        assert_eq!(EVENT_TYPES.len(), ALL.len(), "there are no others");
        assert_eq!(get(&client, "/v1/webhooks/").await["results"][0]["id"], made.json()["id"], "R5");
        let twice = client.post("/v1/webhooks/", body).await;
        assert!(twice.status == StatusCode::BAD_REQUEST && twice.text().contains("already registered"));

        let order = json!({"products": ["income"], "email": "j@example.com", "order_number": "1"});
        let order = post(&client, "/v1/orders/", order).await;
        person(&client, &order["bridge_token"], "goodlogin").await;
        app.run_jobs().await;
        let requests = receiver.received();
        let mut heard: Vec<_> = requests.iter().map(|request| text(&request.json()["event_type"])).collect();
        heard.sort_unstable();
        heard.dedup();
        for event in ["task-status-updated", "order-created", "order-status-updated", "link-connected"] {
            assert!(heard.iter().any(|one| one == event), "{event}: {heard:?}");
        }
        for request in &requests {
            assert_eq!(
                (request.path.as_str(), request.header("content-type")),
                ("/webhook", "application/json")
            );
            // Receivers of both eras read it without looking, and fail where it is missing.
            assert!(request.json()["status"].is_string(), "{:?}", request.body);
            let signature = request.header("x-webhook-sign");
            assert_eq!(verify_citadel_signature(&client.secret, signature, &request.body), Ok(()));
        }
        let gone = client.delete(&format!("/v1/webhooks/{}/", id(&made.json()["id"]))).await;
        assert!(gone.status.is_success());
        assert_eq!(get(&client, "/v1/webhooks/").await["count"], 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn los_runs_unchanged() {
    for_each_db(async |app| {
        let client = app.client("los").await;
        let company = first_company(&client, "/v1/company-mappings-search/?query=home+depot").await;
        let body = json!({
            "products": ["income"], "order_number": "77", "first_name": "John", "last_name": "Johnson",
            "email": "j@example.com", "ssn": "991919991",
            "employers": [{"company_name": "Home Depot", "company_mapping_id": company}],
        });
        let order = post(&client, "/v1/orders/", body).await;
        assert!(order.get("error").is_none(), "R15");
        person(&client, &order["bridge_token"], "goodlogin").await;
        let no_slash = format!("/v1/orders/{}", id(&order["id"]));
        let read = get(&client, &no_slash).await;
        let employer = &read["employers"][0];
        assert_eq!((&read["status"], &employer["status"]), (&json!("completed"), &json!("completed")));
        check_job(
            &get(&client, &format!("/v1/links/{}/income/report", id(&employer["link_id"]))).await,
            true,
            "los",
        );
        let job = &employer["employments"][0];
        assert!(job["statements"].is_array() && job["w2s"].is_array(), "R14");
        let again = client.post(&no_slash, json!({})).await;
        assert_eq!(again.status, StatusCode::CREATED, "{again:?}");
        assert!(again.json()["id"] != order["id"] && again.json().get("error").is_none());

        let report = format!("/v1/users/{}/reports/{}/", id(&order["user_id"]), id(&read["voie_report_id"]));
        let request =
            client.request(Method::GET, &format!("{report}?fmt=pdf")).header("Accept", "text/plain");
        let pdf = app.send(request.body(Body::empty()).unwrap()).await;
        assert!(pdf.status == StatusCode::OK && pdf.body.starts_with(b"%PDF"), "Q10");
        for file in [&job["statements"][0]["file"], &job["w2s"][0]["file"]] {
            let file = app.get(text(file).strip_prefix("http://citadel.test").unwrap()).await;
            assert!(file.body.starts_with(b"%PDF"), "without access headers");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn php_runs_unchanged() {
    for_each_db(async |app| {
        let client = app.client("php").await;
        let company = first_company(&client, "/v1/company-mappings-search?query=home").await;
        let body = json!({"product_type": "income", "company_mapping_id": company});
        let token = post(&client, "/v1/bridge-tokens", body).await;
        let link = connect(&client, &token["bridge_token"], "goodlogin").await;
        check_job(&get(&client, &format!("/v1/links/{link}/income/report")).await, true, "php");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probe_runs_unchanged() {
    for_each_db(async |app| {
        let client = app.client("probe").await;
        assert_eq!(get(&client, "/v1/orders/").await["count"], 0);
        let wrong = "sandbox-0000000000000000000000000000000000000000".to_owned();
        let stranger = TestClient { app: &app, id: client.id, key_id: client.key_id, secret: wrong };
        for refused in [stranger.get("/v1/orders/").await, app.get("/v1/orders/").await] {
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
            assert_eq!(refused.code(), "authentication_failed");
        }
    })
    .await;
}
