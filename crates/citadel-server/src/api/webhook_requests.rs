//! The log of attempts to deliver events.

use axum::{Json, extract::State};
use citadel_api_types::{
    error::ErrorBody,
    page::CursorPage,
    webhook_endpoints::{WebhookRequest, WebhookRequestPage},
    webhooks::EVENT_TYPES,
};
use citadel_domain::DeliveryId;
use citadel_store::deliveries::{self, Delivery, Filter};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Params;
use crate::{
    app::App,
    auth::Caller,
    error::{self, ApiResult},
    reports,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Attempts from this time on.
    #[serde(rename = "created_at__gte")]
    created_at_gte: Option<String>,
    /// Attempts up to this time, included.
    #[serde(rename = "created_at__lte")]
    created_at_lte: Option<String>,
    /// Attempts for events of this type.
    event_type: Option<String>,
    /// Attempts with this answer.
    status_code: Option<String>,
    /// Taken from `next` or `previous`.
    cursor: Option<String>,
    /// 1 to 100.
    page_size: Option<String>,
}

/// A place in the list, and the way to go from there.
#[derive(Clone, Copy)]
enum Cursor {
    Before(DeliveryId),
    After(DeliveryId),
}

impl Cursor {
    fn parse(text: &str) -> Option<Self> {
        match text.split_at_checked(1)? {
            ("b", id) => id.parse().ok().map(Self::Before),
            ("a", id) => id.parse().ok().map(Self::After),
            _ => None,
        }
    }
}

/// List attempts to deliver events, newest first. They are kept for 30 days.
#[utoipa::path(get, path = "/v1/webhook-requests/", tag = "webhooks", params(ListParams), responses(
    (status = 200, body = citadel_api_types::page::CursorPage<citadel_api_types::webhook_endpoints::WebhookRequest>),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
))]
pub(crate) async fn list_webhook_requests(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> ApiResult<Json<WebhookRequestPage>> {
    let filter = filter(&params)?;
    let size = super::page_size(params.page_size.as_deref())?;
    let cursor = match params.cursor.as_deref() {
        None | Some("") => None,
        Some(text) => {
            let cursor = Cursor::parse(text);
            Some(cursor.ok_or_else(|| error::invalid("cursor", "Take it from `next` or `previous`."))?)
        }
    };
    let tenant = caller.tenant;
    // One more than is shown tells whether the list goes on.
    let limit = size as u32 + 1;
    let db = app.db.scoped(tenant.client_id);
    let mut found = db
        .read(async move |tx| match cursor {
            Some(Cursor::After(id)) => deliveries::list_after(tx, tenant, &filter, id, limit).await,
            Some(Cursor::Before(id)) => deliveries::list_before(tx, tenant, &filter, Some(id), limit).await,
            None => deliveries::list_before(tx, tenant, &filter, None, limit).await,
        })
        .await?;
    let goes_on = found.len() > size;
    found.truncate(size);
    let (has_newer, has_older) = match cursor {
        None => (false, goes_on),
        Some(Cursor::Before(_)) => (true, goes_on),
        Some(Cursor::After(_)) => {
            found.reverse();
            (goes_on, true)
        }
    };
    let at = |mark: char, row: Option<&Delivery>| row.map(|row| page_address(&app, &params, mark, row.id));
    Ok(Json(CursorPage {
        next: at('b', found.last()).filter(|_| has_older),
        previous: at('a', found.first()).filter(|_| has_newer),
        results: found.iter().map(view).collect::<ApiResult<_>>()?,
    }))
}

fn filter(params: &ListParams) -> ApiResult<Filter> {
    let (from, to) = super::time_range(params.created_at_gte.as_deref(), params.created_at_lte.as_deref())?;
    let event_type = params.event_type.clone().filter(|text| !text.is_empty());
    if event_type.as_deref().is_some_and(|text| !EVENT_TYPES.contains(&text)) {
        return Err(error::invalid("event_type", format!("Send one of: {}.", EVENT_TYPES.join(", "))));
    }
    let status_code = match params.status_code.as_deref() {
        None | Some("") => None,
        Some(text) => match text.parse::<i64>() {
            Ok(code @ 100..=999) => Some(code),
            _ => return Err(error::invalid("status_code", "Send a status as in 500.")),
        },
    };
    Ok(Filter { from, to, event_type, status_code, ..Filter::default() })
}

fn page_address(app: &App, params: &ListParams, mark: char, id: DeliveryId) -> String {
    let filters = [
        ("created_at__gte", params.created_at_gte.as_deref()),
        ("created_at__lte", params.created_at_lte.as_deref()),
        ("event_type", params.event_type.as_deref()),
        ("status_code", params.status_code.as_deref()),
        ("page_size", params.page_size.as_deref()),
    ];
    super::address(app, "/v1/webhook-requests/", &filters, &[("cursor", &format!("{mark}{id}"))])
}

fn view(row: &Delivery) -> ApiResult<WebhookRequest> {
    Ok(WebhookRequest {
        id: row.id.to_string(),
        webhook_id: row.event_id.to_string(),
        endpoint_id: row.webhook_id.to_string(),
        event_type: row.event_type.clone(),
        event_created_at: reports::time(row.event_created_at),
        attempted_at: reports::time(row.attempted_at),
        attempt: row.attempt,
        status_code: row.status_code,
        error_message: row.error_message.clone(),
        answer: row.answer.clone(),
        duration_ms: row.duration_ms,
        webhook_url: row.url.clone(),
        webhook_payload: serde_json::from_str(&row.body).map_err(error::internal)?,
    })
}
