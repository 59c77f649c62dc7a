//! P27 for real: the server process is killed again and again while tasks run and a receiver fails, and in the end every
//! committed change was delivered, none was invented, and repeats kept their ids.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use citadel_api_types::webhooks::EVENT_TYPES;
use citadel_domain::{ClientId, Random};
use citadel_sdk::{Citadel, CreateBridgeToken, CreateWebhook};
use citadel_server::{
    admin::{Admin, Answer, Request},
    config::Profile,
    opening,
    system::{SystemClock, SystemRandom},
};
use serde_json::{Value, json};
use tokio::{sync::watch, time::Instant};

use crate::{
    child::{self, ServerChild},
    receiver::{Received, Receiver},
};

/// What a run is made of.
struct Plan {
    name: &'static str,
    changes: usize,
    between_kills: Duration,
    /// Kills at least, however fast the changes are.
    kills: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p27_kills_lose_and_invent_no_event() {
    run(Plan { name: "small", changes: 200, between_kills: Duration::from_millis(1000), kills: 3 }).await;
}

#[cfg(feature = "soak")]
mod soak {
    use super::*;
    use crate::soak;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn p27_kills_lose_and_invent_no_event_of_ten_thousand() {
        let changes = soak::count("CITADEL_SOAK_P27_CHANGES", 10_000);
        let finding = soak::begin(
            "P27",
            format!("{changes} changes, SIGKILL every 3 s, a receiver that fails 3 of 10"),
            "0 lost, 0 invented",
        );
        let figure =
            run(Plan { name: "full", changes, between_kills: Duration::from_secs(3), kills: 3 }).await;
        finding.end(figure, true);
    }
}

/// A client in the store of the child, before it runs: its id and its secret.
pub(crate) async fn client(child: &ServerChild) -> (ClientId, String) {
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let opened = opening::open(&child::config(child.home()), &SystemClock, &random).await.unwrap();
    let admin = Admin {
        db: opened.db,
        keyring: opened.keyring,
        clock: Arc::new(SystemClock),
        random,
        profile: Profile::Development,
        root_key_file: child.home().join("data/root.key"),
        sandbox_now: None,
    };
    match admin.perform(Request::CreateClient { name: "acme".to_owned(), origins: vec![] }).await {
        Ok(Answer::ClientCreated { client_id, secret }) => (client_id, secret.expose().to_owned()),
        other => panic!("{other:?}"),
    }
}

/// Fails three of ten requests, by a hash of event and try, but no event more than six times: with ten attempts in all,
/// chance must not use them up.
fn answer(tries: &Mutex<BTreeMap<String, (u32, u32)>>, request: &Received) -> Response {
    let id = request.id();
    let mut tries = tries.lock().unwrap();
    let (made, failed) = tries.entry(id.clone()).or_default();
    *made += 1;
    let mut hasher = DefaultHasher::new();
    (&id, &made).hash(&mut hasher);
    if hasher.finish() % 10 < 3 && *failed < 6 {
        *failed += 1;
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    StatusCode::OK.into_response()
}

/// Stops at anything lost or invented. Answers the figures of the run.
async fn run(plan: Plan) -> String {
    let mut child = ServerChild::new(plan.name);
    let (client_id, secret) = client(&child).await;
    let tries = Arc::new(Mutex::new(BTreeMap::new()));
    let taken = Arc::new(Mutex::new(BTreeSet::new()));
    let (counted, noted) = (tries.clone(), taken.clone());
    let receiver = Receiver::answering(move |_, request| {
        let response = answer(&counted, request);
        if response.status().is_success() {
            noted.lock().unwrap().insert(request.id());
        }
        response
    })
    .await;

    let (address, addresses) = watch::channel(child.start().await);
    let sdk = |base: String| {
        Citadel::builder(base, client_id.to_string(), secret.clone()).max_retries(0).build().unwrap()
    };
    let first = sdk(format!("http://{}", *address.borrow()));
    let endpoint = CreateWebhook {
        name: "kills".to_owned(),
        webhook_url: receiver.url(),
        env_type: "sandbox".to_owned(),
        events: EVENT_TYPES.map(str::to_owned).to_vec(),
    };
    first.create_webhook(&endpoint).await.unwrap();

    // People sign in, all the time. Whatever fails is not tried again: it was committed or it was not.
    let done = Arc::new(AtomicBool::new(false));
    let mut people = Vec::new();
    for number in 0..6 {
        let (addresses, done, secret) = (addresses.clone(), done.clone(), secret.clone());
        people.push(tokio::spawn(async move {
            sign_in_again_and_again(number, client_id, &secret, &addresses, &done).await;
        }));
    }

    let mut kills = 0;
    let mut changes = 0;
    while changes < plan.changes || kills < plan.kills {
        tokio::time::sleep(plan.between_kills).await;
        child.kill();
        kills += 1;
        address.send_replace(child.start().await);
        changes = newest_sequence(&sdk(format!("http://{}", *address.borrow()))).await;
    }
    done.store(true, Ordering::Relaxed);
    for person in people {
        person.await.unwrap();
    }

    // No more kills. Tasks come to their ends, and time passes in growing steps until no retry is left.
    let citadel = sdk(format!("http://{}", *address.borrow()));
    let calm = Instant::now();
    let mut jumps = JUMPS.into_iter();
    let mut shift = 0;
    let written = loop {
        let events = settled(&citadel, &taken).await;
        if events.iter().all(|event| taken.lock().unwrap().contains(id_of(event))) {
            break events;
        }
        shift += jumps.next().unwrap_or_else(|| panic!("something never arrives: {}", child.log()));
        child.shift_clock(shift);
    };

    let requests = receiver.received();
    let committed: BTreeMap<&str, &Value> = written.iter().map(|event| (id_of(event), event)).collect();
    for request in &requests {
        let id = request.id();
        let event = committed.get(id.as_str()).unwrap_or_else(|| panic!("invented: {id}"));
        assert_eq!(request.json(), **event, "a repeat has the same body");
        assert_eq!(request.header("webhook-id"), id);
    }
    let taken = taken.lock().unwrap();
    assert_eq!(taken.len(), committed.len());
    assert!(committed.len() >= plan.changes && kills >= plan.kills);
    let failed = tries.lock().unwrap().values().map(|(_, failed)| *failed as usize).sum::<usize>();
    format!(
        "{} changes, {kills} kills, 0 lost, 0 invented, {} requests, {failed} refused, {} repeated after success, {:.0?} \
         after the last kill",
        committed.len(),
        requests.len(),
        requests.len() - failed - committed.len(),
        calm.elapsed(),
    )
}

/// Seconds: each a little more than the next wait of an event that fails again.
const JUMPS: [i64; 12] = [7, 400, 2400, 9000, 22_000, 44_000, 61_000, 7, 400, 2400, 9000, 22_000];

fn id_of(event: &Value) -> &str {
    event["webhook_id"].as_str().unwrap()
}

/// Every committed event, once all tasks have ended and nothing has arrived for a while.
async fn settled(citadel: &Citadel, taken: &Mutex<BTreeSet<String>>) -> Vec<Value> {
    let mut before = (0, 0);
    loop {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let events = all_events(citadel).await;
        let now = (events.len(), taken.lock().unwrap().len());
        let all_final = last_statuses(&events).values().all(|status| is_final(status));
        if all_final && (now == before || now.0 == now.1) {
            return events;
        }
        before = now;
    }
}

async fn sign_in_again_and_again(
    number: usize,
    client_id: ClientId,
    secret: &str,
    addresses: &watch::Receiver<std::net::SocketAddr>,
    done: &AtomicBool,
) {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    let mut turn = number;
    while !done.load(Ordering::Relaxed) {
        let base = format!("http://{}", *addresses.borrow());
        let citadel = Citadel::builder(base.clone(), client_id.to_string(), secret.to_owned())
            .max_retries(0)
            .build()
            .unwrap();
        let Ok(token) = citadel.create_bridge_token(&CreateBridgeToken::new("income")).await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        turn += 1;
        let password = if turn.is_multiple_of(3) { "goodpassword" } else { "wrong" };
        let login = json!({"provider_id": "adp", "login": {"username": "goodlogin", "password": password}});
        let call = http
            .post(format!("{base}/bridge/api/tasks"))
            .bearer_auth(token.bridge_token.expose())
            .json(&login);
        let _ = call.send().await;
    }
}

async fn newest_sequence(citadel: &Citadel) -> usize {
    // A place beyond the last event has none after it: halve the distance.
    let (mut low, mut high) = (0_i64, 1_i64 << 20);
    while low < high {
        let middle = (low + high + 1) / 2;
        match citadel.events(middle - 1).await.unwrap().results.is_empty() {
            true => high = middle - 1,
            false => low = middle,
        }
    }
    usize::try_from(low).unwrap()
}

/// The body of every committed event.
async fn all_events(citadel: &Citadel) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let page = citadel.events(after).await.unwrap();
        let Some(last) = page.results.last() else { return found };
        after = last.sequence;
        found.extend(page.results.into_iter().map(|event| Value::Object(event.payload)));
    }
}

fn last_statuses(events: &[Value]) -> BTreeMap<String, String> {
    let text = |event: &Value, key: &str| event[key].as_str().unwrap().to_owned();
    events.iter().map(|event| (text(event, "task_id"), text(event, "status"))).collect()
}

fn is_final(status: &str) -> bool {
    status.parse::<citadel_domain::TaskStatus>().unwrap().is_final()
}
