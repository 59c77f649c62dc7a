//! Reports about a person: verification of income and employment over all links.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use citadel_api_types::{
    error::{Detail, ErrorBody},
    user_reports::{CreateUserReport, UserReport as ReportView},
};
use citadel_domain::{UserId, UserReportId};
use citadel_store::{links, user_reports};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Params, PathId, PathIds, users::find};
use crate::trail::{self, Data};
use crate::{
    app::App,
    auth::Caller,
    body::Body,
    error::{self, ApiError, ApiResult},
    idempotency::{Holds, Once},
    reports::{documents, user as reports},
};
use citadel_store::audit;

/// Links of a person, at the most.
const MOST_LINKS: i64 = 100;

/// Make a report of everything that a person's links know now: employment and income, or employment alone.
#[utoipa::path(post, path = "/v1/users/{user_id}/reports/", tag = "reports", params(("user_id" = String, Path)),
request_body = CreateUserReport, responses(
    (status = 200, body = ReportView),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn create_user_report(
    State(app): State<App>,
    caller: Caller,
    PathId(user_id): PathId<UserId>,
    once: Once,
    Body(body): Body<CreateUserReport>,
) -> ApiResult<Json<ReportView>> {
    let tenant = caller.tenant;
    let now = app.moment(tenant).await?.now;
    let writer = app.clone();
    let db = app.db.scoped(tenant.client_id);
    let reader = app.clone();
    let ahead = db.read(async move |tx| {
        let user = find(tx, tenant, user_id).await?;
        reports::read_ahead(&reader, tx, &user).await
    });
    let ahead = ahead.await?;
    let entry = trail::released(&app, caller, trail::user(user_id), Data::UserReport);
    let answer = db
        .write(async move |tx| {
            let user = find(tx, tenant, user_id).await?;
            let report = reports::create(&writer, tx, &user, body.is_voe, &ahead, now).await?;
            let links = links::list(tx, tenant, Some(user.id), MOST_LINKS, 0).await?;
            let snapshot = reports::snapshot(&writer, &user, &report)?;
            let answer = reports::view(&writer, &report, &snapshot, &links)?;
            audit::append(tx, &writer.keyring, &entry).await?;
            once.keep(tx, StatusCode::OK, &answer, Holds::user(user.id)).await?;
            Ok::<_, ApiError>(answer)
        })
        .await?;
    Ok(Json(answer))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReadParams {
    /// `pdf`: the report as a document. JSON when left out.
    fmt: Option<String>,
}

/// Read a report about a person, as it was made.
#[utoipa::path(get, path = "/v1/users/{user_id}/reports/{report_id}/", tag = "reports",
params(("user_id" = String, Path), ("report_id" = String, Path), ReadParams), responses(
    (status = 200, description = "with `fmt=pdf` the document", content(
        (ReportView = "application/json"),
        (String = "application/pdf"),
    )),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn get_user_report(
    State(app): State<App>,
    caller: Caller,
    PathIds(user_id, report_id): PathIds<UserId, UserReportId>,
    Params(params): Params<ReadParams>,
) -> ApiResult<Response> {
    let tenant = caller.tenant;
    let db = app.db.scoped(tenant.client_id);
    let (user, report, links) = db
        .read(async move |tx| {
            let user = find(tx, tenant, user_id).await?;
            let report = user_reports::find(tx, tenant, user.id, report_id).await?;
            let links = links::list(tx, tenant, Some(user.id), MOST_LINKS, 0).await?;
            Ok::<_, ApiError>((user, report.ok_or_else(error::not_found)?, links))
        })
        .await?;
    let snapshot = reports::snapshot(&app, &user, &report)?;
    match params.fmt.as_deref() {
        None | Some("" | "json") => {
            let answer = reports::view(&app, &report, &snapshot, &links)?;
            trail::release(&app, caller, trail::user(user.id), Data::UserReport)?;
            Ok(Json(answer).into_response())
        }
        Some("pdf") => {
            // Some have many pages.
            let drawer = app.clone();
            let pdf = tokio::task::spawn_blocking(move || {
                documents::of_user(&drawer, &report, snapshot, &links, caller.is_masked)
            });
            let pdf = pdf.await.map_err(error::internal)??;
            trail::release(&app, caller, trail::user(user.id), Data::UserReport)?;
            Ok(([(header::CONTENT_TYPE, "application/pdf")], pdf).into_response())
        }
        Some(_) => Err(error::invalid("fmt", "Send pdf or json.")),
    }
}
