//! Errors, as every route answers them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// The body of a failed call, except for 404, 405, 406 and 415, which answer a [`Detail`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorObject,
}

/// What went wrong: a code for programs and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorObject {
    /// Machine readable. New codes may be added.
    #[schema(value_type = String, examples("incorrect_parameters"))]
    pub code: ErrorCode,
    /// Says what is wrong and, where there is something to do, what to do. Not for matching on.
    #[schema(examples("one field is not right"))]
    pub message: String,
    /// Which fields are wrong; only with status 400.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<ErrorExtra>,
}

/// Which fields of the request are wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorExtra {
    /// One entry per field. Note the hyphen in the key.
    #[serde(default, rename = "invalid-params")]
    pub invalid_params: Vec<InvalidParam>,
}

/// One wrong field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvalidParam {
    /// The field, with dots between levels.
    #[schema(examples("account.account_type"))]
    pub field: String,
    /// What is wrong with it.
    #[schema(examples("must be checking or savings"))]
    pub message: String,
}

/// The body of 404, 405, 406 and 415.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Detail {
    /// One sentence.
    #[schema(examples("Not Found."))]
    pub detail: String,
}

/// Why a call failed. On the wire it is one word in snake case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// 400: a field is missing or wrong; `extra` names it.
    IncorrectParameters,
    /// 401: the two access headers are missing, malformed or unknown.
    AuthenticationFailed,
    /// 403: the key is good, but may not do this.
    NotAuthenticated,
    /// 403: the route works with sandbox keys only.
    EnvNotSandbox,
    /// 400: the user name of a scenario belongs to the sandbox.
    ReservedCredential,
    /// 400: a scenario without its data source.
    DataSourceRequired,
    /// 404: unknown, or of another client. Answers of this kind carry a [`Detail`] and no code on the wire.
    NotFound,
    /// 409: a call under the same idempotency key is not answered yet; `Retry-After` says when to send it again.
    IdempotencyKeyInUse,
    /// 422: the idempotency key was used with another body.
    IdempotencyKeyReused,
    /// 410: the token was used before, or is too old.
    ExpiredToken,
    /// 429: too many calls; `Retry-After` says when to come back.
    Throttled,
    /// 5xx: a fault of the server.
    Error,
    /// A code that this version of the crate does not know.
    Other(String),
}

impl ErrorCode {
    /// The word on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::IncorrectParameters => "incorrect_parameters",
            Self::AuthenticationFailed => "authentication_failed",
            Self::NotAuthenticated => "not_authenticated",
            Self::EnvNotSandbox => "env_not_sandbox",
            Self::ReservedCredential => "reserved_credential",
            Self::DataSourceRequired => "data_source_required",
            Self::NotFound => "not_found",
            Self::IdempotencyKeyInUse => "idempotency_key_in_use",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::ExpiredToken => "expired_token",
            Self::Throttled => "throttled",
            Self::Error => "error",
            Self::Other(word) => word,
        }
    }
}

impl From<&str> for ErrorCode {
    fn from(word: &str) -> Self {
        match word {
            // The second word is what the older documentation of the same API says.
            "incorrect_parameters" | "validation_error" => Self::IncorrectParameters,
            "authentication_failed" => Self::AuthenticationFailed,
            "not_authenticated" => Self::NotAuthenticated,
            "env_not_sandbox" => Self::EnvNotSandbox,
            "reserved_credential" => Self::ReservedCredential,
            "data_source_required" => Self::DataSourceRequired,
            "not_found" => Self::NotFound,
            "idempotency_key_in_use" => Self::IdempotencyKeyInUse,
            "idempotency_key_reused" => Self::IdempotencyKeyReused,
            "expired_token" => Self::ExpiredToken,
            "throttled" => Self::Throttled,
            "error" => Self::Error,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ErrorCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(String::deserialize(deserializer)?.as_str()))
    }
}
