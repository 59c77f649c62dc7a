//! The dashboard's pages about calls: the list, one call, and calls as they come.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use citadel_domain::Role;
use citadel_server::calls;
use citadel_store::audit::{self, Act};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    dashboard_support::Browser,
    support::{TestApp, for_each_db},
};

/// The next message of a stream: what it says, or `None` at its end. Lines that only keep it open are passed over.
async fn next(body: &mut Body) -> Option<Value> {
    loop {
        let frame =
            tokio::time::timeout(Duration::from_secs(20), body.frame()).await.expect("a message or an end");
        let bytes = frame?.unwrap().into_data().unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        if let Some(data) = text.strip_prefix("data:") {
            return Some(serde_json::from_str(data.trim()).unwrap());
        }
    }
}

async fn tail(browser: &Browser<'_>, path: &str) -> (StatusCode, String, Body) {
    let request = browser.request(Method::GET, path).body(Body::empty()).unwrap();
    let response = browser.router.clone().oneshot(request).await.unwrap();
    let kind = response.headers().get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap().to_owned());
    (response.status(), kind.unwrap_or_default(), response.into_body())
}

fn begin(app: &TestApp) -> Browser<'_> {
    Browser::new(app)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p26_calls_are_listed_found_and_looked_at() {
    for_each_db(async |app| {
        let browser = begin(&app);
        browser.set_up().await;
        let client = app.client("acme").await;
        let logs = format!("/c/{}/sandbox/logs", client.id);
        let page = browser.get(&logs).await;
        assert!(page.text.contains("No call yet") && page.text.contains("30 days"), "{}", page.text);

        let body =
            json!({"external_user_id": "x", "first_name": "Margit", "last_name": "D'Or", "ssn": "991919991"});
        client.post("/v1/users/", body).await;
        client.get("/v1/users/0190163d8694739bbe8c0a6b8d2b9a3e/").await;
        for _ in 0..55 {
            client.get("/v1/providers/").await;
        }
        calls::flush(&app.app).await;
        let rows = |text: &str| text.matches("<td class=\"time\"><a href").count();
        let page = browser.get(&logs).await;
        assert_eq!(rows(&page.text), 50);
        let older = page.between("aria-label=\"Pages of calls\"><a href=\"", "\"");
        assert_eq!(rows(&browser.get(&older).await.text), 7);
        for (query, count) in [
            ("?status=404", 1),
            ("?status=4xx", 1),
            ("?status=2xx&route=/v1/users/", 1),
            ("?route=/v1/bridge-tokens/", 0),
            ("?until=2020-01-01T00:00", 0),
            ("?since=2020-01-01T00:00&status=201", 1),
        ] {
            assert_eq!(rows(&browser.get(&format!("{logs}{query}")).await.text), count, "{query}");
        }
        let key = format!("{logs}?key={}&status=404", client.key_id);
        assert_eq!(rows(&browser.get(&key).await.text), 1);
        for wrong in ["?status=x", "?since=yesterday", "?before=1"] {
            assert_eq!(
                browser.get(&format!("{logs}{wrong}")).await.status,
                StatusCode::BAD_REQUEST,
                "{wrong}"
            );
        }

        let page = browser.get(&format!("{logs}?status=201")).await;
        let one = page.between("<td class=\"time\"><a href=\"", "\"");
        let page = browser.get(&one).await;
        assert!(page.text.contains("POST /v1/users/") && page.text.contains("201 done"), "{}", page.text);
        assert!(page.text.contains("external_user_id") && page.text.contains("•••"), "{}", page.text);
        assert!(page.text.contains("curl -X POST"), "{}", page.text);
        // P7: of what was sent nothing is there.
        for value in ["Margit", "D'Or", "991919991", client.secret.as_str()] {
            assert!(!page.text.contains(value), "{value}: {}", page.text);
        }
        let id = one.rsplit('/').next().unwrap();
        let found = browser.get(&format!("{logs}?request={id}")).await;
        assert_eq!((found.status, found.location.as_str()), (StatusCode::SEE_OTHER, one.as_str()));
        let nothing = browser.get(&format!("{logs}?request={}", "0".repeat(32))).await;
        assert!(nothing.text.contains("No call matches"), "{}", nothing.text);

        // Whoever looked is in the trail, once for each look.
        let client_id = client.id;
        let filter = audit::Filter { act: Some(Act::RequestLogViewed), ..audit::Filter::default() };
        let db = app.app.db.scoped(client_id);
        let seen = db.read(async move |tx| audit::list(tx, client_id, filter, None, 9).await).await.unwrap();
        assert_eq!((seen.len(), &seen[0].detail), (1, &format!("{{\"call\":\"{id}\"}}")));

        // The page of keys says when one was used.
        let keys = browser.get(&format!("/c/{}/sandbox/keys", client.id)).await;
        assert!(keys.text.contains("2026-11-18 15:00:0") && !keys.text.contains(">never<"), "{}", keys.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_calls_of_somebody_else_are_not_there() {
    for_each_db(async |app| {
        let browser = begin(&app);
        browser.set_up().await;
        let (client, other) = (app.client("acme").await, app.client("other").await);
        other.get("/v1/providers/").await;
        calls::flush(&app.app).await;
        let theirs = browser.get(&format!("/c/{}/sandbox/logs", other.id)).await;
        let one = theirs.between("<td class=\"time\"><a href=\"", "\"");
        let id = one.rsplit('/').next().unwrap().to_owned();
        let logs = format!("/c/{}/sandbox/logs", client.id);
        for path in [format!("{logs}/{id}"), format!("{logs}/x"), one.replace("/sandbox/", "/dev/")] {
            assert_eq!(browser.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        let page = browser.get(&format!("{logs}?request={id}")).await;
        assert!(page.text.contains("No call matches"), "{}", page.text);
        let page = browser.get(&format!("{logs}?key={}", other.key_id)).await;
        assert!(page.text.contains("No call matches"), "{}", page.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_the_tail_shows_calls_of_its_tenant_until_the_session_ends() {
    for_each_db(async |app| {
        let owner = begin(&app);
        owner.set_up().await;
        let (client, other) = (app.client("acme").await, app.client("other").await);
        let path = format!("/c/{}/sandbox/logs", client.id);
        let (viewer, _) = owner.invite("v@example.com", Role::Viewer, &client.id.to_string()).await;
        assert!(
            owner.get(&format!("{path}?live=yes")).await.text.contains(&format!("data-live=\"{path}/tail\""))
        );
        let (status, kind, mut seen) = tail(&viewer, &format!("{path}/tail")).await;
        assert_eq!((status, kind.as_str()), (StatusCode::OK, "text/event-stream"));
        let (_, _, mut kept) = tail(&owner, &format!("{path}/tail")).await;

        other.get("/v1/tasks/").await;
        client.get("/v1/providers/").await;
        calls::flush(&app.app).await;
        let told = next(&mut seen).await.unwrap();
        assert_eq!(told["cells"][1], "GET /v1/providers/", "{told}");
        let url = told["url"].as_str().unwrap();
        assert_eq!(viewer.get(url).await.status, StatusCode::OK);
        assert_eq!(next(&mut kept).await.unwrap()["url"], url);

        // Signed out, nothing more is shown, not even what comes at once; to others it is.
        let csrf = viewer.csrf("/account").await;
        viewer.post("/sign-out", &csrf, &[]).await;
        client.get("/v1/tasks/").await;
        calls::flush(&app.app).await;
        assert_eq!(next(&mut seen).await, None);
        assert_eq!(next(&mut kept).await.unwrap()["cells"][1], "GET /v1/tasks/");
        // A session that ended without a word is noticed, too.
        app.advance(13 * 3600);
        assert_eq!(next(&mut kept).await, None);
        assert_eq!(tail(&owner, &format!("{path}/tail")).await.0, StatusCode::SEE_OTHER);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tail_ends_with_the_server_and_with_the_member() {
    for_each_db(async |app| {
        let owner = begin(&app);
        owner.set_up().await;
        let client = app.client("acme").await;
        let path = format!("/c/{}/sandbox/logs/tail", client.id);
        let (viewer, _) = owner.invite("v@example.com", Role::Viewer, &client.id.to_string()).await;
        let (_, _, mut removed) = tail(&viewer, &path).await;
        let (_, _, mut stopped) = tail(&owner, &path).await;
        let page = owner.get("/members").await;
        let id =
            page.between("v@example.com", "Role of Somebody").split("name=\"id\" value=\"").nth(1).unwrap()
                [..32]
                .to_owned();
        owner.post("/members/remove", &page.field("csrf"), &[("id", &id)]).await;
        client.get("/v1/tasks/").await;
        calls::flush(&app.app).await;
        assert_eq!(next(&mut removed).await, None);
        assert!(next(&mut stopped).await.is_some());
        app.app.stopping.send_replace(true);
        assert_eq!(next(&mut stopped).await, None);
    })
    .await;
}
