//! The other products, as the contract spells their calls.

use citadel_sdk::CreatePayrollReport;
use serde_json::{Value, from_str, json};

use crate::double::{Double, answer};

#[tokio::test]
async fn switches_are_read_with_the_access_token() {
    let deposit = json!({"id": "r1", "status": "done", "completed_at": null, "access_token": "a1",
        "deposit_details": {"account_number": "16002600", "deposit_type": "amount", "deposit_value": "1.00"},
        "initial_accounts": [{"account_number": "44", "deposit_type": "entire"}],
        "provider": {"id": "adp", "name": "ADP"}});
    let funding = json!({"id": "r1", "status": "done", "account_details": {"account_number": "16002600"},
        "micro_deposits_required": true});
    let double = Double::start([answer(200, &deposit), answer(200, deposit), answer(200, funding)]).await;
    let citadel = &double.citadel;

    let report = citadel.deposit_switch_report("a1").await.unwrap();
    assert_eq!(report.initial_accounts.unwrap()[0].deposit_type.as_deref(), Some("entire"));
    let report = citadel.paycheck_linked_loan_report("a1").await.unwrap();
    assert_eq!(report.deposit_details.unwrap().deposit_value.as_deref(), Some("1.00"));
    assert!(citadel.funding_switch_report("a1").await.unwrap().micro_deposits_required);

    assert_eq!(
        double.lines(),
        ["POST /v1/deposit-switches/", "POST /v1/paycheck-linked-loans/", "POST /v1/account-switches/"]
    );
    for seen in double.seen() {
        assert_eq!(seen.body, r#"{"access_token":"a1"}"#);
    }
}

#[tokio::test]
async fn a_company_is_a_directory_and_a_payroll_register() {
    let double = Double::start([
        answer(
            200,
            json!({"id": "r1", "status": "done", "directory": [{"id": "p1", "full_name": "John Doe"}]}),
        ),
        answer(200, json!({"payroll_report_id": "42"})),
        answer(
            200,
            json!({"id": "42", "status": "done", "start_date": "2020-01-01", "end_date": "2020-02-01",
            "created_at": "", "payroll_report": [
                {"employee_id": "p1", "full_name": "John Doe", "id": "s1", "gross_pay": "10.00", "file": null}
            ]}),
        ),
    ])
    .await;
    let citadel = &double.citadel;

    let report = citadel.directory("a1").await.unwrap();
    assert_eq!(report.directory[0].full_name.as_deref(), Some("John Doe"));
    let request = CreatePayrollReport {
        access_token: "a1".into(),
        start_date: "2020-01-01".into(),
        end_date: "2020-02-01".into(),
    };
    let created = citadel.create_payroll_report(&request).await.unwrap();
    let report = citadel.payroll_report(&created.payroll_report_id).await.unwrap();
    let row = &report.payroll_report[0];
    assert_eq!((row.employee_id.as_str(), row.statement.gross_pay.as_deref()), ("p1", Some("10.00")));

    assert_eq!(
        double.lines(),
        [
            "POST /v1/administrators/directories/",
            "POST /v1/administrators/payrolls/",
            "GET /v1/administrators/payrolls/42/",
        ]
    );
    assert_eq!(
        from_str::<Value>(&double.seen()[1].body).unwrap(),
        json!({"access_token": "a1", "start_date": "2020-01-01", "end_date": "2020-02-01"})
    );
}
