//! The calls as the contract spells them.

use citadel_sdk::{AccountDetails, CreateBridgeToken};
use serde_json::{Value, from_str, json};

use crate::double::{Double, SECRET, answer};

#[tokio::test]
async fn a_verification_is_four_calls() {
    let double = Double::start([
        answer(200, json!({"bridge_token": "b1", "product_type": "income", "client_name": null})),
        answer(200, json!({"access_token": "a1", "link_id": "l1"})),
        answer(200, json!({"id": "r1", "status": "done", "employments": [{"id": "e1", "income": "72000.00", "w2s": []}]})),
        answer(200, json!({"id": "r1", "status": "done", "employments": [{"id": "e1", "is_active": true}]})),
    ])
    .await;
    let citadel = &double.citadel;

    let request =
        CreateBridgeToken { tracking_info: Some("1337".into()), ..CreateBridgeToken::new("income") };
    let bridge = citadel.create_bridge_token(&request).await.unwrap();
    assert_eq!(bridge.bridge_token.expose(), "b1");
    let link = citadel.exchange_public_token("p1").await.unwrap();
    assert_eq!((link.access_token.expose(), link.link_id.as_str()), ("a1", "l1"));
    let report = citadel.income_report(&link.access_token).await.unwrap();
    assert_eq!(report.employments[0].income.as_deref(), Some("72000.00"));
    assert_eq!(report.employments[0].employment.id, "e1");
    let report = citadel.employment_report(&link.access_token).await.unwrap();
    assert_eq!(report.employments[0].is_active, Some(true));

    assert_eq!(
        double.lines(),
        [
            "POST /v1/bridge-tokens/",
            "POST /v1/link-access-tokens/",
            "POST /v1/verifications/incomes/",
            "POST /v1/verifications/employments/",
        ]
    );
    let bodies: Vec<Value> = double.seen().iter().map(|seen| from_str(&seen.body).unwrap()).collect();
    assert_eq!(
        bodies,
        [
            json!({"product_type": "income", "tracking_info": "1337"}),
            json!({"public_token": "p1"}),
            json!({"access_token": "a1"}),
            json!({"access_token": "a1"}),
        ]
    );
    for seen in double.seen() {
        assert_eq!(seen.headers["x-access-client-id"], "48427a36d43c4d5aa6324bc06c692456");
        assert_eq!(seen.headers["x-access-secret"], SECRET);
        assert_eq!(seen.headers["content-type"], "application/json");
    }
}

#[tokio::test]
async fn an_account_travels_with_the_bridge_token() {
    let double = Double::start([answer(200, json!({"bridge_token": "b1", "product_type": "pll"}))]).await;
    let account = AccountDetails {
        account_number: Some("16002600".into()),
        deposit_type: Some("amount".into()),
        deposit_value: Some("1".into()),
        ..AccountDetails::default()
    };
    let request = CreateBridgeToken { account: Some(account), ..CreateBridgeToken::new("pll") };
    double.citadel.create_bridge_token(&request).await.unwrap();
    let body: Value = from_str(&double.seen()[0].body).unwrap();
    assert_eq!(
        body["account"],
        json!({"account_number": "16002600", "deposit_type": "amount", "deposit_value": "1"})
    );
}

#[tokio::test]
async fn companies_providers_and_tasks() {
    let company = json!({"company_mapping_id": "c1", "name": "Home Depot", "confidence_level": "0.9",
        "mapping_status": "verified", "features": {"deposit_switch": {"max_number": 3, "deposit_types": ["entire"]}}});
    let provider = json!({"id": "adp", "name": "ADP", "is_supported": true});
    let task = json!({"id": "t1", "status": "done", "product_type": "income", "provider": provider,
        "created_at": "", "updated_at": "", "data_source": "payroll"});
    let double = Double::start([
        answer(200, json!([company])),
        answer(200, &company),
        answer(200, json!({"count": 1, "next": null, "previous": null, "results": [provider]})),
        answer(200, &provider),
        answer(200, task),
    ])
    .await;
    let citadel = &double.citadel;

    assert_eq!(citadel.search_companies("home d&t", "income").await.unwrap()[0].name, "Home Depot");
    let info = citadel.company("c1", "").await.unwrap();
    assert_eq!(
        (info.company.name.as_str(), info.features.deposit_switch.max_number),
        ("Home Depot", Some(3))
    );
    assert_eq!(citadel.providers("", 2).await.unwrap().results[0].id, "adp");
    assert_eq!(citadel.provider("adp").await.unwrap().name, "ADP");
    assert_eq!(citadel.task("t1").await.unwrap().status, "done");

    assert_eq!(
        double.lines(),
        [
            "GET /v1/company-mappings-search/?query=home+d%26t&product_type=income",
            "GET /v1/companies/c1",
            "GET /v1/providers/?page=2",
            "GET /v1/providers/adp/",
            "GET /v1/tasks/t1/",
        ]
    );
}
