//! Running a node, from the configuration to the last answer. [`serve_until`] and [`work`] read from top to bottom.

mod listener;
mod signals;

use std::{
    future, io,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum_server::Handle;
use citadel_connectors::Registry;
use citadel_domain::{Clock, Random, Secret};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinError, JoinHandle},
    time::{Instant, timeout, timeout_at},
};

use self::{
    listener::{bind, run},
    signals::{Signals, hang_up},
};
use crate::{
    admin::{Admin, socket::AdminSocket},
    app::{App, AppParts},
    calls,
    config::{Config, DASHBOARD_LISTEN, DATA_DIR, LISTEN, METRICS_LISTEN, Part, Problem, Profile},
    connections::{Door, Proxies},
    database_clock::DatabaseClock,
    directory::Directory,
    jobs, logs,
    opening::{self, OpenError, Opened},
    operations,
    outbound::{self, Outbound, Rules, SystemResolver},
    pages, router, seeding,
    tls::Tls,
    traces, trail,
};

/// How long open requests, and then everything, may take after the signal to stop (P42). Jobs are given back in between.
const DRAIN: Duration = Duration::from_secs(20);
const STOP: Duration = Duration::from_secs(25);
/// How long the last calls may take into the record.
const LAST_CALLS: Duration = Duration::from_secs(2);
/// How long the last spans may take to the collector.
const LAST_SPANS: Duration = Duration::from_secs(2);
/// How long the last entries of the audit trail may take.
const LAST_NOTES: Duration = Duration::from_secs(2);
/// The same where all data end with the server: nobody will ask what became of the open work.
const EPHEMERAL_DRAIN: Duration = Duration::from_millis(500);
const EPHEMERAL_STOP: Duration = Duration::from_secs(1);

/// Where the server listens.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// API and widget.
    pub api: SocketAddr,
    /// What it speaks there: `http` or `https`.
    pub scheme: &'static str,
    /// Health and metrics. Plain HTTP.
    pub metrics: SocketAddr,
    /// What browsers call.
    pub public_url: String,
    /// What members call.
    pub dashboard_url: String,
    /// Good once, for an hour, to make the first owner. There while there is no member.
    pub setup_code: Option<Secret>,
}

/// Why the server did not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The store was not opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A part broke down.
    #[error("{part} broke down: {source}")]
    Broken { part: &'static str, source: io::Error },
}

impl From<Problem> for ServeError {
    fn from(problem: Problem) -> Self {
        Self::Open(problem.into())
    }
}

impl From<citadel_store::Error> for ServeError {
    fn from(error: citadel_store::Error) -> Self {
        Self::Open(error.into())
    }
}

/// Serves until SIGINT or SIGTERM. `announce` is called once, when requests are taken.
pub async fn serve(
    config: Config,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    announce: impl FnOnce(&Addresses),
) -> Result<(), ServeError> {
    serve_until(config, clock, random, future::pending(), announce).await
}

/// As [`serve`], or until `stop_when` ends.
pub async fn serve_until(
    config: Config,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    stop_when: impl Future<Output = ()>,
    announce: impl FnOnce(&Addresses),
) -> Result<(), ServeError> {
    let (mut signals, traces) = begin(&config, &clock, &random)?;

    // Ports first: a taken one is the commonest refusal, and nothing has been written yet.
    let api_listener = bind(&LISTEN, config.listen).await?;
    let metrics_listener = bind(&METRICS_LISTEN, config.metrics_listen).await?;
    let dashboard_listener = bind(&DASHBOARD_LISTEN, config.dashboard_listen).await?;
    let mut addresses = addresses(&config, &api_listener, &dashboard_listener, &metrics_listener)
        .map_err(broken("a listener"))?;
    let tls = config.tls.as_ref().map(|files| Tls::open(files, clock.now())).transpose()?;

    let (stop, stopping) = watch::channel(false);
    let dashboard = dashboard_listener.local_addr().map_err(broken("a listener"))?;
    let listeners = vec![addresses.api, dashboard, addresses.metrics];
    let urls = (addresses.public_url.clone(), addresses.dashboard_url.clone());
    let app = open_app(&config, clock, random, listeners, urls, &stopping).await?;
    if config.is_embedded() {
        // Whoever held a lease is dead: the lock on the data directory proves it. Their work goes on at once.
        app.db.write(async |tx| citadel_store::jobs::release_all(tx).await).await?;
        let socket = AdminSocket::bind(config.admin_socket())
            .map_err(|error| admin_socket_problem(&config, &error))?;
        tokio::spawn(socket.serve(Arc::new(admin(&config, &app)), stopping.clone()));
    }

    addresses.setup_code = pages::dashboard::set_up::first_code(&app, &config.data_dir).await?;

    let (api, dashboard, metrics) = (Handle::new(), Handle::new(), Handle::new());
    let door = Door::new(config.proxies.clone());
    let acceptor = tls.as_ref().map(|tls| tls.acceptor(door.clone()));
    let dashboard_door = Door::new(config.proxies.clone());
    let dashboard_acceptor = tls.as_ref().map(|tls| tls.acceptor(dashboard_door.clone()));
    if let Some(mut tls) = tls {
        tls.warn(&addresses.public_url, app.clock.now());
        let hang_up = hang_up().map_err(broken("signal handling"))?;
        tokio::spawn(tls.keep_fresh(Arc::clone(&app.clock), hang_up, stopping.clone()));
    }
    let operations = operations::router(app.clone(), stopping.clone());
    let (last_answer, is_last) = watch::channel(false);
    let record = tokio::spawn(calls::keep(app.clone(), is_last));
    let mut worker = match config.part {
        Part::Listener => tokio::spawn(idle(stopping)),
        Part::Whole | Part::Worker => tokio::spawn(jobs::work(app.clone(), stopping)),
    };
    let mut api_server =
        tokio::spawn(run(api_listener, router::api(app.clone()), api.clone(), door, acceptor));
    let pages = router::dashboard(app.clone());
    let mut dashboard_server =
        tokio::spawn(run(dashboard_listener, pages, dashboard.clone(), dashboard_door, dashboard_acceptor));
    let metrics_server =
        tokio::spawn(run(metrics_listener, operations, metrics.clone(), private_door(), None));
    tracing::info!(api = %addresses.api, metrics = %addresses.metrics, public_url = addresses.public_url, "ready");
    announce(&addresses);

    // A part that ends by itself takes the whole server down: whoever watches it starts it again, while a server
    // without its worker would accept sign-ins that never finish.
    let failure = tokio::select! {
        () = signals.next() => None,
        () = stop_when => None,
        // At once, and without folding the log: what waits was not kept, and must not be told as if it were.
        () = app.db.sync_failed() => return Err(disk_failed()),
        ended = &mut worker => Some(ended_early("the worker", ended.map(Ok))),
        ended = &mut api_server => Some(ended_early("the API listener", ended)),
        ended = &mut dashboard_server => Some(ended_early("the dashboard's listener", ended)),
    };

    tracing::info!("stopping");
    let told = Instant::now();
    let _ = stop.send(true);
    let (drain, stop_within) =
        if config.is_ephemeral { (EPHEMERAL_DRAIN, EPHEMERAL_STOP) } else { (DRAIN, STOP) };
    // Requests still come, and are answered: whoever sends them has not yet seen that this node is not ready. The open
    // connections of those who keep theirs end with their next answer.
    app.is_leaving.store(true, Ordering::Relaxed);
    let is_told_twice = failure.is_none()
        && tokio::select! {
            () = tokio::time::sleep(config.stop_wait) => false,
            () = signals.next() => true,
        };
    app.stopping.send_replace(true);
    api.graceful_shutdown(Some(drain.saturating_sub(told.elapsed())));
    dashboard.graceful_shutdown(Some(drain.saturating_sub(told.elapsed())));
    // A part that ended early has been waited for; asking again would panic.
    if failure.is_none() && !is_told_twice {
        let drained = async { drop(tokio::join!(worker, api_server, dashboard_server)) };
        wait(drained, told + stop_within, &mut signals).await;
    }
    last_answer.send_replace(true);
    // A database that hangs costs the last calls of the record, and holds up nobody's stop.
    let _ = timeout(LAST_CALLS, record).await;
    end(&app, metrics, metrics_server, traces).await;
    failure.map_or(Ok(()), Err)
}

/// Works in the background until SIGINT or SIGTERM, for nodes that serve from the same Postgres. `announce` is called once,
/// with the address of health and metrics.
pub async fn work(
    config: Config,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    announce: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    let (mut signals, traces) = begin(&config, &clock, &random)?;
    let metrics_listener = bind(&METRICS_LISTEN, config.metrics_listen).await?;
    let address = metrics_listener.local_addr().map_err(broken("a listener"))?;

    let (stop, stopping) = watch::channel(false);
    let urls = (config.public_url_for(config.listen), config.dashboard_url_for(config.dashboard_listen));
    let app = open_app(&config, clock, random, vec![address], urls, &stopping).await?;
    let metrics = Handle::new();
    let operations = operations::router(app.clone(), stopping.clone());
    let metrics_server =
        tokio::spawn(run(metrics_listener, operations, metrics.clone(), private_door(), None));
    let mut worker = tokio::spawn(jobs::work(app.clone(), stopping));
    tracing::info!(metrics = %address, "working");
    announce(address);

    let failure = tokio::select! {
        () = signals.next() => None,
        ended = &mut worker => Some(ended_early("the worker", ended.map(Ok))),
    };

    tracing::info!("stopping");
    let told = Instant::now();
    let _ = stop.send(true);
    app.stopping.send_replace(true);
    if failure.is_none() {
        wait(async { drop(worker.await) }, told + STOP, &mut signals).await;
    }
    end(&app, metrics, metrics_server, traces).await;
    failure.map_or(Ok(()), Err)
}

/// Sends traces until it is told that no more come.
struct Tracing {
    sender: JoinHandle<()>,
    end: watch::Sender<bool>,
}

/// What comes before anything is opened.
fn begin(
    config: &Config,
    clock: &Arc<dyn Clock>,
    random: &Arc<dyn Random>,
) -> Result<(Signals, Option<Tracing>), ServeError> {
    let traces = config.otlp_endpoint.as_deref();
    let traces = traces.map(|endpoint| traces::to(endpoint, Arc::clone(clock), Arc::clone(random)));
    let (tracer, traces) = traces
        .transpose()
        .map_err(|error| broken("the exporter of traces")(io::Error::other(error)))?
        .unzip();
    logs::start(config, tracer);
    for risk in &config.risks {
        tracing::warn!(setting = risk.setting, fix = risk.fix, "risky setting: {}", risk.what);
    }
    let tracing = traces.map(|traces| {
        let (end, ended) = watch::channel(false);
        Tracing { sender: tokio::spawn(traces.run(ended)), end }
    });
    Ok((Signals::listen().map_err(broken("signal handling"))?, tracing))
}

/// Of the listener that only this machine reaches.
fn private_door() -> Door {
    Door::new(Proxies::default())
}

/// Opens the store, and puts the node together on it.
async fn open_app(
    config: &Config,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    listeners: Vec<SocketAddr>,
    (public_url, dashboard_url): (String, String),
    stopping: &watch::Receiver<bool>,
) -> Result<App, ServeError> {
    let Opened { db, keyring, applied } = opening::open(config, &*clock, &random).await?;
    for migration in applied {
        tracing::info!(migration, "migration applied");
    }
    if !db.is_role_fenced().await? {
        let fix = "give the server a role with nosuperuser and nobypassrls";
        tracing::warn!(fix, "this Postgres role passes row-level security, the second fence between clients");
    }
    let clock = DatabaseClock::follow(&db, clock, stopping).await?;
    seeding::seed(&db).await?;
    trail::started::note(config, &db, &keyring, clock.now()).await?;
    let directory = Directory::load(&db).await?;
    let rules = Rules::new(listeners, public_url.clone());
    let outbound = Outbound::new(rules, Arc::new(SystemResolver), outbound::DEADLINE)
        .map_err(|error| broken("the HTTP client")(io::Error::other(error)))?;
    let app = App::new(AppParts {
        db,
        keyring,
        clock,
        random,
        directory,
        connectors: Registry::seeded(&config.sandbox.seed),
        public_url,
        dashboard_url,
        makes_prod_keys: config.profile == Profile::Production,
        is_transport_strict: config.is_transport_strict(),
        outbound,
        sandbox: config.sandbox.clone(),
        rate_limit: config.rate_limit,
        replay_policy: config.replay_policy,
        keeps_call_bodies: config.keeps_call_bodies,
    });
    tokio::spawn(trail::until(app.clone(), stopping.clone()));
    tokio::spawn(trail::heads::until(
        app.clone(),
        config.data_dir.join(trail::heads::FILE),
        stopping.clone(),
    ));
    Ok(app)
}

fn admin(config: &Config, app: &App) -> Admin {
    Admin {
        db: app.db.clone(),
        keyring: Arc::clone(&app.keyring),
        clock: Arc::clone(&app.clock),
        random: Arc::clone(&app.random),
        profile: config.profile,
        root_key_file: config.root_key_file.clone(),
        sandbox_now: config.sandbox.now,
    }
}

/// Takes the place of the worker in a node that has none.
async fn idle(mut stopping: watch::Receiver<bool>) {
    let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
}

/// Waits for what is under way, until the deadline or the next signal.
async fn wait(drained: impl Future<Output = ()>, deadline: Instant, signals: &mut Signals) {
    tokio::select! {
        finished = timeout_at(deadline, drained) => if finished.is_err() {
            tracing::warn!("some work did not end in time; its leases run out and another worker takes it");
        },
        () = signals.next() => tracing::warn!("told to stop twice: not waiting for open work"),
    }
}

/// The last steps of every node.
async fn end(
    app: &App,
    metrics: Handle<SocketAddr>,
    metrics_server: JoinHandle<io::Result<()>>,
    traces: Option<Tracing>,
) {
    metrics.shutdown();
    let _ = metrics_server.await;
    // A database that hangs holds up nobody's stop.
    let _ = timeout(LAST_NOTES, trail::flush_last(app)).await;
    if let Err(error) = app.db.checkpoint().await {
        // The log beside the file holds the rest; the next start reads both.
        tracing::warn!(error.cause = %error, "cannot fold the log into the database file");
    }
    // Spans came until the last request was answered.
    if let Some(Tracing { sender, end }) = traces {
        end.send_replace(true);
        // A collector that hangs costs spans, and holds up nobody's stop.
        let _ = timeout(LAST_SPANS, sender).await;
    }
    tracing::info!("stopped");
}

fn addresses(
    config: &Config,
    api: &TcpListener,
    dashboard: &TcpListener,
    metrics: &TcpListener,
) -> io::Result<Addresses> {
    let api = api.local_addr()?;
    Ok(Addresses {
        api,
        scheme: config.scheme(),
        metrics: metrics.local_addr()?,
        public_url: config.public_url_for(api),
        dashboard_url: config.dashboard_url_for(dashboard.local_addr()?),
        setup_code: None,
    })
}

fn admin_socket_problem(config: &Config, error: &io::Error) -> Problem {
    let what = format!("cannot hold the admin socket ({error})");
    let fix = "use a directory on a local file system that this user can write";
    Problem::of(&DATA_DIR, Some(&config.data_dir.display().to_string()), what, fix)
}

fn broken(part: &'static str) -> impl FnOnce(io::Error) -> ServeError {
    move |source| ServeError::Broken { part, source }
}

fn disk_failed() -> ServeError {
    let what = "it did not keep what was written (a sync failed); look at the disk, then start again: whatever was answered \
                as done before that is there";
    tracing::error!("the disk failed: stopping at once");
    ServeError::Broken { part: "the disk", source: io::Error::other(what) }
}

fn ended_early(part: &'static str, ended: Result<io::Result<()>, JoinError>) -> ServeError {
    let source = match ended {
        Ok(Ok(())) => io::Error::other("it ended without being told to"),
        Ok(Err(error)) => error,
        // The panic hook has told the rest.
        Err(_) => io::Error::other("it panicked"),
    };
    ServeError::Broken { part, source }
}
