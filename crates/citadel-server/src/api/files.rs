//! Documents behind time-limited addresses, drawn from a link's data when they are asked for.

use axum::{
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use citadel_store::links;

use crate::trail;
use crate::{
    app::App,
    error::{self, ApiResult},
    reports::{self, documents::Papers},
};

/// Serve one report, pay statement or W-2 as PDF. The address is the permission; it needs no access headers.
pub(crate) async fn get_file(
    State(app): State<App>,
    segments: Result<Path<(String, String, String, String)>, axum::extract::rejection::PathRejection>,
) -> ApiResult<Response> {
    let Ok(Path((client, link, object, name))) = segments else { return Err(error::not_found()) };
    let grant = reports::find_grant(&app, &client, &link, &object, &name).ok_or_else(error::not_found)?;
    let (client_id, link_id) = (grant.client, grant.link);
    let reader = app.clone();
    let found = app
        .db
        .scoped(client_id)
        .read(async move |tx| {
            // No access key here: the address's keyed hash is the proof.
            let Some(link) = links::find_by_file_grant(tx, client_id, link_id).await? else {
                return Ok(None);
            };
            let tenant = link.tenant;
            let papers = Papers::read(&reader, tx, link, grant.object).await?;
            Ok::<_, citadel_store::Error>(Some((tenant, papers)))
        })
        .await?;
    let (tenant, papers) = found.ok_or_else(error::not_found)?;
    // Some have many pages.
    let drawer = app.clone();
    let pdf = tokio::task::spawn_blocking(move || papers.draw(&drawer, grant.object, grant.is_masked)).await;
    let pdf = pdf.map_err(error::internal)??.ok_or_else(error::not_found)?;
    trail::release_document(&app, tenant, link_id)?;
    let mut response = pdf.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/pdf"));
    headers
        .insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline; filename=\"document.pdf\""));
    Ok(response)
}
