//! The calls about webhooks: endpoints, attempts, and events that are read or sent again.

use citadel_api_types::{
    events::{EventPage, ResendEvent, ResendEvents, Resent},
    webhook_endpoints::{
        CreateWebhook, UpdateWebhook, Webhook, WebhookPage, WebhookRequestPage, WebhookWithSecret,
    },
};

use crate::{Citadel, Error, client::Call, retry::Repeat};

/// Which attempts [`Citadel::webhook_requests`] lists. An empty text leaves a filter out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WebhookRequestFilter<'a> {
    /// From this time on, as in `2026-11-18T15:00:00Z`.
    pub from: &'a str,
    /// Up to this time, included.
    pub to: &'a str,
    /// A type of event.
    pub event_type: &'a str,
    /// The status that was answered.
    pub status_code: &'a str,
    /// The value of `cursor` in the `next` or `previous` of another page.
    pub cursor: &'a str,
}

impl Citadel {
    /// Registers an endpoint. The answer has its secret, this once: keep it, to check deliveries with.
    pub async fn create_webhook(&self, request: &CreateWebhook) -> Result<WebhookWithSecret, Error> {
        // Done twice, the second would say that the address is registered, and the secret would be lost.
        self.post(Call::new("webhooks"), request, Repeat::UnderKey).await
    }

    /// One page of the endpoints of the environment, counted from 1.
    pub async fn webhooks(&self, page: u32) -> Result<WebhookPage, Error> {
        let page = page.to_string();
        self.get(Call::new("webhooks").query(&[("page", &page)])).await
    }

    /// One endpoint.
    pub async fn webhook(&self, id: &str) -> Result<Webhook, Error> {
        self.get(Call::new("webhooks").id(id)).await
    }

    /// Changes what the request names, and nothing else. `enabled: Some(true)` switches an endpoint on again.
    pub async fn update_webhook(&self, id: &str, request: &UpdateWebhook) -> Result<Webhook, Error> {
        self.patch(Call::new("webhooks").id(id), request).await
    }

    /// Removes an endpoint.
    pub async fn delete_webhook(&self, id: &str) -> Result<(), Error> {
        self.delete(Call::new("webhooks").id(id)).await
    }

    /// Gives an endpoint a new secret. For 24 hours deliveries are signed with the old one too.
    pub async fn rotate_webhook_secret(&self, id: &str) -> Result<WebhookWithSecret, Error> {
        let call = Call::new("webhooks").id(id).then("rotate-secret");
        self.post(call, &serde_json::json!({}), Repeat::UnderKey).await
    }

    /// One page of attempts to deliver events, newest first.
    pub async fn webhook_requests(
        &self,
        filter: WebhookRequestFilter<'_>,
    ) -> Result<WebhookRequestPage, Error> {
        let query = [
            ("created_at__gte", filter.from),
            ("created_at__lte", filter.to),
            ("event_type", filter.event_type),
            ("status_code", filter.status_code),
            ("cursor", filter.cursor),
        ];
        self.get(Call::new("webhook-requests").query(&query)).await
    }

    /// The events after a `sequence`, in their order. 0 begins with the first.
    pub async fn events(&self, after: i64) -> Result<EventPage, Error> {
        let after = after.to_string();
        self.get(Call::new("events").query(&[("after", &after)])).await
    }

    /// Has an event delivered once more: to one endpoint, or to all that want it.
    pub async fn resend_event(&self, id: &str, webhook_id: Option<&str>) -> Result<Resent, Error> {
        let request = ResendEvent { webhook_id: webhook_id.map(str::to_owned) };
        self.post(Call::new("events").id(id).then("resend"), &request, Repeat::UnderKey).await
    }

    /// Has the events of a time delivered once more.
    pub async fn resend_events(&self, request: &ResendEvents) -> Result<Resent, Error> {
        self.post(Call::new("events").then("resend"), request, Repeat::UnderKey).await
    }
}
