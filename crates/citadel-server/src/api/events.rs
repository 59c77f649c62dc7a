//! A client's events: read in order, and delivered once more.

use axum::{Json, extract::State, http::StatusCode};
use citadel_api_types::{
    error::{Detail, ErrorBody},
    events::{Event, EventPage, ResendEvent, ResendEvents, Resent},
    page::CursorPage,
};
use citadel_domain::EventId;
use citadel_store::{
    Tenant, Tx,
    audit::{Act, Object, ObjectKind},
    outbox::Range,
    webhook_events::{self, WebhookEvent},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Params, PathId};
use crate::{
    app::App,
    auth::Caller,
    body::Body,
    error::{self, ApiResult},
    idempotency::{Holds, Once},
    reports,
    webhooks::{endpoints, resend},
};

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
    let moment = app.moment(tenant).await?;
    let entry = caller.did(&app, Act::EventsResent, receivers(tenant, body.webhook_id.as_deref()));
    let writer = app.clone();
    let answer = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            let what = (event_id, body.webhook_id.as_deref());
            let count = resend::one(tx, &writer, tenant, what, moment, &entry).await?;
            resent(tx, &once, count).await
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
    let moment = app.moment(tenant).await?;
    let (from, to) = super::time_range(Some(&body.created_at_gte), body.created_at_lte.as_deref())?;
    let from = from.ok_or_else(|| error::invalid("created_at__gte", "This field is required."))?;
    resend::check_from(from, moment.now)?;
    let range = Range { from, to: to.unwrap_or(moment.now), only_failed: body.only_failed };
    let entry = caller.did(&app, Act::EventsResent, receivers(tenant, body.webhook_id.as_deref()));
    let writer = app.clone();
    let answer = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            let what = (range, body.webhook_id.as_deref());
            let count = resend::range(tx, &writer, tenant, what, moment, &entry).await?;
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

/// What is sent to, as the audit trail names it: an endpoint, or all of a client's.
fn receivers(tenant: Tenant, named: Option<&str>) -> Object {
    let all = Object::of(ObjectKind::Client, tenant.client_id.as_bytes());
    named.and_then(|id| id.parse().ok()).map_or(all, endpoints::named)
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
