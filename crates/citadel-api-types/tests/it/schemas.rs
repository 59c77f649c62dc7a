//! The OpenAPI document says what the wire does.

use citadel_api_types::{
    RequireEveryKey,
    bridge_tokens::{BridgeToken, CreateBridgeToken},
    companies::CompanyInfo,
    error::ErrorBody,
    providers::ProviderPage,
    reports::IncomeReport,
};
use serde_json::{Value, to_value};
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    components(schemas(CreateBridgeToken, BridgeToken, IncomeReport, CompanyInfo, ErrorBody, ProviderPage)),
    modifiers(&RequireEveryKey)
)]
struct Document;

fn schemas() -> Value {
    to_value(Document::openapi()).expect("a document is JSON")["components"]["schemas"].clone()
}

#[test]
fn answers_require_every_key_and_requests_only_what_they_need() {
    let schemas = schemas();
    let answer = &schemas["BridgeToken"];
    assert_eq!(
        answer["required"].as_array().unwrap().len(),
        answer["properties"].as_object().unwrap().len(),
        "{answer}"
    );
    assert_eq!(answer["properties"]["client_name"]["type"], serde_json::json!(["string", "null"]));
    assert_eq!(schemas["CreateBridgeToken"]["required"], serde_json::json!(["product_type"]));
    assert_eq!(schemas["ErrorObject"]["required"], serde_json::json!(["code", "message"]));
}

#[test]
fn a_job_with_income_is_a_job_and_more() {
    let schemas = schemas();
    let job = &schemas["IncomeEmployment"]["allOf"];
    assert_eq!(job[0]["$ref"], "#/components/schemas/Employment");
    assert!(job[1]["required"].as_array().unwrap().iter().any(|key| key == "w2s"), "{job}");
}

#[test]
fn secrets_are_plain_text_in_the_document() {
    let schemas = schemas();
    assert!(schemas.get("Redacted").is_none());
    assert_eq!(schemas["BridgeToken"]["properties"]["bridge_token"]["type"], "string");
}

#[test]
fn every_schema_and_every_key_is_described() {
    for (name, schema) in schemas().as_object().unwrap() {
        // A flattened object is described by its parts.
        if let Some(properties) = schema["properties"].as_object() {
            assert!(schema["description"].is_string(), "{name} has no description");
            for (key, property) in properties {
                // A key that may be null refers to its object and carries the description inside.
                let described =
                    property["description"].is_string() || property["oneOf"][0]["description"].is_string();
                assert!(described, "{name}.{key} has no description: {property}");
            }
        }
    }
}
