//! Payroll providers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::page::Page;

/// A payroll provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Provider {
    /// A short word that stays the same.
    #[schema(examples("adp"))]
    pub id: String,
    /// The name that people know.
    #[schema(examples("ADP"))]
    pub name: String,
    /// A picture.
    pub logo_url: Option<String>,
    /// The provider's web domain.
    pub domain: Option<String>,
    /// Can it be connected now?
    #[serde(default)]
    pub is_supported: bool,
    /// `high`, `low` or `unsupported`; `null` when not known.
    pub success_rate: Option<String>,
    /// For each product, what the provider can do.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub features: Map<String, Value>,
}

/// One page of providers.
pub type ProviderPage = Page<Provider>;

/// A provider, as other objects name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderRef {
    /// A short word that stays the same.
    pub id: String,
    /// The name that people know.
    pub name: String,
    /// A picture.
    pub logo_url: Option<String>,
}
