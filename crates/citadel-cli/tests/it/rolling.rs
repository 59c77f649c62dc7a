//! P42: nodes are replaced one after the other behind a proxy, and no request fails.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{Instant, interval, sleep, timeout},
};

use crate::{
    harness::{Home, Server, finish, free_address, get, wait},
    postgres::{database, on},
};

struct Plan {
    name: &'static str,
    rounds: usize,
    every: Duration,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p42_no_request_fails_while_nodes_are_replaced() {
    run(Plan { name: "rolling", rounds: 1, every: Duration::from_millis(20) }).await;
}

#[cfg(feature = "soak")]
mod soak {
    use super::*;
    use crate::soak;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn p42_no_request_of_two_hundred_a_second_fails() {
        let rounds = soak::count("CITADEL_SOAK_P42_ROUNDS", 10);
        let finding = soak::begin(
            "P42",
            format!("2 nodes replaced by turns, {rounds} times each, at 200 requests a second"),
            "0 failed, stopped within 25 s",
        );
        let figure = run(Plan { name: "rolling_full", rounds, every: Duration::from_millis(5) }).await;
        finding.end(figure.as_deref().unwrap_or("no Postgres to run on"), figure.is_some());
    }
}

/// One of the two: where it listens, and where it says whether it is ready.
#[derive(Clone, Copy)]
struct Place {
    api: SocketAddr,
    metrics: SocketAddr,
}

/// Passes connections on to whoever said last that it is ready, by turns, and asks ten times a second. It carries bytes and
/// tries nothing twice.
async fn proxy(listener: TcpListener, places: Vec<Place>, ready: watch::Sender<Vec<Place>>) {
    let mut is_ready = ready.subscribe();
    tokio::spawn(async move {
        loop {
            let asked = places.clone();
            let found = tokio::task::spawn_blocking(move || {
                let is_ready = |place: &Place| {
                    std::net::TcpStream::connect(place.metrics).is_ok()
                        && get(place.metrics, "/readyz", "").0 == 200
                };
                asked.into_iter().filter(is_ready).collect::<Vec<_>>()
            });
            if ready.send(found.await.unwrap()).is_err() {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
    });
    let mut turn = 0;
    while let Ok((mut client, _)) = listener.accept().await {
        let Ok(places) = is_ready.wait_for(|places| !places.is_empty()).await.map(|places| places.clone())
        else {
            return;
        };
        turn += 1;
        let place = places[turn % places.len()];
        tokio::spawn(async move {
            if let Ok(mut server) = TcpStream::connect(place.api).await {
                let _ = copy_bidirectional(&mut client, &mut server).await;
            }
        });
    }
}

/// Stops at a request that fails. Answers the figures of the run, if there is a Postgres.
async fn run(plan: Plan) -> Option<String> {
    let url = tokio::task::spawn_blocking(|| database(plan.name)).await.unwrap()?;
    let home = Arc::new(Home::new());
    let key: PathBuf = home.write_private("root.key", &"5e".repeat(32));
    finish(&mut on(&url, &key, home.command(&["migrate"]))).succeeded();
    let places = [(); 2].map(|()| Place { api: free_address(), metrics: free_address() });
    let start = |place: Place| {
        let mut command = on(&url, &key, home.command(&["serve"]));
        command
            .env("CITADEL_LISTEN", place.api.to_string())
            .env("CITADEL_METRICS_LISTEN", place.metrics.to_string())
            .env("CITADEL_DASHBOARD_LISTEN", "127.0.0.1:0")
            .env("CITADEL_STOP_WAIT", "2")
            .env("CITADEL_RATE_LIMIT", "0")
            .env("CITADEL_LOG", "warn");
        Server::start(&mut command, &home.path(&format!("log-{}", place.api.port())))
    };
    let mut nodes: Vec<_> = places.iter().map(|place| start(*place)).collect();
    let client = finish(&mut on(&url, &key, home.command(&["client", "create", "--name", "demo", "--json"])));
    let client = client.succeeded().json();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = format!("http://{}/v1/providers/adp/", listener.local_addr().unwrap());
    let (ready, mut is_ready) = watch::channel(places.to_vec());
    tokio::spawn(proxy(listener, places.to_vec(), ready));

    let (stop, is_over) = watch::channel(false);
    let (answered, failures) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let load = {
        let (answered, failures) = (Arc::clone(&answered), Arc::clone(&failures));
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
        let keys = [("X-Access-Client-Id", "client_id"), ("X-Access-Secret", "sandbox")]
            .map(|(name, key)| (name, client[key].as_str().unwrap().to_owned()));
        tokio::spawn(async move {
            let mut tick = interval(plan.every);
            let mut calls = tokio::task::JoinSet::new();
            while !*is_over.borrow() {
                tick.tick().await;
                let request =
                    keys.iter().fold(http.get(&front), |request, (name, key)| request.header(*name, key));
                let (answered, failures) = (Arc::clone(&answered), Arc::clone(&failures));
                calls.spawn(async move {
                    match request.send().await.map(|reply| reply.status().as_u16()) {
                        Ok(200) => _ = answered.fetch_add(1, Ordering::Relaxed),
                        other => failures.lock().unwrap().push(format!("{other:?}")),
                    }
                });
            }
            calls.join_all().await;
        })
    };
    let (begun, mut slowest) = (Instant::now(), Duration::ZERO);
    for _ in 0..plan.rounds {
        for (index, place) in places.iter().enumerate() {
            let mut node = nodes.remove(index);
            let told = Instant::now();
            node.signal("TERM");
            let ended = tokio::task::spawn_blocking(move || {
                (wait(&mut node.child, Duration::from_secs(25)), node.log())
            });
            let (status, log) = ended.await.unwrap();
            slowest = slowest.max(told.elapsed());
            assert!(status.is_some_and(|status| status.success()), "{status:?} {log}");
            nodes.insert(index, start(*place));
            let has_it = is_ready.wait_for(|ready| ready.iter().any(|found| found.api == place.api));
            timeout(Duration::from_secs(60), has_it).await.expect("the proxy has it again").unwrap();
        }
    }
    stop.send_replace(true);
    load.await.unwrap();
    let (answered, failures) = (answered.load(Ordering::Relaxed), failures.lock().unwrap().clone());
    let took = begun.elapsed();
    assert_eq!(failures, Vec::<String>::new());
    assert!(answered > 50, "{answered}");
    Some(format!("{answered} answered in {took:.0?}, 0 failed, slowest stop {slowest:.1?}"))
}
