//! What fuzzers throw bytes at (P63): one plain function for each door through which a stranger's bytes come in, and what must
//! hold behind it. A target fails by panicking.
//!
//! `make fuzz` runs them under libFuzzer, which looks for new paths through the code; the tests below run the same functions
//! over the seeds in `fuzz/seeds/` and a fixed number of variations. An input that was ever wrong becomes a seed.

use std::{
    future::Future,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, Waker},
};

use axum::{
    body::Body as HttpBody,
    extract::{FromRequest, Request},
    http::header,
};
use citadel_api_types::{
    access_tokens::CreateAccessToken,
    bridge_tokens::CreateBridgeToken,
    orders::CreateOrder,
    sandbox::CreateSandboxPublicToken,
    users::CreateUser,
    webhook_endpoints::{CreateWebhook, UpdateWebhook},
};
use citadel_connectors::{
    AuthInput, AuthNext, Connector as _, Cx, Invented, Login, MemoryBooks, Phase, Want,
    sandbox::{
        Sandbox,
        scenario::{self, Kept},
    },
};
use citadel_domain::{
    AccessKeyId, ClientId, Environment, EventId, Product, Secret, SeededRandom, payroll::PayrollData, tokens,
};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    api,
    body::{self, Body},
    calls,
    ledger_export::{Days, Format, Pay},
    outbound::Rules,
    search::{self, CompanyIndex, CompanyRecord},
    webhooks::retries,
};

/// A target.
pub type Target = fn(&[u8]);

/// Every target, by the name of its folder of seeds, with how many variations a test tries: some take a thousand times
/// longer than others.
pub const TARGETS: &[(&str, Target, usize)] = &[
    ("url", url, 20_000),
    ("body", request_body, 20_000),
    ("scenario", sandbox_scenario, 600),
    ("document", document, 12),
    ("token", token, 20_000),
    ("header", retry_after, 20_000),
    ("query", query, 1_500),
];

const NOW: &str = "2026-11-23T12:00:00Z";

/// The address of a webhook endpoint (P33).
pub fn url(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let listeners: Vec<SocketAddr> = vec![([127, 0, 0, 1], 8700).into(), ([127, 0, 0, 1], 8702).into()];
    let local = Rules::new(listeners.clone(), "http://127.0.0.1:8700".to_owned());
    let public = Rules::new(listeners, "https://citadel.example.com".to_owned());
    for environment in [Environment::Sandbox, Environment::Dev, Environment::Prod] {
        assert!(!public.leads_inside(&text, environment), "a public server would call itself: {text:?}");
        let may = environment == Environment::Sandbox;
        assert!(may || !local.leads_inside(&text, environment), "{environment} leads inside: {text:?}");
    }
}

/// The body of a request. The first byte says how it is sent.
pub fn request_body(bytes: &[u8]) {
    let Some((kind, sent)) = bytes.split_first() else { return };
    calls::check_mask(sent);
    if body::check_strict(sent).is_ok() {
        let value = serde_json::from_slice::<Value>(sent);
        assert!(value.is_ok_and(|value| value.is_object()), "no object passed for one: {sent:?}");
    }
    let content_type = match kind % 4 {
        0 | 1 => "application/json",
        2 => "application/x-www-form-urlencoded",
        _ => "multipart/form-data; boundary=X",
    };
    read_as::<CreateBridgeToken>(content_type, sent);
    read_as::<CreateOrder>(content_type, sent);
    read_as::<CreateUser>(content_type, sent);
    read_as::<CreateAccessToken>(content_type, sent);
    read_as::<CreateSandboxPublicToken>(content_type, sent);
    read_as::<CreateWebhook>(content_type, sent);
    read_as::<UpdateWebhook>(content_type, sent);
}

fn read_as<T: DeserializeOwned>(content_type: &str, sent: &[u8]) {
    let request = Request::builder().header(header::CONTENT_TYPE, content_type);
    let request = request.body(HttpBody::from(sent.to_vec())).expect("a request");
    if let Err(refusal) = runtime().block_on(Body::<T>::from_request(request, &())) {
        let status = axum::response::IntoResponse::into_response(refusal).status();
        assert!(status.is_client_error(), "{status}: {sent:?}");
    }
}

fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime can be made")
    })
}

/// A scenario of the sandbox: what the provider's data is parsed from, read, kept, signed in to and fetched.
pub fn sandbox_scenario(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(json) = serde_json::from_str::<Value>(&text) else { return };
    match scenario::read(&json) {
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason: {text}");
            for problem in problems {
                scenario::line_of(&text, &problem.field);
            }
        }
        Ok(_) => {
            fetch(&json);
        }
    }
}

/// What a sign-in to a scenario brings. `None` when there is none.
fn fetch(json: &Value) -> Option<PayrollData> {
    let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    let invented = Invented { id: "1".to_owned(), json: Secret::new(json.to_string()) };
    Kept::new(json.clone()).on("2026-11-23".parse().expect("a day"))?;
    let cx = Cx {
        now: NOW.parse().expect("an instant"),
        today: "2026-11-23".parse().expect("a day"),
        tries: 1,
        faults: Vec::new(),
        environment: Environment::Sandbox,
        provider_id: json["provider_id"].as_str().unwrap_or("truv").to_owned(),
        employer_name: None,
        product: Product::Income,
        books: Arc::new(MemoryBooks::with_scenarios(vec![(text("username"), invented)])),
    };
    let fields = ["username", "password"].map(|name| (name.to_owned(), Secret::new(text(name))));
    let sandbox = Sandbox::new();
    let signed = at_once(sandbox.auth(&cx, AuthInput::Login(Login(fields.into_iter().collect()))));
    let Ok(AuthNext::Ready(grant)) = signed else { return None };
    at_once(sandbox.fetch(&cx, &grant, Want { phase: Phase::Deep })).ok()
}

/// The sandbox's provider lives in this program, and never waits.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(ready) => ready,
        Poll::Pending => panic!("the sandbox's provider waits for something"),
    }
}

/// Texts of a provider, drawn as documents and written into books. Each line of the input takes a place on the page.
pub fn document(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines =
        text.lines().chain(std::iter::repeat("")).map(|line| line.chars().take(500).collect::<String>());
    let mut next = || lines.next().unwrap_or_default();
    let json = json!({
        "data_source": "payroll", "label": "fuzz", "username": "fuzz", "password": "fuzz",
        "payload": {"employments": [{
            "job_title": next(), "job_type": "F", "start_date": "2024-01-08", "is_active": true, "income": "21.50",
            "income_unit": "HOURLY", "pay_frequency": "M",
            "profile": {
                "first_name": next(), "last_name": next(), "middle_initials": next(), "email": next(), "ssn": "937172237",
                "home_address": {"street": next(), "city": next(), "state": next(), "zip": next(), "country": "US"},
            },
            "company": {"name": next(), "ein": next(), "phone": next()},
            "statements": [{
                "pay_date": "2026-10-30", "period_start": "2026-10-01", "period_end": "2026-10-31",
                "gross_pay": "100.00", "net_pay": "80.00", "check_number": next(), "basis_of_pay": "H",
                "earnings": [{"name": next(), "amount": "100.00"}, {"name": next(), "amount": "-0.01"}],
                "deductions": [{"name": next(), "amount": "20.00"}],
            }],
            "w2s": [{"year": 2025, "wages": "1000.00"}],
        }]},
    });
    if scenario::read(&json).is_err() {
        return;
    }
    let Some(data) = fetch(&json) else { return };
    for job in &data.employments {
        for statement in &job.statements {
            let pdf = citadel_documents::statement_pdf(job, statement, Some(&next())).expect("a statement");
            assert!(pdf.starts_with(b"%PDF-"), "no PDF");
        }
        for w2 in &job.w2s {
            citadel_documents::w2_pdf(job, w2, None).expect("a W-2");
        }
    }
    let pay = Pay::of_person(data.employments);
    pay.write(Format::Beancount, Days::default());
    pay.write(Format::Hledger, Days::default());
    for line in pay.write(Format::Csv, Days::default()).lines() {
        assert!(!line.starts_with(['=', '+', '-', '@']), "a formula for a spreadsheet: {line}");
    }
}

/// Tokens, secrets and ids, as they come in headers and paths.
pub fn token(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if tokens::access_secret_environment(&text).is_some() {
        assert!(text.is_ascii(), "a secret of other characters: {text:?}");
    }
    if tokens::is_token(&text) {
        assert_eq!(text.len(), 32, "{text:?}");
    }
    tokens::has_valid_checksum(&text);
    if let Ok(id) = text.parse::<ClientId>() {
        assert_eq!(id.to_string(), text, "an id in two spellings");
    }
    let _ = text.parse::<AccessKeyId>();
    let _ = text.parse::<EventId>();
    let _ = text.parse::<Environment>();
    let _ = text.parse::<Product>();
}

/// `Retry-After` of a webhook endpoint. The first byte is how often it was tried.
pub fn retry_after(bytes: &[u8]) {
    let Some((failures, text)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    let now: Timestamp = NOW.parse().expect("an instant");
    let failures = i64::from(failures % 12);
    let random = SeededRandom::new(1);
    let next = retries::next_attempt(failures, Some(&text), now, &random);
    let without = retries::next_attempt(failures, None, now, &SeededRandom::new(1));
    assert_eq!(next.is_some(), without.is_some(), "a receiver decides whether it is tried again: {text:?}");
    if let (Some(next), Some(without)) = (next, without) {
        // The wait is up to a fifth shorter than planned, and twice the plan at the most.
        let (asked, planned) = (next.duration_since(now), without.duration_since(now));
        assert!(asked >= planned && asked <= planned * 3, "{text:?}: {asked} in place of {planned}");
    }
}

/// What stands in a query: a word to search for, pages and times.
pub fn query(bytes: &[u8]) {
    static INDEX: OnceLock<CompanyIndex> = OnceLock::new();
    let index = INDEX.get_or_init(|| {
        CompanyIndex::new(search::data::companies().into_iter().map(|row| CompanyRecord {
            id: row.id,
            name: row.name,
            domain: row.domain,
            synonyms: row.synonyms,
            popularity: row.popularity,
        }))
    });
    let text = String::from_utf8_lossy(bytes);
    let hits = index.search(&text, 20);
    assert!(hits.len() <= 20, "{} hits for {text:?}", hits.len());
    assert!(hits.iter().all(|hit| (0.0..=1.0).contains(&hit.confidence)), "{hits:?} for {text:?}");
    search::matches_provider(&text, "ADP Workforce Now", "adp", "adp.com");
    let text = Some(text.as_ref());
    let owned = text.map(str::to_owned);
    if let Ok(asked) = api::PageAsked::read(&owned, &owned) {
        assert!(asked.offset() >= 0 && asked.size > 0, "{text:?}");
    }
    let _ = api::optional_time("created_at__gte", text);
    let _ = api::time_range(text, text);
}

#[cfg(test)]
#[path = "../../../fuzz/driver.rs"]
mod driver;

#[cfg(test)]
mod tests {
    use super::{TARGETS, driver};

    fn fuzz(name: &str) {
        let (_, target, variations) = TARGETS.iter().find(|(known, ..)| *known == name).expect("a target");
        driver::fuzz(name, *target, *variations);
    }

    #[test]
    fn p63_no_address_breaks_the_guard() {
        fuzz("url");
    }

    #[test]
    fn p63_no_body_breaks_a_request() {
        fuzz("body");
    }

    #[test]
    fn p63_no_scenario_breaks_the_sandbox() {
        fuzz("scenario");
    }

    #[test]
    fn p63_no_text_breaks_a_document() {
        fuzz("document");
    }

    #[test]
    fn p63_no_token_breaks_its_reader() {
        fuzz("token");
    }

    #[test]
    fn p63_no_wish_of_a_receiver_breaks_the_retries() {
        fuzz("header");
    }

    #[test]
    fn p63_no_query_breaks_a_search() {
        fuzz("query");
    }
}
