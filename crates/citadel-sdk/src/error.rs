//! What can go wrong, and what to do about it.

use std::{error::Error as StdError, fmt, time::Duration};

use citadel_api_types::error::{Detail, ErrorBody, ErrorCode, InvalidParam};
use reqwest::{
    StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};

/// A call that failed. Its text says what happened and what to do.
pub struct Error {
    // Boxed, so that a `Result` of every call stays small.
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    message: String,
    status: Option<StatusCode>,
    code: Option<ErrorCode>,
    invalid_params: Vec<InvalidParam>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client cannot be made, or the call cannot be spelled; nothing was sent.
    Configuration,
    /// The server could not be reached; it has seen nothing of the call.
    Connect,
    /// The connection broke or timed out after the call was sent: the server may have acted on it.
    Interrupted,
    /// 400: a field is missing or wrong. 422: the idempotency key was used with another body.
    InvalidRequest,
    /// 401: the client id and the access secret are not a known pair.
    Unauthorized,
    /// 403: the key may not do this.
    Forbidden,
    /// 404: there is no such thing, or it belongs to another client.
    NotFound,
    /// 410: the token was used before, or is too old.
    Expired,
    /// 429: too many calls.
    Throttled,
    /// 5xx: a fault of the server.
    Server,
    /// What was waited for has not come to its end in time. It goes on.
    Unfinished,
    /// An answer that the API does not give: most often the base URL is that of something else.
    Unexpected,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let inner = Inner {
            kind,
            message: message.into(),
            status: None,
            code: None,
            invalid_params: Vec::new(),
            request_id: None,
            retry_after: None,
            source: None,
        };
        Self { inner: Box::new(inner) }
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    pub(crate) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.inner.source = Some(Box::new(source));
        self
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.inner.status = Some(status);
        self
    }

    pub(crate) fn with_headers(mut self, headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        self.inner.request_id = text("x-request-id").map(str::to_owned);
        // The header may also hold a date; then the usual waits apply.
        self.inner.retry_after =
            text(RETRY_AFTER.as_str()).and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        self
    }

    /// Reads an answer that is not a success: the contract's shape, its `detail` shape, or anything a proxy says.
    pub(crate) fn from_answer(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let kind = ErrorKind::of(status);
        let mut error = match serde_json::from_slice::<ErrorBody>(body) {
            Ok(ErrorBody { error }) => {
                let mut known = Self::new(kind, error.message);
                known.inner.code = Some(error.code);
                known.inner.invalid_params = error.extra.unwrap_or_default().invalid_params;
                known
            }
            Err(_) => match serde_json::from_slice::<Detail>(body) {
                Ok(Detail { detail }) => Self::new(kind, detail),
                Err(_) => Self::new(kind, "the answer is not in the shape of the API"),
            },
        };
        if kind == ErrorKind::NotFound {
            error.inner.code.get_or_insert(ErrorCode::NotFound);
        }
        error.with_status(status).with_headers(headers)
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// The HTTP status, when there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.inner.status.map(|status| status.as_u16())
    }

    /// The code of the API, when there was one.
    pub fn code(&self) -> Option<&ErrorCode> {
        self.inner.code.as_ref()
    }

    /// The server's sentence, or ours when the server said nothing.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// Which fields of the request are wrong.
    pub fn invalid_params(&self) -> &[InvalidParam] {
        &self.inner.invalid_params
    }

    /// What to quote when you ask the operator of the server.
    pub fn request_id(&self) -> Option<&str> {
        self.inner.request_id.as_deref()
    }

    /// How long the server asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.retry_after
    }
}

impl ErrorKind {
    fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            400 | 422 => Self::InvalidRequest,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            410 => Self::Expired,
            429 => Self::Throttled,
            500..=599 => Self::Server,
            _ => Self::Unexpected,
        }
    }

    /// What the caller can do; failures without an answer say so in their message.
    fn advice(self) -> Option<&'static str> {
        Some(match self {
            Self::InvalidRequest => "correct the request",
            Self::Unauthorized => "check the client id and the access secret",
            Self::Forbidden => "use a key of the right environment, or a link that allows this product",
            Self::NotFound => "check the id, and that it was made with this client's key",
            Self::Expired => "start again with a new bridge token",
            Self::Throttled => "wait and try again",
            Self::Server => "try again later, and give the request id to the operator if it stays",
            Self::Unexpected => "check that the base URL is that of the API",
            Self::Configuration | Self::Connect | Self::Interrupted | Self::Unfinished => return None,
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.inner;
        f.write_str(inner.message.trim_end_matches('.'))?;
        for (index, InvalidParam { field, message }) in inner.invalid_params.iter().enumerate() {
            let before = if index == 0 { ": " } else { ", " };
            write!(f, "{before}{field} {message}")?;
        }
        if let (Some(status), Some(advice)) = (inner.status, inner.kind.advice()) {
            write!(f, "; {advice} (status {}", status.as_u16())?;
            if let Some(code) = &inner.code {
                write!(f, ", code {code}")?;
            }
            if let Some(request_id) = &inner.request_id {
                write!(f, ", request {request_id}")?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.inner;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("status", &self.status())
            .field("code", &inner.code)
            .field("message", &inner.message)
            .field("invalid_params", &inner.invalid_params)
            .field("request_id", &inner.request_id)
            .field("source", &inner.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
