//! Payroll providers.

use axum::{Json, extract::State};
use citadel_api_types::{
    error::{Detail, ErrorBody},
    providers::{Provider as ProviderView, ProviderPage},
};
use citadel_domain::Product;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::{Params, PathId};
use crate::{
    app::App,
    auth::Caller,
    directory::Provider,
    error::{self, ApiResult},
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// The beginning of a word of the name.
    query: Option<String>,
    /// Only providers that serve this product.
    product_type: Option<String>,
    /// `payroll`; there are no providers of other sources.
    data_source: Option<String>,
    /// From 1.
    page: Option<String>,
    /// 1 to 100.
    page_size: Option<String>,
}

/// List payroll providers, best known first.
#[utoipa::path(get, path = "/v1/providers/", tag = "directory", params(ListParams), responses(
    (status = 200, body = citadel_api_types::page::Page<citadel_api_types::providers::Provider>),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, description = "no such page", body = Detail),
))]
pub(crate) async fn list_providers(
    State(app): State<App>,
    _caller: Caller,
    Params(params): Params<ListParams>,
) -> ApiResult<Json<ProviderPage>> {
    let product = super::optional_product(params.product_type.as_deref())?;
    let source = params.data_source.as_deref().unwrap_or("payroll");
    let query = params.query.as_deref().unwrap_or_default();
    let found: Vec<_> = match source {
        "" | "payroll" => app.directory.providers(query, product).collect(),
        _ => Vec::new(),
    };
    let filters = [
        ("query", params.query.as_deref()),
        ("product_type", params.product_type.as_deref()),
        ("data_source", params.data_source.as_deref()),
    ];
    let page = super::page_of(&app, "/v1/providers/", &filters, &params.page, &params.page_size, found)?;
    Ok(Json(page.map(|provider| view(&app, provider))))
}

/// Read one payroll provider.
#[utoipa::path(get, path = "/v1/providers/{provider_id}/", tag = "directory", params(("provider_id" = String, Path)), responses(
    (status = 200, body = ProviderView),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn get_provider(
    State(app): State<App>,
    _caller: Caller,
    PathId(id): PathId<String>,
) -> ApiResult<Json<ProviderView>> {
    let provider = app.directory.provider(&id).ok_or_else(error::not_found)?;
    Ok(Json(view(&app, provider)))
}

fn view(app: &App, provider: &Provider) -> ProviderView {
    let features = Product::ALL
        .into_iter()
        .map(|product| (product.to_string(), json!(provider.products.contains(&product))))
        .collect();
    ProviderView {
        id: provider.id.clone(),
        name: provider.name.clone(),
        logo_url: Some(app.mark_url(&provider.id)),
        domain: provider.domain.clone(),
        is_supported: true,
        success_rate: Some("high".to_owned()),
        features,
    }
}
