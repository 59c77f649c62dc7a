//! Forms, second factors, company codes, API keys and renewals.

use citadel_connectors::{
    AuthInput, AuthNext, Connector, ConnectorError, Cx, Grant, OTHER_METHOD, Phase, Session, Step, Want,
    sandbox::Sandbox,
};
use citadel_domain::{Product, Secret};
use jiff::SignedDuration;

use crate::support::{API_KEY, NOW, auth, cx, everything, for_product, grant, login, typed, words};

fn fields(
    provider_id: &str,
    product: Product,
) -> (Option<&'static str>, Vec<(&'static str, Vec<&'static str>)>) {
    let form = Sandbox::new().login_form(provider_id, product);
    let names = |way: &citadel_connectors::LoginWay| way.fields.iter().map(|field| field.name).collect();
    let ways = form.ways.iter().map(|way| (way.label, names(way))).collect();
    (form.organization.map(|field| field.name), ways)
}

#[test]
fn administrators_may_bring_a_key_and_some_providers_ask_for_a_company_code() {
    let password = ("Username and password", vec!["username", "password"]);
    let key = ("API key", vec!["api_key"]);
    for product in Product::ALL {
        let ways = match product {
            Product::Admin => vec![key.clone(), password.clone()],
            Product::Fas => vec![password.clone(), key.clone()],
            _ => vec![password.clone()],
        };
        for provider_id in ["truv", "adp", "infor", "prismhr", "isolved"] {
            let code = matches!(provider_id, "infor" | "prismhr" | "isolved").then_some("organization_id");
            assert_eq!(fields(provider_id, product), (code, ways.clone()), "{provider_id} {product}");
        }
    }
    let form = Sandbox::new().login_form("infor", Product::Admin);
    let described =
        |field: &citadel_connectors::LoginField| (field.label, field.is_secret, field.autocomplete);
    assert_eq!(described(&form.ways[0].fields[0]), ("API key", true, "off"));
    assert_eq!(form.organization.as_ref().map(described), Some(("Company code", false, "organization")));
}

#[tokio::test]
async fn the_published_key_opens_the_administrators_products_alone() {
    for product in Product::ALL {
        let right = auth(&for_product(product), typed(&[("api_key", API_KEY)])).await;
        let is_administrators = matches!(product, Product::Admin | Product::Fas);
        assert_eq!(matches!(right, Ok(AuthNext::Ready(_))), is_administrators, "{product}: {right:?}");
        for key in ["", "goodpassword", "skx8ltnyrliw4syk8xfkrwot5ogqbnulypqdsqd"] {
            let wrong = auth(&for_product(product), typed(&[("api_key", key)])).await;
            assert_eq!(wrong.unwrap_err(), ConnectorError::LoginRejected, "{product} {key}");
        }
        let person = auth(&for_product(product), login("goodlogin", "goodpassword")).await;
        assert!(matches!(person, Ok(AuthNext::Ready(_))), "{product}: {person:?}");
    }
}

#[tokio::test]
async fn any_company_code_but_unknown_is_right_where_one_is_asked_for() {
    let with_code = async |provider_id: &str, code: &str| {
        let cx = Cx { provider_id: provider_id.to_owned(), ..cx(NOW) };
        let fields = [("organization_id", code), ("username", "goodlogin"), ("password", "goodpassword")];
        auth(&cx, typed(&fields)).await
    };
    for provider_id in ["infor", "prismhr", "isolved"] {
        assert!(matches!(with_code(provider_id, "ACME-7").await, Ok(AuthNext::Ready(_))), "{provider_id}");
        for code in ["unknown", " Unknown "] {
            assert_eq!(
                words(with_code(provider_id, code).await),
                "We do not know a company with the code unknown. Ask your employer for the code, then try again."
            );
        }
    }
    assert!(matches!(with_code("adp", "unknown").await, Ok(AuthNext::Ready(_))), "nobody asked");
}

async fn ask(password: &str) -> (Step, Session) {
    match auth(&cx(NOW), login("goodlogin", password)).await {
        Ok(AuthNext::Need { step, session }) => (step, session),
        other => panic!("{password}: {other:?}"),
    }
}

async fn answer(session: &Session, answer: &str) -> Result<AuthNext, ConnectorError> {
    auth(&cx(NOW), AuthInput::Answer { session: session.clone(), answer: Secret::new(answer) }).await
}

async fn resume(now: &str, session: &Session) -> Result<AuthNext, ConnectorError> {
    auth(&cx(now), AuthInput::Resume { session: session.clone() }).await
}

async fn check_is_john_doe(next: Result<AuthNext, ConnectorError>) {
    let Ok(AuthNext::Ready(grant)) = next else { panic!("{next:?}") };
    let data = Sandbox::new().fetch(&cx(NOW), &grant, Want { phase: Phase::Deep }).await.expect("data");
    assert_eq!(data, everything("goodlogin").await);
}

#[tokio::test]
async fn the_first_pet_was_rex() {
    let (step, session) = ask("mfa.question").await;
    assert_eq!(step, Step::Question { label: "What was the name of your first pet?".to_owned() });
    for right in ["rex", "Rex", " REX\n"] {
        check_is_john_doe(answer(&session, right).await).await;
    }
    for wrong in ["", "rexx", "12345", "r e x"] {
        assert_eq!(answer(&session, wrong).await.unwrap_err(), ConnectorError::MfaRejected, "{wrong}");
    }
}

fn check_is_the_choice(step: Step) {
    let Step::Choice { label, options } = step else { panic!("{step:?}") };
    let options: Vec<_> = options.iter().map(|option| (option.id.as_str(), option.label.as_str())).collect();
    assert_eq!(label, "Where should we send your code?");
    assert_eq!(options, [("sms", "•••-•••-1111"), ("email", "g•••••••n@domain.com")]);
}

#[tokio::test]
async fn a_code_goes_where_the_person_chose() {
    let (step, session) = ask("mfa.choice").await;
    check_is_the_choice(step);
    for (option, masked) in [("sms", "•••-•••-1111"), ("email", "g•••••••n@domain.com")]
    {
        let Ok(AuthNext::Need { step, session }) = answer(&session, option).await else { panic!("{option}") };
        let label = "Enter the 5-digit code that we sent you".to_owned();
        assert_eq!(step, Step::Code { label, destination: Some(masked.to_owned()) });
        check_is_john_doe(answer(&session, "12345").await).await;
        assert_eq!(answer(&session, "12346").await.unwrap_err(), ConnectorError::MfaRejected);
    }
    for wrong in ["", "SMS", "phone", "12345"] {
        assert_eq!(answer(&session, wrong).await.unwrap_err(), ConnectorError::MfaRejected, "{wrong}");
    }
}

#[tokio::test]
async fn a_phone_approves_or_denies_after_four_seconds() {
    for (password, is_approved) in [("mfa.push", true), ("mfa.push_denied", false)] {
        let (asked, session) = ask(password).await;
        assert!(matches!(asked, Step::Push { has_other: true, .. }), "{asked:?}");
        let Ok(AuthNext::Need { step, session }) = resume("2026-11-23T12:00:03.999Z", &session).await else {
            panic!("{password}: not asked any more")
        };
        assert_eq!(step, asked);
        let then = resume("2026-11-23T12:00:04Z", &session).await;
        if is_approved {
            check_is_john_doe(then).await;
        } else {
            assert_eq!(then.unwrap_err(), ConnectorError::MfaRejected);
        }
        let Ok(AuthNext::Need { step, .. }) = answer(&session, OTHER_METHOD).await else {
            panic!("{password}")
        };
        check_is_the_choice(step);
        assert_eq!(answer(&session, "yes").await.unwrap_err(), ConnectorError::MfaRejected);
    }
}

#[tokio::test]
async fn an_input_that_does_not_fit_the_step_is_unexpected() {
    for password in ["mfa", "mfa.question", "mfa.choice"] {
        let (_, session) = ask(password).await;
        let error = resume(NOW, &session).await.unwrap_err();
        assert_eq!(error, ConnectorError::Unexpected { step: "resume" }, "{password}");
    }
    let Ok(AuthNext::Wait { session, .. }) = auth(&cx(NOW), login("goodlogin", "longcheck")).await else {
        panic!("no wait")
    };
    assert_eq!(answer(&session, "1").await.unwrap_err(), ConnectorError::Unexpected { step: "answer" });
}

/// Renews a grant, two seconds long, and gives what came of it.
async fn renew(grant: Grant) -> Result<AuthNext, ConnectorError> {
    let Ok(AuthNext::Wait { delay, session }) = auth(&cx(NOW), AuthInput::Renew { grant }).await else {
        panic!("a renewal that takes no time")
    };
    assert_eq!(delay, SignedDuration::from_secs(2));
    match resume("2026-11-23T12:00:01Z", &session).await {
        Ok(AuthNext::Wait { delay, .. }) => assert_eq!(delay, SignedDuration::from_secs(1)),
        other => panic!("{other:?}"),
    }
    resume("2026-11-23T12:00:02Z", &session).await
}

#[tokio::test]
async fn a_renewal_takes_two_seconds_and_gives_the_grant_again() {
    let key = auth(&for_product(Product::Admin), typed(&[("api_key", API_KEY)])).await;
    let Ok(AuthNext::Ready(key)) = key else { panic!("{key:?}") };
    for old in [grant("goodlogin").await, grant("fulltime").await, key] {
        let Ok(AuthNext::Ready(new)) = renew(old.clone()).await else { panic!("refused") };
        assert_eq!(new, old);
    }
    for text in ["", "{}", "null"] {
        let broken = AuthInput::Renew { grant: Secret::new(text) };
        assert_eq!(auth(&cx(NOW), broken).await.unwrap_err(), ConnectorError::Unexpected { step: "grant" });
    }
}

#[tokio::test]
async fn a_password_changed_afterwards_ends_the_old_grant_and_begins_a_new_one() {
    let old = grant("goodlogin.expiring").await;
    assert_eq!(renew(old.clone()).await.unwrap_err(), ConnectorError::LoginRejected);
    assert_eq!(renew(old.clone()).await.unwrap_err(), ConnectorError::LoginRejected, "each time");

    let again = auth(&cx(NOW), login("goodlogin.expiring", "newpassword")).await;
    let Ok(AuthNext::Ready(new)) = again else { panic!("{again:?}") };
    assert!(matches!(renew(new.clone()).await, Ok(AuthNext::Ready(renewed)) if renewed == new));
    for secret in [&old, &new] {
        assert!(!secret.expose().contains("password"), "{}", secret.expose());
    }
    let read = async |grant: &Grant| {
        Sandbox::new().fetch(&cx(NOW), grant, Want { phase: Phase::Deep }).await.unwrap()
    };
    assert_eq!(read(&old).await, read(&new).await, "the same person");
}

#[tokio::test]
async fn the_other_john_does_are_people_of_their_own() {
    let mut numbers = std::collections::BTreeSet::new();
    for username in ["goodlogin", "goodlogin.expiring", "goodlogin.slowbank"] {
        let person = everything(username).await.employments.swap_remove(0).person;
        assert_eq!((person.first_name.as_str(), person.last_name.as_str()), ("John", "Doe"));
        numbers.insert(person.ssn.unwrap().expose().to_owned());
    }
    assert_eq!(Vec::from_iter(numbers), ["991919991", "991939992", "991939993"]);
}
