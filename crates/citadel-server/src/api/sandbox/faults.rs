//! Faults in everything that a client does in its sandbox. For one call there is the header `X-Sandbox-Fault`, for one login a
//! scenario.

use axum::{Json, extract::State, http::StatusCode};
use citadel_api_types::{error::ErrorBody, sandbox::SandboxFaults};
use citadel_domain::Fault;
use citadel_store::{Tenant, sandboxes};

use super::SandboxCaller;
use crate::{
    app::App,
    body::Body,
    error::{self, ApiResult},
    idempotency::{Holds, Once},
};

/// Read what goes wrong on purpose in all that you do in your sandbox.
#[utoipa::path(get, path = "/v1/sandbox/faults/", tag = "sandbox", responses(
    (status = 200, body = SandboxFaults),
    (status = 401, body = ErrorBody),
    (status = 403, description = "not a sandbox key", body = ErrorBody),
))]
pub(crate) async fn get_sandbox_faults(
    State(app): State<App>,
    SandboxCaller(caller): SandboxCaller,
) -> ApiResult<Json<SandboxFaults>> {
    let tenant = caller.tenant;
    let db = app.db.scoped(tenant.client_id);
    Ok(Json(view(&db.read(async move |tx| sandboxes::faults(tx, tenant).await).await?)))
}

/// Set what goes wrong on purpose in all that you do in your sandbox, from the next sign-in or refresh on. An empty list ends it.
#[utoipa::path(post, path = "/v1/sandbox/faults/", tag = "sandbox", request_body = SandboxFaults, responses(
    (status = 200, body = SandboxFaults),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "not a sandbox key", body = ErrorBody),
))]
pub(crate) async fn set_sandbox_faults(
    State(app): State<App>,
    SandboxCaller(caller): SandboxCaller,
    once: Once,
    Body(body): Body<SandboxFaults>,
) -> ApiResult<Json<SandboxFaults>> {
    set(&app, caller.tenant, &body, once).await.map(Json)
}

/// Sets them for whoever may.
pub(crate) async fn set(
    app: &App,
    tenant: Tenant,
    body: &SandboxFaults,
    once: Once,
) -> ApiResult<SandboxFaults> {
    let mut faults = Vec::new();
    for word in &body.faults {
        let fault: Fault =
            word.parse().map_err(|problem| error::invalid("faults", format!("Wrong fault: {problem}.")))?;
        faults.push(fault);
    }
    faults.sort_unstable();
    faults.dedup();
    let (answer, kept) = (view(&faults), view(&faults));
    let db = app.db.scoped(tenant.client_id);
    let write = db.write(async move |tx| {
        sandboxes::set_faults(tx, tenant, &faults).await?;
        once.keep(tx, StatusCode::OK, &kept, Holds::NOTHING).await
    });
    write.await?;
    Ok(answer)
}

fn view(faults: &[Fault]) -> SandboxFaults {
    SandboxFaults { faults: faults.iter().map(|fault| fault.as_str().to_owned()).collect() }
}
