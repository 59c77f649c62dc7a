//! P37: what is sent to a provider is sent at most once, whatever becomes of the worker.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::http::StatusCode;
use citadel_connectors::{
    AuthInput, AuthNext, BoxFuture, Connector, ConnectorError, Cx, Descriptor, Grant, LoginForm, Want,
    sandbox::Sandbox,
};
use citadel_domain::{
    Product,
    payroll::{Change, ChangeState, PayrollData, Plan},
};
use serde_json::json;

use crate::support::TestApp;

/// When a worker dies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Dies {
    /// After the intent was written, before the provider hears of it.
    BeforeTheCall,
    /// After the provider has made the change, before that is written.
    BeforeTheRecord,
}

/// The sandbox, at which workers die; and what it counts.
struct Deadly {
    inner: Sandbox,
    dies: Dies,
    /// Calls after which the worker lives.
    patience: AtomicU32,
    /// How often the provider was asked to make a change.
    calls: Arc<AtomicU32>,
    /// Answers that the provider gives in the place of its own.
    observed: Option<ChangeState>,
}

impl Deadly {
    fn new(dies: Dies, deaths: u32) -> (Self, Arc<AtomicU32>) {
        let calls = Arc::new(AtomicU32::new(0));
        let connector = Self {
            inner: Sandbox::new(),
            dies,
            patience: AtomicU32::new(deaths),
            calls: calls.clone(),
            observed: None,
        };
        (connector, calls)
    }

    /// A panic ends the job as a killed process does: nothing after this line is written.
    fn die(&self, at: Dies) {
        let left = self.patience.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        assert!(self.dies != at || left.is_err(), "killed on purpose");
    }
}

impl Connector for Deadly {
    fn describe(&self) -> &Descriptor {
        self.inner.describe()
    }

    fn login_form(&self, provider_id: &str, product: Product) -> LoginForm {
        self.inner.login_form(provider_id, product)
    }

    fn auth<'a>(&'a self, cx: &'a Cx, input: AuthInput) -> BoxFuture<'a, AuthNext> {
        self.inner.auth(cx, input)
    }

    fn fetch<'a>(&'a self, cx: &'a Cx, grant: &'a Grant, want: Want) -> BoxFuture<'a, PayrollData> {
        self.inner.fetch(cx, grant, want)
    }

    fn plan<'a>(&'a self, cx: &'a Cx, grant: &'a Grant, change: &'a Change) -> BoxFuture<'a, Plan> {
        self.inner.plan(cx, grant, change)
    }

    fn apply<'a>(&'a self, cx: &'a Cx, grant: &'a Grant, plan: &'a Plan, key: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if self.dies == Dies::BeforeTheCall {
                self.die(Dies::BeforeTheCall);
            }
            self.calls.fetch_add(1, Ordering::SeqCst);
            self.inner.apply(cx, grant, plan, key).await?;
            if self.dies == Dies::BeforeTheRecord {
                self.die(Dies::BeforeTheRecord);
            }
            Ok(())
        })
    }

    fn observe<'a>(
        &'a self,
        cx: &'a Cx,
        grant: &'a Grant,
        plan: &'a Plan,
        key: &'a str,
    ) -> BoxFuture<'a, ChangeState> {
        match self.observed {
            Some(state) => Box::pin(std::future::ready(Ok::<_, ConnectorError>(state))),
            None => self.inner.observe(cx, grant, plan, key),
        }
    }
}

/// How many entries the sandbox's books hold: one for each submission that it got.
async fn submissions(app: &TestApp) -> i64 {
    app.app
        .db
        .read(async |tx| {
            tx.fetch_one("select cast(count(*) as bigint) from provider_books", &[], |row| row.get(0)).await
        })
        .await
        .unwrap()
}

/// A worker dies, its lease runs out, and the next one goes on; again and again.
async fn until_the_end(app: &TestApp, token: &str, task_id: &str) -> String {
    for _ in 0..6 {
        app.run_jobs().await;
        app.advance(31);
    }
    app.task(token, task_id).await["status"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p37_a_change_is_submitted_once_whenever_the_worker_dies() {
    for (dies, deaths) in [(Dies::BeforeTheCall, 1), (Dies::BeforeTheCall, 3), (Dies::BeforeTheRecord, 1)] {
        for product in ["deposit_switch", "pll"] {
            let (connector, calls) = Deadly::new(dies, deaths);
            let app = TestApp::with_connector(connector).await;
            let client = app.client("acme").await;
            let token = client.bridge_token(product).await;
            let task_id = app.confirm(&token, "goodlogin", "goodpassword").await;
            assert_eq!(until_the_end(&app, &token, &task_id).await, "done", "{dies:?} {deaths} {product}");
            assert_eq!(calls.load(Ordering::SeqCst), 1, "{dies:?} {deaths} {product}");
            assert_eq!(submissions(&app).await, 1);
            // Told as any other.
            let public_token = app.public_token(&token, &task_id).await;
            assert_eq!(client.exchange(&public_token).await.status, StatusCode::OK);
        }
    }
}

/// A provider that cannot tell is not asked twice: the task ends, and says what to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p37_an_unknown_outcome_ends_with_its_reason() {
    let (mut connector, calls) = Deadly::new(Dies::BeforeTheRecord, 1);
    connector.observed = Some(ChangeState::Unknown);
    let app = TestApp::with_connector(connector).await;
    let client = app.client("acme").await;
    let token = client.bridge_token("deposit_switch").await;
    let task_id = app.confirm(&token, "goodlogin", "goodpassword").await;
    assert_eq!(until_the_end(&app, &token, &task_id).await, "error");
    assert_eq!(calls.load(Ordering::SeqCst), 0, "it could not tell before the first call either");
    let words = client.get(&format!("/v1/tasks/{task_id}/")).await.json()["error_message"].clone();
    assert!(words.as_str().unwrap().contains("did not say whether"), "{words}");
}

/// The wrong pair is counted once, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p37_a_refused_change_is_not_sent_again() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let access_token = client.link("fas").await;
    let before = submissions(&app).await;
    let body = json!({"access_token": access_token, "settings": {"micro_deposits": [0.11, 0.12]}});
    app.advance(1);
    let task_id =
        client.post("/v1/refresh/tasks/", body).await.json()["task_id"].as_str().unwrap().to_owned();
    for _ in 0..4 {
        app.run_refresh().await;
        app.advance(60);
    }
    let task = client.get(&format!("/v1/tasks/{task_id}/")).await.json();
    assert_eq!(task["status"], "config_error");
    assert!(submissions(&app).await - before <= 1);
}
