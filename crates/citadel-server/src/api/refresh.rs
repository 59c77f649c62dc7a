//! Refreshes: a link is read again, or changed again, without the person.

use axum::{Json, extract::State, http::StatusCode};
use citadel_api_types::{
    error::{Detail, ErrorBody},
    refresh::{CreateRefreshTask, RefreshTask, RefreshTaskCreated},
};
use citadel_connectors::Login;
use citadel_domain::{Environment, Money, Product, TaskId, TaskStatus, payroll::Change};
use citadel_store::{
    Tx, changes, links,
    links::Link,
    logins::{self, NewLogin},
    tasks::{self, Kind, NewTask, Task},
};
use jiff::{SignedDuration, Timestamp, tz::Offset};
use rust_decimal::Decimal;

use super::{PathId, account, reports::find_link, widget::sign_in::next_task_id};
use crate::{
    app::App,
    auth::Caller,
    body::Body,
    error::{self, ApiError, ApiResult},
    faults::{Planned, SandboxFaults},
    idempotency::{Holds, Once},
    jobs::{self, change, events, safe},
    moment::Moment,
    reports::{self, Proof, proof_of_funding},
};

/// How long a refresh may take.
const LIFE: SignedDuration = SignedDuration::from_mins(15);
/// Refreshes of one link in a day, outside the sandbox: the first and three more (contract 1.8).
const MAX_A_DAY: i64 = 4;
/// The field of the two amounts.
const AMOUNTS: &str = "settings.micro_deposits";

/// Read a link again. What it holds stays readable meanwhile. For `fas` this is also the second step, with the two
/// micro-deposits; for `deposit_switch` and `pll` it may bring a new account or share.
#[utoipa::path(post, path = "/v1/refresh/tasks/", tag = "refresh", request_body = CreateRefreshTask, responses(
    (status = 200, body = RefreshTaskCreated),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, description = "unknown access token", body = Detail),
    (status = 409, description = "another task of this link is still running", body = ErrorBody),
    (status = 429, description = "more refreshes than one link may have in a day", body = ErrorBody),
))]
pub(crate) async fn create_refresh_task(
    State(app): State<App>,
    caller: Caller,
    once: Once,
    SandboxFaults(faults): SandboxFaults,
    Body(body): Body<CreateRefreshTask>,
) -> ApiResult<Json<RefreshTaskCreated>> {
    let link = find_link(&app, caller.tenant, &body.access_token).await?;
    let order = Order::check(&link, &body)?;
    let moment = app.moment(link.tenant).await?;
    let Moment { now, live, .. } = moment;
    let writer = app.clone();
    let hand = app.hands.free();
    let is_hand_free = hand.is_some();
    let (answer, job) = app
        .db
        .scoped(link.tenant.client_id)
        .write(async move |tx| {
            if !links::lock(tx, link.tenant, link.id).await? {
                return Err(error::not_found());
            }
            // What the person allowed has ended, and the sweep is about to say so: the token is dead (P20, P21).
            if link.consent_expires_at <= now {
                return Err(error::not_found());
            }
            if let Some(running) = running(tx, &link, &order).await? {
                return Ok::<_, ApiError>((created(tx, &once, &link, running).await?, None));
            }
            check_limits(tx, &link, &order, now).await?;
            let id = next_task_id(&writer, tx, &link, now).await?;
            // Nobody types anything; the row holds the grant and what the connector notes until the task has ended.
            let (key_wrapped, login_sealed) = safe::seal_login(&writer, link.tenant, id, &Login::default())?;
            let login = NewLogin {
                task_id: id,
                tenant: link.tenant,
                key_wrapped,
                login_sealed,
                expires_at: live + LIFE,
            };
            let planned = Planned::of_refresh(&writer, tx, &link, &faults, moment.today()).await?;
            let new = NewTask {
                id,
                tenant: link.tenant,
                link_id: link.id,
                bridge_token_id: None,
                access_key_id: caller.access_key_id,
                product: order.product,
                kind: Kind::Refresh,
                faults: planned.faults,
                scenario_id: planned.scenario_id,
                created_at: now,
            };
            let task = tasks::create(tx, &new).await?;
            logins::put(tx, &login).await?;
            if let Some(wanted) = &order.change {
                change::keep(&writer, tx, &link, (task.id, task.product), wanted, now).await?;
            }
            let job = jobs::enqueue_task(tx, &task, live, is_hand_free).await?;
            events::append_status(&writer, tx, &task, &link, TaskStatus::New, moment).await?;
            Ok((created(tx, &once, &link, task.id).await?, job))
        })
        .await?;
    jobs::start(&app, hand, job);
    app.ring_events();
    Ok(Json(answer))
}

async fn created(
    tx: &mut Tx<'_>,
    once: &Once,
    link: &Link,
    task_id: TaskId,
) -> ApiResult<RefreshTaskCreated> {
    let answer = RefreshTaskCreated { task_id: task_id.to_string() };
    once.keep(tx, StatusCode::OK, &answer, Holds::link(link.id)).await?;
    Ok(answer)
}

/// Read how a refresh goes.
#[utoipa::path(get, path = "/v1/refresh/tasks/{task_id}/", tag = "refresh", params(("task_id" = String, Path)), responses(
    (status = 200, body = RefreshTask),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn get_refresh_task(
    State(app): State<App>,
    caller: Caller,
    PathId(task_id): PathId<TaskId>,
) -> ApiResult<Json<RefreshTask>> {
    let tenant = caller.tenant;
    let found = app
        .db
        .scoped(tenant.client_id)
        .read(async move |tx| {
            let task = tasks::find(tx, tenant, task_id).await?;
            let Some(task) = task.filter(|task| task.kind == Kind::Refresh) else { return Ok(None) };
            let link = links::find(tx, tenant, task.link_id).await?;
            Ok::<_, citadel_store::Error>(link.map(|_| task))
        })
        .await?;
    Ok(Json(view(&found.ok_or_else(error::not_found)?)))
}

fn view(task: &Task) -> RefreshTask {
    RefreshTask {
        id: task.id.to_string(),
        status: match task.status {
            // Published clients stop polling at eight words only (contract 6.2).
            TaskStatus::UnableToReset | TaskStatus::NotSupported => TaskStatus::Error,
            status => status,
        }
        .to_string(),
        created_at: reports::time(task.created_at),
        refresh_date: Offset::UTC.to_datetime(task.created_at).date().to_string(),
    }
}

/// The checked parts of a request.
struct Order {
    product: Product,
    change: Option<Change>,
}

impl Order {
    fn check(link: &Link, body: &CreateRefreshTask) -> ApiResult<Self> {
        let mut problems = Vec::new();
        let product = match body.product_type.as_deref() {
            None => Some(link.product),
            Some(text) => {
                let product = text.parse().ok().filter(|product| link.allowed_products.contains(product));
                if product.is_none() {
                    let served: Vec<_> =
                        link.allowed_products.iter().map(|product| product.as_str()).collect();
                    let message = format!("This link serves: {}.", served.join(", "));
                    problems.push(("product_type".to_owned(), message));
                }
                product
            }
        };
        let amounts = body.settings.as_ref().and_then(|settings| settings.micro_deposits.as_deref());
        let change = match (product, &body.account, amounts) {
            (Some(Product::Fas), _, Some(amounts)) => match check_amounts(amounts) {
                Ok(amounts) => Some(Change::FundingProof { amounts }),
                Err(message) => {
                    problems.push((AMOUNTS.to_owned(), message));
                    None
                }
            },
            (Some(product @ (Product::DepositSwitch | Product::Pll)), Some(sent), _) => {
                match account::check(Some(sent), product, link.tenant.environment) {
                    Ok(account) => Some(Change::Deposit { account }),
                    Err(wrong) => {
                        problems.extend(wrong);
                        None
                    }
                }
            }
            _ => None,
        };
        if body.account.is_some()
            && product.is_some_and(|product| !matches!(product, Product::DepositSwitch | Product::Pll))
        {
            let message =
                "Only a refresh for deposit_switch or pll takes an account; name it as product_type.";
            problems.push(("account".to_owned(), message.to_owned()));
        }
        if amounts.is_some() && product.is_some_and(|product| product != Product::Fas) {
            problems.push((AMOUNTS.to_owned(), "Only a link for fas takes micro-deposits.".to_owned()));
        }
        match product {
            Some(product) if problems.is_empty() => Ok(Self { product, change }),
            _ => Err(error::invalid_fields(problems)),
        }
    }
}

/// Exactly two amounts, each over 0 and at most 0.20, in whole cents.
fn check_amounts(amounts: &[String]) -> Result<[Money; 2], String> {
    let [first, second] = amounts else { return Err("Send exactly two amounts.".to_owned()) };
    let most = Decimal::new(20, 2);
    let read = |text: &String| {
        let amount = Decimal::from_str_exact(text).ok()?.normalize();
        let is_right = amount > Decimal::ZERO && amount <= most && amount.scale() <= 2;
        Money::from_decimal(amount).filter(|_| is_right)
    };
    match (read(first), read(second)) {
        (Some(first), Some(second)) => Ok([first, second]),
        _ => {
            Err("Each amount is a number over 0 and at most 0.20, with two digits after the point."
                .to_owned())
        }
    }
}

/// A plain refresh that is still running is answered instead of a second one beside it. Whatever else runs, or is wanted, has
/// to wait.
async fn running(tx: &mut Tx<'_>, link: &Link, order: &Order) -> ApiResult<Option<TaskId>> {
    let Some(task) = tasks::find_running(tx, link.tenant, link.id).await? else { return Ok(None) };
    let is_same = task.kind == Kind::Refresh
        && task.product == order.product
        && order.change.is_none()
        && changes::find(tx, link.tenant, task.id).await?.is_none();
    if is_same {
        Ok(Some(task.id))
    } else {
        Err(error::conflict("Another task of this link is still running."))
    }
}

async fn check_limits(tx: &mut Tx<'_>, link: &Link, order: &Order, now: Timestamp) -> ApiResult<()> {
    if let Some(Change::FundingProof { .. }) = order.change {
        let all = changes::list_for_link(tx, link.tenant, link.id).await?;
        let message = match proof_of_funding(&all) {
            Proof::Awaited => return Ok(()),
            Proof::NotAsked => "No funding account waits for micro-deposits.",
            Proof::Given => "The funding account is verified already.",
            Proof::Stopped => "Stopped after three wrong pairs: start again with a new bridge token.",
        };
        return Err(error::invalid(AMOUNTS, message));
    }
    if link.tenant.environment != Environment::Sandbox {
        let since = now - SignedDuration::from_hours(24);
        if tasks::count_refreshes(tx, link.tenant, link.id, since).await? >= MAX_A_DAY {
            return Err(error::throttled("The refresh limit of this access token is exceeded", 3600));
        }
    }
    Ok(())
}
