use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::for_each_db;

fn cents(money: &Value) -> i64 {
    let (whole, part) = money.as_str().unwrap().split_once('.').unwrap();
    assert_eq!(part.len(), 2, "{money}");
    whole.parse::<i64>().unwrap() * 100 + part.parse::<i64>().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn employment_holds_the_job_and_no_pay() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("employment").await;
        for path in ["/v1/verifications/employments/", "/v1/verifications/employments"] {
            let reply = client.post(path, json!({"access_token": access_token})).await;
            assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
            let report = reply.json();
            assert_eq!(report["status"], "done");
            assert_eq!(report["access_token"], access_token.as_str());
            assert_eq!(report["tracking_info"], "1337");
            assert_eq!(report["provider"], "adp");
            assert!(
                report["completed_at"].as_str().unwrap().ends_with("+00:00"),
                "{}",
                report["completed_at"]
            );
            let job = &report["employments"][0];
            assert_eq!(job["profile"]["first_name"], "John");
            assert_eq!(job["profile"]["last_name"], "Doe");
            assert_eq!(job["job_type"], "F");
            assert_eq!(job["is_active"], true);
            for pay in ["income", "pay_rate", "statements", "w2s", "bank_accounts"] {
                assert!(job.get(pay).is_none(), "{pay} is on an employment report");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn income_adds_up_as_sent() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("income").await;
        let report =
            client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await.json();
        let job = &report["employments"][0];
        let statements = job["statements"].as_array().unwrap();
        assert!(statements.len() > 20, "{}", statements.len());
        let dates: Vec<_> = statements.iter().map(|each| each["pay_date"].as_str().unwrap()).collect();
        assert!(dates.is_sorted_by(|a, b| a > b), "newest first: {dates:?}");
        for statement in statements {
            let sum = |list: &str| -> i64 {
                statement[list].as_array().unwrap().iter().map(|line| cents(&line["amount"])).sum()
            };
            assert_eq!(sum("earnings"), cents(&statement["gross_pay"]), "{statement}");
            assert_eq!(
                cents(&statement["gross_pay"]) - sum("deductions"),
                cents(&statement["net_pay"]),
                "{statement}"
            );
            for key in ["check_number", "file", "derived_fields", "missing_data_fields"] {
                assert!(statement.get(key).is_some(), "{key} (R13)");
            }
        }
        for w2 in job["w2s"].as_array().unwrap() {
            assert!(cents(&w2["social_security_tax"]) > 0);
        }
        // R11: back ends of published clients print reports through a format function.
        assert!(!report.to_string().contains('%'));
        // Employment is part of income.
        let employment =
            client.post("/v1/verifications/employments/", json!({"access_token": access_token})).await;
        assert_eq!(employment.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_serves_only_what_it_was_made_for() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("employment").await;
        let reply = client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::FORBIDDEN, "not_authenticated"));
    })
    .await;
}

/// R6, and contract 3.4: before data is there, the list is empty and the status tells why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_repair_keeps_the_old_data() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("employment").await;
        let body = json!({"product_type": "employment", "access_token": access_token});
        let bridge_token =
            client.post("/v1/bridge-tokens/", body).await.json()["bridge_token"].as_str().unwrap().to_owned();
        app.sign_in(&bridge_token, "goodlogin", "wrong").await;
        app.run_jobs().await;
        let report =
            client.post("/v1/verifications/employments/", json!({"access_token": access_token})).await.json();
        assert_eq!(report["status"], "login_error");
        assert_eq!(report["employments"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_and_w2s_have_real_documents_for_an_hour() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("income").await;
        let report =
            client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await.json();
        let job = &report["employments"][0];
        for file in [&job["statements"][0]["file"], &job["statements"][5]["file"], &job["w2s"][0]["file"]] {
            let path = file.as_str().unwrap().strip_prefix("http://citadel.test").unwrap();
            // No access headers: published clients fetch it so.
            let reply = app.get(path).await;
            assert_eq!(
                (reply.status, reply.header("content-type")),
                (StatusCode::OK, "application/pdf"),
                "{path}"
            );
            assert!(reply.body.starts_with(b"%PDF-"));
            let (start, last) = path.split_at(path.len() - 5);
            let forged = format!("{start}{}", if last.starts_with('0') { "1.pdf" } else { "0.pdf" });
            assert_eq!(app.get(&forged).await.status, StatusCode::NOT_FOUND);
        }
        let path =
            job["statements"][0]["file"].as_str().unwrap().strip_prefix("http://citadel.test").unwrap();
        app.advance(3600);
        assert_eq!(app.get(path).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_refused_by_name() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        for path in ["/v1/verifications/employments/", "/v1/verifications/incomes/"] {
            for body in [json!({}), json!({"access_token": null}), json!({"access_token": ["x"]})] {
                let reply = client.post(path, body).await;
                assert_eq!(reply.status, StatusCode::BAD_REQUEST);
                assert_eq!(reply.invalid_fields(), ["access_token"]);
            }
            let reply = client.post(path, json!({"access_token": "0".repeat(32)})).await;
            assert_eq!((reply.status, reply.text()), (StatusCode::NOT_FOUND, r#"{"detail":"Not Found."}"#));
        }
    })
    .await;
}
