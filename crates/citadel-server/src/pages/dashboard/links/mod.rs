//! Links: all of them, and whose any id is.

mod acts;
mod found;
mod masked;
mod one;

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use citadel_domain::{BridgeTokenId, CompanyId, LinkId, OrderId, Product, TaskId, TaskStatus, UserId};
use citadel_store::{
    Error, Tenant, Tx, bridge_tokens,
    browse::{self, LinkFilter},
    links::{self, Link},
    order_employers, tasks, users,
};
use serde::Deserialize;

pub(super) use self::{
    acts::{delete_link, reveal, revoke_consent, revoke_token},
    one::{event_words, get_link, task_url},
};
use super::{
    asked::{query, value},
    guard::Here,
    lists::{self, Choice, Older},
    page::{Frame, PageError, PageResult, show, time},
};
use crate::{app::App, purposes};

#[derive(Template)]
#[template(path = "dashboard/links.html")]
struct Page {
    frame: Frame,
    links: Vec<Line>,
    statuses: Vec<Choice>,
    providers: Vec<Choice>,
    products: Vec<Choice>,
    /// The person whose links are shown.
    user_id: Option<String>,
    is_filtered: bool,
    newest: Option<String>,
    older: Option<Older>,
}

struct Line {
    id: String,
    provider: String,
    employer: String,
    status: TaskStatus,
    tone: &'static str,
    product: Product,
    user_id: Option<String>,
    has_ended: bool,
    created: String,
    updated: String,
}

#[derive(Default, Deserialize)]
pub(super) struct Asked {
    status: Option<String>,
    provider: Option<String>,
    product: Option<String>,
    user: Option<String>,
    before: Option<String>,
    done: Option<String>,
}

pub(super) async fn get_links(
    State(app): State<App>,
    here: Here,
    Query(asked): Query<Asked>,
) -> PageResult<Response> {
    let tenant = here.tenant;
    let filter = LinkFilter {
        status: value("Status", asked.status.as_deref())?,
        provider_id: asked.provider.clone().filter(|id| !id.is_empty()),
        product: value("Product", asked.product.as_deref())?,
        user_id: lists::before(asked.user.as_deref().filter(|id| !id.is_empty()))?,
    };
    let before: Option<LinkId> = lists::before(asked.before.as_deref())?;
    let read = filter.clone();
    let mut found = app
        .db
        .scoped(tenant.client_id)
        .read(async move |tx| browse::links(tx, tenant, &read, before, lists::READ).await)
        .await?;
    let path = here.url("links");
    let address = |before: Option<&str>| {
        let user = asked.user.as_deref();
        let (status, provider) = (asked.status.as_deref(), asked.provider.as_deref());
        let product = asked.product.as_deref();
        let filters = [
            ("status", status),
            ("provider", provider),
            ("product", product),
            ("user", user),
            ("before", before),
        ];
        query(&path, &filters)
    };
    let older = lists::older(&mut found, |link| link.id, |last| address(Some(last)));
    let notice = asked.done.as_deref().and_then(|done| match done {
        "deleted" => Some("The link is deleted, with all that was known through it."),
        "unknown" => Some("Nothing here has this id. It may belong to another environment, or be deleted."),
        _ => None,
    });
    show(&Page {
        frame: here.frame("links").saying(notice),
        links: found.rows.iter().map(|link| line(&app, link)).collect(),
        statuses: lists::statuses(filter.status),
        providers: lists::providers(&app, filter.provider_id.as_deref()),
        products: lists::products(filter.product),
        is_filtered: address(None) != path,
        user_id: filter.user_id.map(|id| id.to_string()),
        newest: before.map(|_| address(None)),
        older,
    })
}

fn line(app: &App, link: &Link) -> Line {
    Line {
        id: link.id.to_string(),
        provider: lists::provider_name(app, &link.provider_id),
        employer: employer_name(app, link.company_mapping_id),
        status: link.status,
        tone: lists::tone(link.status),
        product: link.product,
        user_id: link.user_id.map(|id| id.to_string()),
        has_ended: link.consent_ended_at.is_some(),
        created: time(link.created_at),
        updated: time(link.updated_at),
    }
}

fn employer_name(app: &App, id: Option<CompanyId>) -> String {
    id.and_then(|id| app.directory.find_company(id)).map_or_else(|| "–".to_owned(), |one| one.name.clone())
}

#[derive(Deserialize)]
pub(super) struct Sent {
    id: String,
}

/// What has an id.
enum Found {
    Link(LinkId),
    Task(LinkId, TaskId),
    User(UserId),
    Flow(BridgeTokenId),
}

/// Goes to what has an id. It is sent in a form and not in an address: people paste tokens where ids belong.
pub(super) async fn find(State(app): State<App>, here: Here, Form(sent): Form<Sent>) -> PageResult<Response> {
    let tenant = here.tenant;
    let id = sent.id.trim().to_owned();
    let hashes =
        [purposes::BRIDGE_TOKEN, purposes::ACCESS_TOKEN].map(|purpose| app.keyring.keyed_hash(purpose, &id));
    let found = app
        .db
        .scoped(tenant.client_id)
        .read(async move |tx| match find_by_id(tx, tenant, &id).await? {
            Some(found) => Ok(Some(found)),
            None => find_by_token(tx, tenant, &hashes).await,
        })
        .await?;
    let page = match found {
        Some(Found::Link(id)) => format!("links/{id}"),
        Some(Found::Task(link_id, id)) => format!("links/{link_id}#task-{id}"),
        Some(Found::User(id)) => format!("links?user={id}"),
        Some(Found::Flow(id)) => format!("flows/{id}"),
        None => "links?done=unknown".to_owned(),
    };
    Ok(Redirect::to(&here.url(&page)).into_response())
}

async fn find_by_id(tx: &mut Tx<'_>, tenant: Tenant, text: &str) -> Result<Option<Found>, Error> {
    let Ok(id) = text.parse::<LinkId>() else { return Ok(None) };
    let bytes = *id.as_bytes();
    if links::find(tx, tenant, id).await?.is_some() {
        return Ok(Some(Found::Link(id)));
    }
    if let Some(task) = tasks::find(tx, tenant, TaskId::from_bytes(bytes)).await? {
        let link = links::find(tx, tenant, task.link_id).await?;
        return Ok(link.map(|link| Found::Task(link.id, task.id)));
    }
    if let Some(user) = users::find(tx, tenant, UserId::from_bytes(bytes)).await? {
        return Ok(Some(Found::User(user.id)));
    }
    if let Some(token) = bridge_tokens::find(tx, tenant, BridgeTokenId::from_bytes(bytes)).await? {
        return Ok(Some(Found::Flow(token.id)));
    }
    let employers = order_employers::list(tx, tenant, OrderId::from_bytes(bytes)).await?;
    Ok(employers.iter().find_map(|one| one.link_id).map(Found::Link))
}

async fn find_by_token(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    [bridge_token, access_token]: &[[u8; 32]; 2],
) -> Result<Option<Found>, Error> {
    let token = bridge_tokens::find_by_hash(tx, bridge_token).await?;
    if let Some(token) = token.filter(|token| token.tenant == tenant) {
        return Ok(Some(Found::Flow(token.id)));
    }
    let link = links::find_to_repair(tx, tenant, access_token).await?;
    Ok(link.map(|link| Found::Link(link.id)))
}

/// The link of an address.
async fn find_link(app: &App, here: &Here, id: &str) -> PageResult<Link> {
    let (tenant, id) = (here.tenant, lists::id::<LinkId>(id)?);
    let found =
        app.db.scoped(tenant.client_id).read(async move |tx| links::find(tx, tenant, id).await).await?;
    found.ok_or_else(PageError::not_found)
}
