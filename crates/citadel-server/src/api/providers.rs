//! Payroll providers.

use axum::{Json, extract::State};
use citadel_api_types::{
    error::{Detail, ErrorBody},
    page::Page,
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

/// Rows on a page, at the most and unless asked otherwise.
const PAGE_SIZE: usize = 100;

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
    (status = 200, body = ProviderPage),
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
    let page = positive("page", params.page.as_deref())?.unwrap_or(1);
    let page_size = positive("page_size", params.page_size.as_deref())?.unwrap_or(PAGE_SIZE).min(PAGE_SIZE);
    let source = params.data_source.as_deref().unwrap_or("payroll");
    let query = params.query.as_deref().unwrap_or_default();
    let found: Vec<_> = match source {
        "" | "payroll" => app.directory.providers(query, product).collect(),
        _ => Vec::new(),
    };
    let start = (page - 1).saturating_mul(page_size);
    if start > 0 && start >= found.len() {
        return Err(error::not_found());
    }
    let address = |page: usize| {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        let filters = [
            ("query", &params.query),
            ("product_type", &params.product_type),
            ("data_source", &params.data_source),
        ];
        for (name, value) in filters {
            if let Some(value) = value {
                pairs.append_pair(name, value);
            }
        }
        pairs.append_pair("page", &page.to_string()).append_pair("page_size", &page_size.to_string());
        format!("{}/v1/providers/?{}", app.public_url, pairs.finish())
    };
    Ok(Json(Page {
        count: i64::try_from(found.len()).unwrap_or(i64::MAX),
        next: (start + page_size < found.len()).then(|| address(page + 1)),
        previous: (page > 1).then(|| address(page - 1)),
        results: found.iter().skip(start).take(page_size).map(|provider| view(&app, provider)).collect(),
    }))
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

fn positive(field: &str, text: Option<&str>) -> ApiResult<Option<usize>> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => match text.parse::<u32>() {
            Ok(number) if number > 0 => Ok(Some(number as usize)),
            _ => Err(error::invalid(field, "Send a whole number from 1.")),
        },
    }
}
