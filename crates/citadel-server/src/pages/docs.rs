//! The API reference: the document made from the code, and an offline page that shows it.

use std::sync::LazyLock;

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};

use super::kept::{Kept, Life, PAGE, SCRIPT};
use crate::{openapi, router};

/// The page's own policy: the bundle sets style attributes; nothing leaves this origin.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The document as JSON text.
static DOCUMENT: LazyLock<Kept> = LazyLock::new(|| {
    let text = router::document().to_pretty_json().expect("the OpenAPI document is plain data");
    Kept::new("application/json", text)
});
/// The JSON Schema of scenarios.
static SCENARIO: LazyLock<Kept> = LazyLock::new(|| {
    let schema = openapi::scenario_schema(&router::document());
    let text = serde_json::to_string_pretty(&schema).expect("the schema is plain data");
    Kept::new("application/schema+json", text)
});
static DOCS: LazyLock<Kept> = LazyLock::new(|| Kept::new(PAGE, include_str!("../../assets/docs/docs.html")));
static DOCS_SCRIPT: LazyLock<Kept> =
    LazyLock::new(|| Kept::new(SCRIPT, include_str!("../../assets/docs/docs.js")));
static SCALAR: LazyLock<Kept> =
    LazyLock::new(|| Kept::zipped(SCRIPT, include_bytes!("../../assets/docs/scalar.js.gz")));

/// The OpenAPI 3.1 document.
pub(crate) async fn get_openapi(headers: HeaderMap) -> Response {
    DOCUMENT.answer(&headers, Life::Short)
}

/// What scenarios look like, for editors and checkers.
pub(crate) async fn get_scenario_schema(headers: HeaderMap) -> Response {
    SCENARIO.answer(&headers, Life::Short)
}

/// The page.
pub(crate) async fn get_docs(headers: HeaderMap) -> Response {
    let mut response = DOCS.answer(&headers, Life::Short);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// The page's own script.
pub(crate) async fn get_docs_script(headers: HeaderMap) -> Response {
    DOCS_SCRIPT.answer(&headers, Life::Short)
}

/// The viewer, which is stored compressed.
pub(crate) async fn get_scalar(headers: HeaderMap) -> Response {
    SCALAR.answer(&headers, Life::Short)
}
