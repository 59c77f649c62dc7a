//! What must not wait, every minute: sign-ins whose task never ended go (a login is kept for fifteen minutes at the most), and
//! bank accounts of bridge tokens that have aged; consents end; and the rows of what was erased go. What has its limit in days
//! is in [`super::retention`]. Answers under idempotency keys go after a day, and orders end for which nobody came in time.

use std::time::Duration;

use citadel_domain::ClientId;
use citadel_store::{
    Error, bridge_tokens, call_rates, consents, dashboard_sessions, idempotency_keys, links::Link, logins,
    purge, sandboxes, sandboxes::Pace, sign_in_tries,
};
use jiff::SignedDuration;
use tokio::sync::watch;

use super::{ending, events};
use crate::trail;
use crate::{
    app::App,
    error::{ApiError, ApiResult},
    idempotency,
    moment::Moment,
};
use citadel_store::audit::{self, Act};

const EVERY: Duration = Duration::from_secs(60);
/// Links whose consent is ended between two looks.
const LINKS: i64 = 50;

/// How long the counter of a key is kept that does not call.
const RATES: SignedDuration = SignedDuration::from_hours(1);

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
pub async fn sweep(app: &App) {
    let live = app.clock.now();
    let db = app.db.patient();
    tell("expired sign-ins", db.write(async move |tx| logins::delete_expired(tx, live).await).await);
    tell("counted sign-ins", db.write(async move |tx| sign_in_tries::delete_before(tx, live).await).await);
    let ended = db.write(async move |tx| dashboard_sessions::delete_ended(tx, live).await).await;
    tell("ended sessions, invitations and set-up codes of the dashboard", ended);
    let accounts = db.write(async move |tx| bridge_tokens::delete_aged_accounts(tx, live).await).await;
    tell("accounts of aged bridge tokens", accounts);
    let answers = db
        .write(async move |tx| idempotency_keys::delete_until(tx, idempotency::kept_since(live)).await)
        .await;
    tell("answers under idempotency keys", answers);
    let full = db.write(async move |tx| call_rates::delete_full(tx, live - RATES).await).await;
    tell("counters of keys that do not call", full);
    tell_ended(ending::expire_all(app).await);
    let ended = db.read(async move |tx| consents::list_consent_ended(tx, live, LINKS).await).await;
    end_consents(app, ended).await;
    for (client_id, pace) in turned(app).await {
        let now = pace.shows(live);
        let db = db.scoped(client_id);
        let accounts = db
            .write(async move |tx| bridge_tokens::delete_aged_sandbox_accounts(tx, client_id, now).await)
            .await;
        tell("accounts of aged bridge tokens of a sandbox with a clock of its own", accounts);
        let ended = db
            .read(async move |tx| consents::list_sandbox_consent_ended(tx, client_id, now, LINKS).await)
            .await;
        end_consents(app, ended).await;
        tell_ended(ending::expire_in_sandbox(app, client_id, Moment::of(pace, live)).await);
    }
    purge_erased(app).await;
    // Deleted rows are in the log's older pages until it begins anew.
    if let Err(cause) = db.empty_log().await {
        tracing::warn!(error.cause = %cause, "cannot empty the log of the database");
    }
}

/// The sandboxes that have a clock of their own.
pub(super) async fn turned(app: &App) -> Vec<(ClientId, Pace)> {
    app.db.read(async |tx| sandboxes::turned(tx).await).await.unwrap_or_else(|cause| {
        tracing::warn!(error.cause = %cause, "cannot look for sandboxes with clocks of their own");
        Vec::new()
    })
}

/// Ends consents and tells of it. What is left over is ended at the next look, in a minute.
async fn end_consents(app: &App, found: Result<Vec<Link>, Error>) {
    let mut ended = 0;
    let mut failed = None;
    match found {
        Ok(found) => {
            for link in found {
                match end_consent(app, link).await {
                    Ok(is_ended) => ended += u64::from(is_ended),
                    Err(cause) => failed = Some(cause),
                }
            }
        }
        Err(cause) => failed = Some(cause.into()),
    }
    if ended > 0 {
        tracing::info!(count = ended, "ended consents that had run out");
        app.ring_events();
    }
    if let Some(cause) = failed {
        tracing::warn!(error.cause = cause.cause_text(), "cannot end every consent that has run out");
    }
}

async fn end_consent(app: &App, link: Link) -> ApiResult<bool> {
    let tenant = link.tenant;
    let moment = app.moment(tenant).await?;
    let writer = app.clone();
    app.db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            if !consents::end_consent(tx, tenant, link.id, moment.now).await? {
                return Ok(false);
            }
            events::append_disconnected(&writer, tx, &link, moment).await?;
            let entry = trail::server_did(&writer, tenant, Act::ConsentEnded, trail::link(link.id));
            audit::append(tx, &writer.keyring, &entry).await?;
            Ok::<_, ApiError>(true)
        })
        .await
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

/// Step by step, with the writer free in between.
pub(super) async fn purge_erased(app: &App) {
    let mut gone = 0;
    loop {
        match app.db.patient().write(async |tx| purge::step(tx).await).await {
            Ok(0) => return tell("rows of what was erased", Ok(gone)),
            Ok(count) => gone += count,
            Err(cause) => return tell("rows of what was erased", Err(cause)),
        }
        tokio::task::yield_now().await;
    }
}

pub(super) fn tell(what: &str, removed: Result<u64, Error>) {
    match removed {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, what, "removed what has lived its time"),
        Err(cause) => tracing::warn!(error.cause = %cause, what, "cannot remove what has lived its time"),
    }
}
