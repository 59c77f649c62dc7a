//! Answers carry every published key.

use std::collections::BTreeSet;

use citadel_api_types::{
    access_keys::{AccessKey, DeactivatedKey},
    access_tokens::LinkToken,
    administrators::{DirectoryEnvelope, DirectoryReport, Employee, PayrollReport, PayrollRow},
    bridge_tokens::BridgeToken,
    companies::CompanyInfo,
    deposits::{
        DepositDetails, DepositReport, FundingSwitchReport, InitialAccount, SwitchingProvider,
        UserDepositSwitch, UserDepositSwitchReport,
    },
    error::{ErrorBody, ErrorCode, ErrorExtra, ErrorObject, InvalidParam},
    events::Event,
    payroll::{Employment, IncomeEmployment, PayrollBankAccount, Profile},
    providers::{Provider, ProviderPage},
    refresh::RefreshTask,
    reports::{EmploymentReport, IncomeReport, ReportEnvelope},
    statements::{AnnualIncome, Statement, TaxDocument, TaxFields, W2},
    tasks::{self, Task},
    templates::Template,
    webhook_endpoints::{Webhook, WebhookRequest, WebhookRequestPage, WebhookWithSecret},
    webhooks::WebhookEvent,
};
use serde::Serialize;
use serde_json::{from_value, json, to_value, value::RawValue};

fn keys(value: &impl Serialize) -> BTreeSet<String> {
    to_value(value).expect("plain data").as_object().expect("an object").keys().cloned().collect()
}

fn check(value: &impl Serialize, expected: &str) {
    let expected: BTreeSet<String> = expected.split_whitespace().map(str::to_owned).collect();
    assert_eq!(keys(value), expected);
}

const EMPLOYMENT: &str = "id job_title job_type start_date end_date original_hire_date external_last_updated \
    is_active dates_from_statements derived_fields missing_data_fields manager_name profile company \
    employed_in_role";

#[test]
fn objects_carry_every_published_key() {
    check(
        &BridgeToken::default(),
        "bridge_token tracking_info client_name product_type allowed_products company_mapping_id access_token \
         user_id template_id data_sources",
    );
    check(
        &Profile::default(),
        "id created_at updated_at first_name last_name full_name middle_initials email ssn date_of_birth \
         home_address",
    );
    check(&Employment::default(), EMPLOYMENT);
    check(
        &IncomeEmployment::default(),
        &format!(
            "{EMPLOYMENT} income income_unit pay_rate pay_frequency statements annual_income_summary \
             bank_accounts w2s"
        ),
    );
    check(
        &Statement::default(),
        "id check_number pay_date period_start period_end net_pay net_pay_ytd gross_pay gross_pay_ytd regular \
         regular_ytd overtime overtime_ytd bonus bonus_ytd commission commission_ytd other_pay other_pay_ytd \
         hours basis_of_pay earnings earnings_ytd deductions deductions_ytd file md5sum derived_fields \
         missing_data_fields",
    );
    check(&AnnualIncome::default(), "id year gross_pay net_pay regular overtime bonus commission other_pay");
    check(
        &W2::default(),
        "year file md5sum wages federal_tax social_security_wages social_security_tax medicare_wages medicare_tax",
    );
    check(
        &PayrollBankAccount::default(),
        "account_number routing_number account_name bank_name account_type deposit_type deposit_value",
    );
    check(
        &Task::default(),
        "id status product_type provider created_at updated_at link_id user_id error_message tracking_info \
         bridge_token data_source is_suspicious order_id",
    );
    check(
        &DepositReport::default(),
        "id status completed_at finished_at access_token tracking_info refresh_status deposit_details \
         initial_accounts is_suspicious pdf_report employer provider",
    );
    check(
        &DepositDetails::default(),
        "account_number account_type routing_number bank_name bank_address deposit_type deposit_value action",
    );
    check(
        &InitialAccount::default(),
        "account_number routing_number account_type account_name bank_name deposit_type deposit_value",
    );
    check(
        &FundingSwitchReport::default(),
        "id status completed_at finished_at access_token tracking_info refresh_status account_details \
         micro_deposits_required",
    );
    check(&RefreshTask::default(), "id status created_at refresh_date");
    check(&TaxDocument::default(), "id document_type document_subtype file md5sum year fields");
    check(
        &TaxFields::default(),
        "wages federal_tax social_security_wages social_security_tax medicare_wages medicare_tax",
    );
    check(&UserDepositSwitchReport::default(), "completed_at links");
    check(
        &UserDepositSwitch::default(),
        "link_id deposit_details tracking_info access_token provider employer created_at updated_at",
    );
    check(&SwitchingProvider::default(), "id name logo_url supported_bank_account_actions");
    check(&AccessKey::default(), "id client_id access_secret env_type created_at");
    check(&DeactivatedKey::default(), "id deactivated_at");
    check(&Template::default(), "id name created_at updated_at");
    check(
        &Employee::default(),
        "id first_name last_name middle_initials full_name email phone ssn date_of_birth home_address job_title \
         job_type department manager_name is_active start_date end_date income income_unit pay_frequency",
    );
    check(&PayrollReport::default(), "id status start_date end_date created_at completed_at payroll_report");
    assert!(keys(&PayrollRow::default()).is_superset(&keys(&Statement::default())));
    check(
        &CompanyInfo::default(),
        "company_mapping_id name domain logo_url confidence_level success_rate mapping_status sso features",
    );
    check(&Provider::default(), "id name logo_url domain is_supported success_rate features");
    check(&ProviderPage::default(), "count next previous results");
    check(
        &WebhookEvent::default(),
        "webhook_id event_type updated_at event_created_at link_id product tracking_info task_id status user_id \
         template_id data_source",
    );
    let about_statements = WebhookEvent { objects_count: Some(3), ..WebhookEvent::default() };
    assert!(keys(&about_statements).contains("objects_count"));
    const WEBHOOK: &str =
        "id name webhook_url events env_type enabled disabled_because created_at updated_at";
    check(&Webhook::default(), WEBHOOK);
    check(&WebhookWithSecret::default(), &format!("{WEBHOOK} secret"));
    check(
        &WebhookRequest::default(),
        "id webhook_id endpoint_id event_type event_created_at attempted_at attempt status_code error_message \
         answer duration_ms webhook_url webhook_payload",
    );
    check(&WebhookRequestPage::default(), "next previous results");
    check(&Event::default(), "id sequence event_type created_at payload");
}

#[test]
fn a_bridge_token_has_no_id() {
    assert!(!keys(&BridgeToken::default()).contains("id"));
}

#[test]
fn the_spliced_directory_is_the_report() {
    let directory = vec![Employee { full_name: Some("Ada Example".into()), ..Default::default() }];
    let report = DirectoryReport { id: "0193".into(), directory: directory.clone(), ..Default::default() };
    let stored = RawValue::from_string(serde_json::to_string(&directory).unwrap()).unwrap();
    let envelope = DirectoryEnvelope {
        id: &report.id,
        status: "",
        completed_at: None,
        finished_at: None,
        access_token: None,
        tracking_info: None,
        refresh_status: None,
        provider: None,
        directory: &stored,
    };
    assert_eq!(to_value(&envelope).unwrap(), to_value(&report).unwrap());
}

#[test]
fn the_spliced_envelope_is_the_report() {
    let employments = vec![IncomeEmployment { income: Some("72000.00".into()), ..Default::default() }];
    let report = IncomeReport {
        id: "0193".into(),
        status: "done".into(),
        access_token: Some("c06c".into()),
        data_source: Some("payroll".into()),
        employments: employments.clone(),
        ..Default::default()
    };
    let stored = RawValue::from_string(serde_json::to_string(&employments).unwrap()).unwrap();
    let envelope = ReportEnvelope {
        id: &report.id,
        status: &report.status,
        completed_at: None,
        finished_at: None,
        access_token: report.access_token.as_ref(),
        tracking_info: None,
        refresh_status: None,
        employments: &stored,
        pdf_report: None,
        provider: None,
        data_source: report.data_source.as_deref(),
        is_suspicious: false,
    };
    assert_eq!(to_value(&envelope).unwrap(), to_value(&report).unwrap());
    assert_eq!(from_value::<IncomeReport>(to_value(&envelope).unwrap()).unwrap(), report);
    assert_eq!(keys(&EmploymentReport::default()), keys(&envelope));
}

#[test]
fn an_answer_of_2021_with_fewer_keys_is_still_read() {
    let report: EmploymentReport = from_value(json!({
        "id": "24d7e80942ce4ad58a93f70ce4115f5c",
        "status": "done",
        "completed_at": "2021-04-06 11:30:00+00:00",
        "employments": [{"id": "a1", "profile": {"first_name": "John"}, "company": {"name": "Facebook Demo"}}],
    }))
    .unwrap();
    assert_eq!(report.employments[0].company.name.as_deref(), Some("Facebook Demo"));
    assert_eq!(report.data_source, None);
}

#[test]
fn error_codes_are_snake_case_and_open() {
    for (code, word) in [
        (ErrorCode::IncorrectParameters, "incorrect_parameters"),
        (ErrorCode::AuthenticationFailed, "authentication_failed"),
        (ErrorCode::NotAuthenticated, "not_authenticated"),
        (ErrorCode::EnvNotSandbox, "env_not_sandbox"),
        (ErrorCode::NotFound, "not_found"),
        (ErrorCode::ExpiredToken, "expired_token"),
        (ErrorCode::Throttled, "throttled"),
        (ErrorCode::Error, "error"),
        (ErrorCode::Other("brand_new".into()), "brand_new"),
    ] {
        assert_eq!(to_value(&code).unwrap(), json!(word));
        assert_eq!(from_value::<ErrorCode>(json!(word)).unwrap(), code);
    }
    assert_eq!(from_value::<ErrorCode>(json!("validation_error")).unwrap(), ErrorCode::IncorrectParameters);
}

#[test]
fn an_error_has_extra_only_when_fields_are_wrong() {
    let mut body = ErrorBody {
        error: ErrorObject { code: ErrorCode::ExpiredToken, message: "used before".into(), extra: None },
    };
    assert_eq!(
        to_value(&body).unwrap(),
        json!({"error": {"code": "expired_token", "message": "used before"}})
    );
    body.error.extra = Some(ErrorExtra {
        invalid_params: vec![InvalidParam { field: "product_type".into(), message: "is required".into() }],
    });
    let text = to_value(&body).unwrap();
    assert_eq!(text["error"]["extra"]["invalid-params"][0]["field"], "product_type");
    assert_eq!(from_value::<ErrorBody>(text).unwrap(), body);
}

#[test]
fn p57_answers_print_no_secret() {
    let token = LinkToken { access_token: "canary".into(), link_id: "0193".into() };
    let profile = Profile { ssn: Some("canary".into()), ..Default::default() };
    let account = PayrollBankAccount { account_number: Some("canary".into()), ..Default::default() };
    let bridge = BridgeToken { bridge_token: "canary".into(), ..Default::default() };
    let task = Task { bridge_token: Some("canary".into()), ..Default::default() };
    let report = IncomeReport { access_token: Some("canary".into()), ..Default::default() };
    let printed = format!("{token:?} {profile:?} {account:?} {bridge:?} {task:?} {report:?}");
    assert!(!printed.contains("canary"), "{printed}");
}

#[test]
fn only_known_final_words_are_final() {
    assert!(tasks::is_final("done") && tasks::is_final("not_supported"));
    assert!(!tasks::is_final("full_parse") && !tasks::is_final("something_new"));
}
