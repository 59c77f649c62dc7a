//! Links, as clients see them.

use citadel_api_types::{Redacted, companies::CompanyRef, links::Link as LinkView};
use citadel_domain::{CompanyId, Product, tokens::hex};
use citadel_store::links::Link;

use super::access_tokens::known_access_token;
use crate::{app::App, error::ApiResult, purposes, reports};

/// How much of an access token is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// All of it.
    Whole,
    /// Its last four characters.
    Masked,
}

/// A link.
pub(super) fn view(
    app: &App,
    link: &Link,
    user_external_id: Option<&str>,
    shown: Shown,
) -> ApiResult<LinkView> {
    let access_token = known_access_token(app, link)?.map(|token| match shown {
        Shown::Whole => token,
        Shown::Masked => Redacted::from(masked(token.expose())),
    });
    let provider = app.directory.provider(&link.provider_id);
    Ok(LinkView {
        id: link.id.to_string(),
        access_token,
        created_at: reports::time(link.created_at),
        updated_at: reports::time(link.updated_at),
        deleted_at: None,
        tracking_info: link.tracking_info.clone(),
        status: link.status.to_string(),
        user_external_id: user_external_id.map(str::to_owned),
        user_id: link.user_id.map(|id| id.to_string()),
        provider_id: link.provider_id.clone(),
        provider: app.provider_ref(&link.provider_id),
        company_mapping: link.company_mapping_id.and_then(|id| company_ref(app, id)),
        link_hash: link
            .person_hash
            .map(|hash| hex(&app.keyring.keyed_hash(purposes::LINK_HASH, &hex(&hash))[..16])),
        allowed_products: link.allowed_products.iter().map(Product::to_string).collect(),
        initial_product_type: link.product.to_string(),
        data_source: "payroll".to_owned(),
        is_suspicious: false,
        is_dds_available: provider.map(|provider| provider.products.contains(&Product::DepositSwitch)),
    })
}

/// An employer, as other objects name it.
pub(super) fn company_ref(app: &App, id: CompanyId) -> Option<CompanyRef> {
    let company = app.directory.company(&id.to_string())?;
    let id = company.id.to_string();
    let logo_url = Some(app.mark_url(&id));
    Some(CompanyRef { id, name: company.name.clone(), logo_url })
}

/// 28 stars and the last four characters.
fn masked(token: &str) -> String {
    format!("{}{}", "*".repeat(28), token.get(token.len().saturating_sub(4)..).unwrap_or_default())
}
