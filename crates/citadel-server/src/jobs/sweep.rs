//! Removes what has lived its time: sign-ins whose task never ended (a login is kept for fifteen minutes at the most), bank
//! accounts of bridge tokens that have aged, and old attempts of deliveries.

use std::time::Duration;

use citadel_store::{bridge_tokens, deliveries, logins};
use jiff::SignedDuration;
use tokio::sync::watch;

use crate::app::App;

const EVERY: Duration = Duration::from_secs(60);
/// How long attempts of deliveries are listed (P32).
const DELIVERIES: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Sweeps now and then, until told to stop.
pub(super) async fn until(app: App, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        sweep(&app).await;
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Sweeps once.
pub(super) async fn sweep(app: &App) {
    let now = app.clock.now();
    match app.db.write(async move |tx| logins::delete_expired(tx, now).await).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "removed expired sign-ins"),
        Err(cause) => tracing::warn!(error.cause = %cause, "cannot remove expired sign-ins"),
    }
    match app.db.write(async move |tx| bridge_tokens::delete_aged_accounts(tx, now).await).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "removed accounts of aged bridge tokens"),
        Err(cause) => tracing::warn!(error.cause = %cause, "cannot remove accounts of aged bridge tokens"),
    }
    match app.db.write(async move |tx| deliveries::delete_before(tx, now - DELIVERIES).await).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "removed old attempts of deliveries"),
        Err(cause) => tracing::warn!(error.cause = %cause, "cannot remove old attempts of deliveries"),
    }
}
