//! What becomes of an order when a sign-in for one of its employers ends.

use citadel_domain::{OrderStatus, TaskStatus};
use citadel_store::{
    Tx, bridge_tokens,
    links::{self, Link},
    order_employers::{self, OrderEmployer},
    orders::{self, Mark, Order},
    tasks::{Kind, Task},
    users,
};

use super::events::{self, About, NewEvent, Objects};
use crate::{
    api::{access_tokens::access_token_of, orders::has_jobs},
    app::App,
    error::ApiResult,
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
    if !employer.status.is_open() || order.canceled_at.is_some() {
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
        tell(app, tx, order, employer, *status, Some(link), moment).await
    }
}

/// Notes that an order is completed, once no employer is open.
pub(crate) async fn complete(tx: &mut Tx<'_>, order: &Order, moment: Moment) -> ApiResult<()> {
    let employers = order_employers::list(tx, order.tenant, order.id).await?;
    let is_open = employers.iter().any(|employer| employer.status.is_open());
    if !is_open && order.canceled_at.is_none() {
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

/// Tells that an employer of an order has a new status.
pub(crate) async fn tell(
    app: &App,
    tx: &mut Tx<'_>,
    order: &Order,
    employer: &OrderEmployer,
    status: OrderStatus,
    link: Option<&Link>,
    moment: Moment,
) -> ApiResult<()> {
    let event = NewEvent {
        event_type: "order-status-updated",
        about: About::Order(order, Some(employer), link),
        task: None,
        status: status.as_str(),
        objects: Objects::default(),
    };
    events::append(app, tx, event, moment).await
}
