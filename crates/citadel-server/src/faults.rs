//! Faults on demand (`X-Sandbox-Fault`): what a client of the sandbox wants to go wrong in what a call starts.

use axum::{extract::FromRequestParts, http::request::Parts};
use citadel_domain::{Environment, Fault};

use crate::{
    app::App,
    auth::Caller,
    error::{self, ApiError},
};

/// The header: names of faults between commas.
pub(crate) const HEADER: &str = "x-sandbox-fault";

/// The faults that a call asks for. Refused to keys of other environments.
pub(crate) struct SandboxFaults(pub(crate) Vec<Fault>);

impl FromRequestParts<App> for SandboxFaults {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let mut faults = Vec::new();
        let values: Vec<_> = parts.headers.get_all(HEADER).iter().cloned().collect();
        if values.is_empty() {
            return Ok(Self(faults));
        }
        let caller = Caller::from_request_parts(parts, app).await?;
        if caller.tenant.environment != Environment::Sandbox {
            return Err(error::env_not_sandbox());
        }
        for value in &values {
            let text = value.to_str().map_err(|_| refused("the header is not plain text"))?;
            for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
                faults.push(word.parse().map_err(|problem| refused(&format!("{problem}")))?);
            }
        }
        faults.sort_unstable();
        faults.dedup();
        Ok(Self(faults))
    }
}

fn refused(problem: &str) -> ApiError {
    error::invalid("X-Sandbox-Fault", format!("Wrong fault: {problem}."))
}
