//! The dashboard's own style and script.

use axum::{http::header, response::IntoResponse};

const STYLES: &str = include_str!("../../../assets/dashboard/dashboard.css");
const SCRIPT: &str = include_str!("../../../assets/dashboard/dashboard.js");

pub(super) async fn get_styles() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")], STYLES)
}

pub(super) async fn get_script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")], SCRIPT)
}
