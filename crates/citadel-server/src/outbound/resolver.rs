//! Names become addresses here, for the very connection that is then made. An answer with one address that is out of
//! reach is refused whole, so that nothing is left to the order of tries; and the next attempt asks and judges again.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{
    addresses::{is_loopback, is_public},
    guard::{REFUSED, Reach},
};

/// The addresses of a name. Port 0 stands for the port of the URL.
pub type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Looks a name up. The system's resolver, or a test's.
pub trait Resolver: Send + Sync {
    /// The addresses of `name`.
    fn lookup(&self, name: String) -> Lookup;
}

/// The operating system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn lookup(&self, name: String) -> Lookup {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
    }
}

/// Passes on only answers that are within reach.
pub(super) struct Judged {
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) reach: Reach,
    /// Never called, wherever they are.
    pub(super) own: Vec<IpAddr>,
}

impl Judged {
    fn is_allowed(reach: Reach, own: &[IpAddr], address: IpAddr) -> bool {
        match reach {
            Reach::Public => is_public(address) && !own.contains(&address),
            Reach::Loopback => is_loopback(address),
        }
    }
}

impl Resolve for Judged {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = self.resolver.lookup(name.as_str().to_owned());
        let (reach, own) = (self.reach, self.own.clone());
        Box::pin(async move {
            let addresses = lookup.await?;
            if addresses.is_empty()
                || !addresses.iter().all(|found| Self::is_allowed(reach, &own, found.ip()))
            {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, REFUSED).into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
