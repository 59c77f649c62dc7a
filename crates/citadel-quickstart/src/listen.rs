//! Taking the port.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::net::TcpListener;

/// Listens on this machine only, on both addresses that `localhost` may mean.
pub async fn listen(port: u16) -> Result<Vec<TcpListener>, String> {
    let bind = async |address: SocketAddr| TcpListener::bind(address).await.map_err(|error| error.kind());
    let problem = |kind| match kind {
        ErrorKind::AddrInUse => {
            format!("port {port} is taken: stop what listens there, or set FLASK_PORT to another port")
        }
        ErrorKind::PermissionDenied => {
            format!(
                "port {port} may not be taken by this user: set FLASK_PORT to a port above 1023, such as 5001"
            )
        }
        kind => format!("port {port} cannot be listened on ({kind}): set FLASK_PORT to another port"),
    };

    let mut listeners = vec![bind((Ipv4Addr::LOCALHOST, port).into()).await.map_err(problem)?];
    match bind((Ipv6Addr::LOCALHOST, port).into()).await {
        Ok(listener) => listeners.push(listener),
        // A browser that prefers this address for `localhost` would reach somebody else.
        Err(kind @ ErrorKind::AddrInUse) => return Err(problem(kind)),
        // A machine without IPv6.
        Err(_) => {}
    }
    Ok(listeners)
}
