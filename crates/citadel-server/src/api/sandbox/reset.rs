//! A client's sandbox as it was in the beginning.

use axum::{Json, extract::State, http::StatusCode};
use citadel_api_types::{error::ErrorBody, sandbox::SandboxClock};
use citadel_store::{
    Tenant,
    audit::{self, Act, Entry},
    sandboxes,
};

use super::{
    SANDBOX, SandboxCaller,
    clock::{first_pace, view},
};
use crate::{
    app::App,
    error::ApiResult,
    idempotency::{Holds, Once},
    moment::Moment,
};

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
    once: Once,
) -> ApiResult<Json<SandboxClock>> {
    let entry = caller.did(&app, Act::SandboxReset, SANDBOX);
    reset(&app, caller.tenant, entry, once).await.map(Json)
}

/// Empties it for whoever may.
pub(crate) async fn reset(app: &App, tenant: Tenant, entry: Entry, once: Once) -> ApiResult<SandboxClock> {
    let pace = first_pace(app);
    let answer = view(Moment::of(pace, app.clock.now()));
    let kept = answer.clone();
    let db = app.db.scoped(tenant.client_id);
    let writer = app.clone();
    let write = db.write(async move |tx| {
        sandboxes::lock(tx, tenant).await?;
        sandboxes::empty(tx, tenant).await?;
        sandboxes::set_pace(tx, tenant, pace).await?;
        audit::append(tx, &writer.keyring, &entry).await?;
        once.keep(tx, StatusCode::OK, &kept, Holds::NOTHING).await
    });
    write.await?;
    Ok(answer)
}
