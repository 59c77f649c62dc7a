//! `docs/compatibility.md`: every route, the eras that call it, and the test that holds it. Written here, so that it cannot say
//! what is not so.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use crate::support::TestApp;

/// Which clients call a route: Citadel of 2021, the forms of early 2023, Truv today. `own` is ours.
const CITADEL: &str = "2021";
const BOTH: &str = "2021, today";
const BETWEEN: &str = "2023";
const TODAY: &str = "today";
const OWN: &str = "own";

/// By operation: the eras, and the test, as `file::name`.
const TESTS: &[(&str, &str, &str)] = &[
    ("create_bridge_token", BOTH, "clients::the_quickstarts_of_2021_run_unchanged"),
    ("create_access_token", BOTH, "clients::the_quickstarts_of_2021_run_unchanged"),
    ("create_access_tokens", CITADEL, "access_tokens::the_older_form_takes_several_tokens_in_order"),
    ("get_employment_verification", CITADEL, "clients::the_quickstarts_of_2021_run_unchanged"),
    ("get_income_verification", CITADEL, "clients::the_quickstarts_of_2021_run_unchanged"),
    ("get_deposit_switch", CITADEL, "clients::the_quickstarts_of_2021_run_unchanged"),
    ("get_paycheck_linked_loan", CITADEL, "clients::the_quickstarts_of_2021_run_unchanged"),
    ("get_account_switch", CITADEL, "clients::the_quickstarts_of_2021_run_unchanged"),
    ("get_directory", CITADEL, "clients::the_quickstarts_of_2021_run_unchanged"),
    ("create_payroll_report", BOTH, "clients::the_quickstarts_of_today_run_unchanged"),
    ("get_payroll_report", BOTH, "clients::the_quickstarts_of_today_run_unchanged"),
    ("create_refresh_task", BOTH, "clients::the_quickstarts_of_today_run_unchanged"),
    ("get_refresh_task", BOTH, "clients::the_quickstarts_of_today_run_unchanged"),
    ("get_report_by_kind", BETWEEN, "clients::the_quickstarts_of_early_2023_run_unchanged"),
    ("get_admin_report", "2023, today", "clients::the_quickstarts_of_today_run_unchanged"),
    ("create_user", TODAY, "clients::the_quickstarts_of_today_run_unchanged"),
    ("list_users", TODAY, "clients::other_published_clients_run_unchanged"),
    ("get_user", TODAY, "clients::other_published_clients_run_unchanged"),
    ("update_user", TODAY, "orders::users_are_made_found_changed_and_erased"),
    ("delete_user", TODAY, "orders::users_are_made_found_changed_and_erased"),
    ("create_user_token", TODAY, "clients::the_quickstarts_of_today_run_unchanged"),
    ("create_user_report", TODAY, "clients::other_published_clients_run_unchanged"),
    ("get_user_report", TODAY, "clients::other_published_clients_run_unchanged"),
    ("get_user_deposit_switch", TODAY, "clients::other_published_clients_run_unchanged"),
    ("list_links", TODAY, "clients::other_published_clients_run_unchanged"),
    ("get_link", TODAY, "clients::other_published_clients_run_unchanged"),
    ("delete_link", TODAY, "links::p22_a_deleted_link_is_erased"),
    ("get_link_report", TODAY, "clients::the_quickstarts_of_today_run_unchanged"),
    ("list_link_employments", TODAY, "links::the_parts_are_those_of_the_report"),
    ("get_link_employment", TODAY, "links::the_parts_are_those_of_the_report"),
    ("get_link_identity", TODAY, "links::the_parts_are_those_of_the_report"),
    ("list_link_statements", TODAY, "links::the_parts_are_those_of_the_report"),
    ("get_link_statement", TODAY, "links::the_parts_are_those_of_the_report"),
    ("list_link_bank_accounts", TODAY, "links::the_parts_are_those_of_the_report"),
    ("list_link_tax_documents", TODAY, "links::the_parts_are_those_of_the_report"),
    ("get_link_tax_document", TODAY, "links::the_parts_are_those_of_the_report"),
    ("list_link_shifts", TODAY, "links::the_parts_are_those_of_the_report"),
    ("create_order", TODAY, "orders::orders_are_taken_in_every_form_and_refused_with_the_field"),
    ("list_orders", TODAY, "clients::other_published_clients_run_unchanged"),
    ("look_up_orders", TODAY, "orders::an_order_number_of_somebody_else_finds_nothing"),
    ("get_order", TODAY, "clients::other_published_clients_run_unchanged"),
    ("reverify_order", TODAY, "clients::other_published_clients_run_unchanged"),
    ("update_order", TODAY, "orders::orders_are_changed_taken_back_asked_again_and_end"),
    ("refresh_order", TODAY, "clients::other_published_clients_run_unchanged"),
    ("cancel_order", TODAY, "orders::orders_are_changed_taken_back_asked_again_and_end"),
    ("add_order_employer", TODAY, "orders::orders_are_changed_taken_back_asked_again_and_end"),
    ("list_order_events", TODAY, "orders::an_order_goes_from_pending_to_completed"),
    ("list_tasks", TODAY, "clients::other_published_clients_run_unchanged"),
    ("get_task", TODAY, "tasks::a_task_tells_how_it_went"),
    ("search_companies", BOTH, "clients::other_published_clients_run_unchanged"),
    ("match_company", TODAY, "clients::other_published_clients_run_unchanged"),
    ("get_company", TODAY, "clients::other_published_clients_run_unchanged"),
    ("list_providers", TODAY, "clients::other_published_clients_run_unchanged"),
    ("get_provider", TODAY, "directory::providers_are_listed_by_page"),
    ("list_webhooks", TODAY, "webhooks::an_endpoint_is_registered_read_changed_and_removed"),
    ("create_webhook", TODAY, "webhooks::an_endpoint_is_registered_read_changed_and_removed"),
    ("get_webhook", TODAY, "webhooks::an_endpoint_is_registered_read_changed_and_removed"),
    ("update_webhook", TODAY, "webhooks::an_endpoint_is_registered_read_changed_and_removed"),
    ("delete_webhook", TODAY, "webhooks::an_endpoint_is_registered_read_changed_and_removed"),
    ("list_webhook_requests", TODAY, "events::p32_attempts_are_listed_page_by_page_for_30_days"),
    ("list_templates", TODAY, "templates::a_template_is_kept_as_it_was_sent"),
    ("create_template", TODAY, "templates::a_template_is_kept_as_it_was_sent"),
    ("get_template", TODAY, "templates::a_template_is_kept_as_it_was_sent"),
    ("update_template", TODAY, "templates::a_template_is_kept_as_it_was_sent"),
    ("delete_template", TODAY, "templates::a_template_is_kept_as_it_was_sent"),
    ("create_key", TODAY, "keys::a_key_is_changed_without_an_interruption"),
    ("deactivate_key", TODAY, "keys::a_key_is_changed_without_an_interruption"),
    ("list_sandbox_scenarios", TODAY, "sandbox::scenarios_are_listed_changed_and_resolved"),
    ("create_sandbox_scenario", TODAY, "sandbox::a_scenario_is_a_person_of_ones_own"),
    ("get_sandbox_scenario", TODAY, "sandbox::scenarios_are_listed_changed_and_resolved"),
    ("update_sandbox_scenario", TODAY, "sandbox::scenarios_are_listed_changed_and_resolved"),
    ("delete_sandbox_scenario", TODAY, "sandbox::scenarios_are_listed_changed_and_resolved"),
    ("resolve_sandbox_scenario", TODAY, "sandbox::scenarios_are_listed_changed_and_resolved"),
    ("rotate_webhook_secret", OWN, "webhooks::an_endpoint_is_registered_read_changed_and_removed"),
    ("list_events", OWN, "events::events_are_read_in_order_and_from_any_place"),
    ("stream_events", OWN, "event_stream::a_stream_carries_the_requests_that_an_endpoint_gets_and_resumes"),
    ("resend_event", OWN, "events::p32_one_event_is_sent_again_with_the_same_id_and_a_new_time"),
    ("resend_events", OWN, "events::p32_a_failed_range_of_500_is_delivered_once_more_each"),
    ("create_sandbox_public_token", OWN, "sandbox::every_login_of_the_contract_works_without_a_browser"),
    ("get_sandbox_clock", OWN, "sandbox::a_clock_is_turned_on_and_never_back"),
    ("turn_sandbox_clock", OWN, "sandbox::a_clock_is_turned_on_and_never_back"),
    ("get_sandbox_faults", OWN, "sandbox::faults_come_on_demand"),
    ("set_sandbox_faults", OWN, "sandbox::faults_come_on_demand"),
    ("reset_sandbox", OWN, "sandbox::a_reset_empties_the_sandbox_and_nothing_else"),
    ("export_sandbox_ledger", OWN, "ledger::scenarios_and_changes_of_pay_are_in_the_books"),
];

const HEAD: &str = "# Compatibility

For whoever has an app for Citadel or Truv and wants to know whether what it calls is here. The test suite writes this page
(`CITADEL_WRITE_DOCS=1 cargo nextest run compatibility`) and fails when it is not so.

`2021` is Citadel v1 as the quickstarts of December 2021 call it, `2023` the forms between January and April 2023, `today` Truv v1.
`own` are calls that only this server has. Every route answers with and without its last slash. The quickstarts of each era are
played call by call in `tests/it/clients.rs`, in the forms of five languages.

| Call | Era | Test |
|---|---|---|
";

const TAIL: &str = "
Also answered: `GET /v1/companies-autocomplete-search/` and `POST /v1/link/reports/admin/`, older names; `DELETE /v1/link/{id}/` and
`GET /v1/link/{id}/statements/…`, as an old page spells them.

Insurance, scoring, bank transactions and assets answer 403 with `not_authenticated`: the product is not enabled. Documents that
people upload (`/v1/documents/…`), certifications and invoices of orders answer 404.
";

#[tokio::test]
async fn the_page_of_compatibility_is_true() {
    let app = TestApp::on_sqlite().await;
    let document = app.get("/openapi.json").await.json();
    let known: BTreeMap<_, _> =
        TESTS.iter().map(|(operation, era, test)| (*operation, (*era, *test))).collect();
    assert_eq!(known.len(), TESTS.len(), "an operation stands there once");
    let mut page = HEAD.to_owned();
    let mut seen = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            let (era, test) = known.get(name).unwrap_or_else(|| panic!("say which test holds {name}"));
            let method = method.to_uppercase();
            writeln!(page, "| `{method} {path}` | {era} | `{test}` |").unwrap();
            seen += 1;
        }
    }
    assert_eq!(seen, TESTS.len(), "an operation of the list is not there any more");
    page.push_str(TAIL);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (_, _, test) in TESTS {
        let (file, name) = test.split_once("::").unwrap();
        let text = fs::read_to_string(folder.join(format!("tests/it/{file}.rs"))).unwrap();
        assert!(text.contains(&format!("async fn {name}()")), "there is no test {test}");
    }
    let kept = folder.join("../../docs/compatibility.md");
    if std::env::var_os("CITADEL_WRITE_DOCS").is_some() {
        fs::write(&kept, &page).unwrap();
    }
    let kept = fs::read_to_string(kept).unwrap_or_default();
    assert!(
        kept == page,
        "docs/compatibility.md is not what the suite writes: run it with CITADEL_WRITE_DOCS=1"
    );
}
