//! The plain marks of companies and providers.

use axum::{
    extract::{Path, State},
    http::header,
    response::IntoResponse,
};

use crate::{
    app::App,
    error::{self, ApiResult},
    marks,
};

/// Our own mark for a company or provider. Never a trademark.
pub(crate) async fn get_mark(
    State(app): State<App>,
    Path(file): Path<String>,
) -> ApiResult<impl IntoResponse> {
    let id = file.strip_suffix(".svg").ok_or_else(error::not_found)?;
    let company = app.directory.company(id).map(|company| &company.name);
    let name = company
        .or_else(|| app.directory.provider(id).map(|provider| &provider.name))
        .ok_or_else(error::not_found)?;
    let headers = [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "public, max-age=86400")];
    Ok((headers, marks::mark_svg(id, name)))
}
