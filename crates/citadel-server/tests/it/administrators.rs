//! A company's people and payroll.

use std::collections::{BTreeMap, HashSet};

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{TestClient, for_each_db};

const SANDBOX_KEY: &str = "Skx8LTnyrLiw4SYk8xfkRwOt5OGQbNulypqdsqd";

async fn link_by_key(client: &TestClient<'_>) -> String {
    let token = client.bridge_token("admin").await;
    let body = json!({"provider_id": "bamboohr", "login": {"api_key": SANDBOX_KEY}});
    let task_id = client.app.create_task(&token, body).await;
    client.app.run_jobs().await;
    let public_token = client.app.public_token(&token, &task_id).await;
    client.exchange(&public_token).await.json()["access_token"].as_str().unwrap().to_owned()
}

async fn register(client: &TestClient<'_>, access_token: &str, from: &str, to: &str) -> Value {
    let body = json!({"access_token": access_token, "start_date": from, "end_date": to});
    let reply = client.post("/v1/administrators/payrolls/", body).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let id = reply.json()["payroll_report_id"].as_str().unwrap().to_owned();
    // Once, and at once: as published clients read it (R8).
    let reply = client.get(&format!("/v1/administrators/payrolls/{id}")).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    reply.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_company_is_shared_by_key_or_by_login() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let (by_key, by_login) = (link_by_key(&client).await, client.link("admin").await);
        for (path, access_token) in [
            ("/v1/administrators/directories/", &by_key),
            ("/v1/administrators/directories", &by_login),
            ("/v1/link/reports/admin/", &by_key),
            ("/v1/links/reports/admin/", &by_login),
        ] {
            let reply = client.post(path, json!({"access_token": access_token})).await;
            assert_eq!(reply.status, StatusCode::OK, "{path}: {reply:?}");
            let report = reply.json();
            assert_eq!((&report["status"], &report["access_token"]), (&json!("done"), &json!(access_token)));
            let people = report["directory"].as_array().unwrap();
            assert!((40..=200).contains(&people.len()), "{}", people.len());
            let names: HashSet<_> = people.iter().map(|each| each["full_name"].as_str().unwrap()).collect();
            for each in people {
                let manager = each["manager_name"].as_str();
                assert!(manager.is_none_or(|name| names.contains(name)), "{each}");
                assert_eq!(each["is_active"] == true, each["end_date"].is_null(), "{each}");
            }
            let departments: HashSet<_> = people.iter().map(|each| each["department"].as_str()).collect();
            assert!(departments.len() > 3, "{departments:?}");
        }
        let refused = client.bridge_token("admin").await;
        let body = json!({"provider_id": "bamboohr", "login": {"api_key": "wrong"}});
        let task_id = app.create_task(&refused, body).await;
        app.run_jobs().await;
        assert_eq!(app.task(&refused, &task_id).await["status"], "login_error");
    })
    .await;
}

/// The range that every published client asks for, and how it adds up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payroll_register_answers_at_once_and_adds_up() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = link_by_key(&client).await;
        let all = register(&client, &access_token, "2020-01-01", "2020-02-01").await;
        assert_eq!(
            (&all["status"], &all["start_date"], &all["end_date"]),
            (&json!("done"), &json!("2020-01-01"), &json!("2020-02-01"))
        );
        let rows = |report: &Value| report["payroll_report"].as_array().unwrap().clone();
        assert!(rows(&all).len() > 40, "{}", rows(&all).len());
        let first = register(&client, &access_token, "2020-01-01", "2020-01-15").await;
        let second = register(&client, &access_token, "2020-01-16", "2020-02-01").await;
        assert_eq!([rows(&first), rows(&second)].concat(), rows(&all), "a range is the sum of its parts");
        let mut year_to_date: BTreeMap<String, i64> = BTreeMap::new();
        for row in rows(&all) {
            let cents = |field: &str| row[field].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
            let so_far = year_to_date.entry(row["employee_id"].as_str().unwrap().to_owned()).or_default();
            *so_far += cents("gross_pay");
            assert_eq!(*so_far, cents("gross_pay_ytd"), "{row}");
        }
        let directory =
            client.post("/v1/administrators/directories/", json!({"access_token": access_token})).await;
        for id in year_to_date.keys() {
            assert!(directory.text().contains(id), "{id} is paid and not in the directory");
        }
        assert_eq!(
            rows(&register(&client, &access_token, "1999-01-01", "1999-12-31").await),
            [] as [Value; 0]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_ranges_are_named() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("admin").await;
        for (from, to, fields) in [
            ("2020-02-01", "2020-01-01", vec!["start_date"]),
            ("", "", vec!["start_date", "end_date"]),
            ("2023-02-29", "2023-03-01", vec!["start_date"]),
            ("0000-00-00", "2023-03-01", vec!["start_date"]),
            ("2020-1-1", "01/02/2020", vec!["start_date", "end_date"]),
            ("2020-01-01T00:00:00", "2020-02-01", vec!["start_date"]),
        ] {
            let body = json!({"access_token": access_token, "start_date": from, "end_date": to});
            let reply = client.post("/v1/administrators/payrolls/", body).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{from} {to}");
            assert_eq!(reply.invalid_fields(), fields, "{from} {to}");
        }
        let income = client.link("income").await;
        let body = json!({"access_token": income, "start_date": "2020-01-01", "end_date": "2020-02-01"});
        assert_eq!(client.post("/v1/administrators/payrolls/", body).await.status, StatusCode::FORBIDDEN);
    })
    .await;
}
