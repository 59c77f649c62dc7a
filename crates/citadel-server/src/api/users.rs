//! Users: people of a client, to whom links and orders belong.

use axum::{Json, extract::State, http::StatusCode};
use citadel_api_types::{
    Redacted,
    bridge_tokens::{BridgeToken as BridgeTokenView, CreateBridgeToken},
    error::{Detail, ErrorBody},
    users::{CreateUser, UpdateUser, User as UserView, UserPage, UserWithReports},
};
use citadel_domain::UserId;
use citadel_store::{
    Tenant, Tx, links,
    links::Link,
    user_reports,
    users::{self, Filter, NewUser, User},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{
    PageAsked, Params, PathId, bridge_tokens,
    links::{Shown, view as link_view},
    optional_product, time_range,
};
use crate::trail;
use crate::{
    app::App,
    auth::Caller,
    body::Body,
    error::{self, ApiError, ApiResult},
    faults::SandboxFaults,
    idempotency::{Holds, Once},
    jobs::{ending, events},
    owner_key::OwnerKey,
    purposes, reports,
};
use citadel_store::audit::{self, Act, Entry};

/// Links that are read with a user, and with each user of a list, at the most; `links/?user_id=` has pages. Every link's access
/// token is unsealed for it, and a list has a hundred users.
const MOST_LINKS: i64 = 100;
const MOST_LINKS_IN_LIST: i64 = 10;
/// The longest text of a profile, in characters.
const MAX_TEXT: usize = 256;

/// What a client told of a person. Sealed under the user's data key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) external_user_id: Option<String>,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) ssn: Option<Redacted>,
}

/// Make a user. A second one with the same `external_user_id` is another user.
#[utoipa::path(post, path = "/v1/users/", tag = "users", request_body = CreateUser, responses(
    (status = 201, body = UserView),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
))]
pub(crate) async fn create_user(
    State(app): State<App>,
    caller: Caller,
    once: Once,
    Body(body): Body<CreateUser>,
) -> ApiResult<(StatusCode, Json<UserView>)> {
    let profile = Profile {
        external_user_id: body.external_user_id,
        first_name: body.first_name,
        last_name: body.last_name,
        email: body.email,
        phone: body.phone,
        ssn: body.ssn,
    };
    check_names([Some(profile.first_name.as_str()), Some(profile.last_name.as_str())])?;
    profile.check_texts()?;
    let now = app.moment(caller.tenant).await?.now;
    let writer = app.clone();
    let db = app.db.scoped(caller.tenant.client_id);
    let answer = db
        .write(async move |tx| {
            let user = create(&writer, tx, caller.tenant, &profile, now).await?;
            let answer = view(&user, profile.clone(), None);
            once.keep(tx, StatusCode::CREATED, &answer, Holds::user(user.id)).await?;
            Ok::<_, ApiError>(answer)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Keeps a new user.
pub(crate) async fn create(
    app: &App,
    tx: &mut Tx<'_>,
    tenant: Tenant,
    profile: &Profile,
    now: Timestamp,
) -> ApiResult<User> {
    let source = app.next_id_source(tx, tenant, "user").await?;
    let id = UserId::generate(now, &*source);
    drop(source);
    let (key, data_key_wrapped) = OwnerKey::new(app, tenant, "users", *id.as_bytes())?;
    let new = NewUser {
        id,
        tenant,
        external_id_hash: profile.external_user_id.as_deref().map(|id| external_id_hash(app, tenant, id)),
        data_key_wrapped,
        profile_sealed: key.seal_json("users", "profile_sealed", *id.as_bytes(), profile)?,
        created_at: now,
    };
    Ok(users::create(tx, &new).await?)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Only users with this id of yours.
    external_user_id: Option<String>,
    /// `false`: without the users' links, of which a list has the newest ten of each; `links/` has all.
    list_links: Option<String>,
    /// Only users made at this time or later.
    #[serde(rename = "created_at__gte")]
    #[param(rename = "created_at__gte")]
    created_at_gte: Option<String>,
    /// Only users made at this time or earlier.
    #[serde(rename = "created_at__lte")]
    #[param(rename = "created_at__lte")]
    created_at_lte: Option<String>,
    /// Only users with a link that serves this product.
    product_type: Option<String>,
    /// From 1.
    page: Option<String>,
    /// 1 to 100.
    page_size: Option<String>,
}

/// List users, newest first.
#[utoipa::path(get, path = "/v1/users/", tag = "users", params(ListParams), responses(
    (status = 200, body = citadel_api_types::page::Page<citadel_api_types::users::User>),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, description = "no such page", body = Detail),
))]
pub(crate) async fn list_users(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> ApiResult<Json<UserPage>> {
    let tenant = caller.tenant;
    let asked = PageAsked::read(&params.page, &params.page_size)?;
    let with_links = !is_no("list_links", params.list_links.as_deref())?;
    let external_user_id = params.external_user_id.as_deref().filter(|id| !id.is_empty());
    let (from, to) = time_range(params.created_at_gte.as_deref(), params.created_at_lte.as_deref())?;
    let filter = Filter {
        external_id_hash: external_user_id.map(|id| external_id_hash(&app, tenant, id)),
        from,
        to,
        product: optional_product(params.product_type.as_deref())?,
    };
    let db = app.db.scoped(tenant.client_id);
    let (count, found) = db
        .read(async move |tx| {
            let rows = users::list(tx, tenant, &filter, asked.size, asked.offset()).await?;
            let mut found = Vec::with_capacity(rows.len());
            for user in rows {
                let links = match with_links {
                    true => Some(links::list(tx, tenant, Some(user.id), MOST_LINKS_IN_LIST, 0).await?),
                    false => None,
                };
                found.push((user, links));
            }
            Ok::<_, ApiError>((users::count(tx, tenant, &filter).await?, found))
        })
        .await?;
    let results = found.iter().map(|(user, links)| full_view(&app, user, links.as_deref()));
    let results = results.collect::<ApiResult<_>>()?;
    let filters = [
        ("external_user_id", params.external_user_id.as_deref()),
        ("list_links", params.list_links.as_deref()),
        ("created_at__gte", params.created_at_gte.as_deref()),
        ("created_at__lte", params.created_at_lte.as_deref()),
        ("product_type", params.product_type.as_deref()),
    ];
    asked.answer(&app, "/v1/users/", &filters, count, results).map(Json)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReadParams {
    /// `false`: without the user's links.
    list_links: Option<String>,
}

/// Read one user.
#[utoipa::path(get, path = "/v1/users/{user_id}/", tag = "users", params(("user_id" = String, Path), ReadParams), responses(
    (status = 200, body = UserWithReports),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn get_user(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<UserId>,
    Params(params): Params<ReadParams>,
) -> ApiResult<Json<UserWithReports>> {
    let tenant = caller.tenant;
    let with_links = !is_no("list_links", params.list_links.as_deref())?;
    let db = app.db.scoped(tenant.client_id);
    let (user, links, report) = db
        .read(async move |tx| {
            let user = find(tx, tenant, id).await?;
            let links = links::list(tx, tenant, Some(user.id), MOST_LINKS, 0).await?;
            let report = user_reports::newest_with_income(tx, tenant, user.id).await?;
            Ok::<_, ApiError>((user, links, report))
        })
        .await?;
    let shown = full_view(&app, &user, with_links.then_some(&links[..]))?;
    trail::release(&app, caller, trail::user(user.id), trail::Data::Profile)?;
    Ok(Json(UserWithReports {
        user: shown,
        voie_report_id: report.map(|report| report.id.to_string()),
        ..UserWithReports::default()
    }))
}

/// Change a user: what is sent is written, and what is left out stays.
#[utoipa::path(patch, path = "/v1/users/{user_id}/", tag = "users", params(("user_id" = String, Path)),
request_body = UpdateUser, responses(
    (status = 200, body = UserView),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn update_user(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<UserId>,
    Body(body): Body<UpdateUser>,
) -> ApiResult<Json<UserView>> {
    let tenant = caller.tenant;
    let now = app.moment(tenant).await?.now;
    let writer = app.clone();
    let db = app.db.scoped(tenant.client_id);
    let (user, profile) = db
        .write(async move |tx| {
            // What is merged must not have been written by somebody else meanwhile.
            if !users::lock(tx, tenant, id).await? {
                return Err(error::not_found());
            }
            let user = find(tx, tenant, id).await?;
            let before = profile(&writer, &user)?;
            let body = body.clone();
            check_names([body.first_name.as_deref(), body.last_name.as_deref()])?;
            let after = Profile {
                external_user_id: body.external_user_id.or(before.external_user_id),
                first_name: body.first_name.unwrap_or(before.first_name),
                last_name: body.last_name.unwrap_or(before.last_name),
                email: body.email.or(before.email),
                phone: body.phone.or(before.phone),
                ssn: body.ssn.or(before.ssn),
            };
            after.check_texts()?;
            write(&writer, tx, &user, &after, now).await?;
            Ok::<_, ApiError>((User { updated_at: now, ..user }, after))
        })
        .await?;
    Ok(Json(view(&user, profile, None)))
}

/// Delete a user with everything that is known of the person: links, reports, orders' names. It cannot be brought back.
#[utoipa::path(delete, path = "/v1/users/{user_id}/", tag = "users", params(("user_id" = String, Path)), responses(
    (status = 204, description = "erased"),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn delete_user(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<UserId>,
) -> ApiResult<StatusCode> {
    let tenant = caller.tenant;
    let moment = app.moment(tenant).await?;
    let writer = app.clone();
    let entry = caller.did(&app, Act::UserDeleted, trail::user(id));
    let db = app.db.scoped(tenant.client_id);
    db.write(async move |tx| {
        if !users::lock(tx, tenant, id).await? {
            return Err(error::not_found());
        }
        let orders = ending::of_user(tx, tenant, id, moment.now).await?;
        // First, because this ends the tokens that links are made with: after it no new one comes.
        if !users::erase(tx, tenant, id, moment.now, writer.deletion_stamp()).await? {
            return Err(error::not_found());
        }
        let mut erased = Vec::new();
        loop {
            let some = links::list(tx, tenant, Some(id), MOST_LINKS, 0).await?;
            if some.is_empty() {
                break;
            }
            for link in some {
                // One that somebody else has just deleted is told of by them.
                if links::erase(tx, tenant, link.id, moment.now, writer.deletion_stamp()).await? {
                    erased.push(link);
                }
            }
        }
        for order in &orders {
            ending::tell(&writer, tx, order, moment).await?;
        }
        events::append_deleted(&writer, tx, &erased, moment).await?;
        let detail = audit::Detail::NONE.count("links", erased.len() as u64);
        audit::append(tx, &writer.keyring, &Entry { detail, ..entry.clone() }).await?;
        Ok::<_, ApiError>(())
    })
    .await?;
    app.ring_events();
    Ok(StatusCode::NO_CONTENT)
}

/// Create a bridge token for a user.
#[utoipa::path(post, path = "/v1/users/{user_id}/tokens/", tag = "users", params(("user_id" = String, Path)),
request_body = CreateBridgeToken, responses(
    (status = 200, body = BridgeTokenView),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn create_user_token(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<UserId>,
    once: Once,
    SandboxFaults(faults): SandboxFaults,
    Body(body): Body<CreateBridgeToken>,
) -> ApiResult<Json<BridgeTokenView>> {
    let tenant = caller.tenant;
    let user = app.db.scoped(tenant.client_id).read(async move |tx| find(tx, tenant, id).await).await?;
    bridge_tokens::make(&app, caller, once, faults, body, Some(user.id)).await.map(Json)
}

/// Writes anew what is known of a person.
pub(crate) async fn write(
    app: &App,
    tx: &mut Tx<'_>,
    user: &User,
    profile: &Profile,
    now: Timestamp,
) -> ApiResult<()> {
    let row = *user.id.as_bytes();
    let sealed = OwnerKey::of_user(app, user)?.seal_json("users", "profile_sealed", row, profile)?;
    let hash = profile.external_user_id.as_deref().map(|id| external_id_hash(app, user.tenant, id));
    users::update(tx, user, hash, &sealed, now).await?;
    Ok(())
}

pub(crate) async fn find(tx: &mut Tx<'_>, tenant: Tenant, id: UserId) -> ApiResult<User> {
    users::find(tx, tenant, id).await?.ok_or_else(error::not_found)
}

/// What is known of a person.
pub(crate) fn profile(app: &App, user: &User) -> ApiResult<Profile> {
    let row = *user.id.as_bytes();
    OwnerKey::of_user(app, user)?.unseal_json("users", "profile_sealed", row, &user.profile_sealed)
}

/// The keyed hash that finds a user by the client's own id. Two clients with the same id have nothing in common.
pub(crate) fn external_id_hash(app: &App, tenant: Tenant, id: &str) -> [u8; 32] {
    app.keyring.keyed_hash(purposes::EXTERNAL_USER_ID, &format!("{}\u{1f}{id}", tenant.client_id))
}

/// Refuses a first or last name of which nothing is left. `None` was not sent: a person may be without a name, who came with an
/// order.
fn check_names(names: [Option<&str>; 2]) -> ApiResult<()> {
    let sent = ["first_name", "last_name"].into_iter().zip(names);
    let blank = sent.filter(|(_, name)| name.is_some_and(|name| name.trim().is_empty()));
    let problems: Vec<_> =
        blank.map(|(field, _)| (field.to_owned(), "This field is required.".to_owned())).collect();
    if problems.is_empty() { Ok(()) } else { Err(error::invalid_fields(problems)) }
}

impl Profile {
    /// What is there must be right. An order may leave out everything.
    pub(crate) fn check_texts(&self) -> ApiResult<()> {
        let mut problems = Vec::new();
        let mut refuse = |field: &str, message: &str| problems.push((field.to_owned(), message.to_owned()));
        for (field, text) in [
            ("external_user_id", self.external_user_id.as_deref()),
            ("first_name", Some(self.first_name.as_str())),
            ("last_name", Some(self.last_name.as_str())),
            ("email", self.email.as_deref()),
            ("phone", self.phone.as_deref()),
        ] {
            if text.is_some_and(|text| text.chars().count() > MAX_TEXT) {
                refuse(field, "At most 256 characters.");
            }
        }
        if self.email.as_deref().is_some_and(|email| !email.contains('@')) {
            refuse("email", "This is no e-mail address.");
        }
        let is_ssn = |text: &str| {
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            matches!(digits, 4 | 9) && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
        };
        if self.ssn.as_ref().is_some_and(|ssn| !is_ssn(ssn.expose())) {
            refuse("ssn", "Send nine digits, or the last four.");
        }
        if problems.is_empty() { Ok(()) } else { Err(error::invalid_fields(problems)) }
    }
}

/// Whether a switch in a query says no.
fn is_no(field: &str, text: Option<&str>) -> ApiResult<bool> {
    match text.unwrap_or_default() {
        "" | "true" | "True" | "1" => Ok(false),
        "false" | "False" | "0" => Ok(true),
        _ => Err(error::invalid(field, "Send true or false.")),
    }
}

fn full_view(app: &App, user: &User, links: Option<&[Link]>) -> ApiResult<UserView> {
    let profile = profile(app, user)?;
    let external = profile.external_user_id.clone();
    let links = links.map(|links| {
        links.iter().map(|link| link_view(app, link, external.as_deref(), Shown::Masked)).collect()
    });
    Ok(view(user, profile, links.transpose()?))
}

fn view(user: &User, profile: Profile, links: Option<Vec<citadel_api_types::links::Link>>) -> UserView {
    UserView {
        id: user.id.to_string(),
        external_user_id: profile.external_user_id,
        first_name: profile.first_name,
        last_name: profile.last_name,
        email: profile.email,
        phone: profile.phone,
        ssn: profile.ssn,
        created_at: reports::time(user.created_at),
        updated_at: reports::time(user.updated_at),
        links,
    }
}
