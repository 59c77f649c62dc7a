//! Webhook events: written in the transaction of the change that they tell, with a place in the outbox of every
//! endpoint that wants them (P27). They carry ids and statuses, never data (P7).

use std::mem;

use citadel_api_types::webhooks::{EventOrder, WebhookEvent};
use citadel_domain::{EventId, Fault, TaskStatus};
use citadel_store::{
    Tenant, Tx, jobs,
    links::Link,
    order_employers::OrderEmployer,
    orders::Order,
    outbox,
    tasks::Task,
    webhook_events::{self, NewWebhookEvent},
    webhooks,
};
use jiff::{SignedDuration, Timestamp};

use super::deliver_webhooks;
use crate::{
    app::App,
    error::{self, ApiResult},
    moment::Moment,
    reports,
    webhooks::{TASK_STATUS_UPDATED, wanted},
};

/// How late the first attempt at an event comes, and how much later one that changes places, where that is wanted.
const DELAYED: SignedDuration = SignedDuration::from_secs(30);
const REORDERED: SignedDuration = SignedDuration::from_secs(2);

/// What happened, and to what. Who writes it rings [`App::ring_events`](crate::app::Shared::ring_events) after the commit.
pub(crate) struct NewEvent<'a> {
    /// One of [`citadel_api_types::webhooks::EVENT_TYPES`].
    pub(crate) event_type: &'static str,
    pub(crate) about: About<'a>,
    /// The run of work in which it happened, if it was one. Events of one task are delivered in their order.
    pub(crate) task: Option<&'a Task>,
    /// Every event has a status: handlers in the wild fail without. That of the link, when nothing else is told.
    pub(crate) status: &'static str,
    pub(crate) objects: Objects,
}

/// What an event is about.
#[derive(Clone, Copy)]
pub(crate) enum About<'a> {
    Link(&'a Link),
    /// An order, and the employer in it whose status is told; with the link of that employer.
    Order(&'a Order, Option<&'a OrderEmployer>, Option<&'a Link>),
}

impl<'a> About<'a> {
    fn tenant(self) -> Tenant {
        match self {
            Self::Link(link) => link.tenant,
            Self::Order(order, ..) => order.tenant,
        }
    }

    fn link(self) -> Option<&'a Link> {
        match self {
            Self::Link(link) => Some(link),
            Self::Order(_, _, link) => link,
        }
    }

    fn order(self) -> Option<&'a Order> {
        if let Self::Order(order, ..) = self { Some(order) } else { None }
    }

    fn employer(self) -> Option<&'a OrderEmployer> {
        if let Self::Order(_, employer, _) = self { employer } else { None }
    }

    /// Whose id the ids of its events follow from.
    fn parent(self) -> [u8; 16] {
        match self {
            Self::Link(link) => *link.id.as_bytes(),
            Self::Order(order, ..) => *order.id.as_bytes(),
        }
    }
}

/// The part of a link's data that an event is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects {
    pub(crate) object_id: Option<String>,
    pub(crate) employment_id: Option<String>,
    pub(crate) count: Option<i64>,
}

/// Tells that a task has a new status.
pub(crate) async fn append_status(
    app: &App,
    tx: &mut Tx<'_>,
    task: &Task,
    link: &Link,
    status: TaskStatus,
    moment: Moment,
) -> ApiResult<()> {
    append(app, tx, status_event(task, link, status), moment).await
}

/// What [`append_status`] tells.
pub(super) fn status_event<'a>(task: &'a Task, link: &'a Link, status: TaskStatus) -> NewEvent<'a> {
    NewEvent {
        event_type: TASK_STATUS_UPDATED,
        about: About::Link(link),
        task: Some(task),
        status: status.as_str(),
        objects: Objects::default(),
    }
}

/// Tells that links were deleted, which are passed as they were before.
pub(crate) async fn append_deleted(
    app: &App,
    tx: &mut Tx<'_>,
    links: &[Link],
    moment: Moment,
) -> ApiResult<()> {
    let deleted = |link| NewEvent {
        event_type: "link-deleted",
        about: About::Link(link),
        task: None,
        status: link.status.as_str(),
        objects: Objects::default(),
    };
    append_all(app, tx, &links.iter().map(deleted).collect::<Vec<_>>(), moment).await
}

/// Tells that what a person allowed has ended, of a link as it was before.
pub(crate) async fn append_disconnected(
    app: &App,
    tx: &mut Tx<'_>,
    link: &Link,
    moment: Moment,
) -> ApiResult<()> {
    let event = NewEvent {
        event_type: "link-disconnected",
        about: About::Link(link),
        task: None,
        status: link.status.as_str(),
        objects: Objects::default(),
    };
    append_all(app, tx, &[event], moment).await
}

/// Tells that something happened.
pub(crate) async fn append(app: &App, tx: &mut Tx<'_>, new: NewEvent<'_>, moment: Moment) -> ApiResult<()> {
    append_all(app, tx, &[new], moment).await
}

/// Tells what happened in one client's environment, in this order.
pub(crate) async fn append_all(
    app: &App,
    tx: &mut Tx<'_>,
    news: &[NewEvent<'_>],
    moment: Moment,
) -> ApiResult<()> {
    let Some(tenant) = news.first().map(|new| new.about.tenant()) else { return Ok(()) };
    let first = webhook_events::take_places(tx, tenant, news.len()).await?;
    let stored: Vec<_> = (first..)
        .zip(news)
        .map(|(sequence, new)| stored_form(app, new, sequence, moment.now))
        .collect::<ApiResult<_>>()?;
    let numbers = webhook_events::append(tx, first, &stored).await?;
    let endpoints = webhooks::list(tx, tenant).await?;
    for webhook in endpoints.iter().filter(|webhook| webhook.is_enabled) {
        let types = wanted(webhook);
        let mut is_due = false;
        for (((sequence, event), new), number) in (first..).zip(&stored).zip(news).zip(&numbers) {
            if !types.contains(&event.event_type.as_str()) {
                continue;
            }
            if !mem::replace(&mut is_due, true) {
                jobs::ensure_due(tx, &deliver_webhooks::job_of(tenant, webhook.id, moment.live)?).await?;
            }
            let has = |fault| new.task.is_some_and(|task| task.faults.contains(&fault));
            let mut at = moment.now;
            if has(Fault::WebhookDelayed) {
                at = at.saturating_add(DELAYED).unwrap_or(at);
            }
            // Without its task an event waits for none before it; every other one of the task comes after the next.
            let is_loose = has(Fault::WebhookReordered);
            if is_loose && number % 2 == 1 {
                at = at.saturating_add(REORDERED).unwrap_or(at);
            }
            let task_id = event.task_id.filter(|_| !is_loose);
            let is_doubled = has(Fault::WebhookDuplicated);
            outbox::put(tx, tenant, webhook.id, (event.id, sequence, task_id), is_doubled, at).await?;
        }
    }
    Ok(())
}

fn stored_form(app: &App, new: &NewEvent<'_>, sequence: i64, now: Timestamp) -> ApiResult<NewWebhookEvent> {
    let at = reports::time(now);
    let (about, task) = (new.about, new.task);
    let (tenant, link, order, employer) = (about.tenant(), about.link(), about.order(), about.employer());
    let id = EventId::generate(now, &*app.id_source(tenant, &about.parent(), "event", sequence));
    let product = task
        .map(|task| task.product)
        .or_else(|| employer.map(|employer| employer.product))
        .or_else(|| link.map(|link| link.product));
    let user_id = link.and_then(|link| link.user_id).or_else(|| order.map(|order| order.user_id));
    let body = WebhookEvent {
        webhook_id: id.to_string(),
        event_type: new.event_type.to_owned(),
        updated_at: at.replace('Z', "+00:00"),
        event_created_at: at,
        link_id: link.map(|link| link.id.to_string()),
        product: product.map(|product| product.to_string()),
        tracking_info: match employer {
            Some(employer) => Some(employer.id.to_string()),
            None => link.and_then(|link| link.tracking_info.clone()),
        },
        task_id: task.map(|task| task.id.to_string()),
        status: new.status.to_owned(),
        user_id: user_id.map(|id| id.to_string()),
        template_id: order.and_then(|order| order.template_id).map(|id| id.to_string()),
        data_source: link.map(|_| "payroll".to_owned()),
        object_id: new.objects.object_id.clone(),
        employment_id: new.objects.employment_id.clone(),
        objects_count: new.objects.count,
        order: order.map(|order| EventOrder {
            order_id: order.id.to_string(),
            order_number: order.order_number.clone(),
            employer_id: employer.map(|employer| employer.id.to_string()),
        }),
    };
    Ok(NewWebhookEvent {
        id,
        tenant,
        link_id: link.map(|link| link.id),
        task_id: task.map(|task| task.id),
        order_id: order.map(|order| order.id),
        event_type: new.event_type.to_owned(),
        body: serde_json::to_string(&body).map_err(error::internal)?,
        created_at: now,
    })
}
