//! Request bodies: strict where input is ambiguous, liberal where the contract says so (rules Q1–Q11, P44, P48).

use std::{
    collections::HashSet,
    error::Error as StdError,
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    BoxError,
    body::{BodyDataStream, Bytes, HttpBody},
    extract::{FromRequest, Multipart, Request, multipart::MultipartError},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use citadel_api_types::Strictly;
use futures_core::Stream;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{
    Deserializer,
    de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::{
    calls::Marks,
    connections::next_deadline,
    error::{self, ApiError},
};

/// The largest body of a JSON route, in bytes.
pub(crate) const MAX_BODY: usize = 1 << 20;

/// The deepest nesting of a JSON body.
const MAX_DEPTH: usize = 32;

/// How long a client may take until a body begins, and until it has ended. In between it sends a kibibyte a second at least
/// (P45).
const BODY_GRACE: Duration = Duration::from_secs(5);
const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// A parsed request body. Takes JSON with any `charset` parameter, URL-encoded forms and form-data; a missing
/// content type is read as JSON; an empty body is an empty object.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let headers = request.headers();
        if headers.get(header::CONTENT_ENCODING).is_some_and(|value| value != "identity") {
            return Err(error::unsupported_media_type("Send the body without Content-Encoding."));
        }
        match Kind::of(headers)? {
            Kind::Json => {
                let bytes = read(request).await?;
                let bytes = if bytes.is_empty() { Bytes::from_static(b"{}") } else { bytes };
                check_strict(&bytes).map_err(|reason| error::malformed(format!("The body is {reason}.")))?;
                let json = serde_json::from_slice(&bytes);
                parse(json.map_err(|_| error::malformed("The body is not valid JSON."))?).map(Self)
            }
            Kind::Form => {
                let bytes = read(request).await?;
                from_pairs(form_urlencoded::parse(&bytes).into_owned().collect()).map(Self)
            }
            Kind::Multipart => from_pairs(read_multipart(Paced::limit(request), state).await?).map(Self),
        }
    }
}

/// A JSON body with the text that it was read from, for a refusal that names lines.
pub(crate) struct JsonText {
    pub(crate) json: Value,
    pub(crate) text: String,
}

impl<S: Send + Sync> FromRequest<S> for JsonText {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if !matches!(Kind::of(request.headers())?, Kind::Json) {
            return Err(error::unsupported_media_type("Send the body as application/json."));
        }
        Self::read(&read(request).await?)
    }
}

impl JsonText {
    /// Reads a body.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, ApiError> {
        check_strict(bytes).map_err(|reason| error::malformed(format!("The body is {reason}.")))?;
        let text = std::str::from_utf8(bytes).map_err(|_| error::malformed("The body is not UTF-8."))?;
        match serde_json::from_str(text) {
            Ok(json) => Ok(Self { json, text: text.to_owned() }),
            Err(problem) => Err(error::malformed(format!(
                "Line {}, column {}: the body is not JSON.",
                problem.line(),
                problem.column()
            ))),
        }
    }
}

enum Kind {
    Json,
    Form,
    Multipart,
}

impl Kind {
    fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(Self::Json) };
        let essence =
            value.to_str().unwrap_or("?").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        match essence.as_str() {
            "" | "application/json" | "text/json" => Ok(Self::Json),
            other if other.starts_with("application/") && other.ends_with("+json") => Ok(Self::Json),
            "application/x-www-form-urlencoded" => Ok(Self::Form),
            "multipart/form-data" => Ok(Self::Multipart),
            _ => Err(error::unsupported_media_type("Send the body as application/json.")),
        }
    }
}

/// The whole body, as far as it may be large and slow.
pub(crate) async fn read(request: Request) -> Result<Bytes, ApiError> {
    let marks = request.extensions().get::<Marks>().cloned();
    let body = Paced::limit(request).into_body().collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).map_err(|cause| {
        cut_short(&cause).unwrap_or_else(|| error::malformed("The body could not be read to its end."))
    })?;
    if let Some(marks) = marks {
        marks.request(&body);
    }
    Ok(body)
}

async fn read_multipart<S: Send + Sync>(
    request: Request,
    state: &S,
) -> Result<Vec<(String, String)>, ApiError> {
    let broken = |problem: MultipartError| {
        cut_short(&problem).unwrap_or_else(|| error::malformed("The body is not valid form-data."))
    };
    let mut parts = Multipart::from_request(request, state)
        .await
        .map_err(|_| error::malformed("The form-data has no boundary."))?;
    let mut pairs = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        pairs.push((name, part.text().await.map_err(broken)?));
    }
    Ok(pairs)
}

/// What to answer when our own limits cut the body, however deep the reader has wrapped that.
fn cut_short(problem: &(dyn StdError + 'static)) -> Option<ApiError> {
    let mut cause = Some(problem);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return Some(too_large());
        }
        if error.is::<TooSlow>() {
            return Some(too_slow());
        }
        cause = error.source();
    }
    None
}

/// A body that ends with an error when it comes too slowly.
struct Paced {
    body: BodyDataStream,
    began: Instant,
    received: usize,
    /// Runs out at the deadline, which moves on with what comes. Made at the first wait: most bodies are there already.
    timer: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug, thiserror::Error)]
#[error("the body came too slowly")]
struct TooSlow;

impl Paced {
    fn new(body: BodyDataStream) -> Self {
        Self { body, began: Instant::now(), received: 0, timer: None }
    }

    /// The request with limits on its body: as large and as slow as a client may be.
    fn limit(request: Request) -> Request {
        request.map(|body| {
            let paced = Self::new(body.into_data_stream());
            axum::body::Body::new(Limited::new(axum::body::Body::from_stream(paced), MAX_BODY))
        })
    }
}

impl Stream for Paced {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(data) = Pin::new(&mut self.body).poll_next(context) {
            self.received += data.as_ref().and_then(|data| data.as_ref().ok()).map_or(0, Bytes::len);
            return Poll::Ready(data.map(|data| data.map_err(BoxError::from)));
        }
        let deadline = next_deadline(self.began, self.received, BODY_GRACE, BODY_DEADLINE);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Some(Err(TooSlow.into())))
    }
}

/// What a handler leaves of a request's body. A connection on which something lies unread cannot be used again, and its end
/// can overtake the answer.
pub(crate) struct Unread {
    left: Arc<Mutex<Option<BodyDataStream>>>,
    /// The client waits for leave to send the body.
    is_held_back: bool,
}

/// More than this is not read for nobody.
const MOST_UNREAD: usize = 4 * MAX_BODY;

impl Unread {
    pub(crate) fn of(request: Request) -> (Request, Option<Self>) {
        if request.body().is_end_stream() {
            return (request, None);
        }
        let left = Arc::default();
        let unread =
            Self { left: Arc::clone(&left), is_held_back: request.headers().contains_key(header::EXPECT) };
        let lend = |body: axum::body::Body| Lent { body: Some(body.into_data_stream()), left };
        (request.map(|body| axum::body::Body::from_stream(lend(body))), Some(unread))
    }

    /// Reads the rest, or has the connection closed after the answer.
    pub(crate) async fn settle(self, response: &mut Response) {
        let rest = self.left.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Nothing is left of a body that was read to its end.
        let Some(rest) = rest else { return };
        // Whoever was too slow once is not waited for again.
        let was_slow = response.status() == StatusCode::REQUEST_TIMEOUT;
        if self.is_held_back || was_slow || !is_short(rest).await {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// Reads a body to its end, if that comes soon.
async fn is_short(body: BodyDataStream) -> bool {
    let mut body = Paced::new(body);
    while body.received <= MOST_UNREAD {
        match poll_fn(|context| Pin::new(&mut body).poll_next(context)).await {
            Some(Ok(_)) => {}
            Some(Err(_)) => return false,
            None => return true,
        }
    }
    false
}

/// A body that is given back when its reader lets go of it before its end.
struct Lent {
    body: Option<BodyDataStream>,
    left: Arc<Mutex<Option<BodyDataStream>>>,
}

impl Stream for Lent {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let next = ready!(Pin::new(body).poll_next(context));
        if !matches!(next, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(next)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
    }
}

fn too_large() -> ApiError {
    error::over_limit(StatusCode::PAYLOAD_TOO_LARGE, format!("The body is larger than {MAX_BODY} bytes."))
}

fn too_slow() -> ApiError {
    error::over_limit(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time.")
}

fn from_pairs<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T, ApiError> {
    let mut object = Map::new();
    for (name, text) in pairs {
        if text.contains('\0') || name.contains('\0') {
            return Err(error::malformed("The body is a form with a NUL character."));
        }
        if object.insert(name.clone(), Value::String(text)).is_some() {
            return Err(error::invalid(&name, "Sent twice."));
        }
    }
    parse(Value::Object(object))
}

/// Parses into `T` and names the field that does not fit. The offending value is never repeated: it may be a secret.
fn parse<T: DeserializeOwned>(json: Value) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(Strictly(json)).map_err(|problem| {
        let path = problem.path().to_string();
        let message = problem.into_inner().to_string();
        if let Some(field) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            let field = if path == "." { field.to_owned() } else { format!("{path}.{field}") };
            return error::invalid(&field, "This field is required.");
        }
        // After the last ", expected " stands only what we expect; before it may stand what was sent.
        let expected = message.rsplit_once(", expected ").map_or("another value", |(_, expected)| expected);
        let expected = match expected.split(" at line ").next().unwrap_or(expected) {
            "a map" => "an object",
            "a sequence" => "a list",
            name if name.starts_with("struct ") => "an object",
            plain => plain,
        };
        if path == "." {
            error::malformed(format!("The body does not fit: expected {expected}."))
        } else {
            error::invalid(&path, format!("Wrong value: expected {expected}."))
        }
    })
}

/// Refuses JSON that two parsers could read in two ways, or that is built to hurt: a top level other than an object,
/// duplicate keys, NUL characters, numbers out of range, nesting over [`MAX_DEPTH`], trailing bytes.
pub(crate) fn check_strict(bytes: &[u8]) -> Result<(), String> {
    if bytes.first() == Some(&0xEF) {
        return Err("JSON with a byte order mark".to_owned());
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    Strict { depth: 0 }.deserialize(&mut deserializer).and_then(|()| deserializer.end()).map_err(|problem| {
        let text = problem.to_string();
        match text.strip_prefix("strict: ").and_then(|rest| rest.split(" at line ").next()) {
            Some(reason) => reason.to_owned(),
            // The parser's own words can quote the input.
            None => format!("not valid JSON (line {}, column {})", problem.line(), problem.column()),
        }
    })
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format!("strict: JSON nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Self { depth: self.depth + 1 })
    }

    fn scalar<E: serde::de::Error>(self) -> Result<(), E> {
        if self.depth == 0 { Err(E::custom("strict: not a JSON object")) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.scalar()
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.scalar()
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        if text.contains('\0') {
            return Err(E::custom("strict: JSON with a NUL character"));
        }
        self.scalar()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.scalar()?;
        let inner = self.deeper()?;
        while items.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if key.contains('\0') {
                return Err(A::Error::custom("strict: JSON with a NUL character"));
            }
            if !seen.insert(key) {
                return Err(A::Error::custom("strict: JSON with a key that is given twice"));
            }
            entries.next_value_seed(inner)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: Result<(), &str>) {
        let found = check_strict(json.as_bytes());
        match expected {
            Ok(()) => assert_eq!(found, Ok(()), "{json:.80}"),
            Err(part) => {
                assert!(found.as_ref().is_err_and(|reason| reason.contains(part)), "{json:.80}: {found:?}")
            }
        }
    }

    #[test]
    fn p48_ambiguous_json_is_refused() {
        check("{}", Ok(()));
        check(r#"{"a":[1,{"b":null}],"c":"é"}"#, Ok(()));
        check("[]", Err("not a JSON object"));
        check("1", Err("not a JSON object"));
        check(r#"{"a":1,"a":2}"#, Err("twice"));
        check(r#"{"x":{"a":1,"a":2}}"#, Err("twice"));
        check("{\"a\":\"x\\u0000\"}", Err("NUL"));
        check(r#"{"a":1e999}"#, Err("not valid JSON"));
        check(r#"{"a":NaN}"#, Err("not valid JSON"));
        check(r#"{"a":"\ud800"}"#, Err("not valid JSON"));
        check(r#"{"a":1} x"#, Err("not valid JSON"));
        check("\u{feff}{}", Err("byte order mark"));
    }

    #[test]
    fn p44_nesting_is_limited() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        check(&nested(32), Ok(()));
        check(&nested(33), Err("nested deeper"));
        check(&nested(100_000), Err("nested deeper"));
    }
}
