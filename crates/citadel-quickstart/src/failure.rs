//! What the page is told when something failed.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use citadel_sdk::Error;
use serde_json::json;

use crate::console::log;

/// Something that failed, and the step in which it did. Its text says what to do, so the page shows it.
pub(crate) struct Failure {
    step: u8,
    status: StatusCode,
    code: Option<String>,
    message: String,
}

impl Failure {
    /// A call to Citadel that failed in this step.
    pub(crate) fn at(step: u8) -> impl FnOnce(Error) -> Self {
        move |error| {
            let status = error.status().and_then(|status| StatusCode::from_u16(status).ok());
            Self {
                step,
                status: status.filter(|status| status.as_u16() >= 400).unwrap_or(StatusCode::BAD_GATEWAY),
                code: error.code().map(|code| code.as_str().to_owned()),
                message: error.to_string(),
            }
        }
    }

    /// There is no access token to work with.
    pub(crate) fn nobody_connected() -> Self {
        Self {
            step: 9,
            status: StatusCode::BAD_REQUEST,
            code: Some("incorrect_parameters".to_owned()),
            message: "nobody has connected since this app was started: click Connect first".to_owned(),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self { step, status, code, message } = self;
        log(&format!("Step {step} failed - {}", message.escape_debug()));
        (status, Json(json!({"error": {"code": code, "message": message}, "step": step}))).into_response()
    }
}
