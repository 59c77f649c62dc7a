//! Webhooks: the endpoints to which a client's events are delivered.

use axum::{Json, extract::State, http::StatusCode};
use citadel_api_types::{
    error::{Detail, ErrorBody},
    webhook_endpoints::{
        CreateWebhook, UpdateWebhook, Webhook as WebhookView, WebhookPage, WebhookWithSecret,
    },
};
use citadel_domain::WebhookId;
use citadel_store::{
    audit::Act,
    webhooks::{self, Webhook},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Params, PathId};
use crate::{
    app::App,
    auth::Caller,
    body::Body,
    error::{self, ApiError, ApiResult},
    idempotency::{Holds, Once},
    reports,
    webhooks::{
        endpoints::{self, Problems},
        secrets,
    },
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// From 1.
    pub(crate) page: Option<String>,
    /// 1 to 100.
    pub(crate) page_size: Option<String>,
}

/// List the endpoints of your environment, oldest first.
#[utoipa::path(get, path = "/v1/webhooks/", tag = "webhooks", params(ListParams), responses(
    (status = 200, body = citadel_api_types::page::Page<citadel_api_types::webhook_endpoints::Webhook>),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, description = "no such page", body = Detail),
))]
pub(crate) async fn list_webhooks(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> ApiResult<Json<WebhookPage>> {
    let tenant = caller.tenant;
    let db = app.db.scoped(tenant.client_id);
    let found = db.read(async move |tx| webhooks::list(tx, tenant).await).await?;
    let page = super::page_of(&app, "/v1/webhooks/", &[], &params.page, &params.page_size, found)?;
    Ok(Json(page.map(|webhook| view(&webhook))))
}

/// Register an endpoint. The answer has its secret, this once.
#[utoipa::path(post, path = "/v1/webhooks/", tag = "webhooks", request_body = CreateWebhook, responses(
    (status = 201, body = WebhookWithSecret),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
))]
pub(crate) async fn create_webhook(
    State(app): State<App>,
    caller: Caller,
    once: Once,
    Body(body): Body<CreateWebhook>,
) -> ApiResult<(StatusCode, Json<WebhookWithSecret>)> {
    let tenant = caller.tenant;
    let now = app.moment(tenant).await?.now;
    Problems::of_new(&app, tenant, &body)?;
    let entry = caller.did(&app, Act::WebhookCreated, endpoints::NEW);
    let writer = app.clone();
    let answer = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            let (webhook, secret) = endpoints::create(tx, &writer, tenant, &body, now, &entry).await?;
            let answer = WebhookWithSecret { webhook: view(&webhook), secret: secret.expose().into() };
            once.keep(tx, StatusCode::CREATED, &answer, Holds::NOTHING).await?;
            Ok::<_, ApiError>(answer)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Read one endpoint.
#[utoipa::path(get, path = "/v1/webhooks/{webhook_id}/", tag = "webhooks", params(("webhook_id" = String, Path)), responses(
    (status = 200, body = WebhookView),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn get_webhook(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<WebhookId>,
) -> ApiResult<Json<WebhookView>> {
    let tenant = caller.tenant;
    let db = app.db.scoped(tenant.client_id);
    let webhook = db.read(async move |tx| endpoints::find(tx, tenant, id).await).await?;
    Ok(Json(view(&webhook)))
}

/// Change an endpoint: only what is sent changes.
#[utoipa::path(patch, path = "/v1/webhooks/{webhook_id}/", tag = "webhooks", params(("webhook_id" = String, Path)),
request_body = UpdateWebhook, responses(
    (status = 200, body = WebhookView),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn update_webhook(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<WebhookId>,
    Body(body): Body<UpdateWebhook>,
) -> ApiResult<Json<WebhookView>> {
    let tenant = caller.tenant;
    let moment = app.moment(tenant).await?;
    let problems = Problems::of_change(&app, tenant, &body);
    let entry = caller.did(&app, Act::WebhookChanged, endpoints::named(id));
    let writer = app.clone();
    let webhook = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            endpoints::update(tx, &writer, (tenant, id), (&body, &problems), moment, &entry).await
        })
        .await?;
    app.ring_events();
    Ok(Json(view(&webhook)))
}

/// Remove an endpoint. What waits for it is dropped.
#[utoipa::path(delete, path = "/v1/webhooks/{webhook_id}/", tag = "webhooks", params(("webhook_id" = String, Path)), responses(
    (status = 204, description = "removed"),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn delete_webhook(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<WebhookId>,
) -> ApiResult<StatusCode> {
    let tenant = caller.tenant;
    let live = app.clock.now();
    let entry = caller.did(&app, Act::WebhookDeleted, endpoints::named(id));
    let writer = app.clone();
    let deleted = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| endpoints::delete(tx, &writer, (tenant, id), live, &entry).await)
        .await?;
    app.ring_events();
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(error::not_found()) }
}

/// Give an endpoint a new secret. The old one signs beside it for 24 hours.
#[utoipa::path(post, path = "/v1/webhooks/{webhook_id}/rotate-secret/", tag = "webhooks", params(("webhook_id" = String, Path)), responses(
    (status = 200, body = WebhookWithSecret),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
    (status = 409, description = "changed less than 24 hours ago", body = ErrorBody),
))]
pub(crate) async fn rotate_webhook_secret(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<WebhookId>,
    once: Once,
) -> ApiResult<Json<WebhookWithSecret>> {
    let tenant = caller.tenant;
    let now = app.moment(tenant).await?.now;
    let (secret, sealed) = secrets::generate(&app, tenant, id)?;
    let entry = caller.did(&app, Act::WebhookSecretRotated, endpoints::named(id));
    let writer = app.clone();
    let answer = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            let webhook = endpoints::rotate_secret(tx, &writer, (tenant, id), &sealed, now, &entry).await?;
            let answer = WebhookWithSecret { webhook: view(&webhook), secret: secret.expose().into() };
            once.keep(tx, StatusCode::OK, &answer, Holds::NOTHING).await?;
            Ok::<_, ApiError>(answer)
        })
        .await?;
    Ok(Json(answer))
}

fn view(webhook: &Webhook) -> WebhookView {
    WebhookView {
        id: webhook.id.to_string(),
        name: webhook.name.clone(),
        webhook_url: webhook.url.clone(),
        events: webhook.events.clone(),
        env_type: webhook.tenant.environment.to_string(),
        enabled: webhook.is_enabled,
        disabled_because: webhook.disabled_because.clone(),
        created_at: reports::time(webhook.created_at),
        updated_at: reports::time(webhook.updated_at),
    }
}
