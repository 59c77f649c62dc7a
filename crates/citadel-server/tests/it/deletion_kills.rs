//! P22 for real: the server process is killed while people are deleted. Every deletion that was answered is whole, none is half
//! done, and a backup from before brings none of them back.

use std::{
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};

use citadel_domain::ClientId;
use citadel_server::{
    admin::{Admin, Request},
    backups::{self, Since},
    config::Profile,
    opening,
    system::SystemClock,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    child::{self, ServerChild},
    restores::{quiet, random},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p22_deletions_under_kills_are_whole() {
    deletions_under_kills("p22-small", 150, Duration::from_millis(100)).await;
}

#[cfg(feature = "soak")]
mod soak {
    use super::*;
    use crate::soak;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn p22_ten_thousand_deletions_under_kills_are_whole() {
        let deletions = soak::count("CITADEL_SOAK_P22_DELETIONS", 10_000);
        let finding = soak::begin(
            "P22",
            format!("{deletions} deletions, SIGKILL every 2 s, then the backup of before restored elsewhere"),
            "0 half done, 0 readable",
        );
        let figure = deletions_under_kills("p22-full", deletions, Duration::from_secs(2)).await;
        finding.end(figure, true);
    }
}

/// A back end that asks again until there is an answer.
#[derive(Clone)]
struct Caller {
    http: reqwest::Client,
    address: Arc<Mutex<std::net::SocketAddr>>,
    client_id: ClientId,
    secret: String,
}

impl Caller {
    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, String) {
        loop {
            let url = format!("http://{}{path}", *self.address.lock().unwrap());
            let mut request = self
                .http
                .request(method.clone(), url)
                .header("X-Access-Client-Id", self.client_id.to_string())
                .header("X-Access-Secret", &self.secret);
            if let Some(body) = body {
                request = request.json(body);
            }
            match request.send().await {
                Ok(answer) if answer.status().as_u16() < 500 => {
                    return (answer.status().as_u16(), answer.text().await.unwrap_or_default());
                }
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    async fn make(&self, numbers: std::ops::Range<usize>) -> Vec<String> {
        let mut made = Vec::new();
        for number in numbers {
            let body =
                json!({"external_user_id": format!("p-{number}"), "first_name": "John", "last_name": "Doe"});
            let (_, text) = self.call(Method::POST, "/v1/users/", Some(&body)).await;
            let user: Value = serde_json::from_str(&text).unwrap();
            made.push(user["id"].as_str().unwrap_or_else(|| panic!("{text}")).to_owned());
        }
        made
    }

    async fn delete(&self, ids: Vec<String>) {
        for id in ids {
            let (status, _) = self.call(Method::DELETE, &format!("/v1/users/{id}/"), None).await;
            // 404: the one before was answered by a kill.
            assert!(matches!(status, 204 | 404), "{status}");
        }
    }
}

/// At once, because each waits for the disk.
const AT_ONCE: usize = 4;

/// Stops at anything half done. Answers the figures of the run.
async fn deletions_under_kills(name: &str, deletions: usize, between: Duration) -> String {
    let mut child = ServerChild::new(name);
    let (client_id, secret) = crate::kills::client(&child).await;
    let address = Arc::new(Mutex::new(child.start().await));
    let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    let caller = Caller { http, address: Arc::clone(&address), client_id, secret };
    let share = deletions.div_ceil(AT_ONCE);
    let making: Vec<_> = (0..AT_ONCE)
        .map(|turn| {
            let caller = caller.clone();
            tokio::spawn(async move { caller.make(turn * share..(turn + 1) * share).await })
        })
        .collect();
    let mut people = Vec::new();
    for made in making {
        people.push(made.await.unwrap());
    }
    let backup = child.home().join("before.backup");
    let config = child::config(child.home());
    backups::create(&config, &backup, &SystemClock, &random(), &quiet()).unwrap();

    let deleting: Vec<_> = people
        .iter()
        .map(|ids| {
            let (caller, ids) = (caller.clone(), ids.clone());
            tokio::spawn(async move { caller.delete(ids).await })
        })
        .collect();
    let mut kills = 0;
    while kills == 0 || deleting.iter().any(|work| !work.is_finished()) {
        tokio::time::sleep(between).await;
        child.kill();
        kills += 1;
        *address.lock().unwrap() = child.start().await;
    }
    for work in deleting {
        work.await.unwrap();
    }
    child.kill();

    let people: Vec<_> = people.into_iter().flatten().collect();
    let opened = opening::open(&config, &SystemClock, &random()).await.unwrap();
    let path = child.home().join("data/deletions.log");
    let ledger = fs::read_to_string(&path).unwrap();
    let told: std::collections::HashSet<_> =
        ledger.lines().filter_map(|line| line.split_once(" user ")).map(|(_, whose)| whose).collect();
    for id in &people {
        assert!(told.contains(format!("{client_id} sandbox {id}").as_str()), "{id} is in the ledger");
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

    // The backup holds everybody. Elsewhere, with the ledger, it gives nobody back.
    let mut other = ServerChild::new(&format!("{name}-elsewhere"));
    fs::create_dir(other.home().join("data")).unwrap();
    fs::copy(child.home().join("data/root.key"), other.home().join("data/root.key")).unwrap();
    let since = Since::Ledger(backups::parse_ledger(&ledger, &path).unwrap());
    let elsewhere = child::config(other.home());
    let restored = backups::restore(&elsewhere, &backup, since, &SystemClock, &random(), &quiet()).await;
    let (contents, settled) = restored.unwrap();
    assert_eq!(contents.rows["users"], people.len() as u64);
    assert_eq!(settled.deleted_again, people.len());
    *address.lock().unwrap() = other.start().await;
    let still = caller.make(0..1).await;
    assert_eq!(caller.call(Method::GET, &format!("/v1/users/{}/", still[0]), None).await.0, 200);
    for id in &people {
        assert_eq!(caller.call(Method::GET, &format!("/v1/users/{id}/"), None).await.0, 404, "{id}");
    }

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
    format!("{} deleted, {kills} kills, 0 half done, 0 readable of {}", people.len(), people.len())
}
