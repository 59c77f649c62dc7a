//! What happens around every request: limits, request id, panics, headers, one log line.

use std::any::Any;

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use citadel_domain::tokens;
use tower::util::MapRequest;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

use crate::{
    app::App,
    error::{self, ApiError},
};

/// Limits of P44. The listener's own limits are wider, so that these answers come in the contract's shape.
const MAX_REQUEST_LINE: usize = 8 << 10;
const MAX_HEADER_BYTES: usize = 32 << 10;
const MAX_HEADERS: usize = 100;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Wraps the routes of the public listener.
pub(crate) fn wrap(routes: Router, app: &App) -> Router {
    let routes = routes
        .fallback(async || error::not_found())
        .method_not_allowed_fallback(async || error::method_not_allowed())
        .layer(CatchPanicLayer::custom(answer_panic))
        .layer(middleware::from_fn(check_limits))
        .layer(middleware::from_fn_with_state(app.clone(), observe));
    // Every API route answers with and without its trailing slash, and never redirects: a redirect turns the POST of
    // some published clients into a GET (contract 1.2). The slash is added before routing.
    Router::new().fallback_service(MapRequest::new(routes, add_trailing_slash))
}

fn add_trailing_slash(mut request: Request) -> Request {
    let path = request.uri().path();
    if path.starts_with("/v1/") && !path.ends_with('/') {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        if let Ok(uri) = format!("{path}/{query}").parse::<Uri>() {
            *request.uri_mut() = uri;
        }
    }
    request
}

async fn check_limits(request: Request, next: Next) -> Response {
    match over_limit(&request) {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    }
}

fn over_limit(request: &Request) -> Option<ApiError> {
    // `GET /path HTTP/1.1`
    let target = request.uri().path_and_query().map_or(0, |text| text.as_str().len());
    let line = request.method().as_str().len() + target + "  HTTP/1.1".len();
    if line > MAX_REQUEST_LINE {
        let message = format!("The request line is longer than {MAX_REQUEST_LINE} bytes.");
        return Some(error::over_limit(StatusCode::URI_TOO_LONG, message));
    }
    let headers = request.headers();
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if headers.len() > MAX_HEADERS || bytes > MAX_HEADER_BYTES {
        let message = format!("The headers are over {MAX_HEADERS} fields or {MAX_HEADER_BYTES} bytes.");
        return Some(error::over_limit(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, message));
    }
    None
}

fn answer_panic(_panic: Box<dyn Any + Send>) -> Response {
    // The panic hook has written the message and place to the log; the payload may quote data and goes nowhere.
    error::internal("a handler panicked").into_response()
}

/// Gives the request an id, logs one line (route template, never the path, query or body), sets the headers that
/// every answer carries.
async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut id = [0; 16];
    app.random.fill(&mut id);
    let id = tokens::hex(&id);
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unmatched".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!("request", request.id = id);
    let started = tokio::time::Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let duration = started.elapsed();
    app.metrics.record_request(&route, response.status(), duration);
    span.in_scope(|| {
        tracing::info!(
            http.method = %method,
            http.route = route,
            http.status = response.status().as_u16(),
            duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
            "request"
        );
    });
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}
