//! P7: a masked key is told the end of what is most personal, on every way out.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use citadel_domain::Environment;
use citadel_store::Value as Param;
use serde_json::{Value, json};

use crate::{
    dashboard_support::Browser,
    support::{Reply, TestApp, TestClient, for_each_db},
};

const SANDBOX_KEY: &str = "Skx8LTnyrLiw4SYk8xfkRwOt5OGQbNulypqdsqd";
const NUMBERS: [&str; 3] = ["ssn", "account_number", "routing_number"];

/// The client's second key, a masked one.
async fn masked<'a>(app: &'a TestApp, client: &TestClient<'a>) -> TestClient<'a> {
    let (key_id, secret) = app.key(client.id, Environment::Sandbox).await;
    let id = *key_id.as_bytes();
    app.app
        .db
        .write(async move |tx| {
            tx.execute("update access_keys set is_masked = true where id = $1", &[Param::Id(id)]).await
        })
        .await
        .unwrap();
    TestClient { app, id: client.id, key_id, secret }
}

/// What stands in such fields of an answer, and whether the field was there at all.
fn collect(value: &Value, names: &[&str], found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if let (true, Some(text)) = (names.contains(&name.as_str()), value.as_str()) {
                    found.insert(text.to_owned());
                }
                collect(value, names, found);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|value| collect(value, names, found)),
        _ => {}
    }
}

fn found(value: &Value, names: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(value, names, &mut found);
    found
}

/// Asks both keys the same, and compares. Answers how many numbers and birth dates the plain one was told.
async fn check(plain: &TestClient<'_>, masked: &TestClient<'_>, path: &str, body: Option<Value>) -> usize {
    let ask = async |client: &TestClient<'_>| -> Reply {
        let reply = match &body {
            Some(body) => client.post(path, body.clone()).await,
            None => client.get(path).await,
        };
        assert_eq!(reply.status, StatusCode::OK, "{path}: {reply:?}");
        reply
    };
    let (whole, told) = (ask(plain).await, ask(masked).await);
    let (numbers, dates) = (found(&whole.json(), &NUMBERS), found(&whole.json(), &["date_of_birth"]));
    for secret in numbers.iter().chain(&dates) {
        assert!(!told.text().contains(&format!("\"{secret}\"")), "{path}: {secret}");
    }
    let ends = |numbers: &BTreeSet<String>| -> BTreeSet<String> {
        numbers.iter().map(|number| number[number.len() - 4..].to_owned()).collect()
    };
    let shown = found(&told.json(), &NUMBERS);
    assert_eq!(ends(&numbers), ends(&shown), "{path}");
    assert!(shown.iter().all(|number| number.starts_with('*')), "{path}: {shown:?}");
    assert!(found(&told.json(), &["date_of_birth"]).is_empty(), "{path}");
    numbers.len() + dates.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p07_a_masked_key_is_told_the_end_of_what_is_most_personal() {
    for_each_db(async |app| {
        let plain = app.client("acme").await;
        let masked = masked(&app, &plain).await;
        let user = plain.user("somebody").await;
        let reply = plain.patch(&format!("/v1/users/{user}/"), json!({"ssn": "991919991"})).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        let (income_link, income) = plain.link_of(&user, "income").await;
        let (_, employment) = plain.link_of(&user, "employment").await;
        let (_, switch) = plain.link_of(&user, "deposit_switch").await;
        let (_, loan) = plain.link_of(&user, "pll").await;
        let funding = plain.link("fas").await;
        let token = plain.bridge_token("admin").await;
        let login = json!({"provider_id": "bamboohr", "login": {"api_key": SANDBOX_KEY}});
        let task_id = app.create_task(&token, login).await;
        app.run_jobs().await;
        let reply = plain.exchange(&app.public_token(&token, &task_id).await).await;
        let admin = reply.json()["access_token"].as_str().unwrap().to_owned();

        let of = |access_token: &str| Some(json!({"access_token": access_token}));
        let link = |what: &str| format!("/v1/links/{income_link}/{what}");
        let made = plain.post(&format!("/v1/users/{user}/reports/"), json!({})).await;
        assert!(made.status.is_success(), "{made:?}");
        let report = format!("/v1/users/{user}/reports/{}/", made.json()["report_id"].as_str().unwrap());
        let body = json!({"access_token": admin, "start_date": "2020-01-01", "end_date": "2020-02-01"});
        let register = plain.post("/v1/administrators/payrolls/", body).await.json();
        let register = register["payroll_report_id"].as_str().unwrap();
        // Who is asked, and whether such fields are in the answer.
        for (path, body, least) in [
            ("/v1/verifications/incomes/".to_owned(), of(&income), 3),
            ("/v1/verifications/employments/".to_owned(), of(&employment), 2),
            ("/v1/links/reports/income/".to_owned(), of(&income), 3),
            ("/v1/links/reports/employment/".to_owned(), of(&employment), 2),
            ("/v1/deposit-switches/".to_owned(), of(&switch), 2),
            ("/v1/paycheck-linked-loans/".to_owned(), of(&loan), 2),
            ("/v1/account-switches/".to_owned(), of(&funding), 2),
            ("/v1/administrators/directories/".to_owned(), of(&admin), 2),
            ("/v1/links/reports/admin/".to_owned(), of(&admin), 2),
            (format!("/v1/administrators/payrolls/{register}/"), None, 0),
            (link("income/report/"), None, 3),
            (link("employment/report/"), None, 2),
            (link("employments/"), None, 2),
            (link("identity/"), None, 2),
            (link("bank_accounts/"), None, 2),
            (link("statements/"), None, 0),
            (link("tax/"), None, 0),
            (report.clone(), None, 3),
            (format!("/v1/users/{user}/"), None, 1),
            ("/v1/users/".to_owned(), None, 1),
        ] {
            let told = check(&plain, &masked, &path, body).await;
            assert!(told >= least, "{path}: {told}");
        }

        // Documents: the address says that they are drawn masked, and cannot be changed to say otherwise.
        for (path, access_token) in
            [("/v1/verifications/incomes/", &income), ("/v1/deposit-switches/", &switch)]
        {
            let address = async |client: &TestClient<'_>| {
                let told = client.post(path, of(access_token).unwrap()).await.json();
                let address = told["pdf_report"].as_str().unwrap().to_owned();
                address.strip_prefix("http://citadel.test").unwrap().to_owned()
            };
            let (whole, told) = (address(&plain).await, address(&masked).await);
            assert!(told.contains("-masked-") && !whole.contains("masked"), "{told}");
            let (whole, drawn) = (app.get(&whole).await, app.get(&told).await);
            assert!(whole.body.starts_with(b"%PDF") && drawn.body.starts_with(b"%PDF"), "{path}");
            assert_ne!(whole.body, drawn.body, "{path}");
            assert_eq!(app.get(&told.replace("masked-", "")).await.status, StatusCode::NOT_FOUND);
        }
        let pdf = format!("{report}?fmt=pdf");
        assert_ne!(plain.get(&pdf).await.body, masked.get(&pdf).await.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p07_a_masked_key_makes_itself_no_other() {
    for_each_db(async |app| {
        let plain = app.client("acme").await;
        let masked = masked(&app, &plain).await;
        let ended = plain.post("/v1/keys/deactivate/", json!({"access_secret": plain.secret})).await;
        assert_eq!(ended.status, StatusCode::OK, "{ended:?}");
        let made = masked.post("/v1/keys/", json!({})).await.json();
        let secret = made["access_secret"].as_str().unwrap().to_owned();
        let other = TestClient { app: &app, id: plain.id, key_id: plain.key_id, secret };
        let body = json!({"external_user_id": "x", "first_name": "A", "last_name": "B", "ssn": "991919991"});
        // A kept answer is masked for who repeats the call, too.
        for _ in 0..2 {
            let request = other
                .request(axum::http::Method::POST, "/v1/users/")
                .header("Idempotency-Key", "once")
                .header("content-type", "application/json");
            let reply = app.send(request.body(body.to_string().into()).unwrap()).await;
            assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
            assert_eq!(reply.json()["ssn"], "*****9991");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p07_a_key_is_made_masked_on_the_dashboard() {
    for_each_db(async |app| {
        let browser = Browser::new(&app);
        browser.set_up().await;
        let keys = browser.get("/").await.location + "keys";
        let csrf = browser.csrf(&keys).await;
        let page =
            browser.post(&format!("{keys}/create"), &csrf, &[("name", "One"), ("masked", "yes")]).await;
        let secret = page.between("<code id=\"secret\">", "<");
        let id: citadel_domain::ClientId = page.between("<code id=\"client-id\">", "<").parse().unwrap();
        let key_id = page.field("id").parse().unwrap();
        assert!(
            page.text.contains("<td>masked</td>") && page.text.contains("<td>never</td>"),
            "{}",
            page.text
        );
        let client = TestClient { app: &app, id, key_id, secret };
        let user = client.user("somebody").await;
        let changed = client.patch(&format!("/v1/users/{user}/"), json!({"ssn": "991919991"})).await;
        assert_eq!(changed.json()["ssn"], "*****9991", "{changed:?}");
        // As long as calls are kept.
        citadel_server::calls::flush(&app.app).await;
        assert!(!browser.get(&keys).await.text.contains("<td>never</td>"));
    })
    .await;
}
