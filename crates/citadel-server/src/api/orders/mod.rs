//! Orders: a user, bridge tokens and a page in one call. [`wanted`] checks a request for one, [`making`] writes it, [`showing`]
//! reads it.

mod making;
mod showing;
mod tokens;
mod wanted;

use axum::{Json, extract::State, http::StatusCode};
use citadel_api_types::{
    error::{Detail, ErrorBody},
    events::Event,
    orders::{
        CreateOrder, LookUpOrders, Order as OrderView, OrderEmployer as OrderEmployerView,
        OrderEmployerRequest, OrderPage, RefreshOrder, UpdateOrder,
    },
};
use citadel_domain::{OrderId, OrderStatus};
use citadel_store::{
    Tenant, Tx,
    orders::{self, Mark, Order},
    users, webhook_events,
};
use serde::Deserialize;
use utoipa::IntoParams;

pub(crate) use showing::{Loaded, has_jobs};
pub(crate) use tokens::load_renewed;

use self::{
    making::{find_or_create_user, update_body},
    wanted::{Wanted, offered, rows_of},
};
use super::{PageAsked, Params, PathId, events::view as event_view};
use crate::{
    app::App,
    auth::Caller,
    body::Body,
    error::{self, ApiError, ApiResult},
    faults::SandboxFaults,
    idempotency::{Holds, Once},
    jobs::ending::{self, Ended},
};

/// Make an order: a user, a bridge token for each employer, and a page for the person. It ends after three days.
#[utoipa::path(post, path = "/v1/orders/", tag = "orders", request_body = CreateOrder, responses(
    (status = 201, body = OrderView),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "this server offers none of the products", body = ErrorBody),
))]
pub(crate) async fn create_order(
    State(app): State<App>,
    caller: Caller,
    once: Once,
    SandboxFaults(faults): SandboxFaults,
    Body(body): Body<CreateOrder>,
) -> ApiResult<(StatusCode, Json<OrderView>)> {
    let wanted = Wanted::check(&app, caller, faults, body)?;
    let moment = app.moment(caller.tenant).await?;
    let writer = app.clone();
    let db = app.db.scoped(caller.tenant.client_id);
    let answer = db
        .write(async move |tx| {
            let user = find_or_create_user(&writer, tx, caller.tenant, &wanted.profile, moment.now).await?;
            let id = making::make(&writer, tx, &user, &wanted, None, moment).await?;
            let answer = Loaded::find(&writer, tx, caller.tenant, id).await?.view(&writer, moment.now)?;
            once.keep(tx, StatusCode::CREATED, &answer, Holds::user(user.id)).await?;
            Ok::<_, ApiError>(answer)
        })
        .await?;
    app.ring_events();
    Ok((StatusCode::CREATED, Json(answer)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Only orders with this number of yours.
    order_number: Option<String>,
    /// From 1.
    page: Option<String>,
    /// 1 to 100.
    page_size: Option<String>,
}

/// List orders, newest first. Jobs, tasks and new bridge tokens come with one order only.
#[utoipa::path(get, path = "/v1/orders/", tag = "orders", params(ListParams), responses(
    (status = 200, body = citadel_api_types::page::Page<citadel_api_types::orders::Order>),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, description = "no such page", body = Detail),
))]
pub(crate) async fn list_orders(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> ApiResult<Json<OrderPage>> {
    let asked = PageAsked::read(&params.page, &params.page_size)?;
    let order_number = params.order_number.filter(|number| !number.is_empty());
    page(&app, caller.tenant, asked, order_number).await.map(Json)
}

/// Look for orders by your own number.
#[utoipa::path(post, path = "/v1/orders/lookup/", tag = "orders", request_body = LookUpOrders, responses(
    (status = 200, body = citadel_api_types::page::Page<citadel_api_types::orders::Order>),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
))]
pub(crate) async fn look_up_orders(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<LookUpOrders>,
) -> ApiResult<Json<OrderPage>> {
    if body.order_number.is_empty() {
        return Err(error::invalid("order_number", "This field is required."));
    }
    let asked = PageAsked::read(&None, &None)?;
    page(&app, caller.tenant, asked, Some(body.order_number)).await.map(Json)
}

async fn page(
    app: &App,
    tenant: Tenant,
    asked: PageAsked,
    order_number: Option<String>,
) -> ApiResult<OrderPage> {
    let now = app.moment(tenant).await?.now;
    let (reader, number) = (app.clone(), order_number.clone());
    let db = app.db.scoped(tenant.client_id);
    let (count, found) = db
        .read(async move |tx| {
            let page = orders::list(tx, tenant, number.as_deref(), asked.size, asked.offset()).await?;
            let count = orders::count(tx, tenant, number.as_deref()).await?;
            let found = Loaded::page(&reader, tx, tenant, number.clone(), page).await?;
            Ok::<_, ApiError>((count, found))
        })
        .await?;
    let results = found.iter().map(|loaded| loaded.view(app, now)).collect::<ApiResult<_>>()?;
    asked.answer(app, "/v1/orders/", &[("order_number", order_number.as_deref())], count, results)
}

/// Read one order, with the jobs of the employers that are completed, and with new bridge tokens where they have aged.
#[utoipa::path(get, path = "/v1/orders/{order_id}/", tag = "orders", params(("order_id" = String, Path)), responses(
    (status = 200, body = OrderView),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn get_order(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
) -> ApiResult<Json<OrderView>> {
    let tenant = caller.tenant;
    let moment = app.moment(tenant).await?;
    load_renewed(&app, tenant, id, moment).await?.view(&app, moment.now).map(Json)
}

/// Ask again what an order asked before: a new order for the same person. The older form of `refresh`.
#[utoipa::path(post, path = "/v1/orders/{order_id}/", tag = "orders", params(("order_id" = String, Path)),
request_body = RefreshOrder, responses(
    (status = 201, body = OrderView),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn reverify_order(
    state: State<App>,
    caller: Caller,
    id: PathId<OrderId>,
    once: Once,
    faults: SandboxFaults,
    body: Body<RefreshOrder>,
) -> ApiResult<(StatusCode, Json<OrderView>)> {
    refresh_order(state, caller, id, once, faults, body).await
}

/// Ask again what an order asked before: a new order for the same person.
#[utoipa::path(post, path = "/v1/orders/{order_id}/refresh/", tag = "orders", params(("order_id" = String, Path)),
request_body = RefreshOrder, responses(
    (status = 201, body = OrderView),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn refresh_order(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    once: Once,
    SandboxFaults(faults): SandboxFaults,
    Body(body): Body<RefreshOrder>,
) -> ApiResult<(StatusCode, Json<OrderView>)> {
    let tenant = caller.tenant;
    let moment = app.moment(tenant).await?;
    let writer = app.clone();
    let db = app.db.scoped(tenant.client_id);
    let reader = app.clone();
    let before = db
        .read(async move |tx| {
            let before = Loaded::find(&reader, tx, tenant, id).await?;
            // Of a deleted person nothing is kept that could be asked again.
            users::find(tx, tenant, before.order.user_id).await?.ok_or_else(error::not_found)?;
            Ok::<_, ApiError>(before)
        })
        .await?;
    // Employers are searched for, which nobody else's writing waits for.
    let wanted = Wanted::again(&app, caller, faults, &before, body)?;
    let answer = db
        .write(async move |tx| {
            let user = users::find(tx, tenant, before.order.user_id).await?.ok_or_else(error::not_found)?;
            let new = making::make(&writer, tx, &user, &wanted, Some(id), moment).await?;
            orders::set_refresh_order(tx, tenant, id, new).await?;
            let answer = Loaded::find(&writer, tx, tenant, new).await?.view(&writer, moment.now)?;
            once.keep(tx, StatusCode::CREATED, &answer, Holds::user(user.id)).await?;
            Ok::<_, ApiError>(answer)
        })
        .await?;
    app.ring_events();
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Change an order that nobody has begun with.
#[utoipa::path(patch, path = "/v1/orders/{order_id}/", tag = "orders", params(("order_id" = String, Path)),
request_body = UpdateOrder, responses(
    (status = 200, body = OrderView),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
    (status = 409, description = "an employer is settled, or the order has ended", body = ErrorBody),
))]
pub(crate) async fn update_order(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    Body(body): Body<UpdateOrder>,
) -> ApiResult<Json<OrderView>> {
    let tenant = caller.tenant;
    let now = app.moment(tenant).await?.now;
    let writer = app.clone();
    let db = app.db.scoped(tenant.client_id);
    let loaded = db
        .write(async move |tx| {
            let order = orders::find(tx, tenant, id).await?.ok_or_else(error::not_found)?;
            // The person's profile is rewritten too, and the person is held before the order, as by whoever deletes both.
            if !users::lock(tx, tenant, order.user_id).await? {
                return Err(error::not_found());
            }
            orders::lock(tx, tenant, id).await?;
            let loaded = Loaded::find(&writer, tx, tenant, id).await?;
            if loaded.status(now) != OrderStatus::Pending || !loaded.is_untouched() {
                return Err(error::conflict("This order was begun with, or has ended."));
            }
            let user = users::find(tx, tenant, loaded.order.user_id).await?.ok_or_else(error::not_found)?;
            update_body(&writer, tx, &user, &loaded, body.clone(), now).await?;
            Loaded::find(&writer, tx, tenant, id).await
        })
        .await?;
    loaded.view(&app, now).map(Json)
}

/// Take an order back: its page and its bridge tokens open nothing any more, and sign-ins that run with them stop. What was
/// connected stays.
#[utoipa::path(post, path = "/v1/orders/{order_id}/cancel/", tag = "orders", params(("order_id" = String, Path)), responses(
    (status = 200, body = OrderView),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
    (status = 409, description = "it is completed or has ended", body = ErrorBody),
))]
pub(crate) async fn cancel_order(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    once: Once,
) -> ApiResult<Json<OrderView>> {
    let tenant = caller.tenant;
    let moment = app.moment(tenant).await?;
    let writer = app.clone();
    let db = app.db.scoped(tenant.client_id);
    let answer = db
        .write(async move |tx| {
            let ended = || error::conflict("This order is completed or has ended.");
            let loaded = Loaded::find(&writer, tx, tenant, id).await?;
            match loaded.status(moment.now) {
                OrderStatus::Canceled => {}
                OrderStatus::Pending => {
                    let news = ending::of_order(tx, tenant, id, Mark::Canceled, moment.now)
                        .await?
                        .filter(Ended::has_ended_the_order)
                        .ok_or_else(ended)?;
                    ending::tell(&writer, tx, &news, moment).await?;
                }
                _ => return Err(ended()),
            }
            let loaded = Loaded::find(&writer, tx, tenant, id).await?;
            let answer = loaded.view(&writer, moment.now)?;
            once.keep(tx, StatusCode::OK, &answer, Holds::user(loaded.order.user_id)).await?;
            Ok(answer)
        })
        .await?;
    app.ring_events();
    Ok(Json(answer))
}

/// Put one more employer into an order: a row for each of its products, or for the one that you name. The first of them is the
/// answer.
#[utoipa::path(post, path = "/v1/orders/{order_id}/employers/", tag = "orders", params(("order_id" = String, Path)),
request_body = OrderEmployerRequest, responses(
    (status = 201, body = OrderEmployerView),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
    (status = 409, description = "the order is completed, or has ended", body = ErrorBody),
))]
pub(crate) async fn add_order_employer(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    once: Once,
    SandboxFaults(faults): SandboxFaults,
    Body(body): Body<OrderEmployerRequest>,
) -> ApiResult<(StatusCode, Json<OrderEmployerView>)> {
    let tenant = caller.tenant;
    let moment = app.moment(tenant).await?;
    let writer = app.clone();
    let db = app.db.scoped(tenant.client_id);
    let order = db.read(async move |tx| find(tx, tenant, id).await).await?;
    // Employers are searched for, which nobody else's writing waits for. What an order asks for never changes.
    let rows = rows_of(&app, tenant.environment, &offered(&order.products)?, &body, "")?;
    let answer = db
        .write(async move |tx| {
            orders::lock(tx, tenant, id).await?;
            let loaded = Loaded::find(&writer, tx, tenant, id).await?;
            if loaded.status(moment.now) != OrderStatus::Pending {
                return Err(error::conflict("This order is completed, or has ended."));
            }
            let user = users::find(tx, tenant, loaded.order.user_id).await?.ok_or_else(error::not_found)?;
            let place = loaded.employers().count();
            for (place, new) in (place..).zip(&rows) {
                making::add(&writer, tx, &loaded.order, &user, (caller, &faults), (place, new), moment)
                    .await?;
            }
            let all = Loaded::find(&writer, tx, tenant, id).await?.view(&writer, moment.now)?.employers;
            let nothing = || error::invalid("product_type", "Nothing comes of this product here.");
            let answer = all.into_iter().nth(place).ok_or_else(nothing)?;
            once.keep(tx, StatusCode::CREATED, &answer, Holds::user(user.id)).await?;
            Ok(answer)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// List the webhook events of an order, oldest first.
#[utoipa::path(get, path = "/v1/orders/{order_id}/events/", tag = "orders", params(("order_id" = String, Path)), responses(
    (status = 200, body = Vec<Event>),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn list_order_events(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
) -> ApiResult<Json<Vec<Event>>> {
    let tenant = caller.tenant;
    let db = app.db.scoped(tenant.client_id);
    let found = db
        .read(async move |tx| {
            find(tx, tenant, id).await?;
            Ok::<_, ApiError>(webhook_events::list_for_order(tx, tenant, id).await?)
        })
        .await?;
    found.iter().map(event_view).collect::<ApiResult<_>>().map(Json)
}

async fn find(tx: &mut Tx<'_>, tenant: Tenant, id: OrderId) -> ApiResult<Order> {
    orders::find(tx, tenant, id).await?.ok_or_else(error::not_found)
}
