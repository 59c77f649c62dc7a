//! The part of the OpenAPI document that no handler owns: title, keys, tags.

use std::collections::BTreeMap;

use citadel_api_types::{RequireEveryKey, events::StreamStart, webhooks::WebhookEvent};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Content, Object, ObjectBuilder, Ref, RefOr, Required, Response, Schema, Type,
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
        (name = "orders", description = "A person, permission to open the widget, and a page for it, in one call"),
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

/// What a parameter in a query takes, as a pattern, by its name: a name means the same in every operation. Sent empty, it is as if
/// it were not sent.
const QUERY: &[(&str, &str)] = &[
    ("after", "^[0-9]{0,18}$"),
    ("company", "^(|0|1|true|false)$"),
    ("cursor", "^([ab][0-9a-f]{32})?$"),
    ("event_type", "^[a-z0-9-]*$"),
    ("fmt", "^(|json|pdf)$"),
    ("format", "^(beancount|hledger|csv)$"),
    ("list_links", "^(|true|True|1|false|False|0)$"),
    ("page", "^([1-9][0-9]{0,8})?$"),
    ("page_size", "^([1-9][0-9]{0,8})?$"),
    ("product_type", "^(|employment|income|admin|deposit_switch|dds|pll|fas)$"),
    ("provenance", "^(|0|false|1|true)$"),
    ("status_code", "^([1-9][0-9]{2})?$"),
    ("user_id", "^([0-9a-f]{32})?$"),
    ("created_at__gte", MOMENT),
    ("created_at__lte", MOMENT),
    ("from", DAY),
    ("to", DAY),
];
const DAY: &str = "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$";
const MOMENT: &str = "^([0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2}))?)?$";

/// Says what holds for the finished document.
pub(crate) fn finish(document: &mut utoipa::openapi::OpenApi) {
    RequireEveryKey.modify(document);
    for (path, item) in &mut document.paths.paths {
        if let Some(post) = item.post.as_mut().filter(|_| !READS.contains(&path.as_str())) {
            declare_key(post);
        }
    }
    let schemas = document.components.as_ref().map(|components| &components.schemas);
    for path in document.paths.paths.values_mut() {
        for operation in
            [&mut path.get, &mut path.post, &mut path.patch, &mut path.delete].into_iter().flatten()
        {
            narrow_query(operation);
            // An empty body is an empty object.
            let Some(RefOr::T(body)) = operation.request_body.as_mut() else { continue };
            let Some(RefOr::T(content)) = body.content.values().next() else { continue };
            let schema = schemas.zip(content.schema.as_ref());
            if schema.is_some_and(|(schemas, schema)| may_be_empty(schemas, schema)) {
                body.required = Some(Required::False);
            }
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

/// Whether an object of a schema may have no key at all.
fn may_be_empty(schemas: &BTreeMap<String, RefOr<Schema>>, schema: &RefOr<Schema>) -> bool {
    match schema {
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
            matches!(schemas.get(name), Some(RefOr::T(Schema::Object(object))) if object.required.is_empty())
        }
        RefOr::T(_) => false,
    }
}

/// Queries are read as text, so that a wrong one is refused in the contract's shape. This tells what the text has to be.
fn narrow_query(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        if parameter.parameter_in != ParameterIn::Query {
            continue;
        }
        if let Some((_, pattern)) = QUERY.iter().find(|(name, _)| *name == parameter.name) {
            let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(*pattern));
            parameter.schema = Some(RefOr::T(Schema::Object(text.build())));
        }
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
