//! The quickstart's `.env` in the working directory: are its keys there, and does the server take them?

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use citadel_domain::{ClientId, Product, Secret, tokens};
use citadel_sdk::{Citadel, Error, ErrorKind};
use citadel_server::config::Config;
use reqwest::Url;

use super::Finding;
use crate::env_file::EnvFile;

const FILL: &str = "run: citadel client create --name demo --write-env .env";

/// `running` is the configuration of our server if it answers.
pub(super) async fn check(path: &Path, running: Option<&Config>) -> Vec<Finding> {
    let Ok(metadata) = fs::metadata(path) else {
        return vec![Finding::note(
            ".env",
            "not in this directory",
            "only the quickstart needs it: make env",
        )];
    };
    let env_file = match EnvFile::read(path) {
        Ok(env_file) => env_file,
        Err(error) => {
            return vec![Finding::wrong(".env", format!("{error:#}"), "make it a readable text file")];
        }
    };
    let mut findings = Vec::new();
    if env_file.secret.is_some() && metadata.permissions().mode() & 0o077 != 0 {
        findings.push(Finding::wrong(".env", "holds a secret that other users can read", "chmod 600 .env"));
    }
    match (&env_file.client_id, &env_file.secret) {
        (Some(client_id), Some(secret)) => findings.push(check_pair(client_id, secret, running).await),
        (None, None) => findings.push(Finding::wrong(".env", "API_CLIENT_ID and API_SECRET are empty", FILL)),
        (None, Some(_)) => findings.push(Finding::wrong(
            ".env",
            "API_CLIENT_ID is empty",
            "fill it in, or empty both and start again",
        )),
        (Some(_), None) => findings.push(Finding::wrong(
            ".env",
            "API_SECRET is empty",
            "fill it in, or empty both and start again",
        )),
    }
    if let Some(Err(error)) = env_file.product_type.as_deref().map(str::parse::<Product>) {
        findings.push(Finding::wrong(".env", "API_PRODUCT_TYPE is not a product", error.to_string()));
    }
    findings
}

/// The keys are never printed, not even in part.
async fn check_pair(client_id: &str, secret: &Secret, running: Option<&Config>) -> Finding {
    if client_id.parse::<ClientId>().is_err() {
        return Finding::wrong(
            ".env",
            "API_CLIENT_ID is not 32 lowercase hex digits",
            "copy it again, or empty both keys",
        );
    }
    if tokens::access_secret_environment(secret.expose()).is_none() {
        let what =
            "API_SECRET does not look like an access secret (sandbox-, dev- or prod- and 40 hex digits)";
        return Finding::wrong(".env", what, "copy it again, or empty both keys");
    }
    let Some(config) = running else {
        return Finding::note(
            ".env",
            "both keys are there; no server runs that could try them",
            "start it: citadel serve",
        );
    };
    let answer = match connect(config, client_id, secret) {
        Ok(citadel) => citadel.providers("", 1).await.map(|_| ()),
        Err(error) => Err(error),
    };
    match answer {
        Ok(()) => Finding::good(".env", "the running server accepts its keys"),
        Err(error) if error.status() == Some(401) => {
            let what =
                "the running server does not know its keys (were they made for another data directory?)";
            Finding::wrong(".env", what, format!("empty API_CLIENT_ID and API_SECRET, then {FILL}"))
        }
        Err(error) if error.kind() == ErrorKind::Connect && config.tls.is_some() => Finding::note(
            ".env",
            "both keys are there; they were not tried, because nothing here proves the certificate",
            "try them with a call from where your app runs",
        ),
        Err(error) => Finding::wrong(
            ".env",
            format!("the running server could not try its keys ({error})"),
            "look at the server's log",
        ),
    }
}

/// The server by the address at which it listens. Its certificate is for the host of the public address, so that name is
/// asked for there; and who vouches for it is in the certificate's own file.
fn connect(config: &Config, client_id: &str, secret: &Secret) -> Result<Citadel, Error> {
    let address = config.listen;
    let builder = match &config.tls {
        None => Citadel::builder(format!("http://{address}/v1/"), client_id, secret.expose()),
        Some(files) => {
            let url = config.public_url_for(address);
            let host =
                Url::parse(&url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
            Citadel::builder(format!("https://{host}:{}/v1/", address.port()), client_id, secret.expose())
                .resolve(host, address)
                .trust(fs::read(&files.cert).unwrap_or_default())
        }
    };
    builder.timeout(Duration::from_secs(3)).max_retries(0).build()
}
