//! Step 6 of a verification: the widget's single-use public token becomes the link's lasting access token.

use axum::{Json, extract::State};
use citadel_api_types::{
    Redacted,
    access_tokens::{AccessTokens, CreateAccessToken, CreateAccessTokens, LinkToken},
    error::{Detail, ErrorBody},
};
use citadel_store::{Place, Tx, links, links::Link, public_tokens, public_tokens::Spend};

use crate::{
    app::App,
    auth::{self, Caller},
    body::Body,
    error::{self, ApiResult},
    purposes,
};

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
    Body(body): Body<CreateAccessToken>,
) -> ApiResult<Json<LinkToken>> {
    if body.public_token.is_empty() {
        return Err(error::invalid("public_token", "This field is required."));
    }
    exchange(&app, caller, body.public_token).await.map(Json)
}

/// Exchange several public tokens at once: the form used until November 2020.
///
/// The first one that cannot be exchanged ends the call; those before it are spent.
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
    Body(body): Body<CreateAccessTokens>,
) -> ApiResult<Json<AccessTokens>> {
    const MOST: usize = 100;
    if body.public_tokens.is_empty() || body.public_tokens.len() > MOST {
        return Err(error::invalid("public_tokens", format!("Send 1 to {MOST} public tokens.")));
    }
    let mut access_tokens = Vec::with_capacity(body.public_tokens.len());
    for public_token in body.public_tokens {
        access_tokens.push(exchange(&app, caller, public_token).await?.access_token);
    }
    Ok(Json(AccessTokens { access_tokens }))
}

async fn exchange(app: &App, caller: Caller, public_token: Redacted) -> ApiResult<LinkToken> {
    let now = app.clock.now();
    let tenant = caller.tenant;
    let hash = app.keyring.keyed_hash(purposes::PUBLIC_TOKEN, public_token.expose());
    let writer = app.clone();
    app.db
        .write(async move |tx| match public_tokens::spend(tx, tenant, &hash, now).await? {
            Spend::Unknown => Err(error::not_found()),
            Spend::Gone => Err(error::gone("This public token was used before or is older than six hours.")),
            Spend::Spent { link_id, .. } => {
                let link = links::find(tx, tenant, link_id).await?.ok_or_else(error::not_found)?;
                let access_token = access_token_of(&writer, tx, &link).await?;
                Ok(LinkToken { access_token, link_id: link_id.to_string() })
            }
        })
        .await
}

/// The link's one access token: made at the first exchange, and the same ever after (contract 1.10).
async fn access_token_of(app: &App, tx: &mut Tx<'_>, link: &Link) -> ApiResult<Redacted> {
    if link.access_token_sealed.is_some() {
        return open_access_token(app, link);
    }
    let data_key = app.keyring.unwrap_data_key(&place(link, "data_key_wrapped"), &link.data_key_wrapped)?;
    let (token, hash) = auth::new_token(app, purposes::ACCESS_TOKEN);
    let sealed = data_key.seal(&place(link, "access_token_sealed"), token.expose().as_bytes())?;
    if links::set_access_token_if_absent(tx, link.tenant, link.id, &hash, &sealed).await? {
        return Ok(Redacted::from(token.expose()));
    }
    // Another node exchanged another public token of this link between our two statements.
    let link = links::find(tx, link.tenant, link.id).await?.ok_or_else(error::not_found)?;
    open_access_token(app, &link)
}

fn open_access_token(app: &App, link: &Link) -> ApiResult<Redacted> {
    let data_key = app.keyring.unwrap_data_key(&place(link, "data_key_wrapped"), &link.data_key_wrapped)?;
    let sealed = link.access_token_sealed.as_deref().unwrap_or_default();
    let text = data_key.open(&place(link, "access_token_sealed"), sealed)?;
    let text =
        std::str::from_utf8(&text).map_err(|_| error::internal("a sealed access token is not text"))?;
    Ok(Redacted::from(text))
}

fn place(link: &Link, column: &'static str) -> Place {
    Place::new(link.tenant, "links", column, *link.id.as_bytes())
}
