//! Tasks: how a run of work went.

use std::collections::HashMap;

use axum::{Json, extract::State};
use citadel_api_types::{
    error::{Detail, ErrorBody},
    tasks::{Task as TaskView, TaskPage},
};
use citadel_domain::{OrderId, TaskId, UserId};
use citadel_store::{Tenant, Tx, links, links::Link, order_employers, tasks, tasks::Task};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{PageAsked, Params, PathId, optional_id};
use crate::{
    app::App,
    auth::Caller,
    error::{self, ApiResult},
    reports,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Only tasks of this person's links.
    user_id: Option<String>,
    /// From 1.
    page: Option<String>,
    /// 1 to 100.
    page_size: Option<String>,
}

/// List tasks, newest first. Those of deleted links are not there.
#[utoipa::path(get, path = "/v1/tasks/", tag = "tasks", params(ListParams), responses(
    (status = 200, body = citadel_api_types::page::Page<citadel_api_types::tasks::Task>),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, description = "no such page", body = Detail),
))]
pub(crate) async fn list_tasks(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> ApiResult<Json<TaskPage>> {
    let tenant = caller.tenant;
    let asked = PageAsked::read(&params.page, &params.page_size)?;
    let user_id = optional_id("user_id", params.user_id.as_deref())?;
    let db = app.db.scoped(tenant.client_id);
    let (count, found) = db
        .read(async move |tx| {
            let mut found = Vec::new();
            let page = tasks::list(tx, tenant, user_id, asked.size, asked.offset()).await?;
            let orders = orders_of(tx, tenant, &page, user_id).await?;
            for task in page {
                if let Some(link) = links::find(tx, tenant, task.link_id).await? {
                    let order_id = orders.get(&task.id).copied();
                    found.push((task, link, order_id));
                }
            }
            Ok::<_, citadel_store::Error>((tasks::count(tx, tenant, user_id).await?, found))
        })
        .await?;
    let results = found.iter().map(|(task, link, order_id)| view(&app, task, link, *order_id)).collect();
    asked.answer(&app, "/v1/tasks/", &[("user_id", params.user_id.as_deref())], count, results).map(Json)
}

/// Read one task.
#[utoipa::path(get, path = "/v1/tasks/{task_id}/", tag = "tasks", params(("task_id" = String, Path, description = "from the widget or a webhook")), responses(
    (status = 200, body = TaskView),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn get_task(
    State(app): State<App>,
    caller: Caller,
    PathId(task_id): PathId<TaskId>,
) -> ApiResult<Json<TaskView>> {
    let tenant = caller.tenant;
    let found = app
        .db
        .scoped(tenant.client_id)
        .read(async move |tx| {
            let Some(task) = tasks::find(tx, tenant, task_id).await? else { return Ok(None) };
            let link = links::find(tx, tenant, task.link_id).await?;
            let order_id = orders_of(tx, tenant, std::slice::from_ref(&task), None).await?.remove(&task.id);
            Ok::<_, citadel_store::Error>(link.map(|link| (task, link, order_id)))
        })
        .await?;
    let (task, link, order_id) = found.ok_or_else(error::not_found)?;
    Ok(Json(view(&app, &task, &link, order_id)))
}

/// In which orders those of the tasks began that began in one.
pub(super) async fn orders_of(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    tasks: &[Task],
    user_id: Option<UserId>,
) -> Result<HashMap<TaskId, OrderId>, citadel_store::Error> {
    let ids = || tasks.iter().map(|task| task.id);
    match (ids().min(), ids().max()) {
        (Some(first), Some(last)) => {
            Ok(order_employers::list_tasks(tx, tenant, (first, last), user_id).await?.into_iter().collect())
        }
        _ => Ok(HashMap::new()),
    }
}

pub(super) fn view(app: &App, task: &Task, link: &Link, order_id: Option<OrderId>) -> TaskView {
    TaskView {
        id: task.id.to_string(),
        status: task.status.to_string(),
        product_type: task.product.to_string(),
        provider: app.provider_ref(&link.provider_id),
        created_at: reports::time(task.created_at),
        updated_at: reports::time(task.updated_at),
        link_id: Some(link.id.to_string()),
        user_id: link.user_id.map(|id| id.to_string()),
        error_message: task.error_message.clone(),
        tracking_info: link.tracking_info.clone(),
        // A bridge token opens the widget; a client that wants to match tasks has `tracking_info`.
        bridge_token: None,
        data_source: "payroll".to_owned(),
        is_suspicious: false,
        order_id: order_id.map(|id| id.to_string()),
    }
}
