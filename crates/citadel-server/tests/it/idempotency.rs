//! Idempotency keys (P43), through every call that takes one.

use std::{collections::HashSet, future::poll_fn, pin::pin, task::Poll};

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use citadel_domain::Environment;
use citadel_server::router::Api;
use citadel_store::DbConfig;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{Reply, TestApp, TestClient, for_each_db};

const HEADER: &str = "Idempotency-Key";
const DAY: i64 = 24 * 3600;

/// POSTs that read. What is not here creates or spends, and takes a key.
const READS: [&str; 11] = [
    "/v1/account-switches/",
    "/v1/administrators/directories/",
    "/v1/companies/",
    "/v1/deposit-switches/",
    "/v1/links/reports/admin/",
    "/v1/links/reports/{kind}/",
    "/v1/orders/lookup/",
    "/v1/paycheck-linked-loans/",
    "/v1/sandbox/scenarios/resolve/",
    "/v1/verifications/employments/",
    "/v1/verifications/incomes/",
];

fn request(client: &TestClient<'_>, key: &str, path: &str, body: &Value) -> Request<Body> {
    let request = client.request(Method::POST, path).header(HEADER, key);
    request.header(header::CONTENT_TYPE, "application/json").body(body.to_string().into()).unwrap()
}

async fn post(client: &TestClient<'_>, key: &str, path: &str, body: &Value) -> Reply {
    client.app.send(request(client, key, path, body)).await
}

fn is_replayed(reply: &Reply) -> bool {
    reply.header("idempotent-replayed") == "true"
}

fn somebody(name: &str) -> Value {
    json!({"external_user_id": name, "first_name": "Ada", "last_name": "Lane"})
}

/// How many users have this id of the client's.
async fn users(client: &TestClient<'_>, name: &str) -> i64 {
    let reply = client.get(&format!("/v1/users/?external_user_id={name}")).await;
    reply.json()["count"].as_i64().unwrap()
}

async fn send(router: Api, request: Request<Body>) -> Reply {
    let (head, body) = router.oneshot(request).await.unwrap().into_parts();
    Reply { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
}

/// Another node, where the database can be shared.
async fn second_node(app: &TestApp) -> Option<TestApp> {
    match &app.db_config {
        DbConfig::Postgres { .. } => Some(TestApp::open(app.db_config.clone(), None).await),
        DbConfig::Sqlite { .. } => None,
    }
}

/// The document tells for each POST whether it takes a key; the lists are compared, so that a new call cannot forget it.
#[tokio::test]
async fn p43_every_post_that_creates_or_spends_declares_the_key() {
    let app = TestApp::on_sqlite().await;
    let document = app.get("/openapi.json").await.json();
    let (mut reads, mut writes) = (HashSet::new(), 0);
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(post) = item.get("post") else { continue };
        let is_key = |parameter: &&Value| parameter["name"] == HEADER && parameter["in"] == "header";
        let declared = post["parameters"].as_array().into_iter().flatten().find(is_key);
        if READS.contains(&path.as_str()) {
            assert!(declared.is_none(), "{path} reads");
            reads.insert(path.as_str());
        } else {
            assert!(declared.is_some_and(|key| key["required"] != true), "{path} does not declare {HEADER}");
            assert!(post["responses"]["422"].is_object() && post["responses"]["409"].is_object(), "{path}");
            writes += 1;
        }
    }
    assert_eq!(reads.len(), READS.len(), "one of the list is not there");
    assert!(writes >= 24, "{writes}");
}

/// Every call that takes a key, made twice: the second answer is the first one's, byte for byte, and nothing happens again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p43_every_call_that_takes_a_key_answers_again_as_before() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let (user_id, access_token) = (client.user("ada").await, client.link("income").await);
        let admin = client.link("admin").await;
        let (first, second) = (client.connect("income").await, client.connect("income").await);
        let bridge_token = client.bridge_token("income").await;
        let (endpoint, _) = client.webhook("http://127.0.0.1:9/one").await;
        let event = client.events().await[0]["id"].as_str().unwrap().to_owned();
        let order = client.post("/v1/orders/", json!({"products": ["income"]})).await.json();
        let order = order["id"].as_str().unwrap().to_owned();
        let mut seen = HashSet::new();
        let calls = [
            ("/v1/bridge-tokens/", "/v1/bridge-tokens/", json!({"product_type": "income"})),
            ("/v1/users/", "/v1/users/", somebody("new")),
            (
                "/v1/users/{user_id}/tokens/",
                &format!("/v1/users/{user_id}/tokens/"),
                json!({"product_type": "income"}),
            ),
            ("/v1/users/{user_id}/reports/", &format!("/v1/users/{user_id}/reports/"), json!({})),
            ("/v1/orders/", "/v1/orders/", json!({"products": ["income"], "last_name": "Lane"})),
            ("/v1/orders/{order_id}/", &format!("/v1/orders/{order}/"), json!({})),
            ("/v1/orders/{order_id}/refresh/", &format!("/v1/orders/{order}/refresh/"), json!({})),
            (
                "/v1/orders/{order_id}/employers/",
                &format!("/v1/orders/{order}/employers/"),
                json!({"company_name": "Home Depot"}),
            ),
            ("/v1/orders/{order_id}/cancel/", &format!("/v1/orders/{order}/cancel/"), json!({})),
            ("/v1/templates/", "/v1/templates/", json!({"name": "Plain"})),
            ("/v1/link-access-tokens/", "/v1/link-access-tokens/", json!({"public_token": first})),
            ("/v1/access-tokens/", "/v1/access-tokens/", json!({"public_tokens": [second]})),
            (
                "/v1/administrators/payrolls/",
                "/v1/administrators/payrolls/",
                json!({"access_token": admin, "start_date": "2026-01-01", "end_date": "2026-02-01"}),
            ),
            ("/v1/refresh/tasks/", "/v1/refresh/tasks/", json!({"access_token": access_token})),
            (
                "/v1/webhooks/",
                "/v1/webhooks/",
                json!({"name": "Two", "webhook_url": "http://127.0.0.1:9/two", "env_type": "sandbox"}),
            ),
            (
                "/v1/webhooks/{webhook_id}/rotate-secret/",
                &format!("/v1/webhooks/{endpoint}/rotate-secret/"),
                json!({}),
            ),
            ("/v1/events/resend/", "/v1/events/resend/", json!({"created_at__gte": "2026-11-18T00:00:00Z"})),
            ("/v1/events/{event_id}/resend/", &format!("/v1/events/{event}/resend/"), json!({})),
            ("/v1/keys/", "/v1/keys/", json!({})),
            ("/v1/sandbox/faults/", "/v1/sandbox/faults/", json!({"faults": ["slow"]})),
            (
                "/v1/sandbox/scenarios/",
                "/v1/sandbox/scenarios/",
                json!({"data_source": "payroll", "label": "one", "username": "one", "password": "own"}),
            ),
            ("/v1/sandbox/clock/", "/v1/sandbox/clock/", json!({"advance": "P1D"})),
        ];
        let mut twice = async |template: &str, path: &str, body: &Value| {
            let (one, two) =
                (post(&client, "a-key", path, body).await, post(&client, "a-key", path, body).await);
            assert!(one.status.is_success() && !is_replayed(&one), "{path}: {one:?}");
            assert_eq!((one.status, &one.body), (two.status, &two.body), "{path}");
            assert!(is_replayed(&two), "{path}");
            for name in ["content-type", "cache-control", "x-content-type-options"] {
                assert_eq!(one.header(name), two.header(name), "{path}");
            }
            seen.insert(template.to_owned());
            one.json()
        };
        let mut key_id = Value::Null;
        for (template, path, body) in &calls {
            let answer = twice(template, path, body).await;
            if *template == "/v1/keys/" {
                key_id = answer["id"].clone();
            }
        }
        twice("/v1/keys/deactivate/", "/v1/keys/deactivate/", &json!({"id": key_id})).await;
        twice("/v1/sandbox/reset/", "/v1/sandbox/reset/", &json!({})).await;
        // Driven by hand, with its task, below.
        seen.insert("/v1/sandbox/public-tokens/".to_owned());
        let _ = bridge_token;
        let document = app.get("/openapi.json").await.json();
        for (path, item) in document["paths"].as_object().unwrap() {
            let is_writing = item.get("post").is_some() && !READS.contains(&path.as_str());
            assert!(!is_writing || seen.contains(path), "say here how {path} is called");
        }
    })
    .await;
}

/// A hundred at once; on Postgres half of them through another node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p43_a_hundred_parallel_twins_have_one_effect() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let node = second_node(&app).await;
        let public_token = client.connect("income").await;
        for (path, body) in [
            ("/v1/users/", somebody("twin")),
            ("/v1/link-access-tokens/", json!({"public_token": public_token})),
        ] {
            let calls: Vec<_> = (0..100)
                .map(|number| {
                    let router = match &node {
                        Some(node) if number % 2 == 1 => node.router.clone(),
                        _ => app.router.clone(),
                    };
                    tokio::spawn(send(router, request(&client, "twin", path, &body)))
                })
                .collect();
            let mut answers = HashSet::new();
            for call in calls {
                let reply = call.await.unwrap();
                match reply.status {
                    StatusCode::CONFLICT => assert_eq!(reply.code(), "idempotency_key_in_use"),
                    status if status.is_success() => drop(answers.insert(reply.body.clone())),
                    _ => panic!("{reply:?}"),
                }
            }
            assert_eq!(answers.len(), 1, "{path}");
            let late = post(&client, "twin", path, &body).await;
            assert!(is_replayed(&late) && answers.contains(&late.body), "{late:?}");
        }
        assert_eq!(users(&client, "twin").await, 1);
    })
    .await;
}

/// The caller goes away at every place at which the call can be left: there is one effect, and whoever calls again gets its
/// answer, whichever call had it. So after a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p43_a_crash_between_effect_and_answer_changes_nothing() {
    for app in [Some(TestApp::on_sqlite().await), TestApp::on_postgres().await].into_iter().flatten() {
        let client = app.client("acme").await;
        let (mut polls, mut tries) = (0, 0);
        let cut_short = loop {
            let name = format!("cut-{polls}-{tries}");
            let mut call =
                pin!(send(app.router.clone(), request(&client, &name, "/v1/users/", &somebody(&name))));
            let mut left = polls;
            let answered = poll_fn(|context| match call.as_mut().poll(context) {
                Poll::Ready(reply) => Poll::Ready(Some(reply)),
                Poll::Pending if left == 0 => Poll::Ready(None),
                Poll::Pending => {
                    left -= 1;
                    Poll::Pending
                }
            })
            .await;
            if answered.is_some() {
                // On a busy machine the writer may be done before the call has looked once.
                tries += 1;
                if polls == 0 && tries < 50 {
                    continue;
                }
                break polls;
            }
            // The call stands still, somewhere before its beginning or its end.
            let twin = post(&client, &name, "/v1/users/", &somebody(&name)).await;
            assert!(matches!(twin.status, StatusCode::CONFLICT | StatusCode::CREATED), "{twin:?}");
            call.set(send(app.router.clone(), request(&client, "other", "/v1/users/", &somebody("other"))));
            let again = post(&client, &name, "/v1/users/", &somebody(&name)).await;
            assert_eq!(again.status, StatusCode::CREATED, "{again:?}");
            let third = post(&client, &name, "/v1/users/", &somebody(&name)).await;
            assert_eq!((is_replayed(&third), third.body), (true, again.body));
            assert_eq!(users(&client, &name).await, 1, "{name}");
            polls += 1;
        };
        assert!(cut_short > 0, "the call was never left");

        let (id, key_id, secret) = (client.id, client.key_id, client.secret.clone());
        let before = post(&client, "restart", "/v1/users/", &somebody("restart")).await;
        drop(client);
        let app = app.reopen().await;
        let client = TestClient { app: &app, id, key_id, secret };
        let after = post(&client, "restart", "/v1/users/", &somebody("restart")).await;
        assert_eq!((is_replayed(&after), after.body), (true, before.body));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p43_a_key_belongs_to_client_environment_and_route() {
    for_each_db(async |app| {
        let (acme, other) = (app.client("acme").await, app.client("other").await);
        let (key_id, secret) = app.key(acme.id, Environment::Dev).await;
        let dev = TestClient { app: &app, id: acme.id, key_id, secret };
        let mut ids = HashSet::new();
        for client in [&acme, &other, &dev] {
            let reply = post(client, "same", "/v1/users/", &somebody("same")).await;
            assert!(reply.status == StatusCode::CREATED && !is_replayed(&reply), "{reply:?}");
            assert!(ids.insert(reply.json()["id"].as_str().unwrap().to_owned()));
            assert_eq!(users(client, "same").await, 1);
        }
        // The path, and not its template; with and without its slash it is one.
        let (ada, eve) = (acme.user("ada").await, acme.user("eve").await);
        let body = json!({"product_type": "income"});
        let mut tokens = HashSet::new();
        for path in
            ["/v1/bridge-tokens", &format!("/v1/users/{ada}/tokens"), &format!("/v1/users/{eve}/tokens")]
        {
            let reply = post(&acme, "same", path, &body).await;
            assert!(reply.status == StatusCode::OK && !is_replayed(&reply), "{path}: {reply:?}");
            assert!(tokens.insert(reply.json()["bridge_token"].as_str().unwrap().to_owned()));
            let slashed = post(&acme, "same", &format!("{path}/"), &body).await;
            assert_eq!((is_replayed(&slashed), slashed.body), (true, reply.body));
        }
        // A second key of the same environment is the same client.
        let (key_id, secret) = app.key(acme.id, Environment::Sandbox).await;
        let second = TestClient { app: &app, id: acme.id, key_id, secret };
        assert!(is_replayed(&post(&second, "same", "/v1/users/", &somebody("same")).await));
        // Strangers learn nothing of keys, good or bad.
        let nobody = TestClient { app: &app, id: acme.id, key_id, secret: "sandbox-x".to_owned() };
        for key in ["same", ""] {
            let reply = post(&nobody, key, "/v1/users/", &somebody("same")).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p43_another_body_and_a_bad_key_are_refused() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let made = post(&client, "key", "/v1/users/", &somebody("one")).await;
        for body in [somebody("two"), json!({})] {
            let reply = post(&client, "key", "/v1/users/", &body).await;
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused")
            );
        }
        assert_eq!(post(&client, "key", "/v1/users/", &somebody("one")).await.body, made.body);
        assert_eq!(users(&client, "two").await, 0);

        let longest = "k".repeat(255);
        assert_eq!(
            post(&client, &longest, "/v1/users/", &somebody("long")).await.status,
            StatusCode::CREATED
        );
        assert!(is_replayed(&post(&client, &longest, "/v1/users/", &somebody("long")).await));
        let too_long = "k".repeat(256);
        for key in ["", " ", "a b", "a\tb", "\u{e9}", &too_long] {
            let reply = post(&client, key, "/v1/users/", &somebody("bad")).await;
            assert_eq!(
                (reply.status, reply.invalid_fields()),
                (StatusCode::BAD_REQUEST, vec![HEADER.to_owned()]),
                "{key}"
            );
        }
        let mut two = request(&client, "one", "/v1/users/", &somebody("bad"));
        two.headers_mut().append(HEADER, "two".parse().unwrap());
        assert_eq!(app.send(two).await.invalid_fields(), [HEADER]);
        assert_eq!(users(&client, "bad").await, 0);
        // A call that reads has no use for one, and reads each time.
        for body in [json!({"order_number": "one"}), json!({"order_number": "two"})] {
            let reply = post(&client, "key", "/v1/orders/lookup/", &body).await;
            assert!(reply.status == StatusCode::OK && !is_replayed(&reply), "{reply:?}");
        }
    })
    .await;
}

/// What had no effect is not kept: the key is free for the call that is right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p43_refusals_and_faults_are_not_kept() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let check = async |path: &str, bad: Value, expected: StatusCode, good: Value| {
            let refused = post(&client, "key", path, &bad).await;
            assert_eq!(refused.status, expected, "{refused:?}");
            let reply = post(&client, "key", path, &good).await;
            assert!(reply.status.is_success() && !is_replayed(&reply), "{path}: {reply:?}");
        };
        check("/v1/users/", json!({}), StatusCode::BAD_REQUEST, somebody("one")).await;
        check(
            "/v1/bridge-tokens/",
            json!({"product_type": "x"}),
            StatusCode::BAD_REQUEST,
            json!({"product_type": "income"}),
        )
        .await;
        let public_token = client.connect("income").await;
        let unknown = json!({"public_token": "0".repeat(32)});
        check(
            "/v1/link-access-tokens/",
            unknown,
            StatusCode::NOT_FOUND,
            json!({"public_token": public_token}),
        )
        .await;

        let rename = async |sql: &'static str| {
            app.app.db.write(async move |tx| tx.execute(sql, &[]).await.map(drop)).await.unwrap();
        };
        rename("alter table templates rename to templates_away").await;
        let template = json!({"name": "Plain"});
        for _ in 0..2 {
            let reply = post(&client, "key", "/v1/templates/", &template).await;
            assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR, "{reply:?}");
            assert!(!is_replayed(&reply));
        }
        rename("alter table templates_away rename to templates").await;
        check("/v1/templates/", json!({}), StatusCode::BAD_REQUEST, template).await;
        assert_eq!(client.get("/v1/templates/").await.json()["count"], 1);
    })
    .await;
}

/// Rows under keys, and what is in them.
async fn rows(app: &TestApp) -> Vec<Vec<u8>> {
    let sql = "select coalesce(answer_sealed, key_hash) from idempotency_keys";
    app.app.db.read(async move |tx| tx.fetch_all(sql, &[], |row| row.get(0)).await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p43_an_answer_is_sealed_and_kept_for_a_day() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let first = post(&client, "key", "/v1/users/", &somebody("one")).await;
        let kept = rows(&app).await;
        assert_eq!(kept.len(), 1);
        assert!(memchr::memmem::find(&kept[0], b"Lane").is_none() && kept[0].len() > first.body.len());
        app.advance(DAY - 1);
        assert_eq!(post(&client, "key", "/v1/users/", &somebody("one")).await.body, first.body);
        app.advance(1);
        // Not swept yet, and free.
        let second = post(&client, "key", "/v1/users/", &somebody("two")).await;
        assert!(second.status == StatusCode::CREATED && !is_replayed(&second), "{second:?}");
        assert_eq!(rows(&app).await.len(), 1);
        app.advance(DAY - 1);
        citadel_server::jobs::sweep(&app.app).await;
        assert_eq!(rows(&app).await.len(), 1);
        app.advance(1);
        citadel_server::jobs::sweep(&app.app).await;
        assert_eq!(rows(&app).await.len(), 0);
        assert_eq!(post(&client, "key", "/v1/users/", &somebody("one")).await.status, StatusCode::CREATED);
        assert_eq!(users(&client, "one").await, 2);
    })
    .await;
}

/// Answers hold what is known of people: they go with them (P22).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p43_an_answer_goes_with_what_it_tells() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let user_id = post(&client, "user", "/v1/users/", &somebody("one")).await.json()["id"].clone();
        let user = format!("/v1/users/{}/", user_id.as_str().unwrap());
        post(&client, "token", &format!("{user}tokens/"), &json!({"product_type": "income"})).await;
        let body = json!({"products": ["income"], "external_user_id": "one"});
        assert_eq!(post(&client, "order", "/v1/orders/", &body).await.status, StatusCode::CREATED);
        let public_token = client.connect("income").await;
        let exchange = json!({"public_token": public_token});
        let link = post(&client, "link", "/v1/link-access-tokens/", &exchange).await.json();
        let repair = json!({"product_type": "income", "access_token": link["access_token"]});
        assert_eq!(post(&client, "repair", "/v1/bridge-tokens/", &repair).await.status, StatusCode::OK);
        assert_eq!(
            post(&client, "plain", "/v1/bridge-tokens/", &json!({"product_type": "income"})).await.status,
            StatusCode::OK
        );
        assert_eq!(rows(&app).await.len(), 6);
        let path = format!("/v1/links/{}/", link["link_id"].as_str().unwrap());
        assert_eq!(client.delete(&path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(rows(&app).await.len(), 4, "the exchange and the token to repair");
        let again = post(&client, "link", "/v1/link-access-tokens/", &exchange).await;
        assert!(again.status.is_client_error(), "{again:?}");
        assert_eq!(client.delete(&user).await.status, StatusCode::NO_CONTENT);
        assert_eq!(rows(&app).await.len(), 1, "nobody's bridge token");
        assert_eq!(client.post("/v1/sandbox/reset/", json!({})).await.status, StatusCode::OK);
        assert_eq!(rows(&app).await.len(), 0);
    })
    .await;
}

/// The longest call: it begins a task and answers at its end. While it runs its twin is told to wait; when its caller went away,
/// the next one goes on with the same task.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p43_a_call_that_runs_is_not_run_again() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        for (password, status) in [("goodpassword", "done"), ("badpassword", "login_error")] {
            let body = json!({"bridge_token": client.bridge_token("income").await, "username": "goodlogin", "password": password});
            let (path, key) = ("/v1/sandbox/public-tokens/", format!("key-{status}"));
            let begun = async || client.get("/v1/tasks/").await.json()["count"].as_i64().unwrap();
            let before = begun().await;
            let first = tokio::spawn(send(app.router.clone(), request(&client, &key, path, &body)));
            while begun().await == before {
                tokio::task::yield_now().await;
            }
            let twin = post(&client, &key, path, &body).await;
            assert_eq!((twin.status, twin.code().as_str()), (StatusCode::CONFLICT, "idempotency_key_in_use"));
            assert_eq!(twin.header("retry-after"), "1");
            first.abort();
            assert!(first.await.unwrap_err().is_cancelled());
            let second = tokio::spawn(send(app.router.clone(), request(&client, &key, path, &body)));
            while !second.is_finished() {
                app.run_jobs().await;
                tokio::task::yield_now().await;
            }
            let answer = second.await.unwrap();
            assert_eq!((answer.status, &answer.json()["status"]), (StatusCode::OK, &json!(status)));
            assert_eq!(begun().await, before + 1);
            let third = post(&client, &key, path, &body).await;
            assert_eq!((is_replayed(&third), &third.body), (true, &answer.body));
            if status == "done" {
                let public_token = answer.json()["public_token"].as_str().unwrap().to_owned();
                assert_eq!(client.exchange(&public_token).await.status, StatusCode::OK);
            }
        }
    })
    .await;
}
