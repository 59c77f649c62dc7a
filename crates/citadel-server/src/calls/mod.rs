//! The record of calls and screens, beside what happens and never part of it: an answered request is put on a list in memory, and
//! a few times a second what is there is written in small transactions. Whoever calls waits for none of that, and what finds the
//! list full is counted and forgotten. Usage is counted apart and is never left out.

mod mask;

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::MatchedPath,
    http::{Method, StatusCode, Uri, header},
    response::Response,
};
use citadel_domain::{AccessKeyId, BridgeTokenId, CallId, Environment, ScreenId, TaskId};
use citadel_store::{
    Error, Tenant,
    bridge_tokens::BridgeToken,
    calls::{self, Call, NewCall},
    sandboxes::{self, Pace},
    screens::{self, NewScreen},
    usage::{self, Kind, Tally},
};
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{broadcast, watch};
use zeroize::Zeroizing;

#[cfg(any(test, feature = "fuzz"))]
pub(crate) use self::mask::check as check_mask;
use self::mask::{Named, Side};
use crate::{app::App, auth::Caller, purposes};

/// How often what waits is written.
const EVERY: Duration = Duration::from_millis(200);
/// Calls that are written each time. It bounds what the record can cost: 640 calls a second.
const EACH_TIME: usize = 128;
/// Calls, and screens, that wait at the most, so that a burst has room.
const MOST: usize = 512;
/// Calls in one transaction, so that nobody waits long for the writer.
const AT_ONCE: usize = 64;
/// Calls that a slow listener may be behind before it misses some.
const TAIL: usize = 1024;

/// The route by which the widget tells its screens: it is no part of the record itself.
pub(crate) const SCREENS: &str = "/bridge/api/screens";

/// The record of this process.
pub struct Calls {
    waiting: Mutex<Waiting>,
    tail: broadcast::Sender<Arc<Recorded>>,
}

impl Default for Calls {
    fn default() -> Self {
        Self { waiting: Mutex::default(), tail: broadcast::Sender::new(TAIL) }
    }
}

/// A call that was written by this process.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Whose it is: show it to nobody else.
    pub tenant: Tenant,
    pub call: Call,
}

#[derive(Default)]
struct Waiting {
    calls: Vec<Answered>,
    screens: Vec<Shown>,
    usage: HashMap<Kind, Tally>,
}

/// Who called, and what was sent: filled by the extractors that prove the one and read the other.
#[derive(Clone, Default)]
pub(crate) struct Marks(Arc<Seen>);

#[derive(Default)]
struct Seen {
    who: OnceLock<Who>,
    request: OnceLock<Zeroizing<Vec<u8>>>,
}

#[derive(Clone, Copy)]
struct Who {
    tenant: Tenant,
    access_key_id: Option<AccessKeyId>,
    bridge_token_id: Option<BridgeTokenId>,
    is_masked: bool,
}

impl Marks {
    pub(crate) fn caller(&self, caller: &Caller) {
        let Caller { tenant, access_key_id, is_masked, .. } = *caller;
        let who = Who { tenant, access_key_id: Some(access_key_id), bridge_token_id: None, is_masked };
        let _ = self.0.who.set(who);
    }

    pub(crate) fn widget(&self, token: &BridgeToken) {
        let bridge_token_id = Some(token.id);
        let who = Who { tenant: token.tenant, access_key_id: None, bridge_token_id, is_masked: false };
        let _ = self.0.who.set(who);
    }

    /// Whether the caller's key is a masked one.
    pub(crate) fn is_masked(&self) -> bool {
        self.0.who.get().is_some_and(|who| who.is_masked)
    }

    /// What was sent, as far as it is looked at.
    pub(crate) fn request(&self, body: &[u8]) {
        let _ = self.0.request.set(beginning(body));
    }
}

/// A request with its answer.
pub(crate) struct Answer<'a> {
    pub(crate) id: CallId,
    pub(crate) received_at: Timestamp,
    pub(crate) method: &'a Method,
    pub(crate) route: &'a MatchedPath,
    pub(crate) uri: &'a Uri,
    pub(crate) duration: Duration,
    pub(crate) marks: &'a Marks,
}

/// A call that waits to be written.
struct Answered {
    id: CallId,
    received_at: Timestamp,
    who: Who,
    method: Method,
    route: MatchedPath,
    uri: Uri,
    status: StatusCode,
    duration_us: u64,
    marks: Marks,
    response: Option<Zeroizing<Vec<u8>>>,
}

/// A screen that waits to be written.
struct Shown {
    tenant: Tenant,
    bridge_token_id: BridgeTokenId,
    name: &'static str,
    at: Timestamp,
}

impl Calls {
    /// Hears of each call that this process writes, after its commit. Other nodes' calls are in the store alone.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Recorded>> {
        self.tail.subscribe()
    }

    /// Puts an answered request on the list, if a client or a widget sent it. The answer is handed back as it was.
    pub(crate) async fn record(&self, app: &App, answer: Answer<'_>, response: Response) -> Response {
        let Some(who) = answer.marks.0.who.get().copied() else { return response };
        let route = answer.route.as_str();
        if route == SCREENS {
            return response;
        }
        // The body of a call that finds no room is not looked at.
        let is_full = self.lock().calls.len() >= MOST;
        let (response, body) = if is_full { (response, None) } else { beginning_of_json(response).await };
        let duration_us = u64::try_from(answer.duration.as_micros()).unwrap_or(u64::MAX);
        let status = response.status();
        let mut waiting = self.lock();
        // The widget's calls wait for news of its task: how long they take says nothing.
        if who.access_key_id.is_some() {
            let kind = Kind::of(who.tenant, answer.received_at, route, status.as_u16(), duration_us);
            let tally = waiting.usage.entry(kind).or_default();
            tally.calls += 1;
            tally.duration_us += i64::try_from(duration_us).unwrap_or(i64::MAX);
        }
        if waiting.calls.len() >= MOST {
            app.metrics.record_lost_calls(1);
            return response;
        }
        waiting.calls.push(Answered {
            id: answer.id,
            received_at: answer.received_at,
            who,
            method: answer.method.clone(),
            route: answer.route.clone(),
            uri: answer.uri.clone(),
            status,
            duration_us,
            marks: answer.marks.clone(),
            response: body,
        });
        response
    }

    /// Puts a screen on the list. `live`: when it was shown, on the machine's clock.
    pub(crate) fn screen(&self, app: &App, token: &BridgeToken, name: &'static str, live: Timestamp) {
        let mut waiting = self.lock();
        if waiting.screens.len() >= MOST {
            app.metrics.record_lost_calls(1);
            return;
        }
        let at = token.pace.shows(live);
        waiting.screens.push(Shown { tenant: token.tenant, bridge_token_id: token.id, name, at });
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what waits, a few times a second, and what is left when it is told of the end, which is after the last answer.
pub(crate) async fn keep(app: App, mut end: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => write_oldest(&app, EACH_TIME).await,
            _ = end.changed() => return flush(&app).await,
        }
    }
}

/// Writes what waits.
pub async fn flush(app: &App) {
    write_oldest(app, MOST).await;
}

/// Writes so many of the calls that wait, and all else.
async fn write_oldest(app: &App, most: usize) {
    let (calls, mut screens, mut usage) = {
        let mut waiting = app.calls.lock();
        let most = most.min(waiting.calls.len());
        let calls: Vec<_> = waiting.calls.drain(..most).collect();
        (calls, mem::take(&mut waiting.screens), mem::take(&mut waiting.usage))
    };
    let mut calls = calls.into_iter().map(|call| new_call(app, call)).peekable();
    while calls.peek().is_some() || !screens.is_empty() || !usage.is_empty() {
        let some: Vec<_> = calls.by_ref().take(AT_ONCE).collect();
        let (shown, counted) = (mem::take(&mut screens), mem::take(&mut usage));
        let lost = some.len() + shown.len();
        let kept = counted.clone();
        match write(app, some, shown, counted).await {
            Ok(recorded) => {
                for call in recorded {
                    // Nobody may be listening.
                    let _ = app.calls.tail.send(Arc::new(call));
                }
            }
            Err(cause) => {
                tracing::warn!(error.cause = %cause, "cannot write down calls");
                app.metrics.record_lost_calls(u64::try_from(lost).unwrap_or(u64::MAX));
                let mut waiting = app.calls.lock();
                for (kind, Tally { calls, duration_us }) in kept {
                    let tally = waiting.usage.entry(kind).or_default();
                    tally.calls += calls;
                    tally.duration_us += duration_us;
                }
            }
        }
    }
}

async fn write(
    app: &App,
    new: Vec<NewCall>,
    shown: Vec<Shown>,
    counted: HashMap<Kind, Tally>,
) -> Result<Vec<Recorded>, Error> {
    let screens: Vec<_> = shown.into_iter().map(|shown| new_screen(app, shown)).collect();
    app.db
        .write(async move |tx| {
            let mut paces: HashMap<Tenant, Pace> = HashMap::new();
            let mut recorded = Vec::with_capacity(new.len());
            for call in &new {
                let tenant = call.tenant;
                let mut call = call.clone();
                if tenant.environment == Environment::Sandbox {
                    let pace = match paces.get(&tenant) {
                        Some(pace) => *pace,
                        None => *paces.entry(tenant).or_insert(sandboxes::pace(tx, tenant).await?),
                    };
                    call.at = pace.shows(call.at);
                }
                let kept = calls::append(tx, &call).await?;
                recorded.extend(kept.map(|call| Recorded { tenant, call }));
            }
            for screen in &screens {
                screens::append(tx, screen).await?;
            }
            for (kind, tally) in &counted {
                usage::add(tx, kind, *tally).await?;
            }
            Ok(recorded)
        })
        .await
}

/// The call without anybody's data.
fn new_call(app: &App, call: Answered) -> NewCall {
    let is_good = call.status.is_success();
    let mut named = Named::default();
    let mut mask = |body: Option<&Zeroizing<Vec<u8>>>, side| {
        let masked = mask::mask(body?, side, is_good, &mut named)?;
        app.keeps_call_bodies.then(|| short(&masked))
    };
    // What the answer says of itself goes before what was asked.
    let response = mask(call.response.as_ref(), Side::Response);
    let request = mask(call.marks.0.request.get(), Side::Request);
    let route = call.route.as_str();
    let in_path = |place| part(route, call.uri.path(), place);
    let hash = |purpose, token: Option<Zeroizing<String>>| {
        token.map(|token| app.keyring.keyed_hash(purpose, &token))
    };
    NewCall {
        id: call.id,
        tenant: call.who.tenant,
        at: call.received_at,
        method: call.method.as_str().to_owned(),
        route: route.to_owned(),
        path: mask::mask_path(route, call.uri.path(), is_good),
        status: i64::from(call.status.as_u16()),
        duration_us: i64::try_from(call.duration_us).unwrap_or(i64::MAX),
        access_key_id: call.who.access_key_id,
        bridge_token_id: call.who.bridge_token_id,
        link_id: in_path("{link_id}").and_then(|id| id.parse().ok()).or(named.link_id),
        task_id: in_path("{task_id}").and_then(|id| id.parse::<TaskId>().ok()).or(named.task_id),
        bridge_token_hash: hash(purposes::BRIDGE_TOKEN, named.bridge_token),
        access_token_hash: hash(purposes::ACCESS_TOKEN, named.access_token),
        request,
        response,
    }
}

fn new_screen(app: &App, Shown { tenant, bridge_token_id, name, at }: Shown) -> NewScreen {
    NewScreen { id: ScreenId::generate(at, &*app.random), tenant, bridge_token_id, name, at }
}

/// What a path has in a place of its template.
fn part<'a>(template: &str, path: &'a str, place: &str) -> Option<&'a str> {
    let at = template.split('/').position(|part| part == place)?;
    path.split('/').nth(at)
}

/// A body as it is kept.
fn short(masked: &str) -> Vec<u8> {
    lz4_flex::block::compress_prepend_size(masked.as_bytes())
}

/// The masked JSON of a body that was kept: one of [`citadel_store::calls::Bodies`].
pub fn text_of(kept: &[u8]) -> Option<String> {
    // What it says of its length is believed only as far as it can be true.
    let (length, _) = lz4_flex::block::uncompressed_size(kept).ok()?;
    let bytes =
        (length <= 2 * mask::MOST).then(|| lz4_flex::block::decompress_size_prepended(kept).ok())??;
    String::from_utf8(bytes).ok()
}

/// As much of a body as is looked at, in a copy that is wiped.
fn beginning(body: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(body[..body.len().min(mask::MOST)].to_vec())
}

/// The beginning of an answer that is JSON and lies in memory whole; streams pass by.
async fn beginning_of_json(response: Response) -> (Response, Option<Zeroizing<Vec<u8>>>) {
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !is_json || response.body().size_hint().exact().is_none() {
        return (response, None);
    }
    let (head, body) = response.into_parts();
    // It is there already: nothing is waited for, and nothing can break.
    let bytes = body.collect().await.map_or_else(|_| Bytes::new(), http_body_util::Collected::to_bytes);
    let kept = beginning(&bytes);
    (Response::from_parts(head, Body::from(bytes)), Some(kept))
}

/// When something was, that was told so long after it. Told times are believed for a minute.
pub(crate) fn before(live: Timestamp, millis: u64) -> Timestamp {
    let ago = SignedDuration::from_millis(i64::try_from(millis.min(60_000)).unwrap_or(0));
    live.saturating_sub(ago).unwrap_or(live)
}
