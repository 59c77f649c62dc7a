//! The dashboard's pages about the audit trail.

use axum::http::StatusCode;
use citadel_domain::Role;
use citadel_store::audit::{self, Act, SERVER};

use crate::{dashboard_support::Browser, support::for_each_db};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p26_a_client_s_trail_is_read_by_its_developers() {
    for_each_db(async |app| {
        let owner = Browser::new(&app);
        owner.set_up().await;
        let (client, other) = (app.client("acme").await, app.client("other").await);
        let base = format!("/c/{}/sandbox", client.id);
        let csrf = owner.csrf(&format!("{base}/webhooks")).await;
        let fields = [("name", "Main"), ("url", "https://example.com/webhook")];
        owner.post(&format!("{base}/webhooks/create"), &csrf, &fields).await;
        client.webhook("https://example.com/by-key").await;
        other.webhook("https://example.com/foreign").await;

        let (developer, _) = owner.invite("d@example.com", Role::Developer, &client.id.to_string()).await;
        let (viewer, _) = owner.invite("v@example.com", Role::Viewer, &client.id.to_string()).await;
        let (elsewhere, _) = owner.invite("e@example.com", Role::Owner, &other.id.to_string()).await;
        let path = format!("{base}/audit");
        assert_eq!(viewer.get(&path).await.status, StatusCode::FORBIDDEN);
        assert_eq!(elsewhere.get(&path).await.status, StatusCode::NOT_FOUND);
        let page = developer.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        for part in
            ["Webhook created", "Ada Owner", "a back end, by its key", "Audit listed", "citadel audit verify"]
        {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
        let rows = |text: &str| text.matches("<tr><td>").count();
        let count = async |query: &str| rows(&owner.get(&format!("{path}?before=999&{query}")).await.text);
        assert_eq!(count("act=webhook_created").await, 2);
        assert_eq!(count("act=webhook_created&actor=access_key").await, 1);
        let members = owner.get("/members").await;
        let row = members.between("ada@example.com", "Role of Ada Owner");
        let ada = row.split("name=\"id\" value=\"").nth(1).unwrap()[..32].to_owned();
        assert_eq!(count(&format!("act=webhook_created&actor={ada}")).await, 1);
        let id = client.get("/v1/webhooks/").await.json()["results"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(count(&format!("object={id}")).await, 1);
        assert_eq!(count("act=webhook_created&until=2020-01-01T00:00").await, 0);
        assert_eq!(count("act=webhook_created&since=2020-01-01T00:00").await, 2);
        let foreign =
            other.get("/v1/webhooks/").await.json()["results"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(count(&format!("object={foreign}")).await, 0, "P05");
        for wrong in ["act=x", "actor=x", "object=x", "since=x", "before=x"] {
            assert_eq!(
                owner.get(&format!("{path}?{wrong}")).await.status,
                StatusCode::BAD_REQUEST,
                "{wrong}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trail_goes_on_page_by_page() {
    for_each_db(async |app| {
        let owner = Browser::new(&app);
        owner.set_up().await;
        let client = app.client("acme").await;
        let path = format!("/c/{}/sandbox/audit", client.id);
        // Each look at the beginning is an entry.
        for _ in 0..52 {
            owner.get(&path).await;
        }
        let page = owner.get(&path).await;
        let rows = |text: &str| text.matches("<tr><td>").count();
        assert_eq!(rows(&page.text), 50);
        let older = page.between("aria-label=\"Pages of entries\"><a href=\"", "\"");
        assert_eq!(rows(&owner.get(&older).await.text), 3);
        let client_id = client.id;
        let db = app.app.db.scoped(client_id);
        let all = db
            .read(async move |tx| audit::list(tx, client_id, audit::Filter::default(), None, 100).await)
            .await
            .unwrap();
        assert_eq!(all.len(), 53, "going on is no new look");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_s_own_trail_is_read_by_owners_of_every_client() {
    for_each_db(async |app| {
        let owner = Browser::new(&app);
        owner.set_up().await;
        let client = app.client("acme").await;
        assert!(owner.get("/members").await.text.contains("href=\"/audit\""));
        let page = owner.get("/audit").await;
        assert!(
            page.text.contains("Audit trail of the server") && page.text.contains("Owner set up"),
            "{}",
            page.text
        );
        let filter = audit::Filter { act: Some(Act::AuditListed), ..audit::Filter::default() };
        let seen = app.app.db.read(async move |tx| audit::list(tx, SERVER, filter, None, 9).await).await;
        assert_eq!(seen.unwrap().len(), 1);
        let (of_one, _) = owner.invite("o@example.com", Role::Owner, &client.id.to_string()).await;
        assert_eq!(of_one.get("/audit").await.status, StatusCode::NOT_FOUND);
        assert!(!of_one.get("/members").await.text.contains("href=\"/audit\""));
        let (developer, _) = owner.invite("d@example.com", Role::Developer, "").await;
        assert_eq!(developer.get("/audit").await.status, StatusCode::FORBIDDEN);
    })
    .await;
}
