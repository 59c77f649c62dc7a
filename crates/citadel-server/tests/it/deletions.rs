//! P20 to P23: receipts, ends of consent, deletions and retention, as clients and the files of the database see them.

use std::path::PathBuf;

use axum::http::{Method, StatusCode};
use citadel_domain::{Clock, TaskStatus};
use citadel_server::{calls, jobs};
use citadel_store::{DbConfig, Row, Value as Param, consents, retention};
use jiff::{Timestamp, ToSpan, tz::Offset};
use memchr::memmem;
use serde_json::json;

use crate::support::{TestApp, TestClient, account, for_each_db};

const DAY: i64 = 24 * 3600;

/// One number of a statement.
async fn number(app: &TestApp, sql: String) -> i64 {
    let sql: &'static str = sql.leak();
    app.app.db.read(async move |tx| tx.fetch_one(sql, &[], |row| row.get::<i64>(0)).await).await.unwrap()
}

async fn count(app: &TestApp, table: &str) -> i64 {
    number(app, format!("select cast(count(*) as bigint) from {table}")).await
}

/// Values of one column.
async fn bytes(app: &TestApp, sql: &'static str) -> Vec<Vec<u8>> {
    let read = |row: &Row<'_>| row.get::<Option<Vec<u8>>>(0);
    let found = app.app.db.read(async move |tx| tx.fetch_all(sql, &[], read).await).await.unwrap();
    found.into_iter().flatten().collect()
}

/// The embedded database's files.
fn files(app: &TestApp) -> Vec<PathBuf> {
    let DbConfig::Sqlite { path } = &app.db_config else { return Vec::new() };
    let folder = path.parent().unwrap();
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// P22: after a deletion and a sweep the data key is in no row and in no file, so that nothing opens, whoever has the root key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p22_after_deletion_nothing_opens_even_with_the_root_key() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let user = client.user("person-1").await;
        let (link_id, access_token) = client.link_of(&user, "income").await;
        let (other_id, other_token) = client.link_of(&client.user("person-2").await, "income").await;
        let keys = [
            bytes(&app, "select data_key_wrapped from links").await,
            bytes(&app, "select data_key_wrapped from users").await,
        ]
        .concat();
        assert_eq!(keys.len(), 4);

        assert_eq!(client.delete(&format!("/v1/users/{user}/")).await.status, StatusCode::NO_CONTENT);
        assert_eq!(count(&app, "deletions").await, 2, "the user and the link");
        let after = [
            bytes(&app, "select data_key_wrapped from links").await,
            bytes(&app, "select data_key_wrapped from users").await,
        ]
        .concat();
        let gone: Vec<_> = keys.iter().filter(|key| !after.contains(key)).collect();
        assert_eq!(gone.len(), 2);
        for path in [
            format!("/v1/links/{link_id}/"),
            format!("/v1/links/{link_id}/income/report/"),
            format!("/v1/users/{user}/"),
        ] {
            assert_eq!(client.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        let body = json!({"access_token": access_token});
        assert_eq!(client.post("/v1/verifications/incomes/", body).await.status, StatusCode::NOT_FOUND);

        jobs::sweep(&app.app).await;
        for table in ["links", "tasks", "users", "reports"] {
            let left = count(&app, table).await;
            assert!(left > 0 && left < 10, "{table}: {left}");
        }
        assert_eq!(count(&app, "links").await, 1, "the rows are gone");
        for path in files(&app) {
            let content = std::fs::read(&path).unwrap();
            for key in &gone {
                assert!(memmem::find(&content, key).is_none(), "a destroyed key is in {}", path.display());
            }
        }
        let body = json!({"access_token": other_token});
        assert_eq!(
            client.post("/v1/verifications/incomes/", body).await.status,
            StatusCode::OK,
            "{other_id}"
        );
    })
    .await;
}

/// P22: whoever deletes a link meets workers, refreshes and exchanges of the same link.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p22_deletions_in_the_middle_of_work_leave_nothing() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let mut links = Vec::new();
        for number in 0..6 {
            let user = client.user(&format!("person-{number}")).await;
            let (link_id, access_token) = client.link_of(&user, "income").await;
            let body = json!({"access_token": access_token});
            assert_eq!(client.post("/v1/refresh/tasks/", body.clone()).await.status, StatusCode::OK);
            links.push((user, link_id, body));
        }
        let delete = async {
            for (number, (user, link_id, _)) in links.iter().enumerate() {
                let path = if number % 2 == 0 {
                    format!("/v1/users/{user}/")
                } else {
                    format!("/v1/links/{link_id}/")
                };
                assert_eq!(client.delete(&path).await.status, StatusCode::NO_CONTENT);
            }
        };
        let refresh = async {
            for (_, _, body) in &links {
                let reply = client.post("/v1/refresh/tasks/", body.clone()).await;
                assert!(matches!(reply.status, StatusCode::OK | StatusCode::NOT_FOUND), "{reply:?}");
            }
        };
        tokio::join!(delete, refresh, app.run_jobs(), app.run_jobs());
        for _ in 0..3 {
            app.advance(60);
            app.run_jobs().await;
        }
        jobs::sweep(&app.app).await;
        for table in ["links", "tasks", "logins", "reports", "public_tokens", "changes"] {
            assert_eq!(count(&app, table).await, 0, "{table}");
        }
        assert_eq!(
            number(&app, "select cast(count(*) as bigint) from jobs where kind = 'run_task'".to_owned())
                .await,
            0
        );
        assert_eq!(count(&app, "deletions").await, 9, "six links and three users");
    })
    .await;
}

const UNFINISHED: [&str; 8] =
    ["new", "login", "mfa", "parse", "full_parse", "switch_deposit", "done", "login_error"];

/// P21: consent ends, or is revoked by the client, in whatever state a task is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p21_revoking_ends_a_task_in_every_state() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        for (number, state) in UNFINISHED.into_iter().enumerate() {
            for is_deleted in [false, true] {
                revoke_in(&client, state, is_deleted, number).await;
            }
        }
    })
    .await;
}

async fn revoke_in(client: &TestClient<'_>, state: &str, is_deleted: bool, number: usize) {
    let app = client.app;
    let context = format!("{state}, {}", if is_deleted { "deleted" } else { "run out" });
    let user = client.user(&format!("person-{number}-{is_deleted}")).await;
    let (link_id, access_token) = client.link_of(&user, "income").await;
    let body = json!({"access_token": access_token});
    let task =
        client.post("/v1/refresh/tasks/", body.clone()).await.json()["task_id"].as_str().unwrap().to_owned();
    let status: TaskStatus = state.parse().unwrap();
    let id: citadel_domain::TaskId = task.parse().unwrap();
    let finished = status.is_final().then(|| app.clock.now());
    let values = [Param::from(id), Param::from(status), Param::from(finished)];
    let put = "update tasks set status = $2, finished_at = $3 where id = $1";
    app.app.db.write(async move |tx| tx.execute(put, &values).await).await.unwrap();

    if is_deleted {
        assert_eq!(
            client.delete(&format!("/v1/links/{link_id}/")).await.status,
            StatusCode::NO_CONTENT,
            "{context}"
        );
    } else {
        // Nobody waits a year for a test.
        let id: citadel_domain::LinkId = link_id.parse().unwrap();
        let values = [Param::from(id), Param::from(app.clock.now())];
        let end = "update links set consent_expires_at = $2 where id = $1";
        app.app.db.write(async move |tx| tx.execute(end, &values).await).await.unwrap();
    }
    app.advance(1);
    jobs::sweep(&app.app).await;
    app.run_jobs().await;
    for read in [
        client.post("/v1/verifications/incomes/", body.clone()).await,
        client.post("/v1/refresh/tasks/", body).await,
        client.get(&format!("/v1/links/{link_id}/income/report/")).await,
    ] {
        assert_eq!(read.status, StatusCode::NOT_FOUND, "{context}: {read:?}");
    }
    let hex = task;
    let running = "select cast(count(*) as bigint) from tasks where finished_at is null".to_owned();
    assert_eq!(number_of(app, running).await, 0, "{context}: tasks stop");
    let left =
        "select cast(count(*) as bigint) from jobs where kind = 'run_task' and done = false".to_owned();
    assert_eq!(number_of(app, left).await, 0, "{context}: nothing is left to do for {hex}");
    assert_eq!(count(app, "logins").await, 0, "{context}");
    let told = if is_deleted { "link-deleted" } else { "link-disconnected" };
    let events = client.events().await;
    let last = events.iter().rev().find(|event| event["payload"]["link_id"] == link_id.as_str()).unwrap();
    assert_eq!(last["event_type"], told, "{context}");
}

async fn number_of(app: &TestApp, sql: String) -> i64 {
    number(app, sql).await
}

/// P20: whatever way a task of a person begins, the receipt is there; it says what, for whom, and until when.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p20_no_task_without_a_receipt() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        client.link("income").await;
        // The widget without a browser, and one that changes something.
        let token = client.bridge_token("income").await;
        let body = json!({"bridge_token": token, "provider_id": "adp", "username": "goodlogin", "password": "wrong"});
        crate::sandbox::sign_in(&client, body).await;
        let token = client.bridge_token_of(json!({"product_type": "pll", "account": account("pll")})).await;
        app.confirm(&token, "goodlogin", "goodpassword").await;
        app.run_jobs().await;
        let sql = "select cast(count(*) as bigint) from tasks as t where t.kind = 'initial' and (
                       select count(*) from consents as c
                        where c.client_id = t.client_id and c.link_id = t.link_id and c.given_at = t.created_at) = 1";
        assert_eq!(number(&app, sql.to_owned()).await, 3);
        assert_eq!(count(&app, "tasks").await, 3);

        let links = client.get("/v1/links/").await.json();
        let id: citadel_domain::LinkId = links["results"][0]["id"].as_str().unwrap().parse().unwrap();
        let tenant = citadel_store::Tenant { client_id: client.id, environment: citadel_domain::Environment::Sandbox };
        let receipts = app.app.db.read(async move |tx| consents::list_for_link(tx, tenant, id).await).await.unwrap();
        let receipt = &receipts[0];
        let year = Offset::UTC.to_datetime(receipt.given_at).saturating_add(12.months());
        assert_eq!(Offset::UTC.to_datetime(receipt.expires_at), year);
        assert!(receipt.products.iter().any(|product| product.as_str() == "pll"), "{receipt:?}");
        assert_ne!(receipt.text_hash, [0; 32]);
        // The words that are hashed are those of the screen.
        let mut words = Vec::new();
        for file in ["texts.js", "screen-login.js", "deposit.js"] {
            let script = app.get(&format!("/bridge/assets/{file}")).await;
            assert_eq!(script.status, StatusCode::OK);
            words.push(script.text().to_owned());
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let hash_for = |name| consents::text_hash(&[&words[..], &["", name, "adp", "pll"]].concat());
        let hashes = [hash_for(""), hash_for("Acme Lending")];
        assert!(hashes.contains(&receipt.text_hash), "{receipt:?}");
    })
    .await;
}

/// P23: 25 months in which every month brings one of everything; no row is ever past its limit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p23_nothing_outlives_its_limit_in_25_months() {
    for_each_db(async |app| {
        for month in 0..25 {
            let client = app.client(&format!("client-{month}")).await;
            // In use; abandoned; failed; and people of whom nothing is heard again.
            let (_, token) = client.link_of(&client.user("used").await, "income").await;
            client.connect("income").await;
            let bridge_token = client.bridge_token("income").await;
            app.sign_in(&bridge_token, "goodlogin", "wrong").await;
            client.bridge_token("income").await;
            app.run_jobs().await;
            client.user("unused").await;
            client.post("/v1/refresh/tasks/", json!({"access_token": token})).await;
            app.run_refresh().await;
            let screens = json!({"screens": [{"name": "LOADING"}]});
            app.widget(Method::POST, "/screens", &bridge_token, Some(screens)).await;
            calls::flush(&app.app).await;
            app.advance(30 * DAY);
            jobs::sweep(&app.app).await;
            jobs::retain(&app.app).await;
            jobs::sweep(&app.app).await;
            within_limits(&app, month).await;
        }
        for table in [
            "users",
            "links",
            "webhook_events",
            "tasks",
            "bridge_tokens",
            "consents",
            "deletions",
            "usage_hours",
        ] {
            assert!(count(&app, table).await > 0, "{table} has what is still in its time");
        }
        // Once more changes nothing.
        let before = count(&app, "deletions").await;
        jobs::retain(&app.app).await;
        assert_eq!(count(&app, "deletions").await, before);
        app.advance(800 * DAY);
        // Consents end; a month later their links go; a month later what was told of that.
        for _ in 0..3 {
            jobs::sweep(&app.app).await;
            jobs::retain(&app.app).await;
            app.advance(31 * DAY);
        }
        jobs::sweep(&app.app).await;
        for table in [
            "users",
            "links",
            "tasks",
            "webhook_events",
            "bridge_tokens",
            "public_tokens",
            "reports",
            "outbox",
            "calls",
            "call_bodies",
            "screens",
            "usage_hours",
        ] {
            assert_eq!(count(&app, table).await, 0, "{table}");
        }
        assert!(count(&app, "consents").await > 0, "receipts are kept for three years");
        app.advance(700 * DAY);
        jobs::retain(&app.app).await;
        assert_eq!(count(&app, "consents").await, 0);
        assert_eq!(count(&app, "deletions").await, 0);
    })
    .await;
}

async fn within_limits(app: &TestApp, month: i32) {
    let before = |age| {
        let time: Timestamp = app.clock.now().saturating_sub(age).unwrap();
        time.as_microsecond()
    };
    let (abandoned, failed) = (before(retention::ABANDONED), before(retention::FAILED));
    let (unused, receipts) = (before(retention::UNUSED), before(retention::RECEIPTS));
    let year = app.clock.now().as_microsecond();
    for (what, which) in [
        (
            "abandoned links",
            format!("links where access_token_hash is null and user_id is null and updated_at < {abandoned}"),
        ),
        ("erased links", "links where deleted_at is not null".to_owned()),
        ("ended links", format!("links where consent_ended_at < {failed}")),
        (
            "consents that ran out",
            format!("links where consent_expires_at <= {year} and consent_ended_at is null"),
        ),
        (
            "tokens of no use",
            format!(
            "bridge_tokens where expires_at < {abandoned} and id not in (select bridge_token_id from links)
             and id not in (select bridge_token_id from tasks where bridge_token_id is not null)"
        ),
        ),
        ("failed tasks", format!("tasks where finished_at < {failed} and status <> 'done'")),
        ("events", format!("webhook_events where created_at < {failed}")),
        (
            "users",
            format!(
                "users where updated_at < {unused} and id not in (
             select user_id from links where user_id is not null)"
            ),
        ),
        ("calls", format!("calls where at < {failed}")),
        ("bodies of calls", "call_bodies where call_id not in (select id from calls)".to_owned()),
        ("screens", format!("screens where at < {failed}")),
        ("usage", format!("usage_hours where hour < {}", before(retention::USAGE))),
        ("public tokens", format!("public_tokens where expires_at < {abandoned} and spent_at is null")),
        ("receipts", format!("consents where expires_at < {receipts}")),
    ] {
        assert_eq!(count(app, &which).await, 0, "{what} in month {month}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_of_a_deleted_client_is_over() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let token = client.bridge_token("income").await;
        let access_token = client.link("income").await;
        let (id, stamp) = (client.id, app.stamp());
        let erase = app.app.db.write(async move |tx| citadel_store::clients::erase(tx, id, stamp).await);
        assert!(erase.await.unwrap());
        let body = json!({"access_token": access_token});
        assert_eq!(client.post("/v1/verifications/incomes/", body).await.status, StatusCode::UNAUTHORIZED);
        let session = app.widget(Method::GET, "/session", &token, None).await;
        assert!(matches!(session.status, StatusCode::GONE | StatusCode::UNAUTHORIZED), "{session:?}");
        jobs::sweep(&app.app).await;
        assert_eq!(count(&app, "clients").await, 0);
        let session = app.widget(Method::GET, "/session", &token, None).await;
        assert!(matches!(session.status, StatusCode::GONE | StatusCode::UNAUTHORIZED), "{session:?}");
    })
    .await;
}
