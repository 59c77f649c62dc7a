//! Templates: looks of the widget. A bridge token names one, and its widget applies what it knows of it.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode};
use citadel_api_types::{
    error::{Detail, ErrorBody},
    templates::{Template as TemplateView, TemplatePage, WriteTemplate},
};
use citadel_domain::TemplateId;
use citadel_store::{
    Tenant, Tx,
    templates::{self, Template},
};
use serde_json::Value;

use super::{PageAsked, Params, PathId, webhooks::ListParams};
use crate::{
    app::App,
    auth::Caller,
    body::Body,
    error::{self, ApiError, ApiResult},
    idempotency::{Holds, Once},
    look::Look,
    reports,
};
use citadel_store::audit::{self, Act, Object, ObjectKind};

const MAX_NAME: usize = 128;
/// The largest template, in bytes of its JSON.
const MAX_BODY: usize = 64 << 10;
/// Keys that are ours, whatever was sent under them.
const OURS: [&str; 3] = ["id", "created_at", "updated_at"];

type Fields = BTreeMap<String, Value>;

/// List templates, oldest first.
#[utoipa::path(get, path = "/v1/templates/", tag = "bridge", params(ListParams), responses(
    (status = 200, body = citadel_api_types::page::Page<citadel_api_types::templates::Template>),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, description = "no such page", body = Detail),
))]
pub(crate) async fn list_templates(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> ApiResult<Json<TemplatePage>> {
    let tenant = caller.tenant;
    let asked = PageAsked::read(&params.page, &params.page_size)?;
    let db = app.db.scoped(tenant.client_id);
    let (count, found) = db
        .read(async move |tx| {
            let found = templates::list(tx, tenant, asked.size, asked.offset()).await?;
            Ok::<_, ApiError>((templates::count(tx, tenant).await?, found))
        })
        .await?;
    let results = found.iter().map(view).collect::<ApiResult<_>>()?;
    asked.answer(&app, "/v1/templates/", &[], count, results).map(Json)
}

/// Make a template: a name, and any JSON beside it.
#[utoipa::path(post, path = "/v1/templates/", tag = "bridge", request_body = WriteTemplate, responses(
    (status = 201, body = TemplateView),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
))]
pub(crate) async fn create_template(
    State(app): State<App>,
    caller: Caller,
    once: Once,
    Body(body): Body<WriteTemplate>,
) -> ApiResult<(StatusCode, Json<TemplateView>)> {
    let tenant = caller.tenant;
    let name = body.name.ok_or_else(|| error::invalid("name", "This field is required."))?;
    let body = checked(&name, body.look)?;
    let now = app.moment(tenant).await?.now;
    let writer = app.clone();
    let db = app.db.scoped(tenant.client_id);
    let answer = db
        .write(async move |tx| {
            let source = writer.next_id_source(tx, tenant, "template").await?;
            let id = TemplateId::generate(now, &*source);
            drop(source);
            let (name, body) = (name.clone(), body.clone());
            let new = Template { id, tenant, name, body, created_at: now, updated_at: now };
            templates::create(tx, &new).await?;
            let answer = view(&new)?;
            let entry = caller.did(&writer, Act::TemplateCreated, named(id));
            audit::append(tx, &writer.keyring, &entry).await?;
            once.keep(tx, StatusCode::CREATED, &answer, Holds::NOTHING).await?;
            Ok::<_, ApiError>(answer)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Read one template.
#[utoipa::path(get, path = "/v1/templates/{template_id}/", tag = "bridge", params(("template_id" = String, Path)), responses(
    (status = 200, body = TemplateView),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn get_template(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<TemplateId>,
) -> ApiResult<Json<TemplateView>> {
    let tenant = caller.tenant;
    let db = app.db.scoped(tenant.client_id);
    let template = db.read(async move |tx| find(tx, tenant, id).await).await?;
    view(&template).map(Json)
}

/// Change a template: each key that is sent takes the place of what stood there, and what is left out stays.
#[utoipa::path(patch, path = "/v1/templates/{template_id}/", tag = "bridge", params(("template_id" = String, Path)),
request_body = WriteTemplate, responses(
    (status = 200, body = TemplateView),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn update_template(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<TemplateId>,
    Body(body): Body<WriteTemplate>,
) -> ApiResult<Json<TemplateView>> {
    let tenant = caller.tenant;
    let now = app.moment(tenant).await?.now;
    let (entry, writer) = (caller.did(&app, Act::TemplateChanged, named(id)), app.clone());
    let db = app.db.scoped(tenant.client_id);
    let template = db
        .write(async move |tx| {
            // What is merged must not have been written by somebody else meanwhile.
            if !templates::lock(tx, tenant, id).await? {
                return Err(error::not_found());
            }
            let before = find(tx, tenant, id).await?;
            let name = body.name.clone().unwrap_or_else(|| before.name.clone());
            let mut look = fields(&before)?;
            look.extend(body.look.clone());
            let body = checked(&name, look)?;
            let after = Template { name, body, updated_at: now, ..before };
            templates::update(tx, &after).await?;
            audit::append(tx, &writer.keyring, &entry).await?;
            Ok::<_, ApiError>(after)
        })
        .await?;
    view(&template).map(Json)
}

/// Delete a template. Bridge tokens that name it open the widget in its own look.
#[utoipa::path(delete, path = "/v1/templates/{template_id}/", tag = "bridge", params(("template_id" = String, Path)), responses(
    (status = 204, description = "removed"),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn delete_template(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<TemplateId>,
) -> ApiResult<StatusCode> {
    let tenant = caller.tenant;
    let db = app.db.scoped(tenant.client_id);
    let (entry, writer) = (caller.did(&app, Act::TemplateDeleted, named(id)), app.clone());
    let delete = db.write(async move |tx| {
        if !templates::delete(tx, tenant, id).await? {
            return Err(error::not_found());
        }
        audit::append(tx, &writer.keyring, &entry).await?;
        Ok::<_, ApiError>(StatusCode::NO_CONTENT)
    });
    delete.await
}

/// What the widget applies of a template. One that an older version took and this one would not changes nothing.
pub(crate) fn look(template: &Template) -> ApiResult<Look> {
    Ok(Look::read(&fields(template)?.into_iter().collect()).unwrap_or_default())
}

/// As the audit trail names it.
const fn named(id: TemplateId) -> Object {
    Object::of(ObjectKind::Template, id.as_bytes())
}

async fn find(tx: &mut Tx<'_>, tenant: Tenant, id: TemplateId) -> ApiResult<Template> {
    templates::find(tx, tenant, id).await?.ok_or_else(error::not_found)
}

/// The JSON to keep, if all of it can be.
fn checked(name: &str, mut look: Fields) -> ApiResult<String> {
    look.retain(|key, _| !OURS.contains(&key.as_str()));
    let mut problems = Vec::new();
    if name.trim().is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        problems.push(("name".to_owned(), format!("Send at most {MAX_NAME} characters on one line.")));
    }
    let body = serde_json::to_string(&look).map_err(error::internal)?;
    if let Err(wrong) = Look::read(&look.into_iter().collect()) {
        problems.extend(wrong);
    }
    if !problems.is_empty() {
        return Err(error::invalid_fields(problems));
    }
    if body.len() > MAX_BODY {
        return Err(error::malformed("A template has at most 64 KiB of JSON."));
    }
    Ok(body)
}

fn fields(template: &Template) -> ApiResult<Fields> {
    serde_json::from_str(&template.body).map_err(error::internal)
}

fn view(template: &Template) -> ApiResult<TemplateView> {
    Ok(TemplateView {
        id: template.id.to_string(),
        name: template.name.clone(),
        created_at: reports::time(template.created_at),
        updated_at: reports::time(template.updated_at),
        look: fields(template)?,
    })
}
