//! Connections of a listener: how many there may be, how slowly answers may be taken, and who is at their other end (P45,
//! P50).

use std::{
    collections::HashMap,
    fmt,
    future::{Ready, ready},
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready as poll_ready},
    time::Duration,
};

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue},
};
use axum_server::accept::Accept;
use ipnet::IpNet;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep},
};

/// Connections at a time: of all addresses together, and of one that is not a listed proxy.
const MOST: usize = 8192;
const MOST_PER_ADDRESS: usize = 256;
/// How long a client may take nothing of an answer that waits for it.
const STALLED: Duration = Duration::from_secs(30);

/// How long a client that still sends is listened to after its answer.
const LEAVING: Duration = Duration::from_secs(2);

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The proxies in front of this server, whose word on who called is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// From addresses and networks with commas between them; the part that is neither comes back.
    pub fn parse(text: &str) -> Result<Self, &str> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let networks = parts.map(|part| {
            let address = part.parse::<IpAddr>().map(IpNet::from);
            address.or_else(|_| part.parse()).map_err(|_| part)
        });
        networks.collect::<Result<_, _>>().map(Self)
    }

    fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl fmt::Display for Proxies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return formatter.write_str("(none)");
        }
        let texts: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        formatter.write_str(&texts.join(", "))
    }
}

/// Who sent a request, in its extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The caller's address, as far as it can be believed. `None`: a proxy on this machine that is not listed hides it, or it
    /// is this machine.
    pub address: Option<IpAddr>,
    /// Whether nobody on the way could read along: TLS, or this machine.
    pub is_private: bool,
}

impl Peer {
    /// Reads the two headers of a listed proxy, and of nobody else.
    pub fn of(proxies: &Proxies, connected: IpAddr, is_tls: bool, headers: &HeaderMap) -> Self {
        let connected = connected.to_canonical();
        let is_local = connected.is_loopback();
        if !proxies.has(connected) {
            return Self { address: Some(connected).filter(|_| !is_local), is_private: is_tls || is_local };
        }
        // Each proxy writes at the end, so the last one that is no proxy of ours is the caller. What stands before it the
        // caller may have written.
        let written: Vec<_> = headers.get_all(FORWARDED_FOR).iter().map(HeaderValue::as_bytes).collect();
        let hops = written.iter().flat_map(|line| line.split(|byte| *byte == b',')).rev();
        let caller = hops.map_while(|hop| address(std::str::from_utf8(hop).ok()?.trim()));
        let caller = caller.map(|hop| hop.to_canonical()).find(|hop| !proxies.has(*hop));
        let proto = headers.get_all(FORWARDED_PROTO).iter().next_back();
        Self { address: caller, is_private: proto.is_some_and(|proto| proto == "https") }
    }
}

/// A hop, which some proxies name with its port.
fn address(hop: &str) -> Option<IpAddr> {
    hop.parse().or_else(|_| hop.parse().map(|socket: SocketAddr| socket.ip())).ok()
}

/// Whose an address is: of IPv6 every subscriber has a whole /64.
pub(crate) fn subscriber(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

/// What stands at the door of a listener.
#[derive(Clone)]
pub(crate) struct Door(Arc<Inside>);

struct Inside {
    proxies: Proxies,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl Door {
    pub(crate) fn new(proxies: Proxies) -> Self {
        Self(Arc::new(Inside { proxies, open: Mutex::default() }))
    }

    /// Tells a request who sent it.
    pub(crate) fn introduce(&self, mut request: Request, connected: SocketAddr, is_tls: bool) -> Request {
        let peer = Peer::of(&self.0.proxies, connected.ip(), is_tls, request.headers());
        request.extensions_mut().insert(peer);
        request
    }

    fn enter(&self, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        let is_proxy = self.0.proxies.has(address);
        let address = subscriber(address);
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = open.by_address.get(&address).copied().unwrap_or(0);
        if open.all >= MOST || (of_address >= MOST_PER_ADDRESS && !is_proxy) {
            return None;
        }
        open.all += 1;
        open.by_address.insert(address, of_address + 1);
        Some(Place { door: self.clone(), address })
    }
}

/// One of the connections. Gives its place back when dropped.
struct Place {
    door: Door,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.door.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        if let Some(count) = open.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

impl<S> Accept<TcpStream, S> for Door {
    type Stream = Connection;
    type Service = S;
    type Future = Ready<io::Result<(Connection, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let connection = stream.peer_addr().and_then(|peer| {
            let place = self.enter(peer.ip()).ok_or_else(|| io::Error::other("too many connections"))?;
            stream.set_nodelay(true)?;
            Ok(Connection { stream, stalled: None, leaving: None, _place: place })
        });
        ready(connection.map(|connection| (connection, service)))
    }
}

/// A connection that ends when its client takes nothing for too long.
pub(crate) struct Connection {
    stream: TcpStream,
    /// Runs while something waits to be taken.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Runs once the last byte is written, while the client still sends: closing on bytes that nobody has read takes back the
    /// answer that is under way.
    leaving: Option<Pin<Box<Sleep>>>,
    _place: Place,
}

impl Connection {
    fn watch<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(STALLED)));
        poll_ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.leaving.is_none() {
            poll_ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        }
        loop {
            let mut discarded = [0; 4096];
            let mut buffer = ReadBuf::new(&mut discarded);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.leaving.get_or_insert_with(|| Box::pin(sleep(LEAVING)));
                }
                // The client is done, or has gone.
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    let Some(leaving) = &mut self.leaving else { return Poll::Ready(Ok(())) };
                    poll_ready!(leaving.as_mut().poll(context));
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

/// When a body that began at `began`, and of which this much has come, must have gone on: at a kibibyte a second after a
/// start of `grace`, and at the end of a request's time in any case.
pub(crate) fn next_deadline(began: Instant, received: usize, grace: Duration, whole: Duration) -> Instant {
    let earned =
        Duration::from_millis(u64::try_from(received).unwrap_or(u64::MAX).saturating_mul(1000) / 1024);
    began + grace.saturating_add(earned).min(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(proxies: &str, connected: &str, headers: &[(&str, &str)]) -> Peer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        Peer::of(&Proxies::parse(proxies).unwrap(), connected.parse().unwrap(), false, &map)
    }

    #[track_caller]
    fn check(found: Peer, address: Option<&str>, is_private: bool) {
        assert_eq!(found, Peer { address: address.map(|text| text.parse().unwrap()), is_private });
    }

    #[test]
    fn p50_forwarded_headers_are_believed_from_listed_proxies_only() {
        let lie = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")];
        check(peer("", "198.51.100.1", &lie), Some("198.51.100.1"), false);
        check(peer("10.0.0.0/8", "198.51.100.1", &lie), Some("198.51.100.1"), false);
        check(peer("", "127.0.0.1", &lie), None, true);
        check(peer("10.0.0.0/8", "10.1.2.3", &lie), Some("203.0.113.9"), true);
        // The same proxy by its address inside IPv6.
        check(peer("10.0.0.0/8", "::ffff:10.1.2.3", &lie), Some("203.0.113.9"), true);
    }

    #[test]
    fn p50_what_a_caller_writes_before_the_proxy_is_not_believed() {
        for spoofed in [
            "203.0.113.9:443",
            "192.0.2.1, 203.0.113.9",
            "10.0.0.9, 203.0.113.9",
            "x, 203.0.113.9",
            "203.0.113.9, 10.0.0.7",
        ] {
            check(
                peer("10.0.0.0/8", "10.1.2.3", &[("x-forwarded-for", spoofed)]),
                Some("203.0.113.9"),
                false,
            );
        }
        // Two headers are one list.
        let two = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "203.0.113.9")];
        check(peer("10.0.0.1", "10.0.0.1", &two), Some("203.0.113.9"), false);
        // Nor does what cannot be read spoil what the proxy writes behind it, in the same line or in another.
        for spoofed in [&b"\xff, 203.0.113.9"[..], b"192.0.2.1, \xff, 203.0.113.9"] {
            let mut map = HeaderMap::new();
            map.append(FORWARDED_FOR, HeaderValue::from_static("192.0.2.1"));
            map.append(FORWARDED_FOR, HeaderValue::from_bytes(spoofed).unwrap());
            let proxies = Proxies::parse("10.0.0.1").unwrap();
            let found = Peer::of(&proxies, "10.0.0.1".parse().unwrap(), false, &map);
            check(found, Some("203.0.113.9"), false);
        }
        // A proxy that says nothing, or nothing that can be read, tells of nobody.
        check(peer("10.0.0.1", "10.0.0.1", &[]), None, false);
        check(peer("10.0.0.1", "10.0.0.1", &[("x-forwarded-for", "203.0.113.9, unknown")]), None, false);
        check(peer("10.0.0.1", "10.0.0.1", &[("x-forwarded-proto", "http, https")]), None, false);
    }

    #[test]
    fn p45_places_are_limited_for_each_address_and_given_back() {
        let door = Door::new(Proxies::parse("192.0.2.0/24").unwrap());
        let enter = |text: &str| door.enter(text.parse().unwrap());
        let mut places: Vec<_> = (0..MOST_PER_ADDRESS).map(|_| enter("198.51.100.1").unwrap()).collect();
        assert!(enter("198.51.100.1").is_none());
        assert!(enter("::ffff:198.51.100.1").is_none());
        assert!(enter("198.51.100.2").is_some());
        let of_one: Vec<_> = (0..MOST_PER_ADDRESS)
            .map(|number| enter(&format!("2001:db8:1:2::{number:x}")).unwrap())
            .collect();
        assert!(enter("2001:db8:1:2:ffff::1").is_none(), "one subscriber has a whole /64");
        assert!(enter("2001:db8:1:3::1").is_some());
        drop(of_one);
        places.pop();
        places.push(enter("198.51.100.1").unwrap());
        // A listed proxy speaks for many; only the whole is limited.
        places.extend((places.len()..MOST).map(|_| enter("192.0.2.1").unwrap()));
        assert!(enter("192.0.2.1").is_none());
        drop(places);
        assert!(door.0.open.lock().unwrap().by_address.is_empty());
    }

    #[test]
    fn p45_a_body_keeps_up_a_kibibyte_a_second() {
        let began = Instant::now();
        let until = |received| {
            next_deadline(began, received, Duration::from_secs(5), Duration::from_secs(30)) - began
        };
        assert_eq!(until(0), Duration::from_secs(5));
        assert_eq!(until(2048), Duration::from_secs(7));
        assert_eq!(until(1 << 20), Duration::from_secs(30));
    }
}
