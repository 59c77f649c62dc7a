//! The operator's listener: alive, ready, figures. Loopback only, and apart from the public one (P59).

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use citadel_store::{jobs, outbox, tasks};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{app::App, metrics::StoreFigures};

/// What `/healthz` says. `citadel doctor` reads it to tell our ports from somebody else's.
#[derive(Debug, Serialize, Deserialize)]
pub struct Health {
    pub service: String,
    pub version: String,
}

/// What `/readyz` says.
#[derive(Debug, Serialize, Deserialize)]
pub struct Readiness {
    pub is_ready: bool,
    /// A write was committed just now.
    pub is_database_writable: bool,
    /// No migration of this release is missing. The server starts only then.
    pub is_migrated: bool,
    /// The server was told to stop: send no more requests.
    pub is_stopping: bool,
}

#[derive(Clone)]
struct Operations {
    app: App,
    stop: watch::Receiver<bool>,
}

/// The routes of this listener.
pub fn router(app: App, stop: watch::Receiver<bool>) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(Operations { app, stop })
}

async fn healthz() -> Json<Health> {
    Json(Health { service: "citadel".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() })
}

async fn readyz(State(Operations { app, stop }): State<Operations>) -> impl IntoResponse {
    let is_stopping = *stop.borrow();
    let is_database_writable = app.db.ping_write(app.clock.now()).await.is_ok();
    let is_migrated = app.db.pending_migrations().await.is_ok_and(|pending| pending.is_empty());
    let is_ready = is_database_writable && is_migrated && !is_stopping;
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { is_ready, is_database_writable, is_migrated, is_stopping }))
}

async fn metrics(State(Operations { app, .. }): State<Operations>) -> impl IntoResponse {
    let now = app.clock.now();
    let counted = app
        .db
        .read(async move |tx| {
            Ok::<_, citadel_store::Error>(StoreFigures {
                tasks: tasks::count_by_status(tx).await?,
                jobs: jobs::figures(tx, now).await?,
                waiting_events: outbox::count(tx).await?,
            })
        })
        .await;
    // A database that is away must not take the other figures with it.
    if let Ok(figures) = counted {
        app.metrics.record_store(figures, now);
    }
    if let Some(figures) = app.db.pool_figures() {
        app.metrics.record_pool(figures);
    }
    if let Some(figures) = app.db.log_figures() {
        app.metrics.record_log(figures);
    }
    (
        [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")],
        app.metrics.encode(),
    )
}
