//! Step 7 of a verification: the client's back end reads what the link knows.

use axum::{extract::State, response::Response};
use citadel_api_types::{
    error::{Detail, ErrorBody},
    reports::{EmploymentReport, IncomeReport, ReportRequest},
};

use super::{
    Params,
    reports::{ReportParams, read},
};
use crate::{app::App, auth::Caller, body::Body, error::ApiResult, reports::ReportKind};

/// Read where a person works, and since when.
#[utoipa::path(post, path = "/v1/verifications/employments/", tag = "reports", request_body = ReportRequest, params(ReportParams), responses(
    (status = 200, body = EmploymentReport),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, description = "unknown access token", body = Detail),
))]
pub(crate) async fn get_employment_verification(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ReportParams>,
    Body(body): Body<ReportRequest>,
) -> ApiResult<Response> {
    read(&app, caller, &params, &body, ReportKind::Employment).await
}

/// Read what a person earns: jobs with pay statements, yearly figures and wage statements.
#[utoipa::path(post, path = "/v1/verifications/incomes/", tag = "reports", request_body = ReportRequest, params(ReportParams), responses(
    (status = 200, body = IncomeReport),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, description = "unknown access token", body = Detail),
))]
pub(crate) async fn get_income_verification(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ReportParams>,
    Body(body): Body<ReportRequest>,
) -> ApiResult<Response> {
    read(&app, caller, &params, &body, ReportKind::Income).await
}
