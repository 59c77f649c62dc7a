//! P60 and P61: backups come back, and what was spent, revoked or deleted since does not; upgrades take a copy first and survive
//! a kill.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::http::{Method, StatusCode};
use citadel_domain::{Clock, Random, tokens::hex};
use citadel_server::{
    admin::{Admin, Request},
    backups::{self, Progress, Since},
    config::{Config, Profile},
    opening, seeding,
    system::{SystemClock, SystemRandom},
};
use citadel_store::{Db, DbConfig};
use jiff::SignedDuration;
use serde_json::json;

use crate::{
    child::{self, ServerChild},
    support::{ROOT_KEY, TestApp, TestClient},
};

/// A place with room for a data directory and its backups.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("citadel-restores-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("data")).unwrap();
        write_key(&path);
        Self(path)
    }

    fn config(&self) -> Config {
        child::config(&self.0)
    }

    fn database(&self) -> DbConfig {
        DbConfig::Sqlite { path: self.config().database_file() }
    }
}

fn write_key(home: &Path) {
    let file = home.join("data/root.key");
    fs::write(&file, format!("development-{}\n", hex(&ROOT_KEY))).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn random() -> Arc<dyn Random> {
    Arc::new(SystemRandom)
}

fn quiet() -> Progress {
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

#[cfg(feature = "soak")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p60_a_restore_revives_none_of_a_thousand() {
    restore_revives_nothing(Plan { name: "full", tokens: 1000, keys: 100 }).await;
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
            false => Since::Unknown(Box::new(move |key| key.id == kept)),
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

/// A database of the release before, with a client in it.
async fn earlier(home: &Path) -> u64 {
    fs::create_dir_all(home.join("data")).unwrap();
    write_key(home);
    let db = Db::open(&DbConfig::Sqlite { path: home.join("data/citadel.db") }).unwrap();
    let names: Vec<_> = Db::migrations().collect();
    db.migrate_to(SystemClock.now(), names[names.len() - 2]).await.unwrap();
    seeding::seed(&db).await.unwrap();
    let rows = "select count(*) from companies";
    let count =
        db.read(async move |tx| tx.fetch_one(rows, &[], |row| row.get::<i64>(0)).await).await.unwrap();
    count.unsigned_abs()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p61_an_upgrade_takes_a_backup_first() {
    let home = Home::new("upgrade");
    let companies = earlier(&home.0).await;
    let opened = opening::open(&home.config(), &SystemClock, &random()).await.unwrap();
    assert_eq!(opened.applied.len(), 1);
    drop(opened);
    let backup = home.0.join(format!("data/before-{}.backup", Db::migrations().last().unwrap()));
    let contents = backups::verify(&home.config(), &backup, &random(), &quiet()).unwrap();
    assert_eq!(contents.rows["companies"], companies);
    assert_ne!(Some(contents.schema.as_str()), Db::migrations().last());
    // It restores, and is upgraded on the way.
    let target = Home::new("upgrade-target");
    let since = Since::Unknown(Box::new(|_| true));
    backups::restore(&target.config(), &backup, since, &SystemClock, &random(), &quiet()).await.unwrap();
    let opened = opening::open(&target.config(), &SystemClock, &random()).await.unwrap();
    assert_eq!(opened.applied, Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p61_a_kill_in_an_upgrade_leaves_the_old_or_the_new() {
    kill_upgrades(6).await;
}

#[cfg(feature = "soak")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p61_fifty_kills_in_an_upgrade_leave_the_old_or_the_new() {
    kill_upgrades(50).await;
}

async fn kill_upgrades(points: u64) {
    let mut child = ServerChild::new(&format!("upgrade-{points}"));
    for point in 0..points {
        let _ = fs::remove_dir_all(child.home().join("data"));
        let companies = earlier(child.home()).await;
        // Spread over the time that a start takes.
        child.start_for(Duration::from_millis(10 + 250 * point / points)).await;
        let config = child::config(child.home());
        let opened = opening::open(&config, &SystemClock, &random()).await.unwrap();
        assert_eq!(opened.db.pending_migrations().await.unwrap(), Vec::<&str>::new(), "point {point}");
        let rows = "select count(*) from companies";
        let count =
            opened.db.read(async move |tx| tx.fetch_one(rows, &[], |row| row.get::<i64>(0)).await).await;
        assert_eq!(count.unwrap().unsigned_abs(), companies, "point {point}");
        let sound = "pragma integrity_check";
        let sound =
            opened.db.read(async move |tx| tx.fetch_one(sound, &[], |row| row.get::<String>(0)).await).await;
        assert_eq!(sound.unwrap(), "ok", "point {point}");
    }
    // And the last of them serves.
    child.start().await;
}

/// P22 under kill -9: every deletion that was answered is whole, and none is half done.
#[cfg(feature = "soak")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p22_ten_thousand_deletions_under_kills_are_whole() {
    deletions_under_kills("p22-full", 10_000, Duration::from_secs(2), 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p22_deletions_under_kills_are_whole() {
    deletions_under_kills("p22-small", 150, Duration::from_millis(150), 2).await;
}

async fn deletions_under_kills(name: &str, deletions: usize, between: Duration, kills: usize) {
    let mut child = ServerChild::new(name);
    let (client_id, secret) = crate::kills::client(&child).await;
    let address = Arc::new(std::sync::Mutex::new(child.start().await));
    let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    let (current, client) = (Arc::clone(&address), http.clone());
    // One user after another is made, and deleted; whatever fails is asked again until there is an answer.
    let work = tokio::spawn(async move {
        let call = async |method: reqwest::Method, path: String, body: Option<serde_json::Value>| loop {
            let url = format!("http://{}{path}", *current.lock().unwrap());
            let mut request = client
                .request(method.clone(), url)
                .header("X-Access-Client-Id", client_id.to_string())
                .header("X-Access-Secret", &secret);
            if let Some(body) = &body {
                request = request.json(body);
            }
            match request.send().await {
                Ok(answer) if answer.status().as_u16() < 500 => {
                    return (answer.status().as_u16(), answer.text().await.unwrap_or_default());
                }
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        let mut deleted = Vec::new();
        for number in 0..deletions {
            let body =
                json!({"external_user_id": format!("p-{number}"), "first_name": "John", "last_name": "Doe"});
            let (_, text) = call(reqwest::Method::POST, "/v1/users/".to_owned(), Some(body)).await;
            let made: serde_json::Value = serde_json::from_str(&text).unwrap();
            let id = made["id"].as_str().unwrap_or_else(|| panic!("{text}")).to_owned();
            let (status, _) = call(reqwest::Method::DELETE, format!("/v1/users/{id}/"), None).await;
            // 404: the one before was answered by a kill.
            assert!(matches!(status, 204 | 404), "{status}");
            deleted.push(id);
        }
        deleted
    });
    for _ in 0..kills {
        tokio::time::sleep(between).await;
        child.kill();
        *address.lock().unwrap() = child.start().await;
    }
    let deleted = work.await.unwrap();
    child.kill();
    let opened = opening::open(&child::config(child.home()), &SystemClock, &random()).await.unwrap();
    let ledger = fs::read_to_string(child.home().join("data/deletions.log")).unwrap();
    for id in &deleted {
        assert!(ledger.contains(&format!("user {client_id} sandbox {id}")), "{id} is in the ledger");
    }
    // Half done: a key without an entry, or an entry beside a key.
    let half = "select count(*) from users as u where (length(u.data_key_wrapped) = 0) <> exists (
                    select 1 from deletions as d where d.client_id = u.client_id and d.object_id = u.id)
                   or (length(u.data_key_wrapped) = 0) <> (u.deleted_at is not null)";
    let half = opened.db.read(async move |tx| tx.fetch_one(half, &[], |row| row.get::<i64>(0)).await).await;
    assert_eq!(half.unwrap(), 0);
    let rows = "select count(*) from deletions";
    let rows = opened.db.read(async move |tx| tx.fetch_one(rows, &[], |row| row.get::<i64>(0)).await).await;
    assert_eq!(usize::try_from(rows.unwrap()).unwrap(), ledger.lines().count());
    let admin = Admin {
        db: opened.db,
        keyring: opened.keyring,
        clock: Arc::new(SystemClock),
        random: random(),
        profile: Profile::Development,
        root_key_file: child.home().join("data/root.key"),
        sandbox_now: None,
    };
    assert!(admin.perform(Request::DeleteClient { client_id }).await.is_ok());
}
