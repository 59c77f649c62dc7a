//! The dashboard's pages about endpoints.

use axum::http::{Method, StatusCode};
use citadel_domain::{ClientId, Role};
use citadel_store::audit::{self, Act};

use crate::{
    dashboard_support::{Browser, HOST},
    receiver::Receiver,
    support::{TestApp, TestClient, for_each_db},
};

/// An owner who is signed in, and a client of theirs with a key of its own. Answers the address of its pages, too.
async fn begin<'a>(app: &'a TestApp, browser: &Browser<'a>) -> (TestClient<'a>, String) {
    browser.set_up().await;
    let client = app.client("hooks").await;
    let base = format!("/c/{}/sandbox", client.id);
    (client, base)
}

async fn acts(app: &TestApp, client_id: ClientId, act: Act) -> Vec<String> {
    let filter = audit::Filter { act: Some(act), ..audit::Filter::default() };
    let db = app.app.db.scoped(client_id);
    let found = db.read(async move |tx| audit::list(tx, client_id, filter, None, 100).await).await.unwrap();
    found.into_iter().map(|entry| entry.detail).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p26_an_endpoint_is_made_changed_rotated_and_deleted() {
    for_each_db(async |app| {
        let browser = Browser::new(&app);
        let (client, base) = begin(&app, &browser).await;
        let list = format!("{base}/webhooks");
        let page = browser.get(&list).await;
        assert!(
            page.text.contains("No endpoint yet") && page.text.contains("hmac.compare_digest"),
            "{}",
            page.text
        );
        let csrf = page.field("csrf");
        for (fields, problem) in [
            ([("name", "Back"), ("url", "http://10.0.0.1/x")], "cannot be used"),
            ([("name", ""), ("url", "https://example.com/webhook")], "required"),
            ([("name", "Back"), ("events", "made-up")], "Send a list of"),
        ] {
            let page = browser.post(&format!("{list}/create"), &csrf, &fields).await;
            assert_eq!(page.status, StatusCode::BAD_REQUEST, "{}", page.text);
            assert!(page.text.contains(problem), "{problem}: {}", page.text);
        }
        let fields = [
            ("name", "Back <office>"),
            ("url", "https://example.com/webhook"),
            ("events", "link-connected"),
            ("events", "task-status-updated"),
        ];
        let page = browser.post(&format!("{list}/create"), &csrf, &fields).await;
        let secret = page.between("<code id=\"secret\">", "<");
        assert!(page.status == StatusCode::OK && secret.starts_with("whsec_"), "{}", page.text);
        let again = browser.post(&format!("{list}/create"), &csrf, &fields).await;
        assert!(again.text.contains("already registered"), "{}", again.text);

        // The API tells the same endpoint.
        let told = client.get("/v1/webhooks/").await.json()["results"][0].clone();
        assert_eq!(told["name"], "Back <office>");
        assert_eq!(told["events"], serde_json::json!(["link-connected", "task-status-updated"]));
        let one = format!("{list}/{}", told["id"].as_str().unwrap());
        let page = browser.get(&one).await;
        assert!(!page.text.contains(&secret), "a secret is shown once");
        assert!(page.text.contains("Back &#60;office&#62;"), "{}", page.text);

        let fields =
            [("name", "Back <office>"), ("url", "https://example.com/other"), ("events", "link-deleted")];
        let page = browser.post(&format!("{one}/change"), &csrf, &fields).await;
        assert!(page.location.ends_with("?done=changed"), "{}", page.text);
        let told = client.get("/v1/webhooks/").await.json()["results"][0].clone();
        assert_eq!(
            (&told["webhook_url"], &told["enabled"]),
            (&"https://example.com/other".into(), &false.into())
        );
        assert!(browser.get(&list).await.text.contains(">Off<"));
        let page = browser.post(&format!("{one}/change"), &csrf, &fields).await;
        assert!(page.location.ends_with("?done=same"), "{}", page.location);

        let page = browser.post(&format!("{one}/rotate"), &csrf, &[]).await;
        assert!(page.between("<code id=\"secret\">", "<") != secret, "{}", page.text);
        let page = browser.post(&format!("{one}/rotate"), &csrf, &[]).await;
        assert!(page.text.contains("after 24 hours"), "{}", page.text);
        let page = browser.post(&format!("{one}/delete"), &csrf, &[]).await;
        assert!(page.location.ends_with("webhooks?done=deleted"), "{}", page.text);
        assert_eq!(browser.get(&one).await.status, StatusCode::NOT_FOUND);

        assert_eq!(acts(&app, client.id, Act::WebhookCreated).await.len(), 1);
        assert_eq!(
            acts(&app, client.id, Act::WebhookChanged).await,
            [r#"{"fields":["webhook_url","events","enabled"]}"#]
        );
        assert_eq!(acts(&app, client.id, Act::WebhookSecretRotated).await.len(), 1);
        assert_eq!(acts(&app, client.id, Act::WebhookDeleted).await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_is_shown_and_sent_again() {
    for_each_db(async |app| {
        let browser = Browser::new(&app);
        let (client, base) = begin(&app, &browser).await;
        let receiver = Receiver::start().await;
        let (id, _) = client.webhook(&receiver.url()).await;
        let one = format!("{base}/webhooks/{id}");
        let page = browser.get(&one).await;
        assert!(page.text.contains("Nothing was sent yet"), "{}", page.text);
        let csrf = page.field("csrf");
        let page = browser.post(&format!("{one}/test"), &csrf, &[]).await;
        assert!(page.text.contains("no event yet"), "{}", page.text);

        let bridge_token = client.bridge_token("income").await;
        app.sign_in(&bridge_token, "goodlogin", "goodpassword").await;
        let page = browser.get(&one).await;
        assert!(page.text.contains("Events that wait"), "{}", page.text);
        app.run_jobs().await;
        let before = receiver.received().len();
        assert_eq!(before, 5);
        let page = browser.get(&one).await;
        assert!(!page.text.contains("Events that wait"), "{}", page.text);
        assert_eq!(page.text.matches("200 taken").count(), 5, "{}", page.text);

        // One, again.
        let event = receiver.received()[0].id();
        let page = browser.post(&format!("{one}/resend"), &csrf, &[("event_id", &event)]).await;
        assert!(page.location.ends_with("?done=resent&count=1"), "{}", page.text);
        app.run_jobs().await;
        let received = receiver.received();
        assert_eq!((received.len(), received.last().unwrap().id()), (before + 1, event));

        // A time: all of it, or what was never taken, which is nothing.
        let since = [("since", "2026-11-18T00:00")];
        let failed = [&since[..], &[("only_failed", "yes")]].concat();
        let page = browser.post(&format!("{one}/resend-range"), &csrf, &failed).await;
        assert!(page.location.ends_with("count=0"), "{}", page.text);
        let page = browser.post(&format!("{one}/resend-range"), &csrf, &since).await;
        assert!(page.location.ends_with("count=5"), "{}", page.location);
        assert!(browser.get(&page.location).await.text.contains("5 events are on their way"));
        app.run_jobs().await;
        assert_eq!(receiver.received().len(), before + 6);
        let page = browser.post(&format!("{one}/test"), &csrf, &[]).await;
        assert!(page.location.ends_with("count=1"), "{}", page.text);
        app.run_jobs().await;
        let newest = client.events().await.last().unwrap()["id"].clone();
        assert_eq!(receiver.received().last().unwrap().id(), newest.as_str().unwrap());
        for fields in [[("since", "2020-01-01T00:00")], [("since", "")]] {
            let page = browser.post(&format!("{one}/resend-range"), &csrf, &fields).await;
            assert_eq!(page.status, StatusCode::BAD_REQUEST, "{}", page.text);
        }
        assert_eq!(acts(&app, client.id, Act::EventsResent).await.len(), 4);

        // Filters.
        for (query, count) in [
            ("?status=200", 12),
            ("?status=500", 0),
            ("?event=link-connected", 0),
            ("?until=2020-01-01T00:00", 0),
        ] {
            let page = browser.get(&format!("{one}{query}")).await;
            assert_eq!(page.text.matches("200 taken").count(), count, "{query}");
        }
        // More than a page.
        for _ in 0..8 {
            browser.post(&format!("{one}/resend-range"), &csrf, &since).await;
            app.run_jobs().await;
        }
        let page = browser.get(&one).await;
        assert_eq!(page.text.matches("200 taken").count(), 50);
        let older = page.between("<nav class=\"pages\" aria-label=\"Pages of deliveries\"><a href=\"", "\"");
        assert_eq!(browser.get(&older).await.text.matches("200 taken").count(), 2);
    })
    .await;
}

/// P05, P56: of another client's endpoint there is nothing, whoever asks; and a viewer changes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_endpoints_of_somebody_else_are_not_there() {
    for_each_db(async |app| {
        let owner = Browser::new(&app);
        let (client, base) = begin(&app, &owner).await;
        let other = app.client("other").await;
        let (foreign, _) = other.webhook("https://example.com/other").await;
        let (own, _) = client.webhook("https://example.com/own").await;
        let csrf = owner.csrf(&base.replace("/sandbox", "/sandbox/webhooks")).await;
        let nowhere = owner.get(&format!("{base}/webhooks/{}", "0".repeat(32))).await;
        assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
        for id in [foreign.as_str(), "x"] {
            let page = owner.get(&format!("{base}/webhooks/{id}")).await;
            assert_eq!((page.status, &page.text), (StatusCode::NOT_FOUND, &nowhere.text), "{id}");
            for act in ["change", "delete", "rotate", "resend", "resend-range", "test"] {
                let fields = [("name", "Mine"), ("url", "https://x.com"), ("since", "2026-11-18T00:00")];
                let fields = [&fields[..], &[("event_id", "00000000000000000000000000000000")]].concat();
                let page = owner.post(&format!("{base}/webhooks/{id}/{act}"), &csrf, &fields).await;
                assert_eq!((page.status, &page.text), (StatusCode::NOT_FOUND, &nowhere.text), "{id} {act}");
            }
        }
        assert_eq!(other.get("/v1/webhooks/").await.json()["results"][0]["name"], "Main");

        // Somebody of the other client sees none of this one's pages, and a viewer of this one may only look.
        let (stranger, _) = owner.invite("s@example.com", Role::Developer, &other.id.to_string()).await;
        let (viewer, _) = owner.invite("v@example.com", Role::Viewer, &client.id.to_string()).await;
        let page = viewer.get(&format!("{base}/webhooks/{own}")).await;
        assert!(
            page.status == StatusCode::OK && !page.text.contains("<form method=\"post\" action=\"/c/"),
            "{}",
            page.text
        );
        for page in ["webhooks", "logs", "logs/tail", "audit", &format!("webhooks/{own}")] {
            let page = stranger.get(&format!("{base}/{page}")).await;
            assert_eq!((page.status, &page.text), (StatusCode::NOT_FOUND, &nowhere.text));
        }
        let csrf = viewer.csrf(&format!("{base}/webhooks")).await;
        for act in [
            "create",
            &format!("{own}/change"),
            &format!("{own}/delete"),
            &format!("{own}/rotate"),
            &format!("{own}/test"),
        ] {
            let page = viewer.post(&format!("{base}/webhooks/{act}"), &csrf, &[]).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{act}");
        }
        // Changes of endpoints need the second factor anew.
        app.advance(301);
        let csrf = owner.csrf(&format!("{base}/webhooks")).await;
        let page = owner.post(&format!("{base}/webhooks/{own}/rotate"), &csrf, &[]).await;
        assert!(page.location.starts_with("/code"), "{}", page.text);
        assert_eq!(owner.request(Method::GET, "/").body(()).unwrap().headers()["host"], HOST);
    })
    .await;
}

/// The page and the documentation tell the same.
#[test]
fn the_code_that_checks_a_delivery_is_that_of_the_documentation() {
    let root = env!("CARGO_MANIFEST_DIR");
    let code = std::fs::read_to_string(format!("{root}/templates/dashboard/is-genuine.py")).unwrap();
    let docs = std::fs::read_to_string(format!("{root}/../../docs/webhooks.md")).unwrap();
    assert!(docs.contains(&code), "{code}");
}
