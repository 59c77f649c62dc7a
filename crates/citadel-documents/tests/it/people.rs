//! The people whose documents are drawn: everybody of the sandbox whom breaking things is hoped from.

use std::{collections::BTreeMap, sync::Arc};

use citadel_connectors::{
    AuthInput, AuthNext, Connector, Cx, Login, MemoryBooks, Phase, Want,
    sandbox::{self, Sandbox},
};
use citadel_documents::{
    Consent, Request, Source, SourcedEmployment, Subject, Verification, VerificationKind,
};
use citadel_domain::{Environment, Product, Secret, payroll::PayrollData};
use jiff::civil::date;

/// The invented people with good passwords.
const ORDINARY: [&str; 9] = [
    "goodlogin",
    "goodlogin.weekly",
    "goodlogin.semimonthly",
    "goodlogin.monthly",
    "goodlogin.tn1",
    "goodlogin.tn2",
    "fulltime",
    "hourly.part-time",
    "goodlogin.slowbank",
];

/// Everybody's user name.
pub(crate) fn everybody() -> impl Iterator<Item = &'static str> {
    ORDINARY.into_iter().chain(sandbox::ugly_pack().iter().map(|ugly| ugly.username.as_str()))
}

/// Everything that a sign-in shows.
pub(crate) async fn read(username: &str) -> PayrollData {
    let cx = Cx {
        now: "2026-11-23T12:00:00Z".parse().expect("an instant"),
        today: date(2026, 11, 23),
        tries: 1,
        faults: Vec::new(),
        environment: Environment::Sandbox,
        provider_id: "adp".to_owned(),
        employer_name: Some("Facebook Demo".to_owned()),
        product: Product::Income,
        books: Arc::new(MemoryBooks::default()),
    };
    let typed = [("username", username), ("password", sandbox::UGLY_PASSWORD)];
    let login: BTreeMap<_, _> = typed.map(|(name, value)| (name.to_owned(), Secret::new(value))).into();
    let grant = match Sandbox::new().auth(&cx, AuthInput::Login(Login(login))).await {
        Ok(AuthNext::Ready(grant)) => grant,
        other => panic!("{username}: {other:?}"),
    };
    Sandbox::new().fetch(&cx, &grant, Want { phase: Phase::Deep }).await.expect("data")
}

pub(crate) fn request() -> Request {
    Request {
        report_id: "3f2a9c0d4b1e4f6a8c7d5e9b0a1c2d3e".to_owned(),
        requested_by: "Cedar Hill Home Loans".to_owned(),
        created_at: "2026-11-23T14:05:09Z".parse().expect("an instant"),
        consent: Some(Consent {
            given_at: "2026-11-22T13:58:00Z".parse().expect("an instant"),
            products: vec![Product::Income, Product::Employment],
            holds_until: Some("2027-11-22T13:58:00Z".parse().expect("an instant")),
            how_to_stop: "Open https://citadel.example/consent/ and choose Stop sharing.".to_owned(),
        }),
        is_masked: false,
    }
}

pub(crate) fn subject(data: &PayrollData) -> Subject {
    let person = data.employments.first().map(|job| &job.person);
    Subject {
        name: person.map(|person| format!("{} {}", person.first_name, person.last_name)).unwrap_or_default(),
        ssn: person.and_then(|person| person.ssn.clone()),
        date_of_birth: person.and_then(|person| person.date_of_birth),
    }
}

pub(crate) fn verification(kind: VerificationKind, data: PayrollData) -> Verification {
    Verification {
        kind,
        request: request(),
        person: subject(&data),
        sources: vec![Source {
            provider_name: "ADP".to_owned(),
            data_source: "payroll".to_owned(),
            read_at: Some("2026-11-23T14:01:00Z".parse().expect("an instant")),
            tracking_info: Some("loan 4711-B".to_owned()),
            employments: data.employments.into_iter().map(SourcedEmployment::from).collect(),
        }],
    }
}
