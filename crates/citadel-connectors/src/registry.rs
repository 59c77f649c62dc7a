//! Which connector serves which provider.

use std::sync::Arc;

use citadel_domain::Environment;

use crate::{Connector, sandbox::Sandbox};

/// The connectors of a server.
#[derive(Clone)]
pub struct Registry {
    /// Plays every provider.
    connector: Arc<dyn Connector>,
    /// The same, where it is ours.
    people: Option<Sandbox>,
}

impl Default for Registry {
    fn default() -> Self {
        Self::of(Sandbox::new())
    }
}

impl Registry {
    /// The connectors of a server whose sandbox grows from a seed.
    pub fn seeded(seed: &str) -> Self {
        Self::of(Sandbox::seeded(seed))
    }

    fn of(sandbox: Sandbox) -> Self {
        Self { connector: Arc::new(sandbox.clone()), people: Some(sandbox) }
    }

    /// A registry in which one connector plays every provider, in the environments that it is for.
    pub fn new(connector: Arc<dyn Connector>) -> Self {
        Self { connector, people: None }
    }

    /// The sandbox of invented people. `None` when another connector is in its place.
    pub fn sandbox(&self) -> Option<&Sandbox> {
        self.people.as_ref()
    }

    /// The connector for a provider. A provider without one is `None`, and its tasks end as `not_supported`: of this release,
    /// every provider outside the sandbox.
    pub fn find(&self, environment: Environment, _provider_id: &str) -> Option<&dyn Connector> {
        let connector = &*self.connector;
        connector.describe().environments.contains(&environment).then_some(connector)
    }
}
