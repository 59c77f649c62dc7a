//! Documents behind time-limited addresses, drawn from a link's data when they are asked for.

use axum::{
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use citadel_domain::{Environment, payroll::PayrollData};
use citadel_store::{links, reports as stored};

use crate::{
    app::App,
    error::{self, ApiResult},
    reports::{self, ObjectIds},
};

/// Serve one pay statement or W-2 as PDF. The address is the permission; it needs no access headers.
pub(crate) async fn get_file(
    State(app): State<App>,
    segments: Result<Path<(String, String, String, String)>, axum::extract::rejection::PathRejection>,
) -> ApiResult<Response> {
    let Ok(Path((client, link, object, name))) = segments else { return Err(error::not_found()) };
    let grant = reports::find_grant(&app, &client, &link, &object, &name).ok_or_else(error::not_found)?;
    let (client_id, link_id) = (grant.client, grant.link);
    let found = app
        .db
        .scoped(client_id)
        .read(async move |tx| {
            // No access key here: the address's keyed hash is the proof.
            let Some(link) = links::find_by_file_grant(tx, client_id, link_id).await? else {
                return Ok(None);
            };
            let report = stored::find(tx, link.tenant, link.id, reports::PAYROLL_DATA).await?;
            Ok::<_, citadel_store::Error>(report.map(|report| (link, report)))
        })
        .await?;
    let (link, report) = found.ok_or_else(error::not_found)?;
    let json = reports::open(&app, &link, reports::PAYROLL_DATA, &report.body_sealed)?;
    let data: PayrollData = serde_json::from_slice(&json)
        .map_err(|_| error::internal("stored payroll data cannot be read; the parser would quote it"))?;
    let ids = ObjectIds { app: &app, link: &link };
    let footer =
        (link.tenant.environment == Environment::Sandbox).then_some(citadel_documents::SANDBOX_FOOTER);
    let pdf = draw(&ids, &data, grant.object, footer)?.ok_or_else(error::not_found)?;
    let mut response = pdf.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/pdf"));
    headers
        .insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline; filename=\"document.pdf\""));
    Ok(response)
}

fn draw(
    ids: &ObjectIds<'_>,
    data: &PayrollData,
    object: citadel_domain::ObjectId,
    footer: Option<&str>,
) -> ApiResult<Option<Vec<u8>>> {
    for job in &data.employments {
        if let Some(statement) =
            job.statements.iter().find(|each| reports::statement_id(ids, job, each) == object)
        {
            return citadel_documents::statement_pdf(job, statement, footer)
                .map(Some)
                .map_err(error::internal);
        }
        if let Some(w2) = job.w2s.iter().find(|each| reports::w2_id(ids, job, each) == object) {
            return citadel_documents::w2_pdf(job, w2, footer).map(Some).map_err(error::internal);
        }
    }
    Ok(None)
}
