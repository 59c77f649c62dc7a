//! The event stream: requests as an endpoint would get them, for machines that the server cannot reach. `citadel listen`
//! reads it.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    extract::State,
    http::HeaderMap,
    response::sse::{Event as Message, KeepAlive, Sse},
};
use citadel_api_types::{
    error::ErrorBody,
    events::{StreamStart, StreamedRequest},
};
use citadel_domain::Secret;
use citadel_store::{
    access_keys::{self, AccessKey},
    webhook_events::{self, WebhookEvent},
};
use futures_core::Stream;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use utoipa::IntoParams;

use super::{Params, events::sequence};
use crate::{
    app::App,
    auth::Caller,
    error::{self, ApiResult},
    webhooks::{secrets, signing},
};

/// How often a stream looks for events that another node has written.
const LOOK: Duration = Duration::from_secs(1);
/// How often a silent stream says that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Events that are read at a time.
const BATCH: u32 = 50;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamParams {
    /// Begin after this `sequence`. From now on when absent; the header `Last-Event-ID` says the same, and wins.
    after: Option<String>,
}

/// Listen to the events of your environment, as server-sent events.
///
/// The first message is `start`, with a `StreamStart`. Then comes one `request` per event, whose data is the request
/// that an endpoint would get, headers and body, and whose id is the `sequence` of the event.
#[utoipa::path(get, path = "/v1/events/stream/", tag = "webhooks", params(StreamParams), responses(
    (status = 200, content_type = "text/event-stream", body = StreamedRequest),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "too many open streams", body = ErrorBody),
))]
pub(crate) async fn stream_events(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<StreamParams>,
    headers: HeaderMap,
) -> ApiResult<Sse<impl Stream<Item = Result<Message, Infallible>>>> {
    let resumed = headers.get("last-event-id").map(|value| value.to_str().unwrap_or("?"));
    let after = match sequence("after", resumed.or(params.after.as_deref()))? {
        Some(after) => after,
        None => newest(&app, caller).await?,
    };
    let slot = app
        .streams
        .try_enter(caller.tenant.client_id)
        .ok_or_else(|| error::forbidden("Too many open event streams: close one first."))?;
    // A reader that is slow holds up the writer, and nothing piles up here.
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(feed(app, caller, after, sender, slot));
    Ok(Sse::new(Messages(receiver)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

async fn newest(app: &App, caller: Caller) -> ApiResult<i64> {
    let tenant = caller.tenant;
    let db = app.db.scoped(tenant.client_id);
    Ok(db.read(async move |tx| webhook_events::last_sequence(tx, tenant).await).await?)
}

/// Writes messages until the reader is gone, its key is deleted, or the server stops.
async fn feed(
    app: App,
    caller: Caller,
    mut after: i64,
    sender: mpsc::Sender<Message>,
    _slot: OwnedSemaphorePermit,
) {
    let mut bell = app.event_bell.subscribe();
    let mut stopping = app.stopping.subscribe();
    let secret = secrets::of_streams(&app, caller.tenant);
    let mut messages = vec![message("start", after, &StreamStart { after, secret: secret.expose().into() })];
    loop {
        for message in messages.drain(..).flatten() {
            tokio::select! {
                sent = sender.send(message) => if sent.is_err() { return },
                _ = stopping.wait_for(|is_stopping| *is_stopping) => return,
            }
        }
        match read(&app, caller, after).await {
            Ok(Some((events, keys))) => {
                after = events.last().map_or(after, |last| last.sequence);
                messages = events.iter().map(|event| request(&app, caller, event, &keys, &secret)).collect();
            }
            Ok(None) => return,
            // The reader comes back, and goes on where it was.
            Err(cause) => {
                tracing::warn!(error.cause = %cause, "cannot read events for a stream");
                return;
            }
        }
        if messages.is_empty() {
            tokio::select! {
                _ = bell.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
                () = sender.closed() => return,
                _ = stopping.wait_for(|is_stopping| *is_stopping) => return,
            }
        }
    }
}

/// What follows, and the keys that sign it; `None` when the caller's own key is gone.
async fn read(
    app: &App,
    caller: Caller,
    after: i64,
) -> Result<Option<(Vec<WebhookEvent>, Vec<AccessKey>)>, citadel_store::Error> {
    let (tenant, key) = (caller.tenant, caller.access_key_id);
    let db = app.db.scoped(tenant.client_id);
    db.read(async move |tx| {
        let keys = access_keys::list_active(tx, tenant.client_id).await?;
        if !keys.iter().any(|active| active.id == key) {
            return Ok(None);
        }
        Ok(Some((webhook_events::list_after(tx, tenant, after, BATCH).await?, keys)))
    })
    .await
}

/// The request that an endpoint would get. `None` when it cannot be signed, which the log tells.
fn request(
    app: &App,
    caller: Caller,
    event: &WebhookEvent,
    keys: &[AccessKey],
    secret: &Secret,
) -> Option<Message> {
    let access = secrets::of_access(app, caller.tenant, keys, event.access_key_id);
    let access = access.inspect_err(|cause| {
        tracing::error!(error.cause = cause.cause_text(), event.id = %event.id, "cannot sign an event for a stream");
    });
    let (now, secrets) = (app.clock.now(), std::slice::from_ref(secret));
    let headers = signing::headers(event.id, &event.body, now, &access.ok()??, secrets);
    let headers = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    let request = StreamedRequest { sequence: event.sequence, headers, body: event.body.clone() };
    message("request", event.sequence, &request)
}

fn message(name: &str, id: i64, data: &impl Serialize) -> Option<Message> {
    Message::default().event(name).id(id.to_string()).json_data(data).ok()
}

/// What a task writes, as the body of an answer.
pub(crate) struct Messages(pub(crate) mpsc::Receiver<Message>);

impl Stream for Messages {
    type Item = Result<Message, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|message| message.map(Ok))
    }
}
