//! What the derived schemas cannot say by themselves.

use utoipa::{
    Modify,
    openapi::{
        Object, ObjectBuilder, OpenApi, RefOr, Schema, Type,
        schema::{AllOf, SchemaType},
    },
};

/// A decimal, as `liberal` reads it.
pub(crate) fn decimal() -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Number, Type::Null]))
        .description(Some("How much of it, as a decimal in text. A request may also send a number."))
        .examples(["50.00"])
        .build()
}

/// Marks every key of every answer as required in the OpenAPI document, because answers carry every key and say
/// `null` when a value is unknown. The derive reads an `Option` as "may be missing", which is true of requests only.
///
/// Apply it once, to the finished document.
#[derive(Clone, Copy, Debug)]
pub struct RequireEveryKey;

/// Objects that clients send, or that leave a key out on purpose.
const EXCEPT: &[&str] = &[
    "AccountDetails",
    "CreateAccessToken",
    "CreateAccessTokens",
    "CreateBridgeToken",
    "CreateOrder",
    "CreatePayrollReport",
    "CreateRefreshTask",
    "CreateUser",
    "CreateUserReport",
    "CreateWebhook",
    "DeactivateKey",
    "ErrorObject",
    "EventOrder",
    "CreateSandboxPublicToken",
    "LookUpOrders",
    "OrderEmployerRequest",
    "RefreshOrder",
    "MatchCompany",
    "RefreshSettings",
    "ReportRequest",
    "ResendEvent",
    "ResendEvents",
    "ResolveSandboxScenario",
    "SandboxFaults",
    "TurnSandboxClock",
    "UpdateOrder",
    "UpdateUser",
    "UpdateWebhook",
    "User",
    "WebhookEvent",
    "WriteTemplate",
];

impl Modify for RequireEveryKey {
    fn modify(&self, openapi: &mut OpenApi) {
        let Some(components) = openapi.components.as_mut() else { return };
        for (name, schema) in &mut components.schemas {
            // A scenario leaves out what its provider does not give.
            if !EXCEPT.contains(&name.as_str()) && !name.starts_with("Scenario") {
                require_every_key(schema);
            }
        }
    }
}

fn require_every_key(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => object.required = object.properties.keys().cloned().collect(),
        RefOr::T(Schema::AllOf(AllOf { items, .. })) => items.iter_mut().for_each(require_every_key),
        _ => {}
    }
}
