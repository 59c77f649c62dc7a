//! The logins of contract 8.1, through the trait that the host uses.

use citadel_connectors::{
    AuthInput, AuthNext, Connector, ConnectorError, Cx, Phase, Registry, Session, Step, Want,
    sandbox::Sandbox,
};
use citadel_domain::{
    Environment, Product, Secret, TaskStatus,
    payroll::{JobType, PayFrequency, PayUnit},
};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::date};

use crate::support::{NOW, auth, cx, everything, fetch, grant, login};

#[tokio::test]
async fn the_good_login_is_john_doe() {
    let data = everything("goodlogin").await;
    let [job] = data.employments.as_slice() else { panic!("{} jobs", data.employments.len()) };
    assert_eq!((job.person.first_name.as_str(), job.person.last_name.as_str()), ("John", "Doe"));
    assert_eq!(job.person.ssn.as_ref().map(Secret::expose), Some("991919991"));
    assert_eq!(job.person.email.as_deref(), Some("goodlogin@domain.com"));
    assert_eq!(job.title.as_deref(), Some("PR associate"));
    assert_eq!(job.employer.name, "Facebook Demo");
    assert_eq!((job.job_type, job.is_active), (Some(JobType::FullTime), Some(true)));
    assert_eq!(job.start_date, Some(date(2018, 3, 12)));
    assert_eq!(
        job.pay.map(|pay| (pay.unit, pay.frequency)),
        Some((Some(PayUnit::Yearly), Some(PayFrequency::BiWeekly)))
    );
    assert_eq!(job.w2s.iter().map(|w2| w2.year).collect::<Vec<_>>(), [2025, 2024]);
    assert!(!job.deposit_accounts.is_empty());
    assert!((52..=54).contains(&job.statements.len()), "{}", job.statements.len());
}

/// Somebody may have saved these figures in a test of their own.
#[tokio::test]
async fn john_doe_is_the_same_for_ever() {
    let data = everything("goodlogin").await;
    let job = &data.employments[0];
    let newest = &job.statements[0];
    let figures = format!(
        "{} {} {} gross {} ({}) net {} ({}); {}",
        job.external_id,
        newest.external_id,
        newest.pay_date.unwrap(),
        newest.gross.unwrap(),
        newest.gross_ytd.unwrap(),
        newest.net.unwrap(),
        newest.net_ytd.unwrap(),
        job.w2s[0].wages.unwrap(),
    );
    assert_eq!(
        figures,
        "8d0cc5002d76 8d0cc5002d76-20261102 2026-11-20 gross 3123.08 (77766.96) net 2220.02 (55036.68); 75125.82"
    );
}

#[tokio::test]
async fn the_first_phase_is_quick_and_agrees_with_the_deep_one() {
    let first = fetch("goodlogin", &cx(NOW), Phase::First).await;
    let deep = everything("goodlogin").await;
    let (first, deep) = (&first.employments[0], &deep.employments[0]);
    assert_eq!(first.statements, deep.statements[..1]);
    assert_eq!((&first.external_id, &first.person, &first.pay), (&deep.external_id, &deep.person, &deep.pay));
    assert!(first.w2s.is_empty() && first.deposit_accounts.is_empty());
}

#[tokio::test]
async fn the_same_login_is_the_same_person_each_time() {
    assert_eq!(everything("fulltime").await, everything("fulltime").await);
    let elsewhere = Cx { employer_name: Some("Google".to_owned()), ..cx(NOW) };
    let there = fetch("goodlogin", &elsewhere, Phase::Deep).await;
    let here = everything("goodlogin").await;
    assert_eq!(there.employments[0].employer.name, "Google");
    assert_eq!(there.employments[0].person.ssn, here.employments[0].person.ssn);
    assert_ne!(there.employments[0].external_id, here.employments[0].external_id);
    let no_employer = Cx { employer_name: None, ..cx(NOW) };
    assert!(!fetch("goodlogin", &no_employer, Phase::Deep).await.employments[0].employer.name.is_empty());
}

#[tokio::test]
async fn only_12345_is_the_right_code() {
    let ask = || async {
        match auth(&cx(NOW), login("goodlogin", "mfa")).await {
            Ok(AuthNext::Need { step: Step::Code { .. }, session }) => session,
            other => panic!("{other:?}"),
        }
    };
    let answer = |session: Session, code: &str| AuthInput::Answer { session, answer: Secret::new(code) };
    let right = auth(&cx(NOW), answer(ask().await, "12345")).await;
    let Ok(AuthNext::Ready(grant)) = right else { panic!("{right:?}") };
    let data = Sandbox::new().fetch(&cx(NOW), &grant, Want { phase: Phase::Deep }).await.unwrap();
    assert_eq!(data, everything("goodlogin").await);
    for code in ["12346", "", "123456", "abcde"] {
        let wrong = auth(&cx(NOW), answer(ask().await, code)).await;
        assert_eq!(wrong.unwrap_err(), ConnectorError::MfaRejected, "{code}");
    }
}

#[tokio::test]
async fn a_long_check_waits_its_time() {
    let Ok(AuthNext::Wait { delay, session }) = auth(&cx(NOW), login("goodlogin", "longcheck")).await else {
        panic!("no wait")
    };
    assert_eq!(delay, SignedDuration::from_secs(20));
    let resume = |now: &str, session: Session| {
        let cx = cx(now);
        async move { auth(&cx, AuthInput::Resume { session }).await }
    };
    match resume("2026-11-23T12:00:15Z", session.clone()).await {
        Ok(AuthNext::Wait { delay, .. }) => assert_eq!(delay, SignedDuration::from_secs(5)),
        other => panic!("{other:?}"),
    }
    assert!(matches!(resume("2026-11-23T12:00:20Z", session).await, Ok(AuthNext::Ready(_))));
}

#[tokio::test]
async fn every_error_status_can_be_had() {
    for status in [
        TaskStatus::LoginError,
        TaskStatus::MfaError,
        TaskStatus::ConfigError,
        TaskStatus::AccountLocked,
        TaskStatus::NoData,
        TaskStatus::Unavailable,
        TaskStatus::Error,
        TaskStatus::UnableToReset,
        TaskStatus::NotSupported,
    ] {
        let error = match auth(&cx(NOW), login("error.user", status.as_str())).await {
            Err(error) => error,
            Ok(AuthNext::Ready(grant)) => {
                let read = Sandbox::new().fetch(&cx(NOW), &grant, Want { phase: Phase::First }).await;
                read.unwrap_err()
            }
            Ok(other) => panic!("{status}: {other:?}"),
        };
        assert_eq!(error.status(), status);
        assert_eq!(error.provider_message().is_some(), status == TaskStatus::ConfigError);
    }
}

#[tokio::test]
async fn the_other_people_are_as_published() {
    let full = everything("fulltime").await;
    assert_eq!(full.employments[0].person.ssn.as_ref().map(Secret::last4), Some("2211"));
    assert_eq!(full.employments[0].job_type, Some(JobType::FullTime));
    assert_eq!(full.employments[0].pay.unwrap().unit, Some(PayUnit::Yearly));

    let part = everything("hourly.part-time").await;
    assert_eq!(part.employments.len(), 2);
    assert_eq!(part.employments[0].employer.name, "Facebook Demo", "the employer picked comes first");
    for job in &part.employments {
        assert_eq!(job.person.ssn.as_ref().map(Secret::expose), Some("666382548"));
        assert_eq!((job.job_type, job.is_active), (Some(JobType::PartTime), Some(true)));
        assert_eq!(job.pay.unwrap().unit, Some(PayUnit::Hourly));
        assert!(!job.statements.is_empty());
    }

    for (username, frequency) in [
        ("goodlogin.weekly", PayFrequency::Weekly),
        ("goodlogin.biweekly", PayFrequency::BiWeekly),
        ("goodlogin.semimonthly", PayFrequency::SemiMonthly),
        ("goodlogin.monthly", PayFrequency::Monthly),
    ] {
        let data = everything(username).await;
        assert_eq!(data.employments[0].pay.unwrap().frequency, Some(frequency));
        assert_eq!(data.employments[0].person.last_name, "Doe");
    }
}

#[tokio::test]
async fn short_tenures_are_short_on_any_day() {
    for months in 0..40 {
        let today = date(2025, 1, 1).saturating_add(months.months());
        let cx = cx(&format!("{today}T12:00:00Z"));
        for username in ["goodlogin.tn1", "goodlogin.tn2"] {
            let data = fetch(username, &cx, Phase::Deep).await;
            let now = &data.employments[0];
            let start = now.start_date.unwrap();
            assert!(start > today.saturating_sub(12.months()) && start < today, "{username} {today}");
            assert!(!now.statements.is_empty(), "{username} {today}");
            if let Some(before) = data.employments.get(1) {
                assert_eq!((username, before.is_active), ("goodlogin.tn2", Some(false)));
                assert!(before.end_date < Some(start) && !before.statements.is_empty(), "{today}");
            }
        }
    }
}

#[tokio::test]
async fn sessions_and_grants_are_small_and_hold_no_password() {
    let Ok(AuthNext::Need { session, .. }) = auth(&cx(NOW), login("goodlogin", "mfa")).await else {
        panic!()
    };
    let grant = grant("goodlogin").await;
    for secret in [&session, &grant] {
        assert!(secret.expose().len() < 100);
        assert!(!secret.expose().contains("goodpassword") && !secret.expose().contains("mfa"));
    }
}

#[tokio::test]
async fn notes_that_are_not_ours_are_unexpected() {
    for text in ["", "{}", "null", r#"{"stage":"code"}"#] {
        let session = Secret::new(text);
        let error = auth(&cx(NOW), AuthInput::Resume { session: session.clone() }).await.unwrap_err();
        assert_eq!(error.status(), TaskStatus::Error);
        let error = Sandbox::new().fetch(&cx(NOW), &session, Want { phase: Phase::First }).await.unwrap_err();
        assert_eq!(error.status(), TaskStatus::Error);
    }
}

#[tokio::test]
async fn a_clock_far_off_is_no_panic() {
    for now in
        ["1970-01-01T00:00:00Z", "2018-03-11T00:00:00Z", "2199-12-31T00:00:00Z", "9999-12-30T00:00:00Z"]
    {
        for username in ["goodlogin", "fulltime", "hourly.part-time", "goodlogin.tn1", "goodlogin.tn2"] {
            let read =
                Sandbox::new().fetch(&cx(now), &grant(username).await, Want { phase: Phase::Deep }).await;
            if let Err(error) = read {
                assert_eq!(error, ConnectorError::NoData, "{username} {now}");
            }
        }
    }
    assert!(Timestamp::MAX > "9999-12-30T00:00:00Z".parse().unwrap());
}

#[test]
fn the_sandbox_plays_every_provider_and_nothing_else_is_built_in() {
    let registry = Registry::default();
    let sandbox = registry.find(Environment::Sandbox, "any").expect("a connector");
    assert_eq!(sandbox.describe().products, Product::ALL);
    assert!(registry.find(Environment::Dev, "any").is_none());
    assert!(registry.find(Environment::Prod, "any").is_none());
}

mod anything_else {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn is_refused_alike(username in ".{0,24}", password in ".{0,24}") {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let refused = runtime.block_on(auth(&cx(NOW), login(&username, &password)));
            prop_assert_eq!(refused.unwrap_err(), ConnectorError::LoginRejected);
        }
    }
}
