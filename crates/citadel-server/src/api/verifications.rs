//! Step 7 of a verification: the client's back end reads what the link knows.

use axum::{body::Bytes, extract::State, http::header, response::IntoResponse};
use citadel_api_types::{
    error::{Detail, ErrorBody},
    reports::{EmploymentReport, IncomeReport, ReportRequest},
};
use citadel_store::{links, reports as stored, tasks};

use crate::{
    app::App,
    auth::Caller,
    body::Body,
    error::{self, ApiResult},
    purposes,
    reports::{self, ReportKind},
};

/// Read where a person works, and since when.
#[utoipa::path(post, path = "/v1/verifications/employments/", tag = "reports", request_body = ReportRequest, responses(
    (status = 200, body = EmploymentReport),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, description = "unknown access token", body = Detail),
))]
pub(crate) async fn get_employment_verification(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<ReportRequest>,
) -> ApiResult<impl IntoResponse> {
    read(app, caller, body, ReportKind::Employment).await
}

/// Read what a person earns: jobs with pay statements, yearly figures and wage statements.
#[utoipa::path(post, path = "/v1/verifications/incomes/", tag = "reports", request_body = ReportRequest, responses(
    (status = 200, body = IncomeReport),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, description = "unknown access token", body = Detail),
))]
pub(crate) async fn get_income_verification(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<ReportRequest>,
) -> ApiResult<impl IntoResponse> {
    read(app, caller, body, ReportKind::Income).await
}

async fn read(
    app: App,
    caller: Caller,
    body: ReportRequest,
    kind: ReportKind,
) -> ApiResult<impl IntoResponse> {
    if body.access_token.is_empty() {
        return Err(error::invalid("access_token", "This field is required."));
    }
    let tenant = caller.tenant;
    let hash = app.keyring.keyed_hash(purposes::ACCESS_TOKEN, body.access_token.expose());
    let found = app
        .db
        .scoped(tenant.client_id)
        .read(async move |tx| {
            let Some(link) = links::find_by_access_token(tx, tenant, &hash).await? else { return Ok(None) };
            let task = tasks::latest_for_link(tx, tenant, link.id).await?;
            let report = stored::find(tx, tenant, link.id, kind.as_str()).await?;
            Ok::<_, citadel_store::Error>(Some((link, task, report)))
        })
        .await?;
    let (link, task, report) = found.ok_or_else(error::not_found)?;
    if !link.allowed_products.iter().any(|product| kind.serves(*product)) {
        return Err(error::forbidden(format!("This link does not serve {}.", kind.as_str())));
    }
    let json = reports::render(&app, kind, &link, task.as_ref(), report.as_ref(), &body.access_token)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], Bytes::from(json)))
}
