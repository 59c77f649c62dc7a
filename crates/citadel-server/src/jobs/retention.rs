//! What has its limit in days or months goes, every hour: widgets that came to nothing, failed tasks, events, whatever was not
//! used for 24 months (P23). The rules are the store's; each is looked up without holding anybody up, and followed in small
//! steps.

use std::time::Duration;

use citadel_domain::LinkId;
use citadel_store::{
    Error, Tenant, deletions, holds,
    links::{self, Link},
    retention::{self, Scope},
    users,
};
use jiff::Timestamp;
use tokio::sync::watch;

use super::{
    events,
    sweep::{purge_erased, tell, turned},
};
use crate::{app::App, error::ApiResult, trail};
use citadel_store::{
    Tx,
    audit::{self, Act, Actor, Detail, Entry, Object},
    retention::Aged,
};

const EVERY: Duration = Duration::from_secs(3600);

/// Looks now and then, until told to stop.
pub(super) async fn until(app: App, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        retain(&app).await;
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Follows every rule once.
pub async fn retain(app: &App) {
    let live = app.clock.now();
    follow(app, Scope { sandbox: None, now: live }).await;
    for (client_id, pace) in turned(app).await {
        follow(app, Scope { sandbox: Some(client_id), now: pace.shows(live) }).await;
    }
    let buried = app.db.patient().write(async move |tx| retention::delete_buried_jobs(tx, live).await).await;
    tell("jobs that were given up", buried);
    let usage = app.db.patient().write(async move |tx| retention::delete_usage(tx, live).await).await;
    tell("hours of usage past their limit", usage);
    // No backup is kept that long.
    let forgotten = live.saturating_sub(retention::UNUSED).unwrap_or(Timestamp::MIN);
    let entries = app.db.patient().write(async move |tx| deletions::delete_before(tx, forgotten).await).await;
    tell("old entries of the ledger of deletions", entries);
    tell("old entries of the audit trail", forget(app, live).await);
}

async fn follow(app: &App, scope: Scope) {
    tell("links that nobody used", abandoned(app, scope).await);
    tell("links whose consent has ended", ended(app, scope).await);
    // Their rows name others that are to go.
    purge_erased(app).await;
    for rule in 0..retention::COUNT {
        tell("rows past their limit", one(app, scope, rule).await);
    }
    tell("users of whom nothing was heard", unused(app, scope).await);
    tell("calls and screens past their limit", recorded(app, scope).await);
}

async fn one(app: &App, scope: Scope, rule: usize) -> Result<u64, Error> {
    let mut gone = 0;
    loop {
        let aged = app.db.patient().read(async move |tx| retention::find(tx, scope, rule).await).await?;
        let is_last = (aged.len() as i64) < retention::AT_ONCE;
        if !aged.is_empty() {
            gone += delete(app, rule, aged).await?;
        }
        if is_last {
            return Ok(gone);
        }
        tokio::task::yield_now().await;
    }
}

async fn recorded(app: &App, scope: Scope) -> Result<u64, Error> {
    let mut gone = 0;
    loop {
        let step =
            app.db.patient().write(async move |tx| retention::delete_recorded(tx, scope).await).await?;
        gone += step;
        if step == 0 {
            return Ok(gone);
        }
        tokio::task::yield_now().await;
    }
}

async fn delete(app: &App, rule: usize, aged: Vec<Aged>) -> Result<u64, Error> {
    let writer = app.clone();
    let delete = async move |tx: &mut Tx<'_>| {
        let gone = retention::delete(tx, rule, &aged).await?;
        if gone > 0 {
            let detail = Detail::NONE.word("what", retention::table(rule)).count("rows", gone);
            let entry =
                trail::of_server(writer.clock.now(), Actor::SERVER, Act::RetentionRan, Object::SERVER);
            audit::append(tx, &writer.keyring, &Entry { detail, ..entry }).await?;
        }
        Ok(gone)
    };
    app.db.patient().write(delete).await
}

/// Entries of the audit trail that were kept for five years.
async fn forget(app: &App, live: Timestamp) -> Result<u64, Error> {
    let before = live.saturating_sub(audit::KEPT).unwrap_or(Timestamp::MIN);
    let (db, mut gone) = (app.db.patient(), 0);
    for head in db.read(async |tx| audit::heads(tx).await).await? {
        loop {
            let keyring = app.keyring.clone();
            let some = db.write(async move |tx| audit::forget(tx, &keyring, head.client_id, before).await);
            match some.await? {
                0 => break,
                some => gone += some,
            }
        }
    }
    Ok(gone)
}

/// As the audit trail tells it.
fn erased(app: &App, tenant: Tenant, act: Act, object: Object, why: &str) -> Entry {
    Entry { detail: Detail::NONE.word("why", why), ..trail::server_did(app, tenant, act, object) }
}

async fn abandoned(app: &App, scope: Scope) -> Result<u64, Error> {
    let mut gone = 0;
    loop {
        let found =
            app.db.patient().read(async move |tx| retention::list_abandoned_links(tx, scope).await).await?;
        let is_last = (found.len() as i64) < retention::AT_ONCE;
        for (tenant, id) in found {
            gone += u64::from(erase_unless_used(app, tenant, id).await?);
        }
        if is_last {
            return Ok(gone);
        }
    }
}

async fn erase_unless_used(app: &App, tenant: Tenant, id: LinkId) -> Result<bool, Error> {
    let (stamp, now) = (app.deletion_stamp(), app.moment(tenant).await?.now);
    let db = app.db.patient().scoped(tenant.client_id);
    let (writer, entry) =
        (app.clone(), erased(app, tenant, Act::LinkDeleted, trail::link(id), "nobody used it"));
    db.write(async move |tx| {
        let is_erased = links::lock(tx, tenant, id).await?
            && retention::is_abandoned(tx, tenant, id).await?
            && links::erase(tx, tenant, id, now, stamp).await?;
        if is_erased {
            audit::append(tx, &writer.keyring, &entry).await?;
        }
        Ok(is_erased)
    })
    .await
}

/// A link that was in use is told of when it goes.
async fn ended(app: &App, scope: Scope) -> Result<u64, Error> {
    let mut gone = 0;
    loop {
        let found =
            app.db.patient().read(async move |tx| retention::list_ended_links(tx, scope).await).await?;
        let is_last = (found.len() as i64) < retention::AT_ONCE;
        for (tenant, id) in found {
            match erase_and_tell(app, tenant, id).await {
                Ok(is_erased) => gone += u64::from(is_erased),
                Err(cause) => {
                    tracing::warn!(
                        error.cause = cause.cause_text(),
                        "cannot erase a link whose consent has ended"
                    );
                    return Ok(gone);
                }
            }
        }
        if is_last {
            return Ok(gone);
        }
    }
}

async fn erase_and_tell(app: &App, tenant: Tenant, id: LinkId) -> ApiResult<bool> {
    let moment = app.moment(tenant).await?;
    let writer = app.clone();
    let is_erased = app
        .db
        .patient()
        .scoped(tenant.client_id)
        .write(async move |tx| {
            // Locked: the person may be giving their consent anew, and somebody may be holding the link.
            if !links::lock(tx, tenant, id).await? || holds::is_held(tx, tenant.client_id, id).await? {
                return Ok(false);
            }
            let link = links::find(tx, tenant, id).await?;
            let Some(link) = link.filter(|link: &Link| link.consent_ended_at.is_some()) else {
                return Ok(false);
            };
            let is_erased = links::erase(tx, tenant, id, moment.now, writer.deletion_stamp()).await?;
            if is_erased {
                events::append_deleted(&writer, tx, &[link], moment).await?;
                let entry = erased(&writer, tenant, Act::LinkDeleted, trail::link(id), "consent ended");
                audit::append(tx, &writer.keyring, &entry).await?;
            }
            Ok::<_, crate::error::ApiError>(is_erased)
        })
        .await?;
    app.ring_events();
    Ok(is_erased)
}

async fn unused(app: &App, scope: Scope) -> Result<u64, Error> {
    let mut gone = 0;
    loop {
        let found =
            app.db.patient().read(async move |tx| retention::list_unused_users(tx, scope).await).await?;
        let is_last = (found.len() as i64) < retention::AT_ONCE;
        for (tenant, id) in found {
            let (stamp, now) = (app.deletion_stamp(), scope.now);
            let (writer, entry) =
                (app.clone(), erased(app, tenant, Act::UserDeleted, trail::user(id), "nothing was heard"));
            let db = app.db.patient().scoped(tenant.client_id);
            let is_erased = db
                .write(async move |tx| {
                    let is_erased = users::lock(tx, tenant, id).await?
                        && retention::is_unused(tx, tenant, id).await?
                        && users::erase(tx, tenant, id, now, stamp).await?;
                    if is_erased {
                        audit::append(tx, &writer.keyring, &entry).await?;
                    }
                    Ok::<_, Error>(is_erased)
                })
                .await?;
            gone += u64::from(is_erased);
        }
        if is_last {
            return Ok(gone);
        }
    }
}
