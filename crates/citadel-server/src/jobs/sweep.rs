//! Removes what has lived its time: sign-ins whose task never ended (a login is kept for fifteen minutes at the most), bank
//! accounts of bridge tokens that have aged, old attempts of deliveries, and answers under idempotency keys after a day; accounts
//! and attempts by the client's clock. Ends orders for which nobody came in time, by the same clock.

use std::time::Duration;

use citadel_store::{Error, bridge_tokens, deliveries, idempotency_keys, logins, sandboxes, sign_in_tries};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::ending;
use crate::{app::App, error::ApiResult, idempotency, moment::Moment};

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

/// Removes what has lived its time, once.
pub async fn sweep(app: &App) {
    let live = app.clock.now();
    let db = &app.db;
    tell("expired sign-ins", db.write(async move |tx| logins::delete_expired(tx, live).await).await);
    tell("counted sign-ins", db.write(async move |tx| sign_in_tries::delete_before(tx, live).await).await);
    let accounts = db.write(async move |tx| bridge_tokens::delete_aged_accounts(tx, live).await).await;
    tell("accounts of aged bridge tokens", accounts);
    let attempts = db.write(async move |tx| deliveries::delete_before(tx, kept_since(live)).await).await;
    tell("old attempts of deliveries", attempts);
    let answers = db
        .write(async move |tx| idempotency_keys::delete_until(tx, idempotency::kept_since(live)).await)
        .await;
    tell("answers under idempotency keys", answers);
    tell_ended(ending::expire_all(app).await);
    let turned = db.read(async |tx| sandboxes::turned(tx).await).await.unwrap_or_else(|cause| {
        tracing::warn!(error.cause = %cause, "cannot look for sandboxes with clocks of their own");
        Vec::new()
    });
    for (client_id, pace) in turned {
        let now = pace.shows(live);
        let swept = db
            .scoped(client_id)
            .write(async move |tx| {
                let accounts = bridge_tokens::delete_aged_sandbox_accounts(tx, client_id, now).await?;
                Ok(accounts + deliveries::delete_sandbox_before(tx, client_id, kept_since(now)).await?)
            })
            .await;
        tell("accounts and old attempts of a sandbox with a clock of its own", swept);
        tell_ended(ending::expire_in_sandbox(app, client_id, Moment::of(pace, live)).await);
    }
}

fn tell_ended(ended: ApiResult<u64>) {
    match ended {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "ended orders for which nobody came in time"),
        Err(cause) => {
            tracing::warn!(
                error.cause = cause.cause_text(),
                "cannot end orders for which nobody came in time"
            );
        }
    }
}

fn kept_since(now: Timestamp) -> Timestamp {
    now.saturating_sub(DELIVERIES).unwrap_or(Timestamp::MIN)
}

fn tell(what: &str, removed: Result<u64, Error>) {
    match removed {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, what, "removed what has lived its time"),
        Err(cause) => tracing::warn!(error.cause = %cause, what, "cannot remove what has lived its time"),
    }
}
