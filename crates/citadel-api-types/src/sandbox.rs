//! What exists in the sandbox only: the widget without a browser, the clock, faults, and logins of one's own.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{Redacted, liberal};

/// A sign-in without a browser.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct CreateSandboxPublicToken {
    /// The session to sign in to.
    #[serde(default)]
    #[schema(value_type = String)]
    pub bridge_token: Redacted,
    /// The payroll provider; `truv` when neither this nor the bridge token names one.
    #[serde(default, deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// The employer, from a search for companies.
    #[serde(default, deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub company_mapping_id: Option<String>,
    /// What a person would type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub username: Option<Redacted>,
    /// What a person would type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub password: Option<Redacted>,
    /// The answer to a question for a code or for something else. Of several ways to get a code the first is chosen. Without it a
    /// question is answered wrongly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub mfa_code: Option<Redacted>,
    /// For `admin` and `fas`, in place of user name and password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub api_key: Option<Redacted>,
    /// A company code, where the provider asks for one.
    #[serde(default, deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
}

impl CreateSandboxPublicToken {
    /// A sign-in with user name and password, at the provider `truv` unless the bridge token names another.
    pub fn new(
        bridge_token: impl Into<Redacted>,
        username: impl Into<Redacted>,
        password: impl Into<Redacted>,
    ) -> Self {
        Self {
            bridge_token: bridge_token.into(),
            username: Some(username.into()),
            password: Some(password.into()),
            ..Self::default()
        }
    }
}

/// How a sign-in without a browser ended.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SandboxPublicToken {
    /// To be exchanged for an access token; `null` unless the status is `done`.
    #[schema(value_type = Option<String>)]
    pub public_token: Option<Redacted>,
    /// The link.
    pub link_id: String,
    /// The task.
    pub task_id: String,
    /// How the task ended.
    #[schema(examples("done"))]
    pub status: String,
    /// What a person would read, where it failed.
    pub error_message: Option<String>,
}

/// A sandbox's clock.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SandboxClock {
    /// What it shows.
    #[schema(examples("2027-01-07T15:00:00.000000Z"))]
    pub now: String,
    /// Whether it runs with the machine's. One that stands moves only when it is turned.
    pub is_running: bool,
}

/// How to turn a sandbox's clock: to an instant, or on by a time, or neither.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct TurnSandboxClock {
    /// An instant, not before what the clock shows.
    #[serde(default, deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(examples("2027-01-07T15:00:00Z"))]
    pub now: Option<String>,
    /// A duration of ISO 8601: days, weeks and months are those of the calendar in UTC.
    #[serde(default, deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(examples("P14D"))]
    pub advance: Option<String>,
    /// Whether the clock runs from then on; as before when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_running: Option<bool>,
}

/// What goes wrong on purpose in everything that a client does in its sandbox.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct SandboxFaults {
    /// `slow`, `provider_down`, `rate_limited`, `half_data`, `mfa_unanswered`, `webhook_delayed`, `webhook_duplicated`,
    /// `webhook_reordered`.
    #[serde(default)]
    pub faults: Vec<String>,
}

/// A scenario that was kept: what was sent, with its id and times.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SandboxScenario {
    /// The scenario.
    pub id: String,
    /// When it was made.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
    /// What was sent: a `Scenario`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub scenario: Map<String, Value>,
}

/// A login, to see which scenario it would meet.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct ResolveSandboxScenario {
    /// `payroll`.
    #[serde(default)]
    pub data_source: String,
    /// The product of the sign-in.
    #[serde(default)]
    pub product: String,
    /// What is typed.
    #[serde(default)]
    pub username: String,
    /// What is typed.
    #[serde(default)]
    #[schema(value_type = String)]
    pub password: Redacted,
    /// Where.
    #[serde(default)]
    pub provider_id: String,
}
