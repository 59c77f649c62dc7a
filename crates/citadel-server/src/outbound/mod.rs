//! Calls to addresses that clients chose: the only way out of this server. Which addresses may be called is decided in
//! [`guard`] for the text, and in [`resolver`] for what a name leads to (P33). How much a receiver may take of us is
//! decided here (P30).

mod addresses;
pub(crate) mod guard;
mod resolver;

use std::{fmt, sync::Arc, time::Duration};

use axum::http::{HeaderMap, header};
use citadel_domain::Environment;
use reqwest::{Client, Response, Url, redirect};

use guard::Reach;
pub(crate) use guard::Refused;
pub use guard::Rules;
use resolver::Judged;
pub use resolver::{Lookup, Resolver, SystemResolver};

/// For everything from the name to the last byte that is read.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// How much of an answer is read.
const MAX_ANSWER: usize = 16 << 10;
/// Redirects that are followed.
const MAX_REDIRECTS: usize = 2;

/// The way out. Cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    rules: Arc<Rules>,
    public: Client,
    loopback: Client,
    deadline: Duration,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    /// The beginning of the body.
    pub(crate) body: Vec<u8>,
}

/// Why nothing came back. Says nothing that the client could not see from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The address may not be called, or leads where nobody may call.
    Refused,
    /// The deadline passed.
    TimedOut,
    /// No connection, or it broke.
    Unreachable,
    /// More redirects than are followed, or to another host.
    Redirected,
}

impl Failure {
    /// The text in the log of attempts. A refused address reads like one that cannot be reached: the difference would
    /// tell what is inside.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Refused | Self::Unreachable => "the endpoint could not be reached",
            Self::TimedOut => "the endpoint did not answer in 10 seconds",
            Self::Redirected => "the endpoint redirected too often, or to another host",
        }
    }
}

impl Outbound {
    /// The way out under these rules. Without the machine's certificates there is none over HTTPS, which the log tells: a
    /// sandbox on a bare machine needs none.
    pub fn new(
        rules: Rules,
        resolver: Arc<dyn Resolver>,
        deadline: Duration,
    ) -> Result<Self, reqwest::Error> {
        let builder = |reach| {
            let judged = Judged { resolver: Arc::clone(&resolver), reach, own: rules.own_addresses() };
            Client::builder()
                .dns_resolver(Arc::new(judged))
                // A proxy would resolve names by itself, and settings of the environment are not ours.
                .no_proxy()
                .redirect(redirect::Policy::none())
                .retry(reqwest::retry::never())
                .http1_only()
                .pool_idle_timeout(Duration::from_secs(10))
        };
        let client = |reach| {
            builder(reach).build().or_else(|problem| {
                tracing::warn!(
                    error.cause = %problem,
                    fix = "install ca-certificates",
                    "endpoints over HTTPS cannot be reached: no certificates of authorities are to be had"
                );
                builder(reach).tls_certs_only([]).build()
            })
        };
        let (public, loopback) = (client(Reach::Public)?, client(Reach::Loopback)?);
        Ok(Self { rules: Arc::new(rules), public, loopback, deadline })
    }

    /// Whether an endpoint of this environment may have this address. What its name leads to is judged at each attempt.
    pub(crate) fn check(&self, url: &str, environment: Environment) -> Result<Url, Refused> {
        self.rules.check(url, environment).map(|(url, _)| url)
    }

    /// Sends a POST. Redirects are followed by hand, each checked like the address itself.
    pub(crate) async fn post(
        &self,
        url: &str,
        environment: Environment,
        headers: HeaderMap,
        body: String,
    ) -> Result<Answer, Failure> {
        let attempt = self.follow(url, environment, headers, body);
        tokio::time::timeout(self.deadline, attempt).await.unwrap_or(Err(Failure::TimedOut))
    }

    async fn follow(
        &self,
        url: &str,
        environment: Environment,
        headers: HeaderMap,
        body: String,
    ) -> Result<Answer, Failure> {
        let first_host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let mut url = url.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let (checked, reach) = self.rules.check(&url, environment).map_err(|Refused| Failure::Refused)?;
            if checked.host_str() != first_host.as_deref() {
                return Err(Failure::Redirected);
            }
            let client = match reach {
                Reach::Public => &self.public,
                Reach::Loopback => &self.loopback,
            };
            let request = client.post(checked.clone()).headers(headers.clone()).body(body.clone());
            let response = request.send().await.map_err(|_| Failure::Unreachable)?;
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            match location {
                Some(location) if response.status().is_redirection() => {
                    url = checked.join(location).map_err(|_| Failure::Redirected)?.into();
                }
                _ => return read(response).await,
            }
        }
        Err(Failure::Redirected)
    }
}

/// Reads the beginning of the answer and lets the rest go with the connection.
async fn read(mut response: Response) -> Result<Answer, Failure> {
    let status = response.status().as_u16();
    let retry_after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = retry_after.map(str::to_owned);
    let mut body = Vec::new();
    while body.len() < MAX_ANSWER {
        match response.chunk().await.map_err(|_| Failure::Unreachable)? {
            Some(part) => body.extend_from_slice(&part[..part.len().min(MAX_ANSWER - body.len())]),
            None => break,
        }
    }
    Ok(Answer { status, retry_after, body })
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("rules", &self.rules).finish_non_exhaustive()
    }
}
