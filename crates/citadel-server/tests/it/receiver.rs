//! Receivers of webhooks: good ones that write down what they get, and bad ones.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A request that came in.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// `webhook_id` of the body.
    pub(crate) fn id(&self) -> String {
        self.json()["webhook_id"].as_str().unwrap().to_owned()
    }
}

/// A receiver that answers as a test says.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    /// Answers 200.
    pub(crate) async fn start() -> Self {
        Self::answering(|_, _| StatusCode::OK.into_response()).await
    }

    /// Answers what `answer` makes of the number of the request, from 0, and the request.
    pub(crate) async fn answering(
        answer: impl Fn(usize, &Received) -> Response + Clone + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = received.clone();
        let handler = async move |uri: Uri, headers: HeaderMap, body: Bytes| {
            let request = Received { path: uri.path().to_owned(), headers, body };
            let number = {
                let mut log = log.lock().unwrap();
                log.push(request.clone());
                log.len() - 1
            };
            answer(number, &request)
        };
        let routes = Router::new().fallback(handler);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address, received }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/webhook", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

/// A receiver that speaks no HTTP, or speaks it badly.
pub(crate) struct BadReceiver {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl BadReceiver {
    /// Treats each connection, after the request was read, as `behave` says.
    pub(crate) async fn start<F: Future<Output = ()> + Send>(
        behave: impl Fn(TcpStream) -> F + Clone + Send + Sync + 'static,
    ) -> Self {
        Self::start_on("127.0.0.1:0", behave).await
    }

    pub(crate) async fn start_on<F: Future<Output = ()> + Send>(
        address: &str,
        behave: impl Fn(TcpStream) -> F + Clone + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            loop {
                let Ok((mut stream, _)) = listener.accept().await else { return };
                count.fetch_add(1, Ordering::Relaxed);
                let behave = behave.clone();
                tokio::spawn(async move {
                    let mut request = [0; 8192];
                    let _ = stream.read(&mut request).await;
                    behave(stream).await;
                });
            }
        });
        Self { address, connections }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/webhook", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// Sends these bytes again and again, until the other side has had enough.
pub(crate) async fn send_forever(mut stream: TcpStream, head: &'static str, part: &'static [u8]) {
    let _ = stream.write_all(head.as_bytes()).await;
    while stream.write_all(part).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
