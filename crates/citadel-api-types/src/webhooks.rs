//! Webhook events: their bodies. Endpoints and what was sent to them are in
//! [`webhook_endpoints`](crate::webhook_endpoints), the events themselves in [`events`](crate::events).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Every type of event.
pub const EVENT_TYPES: [&str; 17] = [
    "task-status-updated",
    "order-created",
    "order-status-updated",
    "order-refresh-failed",
    "link-connected",
    "link-disconnected",
    "link-deleted",
    "employment-created",
    "employment-updated",
    "profile-created",
    "profile-updated",
    "statements-created",
    "statements-updated",
    "bank-accounts-created",
    "bank-accounts-updated",
    "shifts-created",
    "shifts-updated",
];

/// The body of a delivery. A delivery may come twice and out of order: drop repeats by `webhook_id`, and order by
/// `updated_at`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookEvent {
    /// The event: the same in every attempt to deliver it.
    pub webhook_id: String,
    /// What happened.
    #[schema(examples("task-status-updated"))]
    pub event_type: String,
    /// When it happened, ending in `+00:00`.
    #[schema(examples("2021-04-26T13:02:20.369267+00:00"))]
    pub updated_at: String,
    /// When it happened, ending in `Z`.
    #[schema(examples("2021-04-26T13:02:20.369267Z"))]
    pub event_created_at: String,
    /// The link, when there is one.
    pub link_id: Option<String>,
    /// What the task was for.
    #[schema(examples("income"))]
    pub product: Option<String>,
    /// As given with the bridge token.
    pub tracking_info: Option<String>,
    /// The task.
    pub task_id: Option<String>,
    /// The new status. Every event has this key: handlers in the wild fail without it.
    #[schema(examples("done"))]
    pub status: String,
    /// The person, when there is one.
    pub user_id: Option<String>,
    /// The look of the widget, when there is one.
    pub template_id: Option<String>,
    /// `payroll`, `docs`, `financial_accounts`, `insurance` or `tax`.
    pub data_source: Option<String>,
    /// The employment or profile that it is about; only in events about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_id: Option<String>,
    /// The employment of the statements, bank accounts or shifts; only in events about those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employment_id: Option<String>,
    /// How many there are now; only in events about several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects_count: Option<i64>,
    /// The order; only in events about one.
    #[serde(default, flatten, skip_serializing_if = "Option::is_none")]
    pub order: Option<EventOrder>,
}

/// The part of an event that tells of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventOrder {
    /// The order.
    pub order_id: String,
    /// Your own number of it.
    pub order_number: Option<String>,
    /// The employer in it whose status is told; `null` for the order as a whole.
    pub employer_id: Option<String>,
}
