//! A client's sandbox as it was in the beginning.

use axum::{Json, extract::State};
use citadel_api_types::{error::ErrorBody, sandbox::SandboxClock};
use citadel_store::sandboxes;

use super::{
    SandboxCaller,
    clock::{first_pace, view},
};
use crate::{app::App, error::ApiResult};

/// Empty your sandbox: links, tasks, tokens, reports, events, endpoints, scenarios and faults go, and the clock shows what it
/// did in the beginning. Your keys stay. What is done next gets the ids that a new sandbox would give.
#[utoipa::path(post, path = "/v1/sandbox/reset/", tag = "sandbox", responses(
    (status = 200, body = SandboxClock),
    (status = 401, body = ErrorBody),
    (status = 403, description = "not a sandbox key", body = ErrorBody),
))]
pub(crate) async fn reset_sandbox(
    State(app): State<App>,
    SandboxCaller(caller): SandboxCaller,
) -> ApiResult<Json<SandboxClock>> {
    let (tenant, pace) = (caller.tenant, first_pace(&app));
    app.db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            sandboxes::lock(tx, tenant).await?;
            sandboxes::empty(tx, tenant).await?;
            sandboxes::set_pace(tx, tenant, pace).await
        })
        .await?;
    Ok(Json(view(app.moment(tenant).await?)))
}
