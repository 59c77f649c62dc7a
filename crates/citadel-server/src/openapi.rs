//! The part of the OpenAPI document that no handler owns: title, keys, tags.

use citadel_api_types::{RequireEveryKey, events::StreamStart, webhooks::WebhookEvent};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Content, Object, Ref, RefOr, Required, Response, Type,
        path::{Operation, Parameter, ParameterIn},
        security::{ApiKey, ApiKeyValue, SecurityScheme},
    },
};

use crate::idempotency::{self, READS};

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
        (name = "keys", description = "Access keys, changed without an interruption"),
        (name = "users", description = "People of yours, to whom links belong"),
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
    for (path, item) in &mut document.paths.paths {
        if let Some(post) = item.post.as_mut().filter(|_| !READS.contains(&path.as_str())) {
            declare_key(post);
        }
    }
}

/// What creates or spends takes an idempotency key.
fn declare_key(post: &mut Operation) {
    let key = Parameter::builder()
        .name(idempotency::HEADER)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "A text of yours, new for each thing that you want: up to 255 visible ASCII characters. When the call is repeated under \
             it within 24 hours, it has its effect once and is answered as before. Another body under it is a 422; a call that \
             still runs, a 409.",
        ))
        .schema(Some(Object::builder().schema_type(Type::String).min_length(Some(1)).max_length(Some(255))));
    post.parameters.get_or_insert_default().push(RefOr::T(key.build()));
    for (status, about) in [
        ("409", "a call under this `Idempotency-Key` is still running"),
        ("422", "this `Idempotency-Key` was used with another body"),
    ] {
        post.responses.responses.entry(status.to_owned()).or_insert_with(|| {
            let body = Content::new(Some(Ref::from_schema_name("ErrorBody")));
            RefOr::T(Response::builder().description(about).content("application/json", body).build())
        });
    }
}

/// The JSON Schema of scenarios by itself, made of its parts in the API document.
pub(crate) fn scenario_schema(document: &utoipa::openapi::OpenApi) -> serde_json::Value {
    let parts = serde_json::to_value(&document.components).unwrap_or_default();
    let mut parts = parts["schemas"].as_object().cloned().unwrap_or_default();
    parts.retain(|name, _| name.starts_with("Scenario"));
    let mut schema = parts.remove("Scenario").unwrap_or_default();
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "Scenario of a Citadel sandbox".into();
    schema["$defs"] = parts.into();
    let text = schema.to_string().replace("#/components/schemas/", "#/$defs/");
    serde_json::from_str(&text).unwrap_or(schema)
}
