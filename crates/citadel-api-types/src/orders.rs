//! Orders: what a client asks of a person, with a page of its own.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    Redacted, bridge_tokens::AccountDetails, liberal, page::Page, providers::ProviderRef, tasks::Task,
};

/// Makes an order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateOrder {
    /// What is asked: `employment`, `income`, `deposit_switch`, `pll`, `admin` or `fas`. Other products of the published API are
    /// taken beside one of these, and nothing comes of them.
    #[serde(deserialize_with = "liberal::list")]
    #[schema(required, examples(json!(["income"])))]
    pub products: Vec<String>,
    /// The first name.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(examples("John"))]
    pub first_name: Option<String>,
    /// The last name.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(examples("Doe"))]
    pub last_name: Option<String>,
    /// Where the person reads mail. This server sends none.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where the person is called. This server sends no messages.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The Social Security number: nine digits, or the last four.
    #[serde(deserialize_with = "liberal::optional_redacted", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub ssn: Option<Redacted>,
    /// Another name of `ssn`.
    #[serde(deserialize_with = "liberal::optional_redacted", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub social_security_number: Option<Redacted>,
    /// Your own number. Several orders may have the same one.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub order_number: Option<String>,
    /// Your own id of the person: the same one is the same user.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub external_user_id: Option<String>,
    /// The employers, in the order in which the person meets them. Without any the person searches for one.
    #[serde(deserialize_with = "liberal::list", skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Option<Vec<OrderEmployerRequest>>)]
    pub employers: Vec<OrderEmployerRequest>,
    /// How the page and the widget look: a template of yours.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub template_id: Option<String>,
    /// The name that the page shows to the person: who is asking. Your registered name when left out.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// Any text of yours.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub custom_field: Option<String>,
    /// From where it was ordered; `external` when left out.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Kept and shown again.
    #[serde(deserialize_with = "liberal::optional_object", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub loan: Option<Value>,
    /// Kept and shown again.
    #[serde(deserialize_with = "liberal::optional_object", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub manager: Option<Value>,
    /// Kept and shown again.
    #[serde(deserialize_with = "liberal::optional_object", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub notification_settings: Option<Value>,
    /// Kept and shown again.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// An employer of an order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct OrderEmployerRequest {
    /// The employer, when you know no `company_mapping_id`: a company with exactly this name, if there is one. Otherwise the
    /// person searches.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(examples("Home Depot"))]
    pub company_name: Option<String>,
    /// The employer, from the company search.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub company_mapping_id: Option<String>,
    /// Shown again.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub company_domain: Option<String>,
    /// Shown again.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub company_logo: Option<String>,
    /// Shown again.
    #[serde(deserialize_with = "liberal::optional_object", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub company_address: Option<Value>,
    /// The first day, as you know it.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    /// The last day, as you know it.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub end_date: Option<String>,
    /// Your own number of this part of the order.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub suborder_number: Option<String>,
    /// Which of the order's products it is for; each of them when left out. Another product is refused.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub product_type: Option<String>,
    /// The bank account; required for `deposit_switch`, `pll` and `fas`.
    #[serde(deserialize_with = "liberal::optional", skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountDetails>,
}

/// Changes an order that nobody has begun with: what is sent is written, and what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UpdateOrder {
    /// As in [`CreateOrder`].
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// As in [`CreateOrder`].
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// As in [`CreateOrder`].
    #[serde(deserialize_with = "liberal::optional_redacted", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub ssn: Option<Redacted>,
    /// As in [`CreateOrder`].
    #[serde(deserialize_with = "liberal::optional_object", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub loan: Option<Value>,
    /// As in [`CreateOrder`].
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// As in [`CreateOrder`].
    #[serde(deserialize_with = "liberal::optional_object", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub notification_settings: Option<Value>,
}

/// Asks again what an order asked before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RefreshOrder {
    /// One product in place of those of the order: `employment` for one of `income` or `employment`, or `income` for one of
    /// `income`.
    #[serde(deserialize_with = "liberal::list", skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Option<Vec<String>>)]
    pub products: Vec<String>,
    /// Other employers.
    #[serde(deserialize_with = "liberal::list", skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Option<Vec<OrderEmployerRequest>>)]
    pub employers: Vec<OrderEmployerRequest>,
    /// Where the person reads mail now.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where the person is called now.
    #[serde(deserialize_with = "liberal::optional_text", skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Kept and shown again.
    #[serde(deserialize_with = "liberal::optional_object", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub manager: Option<Value>,
}

/// Looks for orders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct LookUpOrders {
    /// Your own number.
    #[serde(deserialize_with = "liberal::text")]
    #[schema(required)]
    pub order_number: String,
}

/// An order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Order {
    /// 32 hexadecimal characters.
    pub id: String,
    /// As in the request.
    pub products: Vec<String>,
    /// From where it was ordered.
    #[schema(examples("external"))]
    pub source: String,
    /// As in the request.
    pub order_number: Option<String>,
    /// As in the request.
    pub custom_field: Option<String>,
    /// Who asks.
    pub client_name: String,
    /// As in the request.
    pub first_name: Option<String>,
    /// As in the request.
    pub last_name: Option<String>,
    /// As in the request.
    pub email: Option<String>,
    /// As in the request.
    pub phone: Option<String>,
    /// The person.
    pub user_id: String,
    /// The bridge token of the first employer with which something is left to do. With `isOrder` it opens the whole order in the
    /// widget. It lives for six hours; reading the order tells a new one.
    #[schema(value_type = Option<String>)]
    pub bridge_token: Option<Redacted>,
    /// The order's page, for the person. Whoever has the address can go on with the order. `null` once it is canceled or has
    /// expired, and once the person was deleted.
    pub share_url: Option<String>,
    /// The same, shorter.
    pub short_share_url: Option<String>,
    /// `pending`, `completed`, `canceled` or `expired`.
    #[schema(examples("pending"))]
    pub status: String,
    /// When it was made.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// When you took it back.
    pub canceled_at: Option<String>,
    /// When the last employer was settled.
    pub completed_at: Option<String>,
    /// When it ends, or has ended.
    pub expired_at: Option<String>,
    /// Whether it has ended.
    pub is_expired: bool,
    /// When the person agreed.
    pub user_consent_at: Option<String>,
    /// The order that this one asks again.
    pub initial_order: Option<String>,
    /// The order that asks this one again.
    pub refresh_order: Option<String>,
    /// The newest report about employment and income.
    pub voie_report_id: Option<String>,
    /// Always `null`: this server makes no reports about assets.
    pub voa_report_id: Option<String>,
    /// As in the request.
    pub template_id: Option<String>,
    /// The employers.
    pub employers: Vec<OrderEmployer>,
    /// Always empty: this server reads no banks.
    pub financial_accounts: Vec<Value>,
    /// Always `null`.
    #[schema(value_type = Option<Object>)]
    pub insurance: Option<Value>,
    /// Always `null`.
    #[schema(value_type = Option<Object>)]
    pub bank: Option<Value>,
    /// As in the request.
    #[schema(value_type = Option<Object>)]
    pub manager: Option<Value>,
    /// As in the request.
    #[schema(value_type = Option<Object>)]
    pub loan: Option<Value>,
    /// As in the request.
    #[schema(value_type = Option<Object>)]
    pub notification_settings: Option<Value>,
    /// As in the request.
    pub notes: Option<String>,
}

/// An employer of an order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderEmployer {
    /// 32 hexadecimal characters; `tracking_info` of its link and tasks.
    pub id: String,
    /// What is asked.
    #[schema(examples("income"))]
    pub product_type: String,
    /// `pending`, `completed`, `canceled`, `skipped`, `no_data`, `error` or `expired`.
    #[schema(examples("pending"))]
    pub status: String,
    /// As in the request.
    pub suborder_number: Option<String>,
    /// When it was put into the order.
    pub created_at: String,
    /// Opens the widget for this employer, as long as something is left to do. It lives for six hours; reading the order tells a
    /// new one.
    #[schema(value_type = Option<String>)]
    pub bridge_token: Option<Redacted>,
    /// The link, from the first sign-in on.
    pub link_id: Option<String>,
    /// The link's access token, when it is completed.
    #[schema(value_type = Option<String>)]
    pub access_token: Option<Redacted>,
    /// The link's report as PDF, when it is completed.
    pub pdf_report: Option<String>,
    /// `payroll`.
    pub data_source: Option<String>,
    /// Where the person signed in.
    pub provider: Option<ProviderRef>,
    /// Always `false`: this server judges nobody.
    pub is_suspicious: bool,
    /// As in the request.
    pub start_date: Option<String>,
    /// As in the request.
    pub end_date: Option<String>,
    /// The employer.
    pub company_name: Option<String>,
    /// As in the request.
    #[schema(value_type = Option<Object>)]
    pub company_address: Option<Value>,
    /// The employer's web domain.
    pub company_domain: Option<String>,
    /// A picture.
    pub company_logo: Option<String>,
    /// The jobs, as in the report of the product, when it is completed.
    #[schema(value_type = Vec<Object>)]
    pub employments: Vec<Value>,
    /// The runs of work, newest first.
    pub tasks: Vec<Task>,
    /// The status of the newest one.
    pub last_task_status: Option<String>,
}

/// A page of orders, newest first.
pub type OrderPage = Page<Order>;
