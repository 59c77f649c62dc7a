//! P40: faults of Postgres and of the way to it. Every request ends, what was acknowledged is there, and the service is back
//! by itself.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use citadel_store::{Db, DbConfig, Error, Tx};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};
use tower::ServiceExt;

use crate::{
    own_postgres::OwnPostgres,
    pooler::Pooler,
    postgres_proxy::Proxy,
    support::{TestApp, TestClient},
};

/// Within which a request ends, and the service is back: the promise where time is measured, and what a busy machine cannot
/// miss elsewhere.
const REQUEST: Duration = Duration::from_secs(if cfg!(feature = "soak") { 10 } else { 20 });
const BACK: Duration = Duration::from_secs(if cfg!(feature = "soak") { 15 } else { 60 });
const AT_ONCE: usize = 4;

/// A node behind a proxy, and its client.
struct Line {
    base: TestApp,
    node: Arc<TestApp>,
    proxy: Proxy,
}

impl Line {
    async fn open(options: &str) -> Option<Self> {
        let base = TestApp::on_postgres().await?;
        let proxy = Proxy::to(&base.db_config).await;
        let node = base.node_at(proxy.config(AT_ONCE, options), base.clock.clone(), 0).await;
        Some(Self { base, node: Arc::new(node), proxy })
    }
}

/// Somebody who makes bridge tokens all the time.
struct Load {
    acknowledged: Vec<String>,
    failed: usize,
    slowest: Duration,
}

/// One call: the token that it made, or the status.
async fn call(node: &TestApp, headers: &[(&str, String)]) -> Result<String, StatusCode> {
    let mut request = Request::post("/v1/bridge-tokens/").header(header::CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let body = Body::from(json!({"product_type": "income"}).to_string());
    let reply = node.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    let status = reply.status();
    let body = http_body_util::BodyExt::collect(reply.into_body()).await.unwrap().to_bytes();
    if status != StatusCode::OK {
        return Err(status);
    }
    let answer: Value = serde_json::from_slice(&body).unwrap();
    Ok(answer["bridge_token"].as_str().unwrap().to_owned())
}

fn headers(client: &TestClient<'_>) -> [(&'static str, String); 2] {
    [("X-Access-Client-Id", client.id.to_string()), ("X-Access-Secret", client.secret.clone())]
}

/// Calls while the fault is there, and until the service is back once it has gone.
async fn outlive<F: Future<Output = ()>>(
    node: &Arc<TestApp>,
    client: &TestClient<'_>,
    what: &str,
    fault: impl FnOnce() -> F,
) -> Load {
    let headers = headers(client);
    let (over, is_over) = tokio::sync::watch::channel(false);
    let callers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (node, headers, is_over) = (Arc::clone(node), headers.clone(), is_over.clone());
            tokio::spawn(async move {
                let mut load = Load { acknowledged: Vec::new(), failed: 0, slowest: Duration::ZERO };
                let mut over_since = None;
                loop {
                    let was_over = *is_over.borrow();
                    let begun = Instant::now();
                    let answered = timeout(REQUEST, call(&node, &headers)).await;
                    load.slowest = load.slowest.max(begun.elapsed());
                    match answered.expect("every request ends") {
                        Ok(token) => {
                            load.acknowledged.push(token);
                            if was_over {
                                return load;
                            }
                        }
                        // Nothing else than that it is away.
                        Err(status) => {
                            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
                            load.failed += 1;
                        }
                    }
                    if was_over {
                        let since = *over_since.get_or_insert(begun);
                        assert!(since.elapsed() < BACK, "the service is not back");
                    }
                    sleep(Duration::from_millis(20)).await;
                }
            })
        })
        .collect();
    sleep(Duration::from_millis(100)).await;
    fault().await;
    over.send_replace(true);
    let mut all = Load { acknowledged: Vec::new(), failed: 0, slowest: Duration::ZERO };
    for caller in callers {
        let load = caller.await.unwrap_or_else(|problem| panic!("{what}: {problem}"));
        all.acknowledged.extend(load.acknowledged);
        all.failed += load.failed;
        all.slowest = all.slowest.max(load.slowest);
    }
    all
}

/// What several loads came to.
#[derive(Default)]
struct Figures {
    faults: usize,
    acknowledged: usize,
    refused: usize,
    slowest: Duration,
}

impl Figures {
    /// Every token that was acknowledged must be in the database.
    async fn add(&mut self, base: &TestApp, load: Load, what: &str) {
        for token in &load.acknowledged {
            let session = base.widget(Method::GET, "/session", token, None).await;
            assert_eq!(session.status, StatusCode::OK, "{what}: {session:?}");
        }
        self.faults += 1;
        self.acknowledged += load.acknowledged.len();
        self.refused += load.failed;
        self.slowest = self.slowest.max(load.slowest);
    }

    #[cfg(feature = "soak")]
    fn and(self, other: Self) -> Self {
        Self {
            faults: self.faults + other.faults,
            acknowledged: self.acknowledged + other.acknowledged,
            refused: self.refused + other.refused,
            slowest: self.slowest.max(other.slowest),
        }
    }
}

/// Runs a statement on a connection of its own, beside the proxy.
async fn beside(config: &DbConfig, sql: &str) {
    let DbConfig::Postgres { url, .. } = config else { unreachable!() };
    let (client, connection) = tokio_postgres::connect(url.expose(), tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    // Its own end may be what the statement was about.
    let _ = connection.await.unwrap();
}

const OTHERS: &str = "select pg_terminate_backend(pid) from pg_stat_activity
                       where datname = current_database() and pid <> pg_backend_pid()";

fn database(config: &DbConfig) -> &str {
    let DbConfig::Postgres { url, .. } = config else { unreachable!() };
    url.expose().rsplit_once('/').unwrap().1
}

/// The faults of the way to the database, and those that it can be talked into.
async fn fault_of_the_line(line: &Line, fault: &str, lasts: Duration) {
    let proxy = &line.proxy;
    match fault {
        "every line is cut" => proxy.cut(),
        "the lines are half open" => proxy.stall(),
        "nothing passes" => proxy.hang(),
        "nobody listens" => proxy.refuse(),
        "the server ends its sessions" => beside(&line.base.db_config, OTHERS).await,
        "the server turns read-only" | "all of it is locked" => {}
        other => panic!("{other}"),
    }
    let db = &line.base.db_config;
    match fault {
        "the server turns read-only" => {
            let name = database(db);
            beside(db, &format!("alter database {name} set default_transaction_read_only = on")).await;
            beside(db, OTHERS).await;
            sleep(lasts).await;
            // Sessions of that time stay read-only: they have to be given up.
            let undo = format!("alter database {name} reset default_transaction_read_only");
            beside(db, &format!("begin read write; {undo}; commit")).await;
        }
        "all of it is locked" => {
            let hold = format!(
                "begin; lock table bridge_tokens in access exclusive mode; select pg_sleep({}); commit",
                lasts.as_secs_f32()
            );
            beside(db, &hold).await;
        }
        _ => sleep(lasts).await,
    }
    proxy.heal();
}

const FAULTS: [&str; 7] = [
    "every line is cut",
    "the lines are half open",
    "nothing passes",
    "nobody listens",
    "the server ends its sessions",
    "the server turns read-only",
    "all of it is locked",
];

async fn run_faults(faults: &[&str], times: usize, lasts: Duration) -> Figures {
    let mut figures = Figures::default();
    let Some(line) = Line::open("").await else { return figures };
    let client = line.base.client("acme").await;
    for fault in faults {
        for _ in 0..times {
            let load = outlive(&line.node, &client, fault, || fault_of_the_line(&line, fault, lasts)).await;
            figures.add(&line.base, load, fault).await;
        }
    }
    figures
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p40_faults_of_the_way_to_postgres_pass() {
    let short = Duration::from_millis(200);
    let without_long_waits: Vec<_> =
        FAULTS.into_iter().filter(|fault| !["nothing passes"].contains(fault)).collect();
    run_faults(&without_long_waits, 1, short).await;
}

/// A restart that is over within three seconds is an answer that comes later, and no failure.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p40_postgres_is_restarted_and_crashes_under_load() {
    restart(1).await;
}

async fn restart(times: usize) -> Figures {
    let mut figures = Figures::default();
    let Some(postgres) = OwnPostgres::start().await else { return figures };
    let postgres = Arc::new(postgres);
    let config = postgres.config("127.0.0.1", "");
    let base = TestApp::open(config.clone(), None).await;
    let node = Arc::new(base.node_at(config, base.clock.clone(), 0).await);
    let client = base.client("acme").await;
    for mode in ["fast", "immediate"] {
        for _ in 0..times {
            let own = Arc::clone(&postgres);
            let fault = async move || {
                let restarted = tokio::task::spawn_blocking(move || own.control_in("restart", mode));
                restarted.await.unwrap();
            };
            let what = format!("a restart, {mode}");
            let load = outlive(&node, &client, &what, fault).await;
            figures.add(&base, load, &what).await;
        }
    }
    figures
}

/// One of two hosts is gone, and then the other: the one that is there is found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p40_of_several_hosts_the_one_that_can_be_written_is_taken() {
    failover(1).await;
}

async fn failover(times: usize) -> Figures {
    let mut figures = Figures::default();
    let Some(line) = Line::open("").await else { return figures };
    let other = Proxy::to(&line.base.db_config).await;
    let client = line.base.client("acme").await;
    let DbConfig::Postgres { url, .. } = line.proxy.config(AT_ONCE, "") else { unreachable!() };
    let own = line.proxy.address.to_string();
    let url = url.expose().replace(&own, &format!("{own},{}", other.address));
    let config = DbConfig::Postgres { url: url.into(), pool_size: AT_ONCE };
    let node = Arc::new(line.base.node_at(config, line.base.clock.clone(), 0).await);
    for _ in 0..times {
        for gone in [&line.proxy, &other] {
            let fault = async || {
                gone.refuse();
                sleep(Duration::from_millis(200)).await;
            };
            let load = outlive(&node, &client, "failover", fault).await;
            figures.add(&line.base, load, "failover").await;
            gone.heal();
        }
    }
    figures
}

/// A proxy gives each transaction another connection: the scope of a client stays with its transaction, and nothing is
/// prepared.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p40_a_proxy_may_share_connections_between_transactions() {
    let Some(base) = TestApp::on_postgres().await else { return };
    let pooler = Pooler::to(&base.db_config, 8, "?prepared=off").await;
    let node = base.node_at(pooler.config.clone(), base.clock.clone(), 300).await;
    let (acme, other) = (base.client("acme").await, base.client("other").await);
    let there = |client: &TestClient<'_>| TestClient {
        app: &node,
        id: client.id,
        key_id: client.key_id,
        secret: client.secret.clone(),
    };
    let (acme, other) = (there(&acme), there(&other));
    let access_token = acme.link("income").await;
    let report = acme.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await;
    assert_eq!(report.status, StatusCode::OK, "{report:?}");
    // Two clients by turns on the same two connections: each sees its own.
    for _ in 0..10 {
        let (own, foreign) = tokio::join!(acme.get("/v1/links/"), other.get("/v1/links/"));
        let links = |reply: &crate::support::Reply| reply.json()["results"].as_array().unwrap().len();
        assert_eq!((links(&own), links(&foreign)), (1, 0));
    }
    // What a transaction set is not there for the next one on the same connection.
    let db = Db::open(&pooler.config).unwrap();
    db.scoped(acme.id).read(async |tx: &mut Tx<'_>| jobs_open(tx).await).await.unwrap();
    assert!(node.app.db.scoped(other.id).read(async |tx: &mut Tx<'_>| jobs_open(tx).await).await.is_ok());
    assert_eq!(pooler.named.load(std::sync::atomic::Ordering::Relaxed), 0);
    assert!(pooler.transactions.load(std::sync::atomic::Ordering::Relaxed) > 40);
}

async fn jobs_open(tx: &mut Tx<'_>) -> Result<i64, Error> {
    citadel_store::jobs::count_open(tx).await
}

#[cfg(feature = "soak")]
mod soak {
    use super::*;
    use crate::soak;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn p40_eleven_faults_ten_times() {
        let times = soak::count("CITADEL_SOAK_P40_TIMES", 10);
        let finding = soak::begin(
            "P40",
            format!("7 faults of the line, 2 restarts, 2 losses of a host, {times} times each"),
            format!("0 lost, every request under {REQUEST:?}, back under {BACK:?}"),
        );
        // A fault lasts longer than a request may. Each of the seven has a line and a database of its own, so they go on side by
        // side: they are waited for, not worked at.
        let lasts = Duration::from_secs(12);
        let lines: Vec<_> = FAULTS
            .iter()
            .map(|fault| tokio::spawn(run_faults(std::slice::from_ref(fault), times, lasts)))
            .collect();
        let mut all = Figures::default();
        for line in lines {
            all = all.and(line.await.unwrap());
        }
        all = all.and(restart(times).await).and(failover(times).await);
        let figure = format!(
            "{} faults, {} acknowledged, 0 lost, {} refused, slowest {:.1?}",
            all.faults, all.acknowledged, all.refused, all.slowest
        );
        finding.end(figure, all.faults == 11 * times);
    }
}
