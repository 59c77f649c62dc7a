use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use citadel_domain::TaskStatus;
use citadel_store::{tasks, webhook_events};
use serde_json::{Value, json};

use crate::support::{TestApp, for_each_db};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_session_tells_where_to_begin() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let hit = client.get("/v1/company-mappings-search/?query=home+depot").await.json()[0].clone();
        let company_id = hit["company_mapping_id"].as_str().unwrap();
        let cases = [
            (json!({"product_type": "income"}), "SELECT_EMPLOYER"),
            (json!({"product_type": "income", "provider_id": "adp"}), "PROVIDER_LOGIN"),
        ];
        for (body, first_view) in cases {
            let token = client.post("/v1/bridge-tokens/", body).await.json()["bridge_token"]
                .as_str()
                .unwrap()
                .to_owned();
            let session = app.widget(Method::GET, "/session", &token, None).await.json();
            assert_eq!(session["first_view"], first_view);
            assert_eq!(session["environment"], "sandbox");
        }
        let body = json!({"product_type": "income", "company_mapping_id": company_id});
        let token =
            client.post("/v1/bridge-tokens/", body).await.json()["bridge_token"].as_str().unwrap().to_owned();
        let session = app.widget(Method::GET, "/session", &token, None).await.json();
        assert_eq!(session["company"]["name"], "Home Depot");
        assert!(["PROVIDER_LIST", "PROVIDER_LOGIN"].contains(&session["first_view"].as_str().unwrap()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn search_and_providers_and_form() {
    for_each_db(async |app| {
        let token = app.client("acme").await.bridge_token("employment").await;
        let companies = app.widget(Method::GET, "/companies?query=face", &token, None).await.json();
        assert_eq!(companies[0]["name"], "Facebook Demo");
        let id = companies[0]["company_mapping_id"].as_str().unwrap();
        let providers =
            app.widget(Method::GET, &format!("/providers?company_mapping_id={id}"), &token, None).await;
        assert!(!providers.json().as_array().unwrap().is_empty());
        let form = app.widget(Method::GET, "/providers/adp", &token, None).await.json();
        let labels: Vec<_> = form["ways"][0]["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| field["label"].clone())
            .collect();
        assert_eq!(labels, ["Username", "Password"]);
        assert_eq!(form["ways"][0]["fields"][1]["kind"], "password");
        assert_eq!(
            app.widget(Method::GET, "/providers/nobody", &token, None).await.status,
            StatusCode::NOT_FOUND
        );
    })
    .await;
}

/// Contract 8.1, and the event of each step in the order of the statuses (P12, P27).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sandbox_login_ends_as_the_contract_says() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let cases = [
            ("goodlogin", "goodpassword", "done", None),
            ("fulltime", "goodpassword", "done", None),
            ("hourly.part-time", "goodpassword", "done", None),
            ("goodlogin.tn1", "goodpassword", "done", None),
            ("goodlogin", "wrong", "login_error", Some("LOGIN_ERROR")),
            ("nobody", "goodpassword", "login_error", Some("LOGIN_ERROR")),
            ("error.user", "login_error", "login_error", Some("LOGIN_ERROR")),
            ("error.user", "mfa_error", "mfa_error", Some("MFA_ERROR")),
            ("error.user", "config_error", "config_error", Some("ERROR")),
            ("error.user", "account_locked", "account_locked", Some("ERROR")),
            ("error.user", "no_data", "no_data", Some("NO_DATA")),
            ("error.user", "unavailable", "unavailable", Some("UNAVAILABLE")),
            ("error.user", "error", "error", Some("ERROR")),
            ("error.user", "unable_to_reset", "unable_to_reset", Some("ERROR")),
        ];
        for (username, password, status, code) in cases {
            let token = client.bridge_token("income").await;
            let task_id = app.sign_in(&token, username, password).await;
            assert_eq!(app.task(&token, &task_id).await["status"], "new");
            app.run_jobs().await;
            let task = app.task(&token, &task_id).await;
            assert_eq!(task["status"], status, "{username} / {password}");
            match code {
                None => assert_eq!(task["error"], Value::Null),
                Some(code) => {
                    assert_eq!(task["error"]["error_type"], "LINK_ERROR");
                    assert_eq!(task["error"]["error_code"], code);
                    assert!(!task["error"]["error_message"].as_str().unwrap().is_empty());
                }
            }
            assert_events_follow_the_drawing(&app, &client, &task_id).await;
        }
    })
    .await;
}

async fn assert_events_follow_the_drawing(
    app: &TestApp,
    client: &crate::support::TestClient<'_>,
    task_id: &str,
) {
    let tenant =
        citadel_store::Tenant { client_id: client.id, environment: citadel_domain::Environment::Sandbox };
    let id = task_id.parse().unwrap();
    let (events, task) = app
        .app
        .db
        .read(async move |tx| {
            let events = webhook_events::list_for_task(tx, tenant, id).await?;
            Ok::<_, citadel_store::Error>((events, tasks::find(tx, tenant, id).await?.unwrap()))
        })
        .await
        .unwrap();
    let told: Vec<TaskStatus> = events
        .iter()
        .filter(|event| event.event_type == "task-status-updated")
        .map(|event| {
            let body: Value = serde_json::from_str(&event.body).unwrap();
            assert_eq!(body["event_type"], "task-status-updated");
            assert_eq!(body["task_id"], task_id);
            assert_eq!(body["tracking_info"], "1337");
            body["status"].as_str().unwrap().parse().unwrap()
        })
        .collect();
    assert_eq!(told[0], TaskStatus::New);
    assert_eq!(*told.last().unwrap(), task.status);
    for pair in told.windows(2) {
        assert!(pair[0].may_become(pair[1]), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_asked_for_and_checked() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        for (answer, status) in [("12345", "done"), ("99999", "mfa_error")] {
            let token = client.bridge_token("income").await;
            let task_id = app.sign_in(&token, "goodlogin", "mfa").await;
            app.run_jobs().await;
            let task = app.task(&token, &task_id).await;
            assert_eq!((task["status"].as_str(), task["step"]["kind"].as_str()), (Some("mfa"), Some("code")));
            let path = format!("/tasks/{task_id}/answer");
            let empty = app.widget(Method::POST, &path, &token, Some(json!({"answer": ""}))).await;
            assert_eq!(empty.status, StatusCode::BAD_REQUEST);
            let reply = app.widget(Method::POST, &path, &token, Some(json!({"answer": answer}))).await;
            assert_eq!(reply.status, StatusCode::ACCEPTED, "{reply:?}");
            assert_eq!(reply.json()["step"], Value::Null, "an answered question is not shown again");
            let twice = app.widget(Method::POST, &path, &token, Some(json!({"answer": "12345"}))).await;
            assert_eq!(twice.status, StatusCode::CONFLICT, "a second answer changes nothing");
            app.run_jobs().await;
            assert_eq!(app.task(&token, &task_id).await["status"], status);
            let late = app.widget(Method::POST, &path, &token, Some(json!({"answer": "12345"}))).await;
            assert_eq!(late.status, StatusCode::CONFLICT);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_never_comes_ends_the_task() {
    for_each_db(async |app| {
        let token = app.client("acme").await.bridge_token("income").await;
        let task_id = app.sign_in(&token, "goodlogin", "mfa").await;
        app.run_jobs().await;
        app.advance(301);
        app.run_jobs().await;
        assert_eq!(app.task(&token, &task_id).await["status"], "mfa_error");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_check_succeeds_after_its_wait() {
    for_each_db(async |app| {
        let token = app.client("acme").await.bridge_token("income").await;
        let task_id = app.sign_in(&token, "goodlogin", "longcheck").await;
        app.run_jobs().await;
        assert_eq!(app.task(&token, &task_id).await["status"], "login");
        app.advance(120);
        app.run_jobs().await;
        assert_eq!(app.task(&token, &task_id).await["status"], "done");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_try_keeps_the_link() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let token = client.bridge_token("income").await;
        let first = app.sign_in(&token, "goodlogin", "wrong").await;
        app.run_jobs().await;
        let second = app.sign_in(&token, "goodlogin", "goodpassword").await;
        app.run_jobs().await;
        let link_of =
            async |task: &str| client.get(&format!("/v1/tasks/{task}/")).await.json()["link_id"].clone();
        assert_eq!(link_of(&first).await, link_of(&second).await);
        // A success begins the next link.
        let third = app.sign_in(&token, "goodlogin", "goodpassword").await;
        assert_ne!(link_of(&second).await, link_of(&third).await);
    })
    .await;
}

/// P8: whatever the page says, the token decides; ten links at the most; dead after six hours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p08_a_bridge_token_cannot_be_bent() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let body = json!({"product_type": "employment", "provider_id": "paychex", "tracking_info": "mine"});
        let token = client.post("/v1/bridge-tokens/", body).await.json()["bridge_token"].as_str().unwrap().to_owned();
        let forged = json!({
            "provider_id": "adp", "product_type": "income", "allowed_products": ["income"], "tracking_info": "forged",
            "client_id": "0".repeat(32), "access_token": "0".repeat(32), "account": {"account_number": "1"},
            "login": {"username": "goodlogin", "password": "goodpassword"},
        });
        let reply = app.widget(Method::POST, "/tasks", &token, Some(forged)).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        let task_id = reply.json()["task_id"].as_str().unwrap().to_owned();
        app.run_jobs().await;
        let task = client.get(&format!("/v1/tasks/{task_id}/")).await.json();
        assert_eq!(task["product_type"], "employment");
        assert_eq!(task["provider"]["id"], "paychex");
        assert_eq!(task["tracking_info"], "mine");
        let access_token = client.exchange(&app.public_token(&token, &task_id).await).await.json()["access_token"].clone();
        let income = client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await;
        assert_eq!(income.status, StatusCode::FORBIDDEN);

        for number in 2..=11 {
            let body = json!({"provider_id": "x", "login": {"username": "goodlogin", "password": "goodpassword"}});
            let reply = app.widget(Method::POST, "/tasks", &token, Some(body)).await;
            let expected = if number <= 10 { StatusCode::CREATED } else { StatusCode::FORBIDDEN };
            assert_eq!(reply.status, expected, "link number {number}: {reply:?}");
            app.run_jobs().await;
        }

        app.advance(6 * 3600 - 1);
        assert_eq!(app.widget(Method::GET, "/session", &token, None).await.status, StatusCode::OK);
        app.advance(2);
        for (method, path, body) in [
            (Method::GET, "/session".to_owned(), None),
            (Method::GET, "/companies?query=a".to_owned(), None),
            (Method::POST, "/tasks".to_owned(), Some(json!({"provider_id": "adp", "login": {}}))),
            (Method::GET, format!("/tasks/{task_id}"), None),
            (Method::POST, format!("/tasks/{task_id}/public-token"), None),
        ] {
            let reply = app.widget(method, &path, &token, body).await;
            assert_eq!((reply.status, reply.code().as_str()), (StatusCode::GONE, "expired_token"), "{path}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_sign_ins_are_refused_by_name() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let token = client.bridge_token("income").await;
        let login = |username: &str, password: &str| json!({"username": username, "password": password});
        let cases = [
            (json!({}), "provider_id"),
            (json!({"provider_id": "adp"}), "login"),
            (json!({"provider_id": "nobody", "login": login("a", "b")}), "provider_id"),
            (
                json!({"provider_id": "adp", "company_mapping_id": "x", "login": login("a", "b")}),
                "company_mapping_id",
            ),
            (json!({"provider_id": "adp", "login": login("a", "")}), "login.password"),
            (json!({"provider_id": "adp", "login": login("", "b")}), "login.username"),
            (json!({"provider_id": "adp", "login": login("a", &"b".repeat(513))}), "login.password"),
            (json!({"provider_id": "adp", "login": {"username": "a", "password": "b", "pin": "c"}}), "login"),
            (json!({"provider_id": "adp", "login": {"username": 1, "password": "b"}}), "login.username"),
        ];
        for (body, field) in cases {
            let reply = app.widget(Method::POST, "/tasks", &token, Some(body.clone())).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}: {reply:?}");
            assert!(reply.invalid_fields().contains(&field.to_owned()), "{body}: {reply:?}");
        }
        let made_up = app.widget(Method::GET, "/session", &"0".repeat(32), None).await;
        assert_eq!(
            (made_up.status, made_up.code().as_str()),
            (StatusCode::UNAUTHORIZED, "authentication_failed")
        );
    })
    .await;
}

/// A link belongs to one person: while one is signing in, the next gets a link of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_on_one_token_never_share_a_link() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let token = client.bridge_token("income").await;
        let slow = app.sign_in(&token, "goodlogin", "longcheck").await;
        app.run_jobs().await;
        let quick = app.sign_in(&token, "fulltime", "goodpassword").await;
        app.run_jobs().await;
        let link = client.exchange(&app.public_token(&token, &quick).await).await.json();
        let report = async || {
            let body = json!({"access_token": link["access_token"]});
            client.post("/v1/verifications/incomes/", body).await.json()["employments"][0]["profile"]["ssn"]
                .clone()
        };
        let before = report().await;
        app.advance(60);
        app.run_jobs().await;
        assert_eq!(app.task(&token, &slow).await["status"], "done");
        assert_eq!(report().await, before, "the slower sign-in wrote over the link of another person");
        let other = client.get(&format!("/v1/tasks/{slow}/")).await.json();
        assert_ne!(other["link_id"], link["link_id"]);
    })
    .await;
}

/// P8: a token that repairs a link keeps to the link's provider, products and person.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p08_a_repair_keeps_to_its_link() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("employment").await;
        let repair = |product: &str| json!({"product_type": product, "access_token": access_token});
        let wider = client.post("/v1/bridge-tokens/", repair("income")).await;
        assert_eq!(
            (wider.status, wider.invalid_fields()),
            (StatusCode::BAD_REQUEST, vec!["product_type".to_owned()])
        );

        let token =
            client.post("/v1/bridge-tokens/", repair("employment")).await.json()["bridge_token"].clone();
        let token = token.as_str().unwrap();
        let session = app.widget(Method::GET, "/session", token, None).await.json();
        assert_eq!(
            (&session["first_view"], &session["provider"]["id"]),
            (&json!("PROVIDER_LOGIN"), &json!("adp"))
        );
        let forged =
            json!({"provider_id": "paychex", "login": {"username": "fulltime", "password": "goodpassword"}});
        app.advance(1);
        let reply = app.widget(Method::POST, "/tasks", token, Some(forged)).await.json();
        assert_eq!(reply["provider_id"], "adp");
        let task_id = reply["task_id"].as_str().unwrap();
        let busy =
            json!({"provider_id": "adp", "login": {"username": "goodlogin", "password": "goodpassword"}});
        assert_eq!(app.widget(Method::POST, "/tasks", token, Some(busy)).await.status, StatusCode::CONFLICT);
        app.run_jobs().await;
        let task = app.task(token, task_id).await;
        assert_eq!(task["status"], "config_error");
        assert!(task["error"]["error_message"].as_str().unwrap().contains("another person"), "{task}");
        let report =
            client.post("/v1/verifications/employments/", json!({"access_token": access_token})).await.json();
        assert_eq!(report["employments"][0]["profile"]["last_name"], "Doe", "the old data stays");

        app.sign_in(token, "goodlogin", "goodpassword").await;
        app.run_jobs().await;
        let report =
            client.post("/v1/verifications/employments/", json!({"access_token": access_token})).await.json();
        assert_eq!(report["status"], "done");
    })
    .await;
}

/// The widget names the status that it knows of, and hears of the next one without asking again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_names_the_status_waits_for_the_next() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let token = client.bridge_token("income").await;
        let task_id = app.sign_in(&token, "goodlogin", "goodpassword").await;
        let look = async |seen: &str| {
            let reply = app.widget(Method::GET, &format!("/tasks/{task_id}?seen={seen}"), &token, None).await;
            assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
            reply.json()["status"].as_str().unwrap().to_owned()
        };
        assert_eq!(look("login").await, "new", "that is news already");
        let waiting = look("new");
        let mut waiting = std::pin::pin!(waiting);
        let soon = tokio::time::timeout(std::time::Duration::from_millis(600), &mut waiting).await;
        assert!(soon.is_err(), "answered without news: {soon:?}");
        // Each answer names a later status; on a busy machine steps are not quick, and each is seen.
        let to_the_end = async {
            let mut seen = vec![waiting.await];
            while seen.last().is_some_and(|status| status != "done") {
                seen.push(look(&seen[seen.len() - 1]).await);
            }
            seen
        };
        let (mut seen, _) = tokio::join!(to_the_end, app.run_jobs());
        seen.retain(|status| status != "new");
        let drawing = ["login", "parse", "full_parse", "done"];
        let mut later = drawing.iter();
        assert!(seen.iter().all(|status| later.any(|drawn| drawn == status)), "{seen:?}");
        assert_eq!(look("done").await, "done", "nothing comes after the end");
        let question = app.sign_in(&client.bridge_token("income").await, "goodlogin", "mfa").await;
        let unknown = app.widget(Method::GET, &format!("/tasks/{question}?seen=new"), &token, None).await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND, "another session's");
    })
    .await;
}

/// P8: revocable. Deleting the access key ends the tokens that were made with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p08_deleting_the_key_revokes_its_bridge_tokens() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let token = client.bridge_token("income").await;
        let (client_id, key_id, now) = (client.id, client.key_id, app.stamp());
        let deleted = app
            .app
            .db
            .write(async move |tx| citadel_store::access_keys::delete(tx, client_id, key_id, now).await);
        assert!(deleted.await.unwrap());
        assert_eq!(app.widget(Method::GET, "/session", &token, None).await.status, StatusCode::GONE);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_sees_fifty_sign_ins_at_the_most() {
    for_each_db(async |app| {
        let token = app.client("acme").await.bridge_token("income").await;
        for number in 1..=51 {
            let body = json!({"provider_id": "adp", "login": {"username": "nobody", "password": "wrong"}});
            let reply = app.widget(Method::POST, "/tasks", &token, Some(body)).await;
            let expected = if number <= 50 { StatusCode::CREATED } else { StatusCode::FORBIDDEN };
            assert_eq!(reply.status, expected, "sign-in {number}");
            app.advance(1);
            app.run_jobs().await;
        }
    })
    .await;
}

/// One widget cannot look at, answer or finish another's task, even of the same client.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_a_task_belongs_to_its_bridge_token() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let (mine, theirs) = (client.bridge_token("income").await, client.bridge_token("income").await);
        let task_id = app.sign_in(&mine, "goodlogin", "goodpassword").await;
        app.run_jobs().await;
        for (method, path, body) in [
            (Method::GET, format!("/tasks/{task_id}"), None),
            (Method::POST, format!("/tasks/{task_id}/answer"), Some(json!({"answer": "12345"}))),
            (Method::POST, format!("/tasks/{task_id}/public-token"), None),
        ] {
            assert_eq!(
                app.widget(method, &path, &theirs, body).await.status,
                StatusCode::NOT_FOUND,
                "{path}"
            );
        }
    })
    .await;
}

/// A worker that stops at any point leaves a task that the next one goes on with (P36).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_goes_on_after_its_worker_died() {
    for_each_db(async |app| {
        let token = app.client("acme").await.bridge_token("income").await;
        let task_id = app.sign_in(&token, "goodlogin", "goodpassword").await;
        // A worker claims the job and is never heard of again.
        let now = citadel_domain::Clock::now(&*app.clock);
        let lease = jiff::SignedDuration::from_secs(30);
        let claimed = app
            .app
            .db
            .write(async move |tx| citadel_store::jobs::claim(tx, "run_task", now, lease, 10).await)
            .await
            .unwrap();
        assert_eq!(claimed.len(), 1);
        assert_eq!(app.run_jobs().await, 0, "the lease is respected");
        assert_eq!(app.task(&token, &task_id).await["status"], "new");
        app.advance(31);
        app.run_jobs().await;
        assert_eq!(app.task(&token, &task_id).await["status"], "done");
        // The dead worker wakes up: nothing that it writes counts.
        let stale = claimed[0].clone();
        assert!(
            !app.app.db.write(async move |tx| citadel_store::jobs::finish(tx, &stale).await).await.unwrap()
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_say_who_may_frame_them() {
    for_each_db(async |app| {
        let token = app.client("acme").await.bridge_token("income").await;
        let page =
            app.get(&format!("/bridge/widget?bridge_token={token}&parent=http%3A%2F%2Fevil.test")).await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains("frame-ancestors http://localhost:*"), "{policy}");
        assert!(!policy.contains("evil"), "{policy}");
        assert!(
            policy.contains("require-trusted-types-for 'script'") && policy.contains("default-src 'none'")
        );
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-store");
        for (before, after) in
            [("", "%20"), ("", "%09"), ("%0A", ""), ("%0D", "%0D"), ("", "%00"), ("%22", "")]
        {
            let page = app.get(&format!("/bridge/widget?bridge_token={before}{token}{after}")).await;
            let policy = page.header("content-security-policy");
            assert!(policy.ends_with("frame-ancestors 'none'"), "{before:?} {after:?}: {policy}");
        }
        let mobile = app.get(&format!("/mobile.html?bridge_token={token}")).await;
        assert!(mobile.header("content-security-policy").contains("frame-ancestors 'none'"));
        let loader = app.get("/bridge.js").await;
        assert_eq!(loader.header("access-control-allow-origin"), "*");
        let again = axum::http::Request::get("/bridge.js").header("if-none-match", loader.header("etag"));
        let again = app.send(again.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        assert_eq!(app.get("/bridge/assets/nothing.js").await.status, StatusCode::NOT_FOUND);
        for path in
            ["/docs", "/docs/docs.js", "/docs/scalar.js", "/oauth-success.html", "/bridge/assets/widget.js"]
        {
            assert_eq!(app.get(path).await.status, StatusCode::OK, "{path}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_widget_is_a_script_and_a_style_sheet_that_browsers_keep() {
    for_each_db(async |app| {
        let page = app.get("/mobile.html").await;
        for name in ["widget.js", "widget.css"] {
            let address =
                page.text().split('"').find(|text| text.contains(&format!("/bridge/{name}?v="))).unwrap();
            let asked = |address: &str| {
                Request::get(address).header("accept-encoding", "gzip, br").body(Body::empty()).unwrap()
            };
            let sent = app.send(asked(address)).await;
            assert_eq!(sent.header("content-encoding"), "gzip");
            assert_eq!(sent.header("vary"), "accept-encoding");
            assert!(sent.header("cache-control").ends_with("immutable"));
            // An address of another version gets what is here, and asks again soon.
            let old = app.send(asked(&format!("/bridge/{name}?v=00000000-0"))).await;
            assert_eq!(old.header("etag"), sent.header("etag"));
            assert_eq!(old.header("cache-control"), "public, max-age=300");
        }
        let script = app.get("/bridge/widget.js").await;
        assert_eq!(script.header("content-encoding"), "");
        assert!(script.text().contains("function createFlow(") && !script.text().contains("import {"));
    })
    .await;
}
