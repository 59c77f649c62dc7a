//! Step 3 of a verification: the consumer signs in, and a link and a task are born.

use axum::{Json, extract::State, http::StatusCode};
use citadel_connectors::Login;
use citadel_domain::{LinkId, TaskId, TaskStatus};
use citadel_store::{
    Place, Tx, bridge_tokens,
    links::{self, Link, NewLink},
    logins::{self, NewLogin},
    tasks::{self, NewTask},
};
use jiff::SignedDuration;
use serde::Deserialize;

use super::{
    MAX_FIELD, enqueue_run,
    task::{TaskView, view},
};
use crate::{
    app::App,
    auth::BridgeSession,
    body::Body,
    error::{self, ApiError, ApiResult},
    jobs::events,
};

/// How many links one bridge token may make (P8).
const MAX_LINKS: i64 = 10;
/// How long a sign-in is kept while its task runs.
const LOGIN_LIFE: SignedDuration = SignedDuration::from_mins(15);

/// A sign-in. Class S1: it goes from here into a seal.
#[derive(Deserialize)]
pub(crate) struct CreateTask {
    provider_id: String,
    #[serde(default)]
    company_mapping_id: Option<String>,
    login: Login,
}

/// The consumer signs in: a link and a task are born, the login is sealed, and the work is queued, in one transaction.
pub(crate) async fn create_task(
    State(app): State<App>,
    session: BridgeSession,
    Body(body): Body<CreateTask>,
) -> ApiResult<(StatusCode, Json<TaskView>)> {
    let now = app.clock.now();
    let token = session.token;
    let company = body.company_mapping_id.as_deref().filter(|id| !id.is_empty());
    // What the token names wins over what the page says.
    let company_id = match token.company_mapping_id {
        Some(id) => Some(id),
        None => company
            .map(|id| {
                app.directory
                    .company(id)
                    .map(|company| company.id)
                    .ok_or_else(|| error::invalid("company_mapping_id", "Unknown company."))
            })
            .transpose()?,
    };
    let provider_id = token.provider_id.clone().unwrap_or(body.provider_id);
    if app.directory.provider(&provider_id).is_none() {
        return Err(error::invalid("provider_id", "Unknown provider."));
    }
    check_login(&app, &token, &provider_id, &body.login)?;

    let task_id = TaskId::generate(now, &*app.random);
    let login_place = |column| Place::new(token.tenant, "logins", column, *task_id.as_bytes());
    let (login_key, key_wrapped) = app.keyring.new_data_key(&login_place("key_wrapped"))?;
    let login_json = serde_json::to_vec(&body.login).map(zeroize::Zeroizing::new).map_err(error::internal)?;
    let login = NewLogin {
        task_id,
        tenant: token.tenant,
        key_wrapped,
        login_sealed: login_key.seal(&login_place("login_sealed"), &login_json)?,
        expires_at: now + LOGIN_LIFE,
    };
    let link_id = LinkId::generate(now, &*app.random);
    let key_place = Place::new(token.tenant, "links", "data_key_wrapped", *link_id.as_bytes());
    let (_, data_key_wrapped) = app.keyring.new_data_key(&key_place)?;
    let new_link = NewLink {
        id: link_id,
        tenant: token.tenant,
        bridge_token_id: token.id,
        provider_id,
        company_mapping_id: company_id,
        tracking_info: token.tracking_info.clone(),
        product: token.product,
        allowed_products: token.allowed_products.clone(),
        data_key_wrapped,
        created_at: now,
    };
    let writer = app.clone();
    let (task, link) = app
        .db
        .write(async move |tx| {
            let link = find_or_create_link(tx, &token, &new_link).await?;
            let task = NewTask {
                id: task_id,
                tenant: token.tenant,
                link_id: link.id,
                bridge_token_id: Some(token.id),
                access_key_id: token.access_key_id,
                product: token.product,
                kind: tasks::Kind::Initial,
                created_at: now,
            };
            let task = tasks::create(tx, &task).await?;
            logins::put(tx, &login).await?;
            enqueue_run(&writer, tx, &task, now).await?;
            events::append_status(&writer, tx, &task, &link, TaskStatus::New, now).await?;
            Ok::<_, ApiError>((task, link))
        })
        .await?;
    app.job_bell.notify_one();
    Ok((StatusCode::CREATED, Json(view(&app, &task, &link)?)))
}

/// The fields that the provider asks for must be there; nothing else is kept.
fn check_login(
    app: &App,
    token: &bridge_tokens::BridgeToken,
    provider_id: &str,
    login: &Login,
) -> ApiResult<()> {
    let connector = app.connectors.find(token.tenant.environment, provider_id);
    let fields = connector.map(|connector| connector.describe().login_fields).unwrap_or_default();
    let mut problems = Vec::new();
    for field in fields {
        let value = login.get(field.name);
        if value.is_empty() {
            problems.push((format!("login.{}", field.name), "This field is required.".to_owned()));
        } else if value.len() > MAX_FIELD {
            problems.push((format!("login.{}", field.name), format!("At most {MAX_FIELD} bytes.")));
        }
    }
    if login.0.len() > fields.len() {
        problems.push(("login".to_owned(), "Send only the fields of the provider's form.".to_owned()));
    }
    if problems.is_empty() { Ok(()) } else { Err(error::invalid_fields(problems)) }
}

/// A second try at the same provider goes on with the same link; a token that repairs a link stays with that link.
async fn find_or_create_link(
    tx: &mut Tx<'_>,
    token: &bridge_tokens::BridgeToken,
    new: &NewLink,
) -> ApiResult<Link> {
    if let Some(link_id) = token.link_id {
        return links::find(tx, token.tenant, link_id).await?.ok_or_else(error::not_found);
    }
    if let Some(link) = links::find_unfinished(tx, token, &new.provider_id).await?
        && link.company_mapping_id == new.company_mapping_id
    {
        return Ok(link);
    }
    if !bridge_tokens::count_link(tx, token, MAX_LINKS).await? {
        return Err(error::forbidden(
            "This session has made as many connections as it may. Go back and start again.",
        ));
    }
    Ok(links::create(tx, new).await?)
}
