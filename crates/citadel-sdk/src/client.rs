//! The client: sends a request, repeats it when that is safe, and reads the answer.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
};

use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, header::HeaderValue};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Builder, Error, Redacted,
    error::ErrorKind,
    retry::{Backoff, Repeat},
};

/// Far above any report, far below what would hurt the process.
const LARGEST_ANSWER: usize = 32 * 1024 * 1024;

/// A client of one Citadel server with one access key. Cloning is cheap and shares its connections.
#[derive(Clone)]
pub struct Citadel {
    pub(crate) base_url: Url,
    pub(crate) client_id: String,
    pub(crate) http: reqwest::Client,
    pub(crate) backoff: Backoff,
    /// The caller's own, in place of a new one for each call.
    pub(crate) idempotency_key: Option<HeaderValue>,
}

impl Citadel {
    /// Begins a client for the server at `base_url`, such as `http://127.0.0.1:8700/v1/`.
    ///
    /// The access secret decides the environment: sandbox, dev or prod.
    pub fn builder(
        base_url: impl Into<String>,
        client_id: impl Into<String>,
        access_secret: impl Into<Redacted>,
    ) -> Builder {
        Builder::new(base_url.into(), client_id.into(), access_secret.into())
    }

    /// The same client, whose calls that create or spend go out under this idempotency key: 1 to 255 visible ASCII characters,
    /// new for each thing that is wanted. Each such call has a key anyway, under which it is repeated; with one of your own, kept
    /// where it outlives the process, a call can be repeated after a crash too. The server knows a key for 24 hours.
    ///
    /// Fails with [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when the key has other characters.
    pub fn with_idempotency_key(&self, key: &str) -> Result<Self, Error> {
        let is_good = (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        match HeaderValue::from_str(key) {
            Ok(key) if is_good => Ok(Self { idempotency_key: Some(key), ..self.clone() }),
            _ => Err(Error::configuration(
                "an idempotency key has 1 to 255 visible ASCII characters, without spaces",
            )),
        }
    }

    /// The address under which calls are made; it ends with a slash.
    pub fn base_url(&self) -> &str {
        self.base_url.as_str()
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, Error> {
        let url = call.url(&self.base_url)?;
        self.send(|| self.http.request(Method::GET, url.clone()), Repeat::Always).await
    }

    pub(crate) async fn post<'a, T: DeserializeOwned>(
        &self,
        call: impl Into<Call<'a>>,
        body: &impl Serialize,
        repeat: Repeat,
    ) -> Result<T, Error> {
        let url = call.into().url(&self.base_url)?;
        let key = self.key_for(repeat);
        self.send(|| keyed(self.http.request(Method::POST, url.clone()).json(body), &key), repeat).await
    }

    /// The idempotency key of a call, and of all its repetitions.
    pub(crate) fn key_for(&self, repeat: Repeat) -> Option<HeaderValue> {
        let is_keyed = repeat == Repeat::UnderKey;
        is_keyed.then(|| self.idempotency_key.clone().or_else(new_key)).flatten()
    }

    /// Sets things to what they shall be, so that doing it twice does no harm.
    pub(crate) async fn patch<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let url = call.url(&self.base_url)?;
        self.send(|| self.http.request(Method::PATCH, url.clone()).json(body), Repeat::Always).await
    }

    pub(crate) async fn delete(&self, call: Call<'_>) -> Result<(), Error> {
        let url = call.url(&self.base_url)?;
        // Repeated, it would say that there is no such thing.
        self.send(|| self.http.request(Method::DELETE, url.clone()), Repeat::OnlyIfUnseen).await
    }

    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        request: impl Fn() -> RequestBuilder,
        repeat: Repeat,
    ) -> Result<T, Error> {
        let (response, body) = self.repeated(request, repeat).await?;
        parse(&response, body)
    }

    /// A document, as it is.
    pub(crate) async fn get_bytes(&self, call: Call<'_>) -> Result<Vec<u8>, Error> {
        let url = call.url(&self.base_url)?;
        Ok(self.repeated(|| self.http.request(Method::GET, url.clone()), Repeat::Always).await?.1)
    }

    /// The answer of the first attempt that succeeds, with its body.
    async fn repeated(
        &self,
        request: impl Fn() -> RequestBuilder,
        repeat: Repeat,
    ) -> Result<(Response, Vec<u8>), Error> {
        let mut number = 0;
        loop {
            let error = match self.attempt(request()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match self.backoff.wait_before_repeat(&error, number, repeat) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(error),
            }
            number += 1;
        }
    }

    async fn attempt(&self, request: RequestBuilder) -> Result<(Response, Vec<u8>), Error> {
        let mut response = request.send().await.map_err(|source| self.unreachable(source))?;
        let body = self.read(&mut response).await?;
        if !response.status().is_success() {
            return Err(Error::from_answer(response.status(), response.headers(), &body));
        }
        Ok((response, body))
    }

    pub(crate) async fn read(&self, response: &mut Response) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|source| self.unreachable(source))? {
            if body.len() + part.len() > LARGEST_ANSWER {
                return Err(Error::new(ErrorKind::Unexpected, "the server's answer is larger than 32 MiB"));
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }

    pub(crate) fn unreachable(&self, source: reqwest::Error) -> Error {
        let base_url = &self.base_url;
        let error = if source.is_connect() {
            let what = format!(
                "{base_url} cannot be reached: check that the server runs and that the base URL is right"
            );
            Error::new(ErrorKind::Connect, what)
        } else if source.is_timeout() {
            let what =
                format!("{base_url} did not answer in time: try again, or allow more time with `timeout`");
            Error::new(ErrorKind::Interrupted, what)
        } else {
            Error::new(ErrorKind::Interrupted, format!("the connection to {base_url} broke: try again"))
        };
        // The URL of a call holds ids; the message above names the server, and that is enough.
        error.with_source(source.without_url())
    }
}

impl fmt::Debug for Citadel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Citadel")
            .field("base_url", &self.base_url.as_str())
            .field("client_id", &self.client_id)
            .field("access_secret", &Redacted::default())
            .finish_non_exhaustive()
    }
}

/// The request under a key, where there is one.
pub(crate) fn keyed(request: RequestBuilder, key: &Option<HeaderValue>) -> RequestBuilder {
    match key {
        Some(key) => request.header("idempotency-key", key.clone()),
        None => request,
    }
}

/// A key that nobody else has. It need not be secret, so what seeds hash tables is random enough.
fn new_key() -> Option<HeaderValue> {
    let part = |number: u8| RandomState::new().hash_one(number);
    HeaderValue::from_str(&format!("{:016x}{:016x}", part(0), part(1))).ok()
}

/// A path below the base URL: fixed words, an id, words after it, an id of a part, and a query.
pub(crate) struct Call<'a> {
    path: &'static str,
    id: Option<&'a str>,
    then: Option<&'static str>,
    part: Option<&'a str>,
    trailing_slash: bool,
    query: &'a [(&'a str, &'a str)],
}

impl<'a> Call<'a> {
    pub(crate) fn new(path: &'static str) -> Self {
        Self { path, id: None, then: None, part: None, trailing_slash: true, query: &[] }
    }

    pub(crate) fn id(self, id: &'a str) -> Self {
        Self { id: Some(id), ..self }
    }

    /// What is done with it, or asked of it.
    pub(crate) fn then(self, words: &'static str) -> Self {
        Self { then: Some(words), ..self }
    }

    /// The id of one of what [`then`](Self::then) names.
    pub(crate) fn part(self, id: &'a str) -> Self {
        Self { part: Some(id), ..self }
    }

    pub(crate) fn without_trailing_slash(self) -> Self {
        Self { trailing_slash: false, ..self }
    }

    pub(crate) fn query(self, query: &'a [(&'a str, &'a str)]) -> Self {
        Self { query, ..self }
    }

    pub(crate) fn url(&self, base_url: &Url) -> Result<Url, Error> {
        let mut url = base_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(self.path.split('/'));
            for (id, words_behind) in [(self.id, self.then), (self.part, None)] {
                // `push` drops `.` and `..`, so an id like that would silently become another call.
                if let Some(id @ ("" | "." | "..")) = id {
                    let what = format!("`{id}` is not an id of {}", self.path);
                    return Err(Error::new(ErrorKind::Configuration, what));
                }
                segments.extend(id);
                segments.extend(words_behind.into_iter().flat_map(|words| words.split('/')));
            }
            if self.trailing_slash {
                segments.push("");
            }
        }
        if self.query.iter().any(|(_, value)| !value.is_empty()) {
            url.query_pairs_mut().extend_pairs(self.query.iter().filter(|(_, value)| !value.is_empty()));
        }
        Ok(url)
    }
}

impl From<&'static str> for Call<'_> {
    fn from(path: &'static str) -> Self {
        Self::new(path)
    }
}

fn parse<T: DeserializeOwned>(response: &Response, body: Vec<u8>) -> Result<T, Error> {
    // An answer without a body has nothing to say.
    let body = if response.status() == StatusCode::NO_CONTENT { b"null".to_vec() } else { body };
    serde_json::from_slice(&body).map_err(|source| {
        // The parser's own words may quote the answer, which holds personal data: only the place is passed on.
        let (line, column) = (source.line(), source.column());
        let what =
            format!("the answer is not what this version of the SDK expects, at line {line} column {column}");
        Error::new(ErrorKind::Unexpected, what)
            .with_status(response.status())
            .with_headers(response.headers())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(call: Call<'_>, expected: &str) {
        let base_url = Url::parse("http://host/v1/").expect("a URL");
        assert_eq!(call.url(&base_url).expect("an id").as_str(), expected);
    }

    #[test]
    fn calls_are_spelled_as_the_contract_spells_them() {
        check(Call::new("verifications/incomes"), "http://host/v1/verifications/incomes/");
        check(Call::new("tasks").id("0193"), "http://host/v1/tasks/0193/");
        check(Call::new("events").id("0193").then("resend"), "http://host/v1/events/0193/resend/");
        check(Call::new("events").then("resend"), "http://host/v1/events/resend/");
        check(
            Call::new("links").id("0193").then("income/report"),
            "http://host/v1/links/0193/income/report/",
        );
        check(Call::new("links").id("0193").then("tax").part("0194"), "http://host/v1/links/0193/tax/0194/");
        check(Call::new("companies").id("0193").without_trailing_slash(), "http://host/v1/companies/0193");
        check(
            Call::new("providers").query(&[("query", "a b&c"), ("product_type", "")]),
            "http://host/v1/providers/?query=a+b%26c",
        );
    }

    #[test]
    fn an_id_stays_one_segment() {
        check(Call::new("tasks").id("a/../b?c#d"), "http://host/v1/tasks/a%2F..%2Fb%3Fc%23d/");
        let base_url = Url::parse("http://host/v1/").unwrap();
        for id in ["", ".", ".."] {
            assert!(Call::new("tasks").id(id).url(&base_url).is_err(), "{id}");
            assert!(Call::new("links").id("0193").then("tax").part(id).url(&base_url).is_err(), "{id}");
        }
    }

    #[test]
    fn p57_a_client_prints_no_secret() {
        let builder = Citadel::builder("http://127.0.0.1:8700", "the-id", "sandbox-canary");
        let printed = format!("{builder:?} {:?}", builder.clone().build().unwrap());
        assert!(!printed.contains("canary"), "{printed}");
        assert!(printed.contains("the-id"), "{printed}");
    }
}
