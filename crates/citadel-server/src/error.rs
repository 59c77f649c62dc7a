//! The one type that turns a refusal into an HTTP answer, in the shapes of the contract (section 1.6).

use std::{error::Error as StdError, fmt};

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use citadel_api_types::error::{Detail, ErrorBody, ErrorCode, ErrorExtra, ErrorObject, InvalidParam};

/// What a handler returns.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

/// A refusal or fault: a status, a code and a sentence for the caller; a cause for the log.
pub(crate) struct ApiError {
    status: StatusCode,
    code: ErrorCode,
    message: String,
    fields: Vec<(String, String)>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
    /// Seconds to wait before trying again.
    retry_after: Option<u32>,
}

impl ApiError {
    /// The cause and what is behind it, in one line for the log.
    pub(crate) fn cause_text(&self) -> String {
        self.cause.as_deref().map_or_else(|| self.message.clone(), error_chain)
    }

    /// As the caller wrote its fields, who has no object of this name around them.
    pub(crate) fn outside(mut self, object: &str) -> Self {
        for (field, _) in &mut self.fields {
            if let Some(name) = field.strip_prefix(object).and_then(|rest| rest.strip_prefix('.')) {
                *field = name.to_owned();
            }
        }
        self
    }

    /// For a page with a form: what is wrong, line by line. `None` where it is not the form.
    pub(crate) fn problems(&self) -> Option<Vec<String>> {
        if !self.status.is_client_error() {
            return None;
        }
        if self.fields.is_empty() {
            return Some(vec![self.message.clone()]);
        }
        Some(self.fields.iter().map(|(field, message)| format!("{field}: {message}")).collect())
    }

    /// For pages of the dashboard, which have a shape of their own. A fault of ours goes to the log, as with an answer.
    pub(crate) fn into_status_and_message(self) -> (StatusCode, String) {
        if self.status.is_server_error() {
            tracing::error!(error.cause = self.cause_text(), status = self.status.as_u16(), "request failed");
        }
        let told: Vec<_> = self.fields.into_iter().map(|(_, text)| text).collect();
        (self.status, if told.is_empty() { self.message } else { told.join(" ") })
    }

    /// Whether there is no such thing.
    pub(crate) fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), fields: Vec::new(), cause: None, retry_after: None }
    }
}

/// 400 that names one field.
pub(crate) fn invalid(field: &str, message: impl Into<String>) -> ApiError {
    invalid_fields(vec![(field.to_owned(), message.into())])
}

/// 400 that names several fields.
pub(crate) fn invalid_fields(fields: Vec<(String, String)>) -> ApiError {
    let mut error = ApiError::new(
        StatusCode::BAD_REQUEST,
        ErrorCode::IncorrectParameters,
        "Some parameters are incorrect.",
    );
    error.fields = fields;
    error
}

/// 400 with a code of its own that names several fields.
pub(crate) fn refused_fields(code: ErrorCode, fields: Vec<(String, String)>) -> ApiError {
    ApiError { code, ..invalid_fields(fields) }
}

/// 400 for a body that cannot be read at all.
pub(crate) fn malformed(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, ErrorCode::IncorrectParameters, message)
}

/// 401: one body for every kind of bad credentials (P1).
pub(crate) fn unauthenticated() -> ApiError {
    ApiError::new(
        StatusCode::UNAUTHORIZED,
        ErrorCode::AuthenticationFailed,
        "No such user. Send the headers X-Access-Client-Id and X-Access-Secret of one active key.",
    )
}

/// 401 for a bridge token that was never made.
pub(crate) fn unknown_bridge_token() -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, ErrorCode::AuthenticationFailed, "Unknown bridge token.")
}

/// 403: a valid key that may not do this.
pub(crate) fn forbidden(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, ErrorCode::NotAuthenticated, message)
}

/// 403: a product of the published API that this server does not offer.
pub(crate) fn product_not_enabled() -> ApiError {
    forbidden("This product is not enabled on this server.")
}

/// 403: this belongs to the sandbox, and the key to another environment.
pub(crate) fn env_not_sandbox() -> ApiError {
    ApiError::new(
        StatusCode::FORBIDDEN,
        ErrorCode::EnvNotSandbox,
        "Use a sandbox key: this exists in the sandbox only.",
    )
}

/// 404: unknown, deleted and foreign ids look alike (P5).
pub(crate) fn not_found() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, "Not Found.")
}

/// 405.
pub(crate) fn method_not_allowed() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::NotFound, "Method Not Allowed.")
}

/// 409: the thing is not in a state in which this makes sense.
pub(crate) fn conflict(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::CONFLICT, ErrorCode::IncorrectParameters, message)
}

/// 409: a call under the same idempotency key is not answered yet.
pub(crate) fn key_in_use() -> ApiError {
    let message = "A call with this Idempotency-Key is still running: send it again in 1 second.";
    let mut error = ApiError::new(StatusCode::CONFLICT, ErrorCode::IdempotencyKeyInUse, message);
    error.retry_after = Some(1);
    error
}

/// 422: an idempotency key that belongs to another request.
pub(crate) fn key_reused() -> ApiError {
    ApiError::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::IdempotencyKeyReused,
        "This Idempotency-Key was used with another body less than 24 hours ago: take a new key for a new request.",
    )
}

/// 410: a token reused or aged.
pub(crate) fn gone(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::GONE, ErrorCode::ExpiredToken, message)
}

/// 415.
pub(crate) fn unsupported_media_type(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorCode::NotFound, message)
}

/// 408, 413, 414, 431: a limit of P44 or P45.
pub(crate) fn over_limit(status: StatusCode, message: impl Into<String>) -> ApiError {
    ApiError::new(status, ErrorCode::IncorrectParameters, message)
}

/// 429: too often. Clients read the seconds from the message where they do not see `Retry-After`.
pub(crate) fn throttled(reason: &str, seconds: u32) -> ApiError {
    let message = format!("{reason}: try again in {seconds} seconds.");
    let mut error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::Throttled, message);
    error.retry_after = Some(seconds);
    error
}

/// 500: the caller learns nothing but that it is our fault (P47).
pub(crate) fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> ApiError {
    let mut error =
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Error, "Something went wrong here.");
    error.cause = Some(cause.into());
    error
}

impl From<citadel_store::Error> for ApiError {
    fn from(cause: citadel_store::Error) -> Self {
        let mut error = internal("");
        if matches!(cause, citadel_store::Error::Unavailable(_)) {
            error.status = StatusCode::SERVICE_UNAVAILABLE;
            error.message = "The database cannot be reached. Try again shortly.".to_owned();
            error.retry_after = Some(2);
        }
        error.cause = Some(Box::new(cause));
        error
    }
}

/// As `Display`, and no more: the `Debug` of some causes holds the bytes that did not fit (P57).
impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.message)
    }
}

impl StdError for ApiError {}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if self.status.is_server_error() {
            let cause = self.cause_text();
            // The request span carries the request id, so that the caller's report and this line can be matched.
            tracing::error!(error.cause = cause, status = self.status.as_u16(), "request failed");
        }
        let mut response = match self.status {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                Json(Detail { detail: self.message }).into_response()
            }
            _ => {
                let invalid_params: Vec<_> =
                    self.fields.into_iter().map(|(field, message)| InvalidParam { field, message }).collect();
                let extra = (!invalid_params.is_empty()).then_some(ErrorExtra { invalid_params });
                Json(ErrorBody { error: ErrorObject { code: self.code, message: self.message, extra } })
                    .into_response()
            }
        };
        *response.status_mut() = self.status;
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
        }
        response
    }
}

/// An error and its sources in one line.
fn error_chain(error: &(dyn StdError + Send + Sync)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p57_the_bytes_that_did_not_fit_reach_no_log() {
        let cause = String::from_utf8(b"991919991\xFF".to_vec()).unwrap_err();
        assert!(format!("{cause:?}").contains("57, 57, 49"), "the cause itself would tell");
        let error = internal(cause);
        for text in [format!("{error:?}"), error.to_string(), error.cause_text()] {
            assert!(!text.contains("57, 57, 49") && !text.contains("991919991"), "{text}");
        }
        assert!(error.cause_text().contains("utf-8"), "{}", error.cause_text());
    }
}
