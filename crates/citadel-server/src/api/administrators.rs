//! What an administrator shares: a company's people and its payroll register.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use citadel_api_types::{
    administrators::{
        CreatePayrollReport, DirectoryReport, PayrollEnvelope, PayrollReport, PayrollReportCreated,
    },
    error::{Detail, ErrorBody},
    reports::ReportRequest,
};
use citadel_domain::{PayrollReportId, TaskStatus};
use citadel_store::{
    links,
    payroll_reports::{self, NewPayrollReport},
};
use jiff::civil::Date;
use serde_json::value::RawValue;

use super::{
    Params, PathId,
    reports::{ReportParams, check_allowed, find_link, json, read},
};
use crate::trail::{self, Data};
use crate::{
    app::App,
    auth::Caller,
    body::Body,
    error::{self, ApiError, ApiResult},
    idempotency::{Holds, Once},
    jobs::payroll,
    owner_key::OwnerKey,
    reports::{self, ObjectIds, ReportKind},
};

/// The table and column in which a register lies sealed.
const BODY: (&str, &str) = ("payroll_reports", "body_sealed");

/// Read the people of a company.
#[utoipa::path(post, path = "/v1/administrators/directories/", tag = "administrators", request_body = ReportRequest, params(ReportParams), responses(
    (status = 200, body = DirectoryReport),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, description = "unknown access token", body = Detail),
))]
pub(crate) async fn get_directory(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ReportParams>,
    Body(body): Body<ReportRequest>,
) -> ApiResult<Response> {
    read(&app, caller, &params, &body, ReportKind::Directory).await
}

/// Ask for a company's payroll register: every statement with a pay day in a range. It can be read at once.
#[utoipa::path(post, path = "/v1/administrators/payrolls/", tag = "administrators", request_body = CreatePayrollReport, responses(
    (status = 200, body = PayrollReportCreated),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, description = "unknown access token", body = Detail),
))]
pub(crate) async fn create_payroll_report(
    State(app): State<App>,
    caller: Caller,
    once: Once,
    Body(body): Body<CreatePayrollReport>,
) -> ApiResult<Json<PayrollReportCreated>> {
    let (from, to) = check_range(&body)?;
    let link = find_link(&app, caller.tenant, &body.access_token).await?;
    check_allowed(&link, ReportKind::Directory)?;
    let created_at = app.moment(caller.tenant).await?.now;
    let (status, rows) = match payroll::read(&app, &link, from, to).await? {
        Ok(rows) => (TaskStatus::Done, rows),
        Err(status) => (status, Vec::new()),
    };
    let rows = reports::payroll_rows(&ObjectIds { app: &app, link: &link }, &rows);
    let (db, writer) = (app.db.scoped(caller.tenant.client_id), app.clone());
    let new = NewPayrollReport {
        id: PayrollReportId::from_bytes([0; 16]),
        tenant: caller.tenant,
        link_id: link.id,
        start_date: from.to_string(),
        end_date: to.to_string(),
        status: status.as_str().to_owned(),
        body_sealed: Vec::new(),
        created_at,
        completed_at: created_at,
    };
    let answer = db
        .write(async move |tx| {
            // It may have been deleted while the provider was read.
            if !links::lock(tx, link.tenant, link.id).await? {
                return Err(error::not_found());
            }
            let source = writer.next_id_source(tx, new.tenant, "payroll_report").await?;
            let id = PayrollReportId::generate(created_at, &*source);
            // Sealed for its place, which the id is a part of.
            let body_sealed =
                OwnerKey::of_link(&writer, &link)?.seal_json(BODY.0, BODY.1, *id.as_bytes(), &rows)?;
            payroll_reports::create(tx, &NewPayrollReport { id, body_sealed, ..new.clone() }).await?;
            let answer = PayrollReportCreated { payroll_report_id: id.to_string() };
            once.keep(tx, StatusCode::OK, &answer, Holds::link(link.id)).await?;
            Ok::<_, ApiError>(answer)
        })
        .await?;
    Ok(Json(answer))
}

/// Read a company's payroll register.
#[utoipa::path(get, path = "/v1/administrators/payrolls/{report_id}/", tag = "administrators", params(
    ("report_id" = String, Path, description = "`payroll_report_id`"),
), responses(
    (status = 200, body = PayrollReport),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn get_payroll_report(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<PayrollReportId>,
) -> ApiResult<Response> {
    let tenant = caller.tenant;
    let found = app
        .db
        .scoped(tenant.client_id)
        .read(async move |tx| {
            let Some(report) = payroll_reports::find(tx, tenant, id).await? else { return Ok(None) };
            let link = links::find(tx, tenant, report.link_id).await?;
            let link = link.filter(|link| link.consent_ended_at.is_none());
            Ok::<_, citadel_store::Error>(link.map(|link| (report, link)))
        })
        .await?;
    let (report, link) = found.ok_or_else(error::not_found)?;
    let rows = OwnerKey::of_link(&app, &link)?.unseal(BODY.0, BODY.1, *id.as_bytes(), &report.body_sealed)?;
    let rows = std::str::from_utf8(&rows).map_err(|_| error::internal("a sealed register is not text"))?;
    let envelope = PayrollEnvelope {
        id: &id.to_string(),
        status: &report.status,
        start_date: &report.start_date,
        end_date: &report.end_date,
        created_at: &reports::time(report.created_at),
        completed_at: Some(&reports::time(report.completed_at)),
        payroll_report: serde_json::from_str::<&RawValue>(rows)
            .map_err(|_| error::internal("a sealed register is not JSON"))?,
    };
    let answer = serde_json::to_vec(&envelope).map_err(error::internal)?;
    trail::release(&app, caller, trail::link(link.id), Data::Register)?;
    Ok(json(answer))
}

fn check_range(body: &CreatePayrollReport) -> ApiResult<(Date, Date)> {
    let mut problems = Vec::new();
    if body.access_token.is_empty() {
        problems.push(("access_token".to_owned(), "This field is required.".to_owned()));
    }
    let mut day = |field: &str, text: &str| {
        let read = parse_day(text);
        if read.is_none() {
            problems.push((field.to_owned(), "Send a day as YYYY-MM-DD.".to_owned()));
        }
        read
    };
    let (from, to) = (day("start_date", &body.start_date), day("end_date", &body.end_date));
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        problems.push(("start_date".to_owned(), "Must not be after end_date.".to_owned()));
    }
    match (from, to) {
        (Some(from), Some(to)) if problems.is_empty() => Ok((from, to)),
        _ => Err(error::invalid_fields(problems)),
    }
}

/// Exactly `YYYY-MM-DD`; the library reads more forms than the contract has.
pub(super) fn parse_day(text: &str) -> Option<Date> {
    let day: Date = text.parse().ok()?;
    (day.to_string() == text && day.year() >= 1900).then_some(day)
}
