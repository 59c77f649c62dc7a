//! A real router on a fresh database, with a clock and randomness that the test holds.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
    response::Response,
};
use citadel_connectors::{Connector, LoginField, LoginForm, LoginWay, Registry};
use citadel_domain::{
    AccessKeyId, ClientId, Clock, DeletionId, Environment, ManualClock, SeededRandom, tokens,
};
use citadel_server::{
    app::{App, AppParts, SandboxSettings},
    config::ReplayPolicy,
    directory::Directory,
    jobs,
    outbound::{self, Outbound, Rules, SystemResolver},
    purposes,
    router::{self, Api},
    seeding,
    system::SystemRandom,
};
use citadel_store::{
    Db, DbConfig, Keyring, Place, Tenant, access_keys, access_keys::NewAccessKey, clients,
    clients::NewClient, deletions::Stamp,
};
use http_body_util::BodyExt;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::compatibility::Sent;

/// What a connector of a test asks for: a user name and a password.
pub(crate) const PASSWORD_FORM: LoginForm = LoginForm {
    organization: None,
    ways: &[LoginWay {
        label: "Username and password",
        fields: &[login_field("username", "Username", false), login_field("password", "Password", true)],
    }],
};

const fn login_field(name: &'static str, label: &'static str, is_secret: bool) -> LoginField {
    LoginField { name, label, is_secret, autocomplete: "off" }
}

pub(crate) const ROOT_KEY: [u8; 32] = [7; 32];

/// The suite's present: a Wednesday in the year that the product was made.
pub(crate) const NOW: &str = "2026-11-18T15:00:00Z";

/// Runs a test on SQLite, and on Postgres where one is given.
pub(crate) async fn for_each_db(test: impl AsyncFn(TestApp)) {
    test(TestApp::on_sqlite().await).await;
    match TestApp::on_postgres().await {
        Some(app) => test(app).await,
        None => assert!(
            std::env::var("CITADEL_TEST_REQUIRE_POSTGRES").is_err(),
            "Postgres is required: set CITADEL_TEST_DATABASE_URL, or run the tests through scripts/with-postgres.sh"
        ),
    }
}

pub(crate) struct TestApp {
    pub(crate) app: App,
    pub(crate) router: Api,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) db_config: DbConfig,
    _directory: Option<TempDir>,
    sent: Sent,
}

/// What most tests leave as it is. Calls are not counted unless a test asks for that.
#[derive(Default)]
struct Settings {
    sandbox: SandboxSettings,
    rate_limit: u32,
    replay_policy: ReplayPolicy,
    has_no_call_bodies: bool,
    /// Before a restart.
    sent: Option<Sent>,
}

pub(crate) struct TempDir(PathBuf);

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Distinct in one run of the suite, however many processes it has.
fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn sqlite() -> (DbConfig, TempDir) {
    let directory = TempDir(std::env::temp_dir().join(format!("citadel-test-{}", unique())));
    std::fs::create_dir(&directory.0).unwrap();
    (DbConfig::Sqlite { path: directory.0.join("citadel.db") }, directory)
}

async fn postgres() -> Option<DbConfig> {
    Some(DbConfig::Postgres { url: postgres_url().await?.into(), pool_size: 8 })
}

/// A fresh database, where a server is given.
pub(crate) async fn postgres_url() -> Option<String> {
    let url = std::env::var("CITADEL_TEST_DATABASE_URL").ok()?;
    let name = format!("citadel_server_{}", unique());
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("create database {name}")).await.unwrap();
    let (base, _) = url.rsplit_once('/').unwrap();
    Some(format!("{base}/{name}"))
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(NOW.parse().unwrap()))
}

/// The rules of a server that only its own machine reaches.
pub(crate) fn rules() -> Rules {
    let listeners = ["127.0.0.1:8700", "127.0.0.1:8702"].map(|address| address.parse().unwrap());
    Rules::new(listeners.to_vec(), "http://127.0.0.1:8700".to_owned())
}

fn outbound() -> Outbound {
    Outbound::new(rules(), Arc::new(SystemResolver), outbound::DEADLINE).unwrap()
}

impl TestApp {
    pub(crate) async fn on_sqlite() -> Self {
        let (config, directory) = sqlite();
        Self::open(config, Some(directory)).await
    }

    pub(crate) async fn on_postgres() -> Option<Self> {
        Some(Self::open(postgres().await?, None).await)
    }

    pub(crate) async fn open(db_config: DbConfig, directory: Option<TempDir>) -> Self {
        Self::open_with(db_config, directory, Registry::default(), clock(), outbound()).await
    }

    /// On SQLite, with another way to clients' endpoints.
    pub(crate) async fn with_outbound(outbound: Outbound) -> Self {
        let (config, directory) = sqlite();
        Self::open_with(config, Some(directory), Registry::default(), clock(), outbound).await
    }

    /// As after a restart: the same database and time, and nothing else.
    pub(crate) async fn reopen(self) -> Self {
        let Self { app, router, clock, db_config, _directory: directory, sent } = self;
        drop((app, router));
        let settings = Settings { sent: Some(sent), ..Settings::default() };
        Self::grown(db_config, directory, Registry::default(), clock, outbound(), settings).await
    }

    /// On SQLite, with a connector of the test's own in the sandbox's place.
    pub(crate) async fn with_connector(connector: impl Connector + 'static) -> Self {
        let (config, directory) = sqlite();
        Self::open_with(config, Some(directory), Registry::new(Arc::new(connector)), clock(), outbound())
            .await
    }

    /// The same, and on Postgres where one is given.
    pub(crate) async fn each_with_connector<C: Connector + 'static>(connector: impl Fn() -> C) -> Vec<Self> {
        let (config, directory) = sqlite();
        let mut configs = vec![(config, Some(directory))];
        configs.extend(postgres().await.map(|config| (config, None)));
        let mut apps = Vec::new();
        for (config, directory) in configs {
            let connectors = Registry::new(Arc::new(connector()));
            apps.push(Self::open_with(config, directory, connectors, clock(), outbound()).await);
        }
        apps
    }

    /// On SQLite, and on Postgres where one is given, with a sandbox that grows from this.
    pub(crate) async fn seeded(sandbox: &SandboxSettings) -> Vec<Self> {
        let (config, directory) = sqlite();
        let mut configs = vec![(config, Some(directory))];
        configs.extend(postgres().await.map(|config| (config, None)));
        let mut apps = Vec::new();
        for (config, directory) in configs {
            let connectors = Registry::seeded(&sandbox.seed);
            let settings = Settings { sandbox: sandbox.clone(), ..Settings::default() };
            let app = Self::grown(config, directory, connectors, clock(), outbound(), settings).await;
            apps.push(app);
        }
        apps
    }

    /// On SQLite, and on Postgres where one is given, with so many calls a minute for each access key.
    pub(crate) async fn each_limited(per_minute: u32) -> Vec<Self> {
        let (config, directory) = sqlite();
        let mut configs = vec![(config, Some(directory))];
        configs.extend(postgres().await.map(|config| (config, None)));
        let mut apps = Vec::new();
        for (config, directory) in configs {
            let settings = Settings { rate_limit: per_minute, ..Settings::default() };
            let app =
                Self::grown(config, directory, Registry::default(), clock(), outbound(), settings).await;
            apps.push(app);
        }
        apps
    }

    /// On SQLite, and on Postgres where one is given, with what a second exchange does.
    pub(crate) async fn each_with_replay_policy(replay_policy: ReplayPolicy) -> Vec<Self> {
        let (config, directory) = sqlite();
        let mut configs = vec![(config, Some(directory))];
        configs.extend(postgres().await.map(|config| (config, None)));
        let mut apps = Vec::new();
        for (config, directory) in configs {
            let settings = Settings { replay_policy, ..Settings::default() };
            let app =
                Self::grown(config, directory, Registry::default(), clock(), outbound(), settings).await;
            apps.push(app);
        }
        apps
    }

    /// On SQLite, with a record of calls that has no bodies.
    pub(crate) async fn without_call_bodies() -> Self {
        let (config, directory) = sqlite();
        let settings = Settings { has_no_call_bodies: true, ..Settings::default() };
        Self::grown(config, Some(directory), Registry::default(), clock(), outbound(), settings).await
    }

    async fn open_with(
        db_config: DbConfig,
        directory: Option<TempDir>,
        connectors: Registry,
        clock: Arc<ManualClock>,
        outbound: Outbound,
    ) -> Self {
        Self::grown(db_config, directory, connectors, clock, outbound, Settings::default()).await
    }

    async fn grown(
        db_config: DbConfig,
        directory: Option<TempDir>,
        connectors: Registry,
        clock: Arc<ManualClock>,
        outbound: Outbound,
        settings: Settings,
    ) -> Self {
        let db = Db::open(&db_config).unwrap();
        db.migrate(clock.now()).await.unwrap();
        seeding::seed(&db).await.unwrap();
        let app = App::new(AppParts {
            directory: Directory::load(&db).await.unwrap(),
            db,
            keyring: Arc::new(Keyring::open(&ROOT_KEY, Arc::new(SystemRandom)).unwrap()),
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(1)),
            connectors,
            public_url: "http://citadel.test".to_owned(),
            dashboard_url: "http://dashboard.test".to_owned(),
            makes_prod_keys: true,
            is_transport_strict: false,
            outbound,
            sandbox: settings.sandbox,
            rate_limit: settings.rate_limit,
            replay_policy: settings.replay_policy,
            keeps_call_bodies: !settings.has_no_call_bodies,
        });
        let router = router::api(app.clone());
        Self { router, app, clock, db_config, _directory: directory, sent: settings.sent.unwrap_or_default() }
    }

    /// One more node on the same Postgres, with chance of its own.
    pub(crate) async fn node(&self, clock: Arc<dyn Clock>, rate_limit: u32) -> Self {
        self.node_at(self.db_config.clone(), clock, rate_limit).await
    }

    /// The same, by another way to the Postgres.
    pub(crate) async fn node_at(&self, db_config: DbConfig, clock: Arc<dyn Clock>, rate_limit: u32) -> Self {
        let db = Db::open(&db_config).unwrap();
        let app = App::new(AppParts {
            directory: Directory::load(&db).await.unwrap(),
            db,
            keyring: Arc::new(Keyring::open(&ROOT_KEY, Arc::new(SystemRandom)).unwrap()),
            clock,
            random: Arc::new(SystemRandom),
            connectors: Registry::default(),
            public_url: "http://citadel.test".to_owned(),
            dashboard_url: "http://dashboard.test".to_owned(),
            makes_prod_keys: true,
            is_transport_strict: false,
            outbound: outbound(),
            sandbox: SandboxSettings::default(),
            rate_limit,
            replay_policy: ReplayPolicy::default(),
            keeps_call_bodies: true,
        });
        let (router, clock) = (router::api(app.clone()), self.clock.clone());
        Self { router, app, clock, db_config, _directory: None, sent: Sent::default() }
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// The name and the time of a deletion.
    pub(crate) fn stamp(&self) -> Stamp {
        let at = self.clock.now();
        Stamp { id: DeletionId::generate(at, &SystemRandom), at }
    }

    /// Runs what is due, and goes on in time until a refresh has had its two seconds at the provider.
    pub(crate) async fn run_refresh(&self) {
        for _ in 0..4 {
            self.run_jobs().await;
            self.advance(1);
        }
    }

    /// Runs every job that is due now.
    pub(crate) async fn run_jobs(&self) -> usize {
        jobs::run_due(&self.app).await.unwrap()
    }

    /// Removes and ends what has lived its time.
    pub(crate) async fn sweep(&self) {
        jobs::sweep(&self.app).await;
    }

    pub(crate) async fn client(&self, name: &str) -> TestClient<'_> {
        self.client_in(name, Environment::Sandbox).await
    }

    pub(crate) async fn client_in(&self, name: &str, environment: Environment) -> TestClient<'_> {
        let now = self.clock.now();
        let id = ClientId::generate(now, &SystemRandom);
        let client = NewClient { id, name: name.to_owned(), allowed_origins: vec![], created_at: now };
        self.app.db.write(async move |tx| clients::create(tx, &client).await).await.unwrap();
        let (key_id, secret) = self.key(id, environment).await;
        TestClient { app: self, id, key_id, secret }
    }

    /// One more key for a client.
    pub(crate) async fn key(&self, client_id: ClientId, environment: Environment) -> (AccessKeyId, String) {
        let now = self.clock.now();
        let secret = tokens::generate_access_secret(environment, &SystemRandom);
        let id = AccessKeyId::generate(now, &SystemRandom);
        let place =
            Place::new(Tenant { client_id, environment }, "access_keys", "secret_sealed", *id.as_bytes());
        let new = NewAccessKey {
            id,
            client_id,
            environment,
            name: String::new(),
            is_masked: false,
            secret_hash: self.app.keyring.keyed_hash(purposes::ACCESS_KEY, secret.expose()),
            secret_sealed: self.app.keyring.seal(&place, secret.expose().as_bytes()).unwrap(),
            created_at: now,
        };
        assert!(self.app.db.write(async move |tx| access_keys::create(tx, &new).await).await.unwrap());
        (id, secret.expose().to_owned())
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let (head, body) = self.begin(request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Reply { status: head.status, headers: head.headers, body }
    }

    /// The answer with a body that is not read yet.
    pub(crate) async fn begin(&self, request: Request<Body>) -> Response {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        self.sent.note(&method, &path, response.status());
        response
    }

    /// A call without any credentials.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// A call of the widget.
    pub(crate) async fn widget(
        &self,
        method: Method,
        path: &str,
        bridge_token: &str,
        body: Option<Value>,
    ) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri(format!("/bridge/api{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {bridge_token}"));
        let request = match body {
            Some(json) => {
                request.header(header::CONTENT_TYPE, "application/json").body(json.to_string().into())
            }
            None => request.body(Body::empty()),
        };
        self.send(request.unwrap()).await
    }

    /// What the widget does from sign-in on: a task, by its id.
    pub(crate) async fn sign_in(&self, bridge_token: &str, username: &str, password: &str) -> String {
        let login = json!({"username": username, "password": password});
        self.create_task(bridge_token, json!({"provider_id": "adp", "login": login, "consented": true})).await
    }

    /// As [`TestApp::sign_in`], for the products that change something: the account is confirmed as the token has it.
    pub(crate) async fn confirm(&self, bridge_token: &str, username: &str, password: &str) -> String {
        let login = json!({"username": username, "password": password});
        let body = json!({"provider_id": "adp", "login": login, "consented": true, "confirmed": true});
        self.create_task(bridge_token, body).await
    }

    /// What the widget sends at the end of its form: a task, by its id.
    pub(crate) async fn create_task(&self, bridge_token: &str, body: Value) -> String {
        // People take time between two tries; "the newest task" has a meaning.
        self.advance(1);
        let reply = self.widget(Method::POST, "/tasks", bridge_token, Some(body)).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        reply.json()["task_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn task(&self, bridge_token: &str, task_id: &str) -> Value {
        let reply = self.widget(Method::GET, &format!("/tasks/{task_id}"), bridge_token, None).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        reply.json()
    }

    /// The public token of a task that is done.
    pub(crate) async fn public_token(&self, bridge_token: &str, task_id: &str) -> String {
        let reply =
            self.widget(Method::POST, &format!("/tasks/{task_id}/public-token"), bridge_token, None).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        reply.json()["public_token"].as_str().unwrap().to_owned()
    }
}

/// A client's back end.
pub(crate) struct TestClient<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) id: ClientId,
    pub(crate) key_id: AccessKeyId,
    pub(crate) secret: String,
}

impl TestClient<'_> {
    pub(crate) fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header("X-Access-Client-Id", self.id.to_string())
            .header("X-Access-Secret", &self.secret)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.app.send(self.request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.post_text(path, "application/json;charset=UTF-8", body.to_string()).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Reply {
        let request = self.request(Method::PATCH, path).header(header::CONTENT_TYPE, "application/json");
        self.app.send(request.body(body.to_string().into()).unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.app.send(self.request(Method::DELETE, path).body(Body::empty()).unwrap()).await
    }

    /// An endpoint at this address: its id and its secret.
    pub(crate) async fn webhook(&self, url: &str) -> (String, String) {
        self.webhook_for(url, &[]).await
    }

    /// The same for some types of events.
    pub(crate) async fn webhook_for(&self, url: &str, events: &[&str]) -> (String, String) {
        let body = json!({"name": "Main", "webhook_url": url, "env_type": "sandbox", "events": events});
        let reply = self.post("/v1/webhooks/", body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        let text = |key: &str| reply.json()[key].as_str().unwrap().to_owned();
        (text("id"), text("secret"))
    }

    /// Every event, oldest first.
    pub(crate) async fn events(&self) -> Vec<Value> {
        let mut found = Vec::new();
        loop {
            let after = found.last().map_or(0, |event: &Value| event["sequence"].as_i64().unwrap());
            let page = self.get(&format!("/v1/events/?after={after}")).await.json();
            found.extend(page["results"].as_array().unwrap().iter().cloned());
            if page["next"].is_null() {
                return found;
            }
        }
    }

    /// Every attempt to deliver, newest first, of at most a hundred.
    pub(crate) async fn attempts(&self) -> Vec<Value> {
        let reply = self.get("/v1/webhook-requests/").await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        reply.json()["results"].as_array().unwrap().clone()
    }

    pub(crate) async fn post_text(&self, path: &str, content_type: &str, body: impl Into<Body>) -> Reply {
        let request = self.request(Method::POST, path).header(header::CONTENT_TYPE, content_type);
        self.app.send(request.body(body.into()).unwrap()).await
    }

    /// A bridge token for a product, as the quickstart asks for it.
    pub(crate) async fn bridge_token(&self, product: &str) -> String {
        let mut body =
            json!({"product_type": product, "client_name": "Citadel Quickstart", "tracking_info": "1337"});
        if matches!(product, "deposit_switch" | "pll" | "fas") {
            body["account"] = account(product);
        }
        self.bridge_token_of(body).await
    }

    /// A bridge token for a request.
    pub(crate) async fn bridge_token_of(&self, body: Value) -> String {
        let reply = self.post("/v1/bridge-tokens/", body).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        reply.json()["bridge_token"].as_str().unwrap().to_owned()
    }

    /// A person, by the user's id.
    pub(crate) async fn user(&self, external_user_id: &str) -> String {
        let body = json!({"external_user_id": external_user_id, "first_name": "John", "last_name": "Doe"});
        let reply = self.post("/v1/users/", body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        reply.json()["id"].as_str().unwrap().to_owned()
    }

    /// A link of a person with the sandbox login: its id and its access token.
    pub(crate) async fn link_of(&self, user_id: &str, product: &str) -> (String, String) {
        let mut body = json!({"product_type": product, "tracking_info": "1337"});
        if matches!(product, "deposit_switch" | "pll" | "fas") {
            body["account"] = account(product);
        }
        let reply = self.post(&format!("/v1/users/{user_id}/tokens/"), body).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        let bridge_token = reply.json()["bridge_token"].as_str().unwrap().to_owned();
        // Two changes of one person's account would get in each other's way.
        let username = if product == "pll" { "goodlogin.weekly" } else { "goodlogin" };
        let task_id = self.app.confirm(&bridge_token, username, "goodpassword").await;
        self.app.run_jobs().await;
        let reply = self.exchange(&self.app.public_token(&bridge_token, &task_id).await).await;
        let text = |key: &str| reply.json()[key].as_str().unwrap().to_owned();
        (text("link_id"), text("access_token"))
    }

    /// From bridge token to public token, with the sandbox login.
    pub(crate) async fn connect(&self, product: &str) -> String {
        self.connect_as(product, "goodlogin", "goodpassword").await
    }

    pub(crate) async fn connect_as(&self, product: &str, username: &str, password: &str) -> String {
        let bridge_token = self.bridge_token(product).await;
        let task_id = match product {
            "deposit_switch" | "pll" | "fas" => self.app.confirm(&bridge_token, username, password).await,
            _ => self.app.sign_in(&bridge_token, username, password).await,
        };
        self.app.run_jobs().await;
        self.app.public_token(&bridge_token, &task_id).await
    }

    pub(crate) async fn exchange(&self, public_token: &str) -> Reply {
        self.post("/v1/link-access-tokens/", json!({"public_token": public_token})).await
    }

    /// From bridge token to access token.
    pub(crate) async fn link(&self, product: &str) -> String {
        self.link_as(product, "goodlogin", "goodpassword").await
    }

    pub(crate) async fn link_as(&self, product: &str, username: &str, password: &str) -> String {
        let public_token = self.connect_as(product, username, password).await;
        let reply = self.exchange(&public_token).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }
}

/// The account that the quickstarts send, with the share of the one that sends `pll`.
pub(crate) fn account(product: &str) -> Value {
    let mut account = json!({
        "account_number": "16002600", "account_type": "checking",
        "routing_number": "123456789", "bank_name": "TD Bank",
    });
    if product == "pll" {
        account["deposit_type"] = json!("amount");
        account["deposit_value"] = json!("1");
    }
    account
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|problem| panic!("{problem}: {self:?}"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of an error in the contract's shape.
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_else(|| panic!("no error code: {self:?}")).to_owned()
    }

    /// The fields that a 400 names.
    pub(crate) fn invalid_fields(&self) -> Vec<String> {
        let json = self.json();
        let params = json["error"]["extra"]["invalid-params"].as_array().cloned().unwrap_or_default();
        params.iter().map(|param| param["field"].as_str().unwrap().to_owned()).collect()
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}
