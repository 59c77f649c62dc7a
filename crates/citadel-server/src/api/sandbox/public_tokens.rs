//! The widget without a browser: the same state machine, driven by one call.

use std::{collections::BTreeMap, time::Duration};

use axum::{Json, extract::State, http::StatusCode};
use citadel_api_types::{
    Redacted,
    error::ErrorBody,
    sandbox::{CreateSandboxPublicToken, SandboxPublicToken},
};
use citadel_connectors::{Login, Step};
use citadel_domain::{Secret, TaskId, TaskStatus};
use citadel_store::{links::Link, tasks::Task};
use tokio::time::Instant;

use super::SandboxCaller;
use crate::{
    api::widget::{public_token, sign_in, task},
    app::App,
    auth::BridgeSession,
    body::Body,
    error::{self, ApiResult},
    faults::SandboxFaults,
    idempotency::{Holds, Once},
};

/// Where people sign in when nobody says.
const PROVIDER: &str = "truv";
/// The longest that a call waits for its task. A scenario takes 100 seconds at most, and a slow provider ten more.
const PATIENCE: Duration = Duration::from_secs(150);
/// How often the store is looked at: the task may be in the hands of another process.
const LOOK: Duration = Duration::from_millis(400);

/// Sign in as a person would in the widget: to test without a browser. The answer comes when the task has ended, well or not.
/// Where an account is to be confirmed, it is. A question is answered with `mfa_code`.
#[utoipa::path(post, path = "/v1/sandbox/public-tokens/", tag = "sandbox", request_body = CreateSandboxPublicToken, responses(
    (status = 200, body = SandboxPublicToken),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "not a sandbox key, or a session that was tried too often", body = ErrorBody),
    (status = 404, description = "unknown bridge token", body = citadel_api_types::error::Detail),
    (status = 410, description = "the bridge token is older than six hours", body = ErrorBody),
))]
pub(crate) async fn create_sandbox_public_token(
    State(app): State<App>,
    SandboxCaller(caller): SandboxCaller,
    once: Once,
    SandboxFaults(faults): SandboxFaults,
    Body(body): Body<CreateSandboxPublicToken>,
) -> ApiResult<Json<SandboxPublicToken>> {
    if body.bridge_token.is_empty() {
        return Err(error::invalid("bridge_token", "This field is required."));
    }
    let token = crate::auth::find_bridge_token(&app, body.bridge_token.expose()).await?;
    // One of another client, or of another environment, is not there.
    token.filter(|token| token.tenant == caller.tenant).ok_or_else(error::not_found)?;
    let session = BridgeSession::find(&app, body.bridge_token.expose()).await?;
    let order = sign_in::CreateTask::confirmed(
        body.provider_id.clone().unwrap_or_else(|| PROVIDER.to_owned()),
        body.company_mapping_id.clone(),
        login(&body),
    );
    let (task_id, once) = match once.begun() {
        Some(task_id) => (task_id, once),
        None => {
            let begun = sign_in::begin(&app, &session, None, order, &faults, once.clone()).await;
            let task = begun.map_err(|error| error.outside("login"))?.task;
            (task.id, once.with_begun(task.id))
        }
    };
    let (task, link) = see_through(&app, &session, task_id, body.mfa_code.as_ref()).await?;
    let (public_token, new) = match task.status {
        TaskStatus::Done => Some(public_token::generate(&app, &session, &task, &link)).unzip(),
        _ => (None, None),
    };
    let answer = SandboxPublicToken {
        public_token: public_token.map(|token| Redacted::from(token.expose())),
        link_id: link.id.to_string(),
        task_id: task.id.to_string(),
        status: task.status.to_string(),
        error_message: task::error_message(&task),
    };
    // Who repeats a call that gave up goes on waiting.
    if new.is_some() || (once.has_key() && task.status.is_final()) {
        let kept = answer.clone();
        let db = app.db.scoped(caller.tenant.client_id);
        let write = db.write(async move |tx| {
            if let Some(new) = &new {
                public_token::put(tx, new).await?;
            }
            once.keep(tx, StatusCode::OK, &kept, Holds::link(link.id)).await
        });
        write.await?;
    }
    Ok(Json(answer))
}

/// What a person types: only what was sent, so that what is missing is named as in the widget.
fn login(body: &CreateSandboxPublicToken) -> Login {
    let fields = [
        ("username", body.username.as_ref().map(Redacted::expose)),
        ("password", body.password.as_ref().map(Redacted::expose)),
        ("api_key", body.api_key.as_ref().map(Redacted::expose)),
        ("organization_id", body.organization_id.as_deref()),
    ];
    let typed = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Secret::new(value?))));
    Login(typed.collect::<BTreeMap<_, _>>())
}

/// Waits for the end of a task and answers what it asks.
async fn see_through(
    app: &App,
    session: &BridgeSession,
    task_id: TaskId,
    mfa_code: Option<&Redacted>,
) -> ApiResult<(Task, Link)> {
    let until = Instant::now() + PATIENCE;
    let mut stopping = app.stopping.subscribe();
    loop {
        // Heard from before the look, so that no news falls between the two.
        let mut news = app.task_bells.listen(task_id);
        let (task, link) = task::find_task(app, session, task_id).await?;
        if task.status.is_final() || Instant::now() >= until || *stopping.borrow() {
            return Ok((task, link));
        }
        if let Some(answer) = answer(&task, mfa_code)? {
            task::answer(app, session, &task, &answer).await?;
            continue;
        }
        tokio::select! {
            () = news.rung() => {}
            () = tokio::time::sleep(LOOK) => {}
            _ = stopping.changed() => {}
        }
    }
}

/// What to answer, if something is asked. An approval on the phone comes by itself, or not.
fn answer(task: &Task, mfa_code: Option<&Redacted>) -> ApiResult<Option<Secret>> {
    let Some(json) = task.step.as_deref().filter(|_| task.status == TaskStatus::Mfa) else { return Ok(None) };
    let step: Step = serde_json::from_str(json).map_err(error::internal)?;
    let typed = || Secret::new(mfa_code.map_or("", Redacted::expose));
    Ok(match step {
        Step::Code { .. } | Step::Question { .. } => Some(typed()),
        Step::Choice { options, .. } => options.first().map(|option| Secret::new(option.id.as_str())),
        Step::Push { .. } => None,
    })
}
