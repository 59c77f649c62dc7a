//! A server that answers what the test scripted, and remembers what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use citadel_sdk::Citadel;
use tokio::{io::AsyncReadExt, net::TcpListener};

pub(crate) const SECRET: &str = "sandbox-canary0000000000000000000000000000000000";

#[derive(Clone)]
pub(crate) struct Double {
    pub(crate) citadel: Citadel,
    script: Arc<Mutex<VecDeque<Answer>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

#[derive(Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

pub(crate) fn answer(status: u16, body: impl ToString) -> Answer {
    Answer { status, headers: Vec::new(), body: body.to_string() }
}

impl Answer {
    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl Double {
    /// Starts a server that gives these answers in turn, and 418 after them.
    pub(crate) async fn start(script: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let double = Self {
            citadel: client(&format!("http://{address}/v1")),
            script: Arc::new(Mutex::new(script.into_iter().collect())),
            seen: Arc::default(),
        };
        let app = Router::new().fallback(reply).with_state(double.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        double
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic while locked").clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }
}

/// A client that waits only for a moment between attempts.
pub(crate) fn client(base_url: &str) -> Citadel {
    Citadel::builder(base_url, "48427a36d43c4d5aa6324bc06c692456", SECRET)
        .first_wait(Duration::from_millis(1))
        .timeout(Duration::from_secs(5))
        .build()
        .expect("good settings")
}

async fn reply(
    State(double): State<Double>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    double.seen.lock().expect("no panic while locked").push(Seen {
        line: format!("{method} {uri}"),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    });
    let next = double.script.lock().expect("no panic while locked").pop_front();
    let answer = next.unwrap_or_else(|| answer(418, "nothing left in the script"));
    let status = StatusCode::from_u16(answer.status).expect("a status");
    let mut response = (status, answer.body).into_response();
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value.parse().expect("a header value"));
    }
    response
}

/// A server that reads a request and hangs up, again and again. Gives its address and a count of its callers.
pub(crate) async fn hangs_up() -> (String, Arc<Mutex<u32>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let callers = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&callers);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut start = [0; 64];
            if stream.read(&mut start).await.is_ok_and(|count| count > 0) {
                *counter.lock().expect("no panic while locked") += 1;
            }
        }
    });
    (format!("http://{address}/v1/"), callers)
}
