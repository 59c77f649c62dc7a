//! Step 6 of a verification: the widget's single-use public token becomes the link's lasting access token.

use axum::{Json, extract::State, http::StatusCode};
use citadel_api_types::{
    Redacted,
    access_tokens::{AccessTokens, CreateAccessToken, CreateAccessTokens, LinkToken},
    error::{Detail, ErrorBody},
};
use citadel_domain::LinkId;
use citadel_store::{Tenant, Tx, links, links::Link, public_tokens, public_tokens::Spend};
use jiff::Timestamp;
use serde::Serialize;

use crate::trail;
use crate::{
    app::App,
    auth::{self, Caller},
    body::Body,
    config::ReplayPolicy,
    error::{self, ApiError, ApiResult},
    idempotency::{Holds, Once},
    owner_key::OwnerKey,
    purposes,
};
use citadel_store::audit::{self, Act, Entry, Outcome};

/// Exchange the widget's single-use public token for the link's lasting access token.
#[utoipa::path(post, path = "/v1/link-access-tokens/", tag = "links", request_body = CreateAccessToken, responses(
    (status = 200, body = LinkToken),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, description = "unknown public token", body = Detail),
    (status = 410, description = "used before, or older than six hours", body = ErrorBody),
))]
pub(crate) async fn create_access_token(
    State(app): State<App>,
    caller: Caller,
    once: Once,
    Body(body): Body<CreateAccessToken>,
) -> ApiResult<Json<LinkToken>> {
    if body.public_token.is_empty() {
        return Err(error::invalid("public_token", "This field is required."));
    }
    let answer =
        |mut links: Vec<LinkToken>| links.pop().ok_or_else(|| error::internal("an exchange of nothing"));
    exchange(&app, caller, once, vec![body.public_token], answer).await.map(Json)
}

/// Exchange several public tokens at once: the form used until November 2020.
///
/// All of them, or none: when one cannot be exchanged, no other is spent.
#[utoipa::path(post, path = "/v1/access-tokens/", tag = "links", request_body = CreateAccessTokens, responses(
    (status = 200, body = AccessTokens),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, description = "unknown public token", body = Detail),
    (status = 410, description = "used before, or older than six hours", body = ErrorBody),
))]
pub(crate) async fn create_access_tokens(
    State(app): State<App>,
    caller: Caller,
    once: Once,
    Body(body): Body<CreateAccessTokens>,
) -> ApiResult<Json<AccessTokens>> {
    const MOST: usize = 100;
    if body.public_tokens.is_empty() || body.public_tokens.len() > MOST {
        return Err(error::invalid("public_tokens", format!("Send 1 to {MOST} public tokens.")));
    }
    let answer = |links: Vec<LinkToken>| {
        Ok(AccessTokens { access_tokens: links.into_iter().map(|link| link.access_token).collect() })
    };
    exchange(&app, caller, once, body.public_tokens, answer).await.map(Json)
}

/// The column of the link's access token.
const SEALED: &str = "access_token_sealed";

/// Spends public tokens in one transaction.
async fn exchange<T: Serialize + Send + 'static>(
    app: &App,
    caller: Caller,
    once: Once,
    public_tokens: Vec<Redacted>,
    answer: fn(Vec<LinkToken>) -> ApiResult<T>,
) -> ApiResult<T> {
    let now = app.moment(caller.tenant).await?.now;
    let hash = |token: &Redacted| app.keyring.keyed_hash(purposes::PUBLIC_TOKEN, token.expose());
    let hashes: Vec<_> = public_tokens.iter().map(hash).collect();
    let db = app.db.scoped(caller.tenant.client_id);
    let (writer, kept) = (app.clone(), once.clone());
    let exchanged = db.write(async move |tx| {
        let mut links = Vec::with_capacity(hashes.len());
        let mut holds = Holds::NOTHING;
        let mut entries = Vec::with_capacity(hashes.len());
        for (index, hash) in hashes.iter().enumerate() {
            // Sent twice in one call: nobody had it before.
            if hashes[..index].contains(hash) {
                return Err(gone().into());
            }
            let (link, token) = spend(&writer, tx, caller.tenant, hash, now).await?;
            // One answer goes with one link. Tokens of others in it open nothing any more once their links are gone.
            holds = Holds::link(link.id);
            entries.push(caller.did(&writer, Act::AccessTokenIssued, trail::link(link.id)));
            links.push(token);
        }
        let answer = answer(links)?;
        audit::append_all(tx, &writer.keyring, caller.tenant.client_id, &entries).await?;
        kept.keep(tx, StatusCode::OK, &answer, holds).await?;
        Ok(answer)
    });
    match exchanged.await {
        Ok(answer) => Ok(answer),
        Err(Refused::Error(refusal)) => Err(refusal),
        Err(Refused::Replayed(link_id)) => {
            note_replay(app, caller, once, link_id, now).await?;
            Err(gone())
        }
    }
}

/// Why nothing was exchanged.
enum Refused {
    Error(ApiError),
    /// A token of this link was spent before.
    Replayed(LinkId),
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        Self::Error(error)
    }
}

impl From<citadel_store::Error> for Refused {
    fn from(error: citadel_store::Error) -> Self {
        Self::Error(error.into())
    }
}

fn gone() -> ApiError {
    error::gone("This public token was used before or is older than six hours.")
}

/// A token that was spent comes again, without the key that would give the answer again: somebody lost an answer, or found a
/// token (P10).
async fn note_replay(
    app: &App,
    caller: Caller,
    once: Once,
    link_id: LinkId,
    now: Timestamp,
) -> ApiResult<()> {
    let tenant = caller.tenant;
    let replay = caller.did(app, Act::PublicTokenReplayed, trail::link(link_id));
    let replay = Entry { outcome: Outcome::Refused, ..replay };
    let is_revoked = app.replay_policy == ReplayPolicy::Revoke;
    if is_revoked || once.has_key() {
        let (entry, writer) = (replay.clone(), app.clone());
        let db = app.db.scoped(tenant.client_id);
        let is_replay = db.write(async move |tx| {
            // On another node the same call may have been first: that is no replay.
            if once.is_kept(tx).await? {
                return Ok::<_, ApiError>(false);
            }
            if is_revoked {
                links::revoke_access_token(tx, tenant, link_id, now).await?;
                let revoked = Entry { act: Act::AccessTokenRevoked, outcome: Outcome::Done, ..entry.clone() };
                audit::append(tx, &writer.keyring, &revoked).await?;
            }
            Ok(true)
        });
        if !is_replay.await? {
            return Ok(());
        }
    }
    // Of one token many come at once, where somebody tries: they are counted.
    app.note_refusal(replay);
    tracing::warn!(client.id = %tenant.client_id, link.id = %link_id, is_revoked, "public token replayed");
    Ok(())
}

async fn spend(
    app: &App,
    tx: &mut Tx<'_>,
    tenant: Tenant,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<(Link, LinkToken), Refused> {
    match public_tokens::spend(tx, tenant, hash, now).await? {
        Spend::Unknown => Err(error::not_found().into()),
        Spend::Gone => Err(gone().into()),
        Spend::Replayed { link_id } => Err(Refused::Replayed(link_id)),
        Spend::Spent { link_id, .. } => {
            let link = links::find(tx, tenant, link_id).await?.ok_or_else(error::not_found)?;
            let access_token = access_token_of(app, tx, &link).await?;
            Ok((link, LinkToken { access_token, link_id: link_id.to_string() }))
        }
    }
}

/// The link's one access token: made at the first exchange, and the same ever after (contract 1.10).
pub(crate) async fn access_token_of(app: &App, tx: &mut Tx<'_>, link: &Link) -> ApiResult<Redacted> {
    if link.access_token_sealed.is_some() {
        return open_access_token(app, link);
    }
    let (token, hash) = auth::new_token(app, purposes::ACCESS_TOKEN);
    let sealed = OwnerKey::of_link(app, link)?.seal_text(SEALED, &token)?;
    if links::set_access_token_if_absent(tx, link.tenant, link.id, &hash, &sealed).await? {
        return Ok(Redacted::from(token.expose()));
    }
    // Another node exchanged another public token of this link between our two statements.
    let link = links::find(tx, link.tenant, link.id).await?.ok_or_else(error::not_found)?;
    open_access_token(app, &link)
}

fn open_access_token(app: &App, link: &Link) -> ApiResult<Redacted> {
    known_access_token(app, link)?
        .ok_or_else(|| error::internal("a link without the access token that it has"))
}

/// The link's access token, if it has one.
pub(crate) fn known_access_token(app: &App, link: &Link) -> ApiResult<Option<Redacted>> {
    let Some(sealed) = &link.access_token_sealed else { return Ok(None) };
    Ok(Some(Redacted::from(OwnerKey::of_link(app, link)?.unseal_text(SEALED, sealed)?.expose())))
}
