//! The part of the OpenAPI document that no handler owns: title, keys, tags.

use citadel_api_types::{RequireEveryKey, events::StreamStart, webhooks::WebhookEvent};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, SecurityScheme},
};

/// The frame that the routes are added to.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Citadel API",
        description = "Consumer-permissioned payroll data. Every path answers with and without its trailing slash.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(WebhookEvent, StreamStart)),
    modifiers(&AccessKeys),
    security(("client_id" = [], "access_secret" = [])),
    tags(
        (name = "bridge", description = "Permission to open the widget"),
        (name = "links", description = "A person's connection to a payroll provider"),
        (name = "reports", description = "What a link knows"),
        (name = "deposits", description = "What was changed at a provider"),
        (name = "administrators", description = "A company's people and payroll"),
        (name = "refresh", description = "Reading a link again"),
        (name = "tasks", description = "One run of work for a link"),
        (name = "directory", description = "Employers and payroll providers"),
        (name = "sandbox", description = "People, clocks and faults to test with"),
        (name = "webhooks", description = "What happens, told to your endpoints; and read, sent or listened to again"),
    )
)]
pub(crate) struct Frame;

struct AccessKeys;

impl Modify for AccessKeys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let header = |name: &str| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(name)));
        if let Some(components) = document.components.as_mut() {
            components.add_security_scheme("client_id", header("X-Access-Client-Id"));
            components.add_security_scheme("access_secret", header("X-Access-Secret"));
        }
    }
}

/// Says what holds for the finished document.
pub(crate) fn finish(document: &mut utoipa::openapi::OpenApi) {
    RequireEveryKey.modify(document);
}
