//! The bare yardstick: plain axum handlers that give recorded answers, with the same status, headers and bytes, from
//! memory. Nothing is checked, opened, looked up or kept.

use std::{collections::BTreeMap, fs, net::Ipv4Addr, path::Path};

use anyhow::Context;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::Response,
    routing::{MethodRouter, get, post},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

use crate::http::Connection;

/// The routes of the flow, and those of single reads: name, method, template.
const ROUTES: &[(&str, &str, &str)] = &[
    ("token", "POST", "/v1/bridge-tokens/"),
    ("session", "GET", "/bridge/api/session"),
    ("search", "GET", "/bridge/api/companies"),
    ("login", "POST", "/bridge/api/tasks"),
    ("status", "GET", "/bridge/api/tasks/{task_id}"),
    ("public_token", "POST", "/bridge/api/tasks/{task_id}/public-token"),
    ("exchange", "POST", "/v1/link-access-tokens/"),
    ("incomes", "POST", "/v1/verifications/incomes/"),
    ("refresh", "GET", "/v1/refresh/tasks/{task_id}/"),
    ("small", "GET", "/status/"),
];

/// Recorded answers by the name of their route.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Answers(BTreeMap<String, Answer>);

#[derive(Clone, Serialize, Deserialize)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    /// Base64.
    body: String,
}

impl Answers {
    /// Keeps the answer that a connection got last.
    pub(crate) fn record(&mut self, name: &str, status: u16, connection: &Connection) {
        let head = String::from_utf8_lossy(connection.head());
        let headers = head
            .split("\r\n")
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            // The framework writes these itself.
            .filter(|(name, _)| {
                !["content-length", "date", "connection"].contains(&&*name.to_ascii_lowercase())
            })
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let body = BASE64_STANDARD.encode(connection.body());
        self.0.insert(name.to_owned(), Answer { status, headers, body });
    }

    /// Adds an answer that nothing recorded.
    pub(crate) fn put(&mut self, name: &str, body: &str) {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        self.0.insert(name.to_owned(), Answer { status: 200, headers, body: BASE64_STANDARD.encode(body) });
    }

    /// The body of a recorded answer.
    pub(crate) fn body(&self, name: &str) -> anyhow::Result<String> {
        let answer = self.0.get(name).with_context(|| format!("no answer to {name}"))?;
        Ok(String::from_utf8(BASE64_STANDARD.decode(&answer.body)?)?)
    }

    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        Ok(fs::write(path, serde_json::to_vec(self)?)?)
    }
}

struct Ready {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// Serves recorded answers until it is killed.
pub(crate) fn serve(path: &Path) -> anyhow::Result<()> {
    let answers: Answers = serde_json::from_slice(&fs::read(path)?).context("cannot read the answers")?;
    let mut routes = Router::new();
    for (name, method, template) in ROUTES {
        if let Some(answer) = answers.0.get(*name) {
            routes = routes.route(template, route(method, answer)?);
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("http://{}", listener.local_addr()?);
        Ok(axum::serve(
            axum::serve::ListenerExt::tap_io(listener, |stream| drop(stream.set_nodelay(true))),
            routes,
        )
        .await?)
    })
}

fn route(method: &str, answer: &Answer) -> anyhow::Result<MethodRouter> {
    let mut headers = HeaderMap::new();
    for (name, value) in &answer.headers {
        headers.append(HeaderName::try_from(name.as_str())?, HeaderValue::from_str(value)?);
    }
    let ready: &'static Ready = Box::leak(Box::new(Ready {
        status: StatusCode::from_u16(answer.status)?,
        headers,
        body: BASE64_STANDARD.decode(&answer.body)?.into(),
    }));
    Ok(match method {
        // The body of a request is read, as any handler would.
        "POST" => {
            post(async |State(ready): State<&'static Ready>, _body: Bytes| give(ready)).with_state(ready)
        }
        _ => get(async |State(ready): State<&'static Ready>| give(ready)).with_state(ready),
    })
}

fn give(ready: &'static Ready) -> Response {
    let mut response = Response::new(Body::from(ready.body.clone()));
    *response.status_mut() = ready.status;
    *response.headers_mut() = ready.headers.clone();
    response
}
