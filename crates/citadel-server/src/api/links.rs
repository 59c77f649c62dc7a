//! Links: people's connections to payroll providers, as clients see them.

use std::collections::HashMap;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use citadel_api_types::{
    Redacted,
    companies::CompanyRef,
    error::{Detail, ErrorBody},
    links::{Link as LinkView, LinkPage},
    reports::IncomeReport,
};
use citadel_domain::{CompanyId, LinkId, Product, UserId, tokens::hex};
use citadel_store::{
    Tenant, Tx, links,
    links::Link,
    users::{self, User},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    PageAsked, Params, PathId, PathIds,
    access_tokens::known_access_token,
    optional_id,
    reports::{ReportParams, check_allowed, json, named},
    users::profile,
};
use crate::trail::{self, Data};
use crate::{
    app::App,
    auth::Caller,
    error::{self, ApiError, ApiResult},
    jobs::events,
    purposes,
    reports::{self, Facts},
};
use citadel_store::audit::{self, Act, Entry};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Only links of this person. The access tokens are whole then.
    user_id: Option<String>,
    /// From 1.
    page: Option<String>,
    /// 1 to 100.
    page_size: Option<String>,
}

/// List links, newest first.
#[utoipa::path(get, path = "/v1/links/", tag = "links", params(ListParams), responses(
    (status = 200, body = citadel_api_types::page::Page<citadel_api_types::links::Link>),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, description = "no such page", body = Detail),
))]
pub(crate) async fn list_links(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> ApiResult<Json<LinkPage>> {
    let tenant = caller.tenant;
    let asked = PageAsked::read(&params.page, &params.page_size)?;
    let user_id = optional_id("user_id", params.user_id.as_deref())?;
    let db = app.db.scoped(tenant.client_id);
    let (count, found, people) = db
        .read(async move |tx| {
            let found = links::list(tx, tenant, user_id, asked.size, asked.offset()).await?;
            let people = people_of(tx, tenant, &found).await?;
            Ok::<_, ApiError>((links::count(tx, tenant, user_id).await?, found, people))
        })
        .await?;
    let shown = if user_id.is_some() { Shown::Whole } else { Shown::Masked };
    let names = external_ids(&app, &people)?;
    let results = found.iter().map(|link| {
        let name = link.user_id.and_then(|id| names.get(&id)?.as_deref());
        view(&app, link, name, shown)
    });
    let results = results.collect::<ApiResult<_>>()?;
    asked.answer(&app, "/v1/links/", &[("user_id", params.user_id.as_deref())], count, results).map(Json)
}

/// Read one link.
#[utoipa::path(get, path = "/v1/links/{link_id}/", tag = "links", params(("link_id" = String, Path)), responses(
    (status = 200, body = LinkView),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn get_link(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<LinkId>,
) -> ApiResult<Json<LinkView>> {
    let tenant = caller.tenant;
    let db = app.db.scoped(tenant.client_id);
    let (link, user) = db
        .read(async move |tx| {
            let link = find(tx, tenant, id).await?;
            let user = match link.user_id {
                Some(user_id) => users::find(tx, tenant, user_id).await?,
                None => None,
            };
            Ok::<_, ApiError>((link, user))
        })
        .await?;
    let profile = user.map(|user| profile(&app, &user)).transpose()?;
    let name = profile.and_then(|profile| profile.external_user_id);
    view(&app, &link, name.as_deref(), Shown::Masked).map(Json)
}

/// Delete a link with all that is known through it, and end its tasks. It cannot be brought back.
#[utoipa::path(delete, path = "/v1/links/{link_id}/", tag = "links", params(("link_id" = String, Path)), responses(
    (status = 204, description = "erased"),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn delete_link(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<LinkId>,
) -> ApiResult<StatusCode> {
    let entry = caller.did(&app, Act::LinkDeleted, trail::link(id));
    erase(&app, caller.tenant, id, entry).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a link for whoever may, and tells its client.
pub(crate) async fn erase(app: &App, tenant: Tenant, id: LinkId, entry: Entry) -> ApiResult<()> {
    let moment = app.moment(tenant).await?;
    let writer = app.clone();
    let db = app.db.scoped(tenant.client_id);
    db.write(async move |tx| {
        let link = find(tx, tenant, id).await?;
        if !links::erase(tx, tenant, id, moment.now, writer.deletion_stamp()).await? {
            return Err(error::not_found());
        }
        // The event's place is taken last, as a worker does that holds a task of the link.
        events::append_deleted(&writer, tx, &[link], moment).await?;
        audit::append(tx, &writer.keyring, &entry).await?;
        Ok::<_, ApiError>(())
    })
    .await?;
    app.ring_events();
    Ok(())
}

/// Read a report of a link by its kind: `income`, `employment`, `direct_deposit`, `pll` or `admin`.
#[utoipa::path(get, path = "/v1/links/{link_id}/{kind}/report/", tag = "reports", params(
    ReportParams,
    ("link_id" = String, Path),
    ("kind" = String, Path, description = "`income`, `employment`, `direct_deposit` (or `deposit_switch`), `pll` (or `ppl`) or `admin`"),
), responses(
    (status = 200, description = "the report of that kind; here the one for `income`", body = IncomeReport),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "the link does not serve this product", body = ErrorBody),
    (status = 404, description = "unknown link, or unknown kind", body = Detail),
))]
pub(crate) async fn get_link_report(
    State(app): State<App>,
    caller: Caller,
    PathIds(id, kind): PathIds<LinkId, String>,
    Params(params): Params<ReportParams>,
) -> ApiResult<Response> {
    let tenant = caller.tenant;
    let kind = named(&kind)?;
    let with_provenance = params.with_provenance()?;
    let db = app.db.scoped(tenant.client_id);
    let facts = db
        .read(async move |tx| {
            let link = find(tx, tenant, id).await?;
            check_allowed(&link, kind)?;
            Ok::<_, ApiError>(Facts::of_link(tx, link, kind).await?)
        })
        .await?;
    let access_token = known_access_token(&app, &facts.link)?;
    let report = reports::render(&app, kind, &facts, access_token.as_ref(), with_provenance)?;
    trail::release(&app, caller, trail::link(id), Data::Report(kind))?;
    Ok(json(report))
}

pub(crate) async fn find(tx: &mut Tx<'_>, tenant: Tenant, id: LinkId) -> ApiResult<Link> {
    links::find(tx, tenant, id).await?.ok_or_else(error::not_found)
}

/// The people of some links, each once.
async fn people_of(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    links: &[Link],
) -> Result<HashMap<UserId, User>, citadel_store::Error> {
    let mut people = HashMap::new();
    for id in links.iter().filter_map(|link| link.user_id) {
        if !people.contains_key(&id)
            && let Some(user) = users::find(tx, tenant, id).await?
        {
            people.insert(id, user);
        }
    }
    Ok(people)
}

/// What the client calls them.
fn external_ids(app: &App, people: &HashMap<UserId, User>) -> ApiResult<HashMap<UserId, Option<String>>> {
    people.iter().map(|(id, user)| Ok((*id, profile(app, user)?.external_user_id))).collect()
}

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
