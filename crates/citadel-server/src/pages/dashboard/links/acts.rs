//! What can be done to a link. The acts are those of the API.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use citadel_store::{
    audit::{self, Act, Detail, Entry},
    links,
};

use super::{
    super::{
        guard::Here,
        page::{PageError, PageResult},
    },
    find_link, found, one,
};
use crate::{api, app::App, consent, trail};

type InLink = Path<(String, String, String)>;

/// Shows what is masked, this once. That it was shown is written down first.
pub(in super::super) async fn reveal(
    State(app): State<App>,
    here: Here,
    Path((_, _, id)): InLink,
) -> PageResult<Response> {
    let found = found::find_revealed(&app, &here, &id).await?;
    let (kinds, names) = found.personal();
    if names.is_empty() {
        return Err(PageError::wrong("There is nothing to reveal: nothing is masked here."));
    }
    let detail = Detail::NONE.words("data", kinds).words("fields", names.iter().map(String::as_str));
    let (tenant, id, keyring) = (here.tenant, found.link.id, app.keyring.clone());
    let entry = Entry { detail, ..here.did(Act::DataRevealed, trail::link(id))? };
    let is_there = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            let link = links::find(tx, tenant, id).await?;
            if link.is_none_or(|link| link.consent_ended_at.is_some()) {
                return Ok::<_, citadel_store::Error>(false);
            }
            audit::append(tx, &keyring, &entry).await?;
            Ok(true)
        })
        .await?;
    if !is_there {
        return Err(PageError::not_found());
    }
    let notice = "Everything is shown, this once. The audit trail says that you looked.";
    one::show_link(&app, &here, found, Some(notice), true)
}

pub(in super::super) async fn delete_link(
    State(app): State<App>,
    here: Here,
    Path((_, _, id)): InLink,
) -> PageResult<Response> {
    let link = find_link(&app, &here, &id).await?;
    let entry = here.did(Act::LinkDeleted, trail::link(link.id))?;
    api::links::erase(&app, here.tenant, link.id, entry).await?;
    Ok(Redirect::to(&here.url("links?done=deleted")).into_response())
}

pub(in super::super) async fn revoke_consent(
    State(app): State<App>,
    here: Here,
    Path((_, _, id)): InLink,
) -> PageResult<Response> {
    let link = find_link(&app, &here, &id).await?;
    let id = link.id;
    let entry = here.did(Act::ConsentRevoked, trail::link(id))?;
    consent::revoke(&app, link, entry).await?;
    Ok(Redirect::to(&here.url(&format!("links/{id}?done=consent"))).into_response())
}

/// Ends the access token. The next exchange of a public token makes another.
pub(in super::super) async fn revoke_token(
    State(app): State<App>,
    here: Here,
    Path((_, _, id)): InLink,
) -> PageResult<Response> {
    let link = find_link(&app, &here, &id).await?;
    let (tenant, id) = (here.tenant, link.id);
    let now = app.moment(tenant).await?.now;
    let (keyring, entry) = (app.keyring.clone(), here.did(Act::AccessTokenRevoked, trail::link(id))?);
    app.db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            let link = links::find(tx, tenant, id).await?;
            if link.is_some_and(|link| link.access_token_sealed.is_some()) {
                links::revoke_access_token(tx, tenant, id, now).await?;
                audit::append(tx, &keyring, &entry).await?;
            }
            Ok::<_, citadel_store::Error>(())
        })
        .await?;
    Ok(Redirect::to(&here.url(&format!("links/{id}?done=token"))).into_response())
}
