//! The API reference: the document made from the code, and an offline page that shows it.

use std::sync::LazyLock;

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};

use super::assets::cached;
use crate::router;

/// The page's own policy: the bundle sets style attributes; nothing leaves this origin.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The document as JSON text, made once.
static DOCUMENT: LazyLock<String> =
    LazyLock::new(|| router::document().to_pretty_json().expect("the OpenAPI document is plain data"));

/// The OpenAPI 3.1 document.
pub(crate) async fn get_openapi() -> Response {
    let headers =
        [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")];
    (headers, DOCUMENT.as_str()).into_response()
}

/// The page.
pub(crate) async fn get_docs(headers: HeaderMap) -> Response {
    let page = include_bytes!("../../assets/docs/docs.html");
    let mut response = cached(&headers, "text/html; charset=utf-8", page);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// The page's own script.
pub(crate) async fn get_docs_script(headers: HeaderMap) -> Response {
    cached(&headers, "text/javascript; charset=utf-8", include_bytes!("../../assets/docs/docs.js"))
}

/// The viewer, stored compressed. Every browser takes gzip.
pub(crate) async fn get_scalar(headers: HeaderMap) -> Response {
    let mut response =
        cached(&headers, "text/javascript; charset=utf-8", include_bytes!("../../assets/docs/scalar.js.gz"));
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response
}
