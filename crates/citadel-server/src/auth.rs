//! Who is calling. An extractor in a handler's signature is the proof; there is no other way to a tenant.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use citadel_domain::{AccessKeyId, CallId, ClientId, Environment, Secret, tokens};
use citadel_store::{
    Tenant, access_keys,
    audit::{Act, Actor, Entry, Object, ObjectKind},
    bridge_tokens,
    bridge_tokens::BridgeToken,
};

use crate::{
    app::App,
    calls::Marks,
    connections::Peer,
    error::{self, ApiError, ApiResult},
    moment::Moment,
    purposes, trail,
};

/// P50. The last sentence is for who runs the server.
const NEEDS_TLS: &str = "Keys for prod are taken over https only. Behind a TLS proxy, it must be named in CITADEL_PROXIES and send \
                         X-Forwarded-Proto.";

/// A client, proven by its access key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    /// Whose rows, and in which environment.
    pub(crate) tenant: Tenant,
    /// With which key.
    pub(crate) access_key_id: AccessKeyId,
    /// Whether what is most personal is masked in what it is told (P7).
    pub(crate) is_masked: bool,
    /// In which call.
    pub(crate) request_id: Option<CallId>,
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        // Another extractor of the same request may have asked already: it counts as one.
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(*caller);
        }
        let request_id = parts.extensions.get::<CallId>().copied();
        let caller = Self { request_id, ..Self::prove(&parts.headers, app, request_id).await? };
        let is_open = parts.extensions.get::<Peer>().is_some_and(|peer| !peer.is_private);
        if is_open && caller.tenant.environment == Environment::Prod {
            return Err(error::forbidden(NEEDS_TLS));
        }
        app.rate_limit.take(&app.db, caller.access_key_id, app.clock.now()).await?;
        if let Some(marks) = parts.extensions.get::<Marks>() {
            marks.caller(&caller);
        }
        parts.extensions.insert(caller);
        Ok(caller)
    }
}

impl Caller {
    async fn prove(headers: &HeaderMap, app: &App, request_id: Option<CallId>) -> ApiResult<Self> {
        let client_id = single(headers, "x-access-client-id").and_then(|text| text.parse::<ClientId>().ok());
        let secret = single(headers, "x-access-secret").unwrap_or_default();
        // Bad pairs of every kind do the same work as good ones (P4): one keyed hash, one look-up. No client has
        // the id of sixteen zeros.
        let lookup_id = client_id.unwrap_or(ClientId::from_bytes([0; 16]));
        let hash = app.keyring.keyed_hash(purposes::ACCESS_KEY, secret);
        // Asked before the look-up: a key that changes meanwhile is remembered under a number that is gone.
        let generation = app.db.key_generation();
        if let Some(caller) = generation.and_then(|generation| app.callers.find(generation, lookup_id, &hash))
        {
            return Ok(caller);
        }
        let db = app.db.scoped(lookup_id);
        let key = db.read(async move |tx| access_keys::find_active(tx, lookup_id, &hash).await).await?;
        let Some(key) = key.filter(|_| client_id.is_some()) else {
            // In the server's chain: an id that somebody made up has none.
            let object = Object::of(ObjectKind::Client, lookup_id.as_bytes());
            let refused = trail::of_server(app.clock.now(), Actor::STRANGER, Act::AccessKeyRefused, object);
            app.note_refusal(Entry { request_id: request_id.map(|id| id.to_string()), ..refused });
            return Err(error::unauthenticated());
        };
        let caller = Self {
            tenant: Tenant { client_id: lookup_id, environment: key.environment },
            access_key_id: key.id,
            is_masked: key.is_masked,
            request_id: None,
        };
        if let Some(generation) = generation {
            app.callers.remember(generation, hash, caller);
        }
        Ok(caller)
    }
}

/// Keys that were good, by the keyed hash of their secret, as long as no key changes. Only good ones: all bad ones take the
/// same way, every time (P4).
#[derive(Default)]
pub(crate) struct Callers(Mutex<(u64, HashMap<[u8; 32], Caller>)>);

/// Keys that are remembered, at the most.
const MOST_CALLERS: usize = 10_000;

impl Callers {
    fn find(&self, generation: u64, client_id: ClientId, hash: &[u8; 32]) -> Option<Caller> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let caller = known.1.get(hash).filter(|caller| caller.tenant.client_id == client_id)?;
        (known.0 == generation).then_some(*caller)
    }

    fn remember(&self, generation: u64, hash: [u8; 32], caller: Caller) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0 != generation || known.1.len() >= MOST_CALLERS {
            *known = (generation, HashMap::new());
        }
        known.1.insert(hash, caller);
    }
}

/// A consumer in the widget, proven by a bridge token that has not aged.
pub(crate) struct BridgeSession {
    /// The token's row: what it may do, and for whom.
    pub(crate) token: BridgeToken,
    /// When it called.
    pub(crate) moment: Moment,
    /// In which call.
    pub(crate) request_id: Option<CallId>,
}

impl FromRequestParts<App> for BridgeSession {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let bearer = single(&parts.headers, header::AUTHORIZATION.as_str())
            .and_then(|text| text.strip_prefix("Bearer "));
        let session = Self::find(app, bearer.unwrap_or_default()).await?;
        if let Some(marks) = parts.extensions.get::<Marks>() {
            marks.widget(&session.token);
        }
        Ok(Self { request_id: parts.extensions.get::<CallId>().copied(), ..session })
    }
}

impl BridgeSession {
    /// The session of a bridge token, which must not have aged.
    pub(crate) async fn find(app: &App, text: &str) -> Result<Self, ApiError> {
        let token = find_bridge_token(app, text).await?.ok_or_else(error::unknown_bridge_token)?;
        let moment = Moment::of(token.pace, app.clock.now());
        // Deleting the access key that made a token revokes it (P8).
        if token.is_revoked || token.expires_at <= moment.now {
            return Err(error::gone("This session has expired. Go back and start again."));
        }
        Ok(Self { token, moment, request_id: None })
    }
}

/// The row of a bridge token, aged or not. Its hash is the proof, and tells the client.
pub(crate) async fn find_bridge_token(app: &App, text: &str) -> Result<Option<BridgeToken>, ApiError> {
    if !tokens::is_token(text) {
        return Ok(None);
    }
    let hash = app.keyring.keyed_hash(purposes::BRIDGE_TOKEN, text);
    Ok(app.db.read(async move |tx| bridge_tokens::find_by_hash(tx, &hash).await).await?)
}

/// A new token with its keyed hash.
pub(crate) fn new_token(app: &App, purpose: &str) -> (Secret, [u8; 32]) {
    let token = tokens::generate_token(&*app.random);
    let hash = app.keyring.keyed_hash(purpose, token.expose());
    (token, hash)
}

/// The value of a header that was sent exactly once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}
