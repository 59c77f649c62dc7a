//! Webhook events: written in the transaction of the change that they tell (P27). They carry ids and statuses, never
//! data (P7).

use citadel_api_types::webhooks::WebhookEvent;
use citadel_domain::{EventId, TaskStatus};
use citadel_store::{
    Tx,
    links::Link,
    tasks::Task,
    webhook_events::{self, NewWebhookEvent},
};
use jiff::Timestamp;

use crate::{
    app::App,
    error::{self, ApiResult},
    reports,
};

const TASK_STATUS_UPDATED: &str = "task-status-updated";

/// Tells that a task has a new status.
pub(crate) async fn append_status(
    app: &App,
    tx: &mut Tx<'_>,
    task: &Task,
    link: &Link,
    status: TaskStatus,
    now: Timestamp,
) -> ApiResult<()> {
    let id = EventId::generate(now, &*app.random);
    let at = reports::time(now);
    let event = WebhookEvent {
        webhook_id: id.to_string(),
        event_type: TASK_STATUS_UPDATED.to_owned(),
        updated_at: at.replace('Z', "+00:00"),
        event_created_at: at,
        link_id: Some(link.id.to_string()),
        product: Some(task.product.to_string()),
        tracking_info: link.tracking_info.clone(),
        task_id: Some(task.id.to_string()),
        status: status.to_string(),
        user_id: None,
        template_id: None,
        data_source: Some("payroll".to_owned()),
    };
    let new = NewWebhookEvent {
        id,
        tenant: task.tenant,
        link_id: Some(link.id),
        task_id: Some(task.id),
        event_type: TASK_STATUS_UPDATED.to_owned(),
        body: serde_json::to_string(&event).map_err(error::internal)?,
        created_at: now,
    };
    Ok(webhook_events::append(tx, &new).await?)
}
