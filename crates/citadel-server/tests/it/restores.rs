//! P60: backups come back, and what was spent, revoked or deleted since does not.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::http::{Method, StatusCode};
use citadel_domain::{ClientId, Clock, Random, tokens::hex};
use citadel_server::{
    backups::{self, Progress, Since},
    config::Config,
    opening,
    system::{SystemClock, SystemRandom},
};
use citadel_store::{DbConfig, Value};
use jiff::SignedDuration;
use serde_json::json;
use tokio::{
    sync::watch,
    time::{Instant, interval},
};

use crate::{
    child::{self, ServerChild},
    support::{ROOT_KEY, TestApp, TestClient},
};

/// A place with room for a data directory and its backups.
pub(crate) struct Home(pub(crate) PathBuf);

impl Home {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("citadel-restores-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("data")).unwrap();
        write_key(&path);
        Self(path)
    }

    pub(crate) fn config(&self) -> Config {
        child::config(&self.0)
    }

    fn database(&self) -> DbConfig {
        DbConfig::Sqlite { path: self.config().database_file() }
    }
}

pub(crate) fn write_key(home: &Path) {
    let file = home.join("data/root.key");
    fs::write(&file, format!("development-{}\n", hex(&ROOT_KEY))).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn random() -> Arc<dyn Random> {
    Arc::new(SystemRandom)
}

pub(crate) fn quiet() -> Progress {
    Arc::new(|_, _| ())
}

/// What a run is made of.
struct Plan {
    name: &'static str,
    tokens: usize,
    /// Clients, each with a key that is revoked.
    keys: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p60_a_restore_revives_nothing() {
    restore_revives_nothing(Plan { name: "small", tokens: 6, keys: 3 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p60_a_backup_under_writes_restores_elsewhere() {
    restore_elsewhere("writes-small", 2, Duration::from_secs(1)).await;
}

#[cfg(feature = "soak")]
mod soak {
    use super::*;
    use crate::soak;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn p60_a_restore_revives_none_of_a_thousand() {
        let tokens = soak::count("CITADEL_SOAK_P60_TOKENS", 1000);
        let keys = soak::count("CITADEL_SOAK_P60_KEYS", 100);
        let finding = soak::begin(
            "P60",
            format!(
                "{tokens} spent tokens and {keys} revoked keys tried after a restore, with and without a ledger"
            ),
            "0 accepted",
        );
        restore_revives_nothing(Plan { name: "full", tokens, keys }).await;
        finding.end(format!("0 of {} accepted", 2 * (tokens + keys)), true);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn p60_a_large_backup_under_writes_restores_elsewhere() {
        let mebibytes = soak::count("CITADEL_SOAK_P60_MIB", 2048);
        let finding = soak::begin(
            "P60",
            format!("a backup of {mebibytes} MiB at 50 writes a second, restored elsewhere"),
            format!("every row up to the point, serving within {SERVING:?}"),
        );
        let (figure, serving) = restore_elsewhere("writes-full", mebibytes, Duration::from_secs(5)).await;
        finding.end(figure, serving <= SERVING);
    }
}

/// Within which a restored server answers.
#[cfg(feature = "soak")]
const SERVING: Duration = Duration::from_secs(60);

/// Templates of a mebibyte each, so that there is something to copy.
async fn fill(child: &ServerChild, client_id: ClientId, mebibytes: usize) {
    let opened = opening::open(&child::config(child.home()), &SystemClock, &random()).await.unwrap();
    for _ in 0..mebibytes {
        let values: [Value; 2] = [client_id.into(), SystemClock.now().into()];
        let sql = "insert into templates (client_id, id, environment, name, body, created_at, updated_at)
                   values ($1, randomblob(16), 'sandbox', 'large', hex(randomblob(524288)), $2, $2)";
        opened.db.write(async move |tx| tx.execute(sql, &values).await).await.unwrap();
    }
}

/// Makes people until told to stop, one after another at 50 a second. Answers their ids in the order in which they were answered.
async fn write_steadily(
    base: String,
    headers: [(&'static str, String); 2],
    written: watch::Sender<usize>,
    is_over: watch::Receiver<bool>,
) -> Vec<String> {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
    let (mut beat, mut ids) = (interval(Duration::from_millis(20)), Vec::new());
    while !*is_over.borrow() {
        beat.tick().await;
        let body =
            json!({"external_user_id": format!("p-{}", ids.len()), "first_name": "A", "last_name": "B"});
        let request = http.post(format!("{base}/v1/users/")).json(&body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 201);
        let user: serde_json::Value = answer.json().await.unwrap();
        ids.push(user["id"].as_str().unwrap().to_owned());
        written.send_replace(ids.len());
    }
    ids
}

/// A backup is taken while people are written; elsewhere it holds all of them up to one moment. Answers the figures, and how long
/// it took from the restore's begin to an answer.
async fn restore_elsewhere(name: &str, mebibytes: usize, warm: Duration) -> (String, Duration) {
    let mut child = ServerChild::new(name);
    let (client_id, secret) = crate::kills::client(&child).await;
    fill(&child, client_id, mebibytes).await;
    let base = format!("http://{}", child.start().await);
    let headers = [("X-Access-Client-Id", client_id.to_string()), ("X-Access-Secret", secret)];
    let (written, seen) = watch::channel(0);
    let (stop, is_over) = watch::channel(false);
    let load = tokio::spawn(write_steadily(base, headers.clone(), written, is_over));
    tokio::time::sleep(warm).await;
    let (before, begun) = (*seen.borrow(), Instant::now());
    let (config, backup) = (child::config(child.home()), child.home().join("one.backup"));
    let target = backup.clone();
    let made = tokio::task::spawn_blocking(move || {
        backups::create(&config, &target, &SystemClock, &random(), &quiet())
    });
    let made = made.await.unwrap().unwrap();
    let (took, after) = (begun.elapsed(), *seen.borrow());
    stop.send_replace(true);
    let ids = load.await.unwrap();
    child.kill();

    let mut other = ServerChild::new(&format!("{name}-elsewhere"));
    fs::create_dir(other.home().join("data")).unwrap();
    fs::copy(child.home().join("data/root.key"), other.home().join("data/root.key")).unwrap();
    let config = child::config(other.home());
    let begun = Instant::now();
    let since = Since::Ledger(Vec::new());
    let (contents, _) =
        backups::restore(&config, &backup, since, &SystemClock, &random(), &quiet()).await.unwrap();
    let base = format!("http://{}", other.start().await);
    let http = reqwest::Client::new();
    let read = async |id: &str| {
        let request = http.get(format!("{base}/v1/users/{id}/"));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(read(&ids[0]).await, 200);
    let serving = begun.elapsed();
    assert_eq!(contents, made);
    let held = usize::try_from(contents.rows["users"]).unwrap();
    assert!(before > 0 && (before..=after + 1).contains(&held), "{before} {held} {after}");
    for (number, id) in ids.iter().enumerate() {
        let expected = if number < held { 200 } else { 404 };
        assert_eq!(read(id).await, expected, "person {number} of {held}");
    }
    let figure = format!(
        "{} MiB copied in {took:.1?}, {} written meanwhile, {held} of {held} back, serving after {serving:.1?}",
        contents.bytes >> 20,
        after - before,
    );
    (figure, serving)
}

async fn restore_revives_nothing(plan: Plan) {
    let home = Home::new(plan.name);
    let app = TestApp::open(home.database(), None).await;
    let client = app.client("acme").await;
    let mut unspent = Vec::new();
    for _ in 0..plan.tokens {
        unspent.push(client.connect("income").await);
    }
    let (deleted_id, deleted_token) = client.link_of(&client.user("deleted").await, "income").await;
    let (_, kept_token) = client.link_of(&client.user("kept").await, "income").await;
    let order = client.post("/v1/orders/", json!({"products": ["income"], "first_name": "Ada"})).await.json();
    let mut others = Vec::new();
    for number in 0..plan.keys {
        others.push(app.client(&format!("client-{number}")).await);
    }
    let backup = home.0.join("one.backup");
    let clock = Arc::clone(&app.clock);
    let made = backups::create(&home.config(), &backup, &*clock, &random(), &quiet()).unwrap();
    assert_eq!(made.rows["links"], plan.tokens as u64 + 2);

    // Life goes on: tokens are spent, keys revoked, a link deleted, and a client.
    for token in &unspent {
        assert_eq!(client.exchange(token).await.status, StatusCode::OK);
    }
    for other in &others {
        let (id, key, stamp) = (other.id, other.key_id, app.stamp());
        let revoke =
            app.app.db.write(async move |tx| citadel_store::access_keys::delete(tx, id, key, stamp).await);
        assert!(revoke.await.unwrap());
    }
    assert_eq!(client.delete(&format!("/v1/links/{deleted_id}/")).await.status, StatusCode::NO_CONTENT);
    let ledger = fs::read_to_string(home.0.join("data/deletions.log")).unwrap();
    assert_eq!(ledger.lines().count(), plan.keys + 1);

    let credentials = |client: &TestClient<'_>| (client.id, client.key_id, client.secret.clone());
    let (mine, revoked) = (credentials(&client), others.iter().map(credentials).collect::<Vec<_>>());
    // With the ledger, which is all that is left of the old machine; and without one, the client's key confirmed.
    for with_ledger in [true, false] {
        let target = Home::new(&format!("{}-{with_ledger}", plan.name));
        let kept = mine.1;
        let since = match with_ledger {
            true => Since::Ledger(backups::parse_ledger(&ledger, Path::new("ledger")).unwrap()),
            false => Since::Unknown { named: vec![kept], is_confirmed: Box::new(|_| false) },
        };
        let (contents, settled) =
            backups::restore(&target.config(), &backup, since, &*clock, &random(), &quiet()).await.unwrap();
        assert_eq!(contents, made);
        assert_eq!(settled.deleted_again, if with_ledger { plan.keys + 1 } else { 0 });
        assert_eq!(settled.ended_keys.len(), if with_ledger { 0 } else { plan.keys });
        let again =
            backups::restore(&target.config(), &backup, Since::Ledger(vec![]), &*clock, &random(), &quiet())
                .await;
        assert!(again.unwrap_err().to_string().contains("is not empty"));

        let restored = TestApp::open(target.database(), None).await;
        let at = |(id, key_id, secret): &(citadel_domain::ClientId, citadel_domain::AccessKeyId, String)| {
            TestClient { app: &restored, id: *id, key_id: *key_id, secret: secret.clone() }
        };
        let client = at(&mine);
        for token in &unspent {
            let spent = client.exchange(token).await;
            assert_eq!(spent.status, StatusCode::GONE, "{spent:?}");
        }
        for other in &revoked {
            assert_eq!(at(other).get("/v1/links/").await.status, StatusCode::UNAUTHORIZED);
        }
        let read = async |token: &str| {
            client.post("/v1/verifications/incomes/", json!({"access_token": token})).await.status
        };
        assert_eq!(read(&deleted_token).await, StatusCode::NOT_FOUND);
        // Without the ledger nobody knows which access tokens have ended, so all have.
        let expected = if with_ledger { StatusCode::OK } else { StatusCode::NOT_FOUND };
        assert_eq!(read(&kept_token).await, expected);
        let links = client.get("/v1/links/?page_size=1").await.json();
        assert_eq!(links["count"], plan.tokens + usize::from(!with_ledger) + 1, "{links}");
        // The address of an order's page is a token, and so is what its rows hold.
        let found = client.get(&format!("/v1/orders/{}/", order["id"].as_str().unwrap())).await.json();
        assert_eq!(found["status"], if with_ledger { "pending" } else { "canceled" }, "{found}");
        assert_eq!(found["share_url"].is_null(), !with_ledger, "{found}");
        let page = order["share_url"].as_str().unwrap().rsplit('/').next().unwrap();
        let page = restored.widget(Method::GET, "/order", page, None).await.json();
        assert_eq!(page["employers"][0]["bridge_token"].is_null(), !with_ledger, "{page}");
        let old = order["employers"][0]["bridge_token"].as_str().unwrap();
        let old = restored.widget(Method::GET, "/order", old, None).await;
        assert_eq!(old.status, if with_ledger { StatusCode::OK } else { StatusCode::GONE }, "{old:?}");
        let deleted = client.get(&format!("/v1/links/{deleted_id}/income/report/")).await.status;
        assert_eq!(deleted, if with_ledger { StatusCode::NOT_FOUND } else { StatusCode::OK });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p60_a_restore_that_fails_leaves_no_database() {
    let home = Home::new("fails");
    let app = TestApp::open(home.database(), None).await;
    app.client("acme").await;
    let backup = home.0.join("one.backup");
    backups::create(&home.config(), &backup, &*app.clock, &random(), &quiet()).unwrap();
    let mut bytes = fs::read(&backup).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let bad = home.0.join("bad.backup");
    fs::write(&bad, &bytes).unwrap();
    let target = Home::new("fails-target");
    let refused =
        backups::restore(&target.config(), &bad, Since::Ledger(vec![]), &*app.clock, &random(), &quiet())
            .await;
    assert!(refused.unwrap_err().to_string().contains("damaged"));
    let names: Vec<_> =
        fs::read_dir(target.0.join("data")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["root.key"]);
    // Nor does one that no ledger reaches back to.
    app.clock.advance(SignedDuration::from_hours(800 * 24));
    let refused =
        backups::restore(&target.config(), &backup, Since::Ledger(vec![]), &*app.clock, &random(), &quiet())
            .await;
    assert!(refused.unwrap_err().to_string().contains("--without-ledger"));
    assert!(!target.config().database_file().exists());
}
