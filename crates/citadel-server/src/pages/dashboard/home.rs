//! Where one lands: the clients, and of one client what to do first.

use askama::Template;
use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use citadel_domain::ClientId;
use citadel_store::{
    access_keys,
    audit::append,
    clients::{self, NewClient},
    links,
};
use serde::Deserialize;

use super::{
    guard::{Here, Visit},
    page::{Frame, PageError, PageResult, show},
};
use crate::{admin, app::App};

#[derive(Template)]
#[template(path = "dashboard/clients.html")]
struct ClientsPage {
    frame: Frame,
    clients: Vec<(String, String)>,
    sees_all: bool,
}

/// The one client that the member sees, or the list of all.
pub(super) async fn get_home(State(app): State<App>, visit: Visit) -> PageResult<Response> {
    let member = visit.member()?;
    let all = app.db.read(async |tx| clients::list(tx).await).await?;
    let seen: Vec<_> = all.iter().filter(|client| member.sees(client.id)).collect();
    if let [only] = seen[..] {
        return Ok(Redirect::to(&format!("/c/{}/sandbox/", only.id)).into_response());
    }
    show(&ClientsPage {
        clients: seen.iter().map(|client| (client.id.to_string(), client.name.clone())).collect(),
        sees_all: member.client_id.is_none(),
        frame: visit.frame("clients"),
    })
}

#[derive(Deserialize)]
pub(super) struct Made {
    name: String,
}

pub(super) async fn create_client(
    State(app): State<App>,
    visit: Visit,
    Form(sent): Form<Made>,
) -> PageResult<Response> {
    if visit.member()?.client_id.is_some() {
        return Err(PageError::refused(StatusCode::FORBIDDEN, "Only who owns every client makes new ones."));
    }
    let name = sent.name.trim().to_owned();
    admin::check_name(&name).map_err(|problem| PageError::wrong(problem.to_string()))?;
    let (now, id) = (visit.now, ClientId::generate(visit.now, &*app.random));
    let new = NewClient { id, name, allowed_origins: Vec::new(), created_at: now };
    let (keyring, entry) = (app.keyring.clone(), visit.made_client(visit.member()?.id, id));
    app.db
        .write(async move |tx| {
            clients::create(tx, &new).await?;
            append(tx, &keyring, &entry).await
        })
        .await?;
    tracing::info!(client.id = %id, "client created");
    Ok(Redirect::to(&format!("/c/{id}/sandbox/keys")).into_response())
}

#[derive(Template)]
#[template(path = "dashboard/start.html")]
struct StartPage {
    frame: Frame,
    keys: usize,
    has_link: bool,
    public_url: String,
}

/// What is there, and the next step.
pub(super) async fn get_start(State(app): State<App>, here: Here) -> PageResult<Response> {
    let tenant = here.tenant;
    let (keys, has_link) = app
        .db
        .scoped(tenant.client_id)
        .read(async move |tx| {
            let keys = access_keys::list_active(tx, tenant.client_id).await?;
            let keys = keys.iter().filter(|key| key.environment == tenant.environment).count();
            let has_link = !links::list(tx, tenant, None, 1, 0).await?.is_empty();
            Ok::<_, citadel_store::Error>((keys, has_link))
        })
        .await?;
    let public_url = app.public_url.clone();
    show(&StartPage { frame: here.frame("start"), keys, has_link, public_url })
}
