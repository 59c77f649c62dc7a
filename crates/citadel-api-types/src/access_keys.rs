//! Access keys: a client's server credentials.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Redacted, liberal};

/// A new access key, with its secret: this once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessKey {
    /// 32 hexadecimal characters.
    pub id: String,
    /// What goes into `X-Access-Client-Id`: the same for all keys of a client.
    pub client_id: String,
    /// What goes into `X-Access-Secret`. It is not shown again.
    #[schema(value_type = String)]
    pub access_secret: Redacted,
    /// `sandbox`, `dev` or `prod`: that of the key with which it was made.
    #[schema(examples("sandbox"))]
    pub env_type: String,
    /// When it was made.
    pub created_at: String,
}

/// Says which access key shall end: by its id or by its secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct DeactivateKey {
    /// The key's id.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The key's secret.
    #[serde(deserialize_with = "liberal::optional_redacted", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub access_secret: Option<Redacted>,
}

/// An access key that has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeactivatedKey {
    /// The key's id.
    pub id: String,
    /// When it ended.
    pub deactivated_at: String,
}
