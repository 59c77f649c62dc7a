//! Which connector serves which provider.

use std::sync::Arc;

use citadel_domain::Environment;

use crate::{Connector, sandbox::Sandbox};

/// The connectors of a server.
#[derive(Clone)]
pub struct Registry {
    /// Plays every provider of the sandbox.
    sandbox: Arc<dyn Connector>,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new(Arc::new(Sandbox::new()))
    }
}

impl Registry {
    /// The connectors of a server whose sandbox grows from a seed.
    pub fn seeded(seed: &str) -> Self {
        Self::new(Arc::new(Sandbox::seeded(seed)))
    }

    /// A registry in which one connector plays every provider of the sandbox.
    pub fn new(sandbox: Arc<dyn Connector>) -> Self {
        Self { sandbox }
    }

    /// The connector for a provider. In the sandbox every provider is played by one connector; elsewhere a provider
    /// without a connector is `None`, and its tasks end as `not_supported`.
    pub fn find(&self, environment: Environment, _provider_id: &str) -> Option<&dyn Connector> {
        let connector = match environment {
            Environment::Sandbox => &*self.sandbox,
            Environment::Dev | Environment::Prod => return None,
        };
        connector.describe().environments.contains(&environment).then_some(connector)
    }
}
