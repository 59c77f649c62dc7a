//! Endpoints and what is sent to them: made and changed ([`endpoints`]), sent again ([`resend`]), and what a delivery consists of: the secrets of endpoints, the signed headers, the waits between attempts. When and in
//! which order deliveries are made is decided in [`jobs::deliver_webhooks`](crate::jobs).

pub(crate) mod endpoints;
pub(crate) mod lanes;
pub(crate) mod resend;
pub(crate) mod retries;
pub(crate) mod secrets;
pub(crate) mod signing;

use citadel_store::webhooks::Webhook;

/// What an endpoint without a list of events wants: all that the oldest clients know.
pub(crate) const TASK_STATUS_UPDATED: &str = "task-status-updated";

/// The types of events that an endpoint wants.
pub(crate) fn wanted(webhook: &Webhook) -> Vec<&str> {
    match &webhook.events[..] {
        [] => vec![TASK_STATUS_UPDATED],
        events => events.iter().map(String::as_str).collect(),
    }
}
