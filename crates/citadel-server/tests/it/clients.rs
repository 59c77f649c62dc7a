//! Published clients, call by call, in the forms in which they send them (contract 10.1 to 10.5): slash or none, `null` and
//! `""`, numbers and texts, `charset`, a body behind a GET, none behind a POST. A line is what one client does for one product.

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use serde_json::{Value, json};

use crate::{
    sandbox::{sign_in, turn},
    support::{Reply, TestApp, TestClient, for_each_db},
};

/// How a client speaks.
#[derive(Clone, Copy)]
struct Dialect {
    name: &'static str,
    content_type: &'static str,
    /// `client_name` of a bridge token: absent, empty, null or a name.
    client_name: Option<&'static str>,
    /// The JSON that is sent behind every GET.
    body_of_get: Option<&'static str>,
    /// Numbers as texts.
    texts: bool,
}

const PY: Dialect = Dialect {
    name: "py",
    content_type: "application/json",
    client_name: Some("\"Citadel Quickstart\""),
    body_of_get: None,
    texts: false,
};
const NODE: Dialect = Dialect { name: "node", ..PY };
const GO: Dialect =
    Dialect { name: "go", client_name: Some("\"\""), body_of_get: Some(""), texts: true, ..PY };
const RUBY: Dialect = Dialect { name: "ruby", client_name: None, body_of_get: Some(""), ..PY };
const CS: Dialect = Dialect {
    name: "c#",
    content_type: "application/json; charset=utf-8",
    client_name: Some("null"),
    body_of_get: Some("{}"),
    ..PY
};

const ALL: [&str; 6] = ["employment", "income", "admin", "fas", "deposit_switch", "pll"];

/// What a client has in hand.
struct Run<'a> {
    client: &'a TestClient<'a>,
    dialect: Dialect,
    product: &'static str,
    place: String,
    bridge_token: String,
    user_id: String,
    access_token: String,
    link_id: String,
    task_id: String,
    payroll_report_id: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

impl Run<'_> {
    async fn post(&self, path: &str, body: Value) -> Value {
        let reply = self.client.post_text(path, self.dialect.content_type, body.to_string()).await;
        self.good(path, &reply)
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.client.request(Method::GET, path);
        let request = match self.dialect.body_of_get {
            Some(body) => request.header("Content-Type", self.dialect.content_type).body(Body::from(body)),
            None => request.body(Body::empty()),
        };
        let reply = self.client.app.send(request.unwrap()).await;
        self.good(path, &reply)
    }

    fn good(&self, path: &str, reply: &Reply) -> Value {
        assert!(
            [StatusCode::OK, StatusCode::CREATED].contains(&reply.status),
            "{} {path}: {reply:?}",
            self.place
        );
        assert!(reply.header("content-type").starts_with("application/json"), "{}", self.place);
        // Ruby merges it, and Flask 1.1 cannot return a list (R2).
        assert!(reply.json().is_object(), "{} {path}", self.place);
        assert!(!reply.text().contains('%'), "R11: {} {path}", self.place);
        reply.json()
    }

    fn account(&self) -> Option<Value> {
        let mut account = json!({
            "account_number": "16002600", "account_type": "checking", "routing_number": "123456789", "bank_name": "TD Bank",
        });
        match self.product {
            "deposit_switch" | "fas" => {}
            "pll" => {
                account["deposit_type"] = "amount".into();
                account["deposit_value"] = if self.dialect.texts { json!("1") } else { json!(1) };
            }
            _ => return None,
        }
        Some(account)
    }

    fn token_request(&self) -> Value {
        let mut body = json!({"product_type": self.product, "tracking_info": "1337"});
        if let Some(name) = self.dialect.client_name {
            body["client_name"] = serde_json::from_str(name).unwrap();
        }
        if let Some(account) = self.account() {
            body["account"] = account;
        }
        body
    }

    async fn step(&mut self, code: &str) {
        let of_token = json!({"access_token": self.access_token});
        match code {
            "B" => {
                let made = self.post("/v1/bridge-tokens/", self.token_request()).await;
                assert!(made.get("id").is_none(), "R12");
                self.bridge_token = text(&made["bridge_token"]);
            }
            "U" => {
                let body = json!({
                    "external_user_id": "qs-1338", "first_name": "John", "last_name": "Johnson",
                    "email": "j.johnson@example.com",
                });
                self.user_id = text(&self.post("/v1/users/", body).await["id"]);
            }
            "T" => {
                let path = format!("/v1/users/{}/tokens/", self.user_id);
                let made = self.post(&path, self.token_request()).await;
                assert!(made.get("id").is_none(), "R12");
                self.bridge_token = text(&made["bridge_token"]);
            }
            "O" => {
                let mut employer = json!({"company_name": "Home Depot"});
                if let Some(account) = self.account() {
                    employer["account"] = account;
                }
                let mut body = json!({
                    "order_number": "qs-1338", "first_name": "John", "last_name": "Johnson",
                    "email": "j.johnson@example.com", "products": [self.product],
                });
                // The quickstarts name no employer for the first two.
                if !["income", "admin"].contains(&self.product) {
                    body["employers"] = json!([employer]);
                }
                let made = self.post("/v1/orders/", body).await;
                assert!(made["id"].is_string() && made["user_id"].is_string() && made.get("error").is_none());
                self.bridge_token = text(&made["bridge_token"]);
            }
            "X" => {
                let username = match self.product {
                    "deposit_switch" => "fulltime",
                    "pll" => "goodlogin.monthly",
                    _ => "goodlogin",
                };
                let body = json!({
                    "bridge_token": self.bridge_token, "provider_id": "adp", "username": username,
                    "password": "goodpassword",
                });
                let signed = sign_in(self.client, body).await.json();
                assert_eq!(signed["status"], "done", "{}: {signed}", self.place);
                let body = json!({"public_token": signed["public_token"]});
                let made = self.post("/v1/link-access-tokens/", body).await;
                self.access_token = text(&made["access_token"]);
                self.link_id = text(&made["link_id"]);
            }
            "E" | "e" => self.jobs(&slashed("/v1/verifications/employments", code), of_token, false).await,
            "I" | "i" => self.jobs(&slashed("/v1/verifications/incomes", code), of_token, true).await,
            "S" | "s" => self.deposit(&slashed("/v1/deposit-switches", code), of_token).await,
            "L" | "l" => self.deposit(&slashed("/v1/paycheck-linked-loans", code), of_token).await,
            "F" | "f" => drop(self.post(&slashed("/v1/account-switches", code), of_token).await),
            "D" | "d" => self.directory(&slashed("/v1/administrators/directories", code), of_token).await,
            "A1" => self.directory("/v1/link/reports/admin/", of_token).await,
            "A2" => self.directory("/v1/links/reports/admin/", of_token).await,
            "PC" | "pc" => {
                let mut body = of_token;
                body["start_date"] = "2020-01-01".into();
                body["end_date"] = "2020-02-01".into();
                let made = self.post(&slashed("/v1/administrators/payrolls", code), body).await;
                self.payroll_report_id = text(&made["payroll_report_id"]);
            }
            "PG" | "pg" => {
                let path = slashed(&format!("/v1/administrators/payrolls/{}", self.payroll_report_id), code);
                let report = self.get(&path).await;
                assert_eq!(report["status"], "done", "R8: {}", self.place);
                assert!(!report["payroll_report"].as_array().unwrap().is_empty(), "R8");
            }
            "RC" | "rc" | "RCp" => {
                let mut body = of_token;
                if code == "RCp" {
                    body["product_type"] = self.product.into();
                }
                let made = self.post(&slashed("/v1/refresh/tasks", code), body).await;
                self.task_id = text(&made["task_id"]);
            }
            "RM" | "rm" => {
                let amounts = if self.dialect.texts { json!(["0.1", "0.2"]) } else { json!([0.1, 0.2]) };
                let mut body = of_token;
                body["settings"] = json!({"micro_deposits": amounts});
                let made = self.post(&slashed("/v1/refresh/tasks", code), body).await;
                self.task_id = text(&made["task_id"]);
            }
            "RG" | "rg" => {
                let path = slashed(&format!("/v1/refresh/tasks/{}", self.task_id), code);
                let first = text(&self.get(&path).await["status"]);
                assert!(!citadel_api_types::tasks::is_final(&first), "R9: {}", self.place);
                let ended = self.wait(&path).await;
                assert_eq!(ended, "done", "R10: {}", self.place);
            }
            code => {
                let (form, kind) = code.split_once(':').unwrap_or_else(|| panic!("{code} is no call"));
                match form {
                    "K" => {
                        let path = format!("/v1/links/reports/{kind}/");
                        self.check(kind, self.post(&path, of_token).await);
                    }
                    "r" | "R" => {
                        let path = slashed(&format!("/v1/links/{}/{kind}/report", self.link_id), form);
                        self.check(kind, self.get(&path).await);
                    }
                    _ => panic!("{code} is no call"),
                }
            }
        }
    }

    async fn wait(&self, path: &str) -> String {
        for _ in 0..60 {
            self.client.app.run_jobs().await;
            self.client.app.advance(1);
            let status = text(&self.get(path).await["status"]);
            if citadel_api_types::tasks::is_final(&status) {
                return status;
            }
        }
        panic!("{}: the refresh never ends", self.place);
    }

    async fn jobs(&self, path: &str, body: Value, with_pay: bool) {
        let kind = if with_pay { "income" } else { "employment" };
        self.check(kind, self.post(path, body).await);
    }

    async fn deposit(&self, path: &str, body: Value) {
        self.check("pll", self.post(path, body).await);
    }

    async fn directory(&self, path: &str, body: Value) {
        let report = self.post(path, body).await;
        assert!(!report["directory"].as_array().unwrap().is_empty(), "{}", self.place);
    }

    /// What the page of the kind reads.
    fn check(&self, kind: &str, report: Value) {
        let place = &self.place;
        match kind {
            "employment" | "income" => {
                let job = &report["employments"][0];
                assert!(job["company"]["name"].is_string() && job["job_title"].is_string(), "R6: {place}");
                if kind == "income" {
                    assert!(job["statements"][0]["gross_pay"].is_string(), "R6: {place}");
                    for key in ["pdf_report", "access_token", "refresh_status"] {
                        assert!(report.get(key).is_some(), "R13: {place} {key}");
                    }
                }
            }
            _ => {
                let details = &report["deposit_details"];
                assert_eq!(details["account_number"], "16002600", "R7: {place}");
                assert!(details["deposit_type"].is_string() && report["provider"].is_object(), "{place}");
            }
        }
    }
}

/// Capital letters send the slash.
fn slashed(path: &str, code: &str) -> String {
    if code.starts_with(char::is_uppercase) { format!("{path}/") } else { path.to_owned() }
}

async fn go(app: &TestApp, dialect: Dialect, product: &'static str, calls: &str) {
    let client = app.client(dialect.name).await;
    let mut run = Run {
        client: &client,
        dialect,
        product,
        place: String::new(),
        bridge_token: String::new(),
        user_id: String::new(),
        access_token: String::new(),
        link_id: String::new(),
        task_id: String::new(),
        payroll_report_id: String::new(),
    };
    for code in calls.split_whitespace() {
        run.place = format!("{} {product} {code} of {calls}", dialect.name);
        run.step(code).await;
    }
}

/// 10.2: the quickstarts of December 2021. In the order of [`ALL`]; an empty line is not offered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_quickstarts_of_2021_run_unchanged() {
    const SLASHED: [&str; 6] =
        ["B X E RC rg E", "B X I RC rg I", "B X D PC pg RC rg D PC pg", "B X F RM", "B X S", ""];
    let with = |change: fn(&str) -> &str| SLASHED.map(change);
    let clients = [
        (PY, with(|calls| if calls.is_empty() { "B X L" } else { calls })),
        (NODE, SLASHED),
        (GO, ["B X e rc rg e", "B X i rc rg i", "B X d pc pg rc rg d pc pg", "B X f rm", "B X s", ""]),
        (RUBY, SLASHED),
        (CS, with(|calls| if calls == "B X F RM" { "B X f RM" } else { calls })),
    ];
    for_each_db(async |app| {
        for (dialect, lines) in &clients {
            for (product, calls) in ALL.into_iter().zip(lines) {
                if !calls.is_empty() {
                    go(&app, *dialect, product, calls).await;
                }
            }
        }
    })
    .await;
}

/// 10.3: the forms between the two, early in 2023.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_quickstarts_of_early_2023_run_unchanged() {
    let clients = [
        (NODE, "pll", "B X L"),
        (GO, "pll", "B X l"),
        (PY, "employment", "B X K:employment RC rg"),
        (PY, "income", "B X K:income"),
        (PY, "deposit_switch", "B X K:direct_deposit"),
        (PY, "pll", "B X K:pll"),
        (PY, "admin", "B X A1 PC pg"),
        (PY, "income", "U T X K:income K:employment RC RG"),
        (NODE, "pll", "U T X K:ppl"),
        (NODE, "admin", "U T X A2 PC pg"),
        (GO, "income", "U T X K:income rc rg"),
        (GO, "admin", "U T X A1 pc pg"),
        (CS, "income", "U T X K:income RC RG"),
        (CS, "admin", "U T X A1 PC PG"),
        (RUBY, "income", "U T X K:income RC RG"),
        (RUBY, "admin", "U T X A2 PC PG"),
    ];
    for_each_db(async |app| {
        for (dialect, product, calls) in clients {
            go(&app, dialect, product, calls).await;
        }
    })
    .await;
}

/// 10.4: the quickstarts of today, with users and, where `IS_ORDER` is set, with orders.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_quickstarts_of_today_run_unchanged() {
    let clients = [
        (PY, "RC RG", "U T X A1 PC pg"),
        (NODE, "RC rg", "U T X A2 PC pg RC rg"),
        (GO, "RC rg", "U T X A1 pc pg"),
        (RUBY, "RCp RG", "U T X A2 PC PG RCp RG A2 PC PG"),
        (CS, "RC RG", "U T X A1 PC PG RC RG A1 PC PG"),
    ];
    for_each_db(async |app| {
        for (dialect, refresh, admin) in clients {
            for start in ["U T", "O"] {
                for kind in ["employment", "income"] {
                    let calls = format!("{start} X r:{kind} {refresh} r:{kind}");
                    go(&app, dialect, kind, &calls).await;
                }
                go(&app, dialect, "deposit_switch", &format!("{start} X r:direct_deposit")).await;
                go(&app, dialect, "pll", &format!("{start} X r:pll")).await;
            }
            go(&app, dialect, "admin", admin).await;
            go(&app, dialect, "admin", "O").await;
        }
    })
    .await;
}

/// 10.5: other published clients, as far as what they call is offered here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_published_clients_run_unchanged() {
    for_each_db(async |app| {
        let client = app.client("others").await;
        let get = async |path: &str| {
            let reply = client.get(path).await;
            assert_eq!(reply.status, StatusCode::OK, "{path}: {reply:?}");
            reply.json()
        };
        // mcp
        let order = client
            .post("/v1/orders/", json!({"products": ["income", "assets"], "first_name": null, "last_name": null, "external_user_id": "m"}))
            .await
            .json();
        assert!(order["short_share_url"].is_string());
        let body = json!({"bridge_token": order["bridge_token"], "username": "goodlogin", "password": "goodpassword"});
        assert_eq!(sign_in(&client, body).await.json()["status"], "done");
        let users = get("/v1/users/?external_user_id=m&list_links=false").await;
        let user = text(&users["results"][0]["id"]);
        get(&format!("/v1/users/{user}")).await;
        let links = get(&format!("/v1/links/?user_id={user}&page=1&page_size=100")).await;
        let link = text(&links["results"][0]["id"]);
        assert_eq!(text(&links["results"][0]["access_token"]).len(), 32);
        let report = get(&format!("/v1/links/{link}/income/report")).await;
        for key in ["pdf_report", "access_token"] {
            assert!(report.get(key).is_some(), "R13: {key}");
        }
        let bank = format!("/v1/links/{link}/transactions?page_size=100&page=1&transacted_at_from=2026-01-01T00:00:00Z");
        assert_eq!(client.get(&bank).await.status, StatusCode::FORBIDDEN, "this server reads no banks");
        // demo
        for path in [
            format!("/v1/links/{link}/income/report/"),
            format!("/v1/links/{link}/"),
            format!("/v1/users/{user}/deposit_switch/report/"),
            format!("/v1/tasks/?user_id={user}"),
            format!("/v1/orders/{}/", text(&order["id"])),
            "/v1/providers/?query=ad&product_type=income&data_source=payroll".to_owned(),
        ] {
            get(&path).await;
        }
        let token = client
            .post(&format!("/v1/users/{user}/tokens/"), json!({"product_type": "income", "data_sources": ["payroll"], "provider_id": "adp", "company_mapping_id": null}))
            .await;
        assert_eq!(token.status, StatusCode::OK, "{token:?}");
        let again = client.post(&format!("/v1/orders/{}/refresh/", text(&order["id"])), json!({"products": ["income"]})).await;
        assert_eq!(again.status, StatusCode::CREATED, "{again:?}");
        let made = client.post_text(&format!("/v1/users/{user}/reports/"), "application/json", "").await;
        assert_eq!(made.status, StatusCode::OK, "a POST without a body (Q11): {made:?}");
        for path in ["assets/reports", "income_insights/reports"] {
            let reply = client.post_text(&format!("/v1/users/{user}/{path}/"), "application/json", "").await;
            assert_eq!((reply.status, reply.code().as_str()), (StatusCode::FORBIDDEN, "not_authenticated"));
        }
        let found = get_list(&client, "/v1/company-mappings-search/?query=home+depot&product_type=pll").await;
        let company = text(&found[0]["company_mapping_id"]);
        let company = get(&format!("/v1/companies/{company}?product_type=pll")).await;
        assert!(company["success_rate"].is_string() && company["features"]["deposit_switch"].is_object());
        let matched = client.post("/v1/companies/", json!({"name": "Home Depot", "product_type": "income"})).await;
        assert_eq!(matched.json()["name"], "Home Depot");
        // los
        let no_slash = format!("/v1/orders/{}", text(&order["id"]));
        get(&no_slash).await;
        assert_eq!(client.post(&no_slash, json!({})).await.status, StatusCode::CREATED);
        let pdf = format!("/v1/users/{user}/reports/{}/?fmt=pdf", text(&made.json()["report_id"]));
        let request = client.request(Method::GET, &pdf).header("Accept", "text/plain").body(Body::empty());
        assert!(app.send(request.unwrap()).await.body.starts_with(b"%PDF"));
        let file = text(&report["employments"][0]["statements"][0]["file"]);
        let file = app.get(file.strip_prefix("http://citadel.test").unwrap()).await;
        assert!(file.body.starts_with(b"%PDF"), "without access headers");
        // php
        let bare = client.post("/v1/bridge-tokens", json!({"product_type": "income", "company_mapping_id": found[0]["company_mapping_id"]})).await;
        assert_eq!(bare.status, StatusCode::OK, "{bare:?}");
        get_list(&client, "/v1/company-mappings-search?query=home").await;
        // probe
        get("/v1/orders/").await;
        let stranger = app.get("/v1/orders/").await;
        assert_eq!((stranger.status, stranger.code().as_str()), (StatusCode::UNAUTHORIZED, "authentication_failed"));
        turn(&client, json!({"advance": "PT1S"})).await;
    })
    .await;
}

/// The one answer that is a bare list by design (R2).
async fn get_list(client: &TestClient<'_>, path: &str) -> Value {
    let reply = client.get(path).await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {reply:?}");
    assert!(reply.json().is_array(), "{path}");
    reply.json()
}
