//! Links: a person's consented connection to one provider.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Redacted, companies::CompanyRef, page::Page, providers::ProviderRef};

/// A link.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Link {
    /// 32 hexadecimal characters.
    pub id: String,
    /// The access token: whole in a list that is narrowed by `user_id`, elsewhere 28 stars and its last four characters. `null`
    /// before the first exchange of a public token.
    #[schema(value_type = Option<String>, examples("****************************7610"))]
    pub access_token: Option<Redacted>,
    /// When the person first signed in.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// Always `null`: a deleted link is not there.
    pub deleted_at: Option<String>,
    /// As given with the bridge token.
    pub tracking_info: Option<String>,
    /// Of the newest task.
    #[schema(examples("done"))]
    pub status: String,
    /// Your own id of the person.
    pub user_external_id: Option<String>,
    /// The person, when the link was made for one.
    pub user_id: Option<String>,
    /// The provider's id.
    #[schema(examples("adp"))]
    pub provider_id: String,
    /// The provider.
    pub provider: Option<ProviderRef>,
    /// The employer that was picked.
    pub company_mapping: Option<CompanyRef>,
    /// The same for every link of one person at one provider, and `null` before the first sign-in that succeeded.
    pub link_hash: Option<String>,
    /// The products that the link may serve.
    pub allowed_products: Vec<String>,
    /// What the widget was opened for.
    pub initial_product_type: String,
    /// `payroll`.
    pub data_source: String,
    /// Always `false`: this server judges nobody.
    pub is_suspicious: bool,
    /// Whether the provider can switch a direct deposit.
    pub is_dds_available: Option<bool>,
}

/// A page of links, newest first.
pub type LinkPage = Page<Link>;
