//! What happens around every request: limits, request id, panics, headers, one log line.

use std::{
    convert::Infallible,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::atomic::Ordering,
    task::{Context, Poll},
};

use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{Route, future::RouteFuture},
};
use citadel_domain::CallId;
use jiff::Timestamp;
use tower::{Service, layer::layer_fn, util::MapRequest};
use tracing::Instrument;

use crate::{
    app::App,
    body::Unread,
    calls::{self, Marks},
    error::{self, ApiError},
    idempotency, masking,
};

/// Limits of P44. The listener's own limits are wider, so that these answers come in the contract's shape.
const MAX_REQUEST_LINE: usize = 8 << 10;
const MAX_HEADER_BYTES: usize = 32 << 10;
const MAX_HEADERS: usize = 100;

/// For a year after the last answer, browsers reach this host and those below it by TLS or not at all (P49).
const STRICT_TRANSPORT: &str = "max-age=31536000; includeSubDomains";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The routes of the public listener with what happens around them.
pub type Api = MapRequest<Router, fn(Request) -> Request>;

/// Wraps the routes of the public listener.
pub(crate) fn wrap(routes: Router, app: &App) -> Api {
    let routes = routes
        .fallback(async || error::not_found())
        .method_not_allowed_fallback(async || error::method_not_allowed());
    around(routes, app)
}

/// Wraps the routes of a listener.
pub(crate) fn around(routes: Router, app: &App) -> Api {
    let app = app.clone();
    let routes = routes.layer(layer_fn(move |route| Around { route, app: app.clone() }));
    // Every API route answers with and without its trailing slash, and never redirects: a redirect turns the POST of
    // some published clients into a GET (contract 1.2). The slash is added before routing.
    MapRequest::new(routes, add_trailing_slash)
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

/// A route with everything that happens around it. One layer: each of several would be copied and boxed per request.
#[derive(Clone)]
struct Around {
    route: Route,
    app: App,
}

impl Service<Request> for Around {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request>::poll_ready(&mut self.route, context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let app = self.app.clone();
        let asked = Asked::of(&mut request, &app);
        let (request, unread) = Unread::of(request);
        let way = match over_limit(&request) {
            Some(refusal) => Way::Refused(refusal),
            None if idempotency::has_key(&request) => {
                Way::Once(Box::pin(idempotency::once(app.clone(), self.route.clone(), request)))
            }
            None => Way::Plain(self.route.call(request)),
        };
        Box::pin(async move {
            let answer = async {
                match way {
                    Way::Refused(refusal) => refusal.into_response(),
                    Way::Plain(answer) => without_panic(answer).await,
                    Way::Once(answer) => without_panic(answer).await,
                }
            };
            let mut response = observe(&app, &asked, answer).await;
            if let Some(unread) = unread {
                unread.settle(&mut response).await;
            }
            Ok(response)
        })
    }
}

/// What was asked for, and room for what becomes known of it.
struct Asked {
    /// What the request is called in the answer, the log, the audit trail and the record of calls: the order of time.
    id: CallId,
    received_at: Timestamp,
    method: Method,
    uri: Uri,
    route: Option<MatchedPath>,
    marks: Marks,
}

impl Asked {
    fn of(request: &mut Request, app: &App) -> Self {
        let marks = Marks::default();
        let received_at = app.clock.now();
        let id = CallId::generate(received_at, &*app.random);
        request.extensions_mut().insert(marks.clone());
        request.extensions_mut().insert(id);
        let route = request.extensions().get::<MatchedPath>().cloned();
        Self { id, received_at, method: request.method().clone(), uri: request.uri().clone(), route, marks }
    }
}

/// How a request is answered.
#[expect(
    clippy::large_enum_variant,
    reason = "it lives for a moment, and a box costs each request an allocation"
)]
enum Way {
    Refused(ApiError),
    Plain(RouteFuture<Infallible>),
    /// Under an idempotency key.
    Once(Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>),
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

/// The answer of a route, or that of a handler that panicked.
async fn without_panic(answer: impl Future<Output = Result<Response, Infallible>>) -> Response {
    let mut answer = pin!(answer);
    let caught = poll_fn(|context| {
        // What a panic leaves half done belongs to the request, which ends here.
        let polled = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)));
        polled.map_or_else(|panic| Poll::Ready(Err(panic)), |polled| polled.map(Ok))
    });
    match caught.await {
        Ok(Ok(response)) => response,
        // The panic hook has written the message and place to the log; the payload may quote data and goes nowhere.
        Err(_panic) => error::internal("a handler panicked").into_response(),
    }
}

/// Logs one line (route template, never the path, query or body), records the call, sets the headers that every answer carries.
async fn observe(app: &App, asked: &Asked, answer: impl Future<Output = Response>) -> Response {
    let method = &asked.method;
    let route = asked.route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let id = asked.id.to_string();
    let span = tracing::info_span!("request", request.id = id);
    let started = tokio::time::Instant::now();
    let mut response = answer.instrument(span.clone()).await;
    if asked.marks.is_masked() {
        response = masking::mask(app, response).await;
    }
    let duration = started.elapsed();
    app.metrics.record_request(route, response.status(), duration);
    span.in_scope(|| {
        tracing::info!(
            http.method = %method,
            http.route = route,
            http.status = response.status().as_u16(),
            duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
            "request"
        );
    });
    if let Some(route) = &asked.route {
        let &Asked { id, received_at, ref method, ref uri, ref marks, .. } = asked;
        let answer = calls::Answer { id, received_at, method, route, uri, duration, marks };
        response = app.calls.record(app, answer, response).await;
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    if app.is_leaving.load(Ordering::Relaxed) {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if app.is_transport_strict {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT_TRANSPORT));
    }
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}
