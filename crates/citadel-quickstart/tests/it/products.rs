//! Each product's calls, in the forms and the order that the contract lists.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::double::{ACCESS_TOKEN, PUBLIC_TOKEN, observed, quickstart, serve, settings};

const LOOK: &str = "GET refresh/tasks/7/";

async fn get(url: String) -> (StatusCode, Value) {
    let response = reqwest::get(url).await.expect("an answer");
    (response.status(), response.json().await.expect("JSON"))
}

async fn get_good(url: String) -> Value {
    let (status, body) = get(url).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body
}

fn call(line: &str, body: Value) -> (String, Value) {
    (line.to_owned(), body)
}

/// A call that sends nothing but the access token.
fn with_token(line: &str) -> (String, Value) {
    call(line, json!({"access_token": ACCESS_TOKEN}))
}

fn exchange() -> (String, Value) {
    call("POST link-access-tokens/", json!({"public_token": PUBLIC_TOKEN}))
}

fn payroll() -> [(String, Value); 3] {
    let days = json!({"access_token": ACCESS_TOKEN, "start_date": "2020-01-01", "end_date": "2020-02-01"});
    let read = call("GET administrators/payrolls/42/", Value::Null);
    [call("POST administrators/payrolls/", days), read.clone(), read]
}

#[tokio::test]
async fn a_bridge_token_asks_for_what_the_product_needs() {
    let account = json!({"account_number": "16002600", "account_type": "checking",
        "routing_number": "123456789", "bank_name": "TD Bank"});
    let mut loan = account.clone();
    loan["deposit_type"] = json!("amount");
    loan["deposit_value"] = json!("1");
    for (product, account) in [
        ("employment", None),
        ("income", None),
        ("admin", None),
        ("deposit_switch", Some(account.clone())),
        ("pll", Some(loan)),
        ("fas", Some(account)),
    ] {
        let (base, seen) = observed(product).await;
        get_good(format!("{base}/getBridgeToken")).await;
        let mut expected =
            json!({"product_type": product, "client_name": "Citadel Quickstart", "tracking_info": "1337"});
        if let Some(account) = account {
            expected["account"] = account;
        }
        assert_eq!(seen.take(), [call("POST bridge-tokens/", expected)]);
    }
}

#[tokio::test]
async fn data_that_changes_can_be_refreshed() {
    for (product, path) in
        [("employment", "verifications/employments/"), ("income", "verifications/incomes/")]
    {
        let (base, seen) = observed(product).await;
        let read = with_token(&format!("POST {path}"));
        let first = get_good(format!("{base}/getVerifications/{PUBLIC_TOKEN}")).await;
        assert_eq!(seen.take(), [exchange(), read.clone()]);

        assert_eq!(get_good(format!("{base}/createRefreshTask")).await, first);
        // The first look finds it running.
        let look = call(LOOK, Value::Null);
        assert_eq!(seen.take(), [with_token("POST refresh/tasks/"), look.clone(), look, read]);
    }
}

#[tokio::test]
async fn a_company_is_read_as_directory_and_payroll() {
    let (base, seen) = observed("admin").await;
    let first = get_good(format!("{base}/getAdminData/{PUBLIC_TOKEN}")).await;
    assert_eq!(first["directory"]["directory"][0]["full_name"], "John Doe");
    // It was not done at first, and was read once more.
    assert_eq!(first["payroll"]["status"], "done");
    assert_eq!(first["payroll"]["payroll_report"][0]["employee_id"], "p1");
    let mut expected = vec![exchange(), with_token("POST administrators/directories/")];
    expected.extend(payroll());
    assert_eq!(seen.take(), expected);

    assert_eq!(get_good(format!("{base}/createRefreshTask")).await, first);
    let look = call(LOOK, Value::Null);
    let mut expected = vec![with_token("POST refresh/tasks/"), look.clone(), look];
    expected.push(with_token("POST administrators/directories/"));
    expected.extend(payroll());
    assert_eq!(seen.take(), expected);
}

#[tokio::test]
async fn a_switch_is_read_once() {
    for (product, route, path) in [
        ("deposit_switch", "getDepositSwitchData", "deposit-switches/"),
        ("pll", "getPaycheckLinkedLoanData", "paycheck-linked-loans/"),
    ] {
        let (base, seen) = observed(product).await;
        let body = get_good(format!("{base}/{route}/{PUBLIC_TOKEN}")).await;
        assert!(body["deposit_details"].is_object(), "{body}");
        assert_eq!(seen.take(), [exchange(), with_token(&format!("POST {path}"))]);
    }
}

#[tokio::test]
async fn a_funding_switch_has_a_second_step() {
    let (base, seen) = observed("fas").await;
    let body = get_good(format!("{base}/startFundingSwitchFlow/{PUBLIC_TOKEN}")).await;
    assert_eq!(body["micro_deposits_required"], true);
    // Not taken, so that the double answers the next reading differently.
    let body = get_good(format!("{base}/completeFundingSwitchFlow/0.1/0.20")).await;
    assert_eq!((&body["task_id"], &body["status"]), (&json!("7"), &json!("done")));
    assert_eq!(body["account_switch"]["micro_deposits_required"], false);

    let amounts = json!({"access_token": ACCESS_TOKEN, "settings": {"micro_deposits": ["0.1", "0.20"]}});
    let read = with_token("POST account-switches/");
    let look = call(LOOK, Value::Null);
    let expected = [exchange(), read.clone(), call("POST refresh/tasks/", amounts), look.clone(), look, read];
    assert_eq!(seen.take(), expected);
}

#[tokio::test]
async fn nothing_is_refreshed_before_somebody_connected() {
    for (product, path) in [("income", "createRefreshTask"), ("fas", "completeFundingSwitchFlow/0.1/0.2")] {
        let (base, seen) = observed(product).await;
        let (status, body) = get(format!("{base}/{path}")).await;
        assert_eq!((status, &body["step"]), (StatusCode::BAD_REQUEST, &json!(9)));
        assert_eq!(body["error"]["code"], "incorrect_parameters");
        assert!(body["error"]["message"].as_str().unwrap().contains("click Connect first"), "{body}");
        assert!(seen.take().is_empty());
    }
}

#[tokio::test]
async fn each_product_has_only_its_own_routes() {
    let routes = [
        ("getVerifications/x", &["employment", "income"][..]),
        ("createRefreshTask", &["employment", "income", "admin"]),
        ("getAdminData/x", &["admin"]),
        ("getDepositSwitchData/x", &["deposit_switch"]),
        ("getPaycheckLinkedLoanData/x", &["pll"]),
        ("startFundingSwitchFlow/x", &["fas"]),
        ("completeFundingSwitchFlow/0.1/0.2", &["fas"]),
        ("nothing", &[]),
    ];
    for product in ["employment", "income", "admin", "deposit_switch", "pll", "fas"] {
        let base = quickstart(product).await;
        for (path, products) in routes {
            let (status, body) = get(format!("{base}/{path}")).await;
            if products.contains(&product) {
                assert!(body["error"]["message"].is_string(), "{product} {path}: {body}");
            } else {
                let not_found = (StatusCode::NOT_FOUND, &json!("Not Found."));
                assert_eq!((status, &body["detail"]), not_found, "{product} {path}");
            }
        }
    }
}

#[tokio::test]
async fn each_page_names_its_own_calls() {
    for (product, route, call) in [
        ("employment", "getVerifications", "POST /v1/verifications/employments/"),
        ("income", "getVerifications", "POST /v1/verifications/incomes/"),
        ("admin", "getAdminData", "POST /v1/administrators/directories/"),
        ("deposit_switch", "getDepositSwitchData", "POST /v1/deposit-switches/"),
        ("pll", "getPaycheckLinkedLoanData", "POST /v1/paycheck-linked-loans/"),
        ("fas", "startFundingSwitchFlow", "POST /v1/account-switches/"),
    ] {
        let base = serve(citadel_quickstart::router(&settings(product, "http://127.0.0.1:9"))).await;
        let page = reqwest::get(format!("{base}/")).await.unwrap().text().await.unwrap();
        assert!(!page.contains("{{"), "a placeholder is left");
        assert_eq!(page.matches("<li>").count(), 11, "{product}");
        assert!(page.contains(&format!("data-product=\"{product}\" data-route=\"{route}\"")), "{product}");
        assert!(page.contains(&format!("GET /{route}/… →")) && page.contains(call), "{product}");
    }
}
