//! One flow on one line: calls, screens, steps of tasks, events and deliveries, in order of time.

use std::collections::{BTreeSet, HashMap};

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use citadel_domain::{BridgeTokenId, CallId, EventId, LinkId, Product};
use citadel_store::{
    bridge_tokens::{self, BridgeToken},
    calls::{Bodies, Call},
    flows::{self, Entry, What},
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{
        asked::query,
        guard::Here,
        links, lists,
        page::{Frame, PageError, PageResult, show, time},
    },
    code,
};
use crate::{app::App, calls};

/// Entries on a page.
const ENTRIES: usize = 100;

#[derive(Template)]
#[template(path = "dashboard/flow.html")]
struct Page {
    frame: Frame,
    id: String,
    product: Product,
    created: String,
    expires: String,
    links: Vec<String>,
    lines: Vec<Line>,
    total: usize,
    earlier: Option<String>,
    later: Option<String>,
}

/// Something on the line.
struct Line {
    at: String,
    kind: &'static str,
    title: String,
    status: String,
    tone: &'static str,
    duration: Option<String>,
    texts: Vec<Text>,
    places: Vec<(&'static str, String)>,
}

/// A text that can be copied.
struct Text {
    name: &'static str,
    id: String,
    text: String,
}

#[derive(Default, Deserialize)]
pub(in super::super) struct Asked {
    /// How many entries come before the page.
    from: Option<usize>,
}

pub(in super::super) async fn get_flow(
    State(app): State<App>,
    here: Here,
    Path((_, _, id)): Path<(String, String, String)>,
    Query(asked): Query<Asked>,
) -> PageResult<Response> {
    let (tenant, id) = (here.tenant, lists::id::<BridgeTokenId>(&id)?);
    let from = asked.from.unwrap_or(0);
    let found = app
        .db
        .scoped(tenant.client_id)
        .read(async move |tx| {
            let Some(token) = bridge_tokens::find(tx, tenant, id).await? else {
                return Ok::<_, citadel_store::Error>(None);
            };
            let entries = flows::timeline(tx, tenant, id).await?;
            let bodies = match stretch(&entries, from) {
                Some(stretch) => flows::bodies(tx, tenant, id, stretch).await?,
                None => HashMap::new(),
            };
            Ok(Some((token, entries, bodies)))
        })
        .await?;
    let (token, entries, bodies) = found.ok_or_else(PageError::not_found)?;
    let path = here.url(&format!("flows/{id}"));
    let address = |from: usize| query(&path, &[("from", Some(&from.to_string()))]);
    let words = words_of_events(&entries);
    let lines = entries.iter().enumerate().skip(from).take(ENTRIES);
    let known = Known { app: &app, here: &here, bodies: &bodies, words: &words };
    show(&Page {
        frame: here.frame("flows"),
        id: id.to_string(),
        product: token.product,
        created: time(token.created_at),
        expires: time(token.expires_at),
        links: links_of(&token, &entries),
        lines: lines.map(|(place, entry)| line(&known, place, entry)).collect(),
        total: entries.len(),
        earlier: (from > 0).then(|| address(from.saturating_sub(ENTRIES))),
        later: (entries.len() > from.saturating_add(ENTRIES)).then(|| address(from + ENTRIES)),
    })
}

/// The first and the last call of a page, by id.
fn stretch(entries: &[Entry], from: usize) -> Option<(CallId, CallId)> {
    let calls = entries.iter().skip(from).take(ENTRIES).filter_map(|entry| match &entry.what {
        What::Call(call) => Some(call.id),
        _ => None,
    });
    calls.fold(None, |found, id| match found {
        Some((first, last)) => Some((id.min(first), id.max(last))),
        None => Some((id, id)),
    })
}

/// The links that the flow is about: the one that it repairs, and those of its tasks.
fn links_of(token: &BridgeToken, entries: &[Entry]) -> Vec<String> {
    let of_tasks = entries.iter().filter_map(|entry| match entry.what {
        What::Begun { link_id, .. } => Some(link_id),
        _ => None,
    });
    let links: BTreeSet<LinkId> = token.link_id.into_iter().chain(of_tasks).collect();
    links.iter().map(LinkId::to_string).collect()
}

/// What events tell, for those who were told.
fn words_of_events(entries: &[Entry]) -> HashMap<EventId, String> {
    let words = entries.iter().filter_map(|entry| match &entry.what {
        What::Event { id, event_type, body, .. } => Some((*id, links::event_words(event_type, body))),
        _ => None,
    });
    words.collect()
}

/// What is needed to tell of any entry.
struct Known<'a> {
    app: &'a App,
    here: &'a Here,
    bodies: &'a HashMap<CallId, Bodies>,
    words: &'a HashMap<EventId, String>,
}

fn plain(entry: &Entry, kind: &'static str, title: String) -> Line {
    Line {
        at: time(entry.at),
        kind,
        title,
        status: String::new(),
        tone: "",
        duration: None,
        texts: Vec::new(),
        places: Vec::new(),
    }
}

fn line(known: &Known<'_>, place: usize, entry: &Entry) -> Line {
    match &entry.what {
        What::Call(call) => call_line(known, place, entry, call),
        What::Screen(name) => plain(entry, "Screen", name.clone()),
        What::Begun { task_id, link_id } => Line {
            places: vec![("The task", links::task_url(known.here, *link_id, *task_id))],
            ..plain(entry, "Task", "began".to_owned())
        },
        What::Ended { task_id, link_id, status } => Line {
            status: status.to_string(),
            tone: lists::tone(*status),
            places: vec![("The task", links::task_url(known.here, *link_id, *task_id))],
            ..plain(entry, "Task", "ended".to_owned())
        },
        What::Event { event_type, body, .. } => {
            let words = links::event_words(event_type, body);
            let kind = if words == *event_type { "Event" } else { "Task step" };
            let text = Text { name: "Event", id: format!("event-{place}"), text: pretty(body) };
            Line { texts: vec![text], ..plain(entry, kind, words) }
        }
        What::Delivery {
            webhook_id,
            event_id,
            event_type,
            attempt,
            status_code,
            error_message,
            duration_ms,
            ..
        } => {
            let words = known.words.get(event_id).unwrap_or(event_type);
            let problem =
                |text: &String| Text { name: "Problem", id: format!("problem-{place}"), text: text.clone() };
            let is_good = status_code.is_some_and(|code| (200..300).contains(&code));
            Line {
                status: status_code.map_or_else(|| "no answer".to_owned(), |code| code.to_string()),
                tone: if is_good { "good" } else { "bad" },
                duration: Some(format!("{duration_ms} ms")),
                texts: error_message.iter().map(problem).collect(),
                places: vec![("The endpoint", known.here.url(&format!("webhooks/{webhook_id}")))],
                ..plain(entry, "Webhook", format!("{words}, attempt {attempt}"))
            }
        }
    }
}

fn call_line(known: &Known<'_>, place: usize, entry: &Entry, call: &Call) -> Line {
    let kind = if call.access_key_id.is_some() { "API call" } else { "Widget call" };
    Line {
        status: call.status.to_string(),
        tone: if call.status < 400 { "good" } else { "bad" },
        duration: Some(micros(call.duration_us)),
        texts: texts_of_call(known, place, call),
        places: vec![("In the log", known.here.url(&format!("logs/{}", call.id)))],
        ..plain(entry, kind, format!("{} {}", call.method, call.path))
    }
}

fn texts_of_call(known: &Known<'_>, place: usize, call: &Call) -> Vec<Text> {
    let (bodies, tenant) = (known.bodies.get(&call.id), known.here.tenant);
    let open = |kept: &Option<Vec<u8>>| kept.as_deref().and_then(calls::text_of);
    let request = bodies.and_then(|bodies| open(&bodies.request));
    let response = bodies.and_then(|bodies| open(&bodies.response));
    let text = |name, id: &str, text| Text { name, id: format!("{id}-{place}"), text };
    let mut texts = Vec::new();
    texts.extend(request.as_deref().map(|body| text("Request", "request", pretty(body))));
    texts.extend(response.as_deref().map(|body| text("Response", "response", pretty(body))));
    texts.push(text("As curl", "curl", code::curl(known.app, tenant, call, request.as_deref())));
    texts.push(text("As Rust", "rust", code::rust(known.app, tenant, call, request.as_deref())));
    texts
}

/// JSON with lines, as far as it is JSON.
fn pretty(text: &str) -> String {
    let value = serde_json::from_str::<Value>(text).ok();
    value.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| text.to_owned())
}

fn micros(duration: i64) -> String {
    format!("{}.{} ms", duration / 1000, duration % 1000 / 100)
}
