//! `docs/compatibility.md`: every route, the eras that call it, and the test that sends it. A test keeps count of what it sends
//! and fails itself when it no longer sends a route that the page says it does, so that the page cannot say what is not so.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
    sync::Mutex,
};

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use serde_json::json;

use crate::support::TestApp;

/// Which clients call a route: Citadel of 2021, the forms of early 2023, Truv today. `own` is ours.
const CITADEL: &str = "2021";
const BETWEEN: &str = "2023";
const TODAY: &str = "today";
const OWN: &str = "own";

/// The tests that play the clients of an era.
const OF_2021: &str = "clients::the_quickstarts_of_2021_run_unchanged";
const OF_2023: &str = "clients::the_quickstarts_of_early_2023_run_unchanged";
const OF_TODAY: &str = "clients::the_quickstarts_of_today_run_unchanged";

/// One row for each route and era: the test that sends it, and gets an answer that is no refusal; a 403 for what is not enabled.
const ROWS: &[(&str, &str, &str)] = &[
    ("POST /v1/access-tokens/", CITADEL, "access_tokens::the_older_form_takes_several_tokens_in_order"),
    ("POST /v1/account-switches/", CITADEL, OF_2021),
    ("POST /v1/administrators/directories/", CITADEL, OF_2021),
    ("POST /v1/administrators/payrolls/", CITADEL, OF_2021),
    ("POST /v1/administrators/payrolls/", BETWEEN, OF_2023),
    ("POST /v1/administrators/payrolls/", TODAY, OF_TODAY),
    ("GET /v1/administrators/payrolls/{report_id}/", CITADEL, OF_2021),
    ("GET /v1/administrators/payrolls/{report_id}/", BETWEEN, OF_2023),
    ("GET /v1/administrators/payrolls/{report_id}/", TODAY, OF_TODAY),
    ("POST /v1/bridge-tokens/", CITADEL, OF_2021),
    ("POST /v1/bridge-tokens/", BETWEEN, OF_2023),
    ("POST /v1/bridge-tokens/", TODAY, "other_clients::php_runs_unchanged"),
    ("GET /v1/companies-autocomplete-search/", CITADEL, "directory::employers_are_found_as_one_types"),
    ("POST /v1/companies/", TODAY, "other_clients::demo_of_coverage_runs_unchanged"),
    ("GET /v1/companies/{company_mapping_id}/", TODAY, "other_clients::demo_of_the_chain_runs_unchanged"),
    ("GET /v1/company-mappings-search/", CITADEL, "directory::employers_are_found_as_one_types"),
    ("GET /v1/company-mappings-search/", TODAY, "other_clients::los_runs_unchanged"),
    ("POST /v1/deposit-switches/", CITADEL, OF_2021),
    ("GET /v1/events/", OWN, "events::events_are_read_in_order_and_from_any_place"),
    ("POST /v1/events/resend/", OWN, "events::p32_a_failed_range_of_500_is_delivered_once_more_each"),
    (
        "GET /v1/events/stream/",
        OWN,
        "event_stream::a_stream_carries_the_requests_that_an_endpoint_gets_and_resumes",
    ),
    (
        "POST /v1/events/{event_id}/resend/",
        OWN,
        "events::p32_one_event_is_sent_again_with_the_same_id_and_a_new_time",
    ),
    ("POST /v1/keys/", TODAY, "keys::a_key_is_changed_without_an_interruption"),
    ("POST /v1/keys/deactivate/", TODAY, "keys::a_key_is_changed_without_an_interruption"),
    ("POST /v1/link-access-tokens/", CITADEL, OF_2021),
    ("POST /v1/link-access-tokens/", BETWEEN, OF_2023),
    ("POST /v1/link-access-tokens/", TODAY, OF_TODAY),
    ("POST /v1/link/reports/admin/", BETWEEN, OF_2023),
    ("POST /v1/link/reports/admin/", TODAY, OF_TODAY),
    ("DELETE /v1/link/{link_id}/", TODAY, "links::older_spellings_reach_the_same_link"),
    ("GET /v1/link/{link_id}/statements/", TODAY, "links::older_spellings_reach_the_same_link"),
    (
        "GET /v1/link/{link_id}/statements/{statement_id}/",
        TODAY,
        "links::older_spellings_reach_the_same_link",
    ),
    ("GET /v1/links/", TODAY, "other_clients::mcp_runs_unchanged"),
    ("POST /v1/links/reports/admin/", BETWEEN, OF_2023),
    ("POST /v1/links/reports/admin/", TODAY, OF_TODAY),
    ("POST /v1/links/reports/{kind}/", BETWEEN, OF_2023),
    ("DELETE /v1/links/{link_id}/", TODAY, "links::p22_a_deleted_link_is_erased"),
    ("GET /v1/links/{link_id}/", TODAY, "other_clients::demo_of_the_chain_runs_unchanged"),
    ("GET /v1/links/{link_id}/auth/", TODAY, "compatibility::products_that_are_not_here_are_refused"),
    ("GET /v1/links/{link_id}/balances/", TODAY, "compatibility::products_that_are_not_here_are_refused"),
    ("GET /v1/links/{link_id}/bank_accounts/", TODAY, "links::the_parts_are_those_of_the_report"),
    (
        "GET /v1/links/{link_id}/bank_statements/",
        TODAY,
        "compatibility::products_that_are_not_here_are_refused",
    ),
    ("GET /v1/links/{link_id}/employment/", TODAY, "links::the_parts_are_those_of_the_report"),
    ("GET /v1/links/{link_id}/employments/", TODAY, "links::the_parts_are_those_of_the_report"),
    ("GET /v1/links/{link_id}/identity/", TODAY, "links::the_parts_are_those_of_the_report"),
    (
        "GET /v1/links/{link_id}/income/transactions/reports/",
        TODAY,
        "compatibility::products_that_are_not_here_are_refused",
    ),
    (
        "GET /v1/links/{link_id}/insurance/auto/",
        TODAY,
        "compatibility::products_that_are_not_here_are_refused",
    ),
    (
        "GET /v1/links/{link_id}/insurance/home/",
        TODAY,
        "compatibility::products_that_are_not_here_are_refused",
    ),
    (
        "GET /v1/links/{link_id}/insurance/report/",
        TODAY,
        "compatibility::products_that_are_not_here_are_refused",
    ),
    ("GET /v1/links/{link_id}/investments/", TODAY, "compatibility::products_that_are_not_here_are_refused"),
    ("GET /v1/links/{link_id}/liabilities/", TODAY, "compatibility::products_that_are_not_here_are_refused"),
    ("GET /v1/links/{link_id}/shifts/", TODAY, "links::the_parts_are_those_of_the_report"),
    ("GET /v1/links/{link_id}/statements/", TODAY, "links::the_parts_are_those_of_the_report"),
    ("GET /v1/links/{link_id}/statements/{statement_id}/", TODAY, "links::the_parts_are_those_of_the_report"),
    ("GET /v1/links/{link_id}/tax/", TODAY, "links::the_parts_are_those_of_the_report"),
    ("GET /v1/links/{link_id}/tax/{tax_document_id}/", TODAY, "links::the_parts_are_those_of_the_report"),
    ("GET /v1/links/{link_id}/transactions/", TODAY, "other_clients::mcp_runs_unchanged"),
    ("GET /v1/links/{link_id}/{kind}/report/", TODAY, OF_TODAY),
    ("GET /v1/orders/", TODAY, "other_clients::probe_runs_unchanged"),
    ("POST /v1/orders/", TODAY, OF_TODAY),
    ("POST /v1/orders/lookup/", TODAY, "orders::an_order_number_of_somebody_else_finds_nothing"),
    ("GET /v1/orders/{order_id}/", TODAY, "other_clients::los_runs_unchanged"),
    ("PATCH /v1/orders/{order_id}/", TODAY, "orders::orders_are_changed_taken_back_asked_again_and_end"),
    ("POST /v1/orders/{order_id}/", TODAY, "other_clients::los_runs_unchanged"),
    (
        "POST /v1/orders/{order_id}/cancel/",
        TODAY,
        "orders::orders_are_changed_taken_back_asked_again_and_end",
    ),
    (
        "POST /v1/orders/{order_id}/employers/",
        TODAY,
        "orders::orders_are_changed_taken_back_asked_again_and_end",
    ),
    ("GET /v1/orders/{order_id}/events/", TODAY, "orders::an_order_goes_from_pending_to_completed"),
    ("POST /v1/orders/{order_id}/refresh/", TODAY, "other_clients::demo_of_orders_runs_unchanged"),
    ("POST /v1/paycheck-linked-loans/", CITADEL, OF_2021),
    ("POST /v1/paycheck-linked-loans/", BETWEEN, OF_2023),
    ("GET /v1/providers/", TODAY, "other_clients::demo_of_coverage_runs_unchanged"),
    ("GET /v1/providers/{provider_id}/", TODAY, "directory::providers_are_listed_by_page"),
    ("POST /v1/refresh/tasks/", CITADEL, OF_2021),
    ("POST /v1/refresh/tasks/", BETWEEN, OF_2023),
    ("POST /v1/refresh/tasks/", TODAY, OF_TODAY),
    ("GET /v1/refresh/tasks/{task_id}/", CITADEL, OF_2021),
    ("GET /v1/refresh/tasks/{task_id}/", BETWEEN, OF_2023),
    ("GET /v1/refresh/tasks/{task_id}/", TODAY, OF_TODAY),
    ("GET /v1/sandbox/clock/", OWN, "sandbox::a_clock_is_turned_on_and_never_back"),
    ("POST /v1/sandbox/clock/", OWN, "sandbox::a_clock_is_turned_on_and_never_back"),
    ("GET /v1/sandbox/faults/", OWN, "sandbox::faults_come_on_demand"),
    ("POST /v1/sandbox/faults/", OWN, "sandbox::faults_come_on_demand"),
    ("GET /v1/sandbox/ledger/", OWN, "ledger::scenarios_and_changes_of_pay_are_in_the_books"),
    ("POST /v1/sandbox/public-tokens/", OWN, "sandbox::every_login_of_the_contract_works_without_a_browser"),
    ("POST /v1/sandbox/reset/", OWN, "sandbox::a_reset_empties_the_sandbox_and_nothing_else"),
    ("GET /v1/sandbox/scenarios/", TODAY, "sandbox::scenarios_are_listed_changed_and_resolved"),
    ("POST /v1/sandbox/scenarios/", TODAY, "sandbox::a_scenario_is_a_person_of_ones_own"),
    ("POST /v1/sandbox/scenarios/resolve/", TODAY, "sandbox::scenarios_are_listed_changed_and_resolved"),
    ("DELETE /v1/sandbox/scenarios/{scenario_id}/", TODAY, "sandbox::a_scenario_is_a_person_of_ones_own"),
    ("GET /v1/sandbox/scenarios/{scenario_id}/", TODAY, "sandbox::scenarios_are_listed_changed_and_resolved"),
    (
        "PATCH /v1/sandbox/scenarios/{scenario_id}/",
        TODAY,
        "sandbox::scenarios_are_listed_changed_and_resolved",
    ),
    ("GET /v1/scoring_attributes/reports/", TODAY, "compatibility::products_that_are_not_here_are_refused"),
    ("POST /v1/scoring_attributes/reports/", TODAY, "compatibility::products_that_are_not_here_are_refused"),
    (
        "GET /v1/scoring_attributes/reports/{report_id}/",
        TODAY,
        "compatibility::products_that_are_not_here_are_refused",
    ),
    ("GET /v1/tasks/", TODAY, "other_clients::demo_of_the_chain_runs_unchanged"),
    ("GET /v1/tasks/{task_id}/", TODAY, "tasks::a_task_tells_how_it_went"),
    ("GET /v1/templates/", TODAY, "templates::a_template_is_kept_as_it_was_sent"),
    ("POST /v1/templates/", TODAY, "templates::a_template_is_kept_as_it_was_sent"),
    ("DELETE /v1/templates/{template_id}/", TODAY, "templates::a_template_is_kept_as_it_was_sent"),
    ("GET /v1/templates/{template_id}/", TODAY, "templates::a_template_is_kept_as_it_was_sent"),
    ("PATCH /v1/templates/{template_id}/", TODAY, "templates::a_template_is_kept_as_it_was_sent"),
    ("GET /v1/users/", TODAY, "other_clients::mcp_runs_unchanged"),
    ("POST /v1/users/", BETWEEN, OF_2023),
    ("POST /v1/users/", TODAY, OF_TODAY),
    ("DELETE /v1/users/{user_id}/", TODAY, "orders::users_are_made_found_changed_and_erased"),
    ("GET /v1/users/{user_id}/", TODAY, "other_clients::mcp_runs_unchanged"),
    ("PATCH /v1/users/{user_id}/", TODAY, "orders::users_are_made_found_changed_and_erased"),
    ("GET /v1/users/{user_id}/assets/reports/", TODAY, "other_clients::demo_of_orders_runs_unchanged"),
    ("POST /v1/users/{user_id}/assets/reports/", TODAY, "other_clients::demo_of_orders_runs_unchanged"),
    (
        "GET /v1/users/{user_id}/assets/reports/{report_id}/",
        TODAY,
        "compatibility::products_that_are_not_here_are_refused",
    ),
    ("GET /v1/users/{user_id}/deposit_switch/report/", TODAY, "other_clients::demo_of_bridge_runs_unchanged"),
    (
        "GET /v1/users/{user_id}/income_insights/reports/",
        TODAY,
        "other_clients::demo_of_orders_runs_unchanged",
    ),
    (
        "POST /v1/users/{user_id}/income_insights/reports/",
        TODAY,
        "other_clients::demo_of_orders_runs_unchanged",
    ),
    (
        "GET /v1/users/{user_id}/income_insights/reports/{report_id}/",
        TODAY,
        "compatibility::products_that_are_not_here_are_refused",
    ),
    ("POST /v1/users/{user_id}/reports/", TODAY, "other_clients::demo_of_orders_runs_unchanged"),
    ("GET /v1/users/{user_id}/reports/{report_id}/", TODAY, "other_clients::demo_of_orders_runs_unchanged"),
    ("POST /v1/users/{user_id}/tokens/", BETWEEN, OF_2023),
    ("POST /v1/users/{user_id}/tokens/", TODAY, OF_TODAY),
    ("POST /v1/verifications/employments/", CITADEL, OF_2021),
    ("POST /v1/verifications/incomes/", CITADEL, OF_2021),
    ("GET /v1/webhook-requests/", TODAY, "events::p32_attempts_are_listed_page_by_page_for_30_days"),
    ("GET /v1/webhooks/", TODAY, "other_clients::demo_of_webhooks_runs_unchanged"),
    ("POST /v1/webhooks/", TODAY, "other_clients::demo_of_webhooks_runs_unchanged"),
    ("DELETE /v1/webhooks/{webhook_id}/", TODAY, "other_clients::demo_of_webhooks_runs_unchanged"),
    ("GET /v1/webhooks/{webhook_id}/", TODAY, "webhooks::an_endpoint_is_registered_read_changed_and_removed"),
    (
        "PATCH /v1/webhooks/{webhook_id}/",
        TODAY,
        "webhooks::an_endpoint_is_registered_read_changed_and_removed",
    ),
    (
        "POST /v1/webhooks/{webhook_id}/rotate-secret/",
        OWN,
        "webhooks::an_endpoint_is_registered_read_changed_and_removed",
    ),
];

const HEAD: &str = "# Compatibility

For whoever has an app for Citadel or Truv and wants to know whether what it calls is here. The test suite writes this page
(`CITADEL_WRITE_DOCS=1 cargo nextest run compatibility`) and fails when it is not so: a test that no longer sends a call that
stands here for it, or that plays a client of an era and sends one that does not, is red.

`2021` is Citadel v1 as the quickstarts of December 2021 call it, `2023` the forms between January and April 2023, `today` Truv v1.
`own` are calls that only this server has. Every route answers with and without its last slash. The quickstarts of each era are
played call by call in `tests/it/clients.rs`, in the forms of five languages, and other published clients in
`tests/it/other_clients.rs`.

| Call | Era | Answer | Test |
|---|---|---|---|
";

const TAIL: &str = "
`/v1/companies-autocomplete-search/`, `/v1/link/reports/admin/` and `/v1/link/{link_id}/…` are older spellings of the same calls.

`403` is `not_authenticated`: insurance, scoring, bank transactions, assets and income insights are not enabled. Documents that
people upload (`/v1/documents/…`), certifications and invoices of orders answer 404.
";

/// The eras that a test plays; what such a test sends must stand on the page.
fn era_of(test: &str) -> Option<&'static str> {
    match test {
        OF_2021 => Some(CITADEL),
        OF_2023 => Some(BETWEEN),
        OF_TODAY => Some(TODAY),
        _ => test.starts_with("other_clients::").then_some(TODAY),
    }
}

/// Routes that are not in the API document, because nothing but a refusal can be had.
fn is_not_enabled(path: &str) -> bool {
    const OF_LINKS: [&str; 10] = [
        "auth",
        "balances",
        "bank_statements",
        "transactions",
        "investments",
        "liabilities",
        "income/transactions/reports",
        "insurance/report",
        "insurance/auto",
        "insurance/home",
    ];
    let of_link = path.strip_prefix("/v1/links/{link_id}/").and_then(|rest| rest.strip_suffix('/'));
    path.starts_with("/v1/scoring_attributes/")
        || path.starts_with("/v1/users/{user_id}/assets/")
        || path.starts_with("/v1/users/{user_id}/income_insights/")
        || of_link.is_some_and(|rest| OF_LINKS.contains(&rest))
}

/// Older spellings, which are not in the API document either.
fn is_alias(path: &str) -> bool {
    path.starts_with("/v1/link/") || path == "/v1/companies-autocomplete-search/"
}

/// The name of the test that runs, as `file::name`.
fn running_test() -> String {
    let name = match std::thread::current().name() {
        // A runner that asks for one test alone gets it on the first thread.
        None | Some("main") => std::env::args().skip_while(|word| word != "--exact").nth(1),
        Some(name) => Some(name.to_owned()),
    };
    name.expect("a test has a name")
}

/// The route of the table that a call is for.
fn route_of(method: &Method, path: &str) -> Option<&'static str> {
    let sent: Vec<_> = path.trim_matches('/').split('/').collect();
    let fits = ROWS.iter().filter_map(|(route, ..)| {
        let (known, template) = route.split_once(' ')?;
        let parts: Vec<_> = template.trim_matches('/').split('/').collect();
        let is_open: Vec<_> = parts.iter().map(|part| part.starts_with('{')).collect();
        let same = |((part, is_open), sent): ((&&str, &bool), &&str)| *is_open || part == sent;
        let fits = known == method.as_str()
            && parts.len() == sent.len()
            && parts.iter().zip(&is_open).zip(&sent).all(same);
        fits.then_some((is_open, *route))
    });
    // As the router does: a written part goes before an open one.
    fits.min().map(|(_, route)| route)
}

/// What a test has sent to one server. Held against the table when the server goes.
#[derive(Default)]
pub(crate) struct Sent(Mutex<BTreeSet<&'static str>>);

impl Sent {
    pub(crate) fn note(&self, method: &Method, path: &str, status: StatusCode) {
        let Some(route) = route_of(method, path) else { return };
        let is_refused = is_not_enabled(route.split_once(' ').unwrap().1) && status == StatusCode::FORBIDDEN;
        if status.is_success() || is_refused {
            self.0.lock().unwrap().insert(route);
        }
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let (test, sent) = (running_test(), self.0.lock().unwrap());
        let problems = problems(&test, &sent);
        assert!(problems.is_empty(), "{test}: {problems:#?}");
    }
}

/// What is wrong with the table, by what a test has sent.
fn problems(test: &str, sent: &BTreeSet<&str>) -> Vec<String> {
    let promised = ROWS.iter().filter(|(route, _, of)| *of == test && !sent.contains(route));
    let mut problems: Vec<_> = promised
        .map(|(route, era, _)| {
            format!("{route} was not sent, which docs/compatibility.md has this test do for {era}")
        })
        .collect();
    if let Some(era) = era_of(test) {
        let is_known =
            |sent: &str| ROWS.iter().any(|(route, of, _)| *route == sent && [era, OWN].contains(of));
        let extra = sent.iter().filter(|route| !is_known(route));
        problems.extend(extra.map(|route| format!("{route} was sent and has no row for {era}")));
    }
    problems
}

/// A test that stops sending a route, and a client that sends more than the page says, are both found.
#[test]
fn a_row_without_its_call_and_a_call_without_its_row_are_found() {
    let mut sent: BTreeSet<_> =
        ROWS.iter().filter(|(_, _, test)| *test == OF_2023).map(|(route, ..)| *route).collect();
    assert_eq!(problems(OF_2023, &sent), Vec::<String>::new());
    sent.remove("POST /v1/links/reports/{kind}/");
    assert!(problems(OF_2023, &sent)[0].starts_with("POST /v1/links/reports/{kind}/ was not sent"));
    sent.insert("POST /v1/links/reports/{kind}/");
    sent.insert("GET /v1/tasks/");
    assert_eq!(problems(OF_2023, &sent), ["GET /v1/tasks/ was sent and has no row for 2023"]);
    assert_eq!(problems("widget::nothing", &sent), Vec::<String>::new());
}

#[tokio::test]
async fn the_page_of_compatibility_is_true() {
    assert_eq!(running_test(), "compatibility::the_page_of_compatibility_is_true");
    let app = TestApp::on_sqlite().await;
    let document = app.get("/openapi.json").await.json();
    let mut missing: BTreeMap<String, bool> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            missing.insert(format!("{} {path}", method.to_uppercase()), true);
        }
    }
    let (mut page, mut seen) = (HEAD.to_owned(), BTreeSet::new());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (route, era, test) in ROWS {
        assert!(seen.insert((route, era)), "{route} stands there twice for {era}");
        let path = route.split_once(' ').unwrap().1;
        match missing.get_mut(*route) {
            Some(is_missing) => *is_missing = false,
            None => assert!(is_alias(path) || is_not_enabled(path), "{route} is not there any more"),
        }
        let (file, name) = test.split_once("::").unwrap();
        let text = fs::read_to_string(folder.join(format!("tests/it/{file}.rs"))).unwrap();
        assert!(text.contains(&format!("async fn {name}()")), "there is no test {test}");
        let answer = if is_not_enabled(path) { "403" } else { "served" };
        writeln!(page, "| `{route}` | {era} | {answer} | `{test}` |").unwrap();
    }
    let missing: Vec<_> = missing.into_iter().filter_map(|(route, is)| is.then_some(route)).collect();
    assert!(missing.is_empty(), "say which test sends {missing:?}");
    page.push_str(TAIL);
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

/// A literal goes before a parameter, and a path that nothing serves is no route.
#[test]
fn calls_find_their_rows() {
    let check = |method: Method, path: &str, expected: Option<&str>| {
        assert_eq!(route_of(&method, path), expected, "{method} {path}");
    };
    check(Method::POST, "/v1/links/reports/admin", Some("POST /v1/links/reports/admin/"));
    check(Method::POST, "/v1/links/reports/ppl/", Some("POST /v1/links/reports/{kind}/"));
    check(Method::POST, "/v1/orders/lookup/", Some("POST /v1/orders/lookup/"));
    check(Method::POST, "/v1/orders/ab", Some("POST /v1/orders/{order_id}/"));
    check(Method::GET, "/v1/links/ab/income/report", Some("GET /v1/links/{link_id}/{kind}/report/"));
    check(Method::GET, "/v1/links/ab/insurance/report/", Some("GET /v1/links/{link_id}/insurance/report/"));
    check(Method::PUT, "/v1/orders/ab", None);
    check(Method::GET, "/v1/nothing/", None);
}

/// Banks, assets, income insights, insurance and scores are refused in the contract's shape, and to the owner only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_that_are_not_here_are_refused() {
    crate::support::for_each_db(async |app| {
        let client = app.client("acme").await;
        let user = client.user("somebody").await;
        let (link, _) = client.link_of(&user, "income").await;
        let routes: BTreeSet<_> = ROWS.iter().map(|(route, ..)| route.split_once(' ').unwrap()).collect();
        for (method, template) in routes.into_iter().filter(|(_, path)| is_not_enabled(path)) {
            let path = template.replace("{link_id}", &link).replace("{user_id}", &user);
            let path = path.replace("{report_id}", &"0".repeat(32));
            for path in [&path[..], path.trim_end_matches('/')] {
                let request = client.request(method.parse().unwrap(), path);
                let reply = app.send(request.body(Body::empty()).unwrap()).await;
                assert_eq!(reply.status, StatusCode::FORBIDDEN, "{method} {path}: {reply:?}");
                assert_eq!(reply.code(), "not_authenticated", "{method} {path}");
            }
        }
    })
    .await;
}

/// Every call of a client's back end, in both spellings: no key, the id alone and the secret alone are a 401 in the contract's
/// shape, before anything else is looked at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p01_no_call_is_answered_without_a_key() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let (id, secret) = (client.id.to_string(), client.secret.clone());
    let mut routes: BTreeSet<(String, String)> = BTreeSet::new();
    for (path, item) in app.get("/openapi.json").await.json()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            // None says that it is open to all.
            assert!(operation.get("security").is_none(), "{method} {path}");
            routes.insert((method.to_uppercase(), path.clone()));
        }
    }
    for (route, ..) in ROWS {
        let (method, path) = route.split_once(' ').unwrap();
        routes.insert((method.to_owned(), path.to_owned()));
    }
    for (method, path) in &routes {
        let path = path.replace(['{', '}'], "");
        for path in [&path[..], path.trim_end_matches('/')] {
            let keys: [&[(&str, &str)]; 3] =
                [&[], &[("X-Access-Client-Id", &id)], &[("X-Access-Secret", &secret)]];
            for key in keys {
                let mut request = Request::builder().method(method.as_str()).uri(path);
                for (name, value) in key {
                    request = request.header(*name, *value);
                }
                let request = request.header("Content-Type", "application/json").body(Body::from("[]"));
                let reply = app.send(request.unwrap()).await;
                assert_eq!(
                    reply.status,
                    StatusCode::UNAUTHORIZED,
                    "{method} {path} with {} header",
                    key.len()
                );
                assert!(reply.header("content-type").starts_with("application/json"), "{method} {path}");
                let error = &reply.json()["error"];
                assert_eq!(error["code"], json!("authentication_failed"), "{method} {path}");
                assert!(error["message"].is_string(), "{method} {path}: {reply:?}");
            }
        }
    }
}
