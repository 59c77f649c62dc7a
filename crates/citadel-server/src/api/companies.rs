//! Employers: search as one types, and what can be done at one.

use axum::{Json, extract::State};
use citadel_api_types::{
    companies::{CompanyFeatures, CompanyInfo, CompanyMapping},
    error::{Detail, ErrorBody},
};
use citadel_domain::{Product, account::DepositType};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Params, PathId};
use crate::{
    app::App,
    auth::Caller,
    directory::Company,
    error::{self, ApiResult},
};

/// How many employers a search answers.
pub(crate) const MOST_RESULTS: usize = 10;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchParams {
    /// The beginning of a name, a word of it, a nickname or a web domain. Small typos are forgiven.
    query: Option<String>,
    /// Only employers whose providers serve this product.
    product_type: Option<String>,
}

/// Search employers, best first. The answer is a bare list.
#[utoipa::path(get, path = "/v1/company-mappings-search/", tag = "directory", params(SearchParams), responses(
    (status = 200, body = Vec<CompanyMapping>),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
))]
pub(crate) async fn search_companies(
    State(app): State<App>,
    _caller: Caller,
    Params(params): Params<SearchParams>,
) -> ApiResult<Json<Vec<CompanyMapping>>> {
    let Some(query) = params.query.filter(|query| !query.trim().is_empty()) else {
        return Err(error::invalid("query", "This field is required."));
    };
    let product = super::optional_product(params.product_type.as_deref())?;
    let hits = app.directory.search(&query, product, MOST_RESULTS);
    Ok(Json(hits.into_iter().map(|(company, confidence)| mapping(&app, company, confidence)).collect()))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CompanyParams {
    /// For which product `success_rate` is meant.
    product_type: Option<String>,
}

/// Read one employer, with what can be done there.
#[utoipa::path(get, path = "/v1/companies/{company_mapping_id}/", tag = "directory",
    params(("company_mapping_id" = String, Path, description = "from the search"), CompanyParams), responses(
    (status = 200, body = CompanyInfo),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn get_company(
    State(app): State<App>,
    _caller: Caller,
    PathId(id): PathId<String>,
    Params(params): Params<CompanyParams>,
) -> ApiResult<Json<CompanyInfo>> {
    let product = super::optional_product(params.product_type.as_deref())?;
    let company = app.directory.company(&id).ok_or_else(error::not_found)?;
    let mut info = CompanyInfo { company: mapping(&app, company, 1.0), features: CompanyFeatures::default() };
    if product.is_some_and(|product| !app.directory.serves(company, product)) {
        info.company.success_rate = Some("unsupported".to_owned());
    }
    if app.directory.serves(company, Product::DepositSwitch) {
        info.features.deposit_switch.deposit_types =
            Some(DepositType::ALL.map(|kind| kind.as_str().to_owned()).to_vec());
    }
    Ok(Json(info))
}

fn mapping(app: &App, company: &Company, confidence: f64) -> CompanyMapping {
    CompanyMapping {
        company_mapping_id: Some(company.id.to_string()),
        name: company.name.clone(),
        domain: company.domain.clone(),
        logo_url: Some(app.mark_url(&company.id.to_string())),
        confidence_level: format!("{confidence:.2}"),
        success_rate: Some(if company.providers.is_empty() { "unsupported" } else { "high" }.to_owned()),
        mapping_status: if company.providers.is_empty() { "unmapped" } else { "mapped" }.to_owned(),
        sso: None,
    }
}
