//! One listener: its port, its limits, its TLS.

use std::{convert::Infallible, future, io, net::SocketAddr, time::Duration};

use axum::{
    BoxError,
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http,
    response::Response,
};
use axum_server::{Handle, Server, tls_rustls::RustlsAcceptor};
use tokio::net::TcpListener;
use tower::{Service, service_fn, util::MapRequest};

use crate::{
    config::{Problem, Setting},
    connections::Door,
};

/// A request's head must be whole this long after its connection was accepted or last used (P45).
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// Wider than the limits of P44, so that a request just over those is answered in the contract's shape.
const MAX_HEADERS: usize = 256;
const MAX_HEAD_BYTES: usize = 64 << 10;
const ALLOW_LOW_PORTS: &str =
    "use a port above 1023, or on Linux: sudo setcap cap_net_bind_service=+ep \"$(command -v citadel)\"";

/// Takes the port, or says who to look for.
pub(super) async fn bind(setting: &Setting, address: SocketAddr) -> Result<TcpListener, Problem> {
    TcpListener::bind(address).await.map_err(|error| {
        let value = address.to_string();
        let port = address.port();
        let (what, fix) = match error.kind() {
            io::ErrorKind::AddrInUse => (
                "is in use by another program".to_owned(),
                format!(
                    "find it with: ss -ltnp 'sport = :{port}'; stop it, or set {} to another port",
                    setting.env
                ),
            ),
            io::ErrorKind::PermissionDenied => {
                (format!("may not be used by this user ({error})"), ALLOW_LOW_PORTS.to_owned())
            }
            _ => (format!("cannot be used ({error})"), "use an address of this machine".to_owned()),
        };
        Problem::of(setting, Some(&value), what, fix)
    })
}

/// One listener, until its handle says stop. With an acceptor it speaks TLS and nothing else.
pub(super) async fn run<S>(
    listener: TcpListener,
    routes: S,
    handle: Handle<SocketAddr>,
    door: Door,
    tls: Option<RustlsAcceptor<Door>>,
) -> io::Result<()>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
{
    let mut server: Server<SocketAddr, _> = Server::from_listener(listener)
        .acceptor(door.clone())
        .handle(handle)
        .first_request_timeout(HEAD_DEADLINE)
        .accept_error_handler(|_, error| tracing::debug!(error.cause = %error, "a connection was not taken"))
        .http1_only();
    server
        .http_builder()
        .http1()
        .header_read_timeout(HEAD_DEADLINE)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES);
    let is_tls = tls.is_some();
    let routes = service_fn(move |connected: SocketAddr| {
        let door = door.clone();
        let introduced = move |request| door.introduce(with_any_body(request), connected, is_tls);
        future::ready(Ok::<_, Infallible>(MapRequest::new(routes.clone(), introduced)))
    });
    match tls {
        // The deadlines and limits above stay with the server.
        Some(tls) => server.acceptor(tls).serve(routes).await,
        None => server.serve(routes).await,
    }
}

/// The request as routes take it.
fn with_any_body<B>(request: http::Request<B>) -> Request
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    request.map(Body::new)
}
