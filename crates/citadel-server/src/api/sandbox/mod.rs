//! What exists in the sandbox only. Keys of other environments are answered 403 `env_not_sandbox`.

pub(crate) mod clock;
pub(crate) mod faults;
pub(crate) mod ledger;
pub(crate) mod public_tokens;
pub(crate) mod reset;
pub(crate) mod scenarios;

use axum::{extract::FromRequestParts, http::request::Parts};
use citadel_domain::Environment;
use citadel_store::audit::{Object, ObjectKind};

use crate::{
    app::App,
    auth::Caller,
    error::{self, ApiError},
};

/// What the audit trail calls a client's sandbox.
pub(crate) const SANDBOX: Object = Object { kind: ObjectKind::Sandbox, id: None };

/// A client, proven by a sandbox key.
pub(crate) struct SandboxCaller(pub(crate) Caller);

impl FromRequestParts<App> for SandboxCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, app).await?;
        match caller.tenant.environment {
            Environment::Sandbox => Ok(Self(caller)),
            Environment::Dev | Environment::Prod => Err(error::env_not_sandbox()),
        }
    }
}
