//! A new access key, whoever asks for it.

use citadel_domain::{AccessKeyId, Random, Secret, tokens};
use citadel_store::{Keyring, Place, Tenant, access_keys::NewAccessKey};
use jiff::Timestamp;

use crate::purposes;

/// A key that is not in the store yet.
#[derive(Clone)]
pub(crate) struct NewKey {
    pub(crate) row: NewAccessKey,
    pub(crate) secret: Secret,
}

impl NewKey {
    /// A secret, with the row that can check it (keyed hash) and sign webhooks with it (sealed copy).
    pub(crate) fn generate(
        keyring: &Keyring,
        random: &dyn Random,
        tenant: Tenant,
        now: Timestamp,
    ) -> Result<Self, citadel_store::Error> {
        let id = AccessKeyId::generate(now, random);
        let secret = tokens::generate_access_secret(tenant.environment, random);
        let place = Place::new(tenant, "access_keys", "secret_sealed", *id.as_bytes());
        let row = NewAccessKey {
            id,
            client_id: tenant.client_id,
            environment: tenant.environment,
            name: String::new(),
            is_masked: false,
            secret_hash: keyring.keyed_hash(purposes::ACCESS_KEY, secret.expose()),
            secret_sealed: keyring.seal(&place, secret.expose().as_bytes())?,
            created_at: now,
        };
        Ok(Self { row, secret })
    }
}
