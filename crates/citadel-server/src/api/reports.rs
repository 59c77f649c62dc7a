//! What every report call shares; and the calls that name the kind of report in their path (contract 4.1 and 4.2).

use axum::{
    body::Bytes,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use citadel_api_types::{
    Redacted,
    administrators::DirectoryReport,
    error::{Detail, ErrorBody},
    reports::{IncomeReport, ReportRequest},
};
use citadel_store::{Tenant, links, links::Link};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Params, PathId};
use crate::trail::{self, Data};
use crate::{
    app::App,
    auth::Caller,
    body::Body,
    error::{self, ApiResult},
    purposes,
    reports::{self, Facts, ReportKind},
};

/// Read a report by its kind: `income`, `employment`, `direct_deposit` or `pll`. The form of early 2023.
#[utoipa::path(post, path = "/v1/links/reports/{kind}/", tag = "reports", request_body = ReportRequest, params(
    ReportParams,
    ("kind" = String, Path, description = "`income`, `employment`, `direct_deposit` (or `deposit_switch`) or `pll` (or `ppl`)"),
), responses(
    (status = 200, description = "the report of that kind; here the one for `income`", body = IncomeReport),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, description = "unknown access token, or unknown kind", body = Detail),
))]
pub(crate) async fn get_report_by_kind(
    State(app): State<App>,
    caller: Caller,
    PathId(kind): PathId<String>,
    Params(params): Params<ReportParams>,
    Body(body): Body<ReportRequest>,
) -> ApiResult<Response> {
    let kind = named(&kind)?;
    read(&app, caller, &params, &body, kind).await
}

/// The kind of report that a path names.
pub(super) fn named(kind: &str) -> ApiResult<ReportKind> {
    Ok(match kind {
        "income" => ReportKind::Income,
        "employment" => ReportKind::Employment,
        "direct_deposit" | "deposit_switch" => ReportKind::DirectDeposit,
        // A published back end sent the second for two months.
        "pll" | "ppl" => ReportKind::Pll,
        "admin" => ReportKind::Directory,
        _ => return Err(error::not_found()),
    })
}

/// Read the people of a company. The form of 2023 and later.
#[utoipa::path(post, path = "/v1/links/reports/admin/", tag = "administrators", request_body = ReportRequest, params(ReportParams), responses(
    (status = 200, body = DirectoryReport),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, description = "unknown access token", body = Detail),
))]
pub(crate) async fn get_admin_report(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ReportParams>,
    Body(body): Body<ReportRequest>,
) -> ApiResult<Response> {
    read(&app, caller, &params, &body, ReportKind::Directory).await
}

/// How a report is shown.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportParams {
    /// `1`: with a member `provenance`, which tells of each value by its JSON pointer where it came from, when, and why it is
    /// missing.
    provenance: Option<String>,
}

impl ReportParams {
    pub(super) fn with_provenance(&self) -> ApiResult<bool> {
        match self.provenance.as_deref() {
            None | Some("" | "0" | "false") => Ok(false),
            Some("1" | "true") => Ok(true),
            Some(_) => Err(error::invalid("provenance", "Send 1 or 0.")),
        }
    }
}

/// The report of a kind for the link of an access token.
pub(super) async fn read(
    app: &App,
    caller: Caller,
    params: &ReportParams,
    body: &ReportRequest,
    kind: ReportKind,
) -> ApiResult<Response> {
    let with_provenance = params.with_provenance()?;
    let hash = access_token_hash(app, &body.access_token)?;
    let tenant = caller.tenant;
    let db = app.db.scoped(tenant.client_id);
    let facts = db.read(async move |tx| Facts::find(tx, tenant, &hash, kind).await).await?;
    let facts = facts.ok_or_else(error::not_found)?;
    check_allowed(&facts.link, kind)?;
    let report = reports::render(app, kind, &facts, Some(&body.access_token), with_provenance)?;
    trail::release(app, caller, trail::link(facts.link.id), Data::Report(kind))?;
    Ok(json(report))
}

/// The link that an access token opens.
pub(super) async fn find_link(app: &App, tenant: Tenant, access_token: &Redacted) -> ApiResult<Link> {
    let hash = access_token_hash(app, access_token)?;
    let db = app.db.scoped(tenant.client_id);
    let link = db.read(async move |tx| links::find_by_access_token(tx, tenant, &hash).await).await?;
    link.ok_or_else(error::not_found)
}

/// The link of an access token, also where its consent has ended: a new sign-in may give it anew.
pub(super) async fn find_link_to_repair(
    app: &App,
    tenant: Tenant,
    access_token: &Redacted,
) -> ApiResult<Link> {
    let hash = access_token_hash(app, access_token)?;
    let db = app.db.scoped(tenant.client_id);
    let link = db.read(async move |tx| links::find_to_repair(tx, tenant, &hash).await).await?;
    link.ok_or_else(error::not_found)
}

/// Nothing is read after the end of the consent (P21).
pub(super) fn check_allowed(link: &Link, kind: ReportKind) -> ApiResult<()> {
    if link.consent_ended_at.is_some() {
        return Err(error::not_found());
    }
    if kind.is_allowed(link) {
        return Ok(());
    }
    Err(error::forbidden(format!("This link does not serve {}.", kind.as_str())))
}

/// An answer that is JSON already.
pub(super) fn json(body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], Bytes::from(body)).into_response()
}

fn access_token_hash(app: &App, access_token: &Redacted) -> ApiResult<[u8; 32]> {
    if access_token.is_empty() {
        return Err(error::invalid("access_token", "This field is required."));
    }
    Ok(app.keyring.keyed_hash(purposes::ACCESS_TOKEN, access_token.expose()))
}
