//! One link: what was agreed, what was done for it, and what it knows.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use citadel_domain::{LinkId, Product, TaskId, TaskStatus, tokens::hex};
use citadel_store::{audit::Act, browse::Step, calls::Call, consents::Consent, links::Link, tasks::Task};
use serde::Deserialize;

use super::{
    super::{
        guard::Here,
        lists,
        page::{Frame, PageResult, show, time},
    },
    employer_name,
    found::{Found, Report, TASKS, find},
};
use crate::{
    api::{access_tokens::known_access_token, users::profile},
    app::App,
    trail::{self, Data},
};

#[derive(Template)]
#[template(path = "dashboard/link.html")]
struct Page {
    frame: Frame,
    id: String,
    status: TaskStatus,
    tone: &'static str,
    facts: Vec<(&'static str, String)>,
    user_id: Option<String>,
    order: Option<String>,
    flow_id: String,
    has_access_token: bool,
    has_ended: bool,
    consents: Vec<ConsentLine>,
    tasks: Vec<TaskLine>,
    has_more_tasks: bool,
    calls: Vec<CallLine>,
    reports: Vec<Report>,
    /// Fields that are masked, or that were revealed.
    personal: Vec<String>,
    is_revealed: bool,
}

struct ConsentLine {
    given: String,
    until: String,
    products: String,
    hash: String,
    state: &'static str,
    tone: &'static str,
}

struct TaskLine {
    id: String,
    kind: &'static str,
    product: Product,
    status: TaskStatus,
    tone: &'static str,
    began: String,
    ended: Option<String>,
    error: Option<String>,
    flow_id: Option<String>,
    steps: Vec<(String, String)>,
}

struct CallLine {
    id: String,
    at: String,
    what: String,
    status: i64,
    tone: &'static str,
}

#[derive(Default, Deserialize)]
pub(in super::super) struct Asked {
    done: Option<String>,
}

pub(in super::super) async fn get_link(
    State(app): State<App>,
    here: Here,
    Path((_, _, id)): Path<(String, String, String)>,
    Query(asked): Query<Asked>,
) -> PageResult<Response> {
    let notice = asked.done.as_deref().and_then(|done| match done {
        "consent" => Some("The consent has ended. Nothing is read through this link any more."),
        "token" => Some("The access token opens nothing any more."),
        _ => None,
    });
    let found = find(&app, &here, &id).await?;
    for report in &found.reports {
        let entry = here.did(Act::DataReleased, trail::link(found.link.id))?;
        trail::release_masked(&app, entry, Data::Report(report.kind))?;
    }
    show_link(&app, &here, found, notice, false)
}

pub(super) fn show_link(
    app: &App,
    here: &Here,
    mut found: Found,
    notice: Option<&str>,
    is_revealed: bool,
) -> PageResult<Response> {
    let has_more_tasks = found.tasks.len() > TASKS;
    found.tasks.truncate(TASKS);
    let (_, personal) = found.personal();
    let link = &found.link;
    let token = known_access_token(app, link)?;
    show(&Page {
        id: link.id.to_string(),
        status: link.status,
        tone: lists::tone(link.status),
        facts: facts(app, &found, token.as_ref().map(|token| token.expose()))?,
        user_id: link.user_id.map(|id| id.to_string()),
        order: found.order.as_ref().map(|(id, number)| match number {
            Some(number) => format!("{number} ({id})"),
            None => id.to_string(),
        }),
        flow_id: link.bridge_token_id.to_string(),
        has_access_token: token.is_some(),
        has_ended: link.consent_ended_at.is_some(),
        consents: found
            .consents
            .iter()
            .enumerate()
            .map(|(place, consent)| consent_line(link, consent, place == 0))
            .collect(),
        tasks: found.tasks.iter().map(|task| task_line(task, &found.steps)).collect(),
        has_more_tasks,
        calls: found.calls.iter().map(call_line).collect(),
        personal,
        is_revealed,
        frame: here.frame("links").saying(notice),
        reports: found.reports,
    })
}

fn facts(app: &App, found: &Found, token: Option<&str>) -> PageResult<Vec<(&'static str, String)>> {
    let link = &found.link;
    let products: Vec<_> = link.allowed_products.iter().map(|product| product.as_str()).collect();
    let name = found.user.as_ref().map(|user| profile(app, user)).transpose()?;
    let mut facts = vec![
        ("Provider", lists::provider_name(app, &link.provider_id)),
        ("Employer", employer_name(app, link.company_mapping_id)),
        ("Product", link.product.to_string()),
        ("May serve", products.join(", ")),
        ("Data source", "payroll".to_owned()),
        ("Created", time(link.created_at)),
        ("Last update", time(link.updated_at)),
    ];
    facts.extend(link.tracking_info.clone().map(|text| ("Tracking info", text)));
    facts.extend(name.and_then(|name| name.external_user_id).map(|id| ("Your id of the person", id)));
    let end = token.map(|token| token.get(token.len().saturating_sub(4)..).unwrap_or_default());
    facts.push(("Access token", end.map_or_else(|| "none".to_owned(), |end| format!("•••{end}"))));
    if found.is_held {
        let text = "held: its age does not remove it. A deletion does.";
        facts.push(("Hold", text.to_owned()));
    }
    Ok(facts)
}

fn consent_line(link: &Link, consent: &Consent, is_newest: bool) -> ConsentLine {
    let (state, tone) = match link.consent_ended_at {
        _ if !is_newest => ("replaced", ""),
        Some(at) if at < consent.expires_at => ("taken back", "bad"),
        Some(_) => ("ran out", "bad"),
        None => ("holds", "good"),
    };
    let products: Vec<_> = consent.products.iter().map(|product| product.as_str()).collect();
    ConsentLine {
        given: time(consent.given_at),
        until: time(link.consent_ended_at.filter(|_| is_newest).unwrap_or(consent.expires_at)),
        products: products.join(", "),
        hash: hex(&consent.text_hash),
        state,
        tone,
    }
}

fn task_line(task: &Task, steps: &[Step]) -> TaskLine {
    TaskLine {
        id: task.id.to_string(),
        kind: lists::kind_name(task.kind),
        product: task.product,
        status: task.status,
        tone: lists::tone(task.status),
        began: time(task.created_at),
        ended: task.finished_at.map(time),
        error: task.error_message.clone(),
        flow_id: task.bridge_token_id.map(|id| id.to_string()),
        steps: steps.iter().filter(|step| step.task_id == task.id).map(step_line).collect(),
    }
}

fn call_line(call: &Call) -> CallLine {
    CallLine {
        id: call.id.to_string(),
        at: time(call.at),
        what: format!("{} {}", call.method, call.path),
        status: call.status,
        tone: if call.status < 400 { "good" } else { "bad" },
    }
}

fn step_line(step: &Step) -> (String, String) {
    (time(step.at), event_words(&step.event_type, &step.body))
}

/// What an event tells, in a few words: its status, if it is about one.
pub(in super::super) fn event_words(event_type: &str, body: &str) -> String {
    #[derive(Deserialize)]
    struct Body {
        status: Option<String>,
    }
    let status = serde_json::from_str::<Body>(body).ok().and_then(|body| body.status);
    match status {
        Some(status) if event_type == crate::webhooks::TASK_STATUS_UPDATED => status,
        _ => event_type.to_owned(),
    }
}

/// What the page calls a task, for links to it.
pub(in super::super) fn task_url(here: &Here, link_id: LinkId, task_id: TaskId) -> String {
    here.url(&format!("links/{link_id}#task-{task_id}"))
}
