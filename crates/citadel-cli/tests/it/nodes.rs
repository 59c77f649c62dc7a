//! Nodes as people run them: processes that serve, processes that work, one Postgres.

use std::{
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio_postgres::NoTls;

use crate::{
    harness::{Home, Server, finish, get},
    postgres::{database, on},
};

#[test]
fn what_needs_other_processes_is_refused_on_the_embedded_database() {
    let home = Home::new();
    for verb in [&["worker"][..], &["serve", "--no-worker"]] {
        home.run(verb).failed_with(&[
            "CITADEL_DATABASE_URL",
            "not set",
            "fix: name the Postgres",
            "citadel serve",
        ]);
    }
    assert!(!home.path("data").exists(), "nothing was made");
}

/// A node on an address of its own.
fn node(home: &Home, url: &str, key: &Path, verb: &[&str], host: &str) -> Server {
    let mut command: Command = on(url, key, home.command(verb));
    command
        .env("CITADEL_LISTEN", format!("{host}:0"))
        .env("CITADEL_METRICS_LISTEN", format!("{host}:0"))
        .env("CITADEL_DASHBOARD_LISTEN", format!("{host}:0"))
        .env("CITADEL_PUBLIC_URL", "http://127.0.0.1:8700")
        .env("CITADEL_RATE_LIMIT", "0")
        .env("CITADEL_LOG", "warn");
    Server::start(&mut command, &home.path(&format!("log-{host}")))
}

/// Calls one server after the other. One that does not answer is left out, as a proxy in front would do it.
struct Nodes {
    servers: Vec<SocketAddr>,
    next: AtomicUsize,
    http: reqwest::Client,
    keys: [(&'static str, String); 2],
}

/// What the servers said that they have: it must be there at the end, whoever is killed.
#[derive(Default)]
struct Acknowledged {
    tasks: Vec<(String, String)>,
    access_tokens: Vec<String>,
}

/// A call that got no answer; nobody knows whether it was done.
struct Unanswered;

impl Nodes {
    /// A call to the next server. With a bridge token it is the widget's, else the client's.
    async fn call(
        &self,
        bridge_token: Option<&str>,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, Unanswered> {
        let mut tries = 0;
        let reply = loop {
            let server = self.servers[self.next.fetch_add(1, Ordering::Relaxed) % self.servers.len()];
            let url = format!("http://{server}{path}");
            let request = match &body {
                Some(body) => self.http.post(url).json(body),
                None => self.http.get(url),
            };
            let request = match bridge_token {
                Some(token) => request.bearer_auth(token),
                None => self.keys.iter().fold(request, |request, (name, value)| request.header(*name, value)),
            };
            tries += 1;
            match request.send().await {
                Ok(reply) => break reply,
                // Nobody got it.
                Err(error) if error.is_connect() && tries < self.servers.len() => {}
                Err(_) => return Err(Unanswered),
            }
        };
        let status = reply.status();
        let answer = reply.json::<Value>().await.map_err(|_| Unanswered)?;
        assert!(status.is_success(), "{path}: {status} {answer}");
        Ok(answer)
    }

    /// From bridge token to report, each call at another server than the one before.
    async fn flow(&self, acknowledged: &Mutex<Acknowledged>) -> Result<(), Unanswered> {
        let text = |answer: &Value, key: &str| answer[key].as_str().unwrap().to_owned();
        let made = self.call(None, "/v1/bridge-tokens/", Some(json!({"product_type": "income"}))).await?;
        let bridge_token = text(&made, "bridge_token");
        let widget = Some(bridge_token.as_str());
        let login =
            json!({"provider_id": "adp", "login": {"username": "goodlogin", "password": "goodpassword"}});
        let task_id = text(&self.call(widget, "/bridge/api/tasks", Some(login)).await?, "task_id");
        acknowledged.lock().unwrap().tasks.push((bridge_token.clone(), task_id.clone()));
        self.done(&bridge_token, &task_id).await?;
        let proof = format!("/bridge/api/tasks/{task_id}/public-token");
        let public_token = text(&self.call(widget, &proof, Some(json!({}))).await?, "public_token");
        let body = json!({"public_token": public_token});
        let access_token =
            text(&self.call(None, "/v1/link-access-tokens/", Some(body)).await?, "access_token");
        acknowledged.lock().unwrap().access_tokens.push(access_token.clone());
        self.report(&access_token).await
    }

    async fn done(&self, bridge_token: &str, task_id: &str) -> Result<(), Unanswered> {
        let mut seen = "new".to_owned();
        for _ in 0..100 {
            let path = format!("/bridge/api/tasks/{task_id}?seen={seen}");
            let task = self.call(Some(bridge_token), &path, None).await?;
            seen = task["status"].as_str().unwrap().to_owned();
            if seen == "done" {
                return Ok(());
            }
        }
        panic!("the task is {seen} after a hundred answers");
    }

    async fn report(&self, access_token: &str) -> Result<(), Unanswered> {
        let body = json!({"access_token": access_token});
        let report = self.call(None, "/v1/verifications/incomes/", Some(body)).await?;
        assert_eq!(report["status"], "done", "{report}");
        Ok(())
    }
}

/// Two nodes serve and two work. In the middle one of each is killed. What was acknowledged is there, and what was begun comes
/// to its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p38_one_server_and_one_worker_are_killed_and_nothing_is_lost() {
    const FLOWS: usize = 24;
    const AT_ONCE: usize = 4;
    let Some(url) = tokio::task::spawn_blocking(|| database("killed")).await.unwrap() else { return };
    let home = Home::new();
    let key = home.write_private("root.key", &"5e".repeat(32));
    finish(&mut on(&url, &key, home.command(&["migrate"]))).succeeded();
    let mut servers: Vec<_> = ["127.0.0.1", "127.0.0.2"]
        .map(|host| node(&home, &url, &key, &["serve", "--no-worker"], host))
        .into_iter()
        .collect();
    let mut workers: Vec<_> = ["127.0.0.3", "127.0.0.4"]
        .map(|host| node(&home, &url, &key, &["worker"], host))
        .into_iter()
        .collect();
    for worker in &workers {
        assert_eq!(get(worker.metrics, "/healthz", "").0, 200);
        assert_eq!(get(worker.metrics, "/readyz", "").0, 200);
        assert!(get(worker.metrics, "/metrics", "").1.contains("citadel_jobs_open"));
        assert_eq!(get(worker.metrics, "/v1/providers/", "").0, 404);
    }
    let client = finish(&mut on(&url, &key, home.command(&["client", "create", "--name", "demo", "--json"])));
    let client = client.succeeded().json();
    let text = |key: &str| client[key].as_str().unwrap().to_owned();
    let of = |servers: &[Server]| Nodes {
        servers: servers.iter().map(|server| server.api).collect(),
        next: AtomicUsize::new(0),
        http: reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap(),
        keys: [("X-Access-Client-Id", text("client_id")), ("X-Access-Secret", text("sandbox"))],
    };

    let both = Arc::new(of(&servers));
    let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
    let begun = Arc::new(AtomicUsize::new(0));
    let finished = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (nodes, acknowledged) = (Arc::clone(&both), Arc::clone(&acknowledged));
            let (begun, finished) = (Arc::clone(&begun), Arc::clone(&finished));
            tokio::spawn(async move {
                while begun.fetch_add(1, Ordering::Relaxed) < FLOWS {
                    // Whoever gets no answer begins anew.
                    while nodes.flow(&acknowledged).await.is_err() {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                    finished.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    while finished.load(Ordering::Relaxed) < FLOWS / 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Dropping kills, without a word.
    drop(servers.remove(0));
    drop(workers.remove(0));
    // As thirty seconds later: the leases of the dead run out. Those of the living too, who then write nothing.
    let (database, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    database.batch_execute("update jobs set lease_until = 0 where lease_until is not null").await.unwrap();
    for caller in callers {
        caller.await.unwrap();
    }

    let rest = of(&servers);
    let acknowledged = std::mem::take(&mut *acknowledged.lock().unwrap());
    assert!(acknowledged.tasks.len() >= FLOWS && acknowledged.access_tokens.len() >= FLOWS);
    for (bridge_token, task_id) in &acknowledged.tasks {
        assert!(rest.done(bridge_token, task_id).await.is_ok());
    }
    for access_token in &acknowledged.access_tokens {
        assert!(rest.report(access_token).await.is_ok());
    }
    let open =
        database.query_one("select count(*) from jobs where kind = 'run_task' and done = false", &[]).await;
    assert_eq!(open.unwrap().get::<_, i64>(0), 0);
    for node in servers.into_iter().chain(workers) {
        let log = node.log();
        assert!(node.stop().success(), "{log}");
        assert!(!log.contains("ERROR"), "{log}");
    }
}
