//! What exists in the sandbox only: the widget without a browser, the clock, faults, scenarios, reset.

use std::{collections::HashSet, time::Duration};

use axum::http::StatusCode;
use citadel_domain::Environment;
use serde_json::{Value, json};

use crate::{
    receiver::Receiver,
    support::{Reply, TestApp, TestClient, for_each_db},
};

const DAY: i64 = 24 * 3600;

/// A call that waits for its task, while the jobs are run and time passes.
async fn waiting(app: &TestApp, call: impl Future<Output = Reply>) -> Reply {
    tokio::pin!(call);
    loop {
        tokio::select! {
            reply = &mut call => return reply,
            () = tokio::time::sleep(Duration::from_millis(5)) => {
                // Time passes only where there is nothing else to do.
                if app.run_jobs().await == 0 {
                    app.advance(1);
                }
            }
        }
    }
}

/// Signs in without a browser.
pub(crate) async fn sign_in(client: &TestClient<'_>, body: Value) -> Reply {
    waiting(client.app, client.post("/v1/sandbox/public-tokens/", body)).await
}

async fn as_user(client: &TestClient<'_>, product: &str, username: &str, password: &str) -> Value {
    let bridge_token = client.bridge_token(product).await;
    let body = json!({
        "bridge_token": bridge_token, "provider_id": "adp", "username": username, "password": password,
    });
    let reply = sign_in(client, body).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    reply.json()
}

/// The access token of somebody.
pub(crate) async fn link(client: &TestClient<'_>, product: &str, username: &str, password: &str) -> String {
    let signed = as_user(client, product, username, password).await;
    assert_eq!(signed["status"], "done", "{username}: {signed}");
    let reply = client.exchange(signed["public_token"].as_str().unwrap()).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

pub(crate) async fn income(client: &TestClient<'_>, access_token: &str) -> Value {
    let reply = client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    reply.json()
}

/// Reads a link again; the task's last status.
pub(crate) async fn refresh(client: &TestClient<'_>, access_token: &str) -> String {
    let reply = client.post("/v1/refresh/tasks/", json!({"access_token": access_token})).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let task_id = reply.json()["task_id"].as_str().unwrap().to_owned();
    client.app.run_refresh().await;
    for _ in 0..20 {
        client.app.run_jobs().await;
        client.app.advance(1);
    }
    client.get(&format!("/v1/refresh/tasks/{task_id}/")).await.json()["status"].as_str().unwrap().to_owned()
}

pub(crate) async fn turn(client: &TestClient<'_>, body: Value) -> Value {
    let reply = client.post("/v1/sandbox/clock/", body).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    reply.json()
}

fn pay_days(report: &Value) -> Vec<String> {
    let statements = report["employments"][0]["statements"].as_array().unwrap();
    statements.iter().map(|each| each["pay_date"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_login_of_the_contract_works_without_a_browser() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        for (username, password, code, status) in [
            ("goodlogin", "goodpassword", None, "done"),
            ("goodlogin", "mfa", Some("12345"), "done"),
            ("goodlogin", "mfa", Some("54321"), "mfa_error"),
            ("goodlogin", "mfa", None, "mfa_error"),
            ("goodlogin", "mfa.question", Some("Rex"), "done"),
            ("goodlogin", "mfa.choice", Some("12345"), "done"),
            ("goodlogin", "mfa.push", None, "done"),
            ("goodlogin", "mfa.push_denied", None, "mfa_error"),
            ("goodlogin", "longcheck", None, "done"),
            ("nobody", "goodpassword", None, "login_error"),
            ("fulltime", "goodpassword", None, "done"),
            ("hourly.part-time", "goodpassword", None, "done"),
            ("goodlogin.tn1", "goodpassword", None, "done"),
            ("goodlogin.tn2", "goodpassword", None, "done"),
            ("goodlogin.semimonthly", "goodpassword", None, "done"),
            ("error.user", "login_error", None, "login_error"),
            ("error.user", "mfa_error", None, "mfa_error"),
            ("error.user", "config_error", None, "config_error"),
            ("error.user", "account_locked", None, "account_locked"),
            ("error.user", "no_data", None, "no_data"),
            ("error.user", "unavailable", None, "unavailable"),
            ("error.user", "error", None, "error"),
            ("error.user", "unable_to_reset", None, "unable_to_reset"),
        ] {
            let bridge_token = client.bridge_token("income").await;
            let mut body = json!({"bridge_token": bridge_token, "username": username, "password": password});
            if let Some(code) = code {
                body["mfa_code"] = code.into();
            }
            let reply = sign_in(&client, body).await;
            assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
            let signed = reply.json();
            assert_eq!(signed["status"], status, "{username} {password}: {signed}");
            assert_eq!(signed["public_token"].is_null(), status != "done", "{signed}");
            assert_eq!(signed["error_message"].is_null(), status == "done", "{signed}");
            let task_id = signed["task_id"].as_str().unwrap();
            let task = client.get(&format!("/v1/tasks/{task_id}")).await.json();
            assert_eq!((&task["status"], &task["link_id"]), (&signed["status"], &signed["link_id"]));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_product_works_without_a_browser() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        for product in ["employment", "income", "admin", "deposit_switch", "pll", "fas"] {
            let username = if product == "pll" { "goodlogin.weekly" } else { "goodlogin" };
            let signed = as_user(&client, product, username, "goodpassword").await;
            assert_eq!(signed["status"], "done", "{product}: {signed}");
        }
        // Again, with everything there already: the provider's own words.
        let signed = as_user(&client, "deposit_switch", "goodlogin", "goodpassword").await;
        assert_eq!(signed["status"], "config_error", "{signed}");
        assert_eq!(signed["error_message"], "This account already receives all of your pay.");
        let key = json!({
            "bridge_token": client.bridge_token("admin").await,
            "api_key": "Skx8LTnyrLiw4SYk8xfkRwOt5OGQbNulypqdsqd",
        });
        assert_eq!(sign_in(&client, key).await.json()["status"], "done");
        // What is missing is named as in the widget.
        let reply = sign_in(&client, json!({"bridge_token": client.bridge_token("income").await})).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply:?}");
        assert_eq!(reply.invalid_fields(), ["username", "password"]);
        let reply = sign_in(&client, json!({})).await;
        assert_eq!(reply.invalid_fields(), ["bridge_token"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_a_session_of_somebody_else_is_not_there() {
    for_each_db(async |app| {
        let (acme, other) = (app.client("acme").await, app.client("other").await);
        let theirs = other.bridge_token("income").await;
        let of =
            |token: &str| json!({"bridge_token": token, "username": "goodlogin", "password": "goodpassword"});
        let random = sign_in(&acme, of(&"0e".repeat(16))).await;
        let found = sign_in(&acme, of(&theirs)).await;
        assert_eq!((found.status, &found.body), (StatusCode::NOT_FOUND, &random.body), "{found:?}");
        assert_eq!(sign_in(&other, of(&theirs)).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_environments_have_no_sandbox() {
    for_each_db(async |app| {
        let dev = app.client_in("acme", Environment::Dev).await;
        for (method, path) in [
            ("POST", "/v1/sandbox/public-tokens/"),
            ("GET", "/v1/sandbox/clock/"),
            ("POST", "/v1/sandbox/clock/"),
            ("GET", "/v1/sandbox/faults/"),
            ("POST", "/v1/sandbox/faults/"),
            ("POST", "/v1/sandbox/reset/"),
            ("GET", "/v1/sandbox/scenarios/"),
            ("POST", "/v1/sandbox/scenarios/"),
            ("POST", "/v1/sandbox/scenarios/resolve/"),
        ] {
            let reply = match method {
                "GET" => dev.get(path).await,
                _ => dev.post(path, json!({"advance": "P1D"})).await,
            };
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (StatusCode::FORBIDDEN, "env_not_sandbox"),
                "{path}"
            );
        }
        let request = dev
            .request(axum::http::Method::POST, "/v1/bridge-tokens/")
            .header("X-Sandbox-Fault", "slow")
            .header("Content-Type", "application/json");
        let body = json!({"product_type": "income", "client_name": "Acme"}).to_string();
        let reply = app.send(request.body(body.into()).unwrap()).await;
        assert_eq!(reply.code(), "env_not_sandbox");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_is_turned_on_and_never_back() {
    for_each_db(async |app| {
        let (acme, other) = (app.client("acme").await, app.client("other").await);
        let clock = acme.get("/v1/sandbox/clock/").await.json();
        assert_eq!(clock, json!({"now": "2026-11-18T15:00:00.000000Z", "is_running": true}));
        let turned = turn(&acme, json!({"advance": "P14DT1H"})).await;
        assert_eq!(turned, json!({"now": "2026-12-02T16:00:00.000000Z", "is_running": true}));
        app.advance(60);
        assert_eq!(acme.get("/v1/sandbox/clock/").await.json()["now"], "2026-12-02T16:01:00.000000Z");
        assert_eq!(other.get("/v1/sandbox/clock/").await.json()["now"], "2026-11-18T15:01:00.000000Z");
        // A month is one of the calendar.
        assert_eq!(turn(&acme, json!({"advance": "P1M"})).await["now"], "2027-01-02T16:01:00.000000Z");
        let standing = turn(&acme, json!({"now": "2027-01-31T00:00:00Z", "is_running": false})).await;
        assert_eq!(standing, json!({"now": "2027-01-31T00:00:00.000000Z", "is_running": false}));
        app.advance(DAY);
        assert_eq!(acme.get("/v1/sandbox/clock/").await.json(), standing);
        // It goes on from where it stood.
        assert_eq!(turn(&acme, json!({"is_running": true})).await["now"], standing["now"]);
        app.advance(1);
        assert_eq!(acme.get("/v1/sandbox/clock/").await.json()["now"], "2027-01-31T00:00:01.000000Z");
        for (body, field) in [
            (json!({"now": "2027-01-30T23:59:59Z"}), "now"),
            (json!({"now": "tomorrow"}), "now"),
            (json!({"advance": "-P1D"}), "advance"),
            (json!({"advance": "a week"}), "advance"),
            (json!({"advance": "P100Y"}), "advance"),
            (json!({"advance": "P9999999Y"}), "advance"),
            (json!({"now": "2028-01-01", "advance": "P1D"}), "advance"),
            (json!({}), "now"),
        ] {
            let reply = acme.post("/v1/sandbox/clock/", body.clone()).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}: {reply:?}");
            assert_eq!(reply.invalid_fields(), [field], "{body}");
        }
        assert_eq!(acme.get("/v1/sandbox/clock/").await.json()["now"], "2027-01-31T00:00:01.000000Z");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turned_clock_brings_pay_days_and_ages_tokens() {
    for_each_db(async |app| {
        let (acme, other) = (app.client("acme").await, app.client("other").await);
        let mine = link(&acme, "income", "goodlogin", "goodpassword").await;
        let theirs = link(&other, "income", "goodlogin", "goodpassword").await;
        let (before, of_others) = (income(&acme, &mine).await, income(&other, &theirs).await);
        let bridge_token = acme.bridge_token("income").await;
        let public_token = as_user(&acme, "income", "fulltime", "goodpassword").await["public_token"].clone();
        turn(&acme, json!({"now": "2027-01-31T12:00:00Z"})).await;

        assert_eq!(refresh(&acme, &mine).await, "done");
        let after = income(&acme, &mine).await;
        let (old, new) = (pay_days(&before), pay_days(&after));
        assert_eq!((old[0].as_str(), new[0].as_str()), ("2026-11-13", "2027-01-22"));
        // The year has turned, and its wage statement has come.
        let newest = &after["employments"][0]["statements"][0];
        assert_ne!(newest["gross_pay"], newest["gross_pay_ytd"]);
        let first = after["employments"][0]["statements"].as_array().unwrap();
        let first = first.iter().rfind(|each| each["pay_date"].as_str().unwrap() > "2027").unwrap();
        assert_eq!(first["gross_pay"], first["gross_pay_ytd"], "the year begins anew");
        let w2s = |report: &Value| report["employments"][0]["w2s"][0]["year"].clone();
        assert_eq!((w2s(&before), w2s(&after)), (json!(2025), json!(2026)));
        // Tokens made before are too old.
        let body = json!({"bridge_token": bridge_token, "username": "goodlogin", "password": "goodpassword"});
        assert_eq!(sign_in(&acme, body).await.status, StatusCode::GONE);
        assert_eq!(acme.exchange(public_token.as_str().unwrap()).await.status, StatusCode::GONE);
        // Nobody else's time has passed.
        assert_eq!(refresh(&other, &theirs).await, "done");
        assert_eq!(pay_days(&income(&other, &theirs).await), pay_days(&of_others));
        // What happens now happens by the turned clock.
        let events = acme.events().await;
        assert!(events.last().unwrap()["created_at"].as_str().unwrap().starts_with("2027-01-31T12:"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_of_webhooks_fall_due_on_a_turned_clock() {
    for_each_db(async |app| {
        let receiver = Receiver::answering(|number, _| {
            use axum::response::IntoResponse;
            if number < 6 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }.into_response()
        })
        .await;
        let client = app.client("acme").await;
        turn(&client, json!({"is_running": false, "advance": "PT1H"})).await;
        client.webhook_for(&format!("http://{}/", receiver.address), &["task-status-updated"]).await;
        let bridge_token = client.bridge_token("income").await;
        app.sign_in(&bridge_token, "nobody", "wrong").await;
        app.run_jobs().await;
        assert_eq!(receiver.received().len(), 3, "new, login and login_error");
        app.advance(30 * DAY);
        app.run_jobs().await;
        assert_eq!(receiver.received().len(), 3, "the clock stands");
        turn(&client, json!({"advance": "PT7S"})).await;
        app.run_jobs().await;
        assert_eq!(receiver.received().len(), 6, "after five seconds and a fifth");
        turn(&client, json!({"advance": "PT3M50S"})).await;
        app.run_jobs().await;
        assert_eq!(receiver.received().len(), 6, "the next wait is longer");
        turn(&client, json!({"advance": "PT3M"})).await;
        app.run_jobs().await;
        assert_eq!(receiver.received().len(), 9, "everything came");
        turn(&client, json!({"advance": "P30D", "is_running": true})).await;
        app.run_jobs().await;
        assert_eq!(receiver.received().len(), 9, "and nothing comes again");
    })
    .await;
}

fn scenario() -> Value {
    json!({
        "data_source": "payroll", "label": "Night nurse", "username": "nina", "password": "s3cret",
        "payload": {"employments": [{
            "job_title": "Night nurse", "job_type": "F", "start_date": "2020-03-02", "is_active": true,
            "profile": {"first_name": "Nina", "last_name": "Quist", "ssn": "912345678"},
            "company": {"name": "Harbor Clinic"},
            "income": "41.50", "income_unit": "HOURLY", "pay_frequency": "BW",
            "generate": {"hours_per_week": "36", "earnings": [{"name": "Night differential", "percent": "12.5"}]},
            "bank_accounts": [{
                "account_number": "5550001", "routing_number": "110000002", "account_type": "C", "deposit_type": "E",
            }],
            "changes": [{"date": "2027-01-04", "set": {"income": "45.00", "job_title": "Head night nurse"}}],
        }]},
    })
}

async fn keep(client: &TestClient<'_>, scenario: &Value) -> Value {
    let reply = client.post("/v1/sandbox/scenarios/", scenario.clone()).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    reply.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scenario_is_a_person_of_ones_own() {
    for_each_db(async |app| {
        let (client, other) = (app.client("acme").await, app.client("other").await);
        let kept = keep(&client, &scenario()).await;
        assert_eq!(kept["label"], "Night nurse");
        let access_token = link(&client, "income", "nina", "s3cret").await;
        let report = income(&client, &access_token).await;
        let job = &report["employments"][0];
        assert_eq!(
            (&job["job_title"], &job["company"]["name"]),
            (&json!("Night nurse"), &json!("Harbor Clinic"))
        );
        assert_eq!(job["profile"]["full_name"], "Nina Quist");
        assert_eq!((&job["income"], &job["income_unit"]), (&json!("41.50"), &json!("HOURLY")));
        assert_eq!(job["bank_accounts"][0]["account_number"], "5550001");
        let lines = job["statements"][0]["earnings"].as_array().unwrap();
        assert!(lines.iter().any(|line| line["name"] == "Night differential"), "{lines:?}");
        for (username, password, provider) in
            [("nina", "wrong", "adp"), ("nina", "", "adp"), ("Nina", "s3cret", "adp")]
        {
            let bridge_token = client.bridge_token("income").await;
            let body = json!({
                "bridge_token": bridge_token, "username": username, "password": format!("{password}."),
                "provider_id": provider,
            });
            assert_eq!(sign_in(&client, body).await.json()["status"], "login_error");
        }
        assert_eq!(as_user(&other, "income", "nina", "s3cret").await["status"], "login_error");

        // A raise and a new title on a day.
        turn(&client, json!({"now": "2027-02-28T00:00:00Z"})).await;
        assert_eq!(refresh(&client, &access_token).await, "done");
        let job = income(&client, &access_token).await["employments"][0].clone();
        assert_eq!((&job["job_title"], &job["income"]), (&json!("Head night nurse"), &json!("45.00")));
        let rates: Vec<_> = job["statements"]
            .as_array()
            .unwrap()
            .iter()
            .map(|each| each["earnings"][0]["rate"].as_str().unwrap().to_owned())
            .collect();
        assert!(rates.starts_with(&["45.00".to_owned()]) && rates.contains(&"41.50".to_owned()), "{rates:?}");

        // Deleted: the login is gone.
        let path = format!("/v1/sandbox/scenarios/{}/", kept["id"].as_str().unwrap());
        assert_eq!(client.delete(&path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(client.get(&path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(refresh(&client, &access_token).await, "login_error");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenarios_are_listed_changed_and_resolved() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let kept = keep(&client, &scenario()).await;
        let id = kept["id"].as_str().unwrap();
        let path = format!("/v1/sandbox/scenarios/{id}/");
        let list = client.get("/v1/sandbox/scenarios/").await.json();
        assert_eq!((&list["count"], &list["results"][0]), (&json!(1), &kept));
        assert_eq!(client.get(&path).await.json(), kept);
        let login = json!({
            "data_source": "payroll", "product": "income", "username": "nina", "password": "s3cret", "provider_id": "adp",
        });
        assert_eq!(client.post("/v1/sandbox/scenarios/resolve/", login.clone()).await.json()["id"], id);
        let reply = client.post("/v1/sandbox/scenarios/", scenario()).await;
        assert_eq!(reply.invalid_fields(), ["label"], "a label is there once");
        app.advance(5);
        let changed = client.patch(&path, json!({"provider_id": "gusto", "payload": {}, "delay": 3})).await;
        assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
        let changed = changed.json();
        assert_eq!((&changed["payload"], &changed["delay"]), (&json!({}), &json!(3)));
        assert_ne!(changed["updated_at"], kept["updated_at"]);
        let reply = client.post("/v1/sandbox/scenarios/resolve/", login).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "at another provider");
        let changed = client.patch(&path, json!({"provider_id": null, "status": "account_locked"})).await.json();
        assert!(changed.get("provider_id").is_none(), "{changed}");
        let signed = as_user(&client, "income", "nina", "s3cret").await;
        assert_eq!(signed["status"], "account_locked");
        client.patch(&path, json!({"status": "no_data", "mfa": {"kind": "code", "answer": "777"}})).await;
        assert_eq!(as_user(&client, "income", "nina", "s3cret").await["status"], "mfa_error");
        let body = json!({
            "bridge_token": client.bridge_token("income").await, "username": "nina", "password": "s3cret",
            "mfa_code": "777",
        });
        assert_eq!(sign_in(&client, body).await.json()["status"], "no_data");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_scenario_is_told_by_line_and_field() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let send =
            async |text: String| client.post_text("/v1/sandbox/scenarios/", "application/json", text).await;
        let problems = |reply: &Reply| {
            let params =
                reply.json()["error"]["extra"]["invalid-params"].as_array().cloned().unwrap_or_default();
            params
                .iter()
                .map(|param| {
                    format!("{}: {}", param["field"].as_str().unwrap(), param["message"].as_str().unwrap())
                })
                .collect::<Vec<_>>()
        };
        let good = serde_json::to_string_pretty(&scenario()).unwrap();
        let line = |needle: &str| good.lines().position(|line| line.contains(needle)).unwrap() + 1;
        for (from, to, field, words) in [
            ("\"41.50\"", "\"41.505\"", "payload.employments[0].income", "two digits"),
            ("\"HOURLY\"", "\"PER HOUR\"", "payload.employments[0].income_unit", "Send one of YEARLY"),
            ("\"912345678\"", "\"12\"", "payload.employments[0].profile.ssn", "nine digits"),
            (
                "\"12.5\"",
                "\"120\"",
                "payload.employments[0].generate.earnings[0].percent",
                "Between 0 and 100",
            ),
            ("\"2020-03-02\"", "\"2020-13-02\"", "payload.employments[0].start_date", ""),
        ] {
            let reply = send(good.replace(from, to)).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{to}: {reply:?}");
            let found = problems(&reply);
            let begins = format!("{field}: Line {}: ", line(from));
            assert!(found[0].starts_with(&begins) && found[0].contains(words), "{begins}: {found:?}");
        }
        let reply = send(good.replace("\"job_type\"", "\"job_typ\"")).await;
        assert!(problems(&reply)[0].contains("job_typ"), "{reply:?}");
        // What becomes different on a day is checked as well.
        let reply = send(good.replace("\"45.00\"", "\"lots\"")).await;
        assert!(problems(&reply)[0].contains("(as it is from 2027-01-04 on)"), "{reply:?}");
        let reply = send(good.replace("\"nina\"", "\"goodlogin\"")).await;
        assert_eq!(
            (reply.code().as_str(), reply.invalid_fields()),
            ("reserved_credential", vec!["username".to_owned()])
        );
        let reply = send(good.replace("\"nina\"", "\"ugly.mine\"")).await;
        assert_eq!(reply.code(), "reserved_credential");
        let reply = send(good.replace("\"data_source\": \"payroll\",", "")).await;
        assert_eq!(reply.code(), "data_source_required");
        let reply = send(good[..good.len() - 2].to_owned()).await;
        assert!(reply.text().contains("line "), "{reply:?}");
        assert_eq!(client.get("/v1/sandbox/scenarios/").await.json()["count"], 0, "nothing was kept");
    })
    .await;
}

/// For a day that comes, the line is that of the change in the text, and not one of the scenario as it will be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_will_be_wrong_with_a_scenario_is_told_by_the_line_of_its_change() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let good = serde_json::to_string_pretty(&scenario()).unwrap();
    let line = good.lines().position(|line| line.contains("\"45.00\"")).unwrap() + 1;
    let bad = good.replace("\"45.00\"", "\"lots\"");
    let reply = client.post_text("/v1/sandbox/scenarios/", "application/json", bad).await;
    assert_eq!(reply.invalid_fields(), ["payload.employments[0].changes[0].set.income"]);
    assert!(reply.text().contains(&format!("Line {line}: ")), "{line}: {reply:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_name_has_twenty_scenarios_at_most() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let of = |username: &str, number: usize| {
            json!({
                "data_source": "payroll", "label": format!("{username} {number}"), "username": username,
                "password": format!("secret {number}"),
            })
        };
        for number in 0..20 {
            keep(&client, &of("nina", number)).await;
        }
        let refused = client.post("/v1/sandbox/scenarios/", of("nina", 20)).await;
        assert_eq!(
            (refused.status, refused.invalid_fields()),
            (StatusCode::BAD_REQUEST, vec!["username".into()])
        );
        let other = keep(&client, &of("otto", 0)).await;
        let path = format!("/v1/sandbox/scenarios/{}/", other["id"].as_str().unwrap());
        let refused = client.patch(&path, json!({"username": "nina"})).await;
        assert_eq!(
            (refused.status, refused.invalid_fields()),
            (StatusCode::BAD_REQUEST, vec!["username".into()])
        );
        // One of the twenty is none too many when it is changed.
        let pages = async |query: &str| client.get(&format!("/v1/sandbox/scenarios/?{query}")).await;
        let second = pages("page=2&page_size=8").await.json();
        let labels: Vec<_> =
            second["results"].as_array().unwrap().iter().map(|each| each["label"].clone()).collect();
        assert_eq!(labels, (8..16).map(|number| json!(format!("nina {number}"))).collect::<Vec<_>>());
        assert_eq!(second["count"], 21);
        assert!(second["next"].as_str().unwrap().contains("page=3") && second["previous"].is_string());
        assert_eq!(pages("page=3&page_size=8").await.json()["next"], Value::Null);
        assert_eq!(pages("page=4&page_size=8").await.status, StatusCode::NOT_FOUND);
        let path = format!("/v1/sandbox/scenarios/{}/", second["results"][0]["id"].as_str().unwrap());
        assert_eq!(client.patch(&path, json!({"delay": 1})).await.status, StatusCode::OK);
        // Another client has a list of its own.
        keep(&app.client("other").await, &of("nina", 0)).await;
        assert_eq!(as_user(&client, "income", "nina", "secret 19").await["status"], "no_data");
        assert_eq!(as_user(&client, "income", "nina", "secret 20").await["status"], "login_error");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scenario_that_is_too_large_is_refused() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let mut scenario = scenario();
    let kept = keep(&client, &scenario).await;
    let description = "x".repeat(64 * 1024);
    let path = format!("/v1/sandbox/scenarios/{}/", kept["id"].as_str().unwrap());
    let changed = client.patch(&path, json!({"description": description})).await;
    scenario["description"] = description.into();
    for reply in [changed, client.post("/v1/sandbox/scenarios/", scenario).await] {
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply:?}");
        assert!(reply.text().contains("65536 bytes"), "{reply:?}");
    }
}

/// A password can change on a day as all else can.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_changes_on_a_day_is_the_one_of_the_day() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let mut scenario = scenario();
    scenario["changes"] = json!([
        {"date": "2027-02-01", "set": {"password": "second"}},
        {"date": "2027-01-01", "set": {"password": "first", "provider_id": "gusto"}},
    ]);
    keep(&client, &scenario).await;
    let meets = async |password: &str, provider: &str| {
        let login = json!({
            "data_source": "payroll", "product": "income", "username": "nina", "password": password,
            "provider_id": provider,
        });
        client.post("/v1/sandbox/scenarios/resolve/", login).await.status == StatusCode::OK
    };
    assert!(meets("s3cret", "adp").await && !meets("first", "adp").await);
    turn(&client, json!({"now": "2027-01-15T00:00:00Z"})).await;
    assert!(meets("first", "gusto").await && !meets("first", "adp").await && !meets("s3cret", "gusto").await);
    turn(&client, json!({"now": "2027-02-15T00:00:00Z"})).await;
    assert!(meets("second", "gusto").await && !meets("first", "gusto").await);
}

/// Removing fields from a scenario makes exactly those appear as missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_out_of_a_scenario_is_missing_and_nothing_else() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let mut whole = scenario();
        let job = &mut whole["payload"]["employments"][0];
        for (key, value) in [
            ("original_hire_date", json!("2020-03-02")),
            ("external_last_updated", json!("2026-01-05")),
            ("manager_name", json!("Ada Barlow")),
            ("pay_rate", json!("2988.00")),
            ("changes", json!([])),
        ] {
            job[key] = value;
        }
        let address = json!({"street": "1 Elm Terrace", "city": "Denver", "state": "CO", "zip": "80202", "country": "US"});
        job["profile"]["home_address"] = address.clone();
        job["profile"]["email"] = json!("nina@example.com");
        job["profile"]["date_of_birth"] = json!("1990-01-01");
        job["profile"]["middle_initials"] = json!("B");
        job["company"] =
            json!({"name": "Harbor Clinic", "address": address, "phone": "3035550100", "ein": "07-1234567"});
        job.as_object_mut().unwrap().remove("generate");
        job["statements"] = json!([{
            "check_number": "1", "pay_date": "2026-11-06", "period_start": "2026-10-19", "period_end": "2026-11-01",
            "net_pay": "800.00", "net_pay_ytd": "800.00", "gross_pay": "1000.00", "gross_pay_ytd": "1000.00",
            "hours": "24", "basis_of_pay": "H",
            "earnings": [{
                "name": "Regular", "category": "regular", "amount": "1000.00", "ytd": "1000.00", "rate": "41.50", "units": "24",
            }],
            "deductions": [{"name": "Federal", "category": "federal", "amount": "200.00", "ytd": "200.00"}],
        }]);
        job["w2s"] = json!([{
            "year": 2025, "wages": "70000.00", "federal_tax": "8000.00", "social_security_wages": "72000.00",
            "social_security_tax": "4464.00", "medicare_wages": "72000.00", "medicare_tax": "1044.00",
        }]);
        job["bank_accounts"] = json!([{
            "account_number": "100200301", "routing_number": "123456789", "account_name": "Wages", "bank_name": "Elm Bank",
            "account_type": "C", "deposit_type": "P", "deposit_value": "100",
        }]);
        let kept = keep(&client, &whole).await;
        let path = format!("/v1/sandbox/scenarios/{}/", kept["id"].as_str().unwrap());
        let missing = async || {
            let access_token = link(&client, "income", "nina", "s3cret").await;
            let report = income(&client, &access_token).await;
            let job = report["employments"][0].clone();
            let list = |value: &Value| {
                let mut list: Vec<_> =
                    value.as_array().unwrap().iter().map(|each| each.as_str().unwrap().to_owned()).collect();
                list.sort();
                list
            };
            (list(&job["missing_data_fields"]), list(&job["statements"][0]["missing_data_fields"]))
        };
        let always = vec!["md5sum".to_owned()];
        assert_eq!(missing().await, (vec![], always.clone()), "everything is given");
        for field in [
            "job_title", "job_type", "start_date", "original_hire_date", "external_last_updated", "is_active", "manager_name",
            "income", "income_unit", "pay_rate", "pay_frequency", "profile.ssn", "profile.email", "profile.first_name",
            "profile.last_name", "profile.middle_initials", "profile.date_of_birth", "profile.home_address",
            "profile.home_address.street", "profile.home_address.city", "profile.home_address.state", "profile.home_address.zip",
            "profile.home_address.country", "company.name", "company.address", "company.address.zip", "company.phone",
            "company.ein", "bank_accounts", "w2s", "statements",
        ] {
            let mut part = whole.clone();
            let mut object = &mut part["payload"]["employments"][0];
            let mut path_of = field.split('.').collect::<Vec<_>>();
            let last = path_of.pop().unwrap();
            for step in path_of {
                object = &mut object[step];
            }
            object.as_object_mut().unwrap().remove(last);
            client.patch(&path, json!({"payload": part["payload"]})).await;
            if field == "statements" {
                let access_token = link(&client, "income", "nina", "s3cret").await;
                let job = income(&client, &access_token).await["employments"][0].clone();
                assert_eq!(job["missing_data_fields"], json!(["statements"]));
                continue;
            }
            assert_eq!(missing().await, (vec![field.to_owned()], always.clone()), "{field}");
        }
        for field in [
            "check_number", "pay_date", "period_start", "period_end", "net_pay", "net_pay_ytd", "gross_pay", "gross_pay_ytd",
            "hours", "basis_of_pay",
        ] {
            let mut part = whole.clone();
            part["payload"]["employments"][0]["statements"][0].as_object_mut().unwrap().remove(field);
            client.patch(&path, json!({"payload": part["payload"]})).await;
            let mut expected = vec![field.to_owned(), "md5sum".to_owned()];
            expected.sort();
            assert_eq!(missing().await, (vec![], expected), "{field}");
        }
        for (field, lists) in
            [("earnings", ["earnings", "earnings_ytd"]), ("deductions", ["deductions", "deductions_ytd"])]
        {
            let mut part = whole.clone();
            part["payload"]["employments"][0]["statements"][0].as_object_mut().unwrap().remove(field);
            client.patch(&path, json!({"payload": part["payload"]})).await;
            let expected = [lists[0], lists[1], "md5sum"].map(str::to_owned).to_vec();
            assert_eq!(missing().await, (vec![], expected), "{field}");
        }
        // What an entry of a list lacks is told by provenance.
        let missing = async || -> HashSet<String> {
            let body = json!({"access_token": link(&client, "income", "nina", "s3cret").await});
            let report = client.post("/v1/verifications/incomes/?provenance=1", body).await.json();
            let told = report["provenance"].as_object().unwrap().clone();
            let missing = told.into_iter().filter(|(pointer, origin)| {
                origin["basis"] == "missing" && pointer.starts_with("/employments/")
            });
            missing.map(|(pointer, _)| pointer).collect()
        };
        client.patch(&path, json!({"payload": whole["payload"]})).await;
        let before = missing().await;
        for (list, fields) in [
            ("bank_accounts/0", &["account_name", "bank_name", "account_type", "deposit_type", "deposit_value"][..]),
            (
                "w2s/0",
                &[
                    "wages", "federal_tax", "social_security_wages", "social_security_tax", "medicare_wages", "medicare_tax",
                ],
            ),
            ("statements/0/earnings/0", &["rate", "units", "name"]),
            ("statements/0/deductions/0", &["name"]),
        ] {
            for field in fields {
                let mut part = whole.clone();
                let at = format!("/payload/employments/0/{list}");
                part.pointer_mut(&at).unwrap().as_object_mut().unwrap().remove(*field);
                let reply = client.patch(&path, json!({"payload": part["payload"]})).await;
                assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
                let now: Vec<_> = missing().await.difference(&before).cloned().collect();
                let gone = |pointer: &String| {
                    pointer.ends_with(&format!("/{field}"))
                        && pointer.starts_with(&format!("/employments/0/{}", list.trim_end_matches("/0")))
                };
                assert!(!now.is_empty() && now.iter().all(gone), "{list} {field}: {now:?}");
            }
        }
    })
    .await;
}

/// A call with a fault.
async fn with_fault(client: &TestClient<'_>, fault: &str, path: &str, body: Value) -> Reply {
    let request = client
        .request(axum::http::Method::POST, path)
        .header("X-Sandbox-Fault", fault)
        .header("Content-Type", "application/json");
    waiting(client.app, client.app.send(request.body(body.to_string().into()).unwrap())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_come_on_demand() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        for (fault, status, least) in [
            ("slow", "done", 10),
            ("provider_down", "unavailable", 0),
            ("rate_limited", "done", 2),
            ("half_data", "error", 0),
            ("mfa_unanswered", "mfa_error", 10),
        ] {
            // By the header of the call that signs in, of the one that made the session, by client, and by scenario.
            for by in ["call", "session", "client", "scenario"] {
                let mut scenario = scenario();
                let mut bridge_token = client.bridge_token("income").await;
                let (mut username, mut password) = ("goodlogin", "goodpassword");
                let mut kept = None;
                match by {
                    "session" => {
                        let body = json!({"product_type": "income", "client_name": "Acme"});
                        let reply = with_fault(&client, fault, "/v1/bridge-tokens/", body).await;
                        bridge_token = reply.json()["bridge_token"].as_str().unwrap().to_owned();
                    }
                    "client" => {
                        let reply = client.post("/v1/sandbox/faults/", json!({"faults": [fault]})).await;
                        assert_eq!(reply.json(), json!({"faults": [fault]}));
                        assert_eq!(
                            client.get("/v1/sandbox/faults/").await.json(),
                            json!({"faults": [fault]})
                        );
                    }
                    "scenario" => {
                        scenario["faults"] = json!([fault]);
                        kept = Some(keep(&client, &scenario).await);
                        (username, password) = ("nina", "s3cret");
                    }
                    _ => {}
                }
                let began = citadel_domain::Clock::now(&*app.clock);
                let body = json!({"bridge_token": bridge_token, "username": username, "password": password});
                let reply = match by {
                    "call" => with_fault(&client, fault, "/v1/sandbox/public-tokens/", body).await,
                    _ => sign_in(&client, body).await,
                };
                assert_eq!(reply.json()["status"], status, "{fault} by {by}: {reply:?}");
                let took = citadel_domain::Clock::now(&*app.clock).duration_since(began).as_secs();
                assert!(took >= least, "{fault} by {by} took {took} s");
                client.post("/v1/sandbox/faults/", json!({"faults": []})).await;
                if let Some(kept) = kept {
                    client.delete(&format!("/v1/sandbox/scenarios/{}/", kept["id"].as_str().unwrap())).await;
                }
            }
        }
        let reply =
            with_fault(&client, "lightning", "/v1/bridge-tokens/", json!({"product_type": "income"})).await;
        assert_eq!(reply.invalid_fields(), ["X-Sandbox-Fault"]);
        assert!(reply.text().contains("provider_down"), "{reply:?}");
        let reply = client.post("/v1/sandbox/faults/", json!({"faults": ["lightning"]})).await;
        assert_eq!(reply.invalid_fields(), ["faults"]);
    })
    .await;
}

/// Half of the data, and then a failure: what came is kept and readable by nobody, for the link was never connected.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_can_be_made_to_fail_and_keeps_the_old_data() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = link(&client, "income", "goodlogin", "goodpassword").await;
        let before = income(&client, &access_token).await;
        turn(&client, json!({"advance": "P28D"})).await;
        let body = json!({"access_token": access_token});
        let reply = with_fault(&client, "half_data", "/v1/refresh/tasks/", body).await;
        let task_id = reply.json()["task_id"].as_str().unwrap().to_owned();
        app.run_refresh().await;
        let task = client.get(&format!("/v1/refresh/tasks/{task_id}/")).await.json();
        assert_eq!(task["status"], "error", "{task}");
        assert_eq!(pay_days(&income(&client, &access_token).await), pay_days(&before));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_come_late_twice_or_in_another_order_on_demand() {
    for_each_db(async |app| {
        let statuses = |received: &[crate::receiver::Received]| -> Vec<String> {
            received.iter().map(|each| each.json()["status"].as_str().unwrap().to_owned()).collect()
        };
        for fault in ["webhook_delayed", "webhook_duplicated", "webhook_reordered"] {
            let receiver = Receiver::start().await;
            let client = app.client(fault).await;
            client.webhook_for(&format!("http://{}/", receiver.address), &["task-status-updated"]).await;
            client.post("/v1/sandbox/faults/", json!({"faults": [fault]})).await;
            let bridge_token = client.bridge_token("employment").await;
            app.sign_in(&bridge_token, "goodlogin", "goodpassword").await;
            app.run_jobs().await;
            let at_once = statuses(&receiver.received());
            let right = ["new", "login", "parse", "full_parse", "done"];
            match fault {
                "webhook_delayed" => assert!(at_once.is_empty(), "{at_once:?}"),
                "webhook_duplicated" => {
                    let ids: Vec<_> = receiver.received().iter().map(crate::receiver::Received::id).collect();
                    assert_eq!(ids.len(), 10, "{at_once:?}");
                    for id in &ids {
                        assert_eq!(ids.iter().filter(|other| *other == id).count(), 2);
                    }
                }
                _ => assert!(at_once.len() < 5 && !at_once.is_empty(), "{at_once:?}"),
            }
            for _ in 0..40 {
                app.advance(1);
                app.run_jobs().await;
            }
            let mut all = statuses(&receiver.received());
            match fault {
                "webhook_delayed" => assert_eq!(all, right),
                "webhook_reordered" => {
                    // Those that came at once are not in the order of their sequence either: they are sent side by side.
                    all[..2].sort();
                    all[2..].sort();
                    assert_eq!(all, ["full_parse", "login", "done", "new", "parse"]);
                }
                _ => assert_eq!(all.len(), 10),
            }
        }
    })
    .await;
}

/// What a scenario says of webhooks holds for its own login: at each sign-in and refresh, and at no other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_a_scenario_are_those_of_its_login() {
    for_each_db(async |app| {
        let receiver = Receiver::start().await;
        let client = app.client("acme").await;
        client.webhook_for(&format!("http://{}/", receiver.address), &["task-status-updated"]).await;
        let mut doubled = scenario();
        doubled["faults"] = json!(["webhook_duplicated", "half_data"]);
        doubled["changes"] = json!([{"date": "2027-01-01", "set": {"faults": ["webhook_duplicated"]}}]);
        keep(&client, &doubled).await;
        let mut plain = scenario();
        plain["label"] = "Plain".into();
        plain["password"] = "other".into();
        keep(&client, &plain).await;
        let mut seen = 0;
        let mut events = async || {
            app.run_jobs().await;
            let ids: Vec<_> = receiver.received().iter().map(crate::receiver::Received::id).collect();
            let new = ids[seen..].to_vec();
            seen = ids.len();
            (new.len(), new.iter().collect::<HashSet<_>>().len())
        };
        assert_eq!(as_user(&client, "income", "nina", "other").await["status"], "done");
        let (all, different) = events().await;
        assert_eq!(all, different, "the other login of this user name");
        assert_eq!(as_user(&client, "income", "nina", "wrong").await["status"], "login_error");
        let (all, different) = events().await;
        assert_eq!(all, different, "nobody");
        assert_eq!(as_user(&client, "income", "nina", "s3cret").await["status"], "error", "half the data");
        let (all, different) = events().await;
        assert_eq!(all, 2 * different);
        turn(&client, json!({"now": "2027-01-02T12:00:00Z"})).await;
        let access_token = link(&client, "income", "nina", "s3cret").await;
        let (all, different) = events().await;
        assert_eq!(all, 2 * different);
        assert_eq!(refresh(&client, &access_token).await, "done");
        let (all, different) = events().await;
        assert!(all > 0 && all == 2 * different, "{all} {different}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_signs_in_as_two_scenarios() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let first = keep(&client, &scenario()).await;
    let mut second = scenario();
    second["label"] = "Again".into();
    let reply = client.post("/v1/sandbox/scenarios/", second.clone()).await;
    assert_eq!(reply.invalid_fields(), ["username"]);
    assert!(reply.text().contains("Night nurse"), "{reply:?}");
    second["provider_id"] = "nowhere".into();
    let reply = client.post("/v1/sandbox/scenarios/", second.clone()).await;
    assert_eq!(reply.invalid_fields(), ["provider_id"]);
    // Apart by the product.
    second["provider_id"] = "adp".into();
    second["products"] = json!(["pll"]);
    let path = format!("/v1/sandbox/scenarios/{}/", first["id"].as_str().unwrap());
    let reply = client.patch(&path, json!({"products": ["income"]})).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    keep(&client, &second).await;
    let reply = client.patch(&path, json!({"products": null})).await;
    assert_eq!(reply.invalid_fields(), ["username"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_empties_the_sandbox_and_nothing_else() {
    for_each_db(async |app| {
        let (client, other) = (app.client("acme").await, app.client("other").await);
        let theirs = link(&other, "income", "goodlogin", "goodpassword").await;
        let receiver = Receiver::start().await;
        let standing = json!({"now": "2027-06-01T12:00:00Z", "is_running": false});
        turn(&client, standing.clone()).await;
        client.webhook(&format!("http://{}/", receiver.address)).await;
        let first = as_user(&client, "income", "goodlogin", "goodpassword").await;
        let access_token = link(&client, "income", "goodlogin", "goodpassword").await;
        link(&client, "deposit_switch", "fulltime", "goodpassword").await;
        keep(&client, &scenario()).await;
        turn(&client, json!({"advance": "P1Y"})).await;
        client.post("/v1/sandbox/faults/", json!({"faults": ["slow"]})).await;
        // One task is under way.
        let bridge_token = client.bridge_token("income").await;
        app.sign_in(&bridge_token, "goodlogin", "longcheck").await;
        app.run_jobs().await;

        let reply = client.post("/v1/sandbox/reset/", json!({})).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        assert!(reply.json()["now"].as_str().unwrap().starts_with("2026-11-18"), "{reply:?}");
        app.run_jobs().await;
        assert_eq!(client.events().await.len(), 0);
        assert_eq!(client.get("/v1/webhooks/").await.json()["count"], 0);
        assert_eq!(client.get("/v1/sandbox/scenarios/").await.json()["count"], 0);
        assert_eq!(client.get("/v1/sandbox/faults/").await.json(), json!({"faults": []}));
        let reply = client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
        income(&other, &theirs).await;
        // The same calls at the same time have the same ids as before; the first made an endpoint.
        turn(&client, standing.clone()).await;
        let without = as_user(&client, "income", "goodlogin", "goodpassword").await;
        assert_ne!(without["link_id"], first["link_id"]);
        client.post("/v1/sandbox/reset/", json!({})).await;
        turn(&client, standing).await;
        client.webhook(&format!("http://{}/", receiver.address)).await;
        let anew = as_user(&client, "income", "goodlogin", "goodpassword").await;
        assert_eq!((&anew["link_id"], &anew["task_id"]), (&first["link_id"], &first["task_id"]));
    })
    .await;
}

/// The published schema knows the fields that scenarios have, and no part of it is missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schema_of_scenarios_is_whole() {
    let app = TestApp::on_sqlite().await;
    let reply = app.get("/scenario.schema.json").await;
    assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, "application/schema+json"));
    let schema = reply.json();
    let parts = schema["$defs"].as_object().unwrap();
    let text = reply.text();
    for reference in text.split("\"$ref\": \"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        let name = reference.strip_prefix("#/$defs/").unwrap_or_else(|| panic!("{reference}"));
        assert!(parts.contains_key(name), "{name}");
    }
    /// Whether the value is as the schema has it, as far as objects, lists, kinds and required keys go.
    fn fits(value: &Value, schema: &Value, parts: &serde_json::Map<String, Value>) -> Result<(), String> {
        if let Some(name) = schema["$ref"].as_str() {
            return fits(value, &parts[name.strip_prefix("#/$defs/").unwrap()], parts);
        }
        if let Some(either) = schema["oneOf"].as_array() {
            return either
                .iter()
                .find_map(|one| fits(value, one, parts).ok())
                .ok_or(format!("{value} fits none"));
        }
        let kinds: Vec<_> = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            kind => kind.as_str().into_iter().collect(),
        };
        let kind = match value {
            Value::Object(_) => "object",
            Value::Array(_) => "array",
            Value::String(_) => "string",
            Value::Bool(_) => "boolean",
            Value::Null => "null",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
        };
        let is_fit = kinds.contains(&kind) || kind == "integer" && kinds.contains(&"number");
        if !is_fit {
            return Err(format!("{value} is no {kinds:?}"));
        }
        if let (Value::Object(object), Some(known)) = (value, schema["properties"].as_object()) {
            for required in schema["required"].as_array().into_iter().flatten() {
                let name = required.as_str().unwrap();
                object.get(name).ok_or(format!("{name} is missing"))?;
            }
            for (name, inner) in object {
                let part = known.get(name).ok_or(format!("{name} is unknown"))?;
                fits(inner, part, parts).map_err(|problem| format!("{name}: {problem}"))?;
            }
        }
        if let Value::Array(list) = value {
            list.iter().try_for_each(|inner| fits(inner, &schema["items"], parts))?;
        }
        Ok(())
    }
    fits(&scenario(), &schema, parts).unwrap();
    let mut wrong = scenario();
    wrong["payload"]["employments"][0]["incom"] = json!("1");
    assert_eq!(fits(&wrong, &schema, parts).unwrap_err(), "payload: employments: incom is unknown");
    let mut wrong = scenario();
    wrong.as_object_mut().unwrap().remove("password");
    assert_eq!(fits(&wrong, &schema, parts).unwrap_err(), "password is missing");
    let mut wrong = scenario();
    wrong["mfa"] = json!("12345");
    assert!(fits(&wrong, &schema, parts).is_err());
}

/// P20, P21: what a person allowed ends after twelve months, and a new sign-in of theirs begins it anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p21_consent_ends_after_twelve_months_and_is_asked_for_again() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = link(&client, "income", "goodlogin", "goodpassword").await;
        turn(&client, json!({"advance": "P11M30D"})).await;
        assert_eq!(refresh(&client, &access_token).await, "done");
        let before = income(&client, &access_token).await;
        turn(&client, json!({"advance": "P2D"})).await;
        let body = json!({"access_token": access_token});
        let refused = client.post("/v1/refresh/tasks/", body.clone()).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "a refresh is no consent: {refused:?}");

        citadel_server::jobs::sweep(&app.app).await;
        let events = client.events().await;
        assert_eq!(events.last().unwrap()["event_type"], "link-disconnected");
        let told = events.len();
        citadel_server::jobs::sweep(&app.app).await;
        assert_eq!(client.events().await.len(), told, "told once");
        let link_id = events.last().unwrap()["payload"]["link_id"].as_str().unwrap();
        for read in [
            client.post("/v1/verifications/incomes/", body.clone()).await,
            client.get(&format!("/v1/links/{link_id}/income/report/")).await,
            client.post("/v1/refresh/tasks/", body.clone()).await,
        ] {
            assert_eq!(read.status, StatusCode::NOT_FOUND, "nothing is read any more: {read:?}");
        }
        // Somebody who cannot sign in cannot give it.
        let again = json!({"product_type": "income", "client_name": "Acme", "access_token": access_token});
        let token = client.bridge_token_of(again.clone()).await;
        let wrong = json!({"bridge_token": token, "username": "goodlogin", "password": "wrong"});
        assert_eq!(sign_in(&client, wrong).await.json()["status"], "login_error");
        assert_eq!(client.post("/v1/verifications/incomes/", body).await.status, StatusCode::NOT_FOUND);
        // The same person, asked again.
        let token = client.bridge_token_of(again).await;
        let right = json!({"bridge_token": token, "username": "goodlogin", "password": "goodpassword"});
        assert_eq!(sign_in(&client, right).await.json()["status"], "done");
        assert_eq!(pay_days(&income(&client, &access_token).await).last(), pay_days(&before).last());
        assert_eq!(refresh(&client, &access_token).await, "done");
    })
    .await;
}
