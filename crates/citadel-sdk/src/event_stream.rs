//! The event stream: server-sent events, read part by part.

use std::time::Duration;

use citadel_api_types::events::{StreamStart, StreamedRequest};
use reqwest::{Method, Response};

use crate::{Citadel, Error, client::Call, error::ErrorKind};

/// The server says every ten seconds that it lives; after three times that it does not.
const SILENCE: Duration = Duration::from_secs(30);
/// Far above any message.
const LARGEST_MESSAGE: usize = 1024 * 1024;

/// What the stream tells.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamItem {
    /// The first message: where it begins, and the secret that signs the requests.
    Start(StreamStart),
    /// An event, as the request that an endpoint would get.
    Request(StreamedRequest),
}

/// An open stream of events. Dropping it closes it.
#[derive(Debug)]
pub struct EventStream {
    response: Response,
    buffer: Vec<u8>,
    base_url: String,
}

impl Citadel {
    /// Opens the stream of events of your environment: those after `after`, or those from now on.
    ///
    /// It ends when the connection breaks or the server stops. Open it again after the `sequence` of the last request
    /// that was handled; nothing is missed.
    pub async fn event_stream(&self, after: Option<i64>) -> Result<EventStream, Error> {
        let after = after.map(|after| after.to_string()).unwrap_or_default();
        let query = [("after", after.as_str())];
        let url = Call::new("events/stream").query(&query).url(&self.base_url)?;
        // The client's own limit is for whole answers, and this one has no end.
        let request = self.http.request(Method::GET, url).timeout(Duration::MAX);
        let opened = tokio::time::timeout(SILENCE, request.send()).await;
        let mut response = match opened {
            Ok(response) => response.map_err(|source| self.unreachable(source))?,
            Err(_) => return Err(silent(self.base_url.as_str())),
        };
        if !response.status().is_success() {
            let body = self.read(&mut response).await?;
            return Err(Error::from_answer(response.status(), response.headers(), &body));
        }
        Ok(EventStream { response, buffer: Vec::new(), base_url: self.base_url.to_string() })
    }
}

impl EventStream {
    /// The next message; `None` when the server has ended the stream.
    pub async fn next(&mut self) -> Result<Option<StreamItem>, Error> {
        loop {
            while let Some(message) = self.take_message() {
                if let Some(item) = parse(&message)? {
                    return Ok(Some(item));
                }
            }
            if self.buffer.len() > LARGEST_MESSAGE {
                return Err(Error::new(ErrorKind::Unexpected, "a message of the event stream is too large"));
            }
            match tokio::time::timeout(SILENCE, self.response.chunk()).await {
                Ok(Ok(Some(part))) => self.buffer.extend_from_slice(&part),
                Ok(Ok(None)) => return Ok(None),
                Ok(Err(source)) => {
                    let what = format!("the connection to {} broke", self.base_url);
                    return Err(Error::new(ErrorKind::Interrupted, what).with_source(source.without_url()));
                }
                Err(_) => return Err(silent(&self.base_url)),
            }
        }
    }

    /// The bytes up to the next empty line.
    fn take_message(&mut self) -> Option<Vec<u8>> {
        let end = self.buffer.windows(2).position(|pair| pair == b"\n\n")?;
        let rest = self.buffer.split_off(end + 2);
        Some(std::mem::replace(&mut self.buffer, rest))
    }
}

fn silent(base_url: &str) -> Error {
    Error::new(ErrorKind::Interrupted, format!("{base_url} has been silent for too long"))
}

/// Reads one message. Comments, which keep the stream alive, and messages of later versions are passed over.
pub(crate) fn parse(message: &[u8]) -> Result<Option<StreamItem>, Error> {
    let unexpected =
        || Error::new(ErrorKind::Unexpected, "the event stream is not what this version expects");
    let text = std::str::from_utf8(message).map_err(|_| unexpected())?;
    let (mut name, mut data) = ("", Vec::new());
    for line in text.lines() {
        match line.split_once(':') {
            Some(("event", value)) => name = value.strip_prefix(' ').unwrap_or(value),
            Some(("data", value)) => data.push(value.strip_prefix(' ').unwrap_or(value)),
            _ => {}
        }
    }
    let data = data.join("\n");
    match name {
        "start" => serde_json::from_str(&data).map(StreamItem::Start).map(Some).map_err(|_| unexpected()),
        "request" => serde_json::from_str(&data).map(StreamItem::Request).map(Some).map_err(|_| unexpected()),
        _ => Ok(None),
    }
}
