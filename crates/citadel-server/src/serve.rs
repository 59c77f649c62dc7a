//! Running the server, from the configuration to the last answer. [`serve_until`] reads from top to bottom.

use std::{
    convert::Infallible,
    future,
    io::{self, IsTerminal},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use axum::{
    BoxError,
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http,
    response::Response,
};
use axum_server::{Handle, Server, tls_rustls::RustlsAcceptor};
use citadel_connectors::Registry;
use citadel_domain::{Clock, Random};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::JoinError,
    time::timeout,
};
use tower::{Service, service_fn, util::MapRequest};

use crate::{
    admin::{Admin, socket::AdminSocket},
    app::{App, AppParts},
    config::{Config, DATA_DIR, LISTEN, METRICS_LISTEN, Problem, Setting},
    connections::{Door, Proxies},
    directory::Directory,
    jobs, logs,
    opening::{self, OpenError, Opened},
    operations,
    outbound::{self, Outbound, Rules, SystemResolver},
    router, seeding,
    tls::Tls,
    traces,
};

/// A request's head must be whole this long after its connection was accepted or last used (P45).
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// Wider than the limits of P44, so that a request just over those is answered in the contract's shape.
const MAX_HEADERS: usize = 256;
const MAX_HEAD_BYTES: usize = 64 << 10;
/// How long open requests, and then everything, may take after the signal to stop (P42).
const DRAIN: Duration = Duration::from_secs(20);
const STOP: Duration = Duration::from_secs(25);
/// The same where all data end with the server: nobody will ask what became of the open work.
const EPHEMERAL_DRAIN: Duration = Duration::from_millis(500);
const EPHEMERAL_STOP: Duration = Duration::from_secs(1);

const ALLOW_LOW_PORTS: &str =
    "use a port above 1023, or on Linux: sudo setcap cap_net_bind_service=+ep \"$(command -v citadel)\"";

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
    let traces = config.otlp_endpoint.as_deref();
    let traces = traces.map(|endpoint| traces::to(endpoint, Arc::clone(&clock), Arc::clone(&random)));
    let (tracer, traces) = traces
        .transpose()
        .map_err(|error| broken("the exporter of traces")(io::Error::other(error)))?
        .unzip();
    logs::start(&config, tracer);
    for risk in &config.risks {
        tracing::warn!(setting = risk.setting, fix = risk.fix, "risky setting: {}", risk.what);
    }
    let mut signals = Signals::listen().map_err(broken("signal handling"))?;

    // Ports first: a taken one is the commonest refusal, and nothing has been written yet.
    let api_listener = bind(&LISTEN, config.listen).await?;
    let metrics_listener = bind(&METRICS_LISTEN, config.metrics_listen).await?;
    let addresses = addresses(&config, &api_listener, &metrics_listener).map_err(broken("a listener"))?;
    let tls = config.tls.as_ref().map(|files| Tls::open(files, clock.now())).transpose()?;

    let Opened { db, keyring, applied } = opening::open(&config, &*clock, &random).await?;
    for migration in applied {
        tracing::info!(migration, "migration applied");
    }
    if !db.is_role_fenced().await? {
        let fix = "give the server a role with nosuperuser and nobypassrls";
        tracing::warn!(fix, "this Postgres role passes row-level security, the second fence between clients");
    }
    seeding::seed(&db).await?;
    if config.is_embedded() {
        // Whoever held a lease is dead: the lock on the data directory proves it. Their work goes on at once.
        db.write(async |tx| citadel_store::jobs::release_all(tx).await).await?;
    }
    let directory = Directory::load(&db).await?;

    let (stop, stopping) = watch::channel(false);
    if config.is_embedded() {
        let socket = AdminSocket::bind(config.admin_socket())
            .map_err(|error| admin_socket_problem(&config, &error))?;
        let admin = Admin {
            db: db.clone(),
            keyring: Arc::clone(&keyring),
            clock: Arc::clone(&clock),
            random: Arc::clone(&random),
            profile: config.profile,
            root_key_file: config.root_key_file.clone(),
            sandbox_now: config.sandbox.now,
        };
        tokio::spawn(socket.serve(Arc::new(admin), stopping.clone()));
    }
    let public_url = addresses.public_url.clone();
    let rules = Rules::new(vec![addresses.api, addresses.metrics], public_url.clone());
    let outbound = Outbound::new(rules, Arc::new(SystemResolver), outbound::DEADLINE)
        .map_err(|error| broken("the HTTP client")(io::Error::other(error)))?;
    let store = db.clone();
    let app = App::new(AppParts {
        db,
        keyring,
        clock,
        random,
        directory,
        connectors: Registry::seeded(&config.sandbox.seed),
        public_url,
        is_transport_strict: config.is_transport_strict(),
        outbound,
        sandbox: config.sandbox.clone(),
        rate_limit: config.rate_limit,
        replay_policy: config.replay_policy,
    });
    let running = app.clone();

    let (api, metrics) = (Handle::new(), Handle::new());
    let operations = operations::router(app.clone(), stopping.clone());
    let door = Door::new(config.proxies.clone());
    let acceptor = tls.as_ref().map(|tls| tls.acceptor(door.clone()));
    if let Some(mut tls) = tls {
        tls.warn(&addresses.public_url, app.clock.now());
        let hang_up = hang_up().map_err(broken("signal handling"))?;
        tokio::spawn(tls.keep_fresh(Arc::clone(&app.clock), hang_up, stopping.clone()));
    }
    // Spans come until the last request is answered.
    let (end_traces, ended) = watch::channel(false);
    let traces = traces.map(|traces| tokio::spawn(traces.run(ended)));
    let mut worker = tokio::spawn(jobs::work(app.clone(), stopping));
    let mut api_server = tokio::spawn(run(api_listener, router::api(app), api.clone(), door, acceptor));
    let metrics_server =
        tokio::spawn(run(metrics_listener, operations, metrics.clone(), Door::new(Proxies::default()), None));
    tracing::info!(api = %addresses.api, metrics = %addresses.metrics, public_url = addresses.public_url, "ready");
    announce(&addresses);

    // A part that ends by itself takes the whole server down: whoever watches it starts it again, while a server
    // without its worker would accept sign-ins that never finish.
    let failure = tokio::select! {
        () = signals.next() => None,
        () = stop_when => None,
        ended = &mut worker => Some(ended_early("the worker", ended.map(Ok))),
        ended = &mut api_server => Some(ended_early("the API listener", ended)),
    };

    tracing::info!("stopping");
    let _ = stop.send(true);
    running.stopping.send_replace(true);
    let (drain, stop_within) =
        if config.is_ephemeral { (EPHEMERAL_DRAIN, EPHEMERAL_STOP) } else { (DRAIN, STOP) };
    api.graceful_shutdown(Some(drain));
    let drained = async {
        // A part that ended early has been waited for; asking again would panic.
        if failure.is_none() {
            let _ = tokio::join!(worker, api_server);
        }
    };
    tokio::select! {
        finished = timeout(stop_within, drained) => if finished.is_err() {
            tracing::warn!("some work did not end in time; its leases run out and another worker takes it");
        },
        () = signals.next() => tracing::warn!("told to stop twice: not waiting for open work"),
    }
    metrics.shutdown();
    let _ = metrics_server.await;
    if let Err(error) = store.checkpoint().await {
        // The log beside the file holds the rest; the next start reads both.
        tracing::warn!(error.cause = %error, "cannot fold the log into the database file");
    }
    end_traces.send_replace(true);
    if let Some(traces) = traces {
        let _ = traces.await;
    }
    tracing::info!("stopped");
    failure.map_or(Ok(()), Err)
}

/// Takes the port, or says who to look for.
async fn bind(setting: &Setting, address: SocketAddr) -> Result<TcpListener, Problem> {
    TcpListener::bind(address).await.map_err(|error| {
        let value = address.to_string();
        let port = address.port();
        let (what, fix) = match error.kind() {
            io::ErrorKind::AddrInUse => (
                "is in use by another program".to_owned(),
                format!(
                    "find it with: ss -ltnp 'sport = :{port}'; stop it, or set {} to another port",
                    setting.env
                ),
            ),
            io::ErrorKind::PermissionDenied => {
                (format!("may not be used by this user ({error})"), ALLOW_LOW_PORTS.to_owned())
            }
            _ => (format!("cannot be used ({error})"), "use an address of this machine".to_owned()),
        };
        Problem::of(setting, Some(&value), what, fix)
    })
}

fn addresses(config: &Config, api: &TcpListener, metrics: &TcpListener) -> io::Result<Addresses> {
    let api = api.local_addr()?;
    Ok(Addresses {
        api,
        scheme: config.scheme(),
        metrics: metrics.local_addr()?,
        public_url: config.public_url_for(api),
    })
}

fn admin_socket_problem(config: &Config, error: &io::Error) -> Problem {
    let what = format!("cannot hold the admin socket ({error})");
    let fix = "use a directory on a local file system that this user can write";
    Problem::of(&DATA_DIR, Some(&config.data_dir.display().to_string()), what, fix)
}

/// One listener, until its handle says stop. With an acceptor it speaks TLS and nothing else.
async fn run<S>(
    listener: TcpListener,
    routes: S,
    handle: Handle<SocketAddr>,
    door: Door,
    tls: Option<RustlsAcceptor<Door>>,
) -> io::Result<()>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
{
    let mut server: Server<SocketAddr, _> = Server::from_listener(listener)
        .acceptor(door.clone())
        .handle(handle)
        .first_request_timeout(HEAD_DEADLINE)
        .accept_error_handler(|_, error| tracing::debug!(error.cause = %error, "a connection was not taken"))
        .http1_only();
    server
        .http_builder()
        .http1()
        .header_read_timeout(HEAD_DEADLINE)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES);
    let is_tls = tls.is_some();
    let routes = service_fn(move |connected: SocketAddr| {
        let door = door.clone();
        let introduced = move |request| door.introduce(with_any_body(request), connected, is_tls);
        future::ready(Ok::<_, Infallible>(MapRequest::new(routes.clone(), introduced)))
    });
    match tls {
        // The deadlines and limits above stay with the server.
        Some(tls) => server.acceptor(tls).serve(routes).await,
        None => server.serve(routes).await,
    }
}

/// The request as routes take it.
fn with_any_body<B>(request: http::Request<B>) -> Request
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    request.map(Body::new)
}

fn broken(part: &'static str) -> impl FnOnce(io::Error) -> ServeError {
    move |source| ServeError::Broken { part, source }
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

/// SIGHUP, by which certificates are read again. Not on a terminal: there it says that the terminal has gone away, and
/// ends the server as it ends every program.
fn hang_up() -> io::Result<Option<Signal>> {
    if io::stdin().is_terminal() {
        return Ok(None);
    }
    signal(SignalKind::hangup()).map(Some)
}

/// SIGINT and SIGTERM, listened to from the start, so that a signal during the start is not lost.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
