//! The way to a server for verbs that are a client of it, with the keys that the quickstart reads.

use std::{error::Error as StdError, iter, path::Path};

use anyhow::bail;
use citadel_domain::Secret;
use citadel_sdk::{Citadel, Error, ErrorKind};

use crate::env_file::{self, EnvFile};

/// As in the quickstart.
const DEFAULT_API_URL: &str = "http://127.0.0.1:8700/v1/";

/// A client with the keys of the environment, or else of the file.
pub(crate) fn connect(env_file: &Path, max_retries: u32) -> anyhow::Result<Citadel> {
    let file = EnvFile::read(env_file)?;
    let client_id = variable(env_file::CLIENT_ID).or_else(|| file.client_id.clone());
    let secret = variable(env_file::SECRET).map(Secret::new).or_else(|| file.secret.clone());
    let (Some(client_id), Some(secret)) = (client_id, secret) else {
        bail!(
            "{} and {} are not set, neither in the environment nor in {}: \
             run citadel client create --name demo --write-env {}",
            env_file::CLIENT_ID,
            env_file::SECRET,
            env_file.display(),
            env_file.display()
        );
    };
    let base_url = variable(env_file::API_URL).or_else(|| file.value(env_file::API_URL));
    let base_url = base_url.unwrap_or_else(|| DEFAULT_API_URL.to_owned());
    Ok(Citadel::builder(base_url, client_id, secret.expose()).max_retries(max_retries).build()?)
}

#[expect(clippy::disallowed_methods, reason = "the keys of this verb are read once, at the start")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The libraries below have no kinds for what their texts tell.
fn is_caused_by(error: &Error, text: &str) -> bool {
    let causes = iter::successors(error.source(), |cause| StdError::source(*cause));
    causes.map(ToString::to_string).any(|cause| cause.contains(text))
}

/// An error with what to do about it.
pub(crate) fn explained(error: Error) -> anyhow::Error {
    let hint = match error.kind() {
        ErrorKind::Connect if is_caused_by(&error, "certificate") => {
            "this machine does not trust the server's certificate: for one of citadel dev-cert, set SSL_CERT_FILE to its ca.pem"
        }
        ErrorKind::Connect => "start it with citadel serve, or set API_URL to its address",
        ErrorKind::Interrupted if is_caused_by(&error, "invalid HTTP version") => {
            "the server speaks TLS: let API_URL begin with https://"
        }
        ErrorKind::Unauthorized => {
            "the server does not know API_CLIENT_ID and API_SECRET: check them with citadel doctor"
        }
        _ => return error.into(),
    };
    anyhow::Error::new(error).context(hint)
}
