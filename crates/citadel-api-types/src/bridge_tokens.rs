//! Bridge tokens: the short-lived permission to open the widget.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Redacted, liberal};

/// Asks for a bridge token.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateBridgeToken {
    /// What the widget is opened for: `employment`, `income`, `admin`, `deposit_switch`, `pll` or `fas`.
    #[serde(deserialize_with = "liberal::text")]
    #[schema(required, examples("income"))]
    pub product_type: String,
    /// The name that the widget shows to the person: who is asking.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(examples("Citadel Quickstart"))]
    pub client_name: Option<String>,
    /// Any text of yours. It comes back in reports and webhooks.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(examples("1337"))]
    pub tracking_info: Option<String>,
    /// The bank account; required for `deposit_switch`, `pll` and `fas`.
    #[serde(deserialize_with = "liberal::optional", skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountDetails>,
    /// The products that the link may serve later. Only `product_type` when empty.
    #[serde(deserialize_with = "liberal::list", skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Option<Vec<String>>)]
    pub allowed_products: Vec<String>,
    /// An employer from the company search: the widget skips its own search.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub company_mapping_id: Option<String>,
    /// A payroll provider: the widget goes straight to its sign-in.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(examples("adp"))]
    pub provider_id: Option<String>,
    /// The access token of an existing link whose sign-in has to be repaired.
    #[serde(deserialize_with = "liberal::optional_redacted", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub access_token: Option<Redacted>,
    /// Where data may come from. Payroll is the one source here: a list must name `payroll`, and the answer says what is left of it.
    #[serde(deserialize_with = "liberal::list", skip_serializing_if = "Vec::is_empty")]
    pub data_sources: Vec<String>,
    /// How the widget looks: a template of yours.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub template_id: Option<String>,
}

impl CreateBridgeToken {
    /// A request for one product, with everything else left open.
    pub fn new(product_type: impl Into<String>) -> Self {
        Self { product_type: product_type.into(), ..Self::default() }
    }
}

/// The bank account where pay should land, or from which it is paid.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct AccountDetails {
    /// Digits; leading zeros count.
    #[serde(deserialize_with = "liberal::optional_redacted", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("16002600"))]
    pub account_number: Option<Redacted>,
    /// `checking` or `savings`.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(examples("checking"))]
    pub account_type: Option<String>,
    /// The routing number of the bank. The sandbox does not check its check digit.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(examples("123456789"))]
    pub routing_number: Option<String>,
    /// The name of the bank.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub bank_name: Option<String>,
    /// `entire`, `percent` or `amount`; required for `pll`, and `entire` when absent elsewhere.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(examples("amount"))]
    pub deposit_type: Option<String>,
    /// How much of it, as a decimal in text. A request may also send a number.
    #[serde(deserialize_with = "liberal::optional_decimal", skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = crate::schema::decimal)]
    pub deposit_value: Option<String>,
    /// `create`, `update` or `delete`.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Where the bank is.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub bank_address: Option<String>,
}

/// A bridge token, to be handed to `CitadelBridge.init` in the browser. It lives six hours.
///
/// It has no key `id`: pages in the wild take a body with an `id` for an order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BridgeToken {
    /// The token: 32 hexadecimal characters.
    #[schema(value_type = String, examples("48427a36d43c4d5aa6324bc06c692456"))]
    pub bridge_token: Redacted,
    /// As in the request.
    pub tracking_info: Option<String>,
    /// As in the request.
    pub client_name: Option<String>,
    /// As in the request.
    pub product_type: String,
    /// The products that the link may serve.
    #[serde(default)]
    pub allowed_products: Vec<String>,
    /// As in the request.
    pub company_mapping_id: Option<String>,
    /// As in the request.
    #[schema(value_type = Option<String>)]
    pub access_token: Option<Redacted>,
    /// The person for whom the token was made, when there is one.
    pub user_id: Option<String>,
    /// The look of the widget, when there is one.
    pub template_id: Option<String>,
    /// Where data may come from.
    #[serde(default)]
    pub data_sources: Vec<String>,
}
