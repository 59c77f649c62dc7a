//! What becomes of an order when a sign-in for one of its employers ends.

use citadel_domain::{OrderEmployerId, OrderStatus, TaskStatus};
use citadel_store::{
    Tenant, Tx, bridge_tokens,
    links::{self, Link},
    order_employers::{self, OrderEmployer},
    orders::{self, Mark, Order},
    tasks::{Kind, Task},
    users,
};
use jiff::Timestamp;

use super::events::{self, About, NewEvent, Objects};
use crate::{
    api::{access_tokens::access_token_of, orders::has_jobs},
    app::App,
    error::{self, ApiResult},
    moment::Moment,
    reports::user as user_reports,
};

/// An employer that a task has settled, to be told of once the task's own events are.
pub(super) struct Settled {
    order: Order,
    employer: OrderEmployer,
    link: Link,
    status: OrderStatus,
}

/// Settles the employer for which a task signed in, in the transaction that ends the task. `None` when it signed in for none, or
/// the employer needs nothing any more: it is completed, or somebody has canceled or skipped it meanwhile.
///
/// Every row is held before the first event is written, as everybody does who changes an order.
pub(super) async fn settle(
    app: &App,
    tx: &mut Tx<'_>,
    task: &Task,
    status: TaskStatus,
    moment: Moment,
) -> ApiResult<Option<Settled>> {
    let tenant = task.tenant;
    let Some(token) = task.bridge_token_id.filter(|_| task.kind == Kind::Initial) else { return Ok(None) };
    let status = match status {
        TaskStatus::Done => OrderStatus::Completed,
        TaskStatus::NoData => OrderStatus::NoData,
        // The person tries again on the same screen.
        TaskStatus::LoginError | TaskStatus::MfaError => return Ok(None),
        _ => OrderStatus::Error,
    };
    let Some(id) = bridge_tokens::order_employer(tx, tenant, token).await? else { return Ok(None) };
    let Some(employer) = order_employers::find(tx, tenant, id).await? else { return Ok(None) };
    orders::lock(tx, tenant, employer.order_id).await?;
    // As it is now that nobody else can change it.
    let Some(employer) = order_employers::find(tx, tenant, id).await? else { return Ok(None) };
    let Some(order) = orders::find(tx, tenant, employer.order_id).await? else { return Ok(None) };
    if !employer.status.is_open() || order.canceled_at.is_some() || order.expired_at.is_some() {
        return Ok(None);
    }
    let Some(link) = links::find(tx, tenant, task.link_id).await? else { return Ok(None) };
    order_employers::set_status(tx, tenant, employer.id, status, Some(link.id), moment.now).await?;
    if status == OrderStatus::Completed {
        // The client reads it with the order, and exchanges nothing.
        access_token_of(app, tx, &link).await?;
        if has_jobs(employer.product)
            && let Some(user) = users::find(tx, tenant, order.user_id).await?
        {
            let report = user_reports::create(app, tx, &user, false, &[], moment.now).await?;
            orders::set_voie_report(tx, tenant, order.id, report.id).await?;
        }
    }
    complete(tx, &order, moment).await?;
    Ok(Some(Settled { order, employer, link, status }))
}

impl Settled {
    pub(super) async fn tell(&self, app: &App, tx: &mut Tx<'_>, moment: Moment) -> ApiResult<()> {
        let Self { order, employer, link, status } = self;
        let updated = status_event(order, employer, *status, Some(link));
        let is_refresh = order.initial_order_id.is_some();
        let failed = matches!(status, OrderStatus::Error | OrderStatus::NoData) && is_refresh;
        let refresh_failed = failed.then(|| NewEvent {
            event_type: "order-refresh-failed",
            ..status_event(order, employer, *status, Some(link))
        });
        let news: Vec<_> = std::iter::once(updated).chain(refresh_failed).collect();
        events::append_all(app, tx, &news, moment).await
    }
}

/// Notes that an order is completed, once no employer is open.
pub(crate) async fn complete(tx: &mut Tx<'_>, order: &Order, moment: Moment) -> ApiResult<()> {
    let employers = order_employers::list(tx, order.tenant, order.id).await?;
    let is_open = employers.iter().any(|employer| employer.status.is_open());
    if !is_open && order.canceled_at.is_none() && order.expired_at.is_none() {
        orders::mark(tx, order.tenant, order.id, Mark::Completed, moment.now).await?;
    }
    Ok(())
}

/// Tells that an order was made.
pub(crate) async fn tell_created(app: &App, tx: &mut Tx<'_>, order: &Order, moment: Moment) -> ApiResult<()> {
    let event = NewEvent {
        event_type: "order-created",
        about: About::Order(order, None, None),
        task: None,
        status: OrderStatus::Pending.as_str(),
        objects: Objects::default(),
    };
    events::append(app, tx, event, moment).await
}

/// What tells that an employer of an order has a new status.
pub(super) fn status_event<'a>(
    order: &'a Order,
    employer: &'a OrderEmployer,
    status: OrderStatus,
    link: Option<&'a Link>,
) -> NewEvent<'a> {
    NewEvent {
        event_type: "order-status-updated",
        about: About::Order(order, Some(employer), link),
        task: None,
        status: status.as_str(),
        objects: Objects::default(),
    }
}

/// Whether a task that signs in for an employer of an order should go on: nobody has settled the employer meanwhile. Canceling
/// and skipping take the task's job away; this is about another sign-in for the same employer that was quicker.
pub(super) async fn is_wanted(tx: &mut Tx<'_>, task: &Task) -> Result<bool, citadel_store::Error> {
    let Some(token) = task.bridge_token_id.filter(|_| task.kind == Kind::Initial) else { return Ok(true) };
    let Some(id) = bridge_tokens::order_employer(tx, task.tenant, token).await? else { return Ok(true) };
    let employer = order_employers::find(tx, task.tenant, id).await?;
    Ok(employer.is_none_or(|employer| employer.status.is_open()))
}

/// Lets somebody sign in for an employer of an order: it must be open, and the person must have agreed, on the order's page or
/// on the form from which the sign-in comes (P20). Called after the link is held.
pub(crate) async fn admit(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: OrderEmployerId,
    link: &Link,
    has_agreed: bool,
    now: Timestamp,
) -> ApiResult<()> {
    let settled = || error::gone("Nothing is left to do here. Go back to the page that you came from.");
    let employer = order_employers::find(tx, tenant, id).await?.ok_or_else(settled)?;
    orders::lock(tx, tenant, employer.order_id).await?;
    // As they are now that nobody else can change them.
    let employer = order_employers::find(tx, tenant, id).await?.ok_or_else(settled)?;
    let order = orders::find(tx, tenant, employer.order_id).await?.ok_or_else(settled)?;
    if !employer.status.is_open() || order.canceled_at.is_some() || order.expired_at.is_some() {
        return Err(settled());
    }
    if order.consented_at.is_none() {
        if !has_agreed {
            return Err(error::invalid("consented", NOT_AGREED));
        }
        orders::mark(tx, tenant, order.id, Mark::Consented, now).await?;
    }
    Ok(order_employers::set_link(tx, tenant, id, link.id, now).await?)
}

/// Says what has to come first.
pub(crate) const NOT_AGREED: &str =
    "The person has to agree first: on the page of the order, or in the widget.";
