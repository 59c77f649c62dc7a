//! Tasks: how a run of work went.

use axum::{Json, extract::State};
use citadel_api_types::{
    error::{Detail, ErrorBody},
    tasks::Task as TaskView,
};
use citadel_domain::TaskId;
use citadel_store::{links, links::Link, tasks, tasks::Task};

use super::PathId;
use crate::{
    app::App,
    auth::Caller,
    error::{self, ApiResult},
    reports,
};

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
            Ok::<_, citadel_store::Error>(link.map(|link| (task, link)))
        })
        .await?;
    let (task, link) = found.ok_or_else(error::not_found)?;
    Ok(Json(view(&app, &task, &link)))
}

pub(super) fn view(app: &App, task: &Task, link: &Link) -> TaskView {
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
        order_id: None,
    }
}
