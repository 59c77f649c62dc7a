//! The record of calls and screens: what is kept, for whom, and what never.

use std::{sync::Arc, time::Duration};

use axum::http::{Method, StatusCode};
use citadel_domain::{BridgeTokenId, CallId, ClientId, Clock, Environment, LinkId, Random, TaskStatus};
use citadel_server::{
    calls, opening,
    system::{SystemClock, SystemRandom},
};
use citadel_store::{
    Row, Tenant,
    calls::{Call, Filter, Status},
    flows::{self, Entry, Flow, What},
    usage,
};
use jiff::SignedDuration;
use serde_json::json;

use crate::{
    child::{self, ServerChild},
    kills,
    leaks::walk,
    support::{TestApp, TestClient, for_each_db},
};

fn sandbox(client_id: ClientId) -> Tenant {
    Tenant { client_id, environment: Environment::Sandbox }
}

async fn list(app: &TestApp, tenant: Tenant, filter: Filter) -> Vec<Call> {
    calls::flush(&app.app).await;
    let db = app.app.db.scoped(tenant.client_id);
    let list =
        db.read(async move |tx| citadel_store::calls::list(tx, tenant, &filter, None, 500).await).await;
    list.unwrap()
}

/// What was sent and answered in a call, as it is kept.
async fn bodies(app: &TestApp, tenant: Tenant, id: CallId) -> (Option<String>, Option<String>) {
    let db = app.app.db.scoped(tenant.client_id);
    let found = db.read(async move |tx| citadel_store::calls::get(tx, tenant, id).await).await.unwrap();
    let (_, bodies) = found.unwrap();
    let open = |kept: Option<Vec<u8>>| kept.map(|kept| calls::text_of(&kept).unwrap());
    (open(bodies.request), open(bodies.response))
}

async fn flows(app: &TestApp, tenant: Tenant) -> Vec<Flow> {
    calls::flush(&app.app).await;
    app.app.db.read(async move |tx| flows::list(tx, tenant, None, 50).await).await.unwrap().rows
}

async fn timeline(app: &TestApp, tenant: Tenant, id: BridgeTokenId) -> Vec<Entry> {
    app.app.db.read(async move |tx| flows::timeline(tx, tenant, id).await).await.unwrap()
}

async fn tell(app: &TestApp, bridge_token: &str, names: &[&str]) -> StatusCode {
    let screens: Vec<_> = names.iter().map(|name| json!({"name": name, "ago": 5})).collect();
    app.widget(Method::POST, "/screens", bridge_token, Some(json!({"screens": screens}))).await.status
}

/// Everything that the record has, in one text.
async fn everything(app: &TestApp) -> String {
    let read = |row: &Row<'_>| {
        let bodies: [Option<Vec<u8>>; 2] = [row.get(1)?, row.get(2)?];
        Ok((row.get::<String>(0)?, bodies))
    };
    let mut all = String::new();
    for sql in [
        "select method || ' ' || route || ' ' || path, null, null from calls",
        "select environment, request, response from call_bodies",
        "select name, null, null from screens",
        "select route, null, null from usage_hours",
    ] {
        let rows = app.app.db.read(async move |tx| tx.fetch_all(sql, &[], read).await).await.unwrap();
        assert!(!rows.is_empty(), "{sql}");
        for (text, bodies) in rows {
            all.push_str(&text);
            for body in bodies.into_iter().flatten() {
                all.push_str(&calls::text_of(&body).unwrap());
            }
            all.push('\n');
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p57_the_record_of_calls_holds_no_secret() {
    for_each_db(async |app| {
        let mut secrets = walk(&app).await;
        let client = app.client("paths").await;
        let bridge_token = client.bridge_token("income").await;
        tell(&app, &bridge_token, &["SELECT_EMPLOYER"]).await;
        // A token or a number in the wrong place, and a form, of which nothing is kept.
        client.get(&format!("/v1/links/{bridge_token}/")).await;
        client.get("/v1/users/773-19-9773/").await;
        client.post("/v1/users/", json!({"773-19-9774": "773199775", "external_user_id": 773_199_776})).await;
        client
            .post_text("/v1/users/", "application/x-www-form-urlencoded", "external_user_id=773199777")
            .await;
        secrets.push(bridge_token);
        secrets.extend((3..=7).map(|digit| format!("77319977{digit}")));
        secrets.extend(["773-19-977".to_owned(), "773199776".to_owned(), "Canari".to_owned()]);
        calls::flush(&app.app).await;
        assert!(app.app.metrics.encode().contains("citadel_calls_lost_total 0"), "the record is whole");
        let all = everything(&app).await;
        for expected in
            ["/bridge/api/tasks", "/v1/verifications/incomes/", "\"ssn\":\"•••\"", "\"status\":\"done\""]
        {
            assert!(all.contains(expected), "{expected} was recorded");
        }
        for secret in secrets {
            let at = all.find(&secret);
            assert!(
                at.is_none(),
                "{secret} in the record: {:?}",
                at.map(|at| &all[at.saturating_sub(40)..at])
            );
        }
    })
    .await;
}

/// A link with what led to it: its id.
async fn connected(client: &TestClient<'_>) -> LinkId {
    let app = client.app;
    let bridge_token = client.bridge_token("income").await;
    tell(app, &bridge_token, &["SELECT_EMPLOYER", "PROVIDER_LOGIN"]).await;
    let task_id = app.sign_in(&bridge_token, "goodlogin", "goodpassword").await;
    app.run_jobs().await;
    app.advance(1);
    tell(app, &bridge_token, &["SUCCESS"]).await;
    let answer = client.exchange(&app.public_token(&bridge_token, &task_id).await).await.json();
    let access_token = answer["access_token"].as_str().unwrap();
    app.advance(1);
    client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await;
    answer["link_id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_flow_is_told_from_its_token_to_its_report() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let link_id = connected(&client).await;
        let tenant = sandbox(client.id);
        let found = flows(&app, tenant).await;
        assert_eq!(found.len(), 1);
        let flow = &found[0];
        assert_eq!((flow.link_id, flow.status), (Some(link_id), Some(TaskStatus::Done)));
        assert_eq!(flow.screen.as_deref(), Some("SUCCESS"));

        let line = timeline(&app, tenant, flow.bridge_token_id).await;
        let told: Vec<_> = line
            .iter()
            .filter_map(|entry| match &entry.what {
                What::Call(call) => Some(call.route.as_str()),
                What::Screen(name) => Some(name),
                What::Ended { .. } => Some("done"),
                _ => None,
            })
            .collect();
        let expected = [
            "/v1/bridge-tokens/",
            "SELECT_EMPLOYER",
            "PROVIDER_LOGIN",
            "/bridge/api/tasks",
            "done",
            "SUCCESS",
            "/bridge/api/tasks/{task_id}/public-token",
            "/v1/link-access-tokens/",
            "/v1/verifications/incomes/",
        ];
        let places: Vec<_> = expected.map(|what| told.iter().position(|told| *told == what)).to_vec();
        assert!(places.iter().all(Option::is_some), "{told:?}");
        let events = line.iter().filter(|entry| matches!(entry.what, What::Event { .. })).count();
        assert!(events > 2, "{line:?}");
        assert!(line.is_sorted_by_key(|entry| entry.at));
        let other = app.client("other").await;
        assert_eq!(timeline(&app, sandbox(other.id), flow.bridge_token_id).await, []);
    })
    .await;
}

#[tokio::test]
async fn a_call_is_found_by_the_request_id_that_its_caller_got() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let reply =
            client.post("/v1/bridge-tokens/", json!({"product_type": "nothing", "note": "secret"})).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        let id: CallId = reply.header("x-request-id").parse().unwrap();
        let tenant = sandbox(client.id);
        let refused =
            list(&app, tenant, Filter { status: Some(Status::Class(4)), ..Filter::default() }).await;
        let [call] = refused.as_slice() else { panic!("{refused:?}") };
        assert_eq!((call.id, call.status, call.method.as_str()), (id, 400, "POST"));
        assert_eq!(call.access_key_id, Some(client.key_id));
        assert_eq!(call.received_at(), app.clock.now());
        let (request, response) = bodies(&app, tenant, id).await;
        assert_eq!(request.unwrap(), r#"{"note":"•••","product_type":"nothing"}"#);
        assert!(response.unwrap().contains(r#""message":"Some parameters are incorrect.""#));
        // Whoever is nobody's leaves nothing.
        app.get("/v1/links/").await;
        app.get("/healthz").await;
        assert_eq!(list(&app, tenant, Filter::default()).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn who_listens_hears_of_calls_after_they_are_kept() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let mut tail = app.app.calls.subscribe();
        client.get("/v1/links/").await;
        assert!(tail.try_recv().is_err(), "nothing is written yet");
        calls::flush(&app.app).await;
        let heard = tail.try_recv().unwrap();
        assert_eq!(heard.tenant, sandbox(client.id));
        assert_eq!(list(&app, heard.tenant, Filter::default()).await, std::slice::from_ref(&heard.call));
    })
    .await;
}

#[tokio::test]
async fn a_full_list_loses_calls_and_counts_them_but_usage_is_whole() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        for _ in 0..530 {
            assert_eq!(client.get("/v1/links/").await.status, StatusCode::OK);
        }
        let tenant = sandbox(client.id);
        assert_eq!(list(&app, tenant, Filter::default()).await.len(), 500, "a page of what is there");
        assert!(app.app.metrics.encode().contains("citadel_calls_lost_total 18"));
        let (since, until) = (app.clock.now(), app.clock.now() + SignedDuration::from_hours(1));
        let read = app.app.db.read(async move |tx| usage::routes(tx, tenant, since, until).await).await;
        let routes = read.unwrap();
        assert_eq!((routes[0].0.as_str(), routes[0].1.calls), ("/v1/links/", 530));
    })
    .await;
}

#[tokio::test]
async fn only_screens_of_ours_are_taken_and_only_under_a_token_that_holds() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let bridge_token = client.bridge_token("income").await;
        assert_eq!(tell(&app, &bridge_token, &["SELECT_EMPLOYER", "somebody@example.com"]).await, 400);
        assert_eq!(tell(&app, &bridge_token, &["LOADING"; 21]).await, 400);
        assert_eq!(tell(&app, &"0".repeat(32), &["LOADING"]).await, 401);
        let tenant = sandbox(client.id);
        assert_eq!(flows(&app, tenant).await[0].screen, None);
        assert_eq!(tell(&app, &bridge_token, &["LOADING"]).await, 204);
        assert_eq!(flows(&app, tenant).await[0].screen.as_deref(), Some("LOADING"));
        // The way by which they come is no part of the record.
        let calls = list(&app, tenant, Filter::default()).await;
        assert_eq!(calls.iter().map(|call| call.route.as_str()).collect::<Vec<_>>(), ["/v1/bridge-tokens/"]);
        app.advance(6 * 3600 + 1);
        assert_eq!(tell(&app, &bridge_token, &["LOADING"]).await, 410);
    })
    .await;
}

#[tokio::test]
async fn p22_a_reset_and_a_deleted_link_take_their_record_along() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let (tenant, link_id) = (sandbox(client.id), connected(&client).await);
        let of_link = Filter { link_id: Some(link_id), ..Filter::default() };
        let report = list(&app, tenant, of_link.clone()).await[0].clone();
        assert_eq!(report.route, "/v1/verifications/incomes/");
        assert!(bodies(&app, tenant, report.id).await.1.is_some());
        assert_eq!(client.delete(&format!("/v1/links/{link_id}/")).await.status, StatusCode::NO_CONTENT);
        for call in list(&app, tenant, of_link).await {
            assert_eq!(bodies(&app, tenant, call.id).await, (None, None), "{call:?}");
        }
        client.post("/v1/sandbox/reset/", json!({})).await;
        // What was done after the reset, and the reset itself.
        assert_eq!(list(&app, tenant, Filter::default()).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn bodies_can_be_left_out() {
    let app = TestApp::without_call_bodies().await;
    let client = app.client("acme").await;
    client.post("/v1/bridge-tokens/", json!({"product_type": "income"})).await;
    let tenant = sandbox(client.id);
    let calls = list(&app, tenant, Filter::default()).await;
    assert_eq!(bodies(&app, tenant, calls[0].id).await, (None, None));
    // What the call was about is known all the same.
    assert!(calls[0].bridge_token_id.is_some());
}

/// What a server has not written yet when it is told to stop, it writes before it ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p42_a_quiet_stop_writes_the_last_calls() {
    let mut child = ServerChild::new("p42-calls");
    let (client_id, secret) = kills::client(&child).await;
    let base = format!("http://{}", child.start().await);
    let call = reqwest::Client::new()
        .get(format!("{base}/v1/links/"))
        .header("X-Access-Client-Id", client_id.to_string())
        .header("X-Access-Secret", &secret);
    assert_eq!(call.send().await.unwrap().status(), StatusCode::OK);
    child.signal("TERM");
    assert!(child.ended_within(Duration::from_secs(20)).await.unwrap().success());
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let opened = opening::open(&child::config(child.home()), &SystemClock, &random).await.unwrap();
    let tenant = sandbox(client_id);
    let list = opened
        .db
        .read(async move |tx| citadel_store::calls::list(tx, tenant, &Filter::default(), None, 9).await);
    let calls = list.await.unwrap();
    assert_eq!(calls.iter().map(|call| call.route.as_str()).collect::<Vec<_>>(), ["/v1/links/"]);
}
