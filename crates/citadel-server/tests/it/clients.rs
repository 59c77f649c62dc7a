//! The quickstarts, call by call, in the forms in which they send them (contract 10.1 to 10.4): slash or none, `null` and `""`,
//! numbers and texts, `charset`, a typed GET, a body in chunks. A line is one box of the contract, in its letters: what one
//! client does for one product. The other clients of 10.5 are in `other_clients.rs`.

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use serde_json::{Value, json};

use crate::{
    sandbox::sign_in,
    support::{Reply, TestApp, TestClient, for_each_db},
};

/// How a client speaks.
#[derive(Clone, Copy)]
struct Dialect {
    name: &'static str,
    content_type: &'static str,
    /// JSON, where it is sent.
    client_name: Option<&'static str>,
    tracking_info: &'static str,
    /// Whether a GET has a content type, with an empty body behind it.
    types_gets: bool,
    /// Whether bodies come without their length.
    in_chunks: bool,
    /// Whether the two micro-deposits are texts.
    has_amounts_as_texts: bool,
    account_number: &'static str,
    routing_number: &'static str,
    bank_name: &'static str,
    /// Of the account of `pll`, with `amount`.
    deposit_value: &'static str,
}

/// December 2021, and the calls of the same form up to the beginning of 2023.
const PY: Dialect = Dialect {
    name: "py",
    content_type: "application/json",
    client_name: Some("\"Citadel Quickstart\""),
    tracking_info: "1337",
    types_gets: false,
    in_chunks: false,
    has_amounts_as_texts: false,
    account_number: "16002600",
    routing_number: "123456789",
    bank_name: "TD Bank",
    deposit_value: "1",
};
const NODE: Dialect = Dialect { name: "node", ..PY };
const GO: Dialect = Dialect { name: "go", types_gets: true, has_amounts_as_texts: true, ..PY };
const RUBY: Dialect = Dialect { name: "ruby", types_gets: true, account_number: "10062800", ..PY };
const CS: Dialect =
    Dialect { name: "c#", content_type: "application/json; charset=utf-8", types_gets: true, ..PY };

/// Today, and the calls with a user since February 2023.
const PY_TODAY: Dialect = Dialect {
    client_name: Some("\"Truv Quickstart\""),
    tracking_info: "1338-0111-A",
    routing_number: "12345678",
    bank_name: "Truv Bank",
    deposit_value: "100",
    ..PY
};
const NODE_TODAY: Dialect = Dialect { name: "node", client_name: None, ..PY_TODAY };
const GO_TODAY: Dialect = Dialect { name: "go", client_name: Some("\"\""), types_gets: true, ..PY_TODAY };
const RUBY_TODAY: Dialect = Dialect { name: "ruby", client_name: None, types_gets: true, ..PY_TODAY };
const CS_TODAY: Dialect = Dialect {
    name: "c#",
    content_type: "application/json; charset=utf-8",
    client_name: Some("null"),
    in_chunks: true,
    ..PY_TODAY
};

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

/// A text (R3).
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// A text that clients put into addresses and JSON as it is (R16, R17).
pub(crate) fn id(value: &Value) -> String {
    let text = text(value);
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    assert!(is_hex && text.len() == 32, "{text} is no 32 hexadecimal digits");
    text
}

/// Whether it is a day, as pages print it.
pub(crate) fn is_day(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.parse::<jiff::civil::Date>().is_ok())
}

impl Run<'_> {
    async fn post(&self, path: &str, body: Value) -> Value {
        let text = body.to_string();
        let mut request = self.client.request(Method::POST, path);
        request = request.header("Content-Type", self.dialect.content_type);
        if !self.dialect.in_chunks {
            request = request.header("Content-Length", text.len());
        }
        let reply = self.client.app.send(request.body(text.into()).unwrap()).await;
        self.good(path, &reply)
    }

    async fn get(&self, path: &str) -> Value {
        let mut request = self.client.request(Method::GET, path);
        if self.dialect.types_gets {
            request = request.header("Content-Type", self.dialect.content_type).header("Content-Length", 0);
        }
        let reply = self.client.app.send(request.body(Body::empty()).unwrap()).await;
        self.good(path, &reply)
    }

    fn good(&self, path: &str, reply: &Reply) -> Value {
        assert!(
            [StatusCode::OK, StatusCode::CREATED].contains(&reply.status),
            "{} {path}: {reply:?}",
            self.place
        );
        assert!(reply.header("content-type").starts_with("application/json"), "R1: {}", self.place);
        // Ruby merges it, and Flask 1.1 cannot return a list.
        assert!(reply.json().is_object(), "R2: {} {path}", self.place);
        assert!(!reply.text().contains('%'), "R11: {} {path}", self.place);
        reply.json()
    }

    /// The account of a form: `a` with its four fields, `p` with what `pll` needs besides.
    fn account(&self, form: &str) -> Value {
        let mut account = json!({
            "account_number": self.dialect.account_number, "account_type": "checking",
            "routing_number": self.dialect.routing_number, "bank_name": self.dialect.bank_name,
        });
        if form == "p" {
            account["deposit_type"] = "amount".into();
            account["deposit_value"] = self.dialect.deposit_value.into();
        }
        account
    }

    /// B and T.
    async fn token(&mut self, path: &str, form: &str) {
        let mut body = json!({"product_type": self.product, "tracking_info": self.dialect.tracking_info});
        if let Some(name) = self.dialect.client_name {
            body["client_name"] = serde_json::from_str(name).unwrap();
        }
        if !form.is_empty() {
            body["account"] = self.account(form);
        }
        let made = self.post(path, body).await;
        assert!(made.get("id").is_none(), "R12: {}", self.place);
        self.bridge_token = id(&made["bridge_token"]);
    }

    async fn order(&mut self, form: &str) {
        let mut body = json!({
            "order_number": "qs-1338", "first_name": "John", "last_name": "Johnson",
            "email": "j.johnson@example.com", "products": [self.product],
        });
        if !form.is_empty() {
            let mut employer = json!({"company_name": "Home Depot"});
            if form != "e" {
                employer["account"] = self.account(form);
            }
            body["employers"] = json!([employer]);
        }
        let made = self.post("/v1/orders/", body).await;
        // A page takes a body with an id for an order, and a non-null error for a failure (R12, R15).
        id(&made["id"]);
        id(&made["user_id"]);
        assert!(made.get("error").is_none() && made["employers"].is_array(), "R14, R15: {}", self.place);
        self.bridge_token = id(&made["bridge_token"]);
    }

    async fn exchange(&mut self) {
        // Two changes of one person's account would get in each other's way.
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
        let body = json!({"public_token": id(&signed["public_token"])});
        let made = self.post("/v1/link-access-tokens/", body).await;
        self.access_token = id(&made["access_token"]);
        self.link_id = id(&made["link_id"]);
    }

    async fn step(&mut self, code: &str) {
        let of_token = json!({"access_token": self.access_token});
        match code {
            "B" | "Ba" | "Bp" => self.token("/v1/bridge-tokens/", &code[1..]).await,
            "U" => {
                let body = json!({
                    "external_user_id": "qs-1338", "first_name": "John", "last_name": "Johnson",
                    "email": "j.johnson@example.com",
                });
                self.user_id = id(&self.post("/v1/users/", body).await["id"]);
            }
            "T" | "Ta" | "Tp" => {
                let path = format!("/v1/users/{}/tokens/", self.user_id);
                self.token(&path, &code[1..]).await;
            }
            "O" | "Oe" | "Oa" | "Op" => self.order(&code[1..]).await,
            "X" => self.exchange().await,
            "E" | "e" => self.report("employment", &slashed("/v1/verifications/employments", code)).await,
            "I" | "i" => self.report("income", &slashed("/v1/verifications/incomes", code)).await,
            "S" | "s" => self.report("direct_deposit", &slashed("/v1/deposit-switches", code)).await,
            "L" | "l" => self.report("pll", &slashed("/v1/paycheck-linked-loans", code)).await,
            "F" | "f" => {
                let report = self.post(&slashed("/v1/account-switches", code), of_token).await;
                assert_eq!(report["account_details"]["account_number"], self.dialect.account_number);
            }
            "D" | "d" => self.directory(&slashed("/v1/administrators/directories", code)).await,
            "A1" => self.directory("/v1/link/reports/admin/").await,
            "A2" => self.directory("/v1/links/reports/admin/").await,
            "PC" | "pc" => {
                let mut body = of_token;
                body["start_date"] = "2020-01-01".into();
                body["end_date"] = "2020-02-01".into();
                let made = self.post(&slashed("/v1/administrators/payrolls", code), body).await;
                self.payroll_report_id = id(&made["payroll_report_id"]);
            }
            "PG" | "pg" => {
                let path = slashed(&format!("/v1/administrators/payrolls/{}", self.payroll_report_id), code);
                let report = self.get(&path).await;
                assert_eq!(report["status"], "done", "R8: {}", self.place);
                assert!(!report["payroll_report"].as_array().unwrap().is_empty(), "R8: {}", self.place);
            }
            "RC" | "rc" | "RCp" => {
                let mut body = of_token;
                if code == "RCp" {
                    body["product_type"] = self.product.into();
                }
                self.refresh(&slashed("/v1/refresh/tasks", code), body).await;
            }
            "RM" | "rm" => {
                let as_texts = self.dialect.has_amounts_as_texts;
                let amounts = if as_texts { json!(["0.1", "0.2"]) } else { json!([0.1, 0.2]) };
                let mut body = of_token;
                body["settings"] = json!({"micro_deposits": amounts});
                self.refresh(&slashed("/v1/refresh/tasks", code), body).await;
            }
            // "1": the loop of go in 2021 is inverted, so it asks once.
            "RG" | "rg" | "rg1" => {
                let path = slashed(&format!("/v1/refresh/tasks/{}", self.task_id), code);
                let first = text(&self.get(&path).await["status"]);
                assert!(!citadel_api_types::tasks::is_final(&first), "R9: {}", self.place);
                if code != "rg1" {
                    assert_eq!(self.wait(&path).await, "done", "R10: {}", self.place);
                }
            }
            code => {
                let (form, kind) = code.split_once(':').unwrap_or_else(|| panic!("{code} is no call"));
                match form {
                    "K" => self.report(kind, &format!("/v1/links/reports/{kind}/")).await,
                    "r" | "R" => {
                        let path = slashed(&format!("/v1/links/{}/{kind}/report", self.link_id), form);
                        self.check(kind, &self.get(&path).await);
                    }
                    _ => panic!("{code} is no call"),
                }
            }
        }
    }

    async fn refresh(&mut self, path: &str, body: Value) {
        let made = self.post(path, body).await;
        self.task_id = id(&made["task_id"]);
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

    async fn report(&self, kind: &str, path: &str) {
        self.check(kind, &self.post(path, json!({"access_token": self.access_token})).await);
    }

    async fn directory(&self, path: &str) {
        let report = self.post(path, json!({"access_token": self.access_token})).await;
        let people = report["directory"].as_array().unwrap();
        // A table is printed of it.
        assert!(!people.is_empty() && people.iter().all(Value::is_object), "{}", self.place);
    }

    /// What the page of the kind reads.
    fn check(&self, kind: &str, report: &Value) {
        let place = &self.place;
        match kind {
            "employment" | "income" => check_job(report, kind == "income", place),
            _ => {
                let details = &report["deposit_details"];
                for (key, expected) in [
                    ("account_number", self.dialect.account_number),
                    ("account_type", "checking"),
                    ("routing_number", self.dialect.routing_number),
                    ("deposit_type", if self.product == "pll" { "amount" } else { "entire" }),
                ] {
                    assert_eq!(details[key], expected, "R7: {place} {key}");
                }
                let value = details.get("deposit_value").unwrap_or_else(|| panic!("R7: {place}"));
                let expected = format!("{}.00", self.dialect.deposit_value);
                let expected = if self.product == "pll" { expected.into() } else { Value::Null };
                assert_eq!(*value, expected, "{place}");
                assert!(report["provider"].is_object() && report["status"] == "done", "{place}");
            }
        }
    }
}

/// What pages read of a job, and the keys that one client takes out without looking (R6, R13, R14).
pub(crate) fn check_job(report: &Value, with_pay: bool, place: &str) {
    let job = &report["employments"][0];
    assert!(job["company"]["name"].is_string() && job["job_title"].is_string(), "R6: {place}");
    assert!(job["is_active"].is_boolean() && is_day(&job["start_date"]), "{place}: {job}");
    assert!(job["end_date"].is_null() || is_day(&job["end_date"]), "{place}");
    assert!(job.get("end_date").is_some(), "{place}");
    for key in ["pdf_report", "access_token", "refresh_status"] {
        assert!(report.get(key).is_some(), "R13: {place} {key}");
    }
    if with_pay {
        assert!(job["income"].is_string() && job["income_unit"].is_string(), "{place}: {job}");
        let newest = &job["statements"][0];
        assert!(is_day(&newest["pay_date"]) && newest["gross_pay"].is_string(), "R6: {place}");
        assert!(job["statements"].is_array() && job["w2s"].is_array(), "R14: {place}");
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

/// 10.2: the quickstarts of December 2021; and 10.3, all five in 2022, which only changed their host.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_quickstarts_of_2021_run_unchanged() {
    const ALL: [&str; 6] = ["employment", "income", "admin", "fas", "deposit_switch", "pll"];
    // In that order; what is empty was not offered.
    let clients = [
        (
            PY,
            [
                "B X E RC rg E",
                "B X I RC rg I",
                "B X D PC pg pg RC rg D PC pg",
                "Ba X F RM",
                "Ba X S",
                "Bp X L",
            ],
        ),
        (NODE, ["B X E RC rg E", "B X I RC rg I", "B X D PC pg RC rg D PC pg", "Ba X F RM", "Ba X S", ""]),
        (GO, ["B X e rc rg1 e", "B X i rc rg1 i", "B X d pc pg rc rg1 d pc pg", "Ba X f rm", "Ba X s", ""]),
        (RUBY, ["B X E RC rg E", "B X I RC rg I", "B X D PC pg RC rg D PC pg", "Ba X F RM", "Ba X S", ""]),
        (CS, ["B X E RC rg E", "B X I RC rg I", "B X D PC pg RC rg D PC pg", "Ba X f RM", "Ba X S", ""]),
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
    let mut lines = vec![
        // January and February.
        (NODE, "pll", "Bp X L".to_owned()),
        (GO, "pll", "Bp X l".to_owned()),
        // 7 February.
        (PY, "employment", "B X K:employment RC rg K:employment".to_owned()),
        (PY, "income", "B X K:income RC rg K:income".to_owned()),
        (PY, "deposit_switch", "Ba X K:direct_deposit".to_owned()),
        (PY, "pll", "Bp X K:pll".to_owned()),
        (PY, "admin", "B X A1 PC pg pg RC rg A1".to_owned()),
    ];
    // From then to April or May, with users.
    for (dialect, loan, refresh, admin) in [
        (PY_TODAY, "pll", "RC RG", "A1 PC pg"),
        (NODE_TODAY, "ppl", "", "A2 PC pg"),
        (GO_TODAY, "pll", "rc rg", "A1 pc pg"),
        (CS_TODAY, "pll", "RC RG", "A1 PC PG"),
        (RUBY_TODAY, "pll", "RC RG", "A2 PC PG"),
    ] {
        for kind in ["employment", "income"] {
            lines.push((dialect, kind, format!("U T X K:{kind} {refresh} K:{kind}")));
        }
        lines.push((dialect, "deposit_switch", "U Ta X K:direct_deposit".to_owned()));
        lines.push((dialect, "pll", format!("U Tp X K:{loan}")));
        lines.push((dialect, "admin", format!("U T X {admin} {refresh} {admin}")));
    }
    for_each_db(async |app| {
        for (dialect, product, calls) in &lines {
            go(&app, *dialect, product, calls).await;
        }
    })
    .await;
}

/// 10.4: the quickstarts of today, with users and, where `IS_ORDER` is set, with orders.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_quickstarts_of_today_run_unchanged() {
    let clients = [
        // The refresh button of three of them makes no call for the administrator.
        (PY_TODAY, "RC RG", "U T X A1 PC pg pg"),
        (NODE_TODAY, "RC rg", "U T X A2 PC pg RC rg"),
        (GO_TODAY, "RC rg", "U T X A1 pc pg"),
        (RUBY_TODAY, "RCp RG", "U T X A2 PC PG PG RCp RG A2 PC PG"),
        (CS_TODAY, "RC RG", "U T X A1 PC PG RC RG A1 PC PG"),
    ];
    for_each_db(async |app| {
        for (dialect, refresh, admin) in clients {
            for (kind, starts) in [("employment", ["U T", "Oe"]), ("income", ["U T", "O"])] {
                for start in starts {
                    let calls = format!("{start} X r:{kind} {refresh} r:{kind}");
                    go(&app, dialect, kind, &calls).await;
                }
            }
            for start in ["U Ta", "Oa"] {
                go(&app, dialect, "deposit_switch", &format!("{start} X r:direct_deposit")).await;
            }
            for start in ["U Tp", "Op"] {
                go(&app, dialect, "pll", &format!("{start} X r:pll")).await;
            }
            go(&app, dialect, "admin", admin).await;
            go(&app, dialect, "admin", "O").await;
        }
    })
    .await;
}
