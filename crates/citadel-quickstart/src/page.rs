//! The page and its parts, compiled in.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware,
    response::{Html, Response},
    routing::get,
};

use crate::Settings;

/// The page, its script and its style, with headers that keep everything else out.
pub(crate) fn page<S: Clone + Send + Sync + 'static>(settings: &Settings) -> Router<S> {
    let texts = settings.product.texts();
    let html = include_str!("../assets/index.html")
        .replace("{{title}}", texts.title)
        .replace("{{lead}}", texts.lead)
        .replace("{{hint}}", texts.hint)
        .replace("{{step_6}}", texts.step_6)
        .replace("{{step_9}}", texts.step_9)
        .replace("{{calls_9}}", texts.calls_9)
        .replace("{{data_route}}", settings.product.data_route())
        .replace("{{bridge_url}}", &escape(&settings.bridge_url))
        .replace("{{product}}", settings.product.as_str())
        .replace("{{environment}}", if settings.is_sandbox() { "sandbox" } else { "live" });
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    Router::new()
        .route("/", get(async || Html(html)))
        .route("/app.js", asset(SCRIPT, include_str!("../assets/app.js")))
        .route("/back-end.js", asset(SCRIPT, include_str!("../assets/back-end.js")))
        .route("/deposits.js", asset(SCRIPT, include_str!("../assets/deposits.js")))
        .route("/steps.js", asset(SCRIPT, include_str!("../assets/steps.js")))
        .route("/dom.js", asset(SCRIPT, include_str!("../assets/dom.js")))
        .route("/words.js", asset(SCRIPT, include_str!("../assets/words.js")))
        .route("/view.js", asset(SCRIPT, include_str!("../assets/view.js")))
        .route("/view-jobs.js", asset(SCRIPT, include_str!("../assets/view-jobs.js")))
        .route("/view-company.js", asset(SCRIPT, include_str!("../assets/view-company.js")))
        .route("/view-deposit.js", asset(SCRIPT, include_str!("../assets/view-deposit.js")))
        .route("/view-funding.js", asset(SCRIPT, include_str!("../assets/view-funding.js")))
        .route("/style.css", asset("text/css; charset=utf-8", include_str!("../assets/style.css")))
        .route("/mark.svg", asset("image/svg+xml", include_str!("../assets/mark.svg")))
}

fn asset<S: Clone + Send + Sync + 'static>(
    content_type: &'static str,
    text: &'static str,
) -> axum::routing::MethodRouter<S> {
    get(async move || ([(header::CONTENT_TYPE, content_type)], text))
}

/// Adds to every answer what keeps foreign code out of the page and personal data out of caches.
pub(crate) fn guarded(router: Router, bridge_origin: &str) -> Router {
    let policy = format!(
        "default-src 'none'; script-src 'self' {bridge_origin}; frame-src {bridge_origin}; style-src 'self'; \
         img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::from_str(&policy).expect("an origin holds only visible ASCII characters");
    let headers = HeaderMap::from_iter([
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    ]);
    router.layer(middleware::map_response_with_state(headers, add_headers))
}

async fn add_headers(State(headers): State<HeaderMap>, mut response: Response) -> Response {
    response.headers_mut().extend(headers);
    response
}

/// A setting may hold characters that would end an attribute.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}
