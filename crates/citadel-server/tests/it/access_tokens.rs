use axum::http::{Method, StatusCode};
use citadel_server::config::ReplayPolicy;
use serde_json::json;

use crate::support::{Reply, TestApp, TestClient, for_each_db};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_token_becomes_the_links_access_token() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let public_token = client.connect("employment").await;
        let reply = client.exchange(&public_token).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        let json = reply.json();
        for key in ["access_token", "link_id"] {
            let text = json[key].as_str().unwrap();
            assert!(text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}: {text}");
        }
    })
    .await;
}

/// Contract 1.10: one access token per link, stable across exchanges.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_public_token_of_a_link_gives_the_same_access_token() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let bridge_token = client.bridge_token("income").await;
        let task_id = app.sign_in(&bridge_token, "goodlogin", "goodpassword").await;
        app.run_jobs().await;
        let first = client.exchange(&app.public_token(&bridge_token, &task_id).await).await.json();
        let second = client.exchange(&app.public_token(&bridge_token, &task_id).await).await.json();
        assert_eq!(first, second);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_public_token_revokes_the_one_before() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let bridge_token = client.bridge_token("income").await;
        let task_id = app.sign_in(&bridge_token, "goodlogin", "goodpassword").await;
        app.run_jobs().await;
        let first = app.public_token(&bridge_token, &task_id).await;
        let second = app.public_token(&bridge_token, &task_id).await;
        assert_eq!(client.exchange(&first).await.status, StatusCode::GONE);
        assert_eq!(client.exchange(&second).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_token_lives_six_hours() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let (in_time, too_late) = (client.connect("income").await, client.connect("income").await);
        // The second sign-in took place a second after the first.
        app.advance(6 * 3600 - 2);
        assert_eq!(client.exchange(&in_time).await.status, StatusCode::OK);
        app.advance(2);
        let reply = client.exchange(&too_late).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::GONE, "expired_token"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_older_form_takes_several_tokens_in_order() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let (first, second) = (client.connect("income").await, client.connect("employment").await);
        let reply = client.post("/v1/access-tokens/", json!({"public_tokens": [first, second]})).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        let tokens = reply.json()["access_tokens"].as_array().unwrap().clone();
        assert_eq!(tokens.len(), 2);
        let income = client.post("/v1/verifications/incomes", json!({"access_token": tokens[0]})).await;
        assert_eq!(income.status, StatusCode::OK);
        // All or none: the good one is not lost with the unknown one.
        let good = client.connect("income").await;
        let mixed = client.post("/v1/access-tokens/", json!({"public_tokens": [good, "0".repeat(32)]})).await;
        assert_eq!(mixed.status, StatusCode::NOT_FOUND);
        assert_eq!(client.exchange(&good).await.status, StatusCode::OK);
        for bad in [json!({}), json!({"public_tokens": []}), json!({"public_tokens": "x"})] {
            let reply = client.post("/v1/access-tokens/", bad).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_refused_by_name() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        for body in [
            json!({}),
            json!({"public_token": null}),
            json!({"public_token": ""}),
            json!({"public_token": 7}),
        ] {
            let reply = client.post("/v1/link-access-tokens/", body).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply:?}");
            assert_eq!(reply.invalid_fields(), ["public_token"]);
        }
        assert_eq!(client.exchange(&"0".repeat(32)).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

/// P9: one conditional update spends the token; sixty-three of sixty-four parallel calls come too late. A thousand
/// tokens on each database; on Postgres the calls alternate between two nodes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p09_a_public_token_is_spent_exactly_once() {
    const TOKENS: usize = 1_000;
    const PARALLEL: usize = 64;
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let second_node = match &app.db_config {
            citadel_store::DbConfig::Postgres { .. } => {
                Some(TestApp::open(app.db_config.clone(), None).await)
            }
            citadel_store::DbConfig::Sqlite { .. } => None,
        };
        let bridge_token = client.bridge_token("employment").await;
        let task_id = app.sign_in(&bridge_token, "goodlogin", "goodpassword").await;
        app.run_jobs().await;
        for _ in 0..TOKENS {
            let public_token = app.public_token(&bridge_token, &task_id).await;
            let calls = (0..PARALLEL).map(|number| {
                let router = match &second_node {
                    Some(node) if number % 2 == 1 => node.router.clone(),
                    _ => app.router.clone(),
                };
                let request = client
                    .request(axum::http::Method::POST, "/v1/link-access-tokens/")
                    .header("Content-Type", "application/json")
                    .body(axum::body::Body::from(json!({"public_token": public_token}).to_string()))
                    .unwrap();
                tokio::spawn(
                    async move { tower::ServiceExt::oneshot(router, request).await.unwrap().status() },
                )
            });
            let calls: Vec<_> = calls.collect();
            let (mut ok, mut gone) = (0, 0);
            for call in calls {
                match call.await.unwrap() {
                    StatusCode::OK => ok += 1,
                    StatusCode::GONE => gone += 1,
                    other => panic!("{other}"),
                }
            }
            assert_eq!((ok, gone), (1, PARALLEL - 1));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p09_another_client_sees_an_unknown_token_and_does_not_spend_it() {
    for_each_db(async |app| {
        let (acme, other) = (app.client("acme").await, app.client("other").await);
        let public_token = acme.connect("employment").await;
        assert_eq!(other.exchange(&public_token).await.status, StatusCode::NOT_FOUND);
        assert_eq!(acme.exchange(&public_token).await.status, StatusCode::OK);
        assert_eq!(other.exchange(&public_token).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

async fn exchange_once(client: &TestClient<'_>, key: &str, public_token: &str) -> Reply {
    let request = client
        .request(Method::POST, "/v1/link-access-tokens/")
        .header("Idempotency-Key", key)
        .header("Content-Type", "application/json")
        .body(json!({"public_token": public_token}).to_string().into());
    client.app.send(request.unwrap()).await
}

async fn opens(client: &TestClient<'_>, access_token: &str) -> bool {
    let reply = client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await;
    reply.status == StatusCode::OK
}

/// P10: whoever lost the answer, at whatever place the connection broke, asks again with the key and has the token, for a day
/// and under both policies. Who asks without the key is told that the token is spent, and the policy decides about the link.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p10_a_lost_answer_is_given_again_and_a_replay_is_as_the_policy_says() {
    for policy in [ReplayPolicy::Keep, ReplayPolicy::Revoke] {
        for app in TestApp::each_with_replay_policy(policy).await {
            let client = app.client("acme").await;
            let bridge_token = client.bridge_token("income").await;
            let task_id = app.sign_in(&bridge_token, "goodlogin", "goodpassword").await;
            app.run_jobs().await;
            let public_token = app.public_token(&bridge_token, &task_id).await;
            // Committed; nobody reads the answer.
            assert_eq!(exchange_once(&client, "key", &public_token).await.status, StatusCode::OK);
            let again = exchange_once(&client, "key", &public_token).await;
            assert_eq!((again.status, again.header("idempotent-replayed")), (StatusCode::OK, "true"));
            let access_token = again.json()["access_token"].as_str().unwrap().to_owned();
            assert!(opens(&client, &access_token).await, "a call that is repeated is no replay");

            // Neither is a token of somebody else, one that was never spent, or one that was revoked.
            let other = app.client("other").await;
            assert_eq!(other.exchange(&public_token).await.status, StatusCode::NOT_FOUND);
            let unspent = app.public_token(&bridge_token, &task_id).await;
            let newest = app.public_token(&bridge_token, &task_id).await;
            assert_eq!(client.exchange(&unspent).await.status, StatusCode::GONE);
            assert!(opens(&client, &access_token).await);

            for replay in
                [client.exchange(&public_token).await, exchange_once(&client, "new", &public_token).await]
            {
                assert_eq!((replay.status, replay.code().as_str()), (StatusCode::GONE, "expired_token"));
            }
            assert_eq!(opens(&client, &access_token).await, policy == ReplayPolicy::Keep);
            // The next exchange is good under both, with a new token where the old one ended.
            let next = client.exchange(&newest).await.json()["access_token"].as_str().unwrap().to_owned();
            assert!(opens(&client, &next).await);
            assert_eq!(next == access_token, policy == ReplayPolicy::Keep);
            app.advance(24 * 3600);
            assert_eq!(exchange_once(&client, "key", &public_token).await.status, StatusCode::GONE);
        }
    }
}

/// P4, the part that does not depend on a clock: secrets and tokens are found by keyed hash. Nothing that was handed
/// out stands in the database as it is, so no comparison can be made with it, early-ending or not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p04_no_token_or_secret_is_stored_as_it_is() {
    let app = crate::support::TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let bridge_token = client.bridge_token("income").await;
    let task_id = app.sign_in(&bridge_token, "goodlogin", "goodpassword").await;
    app.run_jobs().await;
    let public_token = app.public_token(&bridge_token, &task_id).await;
    let access_token =
        client.exchange(&public_token).await.json()["access_token"].as_str().unwrap().to_owned();
    let citadel_store::DbConfig::Sqlite { path } = &app.db_config else {
        unreachable!("this test is about the file")
    };
    let mut stored = std::fs::read(path).unwrap();
    stored.extend(std::fs::read(path.with_extension("db-wal")).unwrap_or_default());
    assert!(
        memchr::memmem::find(&stored, task_id_bytes(&task_id).as_slice()).is_some(),
        "the search would find it"
    );
    for secret in [&client.secret, &bridge_token, &public_token, &access_token] {
        assert!(memchr::memmem::find(&stored, secret.as_bytes()).is_none(), "stored as text");
        assert!(
            memchr::memmem::find(&stored, secret.to_uppercase().as_bytes()).is_none(),
            "stored in capitals"
        );
        if secret.len() == 32 {
            assert!(
                memchr::memmem::find(&stored, task_id_bytes(secret).as_slice()).is_none(),
                "stored as bytes"
            );
        }
    }
}

fn task_id_bytes(hex: &str) -> [u8; 16] {
    u128::from_str_radix(hex, 16).unwrap().to_be_bytes()
}
