//! Which connector serves which provider.

use std::sync::Arc;

use citadel_domain::Environment;

use crate::{Connector, sandbox::Sandbox};

/// The built-in connectors.
#[derive(Clone)]
pub struct Registry {
    sandbox: Arc<dyn Connector>,
}

impl Default for Registry {
    fn default() -> Self {
        Self { sandbox: Arc::new(Sandbox::new()) }
    }
}

impl Registry {
    /// The connector for a provider. In the sandbox every provider is played by the sandbox connector; elsewhere a
    /// provider without a connector is `None`, and its tasks end as `not_supported`.
    pub fn find(&self, environment: Environment, _provider_id: &str) -> Option<&dyn Connector> {
        match environment {
            Environment::Sandbox => Some(&*self.sandbox),
            Environment::Dev | Environment::Prod => None,
        }
    }
}
