//! Which addresses may be called at all: the rules of P33 for the text of a URL. Names are judged a second time, by what
//! they resolve to, in [`resolver`](super::resolver).

use std::net::{IpAddr, SocketAddr};

use citadel_domain::Environment;
use reqwest::Url;

use super::addresses::{is_loopback, is_public};

/// The one text for every address that is refused: it must not tell what is reachable from here.
pub(crate) const REFUSED: &str = "This address cannot be used: send an https address on the public internet, with port \
                                  443 or 8443 and without a user name.";

/// An address that may not be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

/// How far a call may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Reach {
    /// To the public internet.
    Public,
    /// To this machine.
    Loopback,
}

/// What this server allows.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Endpoints of the sandbox may be on this machine: nobody from outside reaches this server anyway.
    pub allows_loopback: bool,
    /// Ports of public endpoints.
    pub ports: Vec<u16>,
    /// Where this server listens: it never calls itself.
    pub own_listeners: Vec<SocketAddr>,
    /// What the outside calls this server.
    pub public_url: String,
}

impl Rules {
    /// The rules of a server with these listeners, of which the first is the public one.
    ///
    /// A loopback listener alone does not mean that nobody from outside gets here: a proxy may stand in front. The public
    /// address tells.
    pub fn new(own_listeners: Vec<SocketAddr>, public_url: String) -> Self {
        let is_public_url_local =
            Url::parse(&public_url).is_ok_and(|url| url.host_str().is_some_and(is_local));
        Self {
            allows_loopback: is_public_url_local
                && own_listeners.first().is_some_and(|address| address.ip().is_loopback()),
            ports: vec![443, 8443],
            own_listeners,
            public_url,
        }
    }

    /// Reads the address of an endpoint and says how far a call to it may go.
    ///
    /// The parser has already turned every spelling of an IPv4 address (decimal, octal, hexadecimal, short) into the
    /// usual one.
    pub(super) fn check(&self, text: &str, environment: Environment) -> Result<(Url, Reach), Refused> {
        let url = Url::parse(text).map_err(|_| Refused)?;
        let has_user = !url.username().is_empty() || url.password().is_some();
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(Refused);
        };
        if has_user || !matches!(url.scheme(), "http" | "https") || self.is_own(&url) {
            return Err(Refused);
        }
        let literal = literal(host);
        if is_local(host) {
            let is_own_port = self.own_listeners.iter().any(|own| own.port() == port);
            let may = self.allows_loopback && environment == Environment::Sandbox && !is_own_port;
            return if may { Ok((url, Reach::Loopback)) } else { Err(Refused) };
        }
        let is_own_listener =
            literal.is_some_and(|address| self.own_listeners.contains(&SocketAddr::new(address, port)));
        if url.scheme() != "https" || !self.ports.contains(&port) || is_own_listener {
            return Err(Refused);
        }
        if !literal.is_none_or(is_public) {
            return Err(Refused);
        }
        Ok((url, Reach::Public))
    }

    /// Whether a call would come back here, through whatever stands in front of this server.
    fn is_own(&self, url: &Url) -> bool {
        Url::parse(&self.public_url).is_ok_and(|own| {
            let same_host = trimmed(own.host_str()) == trimmed(url.host_str());
            same_host && own.port_or_known_default() == url.port_or_known_default()
        })
    }

    /// Whether an address that is no name leads to this machine or a private network, and is let through all the same.
    #[cfg(any(test, feature = "fuzz"))]
    pub(crate) fn leads_inside(&self, text: &str, environment: Environment) -> bool {
        let Ok((url, reach)) = self.check(text, environment) else { return false };
        let host = url.host_str().unwrap_or_default();
        reach == Reach::Loopback
            || is_local(host)
            || url.scheme() != "https"
            || literal(host).is_some_and(|address| !is_public(address))
    }

    /// Addresses that are ours on a port that an endpoint may have: a name must not lead to them.
    pub(super) fn own_addresses(&self) -> Vec<IpAddr> {
        let reachable = self.own_listeners.iter().filter(|own| self.ports.contains(&own.port()));
        reachable.map(SocketAddr::ip).collect()
    }
}

/// The address in a host that is no name.
fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether a host is this machine: by its loopback addresses, or by the names that mean it everywhere.
fn is_local(host: &str) -> bool {
    literal(host).map_or_else(|| is_localhost(host), is_loopback)
}

/// The names that mean this machine everywhere. Other names that lead here are refused.
fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    host == "localhost" || host.ends_with(".localhost")
}

fn trimmed(host: Option<&str>) -> Option<&str> {
    host.map(|host| host.strip_suffix('.').unwrap_or(host))
}
