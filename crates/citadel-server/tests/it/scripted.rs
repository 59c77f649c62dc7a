//! Connectors that do what the sandbox never does.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::http::{Method, StatusCode};
use citadel_connectors::{
    AuthInput, AuthNext, BoxFuture, Connector, ConnectorError, Cx, Descriptor, Grant, LoginForm, Phase, Step,
    Want,
};
use citadel_domain::{Environment, Product, Secret, payroll::PayrollData};
use jiff::SignedDuration;
use serde_json::json;

use crate::support::{PASSWORD_FORM, TestApp};

/// What the scripted connector does.
#[derive(Clone, Copy, PartialEq)]
enum Script {
    /// Asks for a code, then for patience, then refuses the password while reading.
    WaitAfterCode,
    /// Asks for patience three times, then says that it is down, and means it.
    DownWhileReading,
    /// Reads well the first time; the second time it fails after the quick part.
    FailAfterTheQuickPart,
    /// Tells an employer's name that looks, in JSON, like the place of a document's address.
    NameLikeAMark,
    /// Panics while signing in.
    PanicInJob,
    /// Panics when its form is asked for.
    PanicInHandler,
}

/// A backslash and letters, in a name.
const MARK_IN_A_NAME: &str = r"\u0001file:0123456789abcdef0123456789abcdef \\u0001file:";

struct Scripted {
    script: Script,
    descriptor: Descriptor,
    calls: Arc<AtomicU32>,
}

impl Scripted {
    fn new(script: Script) -> (Self, Arc<AtomicU32>) {
        let calls = Arc::new(AtomicU32::new(0));
        let descriptor = Descriptor {
            id: "scripted",
            products: &[Product::Income],
            environments: &[Environment::Sandbox],
        };
        (Self { script, descriptor, calls: calls.clone() }, calls)
    }

    fn answer(&self, input: &AuthInput) -> Result<AuthNext, ConnectorError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let session = Secret::new("session");
        match (self.script, input) {
            (Script::PanicInJob, _) => panic!("on purpose"),
            (Script::WaitAfterCode, AuthInput::Login(_)) => {
                let step = Step::Code { label: "Code".to_owned(), destination: None };
                Ok(AuthNext::Need { step, session })
            }
            (Script::WaitAfterCode, AuthInput::Answer { .. }) => {
                Ok(AuthNext::Wait { delay: SignedDuration::from_secs(30), session })
            }
            _ => Ok(AuthNext::Ready(Secret::new("grant"))),
        }
    }
}

impl Connector for Scripted {
    fn describe(&self) -> &Descriptor {
        &self.descriptor
    }

    fn login_form(&self, _: &str, _: Product) -> LoginForm {
        assert!(self.script != Script::PanicInHandler, "on purpose");
        PASSWORD_FORM
    }

    fn auth<'a>(&'a self, _: &'a Cx, input: AuthInput) -> BoxFuture<'a, AuthNext> {
        Box::pin(async move { self.answer(&input) })
    }

    fn fetch<'a>(&'a self, cx: &'a Cx, _: &'a Grant, want: Want) -> BoxFuture<'a, PayrollData> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        // Each run is one sign-in and two reads.
        let is_second_run = call > 3;
        let is_good = match self.script {
            Script::FailAfterTheQuickPart => !(is_second_run && want.phase == Phase::Deep),
            script => script == Script::NameLikeAMark,
        };
        if is_good {
            let today = jiff::tz::Offset::UTC.to_datetime(cx.now).date();
            let mut data = citadel_connectors::sandbox::anybody("7", Some("Harbor Foods"), today);
            if want.phase == Phase::First {
                data.employments.truncate(1);
                data.employments[0].statements.truncate(1);
            }
            if self.script == Script::NameLikeAMark {
                data.employments[0].employer.name = MARK_IN_A_NAME.to_owned();
            }
            return Box::pin(async move { Ok(data) });
        }
        let refusal = match self.script {
            Script::DownWhileReading => {
                ConnectorError::ProviderDown { retry_after: Some(SignedDuration::from_secs(10)) }
            }
            _ => ConnectorError::LoginRejected,
        };
        Box::pin(async move { Err(refusal) })
    }
}

async fn start(script: Script) -> (TestApp, Arc<AtomicU32>, String) {
    let (connector, calls) = Scripted::new(script);
    let app = TestApp::with_connector(connector).await;
    let token = app.client("acme").await.bridge_token("income").await;
    (app, calls, token)
}

/// A provider may check for a while after the code; and a refusal that has no edge in the drawing is an `error`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_after_a_code_goes_on_and_an_undrawn_refusal_is_an_error() {
    let (app, calls, token) = start(Script::WaitAfterCode).await;
    let task_id = app.sign_in(&token, "anybody", "anything").await;
    app.run_jobs().await;
    let answer = Some(json!({"answer": "1"}));
    app.widget(Method::POST, &format!("/tasks/{task_id}/answer"), &token, answer).await;
    app.run_jobs().await;
    assert_eq!(app.task(&token, &task_id).await["status"], "mfa");
    assert_eq!(calls.load(Ordering::Relaxed), 2, "the answer was given once");
    app.advance(31);
    app.run_jobs().await;
    assert_eq!(app.task(&token, &task_id).await["status"], "error");
    assert_eq!(calls.load(Ordering::Relaxed), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_down_is_tried_again_and_then_given_up() {
    let (app, _, token) = start(Script::DownWhileReading).await;
    let task_id = app.sign_in(&token, "anybody", "anything").await;
    let mut tries = 0;
    while app.task(&token, &task_id).await["status"] != "unavailable" {
        tries += app.run_jobs().await;
        app.advance(11);
        assert!(tries < 20, "never given up");
    }
    assert_eq!(tries, 5);
}

/// A job that panics again and again is buried, and its task ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p36_a_job_that_panics_is_buried_and_its_task_ends() {
    let (app, calls, token) = start(Script::PanicInJob).await;
    let task_id = app.sign_in(&token, "anybody", "anything").await;
    for _ in 0..8 {
        app.run_jobs().await;
        app.advance(31);
    }
    assert_eq!(app.task(&token, &task_id).await["status"], "error");
    assert_eq!(calls.load(Ordering::Relaxed), 5, "as often as a job is tried");
    let open = app.app.db.read(async |tx| citadel_store::jobs::count_open(tx).await).await.unwrap();
    assert_eq!(open, 0);
}

/// P47: a panic in a handler is a plain 500, and the process lives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p47_a_panic_is_a_plain_500_and_the_process_lives() {
    let (app, _, token) = start(Script::PanicInHandler).await;
    let reply = app.widget(Method::GET, "/providers/adp", &token, None).await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(reply.json(), json!({"error": {"code": "error", "message": "Something went wrong here."}}));
    assert_eq!(reply.header("x-request-id").len(), 32);
    assert_eq!(app.widget(Method::GET, "/session", &token, None).await.status, StatusCode::OK);
}

/// R9: while a link is repaired, and after a repair that failed half-way, reports hold what they held.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repair_that_fails_half_way_keeps_the_old_data() {
    let (connector, _) = Scripted::new(Script::FailAfterTheQuickPart);
    let app = TestApp::with_connector(connector).await;
    let client = app.client("acme").await;
    let access_token = client.link("income").await;
    let read = async || {
        let report =
            client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await.json();
        let statements = report["employments"][0]["statements"].as_array().unwrap().len();
        (report["status"].as_str().unwrap().to_owned(), statements)
    };
    let (status, before) = read().await;
    assert_eq!(status, "done");
    assert!(before > 1, "{before}");
    let body = json!({"product_type": "income", "access_token": access_token});
    let token =
        client.post("/v1/bridge-tokens/", body).await.json()["bridge_token"].as_str().unwrap().to_owned();
    app.sign_in(&token, "anybody", "anything").await;
    app.run_jobs().await;
    assert_eq!(read().await, ("error".to_owned(), before));
}

/// Text of a provider is never taken for the place of an address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_like_a_mark_is_told_as_it_is() {
    let (connector, _) = Scripted::new(Script::NameLikeAMark);
    let app = TestApp::with_connector(connector).await;
    let client = app.client("acme").await;
    let access_token = client.link("income").await;
    let reply = client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await;
    let report = reply.json();
    assert_eq!(report["employments"][0]["company"]["name"], MARK_IN_A_NAME);
    let file = report["employments"][0]["statements"][0]["file"].as_str().unwrap();
    assert!(file.starts_with("http://citadel.test/files/"), "{file}");
}
