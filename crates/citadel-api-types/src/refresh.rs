//! Refreshes: reading a link again, without the person.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{Redacted, bridge_tokens::AccountDetails, liberal};

/// Asks for a refresh of a link.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateRefreshTask {
    /// The access token of the link.
    #[serde(deserialize_with = "liberal::redacted")]
    #[schema(required, value_type = String)]
    pub access_token: Redacted,
    /// One of the link's products; the one it was made for when absent.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(examples("income"))]
    pub product_type: Option<String>,
    /// A new share or account, for `deposit_switch` and `pll`.
    #[serde(deserialize_with = "liberal::optional", skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountDetails>,
    /// What the second step of `fas` needs.
    #[serde(deserialize_with = "liberal::optional", skip_serializing_if = "Option::is_none")]
    pub settings: Option<RefreshSettings>,
}

impl CreateRefreshTask {
    /// A plain refresh of a link.
    pub fn new(access_token: impl Into<Redacted>) -> Self {
        Self { access_token: access_token.into(), ..Self::default() }
    }

    /// The second step of a funding account switch: the two amounts that arrived, such as `0.10` and `0.20`.
    pub fn micro_deposits(
        access_token: impl Into<Redacted>,
        first: impl Into<String>,
        second: impl Into<String>,
    ) -> Self {
        let micro_deposits = Some(vec![first.into(), second.into()]);
        Self { settings: Some(RefreshSettings { micro_deposits }), ..Self::new(access_token) }
    }
}

/// What the second step of `fas` needs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RefreshSettings {
    /// The two amounts in dollars, as text or as numbers: each over 0 and at most 0.20, with two digits.
    #[serde(deserialize_with = "amounts", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, examples(json!(["0.10", "0.20"])))]
    pub micro_deposits: Option<Vec<String>>,
}

/// Numbers and texts, each kept as its text. What is neither becomes an empty text, which no handler takes for an amount,
/// so that the answer can name the field.
fn amounts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let text = |value: Value| match value {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => None,
        Value::Array(values) => Some(values.into_iter().map(text).collect()),
        other => Some(vec![text(other)]),
    })
}

/// Says under which id a refresh can be watched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefreshTaskCreated {
    /// The task.
    pub task_id: String,
}

/// How a refresh goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefreshTask {
    /// The task.
    pub id: String,
    /// As for every task, but `unable_to_reset` and `not_supported` are told as `error`, because published clients poll on
    /// at words that they do not know.
    #[schema(examples("done"))]
    pub status: String,
    /// When it was asked for.
    pub created_at: String,
    /// The day on which it was asked for. Kept for old clients: read `created_at`.
    pub refresh_date: String,
}
