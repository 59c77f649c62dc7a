//! What a link knows, in parts: the same data as in its reports, which have it whole (contract 5.5).

use axum::{extract::State, response::Response};
use citadel_api_types::{
    error::{Detail, ErrorBody},
    payroll::{IncomeEmployment, PayrollBankAccount, Profile},
    statements::{Statement, TaxDocument},
};
use citadel_domain::{LinkId, ObjectId};

use super::{
    PathId, PathIds, links,
    reports::{check_allowed, json},
};
use crate::{
    app::App,
    auth::Caller,
    error::{self, ApiError, ApiResult},
    reports::{KeptJobs, ReportKind},
    trail::{self, Data},
};

/// List the jobs of a link's person. Pay is in them where the link serves income.
#[utoipa::path(get, path = "/v1/links/{link_id}/employments/", tag = "links", params(("link_id" = String, Path)), responses(
    (status = 200, body = Vec<IncomeEmployment>),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn list_link_employments(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<LinkId>,
) -> ApiResult<Response> {
    let jobs = find(&app, caller, id, ReportKind::Employment).await?;
    released(&app, caller, id, Data::Report(ReportKind::Employment), jobs.answer(&app, &jobs.all()))
}

/// Read the job that goes on, or else the newest. 404 before the first data.
#[utoipa::path(get, path = "/v1/links/{link_id}/employment/", tag = "links", params(("link_id" = String, Path)), responses(
    (status = 200, body = IncomeEmployment),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn get_link_employment(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<LinkId>,
) -> ApiResult<Response> {
    let jobs = find(&app, caller, id, ReportKind::Employment).await?;
    released(
        &app,
        caller,
        id,
        Data::Report(ReportKind::Employment),
        jobs.answer(&app, &jobs.present().ok_or_else(error::not_found)?),
    )
}

/// Read who the person is, as the employer of the present job knows it. 404 before the first data.
#[utoipa::path(get, path = "/v1/links/{link_id}/identity/", tag = "links", params(("link_id" = String, Path)), responses(
    (status = 200, body = Profile),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn get_link_identity(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<LinkId>,
) -> ApiResult<Response> {
    let jobs = find(&app, caller, id, ReportKind::Employment).await?;
    released(&app, caller, id, Data::Identity, jobs.answer(&app, jobs.person().ok_or_else(error::not_found)?))
}

/// List pay statements over all jobs, newest first.
#[utoipa::path(get, path = "/v1/links/{link_id}/statements/", tag = "links", params(("link_id" = String, Path)), responses(
    (status = 200, body = Vec<Statement>),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn list_link_statements(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<LinkId>,
) -> ApiResult<Response> {
    let jobs = find(&app, caller, id, ReportKind::Income).await?;
    released(&app, caller, id, Data::Statements, jobs.answer(&app, &jobs.statements()))
}

/// Read one pay statement.
#[utoipa::path(get, path = "/v1/links/{link_id}/statements/{statement_id}/", tag = "links",
params(("link_id" = String, Path), ("statement_id" = String, Path)), responses(
    (status = 200, body = Statement),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn get_link_statement(
    State(app): State<App>,
    caller: Caller,
    PathIds(id, statement_id): PathIds<LinkId, ObjectId>,
) -> ApiResult<Response> {
    let jobs = find(&app, caller, id, ReportKind::Income).await?;
    let wanted = statement_id.to_string();
    let statement = jobs.statements().into_iter().find(|statement| statement.id == wanted);
    released(&app, caller, id, Data::Statements, jobs.answer(&app, statement.ok_or_else(error::not_found)?))
}

/// List the accounts into which pay goes.
#[utoipa::path(get, path = "/v1/links/{link_id}/bank_accounts/", tag = "links", params(("link_id" = String, Path)), responses(
    (status = 200, body = Vec<PayrollBankAccount>),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn list_link_bank_accounts(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<LinkId>,
) -> ApiResult<Response> {
    let jobs = find(&app, caller, id, ReportKind::Income).await?;
    released(&app, caller, id, Data::BankAccounts, jobs.answer(&app, &jobs.bank_accounts()))
}

/// List tax documents, newest year first.
#[utoipa::path(get, path = "/v1/links/{link_id}/tax/", tag = "links", params(("link_id" = String, Path)), responses(
    (status = 200, body = Vec<TaxDocument>),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn list_link_tax_documents(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<LinkId>,
) -> ApiResult<Response> {
    let jobs = find(&app, caller, id, ReportKind::Income).await?;
    released(&app, caller, id, Data::TaxDocuments, jobs.answer(&app, &jobs.tax_documents()))
}

/// Read one tax document.
#[utoipa::path(get, path = "/v1/links/{link_id}/tax/{tax_document_id}/", tag = "links",
params(("link_id" = String, Path), ("tax_document_id" = String, Path)), responses(
    (status = 200, body = TaxDocument),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn get_link_tax_document(
    State(app): State<App>,
    caller: Caller,
    PathIds(id, document_id): PathIds<LinkId, ObjectId>,
) -> ApiResult<Response> {
    let jobs = find(&app, caller, id, ReportKind::Income).await?;
    let wanted = document_id.to_string();
    let document = jobs.tax_documents().into_iter().find(|document| document.id == wanted);
    released(&app, caller, id, Data::TaxDocuments, jobs.answer(&app, &document.ok_or_else(error::not_found)?))
}

/// List shifts. The list is empty: no provider of this release tells them.
#[utoipa::path(get, path = "/v1/links/{link_id}/shifts/", tag = "links", params(("link_id" = String, Path)), responses(
    (status = 200, body = Vec<serde_json::Value>),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn list_link_shifts(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<LinkId>,
) -> ApiResult<Response> {
    let jobs = find(&app, caller, id, ReportKind::Employment).await?;
    jobs.answer(&app, &[(); 0]).map(json)
}

/// The answer, noted as released.
fn released(
    app: &App,
    caller: Caller,
    id: LinkId,
    data: Data,
    answer: ApiResult<Vec<u8>>,
) -> ApiResult<Response> {
    let answer = answer?;
    trail::release(app, caller, trail::link(id), data)?;
    Ok(json(answer))
}

/// What is kept of a link's jobs, if the link may show this kind of report.
async fn find(app: &App, caller: Caller, id: LinkId, kind: ReportKind) -> ApiResult<KeptJobs> {
    let tenant = caller.tenant;
    let db = app.db.scoped(tenant.client_id);
    let (link, report) = db
        .read(async move |tx| {
            let link = links::find(tx, tenant, id).await?;
            check_allowed(&link, kind)?;
            let report = KeptJobs::find(tx, &link).await?;
            Ok::<_, ApiError>((link, report))
        })
        .await?;
    KeptJobs::open(app, link, report.as_ref())
}
