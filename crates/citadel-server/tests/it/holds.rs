//! P23: what is held stays past its limits, and nothing else changes for it.

use std::{path::PathBuf, sync::Arc};

use axum::http::StatusCode;
use citadel_domain::{ClientId, LinkId};
use citadel_server::{
    admin::{Admin, Answer, Refusal, Request},
    config::Profile,
    jobs,
    system::SystemRandom,
};

use crate::support::{TestApp, for_each_db};

const DAY: i64 = 24 * 3600;

fn admin(app: &TestApp) -> Admin {
    Admin {
        db: app.app.db.clone(),
        keyring: Arc::clone(&app.app.keyring),
        clock: app.clock.clone(),
        random: Arc::new(SystemRandom),
        profile: Profile::Development,
        root_key_file: PathBuf::new(),
        sandbox_now: None,
    }
}

async fn hold(admin: &Admin, client_id: ClientId, link_id: LinkId, reason: &str) -> Result<(), String> {
    match admin.perform(Request::SetHold { client_id, link_id, reason: reason.to_owned() }).await {
        Ok(Answer::HoldSet) => Ok(()),
        Err(Refusal::Told(text)) => Err(text),
        other => panic!("{other:?}"),
    }
}

async fn held(admin: &Admin, client_id: ClientId) -> Vec<(LinkId, String)> {
    match admin.perform(Request::ListHolds { client_id }).await {
        Ok(Answer::Holds(holds)) => holds.into_iter().map(|hold| (hold.link_id, hold.reason)).collect(),
        other => panic!("{other:?}"),
    }
}

async fn count(app: &TestApp, table: &str) -> i64 {
    let sql: &'static str = format!("select cast(count(*) as bigint) from {table}").leak();
    app.app.db.read(async move |tx| tx.fetch_one(sql, &[], |row| row.get::<i64>(0)).await).await.unwrap()
}

/// Lets days pass, and follows the rules as the hours do.
async fn pass(app: &TestApp, days: i64) {
    app.advance(days * DAY);
    jobs::sweep(&app.app).await;
    jobs::retain(&app.app).await;
    jobs::sweep(&app.app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p23_a_held_link_and_its_data_stay() {
    for_each_db(async |app| {
        let (client, other, admin) = (app.client("acme").await, app.client("other").await, admin(&app));
        let (used, _) = client.link_of(&client.user("used").await, "income").await;
        let used: LinkId = used.parse().unwrap();
        client.link_of(&client.user("not held").await, "income").await;
        let links = async || -> Vec<LinkId> {
            let list = client.get("/v1/links/").await.json();
            let ids = list["results"].as_array().unwrap().iter();
            ids.map(|link| link["id"].as_str().unwrap().parse().unwrap()).collect()
        };
        let before = links().await;
        client.connect("income").await;
        let abandoned = links().await.into_iter().find(|id| !before.contains(id)).unwrap();

        // A reason in one line, and a link of this client.
        assert!(hold(&admin, client.id, used, " ").await.unwrap_err().contains("reason"));
        assert!(hold(&admin, client.id, used, "two\nlines").await.unwrap_err().contains("one line"));
        assert!(hold(&admin, other.id, used, "case 1").await.unwrap_err().contains("no such link"));
        hold(&admin, client.id, used, "case 1").await.unwrap();
        hold(&admin, client.id, used, "case 2").await.unwrap();
        app.advance(1);
        hold(&admin, client.id, abandoned, "case 3").await.unwrap();
        let both = vec![(used, "case 2".to_owned()), (abandoned, "case 3".to_owned())];
        assert_eq!(held(&admin, client.id).await, both);
        assert_eq!(held(&admin, other.id).await, []);

        // A week, a year and a month, five years: all limits are over, and only what is held is there, with what belongs to it.
        pass(&app, 8).await;
        assert_eq!(count(&app, "links").await, 3);
        pass(&app, 366).await;
        pass(&app, 31).await;
        assert_eq!(count(&app, "links").await, 2);
        pass(&app, 1800).await;
        for (table, expected) in [
            ("links", 2),
            ("tasks", 2),
            ("reports where kind = 'income'", 2),
            ("public_tokens", 2),
            ("consents", 2),
        ] {
            assert_eq!(count(&app, table).await, expected, "{table}");
        }
        assert!(count(&app, "webhook_events").await > 0);
        assert_eq!(count(&app, "webhook_events where link_id is null").await, 0);
        assert_eq!(count(&app, "users").await, 1, "whose link it is");
        // The consent has ended all the same.
        let report = client.get(&format!("/v1/links/{used}/income/report/")).await;
        assert_ne!(report.status, StatusCode::OK, "{report:?}");

        // A hold that is cleared leaves the limits; what the client deletes goes, held or not.
        let clear = async |link_id| admin.perform(Request::ClearHold { client_id: client.id, link_id }).await;
        assert!(matches!(clear(abandoned).await, Ok(Answer::HoldCleared)));
        assert!(matches!(clear(abandoned).await, Err(Refusal::Told(text)) if text.contains("not held")));
        pass(&app, 0).await;
        assert_eq!(count(&app, "links").await, 1);
        let deleted = client.delete(&format!("/v1/links/{used}/")).await;
        assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{deleted:?}");
        assert_eq!(held(&admin, client.id).await, []);
        pass(&app, 31).await;
        for table in ["links", "tasks", "reports", "public_tokens", "consents"] {
            assert_eq!(count(&app, table).await, 0, "{table}");
        }
    })
    .await;
}
