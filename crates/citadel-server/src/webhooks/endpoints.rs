//! Endpoints, made and changed: what the API and the dashboard share. Each function is a whole act but the kept answer: it locks,
//! checks, writes and tells the audit trail.

use std::collections::HashSet;

use citadel_api_types::{
    webhook_endpoints::{CreateWebhook, UpdateWebhook},
    webhooks::EVENT_TYPES,
};
use citadel_domain::{Environment, JobId, Secret, WebhookId};
use citadel_store::{
    Tenant, Tx,
    audit::{self, Detail, Entry, Object, ObjectKind},
    jobs,
    webhooks::{self, NewWebhook, Webhook},
};
use jiff::Timestamp;

use super::secrets;
use crate::{
    app::App,
    error::{self, ApiError, ApiResult},
    moment::Moment,
    outbound::guard::REFUSED,
};

/// Endpoints per environment.
const MAX_WEBHOOKS: usize = 10;
const MAX_NAME: usize = 128;
const MAX_URL: usize = 2048;

/// An endpoint that is not there yet, as the audit trail names it.
pub(crate) const NEW: Object = Object { kind: ObjectKind::Webhook, id: None };

/// As the audit trail names it.
pub(crate) const fn named(id: WebhookId) -> Object {
    Object::of(ObjectKind::Webhook, id.as_bytes())
}

/// The tenant's endpoint, or 404.
pub(crate) async fn find(tx: &mut Tx<'_>, tenant: Tenant, id: WebhookId) -> ApiResult<Webhook> {
    webhooks::find(tx, tenant, id).await?.ok_or_else(error::not_found)
}

/// Registers an endpoint that was checked; answers it with its secret.
pub(crate) async fn create(
    tx: &mut Tx<'_>,
    app: &App,
    tenant: Tenant,
    new: &CreateWebhook,
    now: Timestamp,
    entry: &Entry,
) -> ApiResult<(Webhook, Secret)> {
    webhooks::lock(tx, tenant.client_id).await?;
    let others = webhooks::list(tx, tenant).await?;
    check_unused(&others, None, &new.webhook_url)?;
    if others.len() >= MAX_WEBHOOKS {
        let message = format!("This environment has {MAX_WEBHOOKS} endpoints already: delete one first.");
        return Err(error::invalid("webhook_url", message));
    }
    let id = WebhookId::generate(now, &*app.next_id_source(tx, tenant, "webhook").await?);
    // Sealed for its place, which the id is a part of.
    let (secret, secret_sealed) = secrets::generate(app, tenant, id)?;
    let row = NewWebhook {
        id,
        tenant,
        name: new.name.clone(),
        url: new.webhook_url.clone(),
        events: without_repeats(new.events.clone()),
        secret_sealed,
        created_at: now,
    };
    webhooks::create(tx, &row).await?;
    let webhook = find(tx, tenant, id).await?;
    audit::append(tx, &app.keyring, &Entry { object: named(id), ..entry.clone() }).await?;
    Ok((webhook, secret))
}

/// Changes what is sent along, if `problems` has found nothing wrong with it.
pub(crate) async fn update(
    tx: &mut Tx<'_>,
    app: &App,
    (tenant, id): (Tenant, WebhookId),
    (sent, problems): (&UpdateWebhook, &Result<(), Problems>),
    Moment { now, live, .. }: Moment,
    entry: &Entry,
) -> ApiResult<Webhook> {
    webhooks::lock(tx, tenant.client_id).await?;
    // Of a foreign endpoint nothing is said but that it is not there, whatever else is wrong.
    find(tx, tenant, id).await?;
    if let Err(fields) = problems {
        return Err(error::invalid_fields(fields.0.clone()));
    }
    // The dispatcher looks at what has changed. It takes its job's row first, and so must we.
    jobs::wake(tx, JobId::from_bytes(*id.as_bytes()), live).await?;
    // Held until the commit, so that what the dispatcher notes meanwhile is neither overlooked nor undone.
    webhooks::hold(tx, tenant, id).await?;
    let mut webhook = find(tx, tenant, id).await?;
    if let Some(url) = &sent.webhook_url {
        check_unused(&webhooks::list(tx, tenant).await?, Some(id), url)?;
    }
    apply(&mut webhook, sent.clone());
    webhooks::update(tx, &webhook, now).await?;
    let detail = Detail::NONE.words("fields", changed_fields(sent));
    audit::append(tx, &app.keyring, &Entry { detail, ..entry.clone() }).await?;
    find(tx, tenant, id).await
}

/// Removes an endpoint. What waits for it is dropped. `false`: it was gone already.
pub(crate) async fn delete(
    tx: &mut Tx<'_>,
    app: &App,
    (tenant, id): (Tenant, WebhookId),
    live: Timestamp,
    entry: &Entry,
) -> ApiResult<bool> {
    find(tx, tenant, id).await?;
    jobs::wake(tx, JobId::from_bytes(*id.as_bytes()), live).await?;
    let is_deleted = webhooks::delete(tx, tenant, id).await?;
    if is_deleted {
        audit::append(tx, &app.keyring, entry).await?;
    }
    Ok(is_deleted)
}

/// Gives an endpoint a new secret, which [`secrets::generate`] made. The old one signs beside it for a while.
pub(crate) async fn rotate_secret(
    tx: &mut Tx<'_>,
    app: &App,
    (tenant, id): (Tenant, WebhookId),
    sealed: &[u8],
    now: Timestamp,
    entry: &Entry,
) -> ApiResult<Webhook> {
    // Two rotations at once must not both take the same old secret along.
    webhooks::lock(tx, tenant.client_id).await?;
    let webhook = find(tx, tenant, id).await?;
    // A third secret would cut the first one's time short.
    if webhook.previous.as_ref().is_some_and(|(_, until)| *until > now) {
        let message = "The secret before still signs: it can be changed again after 24 hours.";
        return Err(error::conflict(message));
    }
    let previous = secrets::seal_as_previous(app, &webhook)?;
    webhooks::rotate_secret(tx, tenant, id, sealed, &previous, now + secrets::OVERLAP, now).await?;
    let webhook = find(tx, tenant, id).await?;
    audit::append(tx, &app.keyring, entry).await?;
    Ok(webhook)
}

/// The names of what is sent.
fn changed_fields(body: &UpdateWebhook) -> impl Iterator<Item = &'static str> {
    let sent = [
        ("name", body.name.is_some()),
        ("webhook_url", body.webhook_url.is_some()),
        ("events", body.events.is_some()),
        ("enabled", body.enabled.is_some()),
    ];
    sent.into_iter().filter(|(_, is_sent)| *is_sent).map(|(name, _)| name)
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
    let mut seen = HashSet::new();
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
#[derive(Clone, Default)]
pub(crate) struct Problems(Vec<(String, String)>);

impl Problems {
    /// What is wrong with a new endpoint.
    pub(crate) fn of_new(app: &App, tenant: Tenant, new: &CreateWebhook) -> Result<(), Self> {
        let mut problems = Self::default();
        problems.check_name(&new.name);
        problems.check_url(app, tenant, &new.webhook_url);
        problems.check_environment(tenant, &new.env_type);
        problems.check_events(&new.events);
        problems.into_result()
    }

    /// What is wrong with a change.
    pub(crate) fn of_change(app: &App, tenant: Tenant, sent: &UpdateWebhook) -> Result<(), Self> {
        let mut problems = Self::default();
        if let Some(name) = &sent.name {
            problems.check_name(name);
        }
        if let Some(url) = &sent.webhook_url {
            problems.check_url(app, tenant, url);
        }
        if let Some(environment) = &sent.env_type {
            problems.check_environment(tenant, environment);
        }
        if let Some(events) = &sent.events {
            problems.check_events(events);
        }
        problems.into_result()
    }

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

    fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl From<Problems> for ApiError {
    fn from(problems: Problems) -> Self {
        error::invalid_fields(problems.0)
    }
}
