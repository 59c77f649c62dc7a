//! Employers: search as one types, and what can be done at one.

use axum::{Json, extract::State};
use citadel_api_types::{
    companies::{CompanyFeatures, CompanyInfo, CompanyMapping, MatchCompany},
    error::{Detail, ErrorBody},
};
use citadel_domain::{Product, account::DepositType};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Params, PathId};
use crate::{
    app::App,
    auth::Caller,
    body::Body,
    directory::Company,
    error::{self, ApiResult},
};

/// How many employers a search answers.
pub(crate) const MOST_RESULTS: usize = 10;
/// How sure a match must be that nobody looks at.
const SURE: f64 = 0.5;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchParams {
    /// The beginning of a name, a word of it, a nickname or a web domain. Small typos are forgiven.
    #[param(required, min_length = 1)]
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
    info.company = rated(&app, company, product, info.company);
    if app.directory.serves(company, Product::DepositSwitch) {
        info.features.deposit_switch.deposit_types =
            Some(DepositType::ALL.map(|kind| kind.as_str().to_owned()).to_vec());
    }
    Ok(Json(info))
}

/// Find the employer that fits best what is known of it: by its id, else its web domain, else its name. One that nothing fits is
/// `unmapped`, and has no id.
#[utoipa::path(post, path = "/v1/companies/", tag = "directory", request_body = MatchCompany, responses(
    (status = 200, body = CompanyMapping),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
))]
pub(crate) async fn match_company(
    State(app): State<App>,
    _caller: Caller,
    Body(body): Body<MatchCompany>,
) -> ApiResult<Json<CompanyMapping>> {
    let product = super::optional_product(body.product_type.as_deref())?;
    let name = body.name.filter(|name| !name.trim().is_empty());
    if body.id.is_none() && body.domain.is_none() && name.is_none() {
        return Err(error::invalid("name", "Send a name, a domain or an id."));
    }
    let found = match &body.id {
        Some(id) => {
            let company = app.directory.company(id);
            let unknown =
                || error::invalid("id", "Unknown company. Take the id from company-mappings-search.");
            Some((company.ok_or_else(unknown)?, 1.0))
        }
        None => by_domain(&app, body.domain.as_deref())
            .map(|company| (company, 1.0))
            .or_else(|| app.directory.search(name.as_deref()?, None, 1).pop())
            .filter(|(_, confidence)| *confidence >= SURE),
    };
    Ok(Json(match found {
        Some((company, confidence)) => rated(&app, company, product, mapping(&app, company, confidence)),
        None => unmapped(name, body.domain),
    }))
}

/// The employer with this web domain, in whatever spelling it was copied.
fn by_domain<'a>(app: &'a App, sent: Option<&str>) -> Option<&'a Company> {
    let sent = sent?.trim().to_lowercase();
    let host =
        sent.split_once("://").map_or(sent.as_str(), |(_, rest)| rest).split(['/', '?', ':']).next()?;
    app.directory.company_of_domain(host.strip_prefix("www.").unwrap_or(host))
}

fn unmapped(name: Option<String>, domain: Option<String>) -> CompanyMapping {
    CompanyMapping {
        name: name.or_else(|| domain.clone()).unwrap_or_default(),
        domain,
        confidence_level: "0.00".to_owned(),
        mapping_status: "unmapped".to_owned(),
        ..CompanyMapping::default()
    }
}

/// With the success rate that is meant for a product.
fn rated(app: &App, company: &Company, product: Option<Product>, mapping: CompanyMapping) -> CompanyMapping {
    match product {
        Some(product) if !app.directory.serves(company, product) => {
            CompanyMapping { success_rate: Some("unsupported".to_owned()), ..mapping }
        }
        _ => mapping,
    }
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
