//! Reports about a person: what all links knew at one moment.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::liberal;

/// Makes a report about a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateUserReport {
    /// Verification of employment: without any pay.
    #[serde(deserialize_with = "liberal::flag")]
    pub is_voe: bool,
}

/// A report about a person. It stays as it was made, whatever becomes of the links.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UserReport {
    /// 32 hexadecimal characters.
    pub report_id: String,
    /// When it was asked for.
    pub created_at: String,
    /// When it was made: at once.
    pub completed_at: String,
    /// When data last came in.
    pub last_task_at: Option<String>,
    /// The links, newest first.
    pub links: Vec<UserReportLink>,
}

/// A link in a report about a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UserReportLink {
    /// This part of the report.
    pub id: String,
    /// The link.
    pub link_id: String,
    /// As given with the bridge token.
    pub tracking_info: Option<String>,
    /// `payroll`.
    pub data_source: String,
    /// The provider's id.
    #[schema(examples("adp"))]
    pub provider: String,
    /// What people call it.
    pub provider_name: String,
    /// The jobs, as in the income report. In a report without pay the keys about pay are `null` or empty.
    #[schema(value_type = Vec<Object>)]
    pub employments: Vec<Value>,
    /// Since when the person says that this is wrong. Absent where they do not, and not in the API document, which has no member
    /// that is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub disputed_at: Option<String>,
}
