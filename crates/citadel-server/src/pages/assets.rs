//! Files that are sent as they were written.

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::error::{self, ApiResult};

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

macro_rules! assets {
    ($($name:literal as $kind:expr),* $(,)?) => {
        &[$(($name, $kind, include_str!(concat!("../../assets/bridge/", $name)))),*]
    };
}

/// The parts of the widget: name, content type, text.
const BRIDGE: &[(&str, &str, &str)] = assets![
    "api.js" as SCRIPT,
    "attempt.js" as SCRIPT,
    "deposit.js" as SCRIPT,
    "dom.js" as SCRIPT,
    "events.js" as SCRIPT,
    "field.js" as SCRIPT,
    "flow.js" as SCRIPT,
    "form.js" as SCRIPT,
    "host.js" as SCRIPT,
    "navigation.js" as SCRIPT,
    "screen-choice.js" as SCRIPT,
    "screen-code.js" as SCRIPT,
    "screen-deposit.js" as SCRIPT,
    "screen-end.js" as SCRIPT,
    "screen-login.js" as SCRIPT,
    "screen-organization.js" as SCRIPT,
    "screen-progress.js" as SCRIPT,
    "screen-providers.js" as SCRIPT,
    "screen-push.js" as SCRIPT,
    "screen-search.js" as SCRIPT,
    "shell.js" as SCRIPT,
    "sign-in.js" as SCRIPT,
    "task.js" as SCRIPT,
    "texts.js" as SCRIPT,
    "unsupported.js" as SCRIPT,
    "widget.css" as STYLE,
    "widget.js" as SCRIPT,
];

/// The loader that host pages include.
pub(crate) async fn get_bridge_js(headers: HeaderMap) -> Response {
    let mut response = cached(&headers, SCRIPT, include_bytes!("../../assets/bridge.js"));
    // Host pages may ask for it with `crossorigin`, to check its integrity.
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// A part of the widget.
pub(crate) async fn get_asset(Path(name): Path<String>, headers: HeaderMap) -> ApiResult<Response> {
    let (_, kind, text) = BRIDGE.iter().find(|(known, ..)| *known == name).ok_or_else(error::not_found)?;
    Ok(cached(&headers, kind, text.as_bytes()))
}

/// Where a provider's own sign-in comes back to. Native hosts watch for this address.
pub(crate) async fn get_oauth_success(headers: HeaderMap) -> Response {
    const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
                          frame-ancestors 'none'";
    let page = include_bytes!("../../assets/oauth-success.html");
    let mut response = cached(&headers, "text/html; charset=utf-8", page);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// A file with an `ETag` and a short life, so that a new version of the server is seen within minutes.
pub(super) fn cached(headers: &HeaderMap, kind: &str, bytes: &'static [u8]) -> Response {
    let tag = format!("\"{:08x}-{:x}\"", crc32fast::hash(bytes), bytes.len());
    let same = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if same { StatusCode::NOT_MODIFIED.into_response() } else { bytes.into_response() };
    let headers = response.headers_mut();
    if let (Ok(kind), Ok(tag)) = (HeaderValue::from_str(kind), HeaderValue::from_str(&tag)) {
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
