//! Deposit switches, loans and funding accounts, from the token to the report.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{TestApp, TestClient, account, for_each_db};

async fn report(client: &TestClient<'_>, path: &str, access_token: &str) -> Value {
    let reply = client.post(path, json!({"access_token": access_token})).await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {reply:?}");
    reply.json()
}

/// The whole way: confirmed, sent, seen, told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deposit_switch_is_made_and_told() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("deposit_switch").await;
        for path in ["/v1/deposit-switches/", "/v1/deposit-switches", "/v1/links/reports/direct_deposit/"] {
            let told = report(&client, path, &access_token).await;
            assert_eq!(told["status"], "done", "{told}");
            assert_eq!(
                told["deposit_details"],
                json!({"account_number": "16002600", "account_type": "checking", "routing_number": "123456789",
                       "bank_name": "TD Bank", "bank_address": null, "deposit_type": "entire",
                       "deposit_value": null, "action": "create"})
            );
            let before = told["initial_accounts"].as_array().unwrap();
            assert!(!before.is_empty() && before.iter().all(|each| each["account_number"] != "16002600"), "{told}");
            assert!(["checking", "savings"].contains(&before[0]["account_type"].as_str().unwrap()), "{told}");
            assert_eq!(told["provider"]["id"], "adp");
            assert_eq!(told["tracking_info"], "1337");
            assert!(told["finished_at"].is_string() && told["completed_at"].is_string());
        }
        // It does not serve anything else.
        for path in ["/v1/verifications/incomes/", "/v1/paycheck-linked-loans/", "/v1/account-switches/"] {
            let reply = client.post(path, json!({"access_token": access_token})).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path}: {reply:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loan_takes_its_share_and_the_rest_stays() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("pll").await;
        for path in ["/v1/paycheck-linked-loans/", "/v1/links/reports/pll/", "/v1/links/reports/ppl/"] {
            let told = report(&client, path, &access_token).await;
            assert_eq!(told["status"], "done");
            assert_eq!(told["deposit_details"]["deposit_type"], "amount");
            assert_eq!(told["deposit_details"]["deposit_value"], "1.00");
        }
        // What the provider holds now shows in an income report of the same person.
        let income = client.link("income").await;
        let job = report(&client, "/v1/verifications/incomes/", &income).await["employments"][0].clone();
        let accounts = job["bank_accounts"].as_array().unwrap();
        let ours = accounts.iter().find(|each| each["account_number"] == "16002600").unwrap();
        assert_eq!((&ours["deposit_type"], &ours["deposit_value"]), (&json!("A"), &json!("1.00")));
        assert!(accounts.len() > 1, "{accounts:?}");
        // And another client's person is untouched.
        let other = app.client("other").await;
        let theirs = other.link("income").await;
        let report = report(&other, "/v1/verifications/incomes/", &theirs).await;
        assert!(!report["employments"][0]["bank_accounts"].to_string().contains("16002600"));
    })
    .await;
}

/// The sandbox's own refusal, in its own words: the account receives everything already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_receives_everything_is_refused_in_the_providers_words() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        client.link("deposit_switch").await;
        let token = client.bridge_token("deposit_switch").await;
        let task_id = app.confirm(&token, "goodlogin", "goodpassword").await;
        app.run_jobs().await;
        let task = app.task(&token, &task_id).await;
        assert_eq!(task["status"], "config_error");
        let words = client.get(&format!("/v1/tasks/{task_id}/")).await.json()["error_message"].clone();
        assert!(words.as_str().is_some_and(|words| words.len() > 20), "{words}");
        assert_eq!(task["error"]["error_message"], words);
    })
    .await;
}

/// Nothing is changed that was not confirmed, and nobody takes more than the token says (P8).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p08_the_person_confirms_and_may_lower_a_share_but_not_raise_it() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let login = json!({"username": "goodlogin", "password": "goodpassword"});
        let send = async |token: &str, more: Value| {
            let mut body = json!({"provider_id": "adp", "login": login});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            app.widget(Method::POST, "/tasks", token, Some(body)).await
        };
        let mut half = account("deposit_switch");
        half["deposit_type"] = json!("percent");
        half["deposit_value"] = json!(50);
        let half = client.bridge_token_of(json!({"product_type": "deposit_switch", "account": half})).await;
        let loan = client.bridge_token("pll").await;
        let whole = client.bridge_token("deposit_switch").await;
        let share = |kind: &str, value: Value| {
            json!({"confirmed": true, "deposit": {"deposit_type": kind, "deposit_value": value}})
        };
        let cases = [
            (&whole, json!({}), "confirmed"),
            (&whole, json!({"confirmed": false}), "confirmed"),
            (&whole, share("percent", json!("101")), "deposit.deposit_value"),
            (&whole, share("amount", json!("0")), "deposit.deposit_value"),
            (&whole, share("amount", Value::Null), "deposit.deposit_value"),
            (&whole, share("all", json!("1")), "deposit.deposit_type"),
            (&half, share("percent", json!("50.01")), "deposit.deposit_value"),
            (&half, share("entire", Value::Null), "deposit.deposit_type"),
            (&half, share("amount", json!("10")), "deposit.deposit_type"),
            (&loan, share("amount", json!("0.50")), "deposit.deposit_type"),
            (&loan, share("amount", json!("2")), "deposit.deposit_type"),
        ];
        for (token, body, field) in cases {
            let reply = send(token, body.clone()).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}: {reply:?}");
            assert!(reply.invalid_fields().contains(&field.to_owned()), "{body}: {reply:?}");
        }
        // Lowered, and as it was asked.
        let reply = send(&half, share("percent", json!("25"))).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        let task_id = reply.json()["task_id"].as_str().unwrap().to_owned();
        app.run_jobs().await;
        let public_token = app.public_token(&half, &task_id).await;
        let access_token = client.exchange(&public_token).await.json()["access_token"].clone();
        let told = report(&client, "/v1/deposit-switches/", access_token.as_str().unwrap()).await;
        assert_eq!(told["deposit_details"]["deposit_value"], "25.00");
        assert_eq!(send(&loan, share("amount", json!("1"))).await.status, StatusCode::CREATED);
    })
    .await;
}

/// The new share is read from the moment of the confirmation, whatever becomes of it (R7).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_share_by_refresh_keeps_the_initial_accounts() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("pll").await;
        let first = report(&client, "/v1/paycheck-linked-loans/", &access_token).await;
        let mut new = account("pll");
        new["action"] = json!("update");
        new["deposit_value"] = json!(40);
        app.advance(1);
        let body = json!({"access_token": access_token, "product_type": "pll", "account": new});
        let reply = client.post("/v1/refresh/tasks/", body).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        let asked = report(&client, "/v1/paycheck-linked-loans/", &access_token).await;
        assert_eq!((&asked["status"], &asked["refresh_status"]), (&json!("new"), &json!("new")));
        app.run_refresh().await;
        let told = report(&client, "/v1/paycheck-linked-loans/", &access_token).await;
        assert_eq!((&told["status"], &told["refresh_status"]), (&json!("done"), &json!("done")), "{told}");
        assert_eq!(told["deposit_details"]["deposit_value"], "40.00");
        assert_eq!(told["initial_accounts"], first["initial_accounts"]);
        // A plain refresh changes nothing.
        client.post("/v1/refresh/tasks/", json!({"access_token": access_token})).await;
        app.run_refresh().await;
        assert_eq!(report(&client, "/v1/paycheck-linked-loans/", &access_token).await["status"], "done");
        let wrong = json!({"access_token": access_token, "account": account("fas")});
        let fields = client.post("/v1/refresh/tasks/", wrong).await.invalid_fields();
        assert_eq!(fields, ["account.deposit_type", "account.deposit_value"]);
    })
    .await;
}

/// What the provider refused is not told as done, and what it took is not forgotten.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_tells_the_account_that_its_status_is_about() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("deposit_switch").await;
        let mut unknown = account("deposit_switch");
        unknown["account_number"] = json!("99990000");
        unknown["action"] = json!("update");
        let refresh = async |body: Value| {
            app.advance(1);
            let reply = client.post("/v1/refresh/tasks/", body).await;
            assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
            app.run_refresh().await;
            let told = report(&client, "/v1/deposit-switches/", &access_token).await;
            (told["status"].clone(), told["deposit_details"]["account_number"].clone())
        };
        let refused = refresh(json!({"access_token": access_token, "account": unknown})).await;
        assert_eq!(refused, (json!("config_error"), json!("99990000")));
        let plain = refresh(json!({"access_token": access_token})).await;
        assert_eq!(plain, (json!("done"), json!("16002600")));
    })
    .await;
}

/// A repair that goes wrong leaves the account that waits for its proof.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mistyped_repair_does_not_lose_a_waiting_funding_account() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("fas").await;
        let body = json!({"product_type": "fas", "access_token": access_token, "account": account("fas")});
        let repair = client.bridge_token_of(body).await;
        app.confirm(&repair, "goodlogin", "wrong").await;
        app.run_jobs().await;
        let told = report(&client, "/v1/account-switches/", &access_token).await;
        assert_eq!(
            (&told["status"], &told["micro_deposits_required"]),
            (&json!("login_error"), &json!(true))
        );
        assert_eq!(prove(&app, &client, &access_token, json!([0.1, 0.2])).await, "done");
    })
    .await;
}

async fn prove(app: &TestApp, client: &TestClient<'_>, access_token: &str, amounts: Value) -> String {
    let body = json!({"access_token": access_token, "settings": {"micro_deposits": amounts}});
    app.advance(1);
    let reply = client.post("/v1/refresh/tasks", body).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    app.run_refresh().await;
    let task_id = reply.json()["task_id"].as_str().unwrap().to_owned();
    client.get(&format!("/v1/refresh/tasks/{task_id}")).await.json()["status"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_funding_account_is_switched_and_proved() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("fas").await;
        for path in ["/v1/account-switches/", "/v1/account-switches"] {
            let told = report(&client, path, &access_token).await;
            assert_eq!((&told["status"], &told["micro_deposits_required"]), (&json!("done"), &json!(true)));
            assert_eq!(told["account_details"]["account_number"], "16002600");
        }
        // As texts, as the Go quickstart sends them; wrong first.
        assert_eq!(prove(&app, &client, &access_token, json!(["0.11", "0.2"])).await, "config_error");
        let told = report(&client, "/v1/account-switches/", &access_token).await;
        assert_eq!(
            (&told["status"], &told["micro_deposits_required"]),
            (&json!("config_error"), &json!(true))
        );
        assert_eq!(prove(&app, &client, &access_token, json!([0.1, 0.20])).await, "done");
        let told = report(&client, "/v1/account-switches/", &access_token).await;
        assert_eq!((&told["status"], &told["micro_deposits_required"]), (&json!("done"), &json!(false)));
        let again = json!({"access_token": access_token, "settings": {"micro_deposits": ["0.1", "0.2"]}});
        let reply = client.post("/v1/refresh/tasks/", again).await;
        assert_eq!(reply.invalid_fields(), ["settings.micro_deposits"], "{reply:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_wrong_pairs_stop_a_funding_switch() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("fas").await;
        for wrong in [json!([0.2, 0.1]), json!(["0.01", "0.02"]), json!([0.12, 0.2])] {
            assert_eq!(prove(&app, &client, &access_token, wrong).await, "config_error");
        }
        let right = json!({"access_token": access_token, "settings": {"micro_deposits": [0.1, 0.2]}});
        let reply = client.post("/v1/refresh/tasks/", right).await;
        assert_eq!(
            (reply.status, reply.invalid_fields()),
            (StatusCode::BAD_REQUEST, vec!["settings.micro_deposits".to_owned()])
        );
        assert!(reply.text().contains("three wrong pairs"), "{reply:?}");
        let told = report(&client, "/v1/account-switches/", &access_token).await;
        assert_eq!(told["micro_deposits_required"], false);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amounts_that_cannot_be_micro_deposits_are_refused_before_anything_happens() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("fas").await;
        for amounts in [
            json!([0.1]),
            json!([0.1, 0.2, 0.1]),
            json!([]),
            json!(["a", "b"]),
            json!([0, 0.2]),
            json!([-0.1, 0.2]),
            json!([0.21, 0.2]),
            json!([0.105, 0.2]),
            json!([true, null]),
            json!("0.1"),
            json!(["1e-1", "0.2"]),
        ] {
            let body = json!({"access_token": access_token, "settings": {"micro_deposits": amounts}});
            let reply = client.post("/v1/refresh/tasks/", body.clone()).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}");
            assert_eq!(reply.invalid_fields(), ["settings.micro_deposits"], "{body}");
        }
        let told = report(&client, "/v1/account-switches/", &access_token).await;
        assert_eq!((&told["micro_deposits_required"], &told["refresh_status"]), (&json!(true), &Value::Null));
        let income = client.link("income").await;
        let body = json!({"access_token": income, "settings": {"micro_deposits": [0.1, 0.2]}});
        let reply = client.post("/v1/refresh/tasks/", body).await;
        assert_eq!(reply.invalid_fields(), ["settings.micro_deposits"]);
    })
    .await;
}
