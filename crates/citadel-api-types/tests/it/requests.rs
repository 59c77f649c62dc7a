//! Requests are read liberally, because published clients are sloppy.

use citadel_api_types::refresh::CreateRefreshTask;
use citadel_api_types::{
    access_tokens::{CreateAccessToken, CreateAccessTokens},
    bridge_tokens::{AccountDetails, CreateBridgeToken},
    reports::ReportRequest,
};
use serde_json::{from_value, json, to_value};

fn check(request: serde_json::Value, expected: &CreateBridgeToken) {
    assert_eq!(
        &from_value::<CreateBridgeToken>(request.clone()).expect("well formed"),
        expected,
        "{request}"
    );
}

#[test]
fn absent_null_and_empty_mean_the_same() {
    let expected = CreateBridgeToken::new("income");
    check(json!({"product_type": "income"}), &expected);
    check(json!({"product_type": "income", "client_name": null, "account": null, "unknown": [1]}), &expected);
    check(
        json!({"product_type": "income", "client_name": "", "account": "", "tracking_info": ""}),
        &expected,
    );
    check(
        json!({"product_type": "income", "allowed_products": null, "access_token": "", "provider_id": null}),
        &expected,
    );
    check(json!({"product_type": "income", "allowed_products": ""}), &expected);
}

#[test]
fn a_missing_required_text_reads_as_empty_so_that_the_handler_can_name_the_field() {
    check(json!({}), &CreateBridgeToken::default());
    check(json!({"product_type": null}), &CreateBridgeToken::default());
    assert!(from_value::<CreateAccessToken>(json!({})).unwrap().public_token.is_empty());
    assert!(from_value::<ReportRequest>(json!({"access_token": null})).unwrap().access_token.is_empty());
    assert!(from_value::<CreateAccessTokens>(json!({})).unwrap().public_tokens.is_empty());
}

#[test]
fn the_wrong_kind_of_value_is_refused() {
    assert!(from_value::<CreateBridgeToken>(json!({"product_type": 7})).is_err());
    assert!(from_value::<CreateBridgeToken>(json!({"product_type": "pll", "account": "x"})).is_err());
    assert!(from_value::<AccountDetails>(json!({"deposit_value": true})).is_err());
    assert!(from_value::<CreateAccessTokens>(json!({"public_tokens": "x"})).is_err());
}

#[test]
fn a_deposit_value_is_text_or_a_number() {
    for (sent, read) in [
        (json!("1"), Some("1")),
        (json!("100.50"), Some("100.50")),
        (json!(100), Some("100")),
        (json!(0.5), Some("0.5")),
        (json!(""), None),
        (json!(null), None),
    ] {
        let account: AccountDetails = from_value(json!({ "deposit_value": sent })).unwrap();
        assert_eq!(account.deposit_value.as_deref(), read, "{sent}");
    }
}

#[test]
fn a_request_sends_only_what_was_said() {
    assert_eq!(to_value(CreateBridgeToken::new("income")).unwrap(), json!({"product_type": "income"}));
}

#[test]
fn p57_requests_print_no_token_and_no_account_number() {
    let request: CreateBridgeToken = from_value(json!({
        "product_type": "pll",
        "access_token": "canary-access",
        "account": {"account_number": "canary-account", "account_type": "checking"},
    }))
    .unwrap();
    let exchange: CreateAccessToken = from_value(json!({"public_token": "canary-public"})).unwrap();
    let printed = format!("{request:?} {exchange:?}");
    assert!(!printed.contains("canary"), "{printed}");
    assert!(printed.contains("checking"), "{printed}");
}

#[test]
fn micro_deposits_are_numbers_or_texts() {
    let read = |sent: serde_json::Value| {
        let request = json!({"access_token": "c06c", "settings": {"micro_deposits": sent}});
        from_value::<CreateRefreshTask>(request).unwrap().settings.unwrap().micro_deposits
    };
    let two = |first: &str, second: &str| Some(vec![first.to_owned(), second.to_owned()]);
    assert_eq!(read(json!([0.1, 0.2])), two("0.1", "0.2"));
    assert_eq!(read(json!(["0.10", "0.2"])), two("0.10", "0.2"));
    assert_eq!(read(json!([true, null])), two("", ""));
    assert_eq!(read(json!("0.1")), Some(vec!["0.1".to_owned()]));
    assert_eq!(read(json!(null)), None);
    assert_eq!(
        from_value::<CreateRefreshTask>(json!({"settings": "", "account": null})).unwrap().settings,
        None
    );
}
