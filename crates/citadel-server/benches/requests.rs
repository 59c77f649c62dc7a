//! Single requests through the real router, without a socket, and the report that they carry: time and allocations.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use axum::{
    body::{Body, Bytes},
    http::{Method, Request, StatusCode, header},
};
use citadel_api_types::reports::IncomeReport;
use citadel_connectors::Registry;
use citadel_domain::{Clock, Random};
use citadel_server::{
    admin::{Admin, Answer, Request as Order},
    app::{App, AppParts, SandboxSettings},
    config::{Profile, ReplayPolicy},
    directory::Directory,
    jobs,
    outbound::{self, Outbound, Rules, SystemResolver},
    router::{self, Api},
    seeding,
    system::{SystemClock, SystemRandom},
};
use citadel_store::{Db, DbConfig, Keyring, root_keys};
use divan::{AllocProfiler, Bencher, counter::BytesCount};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// A person of the sandbox with 24 monthly statements.
const USER: &str = "goodlogin.monthly";
const INCOMES: &str = "/v1/verifications/incomes/";

fn main() {
    divan::main();
    if let Some(bench) = BENCH.get() {
        let _ = std::fs::remove_dir_all(&bench.folder);
    }
}

/// A server on SQLite in which one person was verified.
struct Bench {
    runtime: Runtime,
    router: Api,
    folder: PathBuf,
    keys: [String; 2],
    access_token: String,
    refresh: String,
}

static BENCH: OnceLock<Bench> = OnceLock::new();

fn bench() -> &'static Bench {
    BENCH.get_or_init(|| {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let folder = std::env::temp_dir().join(format!("citadel-requests-{}", std::process::id()));
        std::fs::create_dir(&folder).expect("a folder");
        let (app, keys) = runtime.block_on(open(&folder));
        let mut bench = Bench {
            runtime,
            router: router::api(app.clone()),
            folder,
            keys,
            access_token: String::new(),
            refresh: String::new(),
        };
        bench.verify(&app);
        bench
    })
}

async fn open(folder: &std::path::Path) -> (App, [String; 2]) {
    let db = Db::open(&DbConfig::Sqlite { path: folder.join("citadel.db") }).expect("a database");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    db.migrate(clock.now()).await.expect("tables");
    seeding::seed(&db).await.expect("the directory");
    let keyring = Arc::new(Keyring::open(&[7; 32], Arc::clone(&random)).expect("keys"));
    let (kept, now) = (Arc::clone(&keyring), clock.now());
    db.write(async move |tx| root_keys::keep(tx, &kept, now).await).await.expect("the root key's check");
    let admin = Admin {
        db: db.clone(),
        keyring: Arc::clone(&keyring),
        clock: Arc::clone(&clock),
        random: Arc::clone(&random),
        profile: Profile::Development,
        root_key_file: folder.join("root.key"),
        sandbox_now: None,
    };
    let made = admin.perform(Order::CreateClient { name: "bench".to_owned(), origins: vec![] }).await;
    let Ok(Answer::ClientCreated { client_id, secret }) = made else { panic!("no client was made") };
    let rules = Rules::new(vec![], "http://127.0.0.1".to_owned());
    let app = App::new(AppParts {
        directory: Directory::load(&db).await.expect("the directory"),
        db,
        keyring,
        clock,
        random,
        connectors: Registry::default(),
        public_url: "http://127.0.0.1:8700".to_owned(),
        dashboard_url: "http://localhost:8701".to_owned(),
        makes_prod_keys: false,
        is_transport_strict: false,
        outbound: Outbound::new(rules, Arc::new(SystemResolver), outbound::DEADLINE).expect("a client"),
        sandbox: SandboxSettings::default(),
        rate_limit: 0,
        replay_policy: ReplayPolicy::default(),
        keeps_call_bodies: true,
    });
    (app, [client_id.to_string(), secret.expose().to_owned()])
}

impl Bench {
    /// One person's way from the bridge token to the access token, and a refresh.
    fn verify(&mut self, app: &App) {
        let token =
            self.json("/v1/bridge-tokens/", None, &json!({"product_type": "income", "client_name": "bench"}));
        let bearer = token["bridge_token"].as_str().map(str::to_owned);
        let login = json!({"provider_id": "adp", "login": {"username": USER, "password": "goodpassword"}});
        let task = self.json("/bridge/api/tasks", bearer.as_deref(), &login);
        self.runtime.block_on(jobs::run_due(app)).expect("the task ran");
        let path = format!("/bridge/api/tasks/{}/public-token", task["task_id"].as_str().expect("a task"));
        let public = self.json(&path, bearer.as_deref(), &json!({}));
        let link =
            self.json("/v1/link-access-tokens/", None, &json!({"public_token": public["public_token"]}));
        link["access_token"].as_str().expect("an access token").clone_into(&mut self.access_token);
        let refresh = self.json("/v1/refresh/tasks/", None, &json!({"access_token": self.access_token}));
        self.refresh = format!("/v1/refresh/tasks/{}/", refresh["task_id"].as_str().expect("a refresh"));
    }

    fn json(&self, path: &str, bearer: Option<&str>, body: &Value) -> Value {
        serde_json::from_slice(&self.send(self.request(Method::POST, path, bearer, body.to_string())))
            .expect("JSON")
    }

    fn request(&self, method: Method, path: &str, bearer: Option<&str>, body: String) -> Request<Body> {
        let request =
            Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
        let request = match bearer {
            Some(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            None => {
                let [client_id, secret] = &self.keys;
                request.header("X-Access-Client-Id", client_id).header("X-Access-Secret", secret)
            }
        };
        request.body(Body::from(body)).expect("a request")
    }

    fn send(&self, request: Request<Body>) -> Bytes {
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.expect("an answer");
            let status = response.status();
            assert!(matches!(status, StatusCode::OK | StatusCode::CREATED), "{status}");
            response.into_body().collect().await.expect("a body").to_bytes()
        })
    }

    fn incomes(&self) -> Request<Body> {
        self.request(Method::POST, INCOMES, None, json!({"access_token": self.access_token}).to_string())
    }
}

/// Head, body, access key, one read of the store, and an answer of 200 bytes.
#[divan::bench]
fn small_read(bencher: Bencher) {
    let bench = bench();
    bencher
        .with_inputs(|| bench.request(Method::GET, &bench.refresh, None, String::new()))
        .bench_local_values(|request| bench.send(request));
}

/// The same with a report of 24 statements: opened, lengthened, and filled with the addresses of its documents.
#[divan::bench]
fn incomes(bencher: Bencher) {
    let bench = bench();
    let bytes = BytesCount::new(bench.send(bench.incomes()).len());
    bencher.counter(bytes).with_inputs(|| bench.incomes()).bench_local_values(|request| bench.send(request));
}

/// Nothing but the layers around a route.
#[divan::bench]
fn unknown_route(bencher: Bencher) {
    let bench = bench();
    bencher
        .with_inputs(|| bench.request(Method::GET, "/v1/nothing/", None, String::new()))
        .bench_local_values(|request| bench.runtime.block_on(bench.router.clone().oneshot(request)));
}

/// The report of that person with so many statements.
fn report(statements: usize) -> (IncomeReport, Vec<u8>) {
    let bench = bench();
    let mut report: IncomeReport = serde_json::from_slice(&bench.send(bench.incomes())).expect("a report");
    report.employments.iter_mut().for_each(|job| job.statements.truncate(statements));
    let json = serde_json::to_vec(&report).expect("JSON");
    (report, json)
}

#[divan::bench(args = [1, 6, 24])]
fn serialise(bencher: Bencher, statements: usize) {
    let (report, json) = report(statements);
    bencher.counter(BytesCount::new(json.len())).bench_local(|| serde_json::to_vec(&report));
}

#[divan::bench(args = [1, 6, 24])]
fn parse(bencher: Bencher, statements: usize) {
    let (_, json) = report(statements);
    bencher
        .counter(BytesCount::new(json.len()))
        .bench_local(|| serde_json::from_slice::<IncomeReport>(&json));
}
