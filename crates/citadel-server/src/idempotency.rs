//! Idempotency keys (P43): a call that creates or spends is repeated without harm under the header `Idempotency-Key`.
//!
//! The answer is kept in the transaction of its effect ([`Once::keep`]): after a crash there are both or neither, and no claim
//! has to run out. Of twins in this process the second is told to wait; of twins on two nodes the second waits for the first
//! one's row, undoes what it did, and gets the same answer.

use std::{
    collections::HashSet,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::Body,
    extract::{FromRequestParts, MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::Route,
};
use citadel_domain::{LinkId, TaskId, UserId};
use citadel_store::{
    Place, Tenant, Tx,
    idempotency_keys::{self, Kept, NewAnswer},
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tower::Service;
use zeroize::Zeroizing;

use crate::{
    app::App,
    auth::Caller,
    body,
    calls::Marks,
    error::{self, ApiError, ApiResult},
    purposes,
};

/// The header that carries a key.
pub(crate) const HEADER: &str = "Idempotency-Key";

/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The longest key, in characters.
const MAX_KEY: usize = 255;

/// How long an answer is kept. By the machine's clock: repeating is about machines.
const LIFE: SignedDuration = SignedDuration::from_hours(24);

/// Calls that only read, though they are sent as POST: there is nothing to keep. Every other POST takes a key.
pub(crate) const READS: [&str; 12] = [
    "/v1/account-switches/",
    "/v1/administrators/directories/",
    "/v1/companies/",
    "/v1/deposit-switches/",
    "/v1/link/reports/admin/",
    "/v1/links/reports/admin/",
    "/v1/links/reports/{kind}/",
    "/v1/orders/lookup/",
    "/v1/paycheck-linked-loans/",
    "/v1/sandbox/scenarios/resolve/",
    "/v1/verifications/employments/",
    "/v1/verifications/incomes/",
];

/// The calls under keys that this process answers now.
#[derive(Default)]
pub(crate) struct Running(Mutex<HashSet<[u8; 32]>>);

/// One of them, until it is dropped.
struct Turn {
    app: App,
    key_hash: [u8; 32],
}

impl Turn {
    fn take(app: &App, key_hash: [u8; 32]) -> Option<Self> {
        let mut running = app.running.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(key_hash).then(|| Self { app: app.clone(), key_hash })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.app.running.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key_hash);
    }
}

/// What a handler that creates or spends takes: where its answer is kept, if the caller sent a key.
#[derive(Clone)]
pub(crate) struct Once(Option<Arc<Ticket>>);

#[derive(Clone)]
struct Ticket {
    app: App,
    tenant: Tenant,
    key_hash: [u8; 32],
    request_hash: [u8; 32],
    /// A call before this one began the task and was not answered.
    begun: Option<TaskId>,
}

impl FromRequestParts<App> for Once {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        Ok(Self(parts.extensions.get::<Arc<Ticket>>().cloned()))
    }
}

/// Whose data an answer holds: it goes with them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Holds {
    pub(crate) user_id: Option<UserId>,
    pub(crate) link_id: Option<LinkId>,
}

impl Holds {
    /// Nobody's.
    pub(crate) const NOTHING: Self = Self { user_id: None, link_id: None };

    pub(crate) const fn user(id: UserId) -> Self {
        Self { user_id: Some(id), link_id: None }
    }

    pub(crate) const fn link(id: LinkId) -> Self {
        Self { user_id: None, link_id: Some(id) }
    }
}

impl Once {
    /// For who has no key, as the widget.
    pub(crate) const NEVER: Self = Self(None);

    /// Keeps the answer, in the transaction of its effect and as its last step.
    pub(crate) async fn keep(
        &self,
        tx: &mut Tx<'_>,
        status: StatusCode,
        answer: &impl Serialize,
        holds: Holds,
    ) -> ApiResult<()> {
        let Some(ticket) = &self.0 else { return Ok(()) };
        let mut plain = Zeroizing::new(status.as_u16().to_be_bytes().to_vec());
        serde_json::to_writer(&mut *plain, answer).map_err(error::internal)?;
        let sealed = ticket.app.keyring.seal(&ticket.place(), &plain)?;
        ticket.write(tx, Some(sealed), ticket.begun, holds).await
    }

    /// Keeps the task that was begun, in its transaction: a repeated call goes on with it instead of beginning another. The
    /// answer is kept at its end.
    pub(crate) async fn keep_begun(
        &self,
        tx: &mut Tx<'_>,
        task_id: TaskId,
        link_id: LinkId,
    ) -> ApiResult<()> {
        let Some(ticket) = &self.0 else { return Ok(()) };
        ticket.write(tx, None, Some(task_id), Holds::link(link_id)).await
    }

    pub(crate) const fn has_key(&self) -> bool {
        self.0.is_some()
    }

    /// The task that an earlier call under this key began.
    pub(crate) fn begun(&self) -> Option<TaskId> {
        self.0.as_ref().and_then(|ticket| ticket.begun)
    }

    /// The same, after [`keep_begun`](Self::keep_begun) of this task.
    pub(crate) fn with_begun(self, task_id: TaskId) -> Self {
        Self(self.0.map(|ticket| Arc::new(Ticket { begun: Some(task_id), ..(*ticket).clone() })))
    }

    /// Whether the effect has happened under this key after all: on another node, or for a call that went away.
    pub(crate) async fn is_kept(&self, tx: &mut Tx<'_>) -> ApiResult<bool> {
        let Some(ticket) = &self.0 else { return Ok(false) };
        Ok(ticket.find(tx).await?.is_some())
    }
}

impl Ticket {
    fn place(&self) -> Place {
        let row = idempotency_keys::row_id(&self.key_hash);
        Place::new(self.tenant, "idempotency_keys", "answer_sealed", *row.as_bytes())
    }

    async fn find(&self, tx: &mut Tx<'_>) -> ApiResult<Option<Kept>> {
        Ok(idempotency_keys::find(tx, self.tenant, &self.key_hash, kept_since(self.app.clock.now())).await?)
    }

    async fn write(
        &self,
        tx: &mut Tx<'_>,
        answer_sealed: Option<Vec<u8>>,
        task_id: Option<TaskId>,
        holds: Holds,
    ) -> ApiResult<()> {
        let now = self.app.clock.now();
        let new = NewAnswer {
            tenant: self.tenant,
            key_hash: self.key_hash,
            request_hash: self.request_hash,
            answer_sealed,
            user_id: holds.user_id,
            link_id: holds.link_id,
            task_id,
            created_at: now,
        };
        // The twin that was first has an answer: this one's effect is undone, and that answer given.
        if idempotency_keys::keep(tx, &new, kept_since(now)).await? {
            Ok(())
        } else {
            Err(error::key_in_use())
        }
    }

    /// The answer that was kept, and the task that was begun.
    async fn look_up(&self) -> ApiResult<(Option<Response>, Option<TaskId>)> {
        let ticket = self.clone();
        let db = self.app.db.scoped(self.tenant.client_id);
        let Some(kept) = db.read(async move |tx| ticket.find(tx).await).await? else {
            return Ok((None, None));
        };
        if kept.request_hash != self.request_hash {
            return Err(error::key_reused());
        }
        let Some(sealed) = kept.answer_sealed else { return Ok((None, kept.task_id)) };
        let plain = self.app.keyring.unseal(&self.place(), &sealed)?;
        let unreadable = || error::internal("a kept answer cannot be read");
        let (status, body) = plain.split_first_chunk::<2>().ok_or_else(unreadable)?;
        let mut response = Response::new(Body::from(body.to_vec()));
        *response.status_mut() =
            StatusCode::from_u16(u16::from_be_bytes(*status)).map_err(|_| unreadable())?;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        Ok((Some(response), None))
    }
}

/// Whether a call is to be answered [`once`]: one that creates or spends, with a key.
pub(crate) fn has_key(request: &Request) -> bool {
    let is_writing =
        |path: &MatchedPath| path.as_str().starts_with("/v1/") && !READS.contains(&path.as_str());
    request.method() == Method::POST
        && request.headers().contains_key(HEADER)
        && request.extensions().get::<MatchedPath>().is_some_and(is_writing)
}

/// Answers a call with a key: as before, or by its handler.
pub(crate) async fn once(app: App, route: Route, request: Request) -> Result<Response, Infallible> {
    Ok(answer_once(&app, route, request).await.unwrap_or_else(IntoResponse::into_response))
}

async fn answer_once(app: &App, mut route: Route, request: Request) -> ApiResult<Response> {
    let (ticket, mut request) = read(app, request).await?;
    let Some(_turn) = Turn::take(app, ticket.key_hash) else { return Err(error::key_in_use()) };
    let (answer, begun) = ticket.look_up().await?;
    if let Some(answer) = answer {
        return Ok(answer);
    }
    request.extensions_mut().insert(Arc::new(Ticket { begun, ..ticket.clone() }));
    let Ok(response) = route.call(request).await;
    if response.status().is_client_error() {
        // A twin may have been first: then the refusal, such as that of a spent token, is about its effect.
        return Ok(ticket.look_up().await?.0.unwrap_or(response));
    }
    Ok(response)
}

/// Reads key and body, and proves the caller first: to strangers nothing is said.
async fn read(app: &App, request: Request) -> ApiResult<(Ticket, Request)> {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, app).await?;
    let key = checked(&parts.headers)?;
    let tenant = caller.tenant;
    // Of what cannot hold the byte that parts them, but the key, which comes last.
    let path = parts.uri.path();
    let id = format!("{}\0{}\0{path}\0{key}", tenant.client_id, tenant.environment);
    let key_hash = app.keyring.keyed_hash(purposes::IDEMPOTENCY_KEY, &id);
    let body = body::read(Request::new(body)).await?;
    // An answer that was given before is given without its handler.
    if let Some(marks) = parts.extensions.get::<Marks>() {
        marks.request(&body);
    }
    let query = parts.uri.query().unwrap_or_default();
    let sent = Zeroizing::new([query.as_bytes(), b"\0", &body].concat());
    let request_hash = app.keyring.keyed_hash(purposes::IDEMPOTENT_REQUEST, &*sent);
    let ticket = Ticket { app: app.clone(), tenant, key_hash, request_hash, begun: None };
    Ok((ticket, Request::from_parts(parts, Body::from(body))))
}

fn checked(headers: &HeaderMap) -> ApiResult<String> {
    let mut values = headers.get_all(HEADER).iter();
    let key = values.next().and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_good = (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if is_good && values.next().is_none() {
        Ok(key.to_owned())
    } else {
        let message = format!("Send it once, with 1 to {MAX_KEY} visible ASCII characters without spaces.");
        Err(error::invalid(HEADER, message))
    }
}

/// What was kept at this time or earlier is forgotten.
pub(crate) fn kept_since(now: Timestamp) -> Timestamp {
    now.saturating_sub(LIFE).unwrap_or(Timestamp::MIN)
}
