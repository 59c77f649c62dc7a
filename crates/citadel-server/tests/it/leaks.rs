//! Canaries: values that must be found nowhere but in the answers that name them.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use axum::http::{Method, StatusCode};
use base64::Engine;
use memchr::memmem;
use serde_json::json;

use crate::{
    receiver::Receiver,
    support::{TestApp, account, for_each_db},
};

const PASSWORD: &str = "canary-password-7731";
const USERNAME: &str = "canary-username-7731";
const CODE: &str = "canary-code-7731";

/// Walks through every flow with canary values; answers everything of class S1 and S2 that took part.
pub(crate) async fn walk(app: &TestApp) -> Vec<String> {
    let client = app.client("acme").await;
    let mut secrets = vec![client.secret.clone(), PASSWORD.to_owned(), USERNAME.to_owned(), CODE.to_owned()];

    // What happens below is told to an endpoint, under two secrets.
    let receiver = Receiver::start().await;
    let (webhook_id, secret) = client.webhook(&receiver.url()).await;
    let rotated = client.post(&format!("/v1/webhooks/{webhook_id}/rotate-secret/"), json!({})).await.json();
    // The prefix is no secret.
    secrets.extend(
        [&secret, rotated["secret"].as_str().unwrap()].map(|secret| secret["whsec_".len()..].to_owned()),
    );

    let bridge_token = client.bridge_token("income").await;
    app.sign_in(&bridge_token, USERNAME, PASSWORD).await;
    app.run_jobs().await;
    assert!(!receiver.received().is_empty());
    let task_id = app.sign_in(&bridge_token, "goodlogin", "mfa").await;
    app.run_jobs().await;
    let answer = Some(json!({"answer": CODE}));
    app.widget(Method::POST, &format!("/tasks/{task_id}/answer"), &bridge_token, answer).await;
    app.run_jobs().await;
    // One login and one answer are left waiting, so that they are in the store while it is searched.
    let task_id = app.sign_in(&bridge_token, "goodlogin", "mfa").await;
    app.run_jobs().await;
    let answer = Some(json!({"answer": CODE}));
    app.widget(Method::POST, &format!("/tasks/{task_id}/answer"), &bridge_token, answer).await;
    app.sign_in(&client.bridge_token("income").await, USERNAME, PASSWORD).await;

    let public_token = client.connect("income").await;
    let access_token =
        client.exchange(&public_token).await.json()["access_token"].as_str().unwrap().to_owned();
    let report = client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await;
    assert_eq!(report.status, StatusCode::OK);
    let report = report.json();
    let job = &report["employments"][0];
    for value in [
        &job["profile"]["ssn"],
        &job["profile"]["email"],
        &job["bank_accounts"][0]["account_number"],
        &job["profile"]["home_address"]["street"],
        &job["manager_name"],
    ] {
        secrets.push(value.as_str().unwrap().to_owned());
    }
    // What is changed at a provider, kept with its task and in the sandbox's own books.
    for product in ["deposit_switch", "pll", "fas"] {
        let mut account = account(product);
        account["account_number"] = json!(format!("7731004{}", product.len()));
        account["routing_number"] = json!("773100977");
        account["bank_name"] = json!("Canary Savings");
        let token = client.bridge_token_of(json!({"product_type": product, "account": account})).await;
        let task_id = app.confirm(&token, "goodlogin.monthly", "goodpassword").await;
        app.run_jobs().await;
        assert_eq!(app.task(&token, &task_id).await["status"], "done");
        secrets.push(account["account_number"].as_str().unwrap().to_owned());
        secrets.push(token);
    }
    secrets.extend(["773100977", "Canary Savings"].map(str::to_owned));
    let company = client.link("admin").await;
    let directory =
        client.post("/v1/administrators/directories/", json!({"access_token": company})).await.json();
    let somebody = &directory["directory"][7];
    for field in ["ssn", "email", "full_name"] {
        secrets.push(somebody[field].as_str().unwrap().to_owned());
    }
    let range = json!({"access_token": company, "start_date": "2026-01-01", "end_date": "2026-02-01"});
    client.post("/v1/administrators/payrolls/", range).await;
    client.post("/v1/refresh/tasks/", json!({"access_token": company})).await;
    app.run_refresh().await;
    secrets.push(company);
    let user = json!({"external_user_id": "canary-773199", "first_name": "Canaria", "last_name": "Canarius",
        "ssn": "773199773", "email": "canarius@example.com"});
    client.post("/v1/users/", user).await;
    secrets.extend(["canary-773199", "Canarius", "773199773", "canarius@example.com"].map(str::to_owned));
    let made = client.post("/v1/keys/", json!({})).await.json();
    client.post("/v1/keys/deactivate/", json!({"access_secret": made["access_secret"]})).await;
    secrets.push(made["access_secret"].as_str().unwrap().to_owned());
    // Bad requests are logged too.
    client.post("/v1/link-access-tokens/", json!({"public_token": PASSWORD})).await;
    client
        .post_text(
            "/v1/verifications/incomes/",
            "application/json",
            format!("{{\"access_token\":\"{PASSWORD}"),
        )
        .await;
    client.get(&format!("/v1/company-mappings-search/?query={PASSWORD}")).await;
    app.get(&format!("/bridge/widget?bridge_token={bridge_token}")).await;
    secrets.extend([bridge_token, public_token, access_token]);
    secrets
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// P57: every flow at trace level; nothing of class S1 or S2 in the log, nor in the figures.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p57_logs_hold_no_secret_at_any_level() {
    let captured = Captured::default();
    let writer = captured.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .init();
    for_each_db(async |app| {
        let secrets = walk(&app).await;
        let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
        assert!(log.contains("/v1/link-access-tokens/"), "the log was captured");
        let figures = app.app.metrics.encode();
        for secret in secrets {
            let at = log.find(&secret).or_else(|| log.find(&secret[secret.len() - secret.len().min(12)..]));
            assert!(at.is_none(), "in the log: {}", &log[at.unwrap().saturating_sub(200)..][..220]);
            assert!(!figures.contains(&secret), "in the figures");
        }
    })
    .await;
}

/// P17: no payroll data, login, answer or token is found in the database, in any of the spellings that a careless
/// program would leave.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p17_nothing_personal_is_stored_in_the_clear() {
    for_each_db(async |app| {
        let secrets = walk(&app).await;
        let stored = everything_stored(&app).await;
        let holds = |needle: &[u8]| memmem::find(&stored, needle).is_some();
        assert!(holds(b"task-status-updated"), "the search would find what is there");
        for secret in secrets {
            let utf16: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let hex = citadel_domain::tokens::hex(secret.as_bytes());
            let base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&secret);
            assert!(!holds(secret.as_bytes()), "as text");
            assert!(!holds(&utf16), "as utf-16");
            assert!(!holds(hex.as_bytes()) && !holds(hex.to_uppercase().as_bytes()), "as hex");
            // Without the last digits, which depend on what follows.
            assert!(!holds(&base64.as_bytes()[..base64.len() - 2]), "as base64");
        }
    })
    .await;
}

/// The files of SQLite; every row of every table of Postgres as text, with bytes both in hex and as they are.
async fn everything_stored(app: &TestApp) -> Vec<u8> {
    match &app.db_config {
        citadel_store::DbConfig::Sqlite { path } => {
            let files = ["db", "db-wal", "db-shm"]
                .map(|end| std::fs::read(path.with_extension(end)).unwrap_or_default());
            let backup = path.with_extension("backup");
            let quiet: citadel_store::backup::Progress = Arc::new(|_, _| ());
            let (keyring, now) = (&app.app.keyring, citadel_domain::Clock::now(&*app.clock));
            citadel_store::backup::create(path, &backup, keyring, now, &quiet).unwrap();
            [files.concat(), std::fs::read(backup).unwrap()].concat()
        }
        citadel_store::DbConfig::Postgres { url, .. } => {
            let (client, connection) =
                tokio_postgres::connect(url.expose(), tokio_postgres::NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute("set app.client = '*'").await.unwrap();
            let tables =
                "select table_name::text from information_schema.tables where table_schema = 'public'";
            let mut found = Vec::new();
            for table in client.query(tables, &[]).await.unwrap() {
                let table: String = table.get(0);
                for row in client.query(&format!("select t::text from {table} t"), &[]).await.unwrap() {
                    let text: String = row.get(0);
                    for part in text.split("\\\\x").skip(1) {
                        let digits: Vec<u8> = part.bytes().take_while(u8::is_ascii_hexdigit).collect();
                        let pairs = digits.chunks_exact(2).map(|pair| std::str::from_utf8(pair).unwrap());
                        found.extend(pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()));
                        found.push(b'\n');
                    }
                    found.extend_from_slice(text.as_bytes());
                    found.push(b'\n');
                }
            }
            found
        }
    }
}

/// P17: sealed data opens in its own place only. Two people's reports, swapped in the database, are refused as a plain
/// fault, never shown to the wrong reader.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p17_swapped_reports_are_refused() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let tokens = [client.link("income").await, client.link("income").await];
        app.app
            .db
            .write(async |tx| {
                let sealed = tx
                    .fetch_all("select link_id, body_sealed from reports where kind = 'income'", &[], |row| {
                        Ok((row.get::<citadel_domain::LinkId>(0)?, row.get::<Vec<u8>>(1)?))
                    })
                    .await?;
                let [(first, one), (second, two)] = &sealed[..] else { panic!("two links, two reports") };
                for (link, body) in [(first, two), (second, one)] {
                    let sql = "update reports set body_sealed = $2 where link_id = $1 and kind = 'income'";
                    tx.execute(sql, &[(*link).into(), body.into()]).await?;
                }
                Ok::<_, citadel_store::Error>(())
            })
            .await
            .unwrap();
        for token in tokens {
            let reply = client.post("/v1/verifications/incomes/", json!({"access_token": token})).await;
            assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(reply.code(), "error");
        }
    })
    .await;
}
