//! The dashboard's page of the sandbox does what the API does.

use axum::http::StatusCode;
use citadel_domain::{Clock, Environment, Role};
use citadel_store::{Tenant, audit, sandboxes, scenarios};
use serde_json::json;

use crate::{
    dashboard_support::{Browser, Page},
    support::{TestApp, for_each_db},
};

const SCENARIO: &str = r#"{"data_source": "payroll", "label": "Night <nurse>", "username": "nina", "password": "s3cret",
    "payload": {"employments": [{"job_title": "Nurse", "company": {"name": "Harbor Clinic"}, "start_date": "2020-03-02"}]}}"#;

/// The id of the client of the first owner.
async fn client_of(owner: &Browser<'_>) -> String {
    owner.get("/").await.location.split('/').nth(2).unwrap().to_owned()
}

async fn acts(app: &TestApp, tenant: Tenant) -> Vec<String> {
    let read = app
        .app
        .db
        .read(async move |tx| audit::list(tx, tenant.client_id, audit::Filter::default(), None, 100).await);
    read.await.unwrap().into_iter().filter(|one| one.actor_kind == "member").map(|one| one.act).collect()
}

fn location(page: &Page) -> &str {
    page.location.rsplit('/').next().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sandbox_is_ruled_from_its_page() {
    for_each_db(async |app| {
        let owner = Browser::new(&app);
        owner.set_up().await;
        let id = client_of(&owner).await;
        let tenant = Tenant { client_id: id.parse().unwrap(), environment: Environment::Sandbox };
        let base = format!("/c/{id}/sandbox/sandbox");
        let page = owner.get(&base).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        for text in [
            "<h1>Sandbox</h1>",
            "goodlogin",
            "99 people who break integrations",
            "No scenario yet",
            "and runs",
        ] {
            assert!(page.text.contains(text), "{text}");
        }
        let csrf = page.field("csrf");

        // The clock.
        let before = app
            .app
            .db
            .read(async move |tx| sandboxes::pace(tx, tenant).await)
            .await
            .unwrap()
            .shows(app.clock.now());
        let page = owner.post(&format!("{base}/clock"), &csrf, &[("advance", "P14D")]).await;
        assert_eq!(
            (page.status, location(&page)),
            (StatusCode::SEE_OTHER, "sandbox?done=clock"),
            "{}",
            page.text
        );
        let now = async || app.app.db.read(async move |tx| sandboxes::pace(tx, tenant).await).await.unwrap();
        assert_eq!(now().await.shows(app.clock.now()).duration_since(before).as_hours(), 14 * 24);
        let page = owner.post(&format!("{base}/clock"), &csrf, &[("advance", "-P1D")]).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(page.text.contains("not below zero"), "{}", page.text);
        owner.post(&format!("{base}/clock"), &csrf, &[("is_running", "false")]).await;
        assert!(matches!(now().await, sandboxes::Pace::Standing { .. }));
        assert!(owner.get(&base).await.text.contains("stands still"));

        // Faults.
        owner.post(&format!("{base}/faults"), &csrf, &[("fault", "slow"), ("fault", "half_data")]).await;
        let faults = app.app.db.read(async move |tx| sandboxes::faults(tx, tenant).await).await.unwrap();
        assert_eq!(faults, [citadel_domain::Fault::Slow, citadel_domain::Fault::HalfData]);
        assert_eq!(owner.get(&base).await.text.matches(" checked").count(), 2);
        let page = owner.post(&format!("{base}/faults"), &csrf, &[("fault", "fire")]).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);

        // Scenarios, with the API's own check.
        let page = owner.post(&format!("{base}/scenarios"), &csrf, &[("scenario", SCENARIO)]).await;
        assert_eq!(location(&page), "sandbox?done=scenario", "{}", page.text);
        let page = owner.get(&base).await;
        assert!(page.text.contains("<td>Night &#60;nurse&#62;</td>"), "escaped: {}", page.text);
        assert!(!page.text.contains("<td>s3cret"), "{}", page.text);
        let wrong = SCENARIO.replace("2020-03-02", "yesterday").replace("Night", "Day");
        let page = owner.post(&format!("{base}/scenarios"), &csrf, &[("scenario", &wrong)]).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(page.text.contains("payload.employments[0].start_date: Line 2"), "{}", page.text);
        assert!(page.text.contains("yesterday"), "what was typed stays: {}", page.text);
        let page = owner.post(&format!("{base}/scenarios"), &csrf, &[("scenario", "{")]).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        let kept = app.app.db.read(async move |tx| scenarios::list(tx, tenant, 10, 0).await).await.unwrap();
        let [scenario] = kept.as_slice() else { panic!("{}", kept.len()) };
        let scenario = scenario.id.to_string();
        assert_eq!(
            location(&owner.post(&format!("{base}/scenarios/delete"), &csrf, &[("id", &scenario)]).await),
            "sandbox?done=deleted"
        );
        assert_eq!(
            owner.post(&format!("{base}/scenarios/delete"), &csrf, &[("id", &scenario)]).await.status,
            StatusCode::NOT_FOUND
        );

        // The reset asks for a tick, and for the second factor when that is older.
        let page = owner.post(&format!("{base}/reset"), &csrf, &[]).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        let page = owner.post(&format!("{base}/reset"), &csrf, &[("sure", "1")]).await;
        assert_eq!(location(&page), "sandbox?done=reset", "{}", page.text);
        let faults = app.app.db.read(async move |tx| sandboxes::faults(tx, tenant).await).await.unwrap();
        assert!(faults.is_empty());
        assert!(matches!(now().await, sandboxes::Pace::Running { .. }));
        app.advance(301);
        assert!(
            owner.post(&format!("{base}/reset"), &csrf, &[("sure", "1")]).await.location.starts_with("/code")
        );

        let acts = acts(&app, tenant).await;
        assert_eq!(acts.iter().filter(|act| *act == "sandbox_clock_turned").count(), 2, "{acts:?}");
        assert_eq!(acts.iter().filter(|act| *act == "sandbox_reset").count(), 1, "{acts:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_other_environments_and_viewers_rule_nothing() {
    for_each_db(async |app| {
        let owner = Browser::new(&app);
        owner.set_up().await;
        let id = client_of(&owner).await;
        let tenant = Tenant { client_id: id.parse().unwrap(), environment: Environment::Sandbox };
        let forms: [(&str, &[(&str, &str)]); 5] = [
            ("clock", &[("advance", "P1D")]),
            ("faults", &[("fault", "slow")]),
            ("scenarios", &[("scenario", SCENARIO)]),
            ("scenarios/delete", &[("id", "0")]),
            ("reset", &[("sure", "1")]),
        ];
        let csrf = owner.csrf("/account").await;
        for environment in ["dev", "prod"] {
            let base = format!("/c/{id}/{environment}/sandbox");
            assert!(owner.get(&base).await.text.contains("only the sandbox environment has them"));
            for (act, fields) in forms {
                let page = owner.post(&format!("{base}/{act}"), &csrf, fields).await;
                assert_eq!(page.status, StatusCode::BAD_REQUEST, "{environment} {act}");
            }
        }
        let (viewer, _) = owner.invite("view@example.com", Role::Viewer, "").await;
        let base = format!("/c/{id}/sandbox/sandbox");
        let page = viewer.get(&base).await;
        assert!(page.text.contains("goodlogin") && !page.text.contains("Reset the sandbox"), "{}", page.text);
        let csrf = page.field("csrf");
        for (act, fields) in forms {
            assert_eq!(
                viewer.post(&format!("{base}/{act}"), &csrf, fields).await.status,
                StatusCode::FORBIDDEN,
                "{act}"
            );
        }
        // Somebody else's sandbox is not there, for reading or ruling.
        let other = app.client("other").await;
        let (member, _) = owner.invite("one@example.com", Role::Owner, &id).await;
        let csrf = member.csrf("/account").await;
        let base = format!("/c/{}/sandbox/sandbox", other.id);
        assert_eq!(member.get(&base).await.status, StatusCode::NOT_FOUND);
        for (act, fields) in forms {
            assert_eq!(
                member.post(&format!("{base}/{act}"), &csrf, fields).await.status,
                StatusCode::NOT_FOUND,
                "{act}"
            );
        }
        for client_id in [tenant.client_id, other.id] {
            let tenant = Tenant { client_id, environment: Environment::Sandbox };
            let faults = app.app.db.read(async move |tx| sandboxes::faults(tx, tenant).await).await.unwrap();
            assert!(faults.is_empty());
        }
        let clock = other.get("/v1/sandbox/clock/").await.json();
        assert_eq!(clock, json!({"now": clock["now"], "is_running": true}));
    })
    .await;
}
