//! P35: the disk is full, read-only or broken, and nothing is told as done that is not. The server writes on a disk that fails
//! on demand.

use std::{collections::BTreeMap, fs, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    child::ServerChild,
    disk::{Call, Disk, EIO, ENOSPC, EROFS},
    kills::client,
};

/// After a failed sync the process is gone by then, and once there is space again writes succeed by then (P35).
/// What a busy machine cannot miss, where time is not measured.
const STOP: Duration = Duration::from_secs(if cfg!(feature = "soak") { 5 } else { 60 });
const RESUME: Duration = Duration::from_secs(if cfg!(feature = "soak") { 30 } else { 120 });

struct Fault {
    name: &'static str,
    calls: &'static [(Call, u8)],
    /// What becomes of writes meanwhile.
    writes: Writes,
    is_log_full: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Writes {
    /// Every one is refused.
    Refused,
    /// Some may succeed, and are there afterwards.
    Honest,
    /// The process ends.
    LastOnes,
}

const FULL: Fault =
    Fault { name: "disk full", calls: &[(Call::Write, ENOSPC)], writes: Writes::Refused, is_log_full: false };

const FAULTS: [Fault; 8] = [
    FULL,
    Fault { name: "disk full in the middle of a write", calls: &[(Call::ShortWrite, ENOSPC)], ..FULL },
    Fault { name: "disk of the log full too", is_log_full: true, ..FULL },
    Fault { name: "writes fail", calls: &[(Call::Write, EIO), (Call::Truncate, EIO)], ..FULL },
    Fault {
        name: "disk read-only",
        calls: &[(Call::Write, EROFS), (Call::Open, EROFS), (Call::Truncate, EROFS)],
        ..FULL
    },
    Fault { name: "reads fail", calls: &[(Call::Read, EIO)], writes: Writes::Honest, ..FULL },
    Fault { name: "sync of the log fails", calls: &[(Call::Sync, EIO)], writes: Writes::LastOnes, ..FULL },
    Fault {
        name: "sync of the database file fails",
        calls: &[(Call::SyncOfDatabase, EIO)],
        writes: Writes::LastOnes,
        ..FULL
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p35_a_full_disk_refuses_and_comes_back() {
    suffer(&FAULTS[0]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p35_a_full_log_disk_blocks_nothing() {
    suffer(&FAULTS[2]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p35_a_refused_read_is_told_as_such() {
    suffer(&FAULTS[5]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p35_a_failed_sync_ends_the_process() {
    suffer(&FAULTS[6]).await.unwrap();
}

#[cfg(feature = "soak")]
mod soak {
    use super::*;
    use crate::soak;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn p35_eight_storage_faults() {
        let finding = soak::begin(
            "P35",
            "8 faults of the disk: full, read-only, broken, unsynced",
            format!("0 false successes, integrity good, stop under {STOP:?}, resume under {RESUME:?}"),
        );
        let (mut held, mut wrong) = (Vec::new(), Vec::new());
        for fault in &FAULTS {
            match suffer(fault).await {
                Ok(figure) => held.push(figure),
                Err(what) => wrong.push(format!("{}: {what}", fault.name)),
            }
        }
        let slowest = |writes: bool| {
            let times = held.iter().filter(|figure| figure.is_resumed == writes).map(|figure| figure.took);
            times.max().unwrap_or_default()
        };
        let told = format!(
            "{} of 8 held, stopped after {:.0?} at most, resumed after {:.0?} [{}]",
            held.len(),
            slowest(false),
            slowest(true),
            wrong.join("; ")
        );
        finding.end(told, wrong.is_empty());
    }
}

/// How long it took to stop, or to write again.
#[derive(Debug)]
#[cfg_attr(not(feature = "soak"), allow(dead_code, reason = "told by the soak alone"))]
struct Figure {
    is_resumed: bool,
    took: Duration,
}

/// One back end, and the users that it was told are there.
struct Client {
    http: reqwest::Client,
    base: String,
    id: String,
    secret: String,
    kept: BTreeMap<String, Value>,
    made: usize,
}

impl Client {
    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Option<(u16, Value)> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        request = request.header("X-Access-Client-Id", &self.id).header("X-Access-Secret", &self.secret);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let reply = request.send().await.ok()?;
        let status = reply.status().as_u16();
        Some((status, reply.json().await.unwrap_or(Value::Null)))
    }

    /// Makes a user. What is answered as made is expected from then on.
    async fn write(&mut self) -> Option<(u16, Value)> {
        self.made += 1;
        let name = format!("John {}", self.made);
        let body = json!({"first_name": name, "last_name": "Doe"});
        let answer = self.ask(Method::POST, "/v1/users/", Some(body)).await?;
        if (200..300).contains(&answer.0) {
            self.kept.insert(answer.1["id"].as_str().unwrap().to_owned(), json!(name));
        }
        Some(answer)
    }

    /// How many of those that must be there are not.
    async fn lost(&self) -> usize {
        let mut lost = 0;
        for (id, name) in &self.kept {
            let found = self.ask(Method::GET, &format!("/v1/users/{id}/"), None).await;
            lost +=
                usize::from(found.is_none_or(|(status, user)| status != 200 || user["first_name"] != *name));
        }
        lost
    }
}

/// One fault, from the healthy server to the healthy server. Answers the figure, or what was wrong.
async fn suffer(fault: &Fault) -> Result<Figure, String> {
    let mut child = ServerChild::program(&format!("fault-{}", fault.name.replace(' ', "-")));
    let disk = Disk::under(&mut child);
    let (id, secret) = client(&child).await;
    let address = if fault.is_log_full {
        child.set("CITADEL_LOG", "debug");
        child.start_logging_to(fs::OpenOptions::new().write(true).open("/dev/full").unwrap()).await
    } else {
        child.start().await
    };
    let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
    let mut client = Client {
        http,
        base: format!("http://{address}"),
        id: id.to_string(),
        secret,
        kept: BTreeMap::new(),
        made: 0,
    };
    for _ in 0..5 {
        expect(client.write().await.is_some_and(|(status, _)| status == 201), "a healthy server refuses")?;
    }

    for (call, errno) in fault.calls {
        disk.fail(*call, *errno);
    }
    let figure = match fault.writes {
        Writes::LastOnes => stops(&mut child, &mut client).await?,
        writes => refuses(&disk, &mut client, writes).await?,
    };

    // What the disk holds is looked at by a new process, on a disk that works.
    disk.heal();
    child.kill();
    client.base = format!("http://{}", child.start().await);
    expect(client.lost().await == 0, "an answered write is lost")?;
    expect(client.write().await.is_some_and(|(status, _)| status == 201), "no write after a new start")?;
    child.kill();
    expect(crate::power_cuts::integrity(child.home()).await == "ok", "the database is damaged")?;
    Ok(figure)
}

/// Nothing is written while the fault lasts, everything else goes on; and writes come back by themselves.
async fn refuses(disk: &Disk, client: &mut Client, writes: Writes) -> Result<Figure, String> {
    let is_refusal = |status: u16, body: &Value| {
        status == 503 && body["error"]["code"] == "error" && body["error"]["message"].is_string()
    };
    let mut refused_reads = 0;
    for _ in 0..10 {
        let (status, body) = client.write().await.ok_or("no answer")?;
        let is_refused = is_refusal(status, &body);
        let is_honest = writes == Writes::Honest && status == 201;
        expect(is_refused || is_honest, &format!("a write was answered with {status} {body}"))?;
        if writes == Writes::Refused {
            expect(client.lost().await == 0, "reads do not go on")?;
        } else {
            let (status, body) = client.ask(Method::GET, "/v1/users/", None).await.ok_or("no answer")?;
            refused_reads += usize::from(is_refusal(status, &body));
            expect(
                status == 200 || is_refusal(status, &body),
                &format!("a read was answered with {status} {body}"),
            )?;
        }
    }
    expect(writes == Writes::Refused || refused_reads > 0, "no read met the fault")?;
    disk.heal();
    let healed = Instant::now();
    while client.write().await.is_none_or(|(status, _)| status != 201) {
        expect(healed.elapsed() < RESUME, "writes do not resume")?;
        sleep(Duration::from_millis(50)).await;
    }
    Ok(Figure { is_resumed: true, took: healed.elapsed() })
}

/// The process ends by itself, and says that it failed.
async fn stops(child: &mut ServerChild, client: &mut Client) -> Result<Figure, String> {
    let began = Instant::now();
    let mut failed = None;
    let ended = loop {
        // Until the sync is due that fails: at once, or when the log is folded.
        let answer = client.write().await;
        if failed.is_none() && answer.as_ref().is_none_or(|(status, _)| *status != 201) {
            failed = Some(Instant::now());
        }
        if let Some(ended) = child.ended_within(Duration::ZERO).await {
            break ended;
        }
        expect(
            failed.is_none_or(|failed| failed.elapsed() < STOP),
            "the process goes on after a failed sync",
        )?;
        expect(began.elapsed() < Duration::from_secs(240), "no sync failed")?;
        if failed.is_none() {
            client.make_the_log_grow().await;
        }
    };
    // The program says 1; this binary in its place says what a test that failed says.
    expect([Some(1), Some(101)].contains(&ended.code()), &format!("ended with {ended}"))?;
    Ok(Figure { is_resumed: false, took: failed.map_or(Duration::ZERO, |failed| failed.elapsed()) })
}

fn expect(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

impl Client {
    /// Many at once: a large body each, so that the log comes to its limit soon.
    async fn make_the_log_grow(&self) {
        let name = "x".repeat(200);
        let body = json!({"first_name": name, "last_name": name, "email": format!("{name}@example.com")});
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let mut request = self.http.post(format!("{}/v1/users/", self.base)).json(&body);
            request = request.header("X-Access-Client-Id", &self.id).header("X-Access-Secret", &self.secret);
            calls.spawn(async move { drop(request.send().await) });
        }
        calls.join_all().await;
    }
}
