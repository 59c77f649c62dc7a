//! Step 3 of a verification: the consumer signs in, and a link and a task are born.

use std::net::IpAddr;

use axum::{Extension, Json, extract::State, http::StatusCode};
use citadel_connectors::{Login, LoginForm, LoginWay};
use citadel_domain::{CompanyId, Environment, Fault, LinkId, Secret, TaskId, TaskStatus, tokens};
use citadel_store::{
    Tx,
    bridge_tokens::{self, BridgeToken},
    consents,
    links::{self, Link, NewLink},
    logins::{self, NewLogin},
    tasks::{self, NewTask, Task},
};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{
    MAX_FIELD,
    deposit::{self, Share},
    session::login_form,
    task::{TaskView, view},
    tries::{self, Tries},
};
use crate::trail;
use crate::{
    app::App,
    auth::BridgeSession,
    body::Body,
    connections::Peer,
    consent,
    error::{self, ApiError, ApiResult},
    faults::{Planned, SignIn},
    idempotency::Once,
    jobs::{self, change, events, orders, safe},
    moment::Moment,
    owner_key::OwnerKey,
    purposes,
};
use citadel_store::audit::{self, Act, Detail, Entry};

/// How many links one bridge token may make (P8).
const MAX_LINKS: i64 = 10;
/// How many sign-ins one bridge token may see, over all its links.
const MAX_SIGN_INS: i64 = 50;
/// How long a sign-in is kept while its task runs.
const LOGIN_LIFE: SignedDuration = SignedDuration::from_mins(15);

/// A sign-in. Class S1: it goes from here into a seal.
#[derive(Deserialize)]
pub(crate) struct CreateTask {
    provider_id: String,
    #[serde(default)]
    company_mapping_id: Option<String>,
    login: Login,
    /// The person pressed Confirm: nothing at a provider is changed without that.
    #[serde(default)]
    confirmed: bool,
    /// The person has seen on the form who receives what, and goes on: asked for where the token is of an order whose page the
    /// person has not agreed on.
    #[serde(default)]
    consented: bool,
    /// The share of pay that the person chose; the token's own when absent.
    #[serde(default)]
    deposit: Option<Share>,
}

impl CreateTask {
    /// A sign-in in which everything is agreed to and confirmed as the token has it.
    pub(crate) const fn confirmed(
        provider_id: String,
        company_mapping_id: Option<String>,
        login: Login,
    ) -> Self {
        Self { provider_id, company_mapping_id, login, confirmed: true, consented: true, deposit: None }
    }
}

/// The consumer signs in: a link and a task are born, the login is sealed, and the work is queued, in one transaction.
pub(crate) async fn create_task(
    State(app): State<App>,
    session: BridgeSession,
    peer: Option<Extension<Peer>>,
    Body(body): Body<CreateTask>,
) -> ApiResult<(StatusCode, Json<TaskView>)> {
    let address = peer.and_then(|Extension(peer)| peer.address);
    let Begun { task, link, page_token } = begin(&app, &session, address, body, &[], Once::NEVER).await?;
    let task = view(&app, &task, &link)?.with_page(&page_token);
    Ok((StatusCode::CREATED, Json(task)))
}

/// What a sign-in made.
pub(crate) struct Begun {
    pub(crate) task: Task,
    pub(crate) link: Link,
    /// Opens the person's own page. It is told this once.
    page_token: Secret,
}

/// The same for whoever is behind a session, with what is to go wrong on purpose.
pub(crate) async fn begin(
    app: &App,
    session: &BridgeSession,
    address: Option<IpAddr>,
    body: CreateTask,
    faults: &[Fault],
    once: Once,
) -> ApiResult<Begun> {
    let Moment { now, live, .. } = session.moment;
    let token = session.token.clone();
    let repaired = repaired_link(app, &token).await?;
    let choice = Choice::of(app, &token, repaired.as_ref(), &body)?;
    check_login(app, &token, &choice.provider_id, &body.login)?;
    let tries = Tries::of(app, &token, &choice.provider_id, &body.login, address);
    let wanted = deposit::wanted_change(app, &token, body.confirmed, body.deposit.as_ref())?;
    let new_link = NewLink {
        id: LinkId::from_bytes([0; 16]),
        tenant: token.tenant,
        bridge_token_id: token.id,
        provider_id: choice.provider_id,
        company_mapping_id: choice.company_id,
        tracking_info: token.tracking_info.clone(),
        product: token.product,
        allowed_products: token.allowed_products.clone(),
        data_key_wrapped: Vec::new(),
        user_id: token.user_id,
        created_at: now,
        consent_expires_at: consent::ends(now),
    };
    let faults = [faults, token.faults.as_slice()].concat();
    let moment = session.moment;
    let act = if repaired.is_some() { Act::ConsentRenewed } else { Act::ConsentGiven };
    let detail =
        Detail::NONE.words("products", token.allowed_products.iter().map(|product| product.as_str()));
    let entry = Entry { detail, ..session.did(app, act, trail::NO_LINK) };
    let page_token = tokens::generate_long_token(&*app.random);
    let page_hash = app.keyring.keyed_hash(purposes::YOUR_DATA, page_token.expose());
    let writer = app.clone();
    let hand = app.hands.free();
    let is_hand_free = hand.is_some();
    let (task, link, job) = app
        .db
        .scoped(token.tenant.client_id)
        .write(async move |tx| {
            // Counted first: the count locks the token, so that two sign-ins at once do not both see no link.
            let Some(number) = bridge_tokens::count_sign_in(tx, &token, MAX_SIGN_INS, now).await? else {
                return Err(error::forbidden(
                    "This session has been tried too often. Go back and start again.",
                ));
            };
            tries.count(tx, live).await?;
            let link = match &repaired {
                Some(link) => still_idle(tx, link).await?,
                None => find_or_create_link(&writer, tx, &token, &new_link, number).await?,
            };
            if let Some(employer) = token.order_employer_id {
                orders::admit(tx, token.tenant, employer, &link, body.consented, now).await?;
            }
            let receipt = consent::receipt(&writer, tx, &token, &link, page_hash, now).await?;
            consents::give(tx, &receipt).await?;
            let task_id = next_task_id(&writer, tx, &link, now).await?;
            // Sealed for its place, which the id is a part of.
            let (key_wrapped, login_sealed) = safe::seal_login(&writer, token.tenant, task_id, &body.login)?;
            let login = NewLogin {
                task_id,
                tenant: token.tenant,
                key_wrapped,
                login_sealed,
                expires_at: live + LOGIN_LIFE,
            };
            let sign_in = SignIn {
                login: &body.login,
                provider_id: &link.provider_id,
                product: token.product,
                today: moment.today(),
            };
            let planned = Planned::of_sign_in(&writer, tx, token.tenant, &faults, &sign_in).await?;
            let task = NewTask {
                id: task_id,
                tenant: token.tenant,
                link_id: link.id,
                bridge_token_id: Some(token.id),
                access_key_id: token.access_key_id,
                product: token.product,
                kind: tasks::Kind::Initial,
                faults: planned.faults,
                scenario_id: planned.scenario_id,
                created_at: now,
            };
            let task = tasks::create(tx, &task).await?;
            logins::put(tx, &login).await?;
            if let Some(wanted) = &wanted {
                change::keep(&writer, tx, &link, (task.id, task.product), wanted, now).await?;
            }
            let job = jobs::enqueue_task(tx, &task, live, is_hand_free).await?;
            events::append_status(&writer, tx, &task, &link, TaskStatus::New, moment).await?;
            let entry = Entry { object: trail::link(link.id), ..entry.clone() };
            audit::append(tx, &writer.keyring, &entry).await?;
            once.keep_begun(tx, task.id, link.id).await?;
            Ok::<_, ApiError>((task, link, job))
        })
        .await?;
    jobs::start(app, hand, job);
    app.ring_events();
    Ok(Begun { task, link, page_token })
}

/// The id of a link's next task. Ids of one instant sort by their numbers, so that "the newest task" has a meaning on a clock
/// that stands.
pub(crate) async fn next_task_id(
    app: &App,
    tx: &mut Tx<'_>,
    link: &Link,
    now: Timestamp,
) -> ApiResult<TaskId> {
    if link.tenant.environment != Environment::Sandbox {
        return Ok(TaskId::generate(now, &*app.random));
    }
    let number = tasks::count_for_link(tx, link.tenant, link.id).await?;
    Ok(TaskId::generate(now, &*app.id_source(link.tenant, link.id.as_bytes(), "task", number)))
}

/// The fields of one of the provider's ways to sign in must be there, with the organization where it asks for one; nothing
/// else is kept.
fn check_login(app: &App, token: &BridgeToken, provider_id: &str, login: &Login) -> ApiResult<()> {
    // Where no connector serves the provider, no field is right.
    let form = login_form(app, token, provider_id).unwrap_or(LoginForm { organization: None, ways: &[] });
    // The way of which something was typed, or else the first one: its missing fields are named.
    let is_begun = |way: &&LoginWay| way.fields.iter().any(|field| login.0.contains_key(field.name));
    let way = form.ways.iter().find(is_begun).or(form.ways.first());
    let fields: Vec<_> =
        form.organization.iter().chain(way.map(|way| way.fields).unwrap_or_default()).collect();
    let mut problems = Vec::new();
    for field in &fields {
        let value = login.get(field.name);
        if value.is_empty() {
            problems.push((format!("login.{}", field.name), "This field is required.".to_owned()));
        } else if value.len() > MAX_FIELD {
            problems.push((format!("login.{}", field.name), format!("At most {MAX_FIELD} bytes.")));
        }
    }
    if login.0.keys().any(|name| !fields.iter().any(|field| field.name == name)) {
        problems.push(("login".to_owned(), "Send only the fields of the provider's form.".to_owned()));
    }
    if problems.is_empty() { Ok(()) } else { Err(error::invalid_fields(problems)) }
}

/// The link that a token was made to repair.
async fn repaired_link(app: &App, token: &BridgeToken) -> ApiResult<Option<Link>> {
    let Some(link_id) = token.link_id else { return Ok(None) };
    let tenant = token.tenant;
    let db = app.db.scoped(tenant.client_id);
    let link = db.read(async move |tx| links::find(tx, tenant, link_id).await).await?;
    link.map(Some).ok_or_else(error::not_found)
}

/// Where the consumer signs in. What a link or token names wins over what the page says.
struct Choice {
    provider_id: String,
    company_id: Option<CompanyId>,
}

impl Choice {
    fn of(app: &App, token: &BridgeToken, repaired: Option<&Link>, body: &CreateTask) -> ApiResult<Self> {
        if let Some(link) = repaired {
            return Ok(Self { provider_id: link.provider_id.clone(), company_id: link.company_mapping_id });
        }
        let from_page = match body.company_mapping_id.as_deref().filter(|id| !id.is_empty()) {
            None => None,
            Some(id) => {
                let company = app.directory.company(id);
                Some(company.ok_or_else(|| error::invalid("company_mapping_id", "Unknown company."))?.id)
            }
        };
        let provider_id = token.provider_id.as_ref().unwrap_or(&body.provider_id);
        let provider = app.directory.provider(provider_id);
        if provider.is_none_or(|provider| !provider.products.contains(&token.product)) {
            return Err(error::invalid(
                "provider_id",
                "Unknown provider, or one that does not serve this product.",
            ));
        }
        Ok(Self { provider_id: provider_id.clone(), company_id: token.company_mapping_id.or(from_page) })
    }
}

/// A link is repaired by one sign-in at a time.
async fn still_idle(tx: &mut Tx<'_>, link: &Link) -> ApiResult<Link> {
    if !links::lock(tx, link.tenant, link.id).await? {
        return Err(error::not_found());
    }
    match tasks::find_running(tx, link.tenant, link.id).await? {
        Some(_) => Err(error::conflict("Another sign-in for this link is still running.")),
        None => Ok(link.clone()),
    }
}

/// A second try at the same provider goes on with the same link, as long as nobody else is signing in on it: a link
/// belongs to one person.
async fn find_or_create_link(
    app: &App,
    tx: &mut Tx<'_>,
    token: &BridgeToken,
    new: &NewLink,
    number: i64,
) -> ApiResult<Link> {
    if let Some(link) = links::find_unfinished(tx, token, &new.provider_id, new.company_mapping_id).await?
        && links::lock(tx, link.tenant, link.id).await?
    {
        tries::count_of_link(tx, &link).await?;
        return Ok(link);
    }
    if !bridge_tokens::count_link(tx, token, MAX_LINKS).await? {
        return Err(error::forbidden(
            "This session has made as many connections as it may. Go back and start again.",
        ));
    }
    let source = app.id_source(token.tenant, token.id.as_bytes(), "link", number);
    let id = LinkId::generate(new.created_at, &*source);
    let (_, data_key_wrapped) = OwnerKey::new(app, token.tenant, "links", *id.as_bytes())?;
    Ok(links::create(tx, &NewLink { id, data_key_wrapped, ..new.clone() }).await?)
}
