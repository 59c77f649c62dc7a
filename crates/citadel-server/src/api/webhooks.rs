//! Webhooks: the endpoints to which a client's events are delivered.

use axum::{Json, extract::State, http::StatusCode};
use citadel_api_types::{
    error::{Detail, ErrorBody},
    webhook_endpoints::{
        CreateWebhook, UpdateWebhook, Webhook as WebhookView, WebhookPage, WebhookWithSecret,
    },
    webhooks::EVENT_TYPES,
};
use citadel_domain::{Environment, JobId, WebhookId};
use citadel_store::{
    Tenant, Tx, jobs,
    webhooks::{self, NewWebhook, Webhook},
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
    moment::Moment,
    outbound::guard::REFUSED,
    reports,
    webhooks::secrets,
};

/// Endpoints per environment.
const MAX_WEBHOOKS: usize = 10;
const MAX_NAME: usize = 128;
const MAX_URL: usize = 2048;

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
    let mut problems = Problems::default();
    problems.check_name(&body.name);
    problems.check_url(&app, tenant, &body.webhook_url);
    problems.check_environment(tenant, &body.env_type);
    problems.check_events(&body.events);
    problems.into_result()?;

    let new = NewWebhook {
        id: WebhookId::from_bytes([0; 16]),
        tenant,
        name: body.name,
        url: body.webhook_url,
        events: without_repeats(body.events),
        secret_sealed: Vec::new(),
        created_at: now,
    };
    let writer = app.clone();
    let answer = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            webhooks::lock(tx, tenant.client_id).await?;
            let others = webhooks::list(tx, tenant).await?;
            check_unused(&others, None, &new.url)?;
            if others.len() >= MAX_WEBHOOKS {
                let message =
                    format!("This environment has {MAX_WEBHOOKS} endpoints already: delete one first.");
                return Err(error::invalid("webhook_url", message));
            }
            let id = WebhookId::generate(now, &*writer.next_id_source(tx, tenant, "webhook").await?);
            // Sealed for its place, which the id is a part of.
            let (secret, secret_sealed) = secrets::generate(&writer, tenant, id)?;
            webhooks::create(tx, &NewWebhook { id, secret_sealed, ..new.clone() }).await?;
            let webhook = view(&find(tx, tenant, id).await?);
            let answer = WebhookWithSecret { webhook, secret: secret.expose().into() };
            once.keep(tx, StatusCode::CREATED, &answer, Holds::NOTHING).await?;
            Ok(answer)
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
    let webhook = db.read(async move |tx| find(tx, tenant, id).await).await?;
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
    let Moment { now, live, .. } = app.moment(tenant).await?;
    let mut problems = Problems::default();
    if let Some(name) = &body.name {
        problems.check_name(name);
    }
    if let Some(url) = &body.webhook_url {
        problems.check_url(&app, tenant, url);
    }
    if let Some(environment) = &body.env_type {
        problems.check_environment(tenant, environment);
    }
    if let Some(events) = &body.events {
        problems.check_events(events);
    }
    let problems = problems.into_result();
    let webhook = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            webhooks::lock(tx, tenant.client_id).await?;
            // Of a foreign endpoint nothing is said but that it is not there, whatever else is wrong.
            find(tx, tenant, id).await?;
            if let Err(fields) = &problems {
                return Err(error::invalid_fields(fields.0.clone()));
            }
            // The dispatcher looks at what has changed. It takes its job's row first, and so must we.
            jobs::wake(tx, JobId::from_bytes(*id.as_bytes()), live).await?;
            // Held until the commit, so that what the dispatcher notes meanwhile is neither overlooked nor undone.
            webhooks::hold(tx, tenant, id).await?;
            let mut webhook = find(tx, tenant, id).await?;
            if let Some(url) = &body.webhook_url {
                check_unused(&webhooks::list(tx, tenant).await?, Some(id), url)?;
            }
            apply(&mut webhook, body.clone());
            webhooks::update(tx, &webhook, now).await?;
            find(tx, tenant, id).await
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
    let deleted = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            find(tx, tenant, id).await?;
            jobs::wake(tx, JobId::from_bytes(*id.as_bytes()), live).await?;
            Ok::<_, ApiError>(webhooks::delete(tx, tenant, id).await?)
        })
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
    let writer = app.clone();
    let answer = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            // Two rotations at once must not both take the same old secret along.
            webhooks::lock(tx, tenant.client_id).await?;
            let webhook = find(tx, tenant, id).await?;
            // A third secret would cut the first one's time short.
            if webhook.previous.as_ref().is_some_and(|(_, until)| *until > now) {
                return Err(error::conflict(
                    "The secret before still signs: it can be changed again after 24 hours.",
                ));
            }
            let previous = secrets::seal_as_previous(&writer, &webhook)?;
            webhooks::rotate_secret(tx, tenant, id, &sealed, &previous, now + secrets::OVERLAP, now).await?;
            let webhook = view(&find(tx, tenant, id).await?);
            let answer = WebhookWithSecret { webhook, secret: secret.expose().into() };
            once.keep(tx, StatusCode::OK, &answer, Holds::NOTHING).await?;
            Ok(answer)
        })
        .await?;
    Ok(Json(answer))
}

/// The caller's endpoint, or 404.
pub(crate) async fn find(tx: &mut Tx<'_>, tenant: Tenant, id: WebhookId) -> ApiResult<Webhook> {
    webhooks::find(tx, tenant, id).await?.ok_or_else(error::not_found)
}

fn apply(webhook: &mut Webhook, body: UpdateWebhook) {
    if let Some(name) = body.name {
        webhook.name = name;
    }
    if let Some(url) = body.webhook_url {
        webhook.url = url;
    }
    if let Some(events) = body.events {
        webhook.events = without_repeats(events);
    }
    if let Some(is_enabled) = body.enabled
        && is_enabled != webhook.is_enabled
    {
        webhook.is_enabled = is_enabled;
        webhook.disabled_because = None;
        webhook.failing_since = None;
    }
}

fn without_repeats(mut events: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    events.retain(|event| seen.insert(event.clone()));
    events
}

/// One address is registered once, in whatever spelling.
fn check_unused(others: &[Webhook], own: Option<WebhookId>, url: &str) -> ApiResult<()> {
    let same = |one: &str| one == url || reqwest::Url::parse(one).ok() == reqwest::Url::parse(url).ok();
    if others.iter().any(|other| Some(other.id) != own && same(&other.url)) {
        return Err(error::invalid("webhook_url", "This URL is already registered for this environment."));
    }
    Ok(())
}

/// Every field that is wrong, so that one answer names them all.
#[derive(Default)]
struct Problems(Vec<(String, String)>);

impl Problems {
    fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push((field.to_owned(), message.into()));
    }

    fn check_name(&mut self, name: &str) {
        if name.trim().is_empty() {
            self.add("name", "This field is required.");
        } else if name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
            self.add("name", format!("Send at most {MAX_NAME} characters on one line."));
        }
    }

    fn check_url(&mut self, app: &App, tenant: Tenant, url: &str) {
        if url.is_empty() {
            self.add("webhook_url", "This field is required.");
        } else if url.len() > MAX_URL {
            self.add("webhook_url", format!("Send at most {MAX_URL} characters."));
        } else if url.chars().any(char::is_control) || app.outbound.check(url, tenant.environment).is_err() {
            self.add("webhook_url", REFUSED);
        }
    }

    fn check_environment(&mut self, tenant: Tenant, text: &str) {
        if text.is_empty() {
            self.add("env_type", "This field is required.");
        } else if text.parse::<Environment>().is_err() {
            self.add("env_type", "Send sandbox, dev or prod.");
        } else if text != tenant.environment.as_str() {
            self.add("env_type", format!("This access key is for {}.", tenant.environment));
        }
    }

    fn check_events(&mut self, events: &[String]) {
        if events.iter().any(|event| !EVENT_TYPES.contains(&event.as_str())) {
            self.add("events", format!("Send a list of: {}.", EVENT_TYPES.join(", ")));
        }
    }

    fn into_result(self) -> Result<(), Problems> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl From<Problems> for ApiError {
    fn from(problems: Problems) -> Self {
        error::invalid_fields(problems.0)
    }
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
