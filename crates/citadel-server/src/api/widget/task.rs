//! How a task goes, as the widget sees it, and what the consumer answers on the way.

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use citadel_api_types::Redacted;
use citadel_connectors::Step;
use citadel_domain::{Secret, TaskId, TaskStatus};
use citadel_store::{
    jobs,
    links::{self, Link},
    logins,
    tasks::{self, Task},
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::MAX_FIELD;
use crate::{
    api::{Params, PathId},
    app::App,
    auth::BridgeSession,
    body::Body,
    error::{self, ApiResult},
    jobs::{job_of, safe::Safe},
    moment::Moment,
    reports,
};

/// What the widget knows of a task.
#[derive(Serialize)]
pub(crate) struct TaskView {
    task_id: String,
    status: &'static str,
    provider_id: String,
    employer: EmployerName,
    step: Option<StepView>,
    error: Option<LinkError>,
    /// The path of the person's own page. In the answer to the sign-in alone: only a hash of it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    your_data_path: Option<Redacted>,
}

impl TaskView {
    pub(super) fn with_page(self, token: &Secret) -> Self {
        Self { your_data_path: Some(Redacted::from(format!("/your-data/{}", token.expose()))), ..self }
    }
}

#[derive(Serialize)]
pub(super) struct EmployerName {
    name: String,
}

#[derive(Serialize)]
struct StepView {
    #[serde(flatten)]
    step: Step,
    expires_at: String,
}

#[derive(Serialize)]
struct LinkError {
    error_type: &'static str,
    error_code: &'static str,
    error_message: String,
}

/// How long a request waits for news of its task.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often the store is looked at meanwhile: the task may be in the hands of another process.
const LOOK: Duration = Duration::from_millis(400);

#[derive(Deserialize)]
pub(crate) struct Seen {
    /// The status that the widget knows of: the answer may wait for another one.
    seen: Option<String>,
}

/// Where a task of this session stands. With `seen` the answer waits up to five seconds until that is no longer so, but not
/// while the consumer is asked something.
pub(crate) async fn get_task(
    State(app): State<App>,
    session: BridgeSession,
    PathId(task_id): PathId<TaskId>,
    Params(Seen { seen }): Params<Seen>,
) -> ApiResult<Json<TaskView>> {
    let until = Instant::now() + PATIENCE;
    let mut stopping = app.stopping.subscribe();
    loop {
        // Heard from before the look, so that no news falls between the two.
        let mut news = app.task_bells.listen(task_id);
        let (task, link) = find_task(&app, &session, task_id).await?;
        let is_new = seen.as_deref() != Some(task.status.as_str());
        let is_last = is_new || task.status.is_final() || task.step.is_some();
        if is_last || Instant::now() >= until || *stopping.borrow() {
            return Ok(Json(view(&app, &task, &link)?));
        }
        tokio::select! {
            () = news.rung() => {}
            () = tokio::time::sleep(LOOK) => {}
            _ = stopping.changed() => {}
        }
    }
}

pub(crate) async fn find_task(
    app: &App,
    session: &BridgeSession,
    task_id: TaskId,
) -> ApiResult<(Task, Link)> {
    let (tenant, token_id) = (session.token.tenant, session.token.id);
    let found = app
        .db
        .scoped(tenant.client_id)
        .read(async move |tx| {
            let Some(task) = tasks::find_for_bridge_token(tx, tenant, token_id, task_id).await? else {
                return Ok(None);
            };
            let link = links::find(tx, tenant, task.link_id).await?;
            Ok::<_, citadel_store::Error>(link.map(|link| (task, link)))
        })
        .await?;
    found.ok_or_else(error::not_found)
}

/// The consumer's answer to a question. Class S1.
#[derive(Deserialize)]
pub(crate) struct Answer {
    answer: Secret,
}

/// Answer the provider's question. A second answer, or one that comes too late, changes nothing.
pub(crate) async fn answer_step(
    State(app): State<App>,
    session: BridgeSession,
    PathId(task_id): PathId<TaskId>,
    Body(body): Body<Answer>,
) -> ApiResult<(StatusCode, Json<TaskView>)> {
    let answer = body.answer.expose().trim();
    if answer.is_empty() || answer.len() > MAX_FIELD {
        return Err(error::invalid("answer", format!("Send 1 to {MAX_FIELD} bytes.")));
    }
    let (task, _) = find_task(&app, &session, task_id).await?;
    self::answer(&app, &session, &task, &Secret::new(answer)).await?;
    let (task, link) = find_task(&app, &session, task_id).await?;
    Ok((StatusCode::ACCEPTED, Json(view(&app, &task, &link)?)))
}

/// The same for whoever is behind a session.
pub(crate) async fn answer(
    app: &App,
    session: &BridgeSession,
    task: &Task,
    answer: &Secret,
) -> ApiResult<()> {
    let Moment { now, live, .. } = session.moment;
    let (task, answer) = (task.clone(), answer.clone());
    let writer = app.clone();
    app.db
        .scoped(task.tenant.client_id)
        .write(async move |tx| {
            let login = logins::find(tx, task.tenant, task.id, live).await?;
            // The job's row before the task's, as everywhere.
            jobs::wake(tx, job_of(task.id), live).await?;
            let awaited = tasks::take_step(tx, &task, live, now).await?;
            let Some(login) = login.filter(|_| awaited) else {
                return Err(error::conflict("No answer is awaited."));
            };
            let sealed = Safe::open(&writer, &task, &login)?.seal("answer_sealed", &answer)?;
            logins::set_answer(tx, task.tenant, task.id, &sealed).await?;
            Ok(())
        })
        .await?;
    app.job_bell.notify_one();
    Ok(())
}

/// The employer, or the provider where there is none: native hosts fail on a missing name.
pub(super) fn employer_name(app: &App, link: &Link) -> EmployerName {
    let company =
        link.company_mapping_id.and_then(|id| app.directory.find_company(id)).map(|found| &found.name);
    let name = company.or_else(|| app.directory.provider(&link.provider_id).map(|found| &found.name));
    EmployerName { name: name.unwrap_or(&link.provider_id).clone() }
}

pub(super) fn view(app: &App, task: &Task, link: &Link) -> ApiResult<TaskView> {
    let step = match (&task.step, task.step_expires_at) {
        (Some(json), Some(expires_at)) if task.status == TaskStatus::Mfa => {
            let step = serde_json::from_str(json).map_err(error::internal)?;
            Some(StepView { step, expires_at: reports::time(expires_at) })
        }
        _ => None,
    };
    Ok(TaskView {
        task_id: task.id.to_string(),
        status: task.status.as_str(),
        provider_id: link.provider_id.clone(),
        employer: employer_name(app, link),
        step,
        error: link_error(task),
        your_data_path: None,
    })
}

/// The error object of the widget contract, section 2. All three texts are always there.
fn link_error(task: &Task) -> Option<LinkError> {
    let (error_code, _) = error_words(task)?;
    Some(LinkError { error_type: "LINK_ERROR", error_code, error_message: error_message(task)? })
}

/// What a person reads of a task that failed.
pub(crate) fn error_message(task: &Task) -> Option<String> {
    let (_, sentence) = error_words(task)?;
    Some(task.error_message.clone().unwrap_or_else(|| sentence.to_owned()))
}

fn error_words(task: &Task) -> Option<(&'static str, &'static str)> {
    Some(match task.status {
        status if !status.is_final() || status == TaskStatus::Done => return None,
        TaskStatus::LoginError => ("LOGIN_ERROR", "The user name or password is not right."),
        TaskStatus::MfaError => ("MFA_ERROR", "The code was not right, or it came too late."),
        TaskStatus::NoData => ("NO_DATA", "The provider has no payroll data for this sign-in."),
        TaskStatus::Unavailable => ("UNAVAILABLE", "The payroll provider cannot be reached right now."),
        TaskStatus::AccountLocked => {
            ("ERROR", "The provider locked this account. Unlock it there, then come back.")
        }
        TaskStatus::ConfigError => ("ERROR", "A setting at the provider stands in the way."),
        TaskStatus::UnableToReset => ("ERROR", "The provider could not reset this sign-in."),
        TaskStatus::NotSupported => ("ERROR", "This provider cannot be connected yet."),
        _ => ("ERROR", "Something went wrong. Try again, or later."),
    })
}
