//! A client's events: read in order, and delivered once more.

use axum::{Json, extract::State, http::StatusCode};
use citadel_api_types::{
    error::{Detail, ErrorBody},
    events::{Event, EventPage, ResendEvent, ResendEvents, Resent},
    page::CursorPage,
};
use citadel_domain::{EventId, WebhookId};
use citadel_store::{
    Tenant, Tx, jobs,
    outbox::{self, Range},
    webhook_events::{self, WebhookEvent},
    webhooks::{self, Webhook},
};
use jiff::SignedDuration;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Params, PathId};
use crate::{
    app::App,
    auth::Caller,
    body::Body,
    error::{self, ApiResult},
    idempotency::{Holds, Once},
    jobs::deliver_webhooks::job_of,
    moment::Moment,
    reports,
    webhooks::wanted,
};

/// How far back a range may begin: as long as attempts are kept, which tell what has failed.
const FURTHEST_BACK: SignedDuration = SignedDuration::from_hours(30 * 24);

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Only events after this `sequence`. From the first one when absent.
    after: Option<String>,
    /// 1 to 100.
    page_size: Option<String>,
}

/// List the events of your environment in the order in which they happened.
///
/// Read on with the last `sequence` that you have seen: no event turns up behind it.
#[utoipa::path(get, path = "/v1/events/", tag = "webhooks", params(ListParams), responses(
    (status = 200, body = citadel_api_types::page::CursorPage<citadel_api_types::events::Event>),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
))]
pub(crate) async fn list_events(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> ApiResult<Json<EventPage>> {
    let tenant = caller.tenant;
    let after = sequence("after", params.after.as_deref())?.unwrap_or(0);
    let size = super::page_size(params.page_size.as_deref())?;
    let limit = size as u32 + 1;
    let db = app.db.scoped(tenant.client_id);
    let mut found =
        db.read(async move |tx| webhook_events::list_after(tx, tenant, after, limit).await).await?;
    let goes_on = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| goes_on).map(|last| {
        let (after, size) = (last.sequence.to_string(), size.to_string());
        super::address(&app, "/v1/events/", &[], &[("after", &after), ("page_size", &size)])
    });
    let results = found.iter().map(view).collect::<ApiResult<_>>()?;
    Ok(Json(CursorPage { next, previous: None, results }))
}

/// Deliver one event once more: with the same id, and at a new time.
#[utoipa::path(post, path = "/v1/events/{event_id}/resend/", tag = "webhooks", params(("event_id" = String, Path)),
request_body = ResendEvent, responses(
    (status = 200, body = Resent),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, description = "no such event or endpoint", body = Detail),
))]
pub(crate) async fn resend_event(
    State(app): State<App>,
    caller: Caller,
    PathId(event_id): PathId<EventId>,
    once: Once,
    Body(body): Body<ResendEvent>,
) -> ApiResult<Json<Resent>> {
    let tenant = caller.tenant;
    let Moment { now, live, .. } = app.moment(tenant).await?;
    let answer = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            let event = webhook_events::find(tx, tenant, event_id).await?.ok_or_else(error::not_found)?;
            let is_named = body.webhook_id.is_some();
            let mut endpoints = endpoints(tx, tenant, body.webhook_id.as_deref()).await?;
            // An endpoint that is named gets the event even if it does not ask for such.
            endpoints.retain(|webhook| is_named || wanted(webhook).contains(&event.event_type.as_str()));
            for webhook in &endpoints {
                jobs::ensure_due(tx, &job_of(tenant, webhook.id, live)?).await?;
                outbox::put(tx, tenant, webhook.id, (event.id, event.sequence, event.task_id), false, now)
                    .await?;
            }
            resent(tx, &once, endpoints.len() as u64).await
        })
        .await?;
    app.ring_events();
    Ok(Json(answer))
}

/// Deliver the events of a time once more, each with its own id.
#[utoipa::path(post, path = "/v1/events/resend/", tag = "webhooks", request_body = ResendEvents, responses(
    (status = 200, body = Resent),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, description = "no such endpoint", body = Detail),
))]
pub(crate) async fn resend_events(
    State(app): State<App>,
    caller: Caller,
    once: Once,
    Body(body): Body<ResendEvents>,
) -> ApiResult<Json<Resent>> {
    let tenant = caller.tenant;
    let Moment { now, live, .. } = app.moment(tenant).await?;
    let (from, to) = super::time_range(Some(&body.created_at_gte), body.created_at_lte.as_deref())?;
    let from = from.ok_or_else(|| error::invalid("created_at__gte", "This field is required."))?;
    if from < now - FURTHEST_BACK {
        return Err(error::invalid("created_at__gte", "Send a time of the last 30 days."));
    }
    let range = Range { from, to: to.unwrap_or(now), only_failed: body.only_failed };
    let answer = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            let mut count = 0;
            for webhook in endpoints(tx, tenant, body.webhook_id.as_deref()).await? {
                jobs::ensure_due(tx, &job_of(tenant, webhook.id, live)?).await?;
                count += outbox::put_range(tx, tenant, webhook.id, &wanted(&webhook), range, now).await?;
            }
            resent(tx, &once, count).await
        })
        .await?;
    app.ring_events();
    Ok(Json(answer))
}

async fn resent(tx: &mut Tx<'_>, once: &Once, count: u64) -> ApiResult<Resent> {
    let answer = Resent { count: i64::try_from(count).unwrap_or(i64::MAX) };
    once.keep(tx, StatusCode::OK, &answer, Holds::NOTHING).await?;
    Ok(answer)
}

/// The named endpoint, or all that are enabled.
async fn endpoints(tx: &mut Tx<'_>, tenant: Tenant, named: Option<&str>) -> ApiResult<Vec<Webhook>> {
    let Some(id) = named else {
        let mut all = webhooks::list(tx, tenant).await?;
        all.retain(|webhook| webhook.is_enabled);
        return Ok(all);
    };
    let id: WebhookId = id.parse().map_err(|_| error::not_found())?;
    let webhook = super::webhooks::find(tx, tenant, id).await?;
    if !webhook.is_enabled {
        return Err(error::invalid("webhook_id", "This endpoint is off: switch it on first."));
    }
    Ok(vec![webhook])
}

/// A place among the events, where it may be left out.
pub(super) fn sequence(field: &str, text: Option<&str>) -> ApiResult<Option<i64>> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => match text.parse::<i64>() {
            Ok(number) if number >= 0 => Ok(Some(number)),
            _ => Err(error::invalid(field, "Send the sequence of an event, or 0.")),
        },
    }
}

pub(super) fn view(event: &WebhookEvent) -> ApiResult<Event> {
    Ok(Event {
        id: event.id.to_string(),
        sequence: event.sequence,
        event_type: event.event_type.clone(),
        created_at: reports::time(event.created_at),
        payload: serde_json::from_str(&event.body).map_err(error::internal)?,
    })
}
