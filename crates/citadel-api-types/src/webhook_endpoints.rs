//! Webhooks: the endpoints that events are delivered to, and the log of attempts.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    Redacted, liberal,
    page::{CursorPage, Page},
};

/// Registers an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateWebhook {
    /// Your name for it; at most 128 characters.
    #[serde(deserialize_with = "liberal::text")]
    #[schema(required, examples("Back office"))]
    pub name: String,
    /// Where events are sent; at most 2048 characters. `https`, port 443 or 8443. A sandbox endpoint may also be on the
    /// server's own machine, where only that machine can reach the server.
    #[serde(deserialize_with = "liberal::text")]
    #[schema(required, examples("https://example.com/webhook"))]
    pub webhook_url: String,
    /// The environment of the access key that makes the call: `sandbox`, `dev` or `prod`.
    #[serde(deserialize_with = "liberal::text")]
    #[schema(required, examples("sandbox"))]
    pub env_type: String,
    /// The types of events to send. Only `task-status-updated` when empty.
    #[serde(deserialize_with = "liberal::list", skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Option<Vec<String>>)]
    pub events: Vec<String>,
}

/// Changes an endpoint: only what is sent changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UpdateWebhook {
    /// As at registration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// As at registration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<String>,
    /// An endpoint stays in its environment: only the present value is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env_type: Option<String>,
    /// As at registration; the empty list means `task-status-updated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<String>>,
    /// `false` switches the endpoint off and drops what waits for it; `true` switches it on again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// An endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Webhook {
    /// Its id.
    pub id: String,
    /// Your name for it.
    pub name: String,
    /// Where events are sent.
    pub webhook_url: String,
    /// The types of events that are sent. Only `task-status-updated` when empty.
    #[serde(default)]
    pub events: Vec<String>,
    /// `sandbox`, `dev` or `prod`.
    pub env_type: String,
    /// Whether events are sent.
    pub enabled: bool,
    /// Why the server switched it off; `null` when it did not.
    pub disabled_because: Option<String>,
    /// When it was registered.
    pub created_at: String,
    /// When it changed last.
    pub updated_at: String,
}

/// An endpoint with the secret that its deliveries are signed with. The secret is shown this once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WebhookWithSecret {
    /// The endpoint.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// Checks the header `webhook-signature`, as Standard Webhooks describes it: `whsec_` and 32 bytes in base64.
    #[schema(value_type = String, examples("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw7JmZ4x3Lk2o="))]
    pub secret: Redacted,
}

/// One page of endpoints.
pub type WebhookPage = Page<Webhook>;

/// One attempt to deliver an event. Attempts are kept for 30 days.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WebhookRequest {
    /// Its id.
    pub id: String,
    /// The event: `webhook_id` of the body.
    pub webhook_id: String,
    /// The endpoint.
    pub endpoint_id: String,
    /// What happened.
    pub event_type: String,
    /// When it happened.
    pub event_created_at: String,
    /// When it was sent.
    pub attempted_at: String,
    /// The number of the attempt, from 1.
    pub attempt: i64,
    /// The status of the answer; `null` when there was none.
    pub status_code: Option<i64>,
    /// Why the attempt failed; `null` when it did not.
    pub error_message: Option<String>,
    /// The beginning of the answer, at most 4 KiB, with unusual characters escaped.
    pub answer: String,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// Where it was sent.
    pub webhook_url: String,
    /// The body that was sent.
    #[schema(value_type = Object)]
    pub webhook_payload: Map<String, Value>,
}

/// One page of attempts, newest first.
pub type WebhookRequestPage = CursorPage<WebhookRequest>;
