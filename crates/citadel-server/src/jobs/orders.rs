//! What becomes of an order when a sign-in for one of its employers ends.

use citadel_domain::{OrderStatus, TaskStatus};
use citadel_store::{
    Tx,
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

/// Settles the employer for which a task signed in, in the transaction that ends the task.
pub(super) async fn settle(
    app: &App,
    tx: &mut Tx<'_>,
    task: &Task,
    status: TaskStatus,
    moment: Moment,
) -> ApiResult<()> {
    if task.kind != Kind::Initial {
        return Ok(());
    }
    let tenant = task.tenant;
    let status = match status {
        TaskStatus::Done => OrderStatus::Completed,
        TaskStatus::NoData => OrderStatus::NoData,
        // The person tries again on the same screen.
        TaskStatus::LoginError | TaskStatus::MfaError => return Ok(()),
        _ => OrderStatus::Error,
    };
    let Some(employer) = order_employers::find_by_link(tx, tenant, task.link_id).await? else {
        return Ok(());
    };
    // The newest: this task has just written to it.
    let Some(link) = links::find(tx, tenant, task.link_id).await? else { return Ok(()) };
    orders::lock(tx, tenant, employer.order_id).await?;
    let Some(order) = orders::find(tx, tenant, employer.order_id).await? else { return Ok(()) };
    if employer.status == OrderStatus::Completed {
        return Ok(());
    }
    order_employers::set_status(tx, tenant, employer.id, status, Some(link.id), moment.now).await?;
    if status == OrderStatus::Completed {
        // The client reads it with the order, and exchanges nothing.
        access_token_of(app, tx, &link).await?;
        if has_jobs(employer.product)
            && let Some(user) = users::find(tx, tenant, order.user_id).await?
        {
            let report = user_reports::create(app, tx, &user, false, moment.now).await?;
            orders::set_voie_report(tx, tenant, order.id, report.id).await?;
        }
    }
    tell(app, tx, &order, &employer, status, Some(&link), moment).await?;
    complete(tx, &order, moment).await
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
