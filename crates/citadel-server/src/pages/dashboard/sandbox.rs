//! The client's sandbox: who can sign in, the clock, faults, scenarios, and a new beginning. The acts are those of the API.

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use citadel_api_types::sandbox::{SandboxFaults, TurnSandboxClock};
use citadel_connectors::sandbox::{LOGINS, UGLY_PASSWORD, ugly_pack};
use citadel_domain::{Environment, Fault, ScenarioId};
use citadel_store::{audit::Act, sandboxes, scenarios};
use serde::Deserialize;
use serde_json::Value;

use super::{
    guard::Here,
    page::{Frame, PageError, PageResult, show_as, time},
};
use crate::{
    api::sandbox::{SANDBOX, clock, faults, reset as beginning, scenarios as kept},
    app::App,
    body::JsonText,
    error::ApiError,
    idempotency::Once,
};

/// Scenarios on one page.
const MOST: i64 = 50;

#[derive(Template)]
#[template(path = "dashboard/sandbox.html")]
struct Page {
    frame: Frame,
    /// `None` in another environment.
    sandbox: Option<Shown>,
    problems: Vec<String>,
    /// What was typed and is not kept.
    typed: String,
}

struct Shown {
    logins: Vec<Login>,
    ugly: Vec<(String, String)>,
    ugly_password: &'static str,
    now: String,
    is_running: bool,
    faults: Vec<FaultLine>,
    scenarios: Vec<ScenarioLine>,
    newer: Option<u32>,
    older: Option<u32>,
    schema_url: String,
}

struct Login {
    number: usize,
    username: &'static str,
    password: &'static str,
    what: &'static str,
}

struct FaultLine {
    word: &'static str,
    what: &'static str,
    is_on: bool,
}

struct ScenarioLine {
    id: String,
    label: String,
    username: String,
    updated: String,
}

#[derive(Default, Deserialize)]
pub(super) struct Asked {
    done: Option<String>,
    page: Option<u32>,
}

pub(super) async fn get_sandbox(
    State(app): State<App>,
    here: Here,
    Query(asked): Query<Asked>,
) -> PageResult<Response> {
    let notice = asked.done.as_deref().and_then(|done| match done {
        "clock" => Some("The clock is turned."),
        "faults" => Some("The faults are set, from the next sign-in or refresh on."),
        "scenario" => Some("The scenario is kept. Its login works now."),
        "deleted" => Some("The scenario is deleted. Links that were made with it stay."),
        "reset" => Some("The sandbox is as it was in the beginning."),
        _ => None,
    });
    show_sandbox(&app, &here, notice, asked.page.unwrap_or(1), Vec::new(), String::new()).await
}

async fn show_sandbox(
    app: &App,
    here: &Here,
    notice: Option<&str>,
    page: u32,
    problems: Vec<String>,
    typed: String,
) -> PageResult<Response> {
    let sandbox = match here.tenant.environment {
        Environment::Sandbox => Some(read(app, here, page.clamp(1, 1000)).await?),
        Environment::Dev | Environment::Prod => None,
    };
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let frame = here.frame("sandbox").saying(notice);
    show_as(status, &Page { frame, sandbox, problems, typed })
}

async fn read(app: &App, here: &Here, page: u32) -> PageResult<Shown> {
    let tenant = here.tenant;
    let offset = i64::from(page - 1) * MOST;
    let db = app.db.scoped(tenant.client_id);
    let read = db.read(async move |tx| {
        let on = sandboxes::faults(tx, tenant).await?;
        // One more tells whether there is another page.
        Ok::<_, citadel_store::Error>((on, scenarios::list(tx, tenant, MOST + 1, offset).await?))
    });
    let (on, mut rows) = read.await?;
    let has_older = rows.len() > MOST as usize;
    rows.truncate(MOST as usize);
    let moment = app.moment(tenant).await?;
    let mut lines = Vec::with_capacity(rows.len());
    for row in &rows {
        let body = kept::view(app, row)?.scenario;
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (label, username) = (text("label"), text("username"));
        lines.push(ScenarioLine { id: row.id.to_string(), label, username, updated: time(row.updated_at) });
    }
    let login = |(number, (username, password, what))| Login { number, username, password, what };
    Ok(Shown {
        logins: LOGINS.into_iter().enumerate().map(login).collect(),
        ugly: ugly_pack().iter().map(|ugly| (ugly.username.clone(), ugly.teaches.clone())).collect(),
        ugly_password: UGLY_PASSWORD,
        now: time(moment.now),
        is_running: moment.is_running(),
        faults: Fault::ALL
            .into_iter()
            .map(|fault| FaultLine { word: fault.as_str(), what: what(fault), is_on: on.contains(&fault) })
            .collect(),
        scenarios: lines,
        newer: (page > 1).then(|| page - 1),
        older: has_older.then_some(page + 1),
        schema_url: format!("{}/scenario.schema.json", app.public_url),
    })
}

const fn what(fault: Fault) -> &'static str {
    match fault {
        Fault::Slow => "the provider takes 10 seconds to sign in",
        Fault::ProviderDown => "the provider cannot be reached: unavailable",
        Fault::RateLimited => "the provider asks for 2 seconds of patience, once",
        Fault::HalfData => "the first part of the data comes, then reading fails: error",
        Fault::MfaUnanswered => "an approval is asked for that nobody gives: mfa_error after 10 seconds",
        Fault::WebhookDelayed => "the first attempt at each event comes 30 seconds late",
        Fault::WebhookDuplicated => "each event comes twice, with one id",
        Fault::WebhookReordered => "every other event of a task comes after the one that followed it",
    }
}

/// Nothing is done to what other environments do not have.
fn only_in_the_sandbox(here: &Here) -> PageResult<()> {
    match here.tenant.environment {
        Environment::Sandbox => Ok(()),
        Environment::Dev | Environment::Prod => {
            Err(PageError::wrong("Only the sandbox environment can be ruled like this."))
        }
    }
}

/// Back to the page; or the page with what was wrong.
async fn answer<T>(
    app: &App,
    here: &Here,
    done: Result<T, ApiError>,
    word: &str,
    typed: String,
) -> PageResult<Response> {
    match done {
        Ok(_) => Ok(Redirect::to(&here.url(&format!("sandbox?done={word}"))).into_response()),
        Err(refusal) => match refusal.problems() {
            Some(problems) => show_sandbox(app, here, None, 1, problems, typed).await,
            None => Err(refusal.into()),
        },
    }
}

#[derive(Deserialize)]
pub(super) struct Turned {
    /// A duration of ISO 8601.
    advance: Option<String>,
    /// Whether it is to run or to stand.
    is_running: Option<bool>,
}

pub(super) async fn turn_clock(
    State(app): State<App>,
    here: Here,
    Form(sent): Form<Turned>,
) -> PageResult<Response> {
    only_in_the_sandbox(&here)?;
    let advance = sent.advance.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let body = TurnSandboxClock { advance, is_running: sent.is_running, now: None };
    let entry = here.did(Act::SandboxClockTurned, SANDBOX)?;
    let turned = clock::turn(&app, here.tenant, &body, entry, Once::NEVER).await;
    answer(&app, &here, turned, "clock", String::new()).await
}

/// A field for each fault that is on.
pub(super) async fn set_faults(
    State(app): State<App>,
    here: Here,
    Form(sent): Form<Vec<(String, String)>>,
) -> PageResult<Response> {
    only_in_the_sandbox(&here)?;
    let faults = sent.into_iter().filter(|(name, _)| name == "fault").map(|(_, word)| word).collect();
    let set = faults::set(&app, here.tenant, &SandboxFaults { faults }, Once::NEVER).await;
    answer(&app, &here, set, "faults", String::new()).await
}

#[derive(Deserialize)]
pub(super) struct NewScenario {
    scenario: String,
}

pub(super) async fn create_scenario(
    State(app): State<App>,
    here: Here,
    Form(sent): Form<NewScenario>,
) -> PageResult<Response> {
    only_in_the_sandbox(&here)?;
    let made = match JsonText::read(sent.scenario.trim().as_bytes()) {
        Ok(body) => kept::keep(&app, here.tenant, body, Once::NEVER).await,
        Err(refusal) => Err(refusal),
    };
    answer(&app, &here, made, "scenario", sent.scenario).await
}

#[derive(Deserialize)]
pub(super) struct Deleted {
    id: String,
}

pub(super) async fn delete_scenario(
    State(app): State<App>,
    here: Here,
    Form(sent): Form<Deleted>,
) -> PageResult<Response> {
    only_in_the_sandbox(&here)?;
    let id: ScenarioId = sent.id.parse().map_err(|_| PageError::not_found())?;
    let tenant = here.tenant;
    let db = app.db.scoped(tenant.client_id);
    if !db.write(async move |tx| scenarios::delete(tx, tenant, id).await).await? {
        return Err(PageError::not_found());
    }
    Ok(Redirect::to(&here.url("sandbox?done=deleted")).into_response())
}

#[derive(Deserialize)]
pub(super) struct Sure {
    sure: Option<String>,
}

pub(super) async fn reset(
    State(app): State<App>,
    here: Here,
    Form(sent): Form<Sure>,
) -> PageResult<Response> {
    only_in_the_sandbox(&here)?;
    if sent.sure.is_none() {
        let problem = "Tick that you want the sandbox emptied.".to_owned();
        return show_sandbox(&app, &here, None, 1, vec![problem], String::new()).await;
    }
    let entry = here.did(Act::SandboxReset, SANDBOX)?;
    let done = beginning::reset(&app, here.tenant, entry, Once::NEVER).await;
    answer(&app, &here, done, "reset", String::new()).await
}
