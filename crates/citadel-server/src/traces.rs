//! Traces: each request and each run of a job as a span, sent to a collector by OTLP over HTTP, as JSON.
//!
//! Off unless `CITADEL_OTLP_ENDPOINT` is set. A span says what the log says (`docs/logging.md`) and nothing else: the fields of
//! the span and of the lines within it. A request's trace has the request's id, so one leads to the other. The usual libraries
//! would bring three dozen crates for the two kinds of span that there are; this is the part of the protocol that they need.

use std::{sync::Arc, time::Duration};

use citadel_domain::{Clock, Random, tokens};
use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, timeout_at},
};
use tracing::{
    Event, Id, Level, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    layer::{Context, Filter},
    registry::LookupSpan,
};

/// Spans that wait to be sent. Those that come while so many wait are dropped, for requests must not wait for a collector.
const MOST_WAITING: usize = 4096;
/// Spans in one message.
const MOST_SENT: usize = 512;
/// Lines that are kept with a span.
const MOST_LINES: usize = 64;
/// How long spans are gathered.
const PACE: Duration = Duration::from_secs(2);
const DEADLINE: Duration = Duration::from_secs(5);

/// Hears of spans.
pub(crate) struct Tracer {
    spans: mpsc::Sender<Value>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// Sends them.
pub(crate) struct Sender {
    spans: mpsc::Receiver<Value>,
    client: reqwest::Client,
    url: String,
}

/// Both ends. `endpoint` is the collector's address without its path.
pub(crate) fn to(
    endpoint: &str,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<(Tracer, Sender), reqwest::Error> {
    let client = reqwest::Client::builder()
        .timeout(DEADLINE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    let (sender, spans) = mpsc::channel(MOST_WAITING);
    let url = format!("{endpoint}/v1/traces");
    Ok((Tracer { spans: sender, clock, random }, Sender { spans, client, url }))
}

/// Which spans and lines are meant: ours, whatever the log shows.
pub(crate) fn ours<S>() -> impl Filter<S> {
    Targets::new().with_target("citadel", Level::INFO)
}

/// What is known of a span that is open.
struct Open {
    started: i128,
    fields: Fields,
    lines: Vec<Value>,
    is_failed: bool,
}

impl Tracer {
    fn now(&self) -> i128 {
        self.clock.now().as_nanosecond()
    }

    fn hex<const BYTES: usize>(&self) -> String {
        let mut bytes = [0; BYTES];
        self.random.fill(&mut bytes);
        tokens::hex(&bytes)
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Tracer {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let open = Open { started: self.now(), fields, lines: Vec::new(), is_failed: false };
        span.extensions_mut().insert(open);
    }

    fn on_record(&self, id: &Id, values: &span::Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            values.record(&mut open.fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else { return };
        let mut extensions = span.extensions_mut();
        let Some(open) = extensions.get_mut::<Open>() else { return };
        let mut line = Fields::default();
        event.record(&mut line);
        open.is_failed |= *event.metadata().level() == Level::ERROR;
        // The line about a request says what the request was.
        if line.message == "request" {
            open.fields.pairs.append(&mut line.pairs);
        } else if open.lines.len() < MOST_LINES {
            open.lines.push(json!({
                "timeUnixNano": self.now().to_string(), "name": line.message, "attributes": line.attributes(),
            }));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(Open { started, fields, lines, is_failed }) = span.extensions_mut().remove::<Open>() else {
            return;
        };
        let text = |name| fields.text(name);
        let name = match (text("http.method"), text("http.route"), text("job.kind")) {
            (Some(method), Some(route), _) => format!("{method} {route}"),
            (_, _, Some(kind)) => format!("job {kind}"),
            _ => span.name().to_owned(),
        };
        // Of a server, or within it.
        let kind = if span.name() == "request" { 2 } else { 1 };
        // A collector that does not keep up costs spans, and nothing else.
        let _ = self.spans.try_send(json!({
            "traceId": text("request.id").map_or_else(|| self.hex::<16>(), str::to_owned),
            "spanId": self.hex::<8>(),
            "name": name,
            "kind": kind,
            "startTimeUnixNano": started.to_string(),
            "endTimeUnixNano": self.now().to_string(),
            "attributes": fields.attributes(),
            "events": lines,
            "status": if is_failed { json!({"code": 2}) } else { json!({}) },
        }));
    }
}

/// The fields of a span or line, as the protocol writes values.
#[derive(Default)]
struct Fields {
    message: String,
    pairs: Vec<(&'static str, Value)>,
}

impl Fields {
    fn text(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| *known == name)?.1["stringValue"].as_str()
    }

    fn attributes(&self) -> Value {
        self.pairs.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
    }

    fn add(&mut self, field: &Field, value: Value) {
        self.pairs.push((field.name(), value));
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            _ => self.add(field, json!({"stringValue": format!("{value:?}")})),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, json!({"stringValue": value}));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, json!({"intValue": value.to_string()}));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, json!({"intValue": value.to_string()}));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, json!({"boolValue": value}));
    }
}

impl Sender {
    /// Sends what comes, until the server stops; then once more.
    pub(crate) async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        let mut is_stopping = false;
        let mut was_reached = true;
        while !is_stopping {
            let mut spans = Vec::new();
            let until = Instant::now() + PACE;
            while spans.len() < MOST_SENT {
                tokio::select! {
                    next = timeout_at(until, self.spans.recv()) => match next {
                        Ok(Some(span)) => spans.push(span),
                        Err(_) => break,
                        // Nobody makes spans any more.
                        Ok(None) => {
                            is_stopping = true;
                            break;
                        }
                    },
                    _ = stopping.wait_for(|is_stopping| *is_stopping) => {
                        is_stopping = true;
                        while let Ok(span) = self.spans.try_recv() {
                            spans.push(span);
                        }
                        break;
                    }
                }
            }
            if spans.is_empty() {
                continue;
            }
            let mut is_reached = true;
            for part in spans.chunks(MOST_SENT) {
                is_reached = is_reached && self.send(part).await;
            }
            if was_reached && !is_reached {
                tracing::warn!(
                    "traces do not reach the collector: look at CITADEL_OTLP_ENDPOINT, and at the collector"
                );
            }
            was_reached = is_reached;
        }
    }

    async fn send(&self, spans: &[Value]) -> bool {
        let attribute = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
        let message = json!({"resourceSpans": [{
            "resource": {"attributes": [
                attribute("service.name", "citadel"),
                attribute("service.version", env!("CARGO_PKG_VERSION")),
            ]},
            "scopeSpans": [{"scope": {"name": "citadel"}, "spans": spans}],
        }]});
        let sent = self.client.post(&self.url).json(&message).send().await;
        sent.is_ok_and(|answer| answer.status().is_success())
    }
}
