//! Removes sign-ins whose task never ended: a login is kept for fifteen minutes at the most. And bank accounts of bridge tokens
//! that have aged.

use citadel_store::{bridge_tokens, logins};
use jiff::{SignedDuration, Timestamp};

use crate::app::App;

const EVERY: SignedDuration = SignedDuration::from_secs(60);

pub(super) async fn now_and_then(app: &App, last: &mut Option<Timestamp>) {
    let now = app.clock.now();
    if last.is_some_and(|last| now.duration_since(last) < EVERY) {
        return;
    }
    *last = Some(now);
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
}
