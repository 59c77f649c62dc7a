//! Figures about this process. Labels are types: a route template, a status, a provider of the directory, a word of ours;
//! consumer data has no way in (P59).

mod process;

use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use citadel_domain::{Product, TaskStatus};
use citadel_store::{LogFigures, PoolFigures, jobs::KindFigures};
use jiff::Timestamp;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Registry, Unit},
};
use tokio::time::{Duration, Instant};

use process::Process;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabels {
    status: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    provider: String,
    product: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobLabels {
    kind: String,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConnectionLabels {
    state: &'static str,
}

/// What the store counts, over all clients.
#[derive(Debug, Default)]
pub struct StoreFigures {
    /// Tasks by status.
    pub tasks: Vec<(TaskStatus, i64)>,
    /// Jobs by kind.
    pub jobs: Vec<KindFigures>,
    /// Events that wait for an endpoint.
    pub waiting_events: i64,
}

/// What an attempt to deliver an event came to.
#[derive(Clone, Copy, Debug)]
pub enum Delivered {
    /// The endpoint took it.
    Taken,
    /// It is tried again.
    Failed,
    /// It was the last attempt.
    GivenUp,
    /// The endpoint wants no more.
    Gone,
}

impl Delivered {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Failed => "failed",
            Self::GivenUp => "given_up",
            Self::Gone => "gone",
        }
    }
}

/// Every figure of this process. Made once, shared behind a reference.
pub struct Metrics {
    registry: Registry,
    process: Process,
    requests: Family<RequestLabels, Counter>,
    durations: Histogram,
    tasks: Family<StatusLabels, Gauge>,
    tasks_ended: Family<EndLabels, Counter>,
    deliveries: Family<OutcomeLabels, Counter>,
    waiting_events: Gauge,
    open_jobs: Gauge,
    jobs: Family<JobLabels, Gauge>,
    jobs_late: Family<KindLabels, Gauge>,
    connections: Family<ConnectionLabels, Gauge>,
    lost_calls: Counter,
    store_syncs: Counter,
    store_log_bytes: Counter,
    uptime: Gauge,
    started: Instant,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("citadel");
        registry.register(
            "build",
            "The release that runs",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        let metrics = Self {
            process: Process::default(),
            requests: Family::default(),
            // 1 ms, 2, 4 … 8 s.
            durations: Histogram::new(exponential_buckets(0.001, 2.0, 14)),
            tasks: Family::default(),
            tasks_ended: Family::default(),
            deliveries: Family::default(),
            waiting_events: Gauge::default(),
            open_jobs: Gauge::default(),
            jobs: Family::default(),
            jobs_late: Family::default(),
            connections: Family::default(),
            lost_calls: Counter::default(),
            store_syncs: Counter::default(),
            store_log_bytes: Counter::default(),
            uptime: Gauge::default(),
            started: Instant::now(),
            registry,
        };
        metrics.registered()
    }
}

impl Metrics {
    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register(
            "http_requests",
            "Answered requests by route template and status",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "Time from the parsed head of a request to its answer",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register("tasks", "Tasks in the store by status", self.tasks.clone());
        registry.register(
            "tasks_ended",
            "Tasks that a worker of this process ended, by provider, product and last status",
            self.tasks_ended.clone(),
        );
        registry.register(
            "webhook_attempts",
            "Attempts to deliver an event, by what they came to",
            self.deliveries.clone(),
        );
        registry.register(
            "webhook_events_waiting",
            "Events in the store that an endpoint has not taken yet",
            self.waiting_events.clone(),
        );
        registry.register("jobs_open", "Background jobs that are waiting or running", self.open_jobs.clone());
        registry.register("jobs", "Background jobs in the store by kind and state", self.jobs.clone());
        registry.register_with_unit(
            "jobs_late",
            "For how long the job that is due for longest has waited for a worker",
            Unit::Seconds,
            self.jobs_late.clone(),
        );
        registry.register(
            "database_connections",
            "Connections to Postgres of this process, and transactions that wait for one",
            self.connections.clone(),
        );
        registry.register(
            "calls_lost",
            "Calls and screens that are missing in the record: it was full, or could not be written",
            self.lost_calls.clone(),
        );
        registry.register(
            "store_syncs",
            "Commits of the embedded database that reached the disk, each with one sync",
            self.store_syncs.clone(),
        );
        registry.register(
            "store_log_bytes",
            "Bytes written to the log of the embedded database",
            self.store_log_bytes.clone(),
        );
        registry.register_with_unit("uptime", "Time since the start", Unit::Seconds, self.uptime.clone());
        self
    }

    /// Counts an answer. `route` is the template (`/v1/tasks/{id}/`), never a path.
    pub fn record_request(&self, route: &str, status: StatusCode, duration: Duration) {
        let labels = RequestLabels { route: route.to_owned(), status: status.as_u16() };
        self.requests.get_or_create(&labels).inc();
        self.durations.observe(duration.as_secs_f64());
    }

    /// Counts a task that has ended.
    pub fn record_end(&self, provider: &str, product: Product, status: TaskStatus) {
        let (provider, product, status) = (provider.to_owned(), product.as_str(), status.as_str());
        self.tasks_ended.get_or_create(&EndLabels { provider, product, status }).inc();
    }

    /// Counts an attempt to deliver an event.
    pub fn record_attempt(&self, came_to: Delivered) {
        self.deliveries.get_or_create(&OutcomeLabels { outcome: came_to.as_str() }).inc();
    }

    /// Counts calls and screens that are missing in the record.
    pub fn record_lost_calls(&self, count: u64) {
        self.lost_calls.inc_by(count);
    }

    /// Sets what the store counted.
    pub fn record_store(&self, figures: StoreFigures, now: Timestamp) {
        self.tasks.clear();
        for (status, count) in figures.tasks {
            self.tasks.get_or_create(&StatusLabels { status: status.to_string() }).set(count);
        }
        self.jobs.clear();
        self.jobs_late.clear();
        let mut open = 0;
        for KindFigures { kind, leased, due, later, buried, due_since } in figures.jobs {
            open += leased + due + later;
            for (state, count) in [("leased", leased), ("due", due), ("later", later), ("buried", buried)] {
                self.jobs.get_or_create(&JobLabels { kind: kind.clone(), state }).set(count);
            }
            let late = due_since.map_or(0, |since| now.duration_since(since).as_secs().max(0));
            self.jobs_late.get_or_create(&KindLabels { kind }).set(late);
        }
        self.open_jobs.set(open);
        self.waiting_events.set(figures.waiting_events);
    }

    /// Sets what the log of the embedded database has cost.
    pub fn record_log(&self, figures: LogFigures) {
        self.store_syncs.inner().store(figures.syncs, Ordering::Relaxed);
        self.store_log_bytes.inner().store(figures.bytes, Ordering::Relaxed);
    }

    /// Sets how the connections to Postgres are used.
    pub fn record_pool(&self, figures: PoolFigures) {
        let PoolFigures { most, open, idle, waiting } = figures;
        let used = open.saturating_sub(idle);
        for (state, count) in [("most", most), ("used", used), ("idle", idle), ("waiting", waiting)] {
            let gauge = self.connections.get_or_create(&ConnectionLabels { state });
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// The OpenMetrics text.
    pub fn encode(&self) -> String {
        self.uptime.set(i64::try_from(self.started.elapsed().as_secs()).unwrap_or(i64::MAX));
        self.process.look();
        let mut text = String::new();
        text::encode_registry(&mut text, &self.registry)
            .and_then(|()| text::encode_registry(&mut text, self.process.registry()))
            .and_then(|()| text::encode_eof(&mut text))
            .expect("writing to a string cannot fail");
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn figures_are_told_by_template_and_status() {
        let metrics = Metrics::default();
        metrics.record_request("/v1/tasks/{id}/", StatusCode::OK, Duration::from_millis(3));
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().expect("an instant");
        let jobs = KindFigures {
            kind: "run_task".to_owned(),
            leased: 1,
            due: 2,
            later: 3,
            buried: 4,
            due_since: Some(now - jiff::SignedDuration::from_secs(7)),
        };
        let figures =
            StoreFigures { tasks: vec![(TaskStatus::Done, 2)], jobs: vec![jobs], waiting_events: 5 };
        metrics.record_store(figures, now);
        metrics.record_log(LogFigures { syncs: 3, bytes: 4120 });
        metrics.record_pool(PoolFigures { most: 16, open: 5, idle: 3, waiting: 1 });
        metrics.record_end("adp", Product::Income, TaskStatus::LoginError);
        metrics.record_attempt(Delivered::GivenUp);
        let text = metrics.encode();
        for line in [
            "citadel_http_requests_total{route=\"/v1/tasks/{id}/\",status=\"200\"} 1",
            "citadel_tasks{status=\"done\"} 2",
            "citadel_tasks_ended_total{provider=\"adp\",product=\"income\",status=\"login_error\"} 1",
            "citadel_webhook_attempts_total{outcome=\"given_up\"} 1",
            "citadel_webhook_events_waiting 5",
            "citadel_jobs_open 6",
            "citadel_jobs{kind=\"run_task\",state=\"buried\"} 4",
            "citadel_jobs_late_seconds{kind=\"run_task\"} 7",
            "citadel_database_connections{state=\"used\"} 2",
            "citadel_store_syncs_total 3",
            "citadel_store_log_bytes_total 4120",
            "citadel_http_request_duration_seconds_count 1",
            "citadel_build_info{version=",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
        assert_eq!(text.matches("# EOF").count(), 1);
    }

    const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy");

    fn file(path: &str) -> String {
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The names of series: words that begin as ours do.
    fn named(text: &str) -> BTreeSet<&str> {
        let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
        words.filter(|word| word.starts_with("citadel_") || word.starts_with("process_")).collect()
    }

    #[test]
    fn p59_dashboard_alerts_and_manual_name_every_metric_and_no_other() {
        // What has labels and no value yet is not in the text.
        let metrics = Metrics::default();
        metrics.record_request("/v1/tasks/{id}/", StatusCode::OK, Duration::ZERO);
        metrics.record_end("adp", Product::Income, TaskStatus::Done);
        metrics.record_attempt(Delivered::Taken);
        metrics.record_pool(PoolFigures { most: 16, open: 1, idle: 1, waiting: 0 });
        let kind = "run_task".to_owned();
        let jobs = KindFigures { kind, leased: 1, due: 0, later: 0, buried: 0, due_since: None };
        let figures =
            StoreFigures { tasks: vec![(TaskStatus::Done, 1)], jobs: vec![jobs], waiting_events: 0 };
        metrics.record_store(figures, "2026-11-23T12:00:00Z".parse().expect("an instant"));
        let text = metrics.encode();
        let mut series: BTreeMap<String, &str> = BTreeMap::new();
        for (name, kind) in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')) {
            let endings: &[&str] = match kind {
                "counter" => &["_total"],
                "histogram" => &["_bucket", "_count", "_sum"],
                "info" => &["_info"],
                _ => &[""],
            };
            series.extend(endings.iter().map(|ending| (format!("{name}{ending}"), name)));
        }
        assert!(series.len() > 15, "{text}");
        let (dashboard, alerts) = (
            file(&format!("{DEPLOY}/grafana-dashboard.json")),
            file(&format!("{DEPLOY}/prometheus-alerts.yaml")),
        );
        let drawn = named(&dashboard);
        for name in drawn.iter().chain(&named(&alerts)) {
            assert!(series.contains_key(*name), "there is no metric {name}");
        }
        let manual = file(&format!("{DEPLOY}/../docs/operating.md"));
        for metric in series.values() {
            let is_drawn = series.iter().any(|(name, of)| of == metric && drawn.contains(name.as_str()));
            assert!(is_drawn, "the dashboard does not show {metric}");
            let is_told = series.iter().any(|(name, of)| of == metric && manual.contains(name.as_str()));
            assert!(is_told || manual.contains(metric), "docs/operating.md does not name {metric}");
        }
        for alert in alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
            assert!(manual.contains(&format!("`{alert}`")), "docs/operating.md does not explain {alert}");
        }
    }
}
