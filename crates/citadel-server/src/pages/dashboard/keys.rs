//! API keys and the origins whose pages may show the widget.

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use citadel_domain::{AccessKeyId, Environment, Secret};
use citadel_store::{
    Place, Tenant,
    access_keys::{self, AccessKey},
    audit::{Act, Detail, Entry, Object, ObjectKind, append},
    calls::{self, Filter},
    clients,
};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{
    guard::Here,
    page::{Frame, PageError, PageResult, show_as, time},
};
use crate::{admin, app::App, new_key::NewKey};

/// The longest name of a key.
const LONGEST_NAME: usize = 60;
/// How long calls are kept.
const CALLS_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

#[derive(Template)]
#[template(path = "dashboard/keys.html")]
struct Page {
    frame: Frame,
    client_id: String,
    keys: Vec<KeyLine>,
    origins: Vec<String>,
    made: Option<Made>,
    api_url: String,
    has_room: bool,
    problem: Option<String>,
}

struct KeyLine {
    id: String,
    name: String,
    last_four: String,
    is_masked: bool,
    created: String,
    last_used: String,
}

/// A key that was just made. Its secret is shown this once (P3).
struct Made {
    secret: Secret,
}

#[derive(Default, Deserialize)]
pub(super) struct Asked {
    done: Option<String>,
}

pub(super) async fn get_keys(
    State(app): State<App>,
    here: Here,
    Query(asked): Query<Asked>,
) -> PageResult<Response> {
    let notice = asked.done.as_deref().and_then(|done| match done {
        "deleted" => Some("The key has ended, with the bridge tokens that were made with it."),
        "origins" => Some("The allowed origins are changed. New widgets follow them."),
        _ => None,
    });
    show_keys(&app, &here, notice, None, None).await
}

async fn show_keys(
    app: &App,
    here: &Here,
    notice: Option<&str>,
    made: Option<Made>,
    problem: Option<String>,
) -> PageResult<Response> {
    let tenant = here.tenant;
    let (keys, client) = app
        .db
        .scoped(tenant.client_id)
        .read(async move |tx| {
            let mut keys = Vec::new();
            for key in access_keys::list_active(tx, tenant.client_id).await? {
                if key.environment == tenant.environment {
                    let filter = Filter { access_key_id: Some(key.id), ..Filter::default() };
                    let newest = calls::list(tx, tenant, &filter, None, 1).await?.pop();
                    keys.push((key, newest.map(|call| call.received_at())));
                }
            }
            Ok::<_, citadel_store::Error>((keys, clients::find(tx, tenant.client_id).await?))
        })
        .await?;
    let line = |(key, last_used): &(AccessKey, Option<Timestamp>)| KeyLine {
        id: key.id.to_string(),
        name: if key.name.is_empty() { "(no name)".to_owned() } else { key.name.clone() },
        last_four: last_four(app, key),
        is_masked: key.is_masked,
        created: time(key.created_at),
        last_used: match last_used {
            Some(at) => time(*at),
            None if here.visit.now.duration_since(key.created_at) > CALLS_KEPT => {
                "not in the last 30 days".to_owned()
            }
            None => "never".to_owned(),
        },
    };
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let page = Page {
        frame: here.frame("keys").saying(notice),
        client_id: tenant.client_id.to_string(),
        has_room: keys.len() < 2,
        keys: keys.iter().map(line).collect(),
        origins: client.map(|client| client.allowed_origins).unwrap_or_default(),
        made,
        api_url: format!("{}/v1/", app.public_url),
        problem,
    };
    show_as(status, &page)
}

#[derive(Deserialize)]
pub(super) struct New {
    name: String,
    /// There when the box is ticked.
    masked: Option<String>,
}

pub(super) async fn create_key(
    State(app): State<App>,
    here: Here,
    Form(sent): Form<New>,
) -> PageResult<Response> {
    let (tenant, now) = (here.tenant, here.visit.now);
    let name = sent.name.trim();
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        let problem = format!("A key's name has at most {LONGEST_NAME} characters.");
        return show_keys(&app, &here, None, None, Some(problem)).await;
    }
    if tenant.environment == Environment::Prod && !app.makes_prod_keys {
        let problem = "Keys for prod are made under CITADEL_PROFILE=production only.".to_owned();
        return show_keys(&app, &here, None, None, Some(problem)).await;
    }
    let NewKey { mut row, secret } = NewKey::generate(&app.keyring, &*app.random, tenant, now)?;
    name.clone_into(&mut row.name);
    row.is_masked = sent.masked.is_some();
    let detail = if row.is_masked { Detail::NONE.word("kind", "masked") } else { Detail::NONE };
    let id = row.id;
    let object = Object::of(ObjectKind::AccessKey, id.as_bytes());
    let entry = Entry { detail, ..here.did(Act::AccessKeyCreated, object)? };
    let keyring = app.keyring.clone();
    let is_made = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            let is_made = access_keys::create(tx, &row).await?;
            if is_made {
                append(tx, &keyring, &entry).await?;
            }
            Ok::<_, citadel_store::Error>(is_made)
        })
        .await?;
    if !is_made {
        let problem = "This environment has two active keys. Delete one first.".to_owned();
        return show_keys(&app, &here, None, None, Some(problem)).await;
    }
    tracing::info!(client.id = %tenant.client_id, access_key.id = %id, "access key created");
    show_keys(&app, &here, None, Some(Made { secret }), None).await
}

#[derive(Deserialize)]
pub(super) struct Deleted {
    id: String,
}

pub(super) async fn delete_key(
    State(app): State<App>,
    here: Here,
    Form(sent): Form<Deleted>,
) -> PageResult<Response> {
    let id: AccessKeyId = sent.id.parse().map_err(|_| PageError::not_found())?;
    let (tenant, stamp) = (here.tenant, app.deletion_stamp());
    let object = Object::of(ObjectKind::AccessKey, id.as_bytes());
    let (keyring, entry) = (app.keyring.clone(), here.did(Act::AccessKeyDeleted, object)?);
    let is_deleted = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            let keys = access_keys::list_active(tx, tenant.client_id).await?;
            // A key of another environment of the client is not on this page.
            if !keys.iter().any(|key| key.id == id && key.environment == tenant.environment) {
                return Ok::<_, citadel_store::Error>(false);
            }
            let is_deleted = access_keys::delete(tx, tenant.client_id, id, stamp).await?;
            if is_deleted {
                append(tx, &keyring, &entry).await?;
            }
            Ok(is_deleted)
        })
        .await?;
    if !is_deleted {
        return Err(PageError::not_found());
    }
    tracing::info!(client.id = %tenant.client_id, access_key.id = %id, "access key deleted");
    Ok(Redirect::to(&here.url("keys?done=deleted")).into_response())
}

#[derive(Deserialize)]
pub(super) struct Origins {
    origins: String,
}

pub(super) async fn set_origins(
    State(app): State<App>,
    here: Here,
    Form(sent): Form<Origins>,
) -> PageResult<Response> {
    let origins: Vec<String> = sent.origins.split_whitespace().map(str::to_owned).collect();
    if let Some(problem) = origins.iter().find_map(|origin| admin::check_origin(origin).err()) {
        return show_keys(&app, &here, None, None, Some(problem.to_string())).await;
    }
    let client_id = here.tenant.client_id;
    let object = Object::of(ObjectKind::Client, client_id.as_bytes());
    let (keyring, entry) = (app.keyring.clone(), here.did(Act::OriginsChanged, object)?);
    app.db
        .scoped(client_id)
        .write(async move |tx| {
            clients::set_origins(tx, client_id, &origins).await?;
            append(tx, &keyring, &entry).await
        })
        .await?;
    Ok(Redirect::to(&here.url("keys?done=origins")).into_response())
}

/// The end of a key's secret, by which its holder knows it.
fn last_four(app: &App, key: &AccessKey) -> String {
    let tenant = Tenant { client_id: key.client_id, environment: key.environment };
    let place = Place::new(tenant, "access_keys", "secret_sealed", *key.id.as_bytes());
    let secret = app.keyring.unseal(&place, &key.secret_sealed).ok();
    let text = secret.as_ref().and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.and_then(|text| text.get(text.len().saturating_sub(4)..)).unwrap_or("????").to_owned()
}
