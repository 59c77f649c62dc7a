//! Figures about this process. Labels are types: a route template, a status, a word of ours; consumer data has no way
//! in (P59).

use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use citadel_store::LogFigures;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use tokio::time::{Duration, Instant};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabels {
    status: String,
}

/// Every figure of this process. Made once, shared behind a reference.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Histogram,
    tasks: Family<StatusLabels, Gauge>,
    open_jobs: Gauge,
    store_syncs: Counter,
    store_log_bytes: Counter,
    uptime: Gauge,
    started: Instant,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("citadel");
        let requests = Family::default();
        // 1 ms, 2, 4 … 8 s.
        let durations = Histogram::new(exponential_buckets(0.001, 2.0, 14));
        let (tasks, open_jobs, uptime) = (Family::default(), Gauge::default(), Gauge::default());
        registry.register(
            "http_requests",
            "Answered requests by route template and status",
            requests.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "Time from the parsed head of a request to its answer",
            Unit::Seconds,
            durations.clone(),
        );
        registry.register("tasks", "Tasks in the store by status", tasks.clone());
        registry.register("jobs_open", "Background jobs that are waiting or running", open_jobs.clone());
        let (store_syncs, store_log_bytes) = (Counter::default(), Counter::default());
        registry.register(
            "store_syncs",
            "Commits of the embedded database that reached the disk, each with one sync",
            store_syncs.clone(),
        );
        registry.register(
            "store_log_bytes",
            "Bytes written to the log of the embedded database",
            store_log_bytes.clone(),
        );
        registry.register_with_unit("uptime", "Time since the start", Unit::Seconds, uptime.clone());
        Self {
            registry,
            requests,
            durations,
            tasks,
            open_jobs,
            store_syncs,
            store_log_bytes,
            uptime,
            started: Instant::now(),
        }
    }
}

impl Metrics {
    /// Counts an answer. `route` is the template (`/v1/tasks/{id}/`), never a path.
    pub fn record_request(&self, route: &str, status: StatusCode, duration: Duration) {
        let labels = RequestLabels { route: route.to_owned(), status: status.as_u16() };
        self.requests.get_or_create(&labels).inc();
        self.durations.observe(duration.as_secs_f64());
    }

    /// Sets what the store counted.
    pub fn record_store(&self, tasks_by_status: impl IntoIterator<Item = (String, i64)>, open_jobs: i64) {
        self.tasks.clear();
        for (status, count) in tasks_by_status {
            self.tasks.get_or_create(&StatusLabels { status }).set(count);
        }
        self.open_jobs.set(open_jobs);
    }

    /// Sets what the log of the embedded database has cost.
    pub fn record_log(&self, figures: LogFigures) {
        self.store_syncs.inner().store(figures.syncs, Ordering::Relaxed);
        self.store_log_bytes.inner().store(figures.bytes, Ordering::Relaxed);
    }

    /// The OpenMetrics text.
    pub fn encode(&self) -> String {
        self.uptime.set(i64::try_from(self.started.elapsed().as_secs()).unwrap_or(i64::MAX));
        let mut text = String::new();
        text::encode(&mut text, &self.registry).expect("writing to a string cannot fail");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_by_template_and_status() {
        let metrics = Metrics::default();
        metrics.record_request("/v1/tasks/{id}/", StatusCode::OK, Duration::from_millis(3));
        metrics.record_store([("done".to_owned(), 2)], 1);
        metrics.record_log(LogFigures { syncs: 3, bytes: 4120 });
        let text = metrics.encode();
        for line in [
            "citadel_http_requests_total{route=\"/v1/tasks/{id}/\",status=\"200\"} 1",
            "citadel_tasks{status=\"done\"} 2",
            "citadel_jobs_open 1",
            "citadel_store_syncs_total 3",
            "citadel_store_log_bytes_total 4120",
            "citadel_http_request_duration_seconds_count 1",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
