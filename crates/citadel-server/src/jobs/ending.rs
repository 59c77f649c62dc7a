//! What ends with an order, or with one employer in it: its bridge tokens, the sign-ins that run with them, and what those have
//! read without coming to their end.
//!
//! Rows are taken in one order everywhere: tokens, jobs, tasks, links, the order, its employers, events. A worker holds its job
//! until it commits, so that whoever took the job away knows that nothing is written for the task any more, and no change sent
//! to a provider: the worker looks at its job right before it does either.

use citadel_domain::{OrderEmployerId, OrderId, OrderStatus, TaskId, TaskStatus, UserId};
use citadel_store::{
    Tenant, Tx, bridge_tokens, changes,
    changes::State,
    jobs,
    links::{self, Link},
    logins,
    order_employers::{self, OrderEmployer},
    orders::{self, Mark, Order},
    reports,
    tasks::{self, Task},
};
use jiff::Timestamp;

use super::{
    events::{self, NewEvent},
    job_of,
    orders::{complete, status_event},
    run_task::record::outcome_words,
};
use crate::{app::App, error::ApiResult, moment::Moment};

/// What is kept of a task that was stopped.
const STOPPED: &str = "This is not needed any more.";
/// Orders that one sweep ends in one go.
const AT_ONCE: i64 = 100;

/// What has ended, to be told of once nothing else is written.
pub(crate) struct Ended {
    order: Order,
    employers: Vec<(OrderEmployer, OrderStatus)>,
    tasks: Vec<(Task, Link)>,
}

impl Ended {
    /// Whether the order, or one of its employers, is among it.
    pub(crate) fn has_ended_the_order(&self) -> bool {
        !self.employers.is_empty()
    }
}

/// Ends an order that nothing has ended yet: `Canceled` or `Expired`. Where something has, meanwhile, what is
/// left to tell are tasks that still ran; `None` without any.
pub(crate) async fn of_order(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: OrderId,
    mark: Mark,
    now: Timestamp,
) -> ApiResult<Option<Ended>> {
    bridge_tokens::end_of_order(tx, tenant, id, now).await?;
    let running = tasks::list_running_of_order(tx, tenant, id, None).await?;
    let tasks = stop(tx, tenant, running, now).await?;
    orders::lock(tx, tenant, id).await?;
    let Some(order) = orders::find(tx, tenant, id).await? else { return Ok(None) };
    if order.canceled_at.is_some() || order.completed_at.is_some() || order.expired_at.is_some() {
        return Ok(only_tasks(order, tasks));
    }
    orders::mark(tx, tenant, id, mark, now).await?;
    let status = if matches!(mark, Mark::Expired) { OrderStatus::Expired } else { OrderStatus::Canceled };
    let mut employers = Vec::new();
    for employer in order_employers::list(tx, tenant, id).await? {
        if employer.status.is_open() {
            order_employers::set_status(tx, tenant, employer.id, status, None, now).await?;
            employers.push((employer, status));
        }
    }
    Ok(Some(Ended { order, employers, tasks }))
}

/// Ends every order of a person that nothing has ended, before the person is deleted.
pub(crate) async fn of_user(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    user_id: UserId,
    now: Timestamp,
) -> ApiResult<Vec<Ended>> {
    let mut ended = Vec::new();
    for id in orders::list_open_of_user(tx, tenant, user_id).await? {
        ended.extend(of_order(tx, tenant, id, Mark::Canceled, now).await?);
    }
    Ok(ended)
}

/// Ends one employer of an order: the person goes on without it. Where it is settled, or the
/// order has ended, what is left to tell are tasks that still ran; `None` without any.
pub(crate) async fn of_employer(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    order_id: OrderId,
    id: OrderEmployerId,
    moment: Moment,
) -> ApiResult<Option<Ended>> {
    let now = moment.now;
    bridge_tokens::end_of_order_employer(tx, tenant, id, now).await?;
    let running = tasks::list_running_of_order(tx, tenant, order_id, Some(id)).await?;
    let tasks = stop(tx, tenant, running, now).await?;
    orders::lock(tx, tenant, order_id).await?;
    let Some(order) = orders::find(tx, tenant, order_id).await? else { return Ok(None) };
    let Some(employer) = order_employers::find(tx, tenant, id).await? else { return Ok(None) };
    if !employer.status.is_open() || order.canceled_at.is_some() || order.expired_at.is_some() {
        return Ok(only_tasks(order, tasks));
    }
    let status = OrderStatus::Skipped;
    order_employers::set_status(tx, tenant, id, status, None, now).await?;
    complete(tx, &order, moment).await?;
    Ok(Some(Ended { order, employers: vec![(employer, status)], tasks }))
}

/// What is to be told where something else ended the order or the employer first: the tasks that ended here.
fn only_tasks(order: Order, tasks: Vec<(Task, Link)>) -> Option<Ended> {
    (!tasks.is_empty()).then(|| Ended { order, employers: Vec::new(), tasks })
}

/// Ends tasks that are under way, wherever they are. Those that have come to their end meanwhile stay as they are.
async fn stop(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    running: Vec<TaskId>,
    now: Timestamp,
) -> ApiResult<Vec<(Task, Link)>> {
    let mut stopped = Vec::new();
    for id in running {
        jobs::remove(tx, job_of(id)).await?;
        let found = tasks::find(tx, tenant, id).await?;
        let Some(task) = found.filter(|task| !task.status.is_final()) else { continue };
        let state = changes::find(tx, tenant, id).await?.map(|change| change.state);
        let words = state.and_then(outcome_words).unwrap_or(STOPPED);
        if !tasks::advance(tx, &task, TaskStatus::Error, Some(words), now).await? {
            continue;
        }
        if state == Some(State::Wanted) {
            changes::set_state(tx, tenant, id, State::Refused, now).await?;
        }
        logins::delete(tx, tenant, id).await?;
        reports::delete_unfinished(tx, tenant, task.link_id).await?;
        if let Some(link) = links::find(tx, tenant, task.link_id).await? {
            stopped.push((task, link));
        }
    }
    Ok(stopped)
}

/// Tells what has ended. Called when nothing else is written any more.
pub(crate) async fn tell(app: &App, tx: &mut Tx<'_>, ended: &Ended, moment: Moment) -> ApiResult<()> {
    let tasks = ended.tasks.iter().map(|(task, link)| events::status_event(task, link, TaskStatus::Error));
    let employers =
        ended.employers.iter().map(|(employer, status)| status_event(&ended.order, employer, *status, None));
    events::append_all(app, tx, &tasks.chain(employers).collect::<Vec<NewEvent<'_>>>(), moment).await
}

/// Ends the orders for which nobody came in time.
pub(super) async fn expire(
    app: &App,
    overdue: Result<Vec<(Tenant, OrderId)>, citadel_store::Error>,
    moment: Moment,
) -> ApiResult<u64> {
    let mut count = 0;
    let mut failed = None;
    for (tenant, id) in overdue? {
        let writer = app.clone();
        let db = app.db.scoped(tenant.client_id);
        let has_ended = db
            .write(async move |tx| {
                let Some(ended) = of_order(tx, tenant, id, Mark::Expired, moment.now).await? else {
                    return Ok::<_, crate::error::ApiError>(false);
                };
                tell(&writer, tx, &ended, moment).await?;
                Ok(true)
            })
            .await;
        match has_ended {
            Ok(has_ended) => count += u64::from(has_ended),
            // One order in trouble does not keep those behind it.
            Err(cause) => {
                tracing::warn!(order.id = %id, error.cause = cause.cause_text(), "cannot end an order");
                failed = Some(cause);
            }
        }
    }
    if count > 0 {
        app.ring_events();
    }
    failed.map_or(Ok(count), Err)
}

/// Ends those of every client whose clock goes as the machine's.
pub(super) async fn expire_all(app: &App) -> ApiResult<u64> {
    let moment = app.live_moment();
    let overdue = app.db.read(async move |tx| orders::list_overdue(tx, moment.now, AT_ONCE).await).await;
    expire(app, overdue, moment).await
}

/// Ends those of a sandbox with a clock of its own.
pub(super) async fn expire_in_sandbox(
    app: &App,
    client_id: citadel_domain::ClientId,
    moment: Moment,
) -> ApiResult<u64> {
    let db = app.db.scoped(client_id);
    let overdue = db
        .read(async move |tx| orders::list_overdue_in_sandbox(tx, client_id, moment.now, AT_ONCE).await)
        .await;
    expire(app, overdue, moment).await
}
