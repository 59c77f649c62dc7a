//! Steps 2 to 6 of a verification as the widget sees them: what to show, the sign-in that makes a link and a task,
//! answers, and the public token at the end. Every call is made under a bridge token, which alone decides the client,
//! the product and what may be skipped; the page can change none of it (P8).

use axum::{Json, extract::State, http::StatusCode};
use citadel_connectors::{Login, Step};
use citadel_domain::{JobId, LinkId, Product, PublicTokenId, Secret, TaskId, TaskStatus, tokens};
use citadel_store::{
    Place, Tx, bridge_tokens, jobs, jobs::NewJob, links, links::{Link, NewLink}, logins, logins::NewLogin, public_tokens,
    public_tokens::NewPublicToken, tasks, tasks::{NewTask, Task},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Params, PathId};
use crate::{
    app::App,
    auth::{self, BridgeSession},
    body::Body,
    directory::{Company, Provider},
    error::{self, ApiError, ApiResult},
    jobs::{RUN_TASK, RunTask, events},
    purposes, reports,
};

/// How many links one bridge token may make (P8).
const MAX_LINKS: i64 = 10;
/// How long a public token can be exchanged.
const PUBLIC_TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(6);
/// How long a sign-in is kept while its task runs.
const LOGIN_LIFE: SignedDuration = SignedDuration::from_mins(15);
/// How many employers the widget lists.
const MOST_COMPANIES: usize = 8;
/// The longest value of a sign-in field or answer, in bytes.
const MAX_FIELD: usize = 512;

/// What the widget shows first.
#[derive(Serialize)]
pub(crate) struct SessionView {
    product_type: String,
    client_name: Option<String>,
    environment: &'static str,
    tracking_info: Option<String>,
    expires_at: String,
    first_view: &'static str,
    company: Option<CompanyOption>,
    provider: Option<ProviderOption>,
}

#[derive(Serialize)]
pub(crate) struct CompanyOption {
    company_mapping_id: String,
    name: String,
    domain: Option<String>,
    logo_url: String,
}

#[derive(Serialize)]
pub(crate) struct ProviderOption {
    id: String,
    name: String,
    logo_url: String,
}

fn company_option(app: &App, company: &Company) -> CompanyOption {
    let id = company.id.to_string();
    let logo_url = app.mark_url(&id);
    CompanyOption { company_mapping_id: id, name: company.name.clone(), domain: company.domain.clone(), logo_url }
}

fn provider_option(app: &App, provider: &Provider) -> ProviderOption {
    ProviderOption { id: provider.id.clone(), name: provider.name.clone(), logo_url: app.mark_url(&provider.id) }
}

/// What this bridge token is for, and where its flow begins.
pub(crate) async fn get_session(State(app): State<App>, session: BridgeSession) -> ApiResult<Json<SessionView>> {
    let token = &session.token;
    let company = token.company_mapping_id.and_then(|id| app.directory.company(&id.to_string()));
    let mut provider = token.provider_id.as_deref().and_then(|id| app.directory.provider(id));
    if let Some(link_id) = token.link_id {
        let tenant = token.tenant;
        let link = app.db.read(async move |tx| links::find(tx, tenant, link_id).await).await?;
        provider = link.and_then(|link| app.directory.provider(&link.provider_id)).or(provider);
    }
    let first_view = match (company, provider) {
        (_, Some(_)) => "PROVIDER_LOGIN",
        (Some(company), None) => match app.directory.providers_of(company).take(2).collect::<Vec<_>>()[..] {
            [only] => {
                provider = Some(only);
                "PROVIDER_LOGIN"
            }
            _ => "PROVIDER_LIST",
        },
        (None, None) => match token.product {
            Product::Admin | Product::Fas => "PROVIDER_LIST",
            _ => "SELECT_EMPLOYER",
        },
    };
    Ok(Json(SessionView {
        product_type: token.product.to_string(),
        client_name: token.client_name.clone(),
        environment: token.tenant.environment.as_str(),
        tracking_info: token.tracking_info.clone(),
        expires_at: reports::time(token.expires_at),
        first_view,
        company: company.map(|company| company_option(&app, company)),
        provider: provider.map(|provider| provider_option(&app, provider)),
    }))
}

#[derive(Deserialize)]
pub(crate) struct CompanyQuery {
    query: Option<String>,
}

/// Employers as the consumer types.
pub(crate) async fn search_companies(
    State(app): State<App>,
    session: BridgeSession,
    Params(params): Params<CompanyQuery>,
) -> Json<Vec<CompanyOption>> {
    let query = params.query.unwrap_or_default();
    let hits = app.directory.search(&query, Some(session.token.product), MOST_COMPANIES);
    Json(hits.into_iter().map(|(company, _)| company_option(&app, company)).collect())
}

#[derive(Deserialize)]
pub(crate) struct ProviderQuery {
    query: Option<String>,
    company_mapping_id: Option<String>,
}

/// Providers of an employer, or all that serve the product.
pub(crate) async fn list_providers(
    State(app): State<App>,
    session: BridgeSession,
    Params(params): Params<ProviderQuery>,
) -> Json<Vec<ProviderOption>> {
    let company = params.company_mapping_id.as_deref().and_then(|id| app.directory.company(id));
    let options = match company {
        Some(company) => app.directory.providers_of(company).map(|provider| provider_option(&app, provider)).collect(),
        None => {
            let query = params.query.unwrap_or_default();
            let found = app.directory.providers(&query, Some(session.token.product));
            found.map(|provider| provider_option(&app, provider)).collect()
        }
    };
    Json(options)
}

/// A provider with its sign-in form.
#[derive(Serialize)]
pub(crate) struct ProviderForm {
    #[serde(flatten)]
    provider: ProviderOption,
    fields: Vec<FormField>,
    forgot_password_url: Option<String>,
}

#[derive(Serialize)]
struct FormField {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    autocomplete: &'static str,
    hint: Option<&'static str>,
}

/// The sign-in form of a provider.
pub(crate) async fn get_provider(
    State(app): State<App>,
    session: BridgeSession,
    PathId(id): PathId<String>,
) -> ApiResult<Json<ProviderForm>> {
    let provider = app.directory.provider(&id).ok_or_else(error::not_found)?;
    let connector = app.connectors.find(session.token.tenant.environment, &id);
    let fields = connector.map(|connector| connector.describe().login_fields).unwrap_or_default();
    let fields = fields
        .iter()
        .map(|field| FormField {
            name: field.name,
            label: field.label,
            kind: if field.is_secret { "password" } else { "text" },
            autocomplete: field.autocomplete,
            hint: None,
        })
        .collect();
    Ok(Json(ProviderForm { provider: provider_option(&app, provider), fields, forgot_password_url: None }))
}

/// A sign-in. Class S1: it goes from here into a seal.
#[derive(Deserialize)]
pub(crate) struct CreateTask {
    provider_id: String,
    #[serde(default)]
    company_mapping_id: Option<String>,
    login: Login,
}

/// What the widget knows of a task.
#[derive(Serialize)]
pub(crate) struct TaskView {
    task_id: String,
    status: &'static str,
    provider_id: String,
    employer: EmployerName,
    step: Option<StepView>,
    error: Option<LinkError>,
}

#[derive(Serialize)]
struct EmployerName {
    name: String,
}

#[derive(Serialize)]
struct StepView {
    #[serde(flatten)]
    step: Step,
    expires_at: String,
}

#[derive(Serialize)]
struct LinkError {
    error_type: &'static str,
    error_code: &'static str,
    error_message: String,
}

/// The consumer signs in: a link and a task are born, the login is sealed, and the work is queued, in one transaction.
pub(crate) async fn create_task(
    State(app): State<App>,
    session: BridgeSession,
    Body(body): Body<CreateTask>,
) -> ApiResult<(StatusCode, Json<TaskView>)> {
    let now = app.clock.now();
    let token = session.token;
    let company = body.company_mapping_id.as_deref().filter(|id| !id.is_empty());
    // What the token names wins over what the page says.
    let company_id = match token.company_mapping_id {
        Some(id) => Some(id),
        None => company
            .map(|id| app.directory.company(id).map(|company| company.id).ok_or_else(|| error::invalid("company_mapping_id", "Unknown company.")))
            .transpose()?,
    };
    let provider_id = token.provider_id.clone().unwrap_or(body.provider_id);
    if app.directory.provider(&provider_id).is_none() {
        return Err(error::invalid("provider_id", "Unknown provider."));
    }
    check_login(&app, &token, &provider_id, &body.login)?;
    let employer_name =
        company_id.and_then(|id| app.directory.company(&id.to_string())).map(|company| company.name.clone());

    let task_id = TaskId::generate(now, &*app.random);
    let login_place = |column| Place::new(token.tenant, "logins", column, *task_id.as_bytes());
    let (login_key, key_wrapped) = app.keyring.new_data_key(&login_place("key_wrapped"))?;
    let login_json = serde_json::to_vec(&body.login).map(zeroize::Zeroizing::new).map_err(error::internal)?;
    let login = NewLogin {
        task_id,
        tenant: token.tenant,
        key_wrapped,
        login_sealed: login_key.seal(&login_place("login_sealed"), &login_json)?,
        expires_at: now + LOGIN_LIFE,
    };
    let link_id = LinkId::generate(now, &*app.random);
    let key_place = Place::new(token.tenant, "links", "data_key_wrapped", *link_id.as_bytes());
    let (_, data_key_wrapped) = app.keyring.new_data_key(&key_place)?;
    let new_link = NewLink {
        id: link_id,
        tenant: token.tenant,
        bridge_token_id: token.id,
        provider_id,
        company_mapping_id: company_id,
        employer_name,
        tracking_info: token.tracking_info.clone(),
        product: token.product,
        allowed_products: token.allowed_products.clone(),
        data_key_wrapped,
        created_at: now,
    };
    let writer = app.clone();
    let (task, link) = app
        .db
        .write(async move |tx| {
            let link = find_or_create_link(tx, &token, &new_link).await?;
            let task = NewTask {
                id: task_id,
                tenant: token.tenant,
                link_id: link.id,
                bridge_token_id: Some(token.id),
                access_key_id: token.access_key_id,
                product: token.product,
                kind: tasks::Kind::Initial,
                created_at: now,
            };
            let task = tasks::create(tx, &task).await?;
            logins::put(tx, &login).await?;
            enqueue_run(&writer, tx, &task, now).await?;
            events::append_status(&writer, tx, &task, &link, TaskStatus::New, now).await?;
            Ok::<_, ApiError>((task, link))
        })
        .await?;
    app.job_bell.notify_one();
    Ok((StatusCode::CREATED, Json(view(&app, &task, &link)?)))
}

/// The fields that the provider asks for must be there; nothing else is kept.
fn check_login(app: &App, token: &bridge_tokens::BridgeToken, provider_id: &str, login: &Login) -> ApiResult<()> {
    let connector = app.connectors.find(token.tenant.environment, provider_id);
    let fields = connector.map(|connector| connector.describe().login_fields).unwrap_or_default();
    let mut problems = Vec::new();
    for field in fields {
        let value = login.get(field.name);
        if value.is_empty() {
            problems.push((format!("login.{}", field.name), "This field is required.".to_owned()));
        } else if value.len() > MAX_FIELD {
            problems.push((format!("login.{}", field.name), format!("At most {MAX_FIELD} bytes.")));
        }
    }
    if login.0.len() > fields.len() {
        problems.push(("login".to_owned(), "Send only the fields of the provider's form.".to_owned()));
    }
    if problems.is_empty() { Ok(()) } else { Err(error::invalid_fields(problems)) }
}

/// A second try at the same provider goes on with the same link; a token that repairs a link stays with that link.
async fn find_or_create_link(tx: &mut Tx<'_>, token: &bridge_tokens::BridgeToken, new: &NewLink) -> ApiResult<Link> {
    if let Some(link_id) = token.link_id {
        return links::find(tx, token.tenant, link_id).await?.ok_or_else(error::not_found);
    }
    if let Some(link) = links::find_unfinished(tx, token, &new.provider_id).await?
        && link.company_mapping_id == new.company_mapping_id
    {
        return Ok(link);
    }
    if !bridge_tokens::count_link(tx, token, MAX_LINKS).await? {
        return Err(error::throttled("This session has made as many connections as it may. Go back and start again."));
    }
    Ok(links::create(tx, new).await?)
}

async fn enqueue_run(app: &App, tx: &mut Tx<'_>, task: &Task, now: Timestamp) -> ApiResult<()> {
    let payload = serde_json::to_string(&RunTask::of(task)).map_err(error::internal)?;
    let id = JobId::generate(now, &*app.random);
    Ok(jobs::enqueue(tx, &NewJob { id, kind: RUN_TASK, payload, run_at: now, created_at: now }).await?)
}

/// Where a task of this session stands.
pub(crate) async fn get_task(
    State(app): State<App>,
    session: BridgeSession,
    PathId(task_id): PathId<TaskId>,
) -> ApiResult<Json<TaskView>> {
    let (task, link) = find_task(&app, &session, task_id).await?;
    Ok(Json(view(&app, &task, &link)?))
}

async fn find_task(app: &App, session: &BridgeSession, task_id: TaskId) -> ApiResult<(Task, Link)> {
    let (tenant, token_id) = (session.token.tenant, session.token.id);
    let found = app
        .db
        .read(async move |tx| {
            let Some(task) = tasks::find_for_bridge_token(tx, tenant, token_id, task_id).await? else { return Ok(None) };
            let link = links::find(tx, tenant, task.link_id).await?;
            Ok::<_, citadel_store::Error>(link.map(|link| (task, link)))
        })
        .await?;
    found.ok_or_else(error::not_found)
}

/// The consumer's answer to a question. Class S1.
#[derive(Deserialize)]
pub(crate) struct Answer {
    answer: Secret,
}

/// Answer the provider's question. A second answer, or one that comes too late, changes nothing.
pub(crate) async fn answer_step(
    State(app): State<App>,
    session: BridgeSession,
    PathId(task_id): PathId<TaskId>,
    Body(body): Body<Answer>,
) -> ApiResult<(StatusCode, Json<TaskView>)> {
    let answer = body.answer.expose().trim();
    if answer.is_empty() || answer.len() > MAX_FIELD {
        return Err(error::invalid("answer", format!("Send 1 to {MAX_FIELD} bytes.")));
    }
    let (task, _) = find_task(&app, &session, task_id).await?;
    let now = app.clock.now();
    let answer = Secret::new(answer);
    let writer = app.clone();
    app.db
        .write(async move |tx| {
            let login = logins::find(tx, task.tenant, task.id).await?;
            let awaited = tasks::take_step(tx, &task, now).await?;
            let Some(login) = login.filter(|_| awaited) else {
                return Err(error::conflict("No answer is awaited."));
            };
            let place = |column| Place::new(task.tenant, "logins", column, *task.id.as_bytes());
            let key = writer.keyring.unwrap_data_key(&place("key_wrapped"), &login.key_wrapped)?;
            let sealed = key.seal(&place("answer_sealed"), answer.expose().as_bytes())?;
            logins::set_answer(tx, task.tenant, task.id, &sealed).await?;
            enqueue_run(&writer, tx, &task, now).await
        })
        .await?;
    app.job_bell.notify_one();
    let (task, link) = find_task(&app, &session, task_id).await?;
    Ok((StatusCode::ACCEPTED, Json(view(&app, &task, &link)?)))
}

/// The proof of success, to be handed to the page.
#[derive(Serialize)]
pub(crate) struct PublicTokenView {
    public_token: String,
    task_id: String,
    employer: EmployerName,
}

/// Make the public token of a task that succeeded. A page that lost the answer may ask again: the token made before
/// is revoked if it was not spent.
pub(crate) async fn create_public_token(
    State(app): State<App>,
    session: BridgeSession,
    PathId(task_id): PathId<TaskId>,
) -> ApiResult<Json<PublicTokenView>> {
    let (task, link) = find_task(&app, &session, task_id).await?;
    if task.status != TaskStatus::Done {
        return Err(error::conflict("The task has not succeeded."));
    }
    let now = app.clock.now();
    let (token, token_hash) = auth::new_token(&app, purposes::PUBLIC_TOKEN);
    let new = NewPublicToken {
        id: PublicTokenId::generate(now, &*app.random),
        tenant: task.tenant,
        link_id: link.id,
        task_id: task.id,
        token_hash,
        created_at: now,
        expires_at: now + PUBLIC_TOKEN_LIFE,
    };
    app.db
        .write(async move |tx| {
            public_tokens::revoke_unspent(tx, new.tenant, new.task_id, now).await?;
            public_tokens::create(tx, &new).await
        })
        .await?;
    debug_assert!(tokens::is_token(token.expose()), "a public token must be path-safe (R16)");
    Ok(Json(PublicTokenView {
        public_token: token.expose().to_owned(),
        task_id: task_id.to_string(),
        employer: employer_name(&app, &link),
    }))
}

/// The employer, or the provider where there is none: native hosts fail on a missing name.
fn employer_name(app: &App, link: &Link) -> EmployerName {
    let provider = || app.directory.provider(&link.provider_id).map_or(link.provider_id.clone(), |found| found.name.clone());
    EmployerName { name: link.employer_name.clone().unwrap_or_else(provider) }
}

fn view(app: &App, task: &Task, link: &Link) -> ApiResult<TaskView> {
    let step = match (&task.step, task.step_expires_at) {
        (Some(json), Some(expires_at)) if task.status == TaskStatus::Mfa => {
            let step = serde_json::from_str(json).map_err(error::internal)?;
            Some(StepView { step, expires_at: reports::time(expires_at) })
        }
        _ => None,
    };
    Ok(TaskView {
        task_id: task.id.to_string(),
        status: task.status.as_str(),
        provider_id: link.provider_id.clone(),
        employer: employer_name(app, link),
        step,
        error: link_error(task),
    })
}

/// The error object of the widget contract, section 2. All three texts are always there.
fn link_error(task: &Task) -> Option<LinkError> {
    let (error_code, sentence) = match task.status {
        status if !status.is_final() || status == TaskStatus::Done => return None,
        TaskStatus::LoginError => ("LOGIN_ERROR", "The user name or password is not right."),
        TaskStatus::MfaError => ("MFA_ERROR", "The code was not right, or it came too late."),
        TaskStatus::NoData => ("NO_DATA", "The provider has no payroll data for this sign-in."),
        TaskStatus::Unavailable => ("UNAVAILABLE", "The payroll provider cannot be reached right now."),
        TaskStatus::AccountLocked => ("ERROR", "The provider locked this account. Unlock it there, then come back."),
        TaskStatus::ConfigError => ("ERROR", "A setting at the provider stands in the way."),
        TaskStatus::UnableToReset => ("ERROR", "The provider could not reset this sign-in."),
        TaskStatus::NotSupported => ("ERROR", "This provider cannot be connected yet."),
        _ => ("ERROR", "Something went wrong. Nothing was changed at the provider."),
    };
    let error_message = task.error_message.clone().unwrap_or_else(|| sentence.to_owned());
    Some(LinkError { error_type: "LINK_ERROR", error_code, error_message })
}
