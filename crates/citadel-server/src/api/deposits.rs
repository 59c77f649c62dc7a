//! What was changed at a provider: where pay lands, and from where it is paid.

use axum::{extract::State, response::Response};
use citadel_api_types::{
    deposits::{DepositReport, FundingSwitchReport},
    error::{Detail, ErrorBody},
    reports::ReportRequest,
};

use super::{
    Params,
    reports::{ReportParams, read},
};
use crate::{app::App, auth::Caller, body::Body, error::ApiResult, reports::ReportKind};

/// Read a deposit switch: the account that the person confirmed, and those before it.
#[utoipa::path(post, path = "/v1/deposit-switches/", tag = "deposits", request_body = ReportRequest, params(ReportParams), responses(
    (status = 200, body = DepositReport),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, description = "unknown access token", body = Detail),
))]
pub(crate) async fn get_deposit_switch(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ReportParams>,
    Body(body): Body<ReportRequest>,
) -> ApiResult<Response> {
    read(&app, caller, &params, &body, ReportKind::DirectDeposit).await
}

/// Read a paycheck-linked loan: the part of pay that goes to the lender.
#[utoipa::path(post, path = "/v1/paycheck-linked-loans/", tag = "deposits", request_body = ReportRequest, params(ReportParams), responses(
    (status = 200, body = DepositReport),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, description = "unknown access token", body = Detail),
))]
pub(crate) async fn get_paycheck_linked_loan(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ReportParams>,
    Body(body): Body<ReportRequest>,
) -> ApiResult<Response> {
    read(&app, caller, &params, &body, ReportKind::Pll).await
}

/// Read a switch of a company's funding account.
#[utoipa::path(post, path = "/v1/account-switches/", tag = "deposits", request_body = ReportRequest, params(ReportParams), responses(
    (status = 200, body = FundingSwitchReport),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, description = "unknown access token", body = Detail),
))]
pub(crate) async fn get_account_switch(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ReportParams>,
    Body(body): Body<ReportRequest>,
) -> ApiResult<Response> {
    read(&app, caller, &params, &body, ReportKind::Funding).await
}
