//! Making a client.

use std::{fmt, net::SocketAddr, time::Duration};

use reqwest::{
    Certificate, Url,
    header::{ACCEPT, HeaderMap, HeaderName, HeaderValue},
    redirect,
};

use crate::{Citadel, Error, Redacted, retry::Backoff};

/// Makes a [`Citadel`]. The defaults are right for a back end that talks to a server near or far.
#[derive(Clone)]
pub struct Builder {
    base_url: String,
    client_id: String,
    access_secret: Redacted,
    connect_timeout: Duration,
    timeout: Duration,
    backoff: Backoff,
    is_direct: bool,
    authorities: Vec<u8>,
    resolved: Option<(String, SocketAddr)>,
}

impl Builder {
    pub(crate) fn new(base_url: String, client_id: String, access_secret: Redacted) -> Self {
        Self {
            base_url,
            client_id,
            access_secret,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            backoff: Backoff::default(),
            is_direct: false,
            authorities: Vec::new(),
            resolved: None,
        }
    }

    /// How long one attempt may take, from connecting to the last byte. 30 s unless told.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long connecting may take. 5 s unless told.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How often a call is repeated at most. 3 unless told; 0 turns repeating off.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.backoff.max_retries = retries;
        self
    }

    /// The wait before the first repeat, which doubles from one to the next. 250 ms unless told.
    pub fn first_wait(mut self, wait: Duration) -> Self {
        self.backoff.first_wait = wait;
        self
    }

    /// Trusts these authorities in place of those of the machine: PEM, as of the `ca.pem` that `citadel dev-cert` makes.
    pub fn trust(mut self, authorities: impl Into<Vec<u8>>) -> Self {
        self.authorities = authorities.into();
        self
    }

    /// Reaches the host of the base URL at this address, whatever the name service says. The port stays that of the URL.
    pub fn resolve(mut self, host: impl Into<String>, address: SocketAddr) -> Self {
        self.resolved = Some((host.into(), address));
        self
    }

    /// Past the proxy of the environment, which cannot reach a server on this machine.
    #[cfg(feature = "testing")]
    pub(crate) fn direct(mut self) -> Self {
        self.is_direct = true;
        self
    }

    /// Checks the settings and makes the client. Nothing is sent.
    pub fn build(self) -> Result<Citadel, Error> {
        let base_url = parse_base_url(&self.base_url)?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers
            .insert(HeaderName::from_static("x-access-client-id"), header("the client id", &self.client_id)?);
        let mut secret = header("the access secret", self.access_secret.expose())?;
        secret.set_sensitive(true);
        headers.insert(HeaderName::from_static("x-access-secret"), secret);

        let mut http = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!("citadel-sdk-rust/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout)
            // A followed redirect would turn a POST into a GET, and could carry the secret to another host.
            .redirect(redirect::Policy::none());
        if self.is_direct {
            http = http.no_proxy();
        }
        // Nothing is proven over plain HTTP, so that a machine without certificates of authorities does.
        if base_url.scheme() == "http" {
            http = http.tls_certs_only([]);
        }
        if !self.authorities.is_empty() {
            let authorities = Certificate::from_pem_bundle(&self.authorities).unwrap_or_default();
            if authorities.is_empty() {
                return Err(Error::configuration("the authorities to trust are not PEM certificates"));
            }
            http = http.tls_certs_only(authorities);
        }
        if let Some((host, address)) = &self.resolved {
            http = http.resolve(host, *address);
        }
        let http = http
            .build()
            .map_err(|source| Error::configuration("the HTTP client cannot start").with_source(source))?;
        Ok(Citadel {
            base_url,
            client_id: self.client_id,
            http,
            backoff: self.backoff,
            idempotency_key: None,
        })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("base_url", &self.base_url)
            .field("client_id", &self.client_id)
            .field("access_secret", &self.access_secret)
            .finish_non_exhaustive()
    }
}

/// `http://host` and `http://host/v1` both mean `http://host/v1/`.
fn parse_base_url(text: &str) -> Result<Url, Error> {
    let wrong = |what: &str| {
        Error::configuration(format!("{what}: give the base URL as in http://127.0.0.1:8700/v1/"))
    };
    let mut url = Url::parse(text.trim()).map_err(|_| wrong("the base URL is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong("the base URL does not begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("the base URL holds a user name or a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("the base URL has a query or a fragment"));
    }
    match url.path().trim_end_matches('/') {
        "" => url.set_path("/v1/"),
        path => {
            let path = format!("{path}/");
            url.set_path(&path);
        }
    }
    Ok(url)
}

fn header(what: &str, text: &str) -> Result<HeaderValue, Error> {
    if text.is_empty() {
        return Err(Error::configuration(format!(
            "{what} is empty: `citadel client create` prints a fresh pair"
        )));
    }
    HeaderValue::from_str(text)
        .map_err(|_| Error::configuration(format!("{what} holds a character that a header cannot carry")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_end_with_a_slash() {
        for (given, read) in [
            ("http://127.0.0.1:8700", "http://127.0.0.1:8700/v1/"),
            ("http://127.0.0.1:8700/", "http://127.0.0.1:8700/v1/"),
            ("http://127.0.0.1:8700/v1", "http://127.0.0.1:8700/v1/"),
            (" https://citadel.example.com/v1/ ", "https://citadel.example.com/v1/"),
            ("https://example.com/citadel/v1//", "https://example.com/citadel/v1/"),
        ] {
            assert_eq!(parse_base_url(given).unwrap().as_str(), read, "{given}");
        }
    }

    #[test]
    fn wrong_settings_say_what_to_give() {
        for wrong in ["", "localhost:8700", "127.0.0.1", "ftp://x/", "http://a:b@x/", "http://x/v1/?a=1"] {
            let error = Citadel::builder(wrong, "id", "secret").build().unwrap_err();
            assert!(error.to_string().contains("http://127.0.0.1:8700/v1/"), "{wrong}: {error}");
        }
        let url = "http://127.0.0.1:8700";
        assert!(
            Citadel::builder(url, "", "s").build().unwrap_err().to_string().contains("client id is empty")
        );
        let untrusted = Citadel::builder(url, "id", "s").trust("nothing").build().unwrap_err();
        assert!(untrusted.to_string().contains("not PEM certificates"), "{untrusted}");
        let error = Citadel::builder(url, "id", "canary\n").build().unwrap_err();
        assert!(error.to_string().contains("the access secret"), "{error}");
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
