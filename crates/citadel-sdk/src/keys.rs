//! Access keys, changed without an interruption.

use citadel_api_types::access_keys::{AccessKey, DeactivateKey, DeactivatedKey};

use crate::{Citadel, Error, client::Call, retry::Repeat};

impl Citadel {
    /// Makes a second access key for the environment. The answer has its secret, this once: put it in place, then
    /// [`deactivate_key`](Self::deactivate_key) the old one. Until then both are good.
    ///
    /// Fails with [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) when two are active already.
    pub async fn create_key(&self) -> Result<AccessKey, Error> {
        // Done twice, the second would be refused, and the first secret would be lost.
        self.post(Call::new("keys"), &serde_json::json!({}), Repeat::UnderKey).await
    }

    /// Ends an access key of the environment, named by its id or its secret, at once.
    ///
    /// Fails with [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) when it is the last one.
    pub async fn deactivate_key(&self, request: &DeactivateKey) -> Result<DeactivatedKey, Error> {
        self.post(Call::new("keys").then("deactivate"), request, Repeat::UnderKey).await
    }
}
