//! The secrets that deliveries are signed with: each endpoint's own, the listen secret, and the access secret.

use base64::{Engine, engine::general_purpose::STANDARD};
use citadel_domain::{AccessKeyId, Secret, WebhookId};
use citadel_store::{Place, Tenant, access_keys::AccessKey, webhooks::Webhook};
use jiff::{SignedDuration, Timestamp};

use crate::{
    app::App,
    error::{self, ApiResult},
    purposes,
};

/// How long the old secret signs beside the new one.
pub(crate) const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

const PREFIX: &str = "whsec_";
const CURRENT: &str = "secret_sealed";
const PREVIOUS: &str = "previous_secret_sealed";

/// A new secret for an endpoint: as its owner sees it, and sealed.
pub(crate) fn generate(app: &App, tenant: Tenant, id: WebhookId) -> ApiResult<(Secret, Vec<u8>)> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    app.random.fill(&mut *bytes);
    let secret = spell(&*bytes);
    let sealed = app.keyring.seal(&place(tenant, id, CURRENT), secret.expose().as_bytes())?;
    Ok((secret, sealed))
}

/// The present secret of an endpoint, sealed for its place as the previous one.
pub(crate) fn seal_as_previous(app: &App, webhook: &Webhook) -> ApiResult<Vec<u8>> {
    let secret = app.keyring.unseal(&place(webhook.tenant, webhook.id, CURRENT), &webhook.secret_sealed)?;
    Ok(app.keyring.seal(&place(webhook.tenant, webhook.id, PREVIOUS), &secret)?)
}

/// The secrets that sign a delivery made at `now`, the present one first.
pub(crate) fn of_endpoint(app: &App, webhook: &Webhook, now: Timestamp) -> ApiResult<Vec<Secret>> {
    let open = |column, sealed: &[u8]| {
        let bytes = app.keyring.unseal(&place(webhook.tenant, webhook.id, column), sealed)?;
        text(&bytes)
    };
    let mut secrets = vec![open(CURRENT, &webhook.secret_sealed)?];
    if let Some((sealed, until)) = &webhook.previous
        && now < *until
    {
        secrets.push(open(PREVIOUS, sealed)?);
    }
    Ok(secrets)
}

/// The secret of a client's event streams in one environment. Nothing is stored: it follows from the root key.
pub(crate) fn of_streams(app: &App, tenant: Tenant) -> Secret {
    let whose = format!("{} {}", tenant.client_id, tenant.environment);
    spell(&app.keyring.keyed_hash(purposes::LISTEN_SECRET, &whose))
}

/// The access secret that signs an event: that of the key behind it, or of the newest active key of the environment
/// when that one is gone. `None` when no key is left: the client has closed this environment, and nothing leaves it
/// unsigned.
pub(crate) fn of_access(
    app: &App,
    tenant: Tenant,
    active: &[AccessKey],
    wanted: Option<AccessKeyId>,
) -> ApiResult<Option<Secret>> {
    let here = || active.iter().filter(|key| key.environment == tenant.environment);
    let Some(key) = here().find(|key| Some(key.id) == wanted).or_else(|| here().next_back()) else {
        return Ok(None);
    };
    let place = Place::new(tenant, "access_keys", "secret_sealed", *key.id.as_bytes());
    text(&app.keyring.unseal(&place, &key.secret_sealed)?).map(Some)
}

/// The bytes behind `whsec_`.
pub(crate) fn key_of(secret: &Secret) -> zeroize::Zeroizing<Vec<u8>> {
    let encoded = secret.expose().strip_prefix(PREFIX).unwrap_or_default();
    zeroize::Zeroizing::new(STANDARD.decode(encoded).expect("only `spell` makes these secrets"))
}

fn spell(bytes: &[u8]) -> Secret {
    Secret::new(format!("{PREFIX}{}", STANDARD.encode(bytes)))
}

fn place(tenant: Tenant, id: WebhookId, column: &'static str) -> Place {
    Place::new(tenant, "webhooks", column, *id.as_bytes())
}

fn text(bytes: &[u8]) -> ApiResult<Secret> {
    std::str::from_utf8(bytes).map(Secret::new).map_err(|_| error::internal("a sealed secret is not text"))
}
