//! One endpoint: what was sent to it, what waits for it, and what can be done with it.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use citadel_api_types::webhook_endpoints::UpdateWebhook;
use citadel_domain::{DeliveryId, WebhookId};
use citadel_store::{
    audit::Act,
    deliveries::{self, Delivery, Filter},
    outbox::{self, WaitingLine},
};
use serde::Deserialize;

use super::{Condition, Made, Tick, state_of, ticks, told};
use crate::{
    app::App,
    error::ApiError,
    pages::dashboard::{
        asked::{Fields, ROWS, filled, query, time_of, value},
        guard::Here,
        page::{Frame, PageError, PageResult, show_as, time},
    },
    webhooks::{
        endpoints::{self, Problems},
        secrets,
    },
};

/// Events that wait and are shown.
const MOST_WAITING: usize = 20;
/// Attempts that one page looks through for those that a filter asks for, so that it answers at once however many there are.
const LOOKED_THROUGH: u32 = 20_000;
/// The longest beginning of an answer that is shown.
const MOST_ANSWER: usize = 2000;

#[derive(Template)]
#[template(path = "dashboard/webhook.html")]
struct Page {
    frame: Frame,
    id: String,
    name: String,
    url: String,
    is_enabled: bool,
    state: Condition,
    types: Vec<Tick>,
    /// Of the form of filters: every type.
    all_types: Vec<Tick>,
    asked: Asked,
    is_filtered: bool,
    waiting: Vec<Waiting>,
    is_more_waiting: bool,
    attempts: Vec<Attempt>,
    older: Option<String>,
    made: Option<Made>,
    problem: Option<String>,
}

struct Waiting {
    event_type: String,
    event_id: String,
    attempts: i64,
    next: String,
}

struct Attempt {
    at: String,
    event_id: String,
    event_type: String,
    attempt: i64,
    is_taken: bool,
    status: String,
    duration_ms: i64,
    answer: String,
}

/// Which attempts are listed.
#[derive(Clone, Default, Deserialize)]
pub(in crate::pages::dashboard) struct Asked {
    done: Option<String>,
    count: Option<u64>,
    event: Option<String>,
    status: Option<String>,
    since: Option<String>,
    until: Option<String>,
    before: Option<String>,
}

impl Asked {
    fn is_event(&self, name: &str) -> bool {
        self.event.as_deref() == Some(name)
    }

    fn text(text: &Option<String>) -> &str {
        text.as_deref().unwrap_or_default()
    }
}

/// The endpoint that an address names.
#[derive(Deserialize)]
pub(in crate::pages::dashboard) struct Named {
    webhook_id: String,
}

impl Named {
    pub(super) fn id(&self) -> PageResult<WebhookId> {
        self.webhook_id.parse().map_err(|_| PageError::not_found())
    }
}

pub(in crate::pages::dashboard) async fn get_webhook(
    State(app): State<App>,
    here: Here,
    Path(named): Path<Named>,
    Query(asked): Query<Asked>,
) -> PageResult<Response> {
    show(&app, &here, named.id()?, &asked, None, None).await
}

pub(super) async fn show(
    app: &App,
    here: &Here,
    id: WebhookId,
    asked: &Asked,
    made: Option<Made>,
    problem: Option<String>,
) -> PageResult<Response> {
    let tenant = here.tenant;
    let filter = Filter {
        from: time_of("Since", asked.since.as_deref())?,
        to: time_of("Until", asked.until.as_deref())?,
        event_type: filled(asked.event.as_deref()).map(str::to_owned),
        status_code: value("Status", asked.status.as_deref())?,
        webhook_id: Some(id),
        back_to: None,
    };
    let before: Option<DeliveryId> = value("Before", asked.before.as_deref())?;
    let (webhook, waiting, mut attempts, back_to) = app
        .db
        .scoped(tenant.client_id)
        .read(async move |tx| {
            let webhook = endpoints::find(tx, tenant, id).await?;
            let waiting = outbox::list_waiting(tx, tenant, id, MOST_WAITING as u32 + 1).await?;
            let back_to = deliveries::find_before(tx, tenant, before, LOOKED_THROUGH).await?;
            let filter = Filter { back_to, ..filter.clone() };
            let attempts = deliveries::list_before(tx, tenant, &filter, before, ROWS as u32 + 1).await?;
            Ok::<_, ApiError>((webhook, waiting, attempts, back_to))
        })
        .await?;
    let goes_on = attempts.len() > ROWS;
    attempts.truncate(ROWS);
    let path = here.url(&format!("webhooks/{id}"));
    let next = if goes_on { attempts.last().map(|last| last.id) } else { back_to };
    let older = next.map(|next| {
        let before = next.to_string();
        let filters = [
            ("event", asked.event.as_deref()),
            ("status", asked.status.as_deref()),
            ("since", asked.since.as_deref()),
            ("until", asked.until.as_deref()),
            ("before", Some(before.as_str())),
        ];
        query(&path, &filters)
    });
    let filters = [&asked.event, &asked.status, &asked.since, &asked.until, &asked.before];
    let page = Page {
        frame: here.frame("webhooks").saying(notice(asked)),
        id: id.to_string(),
        state: state_of(&webhook),
        types: ticks(&webhook.events),
        all_types: ticks(&[]),
        name: webhook.name,
        url: webhook.url,
        is_enabled: webhook.is_enabled,
        is_filtered: filters.into_iter().any(|filter| filled(filter.as_deref()).is_some()),
        asked: asked.clone(),
        is_more_waiting: waiting.len() > MOST_WAITING,
        waiting: waiting.into_iter().take(MOST_WAITING).map(Waiting::from).collect(),
        attempts: attempts.iter().map(Attempt::from).collect(),
        older,
        made,
        problem,
    };
    let status = if page.problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    show_as(status, &page)
}

fn notice(asked: &Asked) -> Option<String> {
    let count = asked.count.unwrap_or(0);
    let text = match asked.done.as_deref()? {
        "changed" => "The endpoint is changed.".to_owned(),
        "same" => "Nothing was different.".to_owned(),
        "resent" if count == 0 => "No event of that time is to be sent.".to_owned(),
        "resent" if count == 1 => "One event is on its way. Reload to see what came of it.".to_owned(),
        "resent" => format!("{count} events are on their way. Reload to see what came of them."),
        _ => return None,
    };
    Some(text)
}

impl From<WaitingLine> for Waiting {
    fn from(line: WaitingLine) -> Self {
        Self {
            event_type: line.event_type,
            event_id: line.event_id.to_string(),
            attempts: line.attempts,
            next: time(line.next_at),
        }
    }
}

impl From<&Delivery> for Attempt {
    fn from(row: &Delivery) -> Self {
        let answer = row.error_message.as_deref().unwrap_or(&row.answer);
        Self {
            at: time(row.attempted_at),
            event_id: row.event_id.to_string(),
            event_type: row.event_type.clone(),
            attempt: row.attempt,
            is_taken: row.status_code.is_some_and(|code| (200..300).contains(&code)),
            status: row.status_code.map_or_else(|| "no answer".to_owned(), |code| code.to_string()),
            duration_ms: row.duration_ms,
            answer: answer.chars().take(MOST_ANSWER).collect(),
        }
    }
}

pub(in crate::pages::dashboard) async fn update_webhook(
    State(app): State<App>,
    here: Here,
    Path(named): Path<Named>,
    body: String,
) -> PageResult<Response> {
    let (tenant, id, fields) = (here.tenant, named.id()?, Fields::of(&body));
    let now =
        app.db.scoped(tenant.client_id).read(async move |tx| endpoints::find(tx, tenant, id).await).await?;
    // Only what differs is changed, and told to the audit trail.
    let is_enabled = fields.is_ticked("enabled");
    let sent = UpdateWebhook {
        name: Some(fields.get("name").to_owned()).filter(|name| *name != now.name),
        webhook_url: Some(fields.get("url").to_owned()).filter(|url| *url != now.url),
        env_type: None,
        events: Some(fields.all("events")).filter(|events| *events != now.events),
        enabled: Some(is_enabled).filter(|is_enabled| *is_enabled != now.is_enabled),
    };
    if sent == UpdateWebhook::default() {
        return Ok(to(&here, id, "same"));
    }
    let problems = Problems::of_change(&app, tenant, &sent);
    let moment = app.moment(tenant).await?;
    let entry = here.did(Act::WebhookChanged, endpoints::named(id))?;
    let writer = app.clone();
    let changed = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            endpoints::update(tx, &writer, (tenant, id), (&sent, &problems), moment, &entry).await
        })
        .await;
    app.ring_events();
    match changed {
        Ok(_) => Ok(to(&here, id, "changed")),
        Err(refusal) => show(&app, &here, id, &Asked::default(), None, Some(told(refusal)?)).await,
    }
}

pub(in crate::pages::dashboard) async fn delete_webhook(
    State(app): State<App>,
    here: Here,
    Path(named): Path<Named>,
) -> PageResult<Response> {
    let (tenant, id, live) = (here.tenant, named.id()?, app.clock.now());
    let entry = here.did(Act::WebhookDeleted, endpoints::named(id))?;
    let writer = app.clone();
    let is_deleted = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| endpoints::delete(tx, &writer, (tenant, id), live, &entry).await)
        .await?;
    app.ring_events();
    if !is_deleted {
        return Err(PageError::not_found());
    }
    Ok(Redirect::to(&here.url("webhooks?done=deleted")).into_response())
}

pub(in crate::pages::dashboard) async fn rotate_secret(
    State(app): State<App>,
    here: Here,
    Path(named): Path<Named>,
) -> PageResult<Response> {
    let (tenant, id) = (here.tenant, named.id()?);
    let now = app.moment(tenant).await?.now;
    let (secret, sealed) = secrets::generate(&app, tenant, id)?;
    let entry = here.did(Act::WebhookSecretRotated, endpoints::named(id))?;
    let writer = app.clone();
    let rotated = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            endpoints::rotate_secret(tx, &writer, (tenant, id), &sealed, now, &entry).await
        })
        .await;
    let (made, problem) = match rotated {
        Ok(_) => (Some(Made { secret, is_new: false }), None),
        Err(refusal) => (None, Some(told(refusal)?)),
    };
    show(&app, &here, id, &Asked::default(), made, problem).await
}

fn to(here: &Here, id: WebhookId, done: &str) -> Response {
    Redirect::to(&here.url(&format!("webhooks/{id}?done={done}"))).into_response()
}
