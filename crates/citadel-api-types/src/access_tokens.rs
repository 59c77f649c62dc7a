//! Access tokens: the lasting right to read one link, given for the widget's single-use public token.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Redacted, liberal};

/// Asks for the access token of a link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateAccessToken {
    /// What `onSuccess` of the widget gave. It can be exchanged once, within six hours.
    #[serde(deserialize_with = "liberal::redacted")]
    #[schema(required, value_type = String, examples("5aa6324bc06c692448427a36d43c4d56"))]
    pub public_token: Redacted,
}

/// The lasting right to one link. Keep it on your server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkToken {
    /// The access token: 32 hexadecimal characters. It does not expire.
    #[schema(value_type = String, examples("c06c692448427a36d43c4d565aa6324b"))]
    pub access_token: Redacted,
    /// The link that it opens.
    #[schema(examples("0193a6c2f1d27c4e9a5be2d7f0a14c83"))]
    pub link_id: String,
}

/// Asks for the access tokens of several links at once: the older form of the exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateAccessTokens {
    /// Public tokens, each of which can be exchanged once.
    #[serde(deserialize_with = "liberal::list")]
    #[schema(required, value_type = Vec<String>)]
    pub public_tokens: Vec<Redacted>,
}

/// Access tokens in the order of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessTokens {
    /// One for each public token.
    #[schema(value_type = Vec<String>)]
    pub access_tokens: Vec<Redacted>,
}
