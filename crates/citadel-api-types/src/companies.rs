//! Employers, and how well each can be reached.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::liberal;

/// What is known of an employer that is looked for: an id, a domain or a name at the least.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct MatchCompany {
    /// A `company_mapping_id`: nothing else is looked at when there is one.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(examples("Home Depot"))]
    pub name: Option<String>,
    /// The web domain.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(examples("homedepot.com"))]
    pub domain: Option<String>,
    /// The federal employer number. The directory of this server knows none.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub ein: Option<String>,
    /// The telephone number. The directory of this server knows none.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Where it is: any text or object. The directory of this server knows no addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub address: Option<serde_json::Value>,
    /// The state of the address.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// For which product `success_rate` is meant.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub product_type: Option<String>,
}

/// An employer and its connection to payroll. The search answers a bare list of these, best first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CompanyMapping {
    /// What to send as `company_mapping_id` of a bridge token.
    pub company_mapping_id: Option<String>,
    /// The name that people know.
    #[schema(examples("Home Depot"))]
    pub name: String,
    /// The employer's web domain.
    #[schema(examples("homedepot.com"))]
    pub domain: Option<String>,
    /// A picture.
    pub logo_url: Option<String>,
    /// From 0 to 1 as a decimal in text; 0.5 and more is high.
    #[schema(examples("0.9"))]
    pub confidence_level: String,
    /// `high`, `low` or `unsupported`; `null` when not known.
    pub success_rate: Option<String>,
    /// `verified`, `mapped` or `unmapped`.
    #[schema(examples("verified"))]
    pub mapping_status: String,
    /// The employer's own sign-in page, when there is one.
    pub sso: Option<Sso>,
}

/// An employer's own sign-in page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sso {
    /// What people call it.
    pub name: String,
}

/// An employer with what can be done there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CompanyInfo {
    /// The employer.
    #[serde(flatten)]
    pub company: CompanyMapping,
    /// What can be done there.
    #[serde(default)]
    pub features: CompanyFeatures,
}

/// What can be done at an employer, by product.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CompanyFeatures {
    /// Changing where pay lands.
    #[serde(default)]
    pub deposit_switch: DepositSwitchFeatures,
}

/// What a deposit switch can do at an employer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DepositSwitchFeatures {
    /// How many accounts one person may split pay over; `null` when not known.
    pub max_number: Option<i64>,
    /// `entire`, `percent`, `amount`; `null` when not known.
    pub deposit_types: Option<Vec<String>>,
}

/// An employer, as other objects name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CompanyRef {
    /// The company mapping.
    pub id: String,
    /// The name that people know.
    pub name: String,
    /// A picture.
    pub logo_url: Option<String>,
}
