//! The first owner, made with a code that only who runs the server can read (P58).

use std::{fs, io, os::unix::fs::OpenOptionsExt, path::Path};

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use citadel_domain::{ClientId, MemberId, Random, Role, Secret, tokens};
use citadel_store::{
    Db, Keyring,
    audit::{Act, append},
    clients::{self, NewClient},
    dashboard_sessions,
    members::{self, NewMember},
};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{
    guard::Visit,
    members::check_person,
    page::{Frame, PageError, PageResult, show_as},
    password, session,
};
use crate::{admin, app::App, purposes};

/// How long a code is good.
const LIFE: SignedDuration = SignedDuration::from_hours(1);

/// The code's file in the data directory.
const FILE: &str = "setup-code";

#[derive(Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    code: String,
}

#[derive(Deserialize)]
pub(super) struct Sent {
    code: String,
    name: String,
    email: String,
    password: Secret,
    #[serde(default)]
    client: String,
}

#[derive(Template)]
#[template(path = "dashboard/set-up.html")]
struct Page {
    frame: Frame,
    code: String,
    name: String,
    email: String,
    client: String,
    asks_client: bool,
    problem: Option<String>,
}

/// Makes a code with which an owner can be made: its keyed hash goes to the store, and the code to whoever asked.
pub(crate) async fn new_code(
    db: &Db,
    keyring: &Keyring,
    random: &dyn Random,
    now: Timestamp,
) -> Result<Secret, citadel_store::Error> {
    let code = tokens::generate_token(random);
    let hash = keyring.keyed_hash(purposes::SETUP_CODE, code.expose());
    db.write(async move |tx| members::add_setup_code(tx, &hash, now + LIFE).await).await?;
    Ok(code)
}

/// A code for the first start: when there is no member yet. It goes to a file that only this user reads.
pub(crate) async fn first_code(app: &App, data_dir: &Path) -> Result<Option<Secret>, citadel_store::Error> {
    if app.db.read(async |tx| members::is_any(tx).await).await? {
        return Ok(None);
    }
    let code = new_code(&app.db, &app.keyring, &*app.random, app.clock.now()).await?;
    if let Err(error) = write_file(&data_dir.join(FILE), &code) {
        tracing::warn!(error.cause = %error, "the set-up code could not be written into the data directory");
    }
    Ok(Some(code))
}

fn write_file(path: &Path, code: &Secret) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    io::Write::write_all(&mut file, format!("{}\n", code.expose()).as_bytes())
}

pub(super) async fn get_set_up(
    State(app): State<App>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> PageResult<Response> {
    let asks_client = app.db.read(async |tx| clients::list(tx).await).await?.is_empty();
    let page = Page {
        frame: visit.frame("set-up"),
        code: asked.code,
        name: String::new(),
        email: String::new(),
        client: String::new(),
        asks_client,
        problem: None,
    };
    show_as(StatusCode::OK, &page)
}

pub(super) async fn set_up(
    State(app): State<App>,
    visit: Visit,
    headers: HeaderMap,
    Form(sent): Form<Sent>,
) -> PageResult<Response> {
    let now = visit.now;
    let asks_client = app.db.read(async |tx| clients::list(tx).await).await?.is_empty();
    let again = |problem: String| {
        let page = Page {
            frame: visit.frame("set-up"),
            code: sent.code.clone(),
            name: sent.name.clone(),
            email: sent.email.clone(),
            client: sent.client.clone(),
            asks_client,
            problem: Some(problem),
        };
        show_as(StatusCode::BAD_REQUEST, &page)
    };
    let (email, name) = match check_person(&sent.email, &sent.name) {
        Ok(person) => person,
        Err(problem) => return again(problem),
    };
    if let Some(problem) = password::weakness(&sent.password, &[&email, &name]) {
        return again(problem);
    }
    let client = sent.client.trim();
    if asks_client && let Err(problem) = admin::check_name(client) {
        return again(problem.to_string());
    }
    let hash = app.keyring.keyed_hash(purposes::SETUP_CODE, sent.code.trim());
    // Before the work of a hash is done for a stranger.
    if !app.db.read(async move |tx| members::has_setup_code(tx, &hash, now).await).await? {
        return again("This code is not good, or no longer. A restart of the server writes a new one while nobody has signed up; `citadel setup-code` always makes one.".to_owned());
    }
    let new = NewMember {
        id: MemberId::generate(now, &*app.random),
        client_id: None,
        email,
        name,
        role: Role::Owner,
        password_hash: password::hash(sent.password.clone(), &*app.random).await?,
        created_at: now,
    };
    let new_client = asks_client.then(|| NewClient {
        id: ClientId::generate(now, &*app.random),
        name: client.to_owned(),
        allowed_origins: Vec::new(),
        created_at: now,
    });
    let (begun, cookie) = session::new(&app, &headers, new.id, None, now);
    let (keyring, entry) = (app.keyring.clone(), visit.began(new.id, None, Act::OwnerSetUp));
    let client_entry = new_client.as_ref().map(|client| visit.made_client(new.id, client.id));
    let made = app
        .db
        .write(async move |tx| {
            if !members::spend_setup_code(tx, &hash, now).await? {
                return Ok::<_, PageError>(Err("This code was used already."));
            }
            if !members::create(tx, &new).await? {
                return Ok(Err("Somebody has signed up with this address."));
            }
            if let Some(client) = &new_client {
                clients::create(tx, client).await?;
            }
            dashboard_sessions::create(tx, &begun).await?;
            append(tx, &keyring, &entry).await?;
            if let Some(entry) = &client_entry {
                append(tx, &keyring, entry).await?;
            }
            Ok(Ok(()))
        })
        .await?;
    match made {
        Ok(()) => Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/factor")).into_response()),
        Err(problem) => again(problem.to_owned()),
    }
}
