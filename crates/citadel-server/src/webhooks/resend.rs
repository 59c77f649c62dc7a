//! Events, delivered once more: what the API and the dashboard share.

use citadel_domain::{EventId, WebhookId};
use citadel_store::{
    Tenant, Tx,
    audit::{self, Detail, Entry},
    jobs,
    outbox::{self, Range},
    webhook_events,
    webhooks::{self, Webhook},
};
use jiff::{SignedDuration, Timestamp};

use super::{endpoints, wanted};
use crate::{
    app::App,
    error::{self, ApiResult},
    jobs::deliver_webhooks::job_of,
    moment::Moment,
};

/// How far back a range may begin: as long as attempts are kept, which tell what has failed.
const FURTHEST_BACK: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Whether a range may begin at a time of the client's clock.
pub(crate) fn check_from(from: Timestamp, now: Timestamp) -> ApiResult<()> {
    if from < now - FURTHEST_BACK {
        return Err(error::invalid("created_at__gte", "Send a time of the last 30 days."));
    }
    Ok(())
}

/// Has one event delivered to the named endpoint, or to all that want it. Answers how many those are.
pub(crate) async fn one(
    tx: &mut Tx<'_>,
    app: &App,
    tenant: Tenant,
    (event_id, named): (EventId, Option<&str>),
    Moment { now, live, .. }: Moment,
    entry: &Entry,
) -> ApiResult<u64> {
    let event = webhook_events::find(tx, tenant, event_id).await?.ok_or_else(error::not_found)?;
    let mut endpoints = endpoints(tx, tenant, named).await?;
    // An endpoint that is named gets the event even if it does not ask for such.
    endpoints.retain(|webhook| named.is_some() || wanted(webhook).contains(&event.event_type.as_str()));
    for webhook in &endpoints {
        jobs::ensure_due(tx, &job_of(tenant, webhook.id, live)?).await?;
        outbox::put(tx, tenant, webhook.id, (event.id, event.sequence, event.task_id), false, now).await?;
    }
    let count = endpoints.len() as u64;
    let detail = Detail::NONE.word("event", &event.id.to_string()).count("deliveries", count);
    audit::append(tx, &app.keyring, &Entry { detail, ..entry.clone() }).await?;
    Ok(count)
}

/// Has the events of a range delivered to the named endpoint, or to all, each with the types that it wants. Answers how many
/// deliveries those are.
pub(crate) async fn range(
    tx: &mut Tx<'_>,
    app: &App,
    tenant: Tenant,
    (range, named): (Range, Option<&str>),
    Moment { now, live, .. }: Moment,
    entry: &Entry,
) -> ApiResult<u64> {
    let mut count = 0;
    for webhook in endpoints(tx, tenant, named).await? {
        jobs::ensure_due(tx, &job_of(tenant, webhook.id, live)?).await?;
        count += outbox::put_range(tx, tenant, webhook.id, &wanted(&webhook), range, now).await?;
    }
    let detail = Detail::NONE.count("deliveries", count);
    audit::append(tx, &app.keyring, &Entry { detail, ..entry.clone() }).await?;
    Ok(count)
}

/// The named endpoint, or all that are enabled.
async fn endpoints(tx: &mut Tx<'_>, tenant: Tenant, named: Option<&str>) -> ApiResult<Vec<Webhook>> {
    let Some(id) = named else {
        let mut all = webhooks::list(tx, tenant).await?;
        all.retain(|webhook| webhook.is_enabled);
        return Ok(all);
    };
    let id: WebhookId = id.parse().map_err(|_| error::not_found())?;
    let webhook = endpoints::find(tx, tenant, id).await?;
    if !webhook.is_enabled {
        return Err(error::invalid("webhook_id", "This endpoint is off: switch it on first."));
    }
    Ok(vec![webhook])
}
