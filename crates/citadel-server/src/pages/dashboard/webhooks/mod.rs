//! Endpoints: which there are, and a new one. One endpoint's page is [`endpoint`], what is sent again [`resend`].

pub(super) mod endpoint;
pub(super) mod resend;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use citadel_api_types::{webhook_endpoints::CreateWebhook, webhooks::EVENT_TYPES};
use citadel_domain::Secret;
use citadel_store::{
    audit::Act,
    webhooks::{self, Webhook},
};
use serde::Deserialize;

use super::{
    asked::Fields,
    guard::Here,
    page::{Frame, PageError, PageResult, show_as, time},
};
use crate::{
    app::App,
    error::ApiError,
    webhooks::{
        TASK_STATUS_UPDATED,
        endpoints::{self, Problems},
    },
};

/// How a receiver tells that a delivery is ours. The same stands in docs/webhooks.md.
const IS_GENUINE: &str = include_str!("../../../../templates/dashboard/is-genuine.py");

/// Types that can be asked for and are not sent.
const NOT_SENT: &str = "shifts-";

#[derive(Template)]
#[template(path = "dashboard/webhooks.html")]
struct Page {
    frame: Frame,
    endpoints: Vec<Line>,
    sent: CreateWebhook,
    types: Vec<Tick>,
    is_genuine: &'static str,
    problem: Option<String>,
}

struct Line {
    id: String,
    name: String,
    url: String,
    events: String,
    state: Condition,
}

/// How an endpoint is, in words.
pub(super) struct Condition {
    pub(super) class: &'static str,
    pub(super) text: String,
}

/// A type of events, with its box.
pub(super) struct Tick {
    pub(super) name: &'static str,
    pub(super) is_on: bool,
}

/// A secret that is shown this once (P3).
pub(super) struct Made {
    pub(super) secret: Secret,
    pub(super) is_new: bool,
}

#[derive(Default, Deserialize)]
pub(in crate::pages::dashboard) struct Asked {
    done: Option<String>,
}

pub(in crate::pages::dashboard) async fn get_webhooks(
    State(app): State<App>,
    here: Here,
    Query(asked): Query<Asked>,
) -> PageResult<Response> {
    let notice = (asked.done.as_deref() == Some("deleted"))
        .then_some("The endpoint is removed. What waited for it is dropped.");
    show_list(&app, &here, notice, CreateWebhook::default(), None).await
}

async fn show_list(
    app: &App,
    here: &Here,
    notice: Option<&str>,
    sent: CreateWebhook,
    problem: Option<String>,
) -> PageResult<Response> {
    let tenant = here.tenant;
    let found =
        app.db.scoped(tenant.client_id).read(async move |tx| webhooks::list(tx, tenant).await).await?;
    let line = |webhook: &Webhook| Line {
        id: webhook.id.to_string(),
        name: webhook.name.clone(),
        url: webhook.url.clone(),
        events: events_of(webhook),
        state: state_of(webhook),
    };
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let page = Page {
        frame: here.frame("webhooks").saying(notice),
        endpoints: found.iter().map(line).collect(),
        types: ticks(&sent.events),
        sent,
        is_genuine: IS_GENUINE,
        problem,
    };
    show_as(status, &page)
}

pub(in crate::pages::dashboard) async fn create_webhook(
    State(app): State<App>,
    here: Here,
    body: String,
) -> PageResult<Response> {
    let (fields, tenant) = (Fields::of(&body), here.tenant);
    let sent = CreateWebhook {
        name: fields.get("name").to_owned(),
        webhook_url: fields.get("url").to_owned(),
        env_type: tenant.environment.to_string(),
        events: fields.all("events"),
    };
    if let Err(problems) = Problems::of_new(&app, tenant, &sent) {
        return show_list(&app, &here, None, sent, Some(told(problems.into())?)).await;
    }
    let now = app.moment(tenant).await?.now;
    let entry = here.did(Act::WebhookCreated, endpoints::NEW)?;
    let (writer, new) = (app.clone(), sent.clone());
    let made = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| endpoints::create(tx, &writer, tenant, &new, now, &entry).await)
        .await;
    match made {
        Ok((webhook, secret)) => {
            let made = Some(Made { secret, is_new: true });
            endpoint::show(&app, &here, webhook.id, &endpoint::Asked::default(), made, None).await
        }
        Err(refusal) => show_list(&app, &here, None, sent, Some(told(refusal)?)).await,
    }
}

/// What a form is told that was not taken. Anything but a mistake in it is a page of its own.
pub(super) fn told(refusal: ApiError) -> PageResult<String> {
    let (status, text) = refusal.into_status_and_message();
    match status {
        StatusCode::BAD_REQUEST | StatusCode::CONFLICT => Ok(text),
        _ => Err(PageError::told(status, text)),
    }
}

fn events_of(webhook: &Webhook) -> String {
    if webhook.events.is_empty() { TASK_STATUS_UPDATED.to_owned() } else { webhook.events.join(", ") }
}

pub(super) fn state_of(webhook: &Webhook) -> Condition {
    match (webhook.is_enabled, &webhook.disabled_because, webhook.failing_since) {
        (false, Some(because), _) => Condition { class: "bad", text: format!("Off: {because}") },
        (false, None, _) => Condition { class: "warm", text: "Off".to_owned() },
        (true, _, Some(since)) => Condition { class: "bad", text: format!("Failing since {}", time(since)) },
        (true, _, None) => Condition { class: "good", text: "On".to_owned() },
    }
}

/// Every type that is sent, or was asked for.
pub(super) fn ticks(chosen: &[String]) -> Vec<Tick> {
    let tick = |name: &'static str| Tick { name, is_on: chosen.iter().any(|one| one == name) };
    EVENT_TYPES.into_iter().map(tick).filter(|tick| tick.is_on || !tick.name.starts_with(NOT_SENT)).collect()
}
