//! Scenarios: logins and people that a client invents for itself (contract 8.6).

use axum::{Json, extract::State, http::StatusCode};
use citadel_api_types::{
    error::{Detail, ErrorBody, ErrorCode},
    page::Page,
    sandbox::{ResolveSandboxScenario, SandboxScenario},
};
use citadel_connectors::sandbox::scenario::{self, Kept, Problem, Scenario, line_of};
use citadel_domain::{Product, ScenarioId};
use citadel_store::{
    Tenant, Tx,
    scenarios::{self, NewScenario, Scenario as StoredScenario},
};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::SandboxCaller;
use crate::{
    api::{PageAsked, Params, PathId, webhooks::ListParams},
    app::App,
    body::{Body, JsonText},
    error::{self, ApiError, ApiResult},
    idempotency::{Holds, Once},
    jobs::books,
    purposes, reports,
};

/// Scenarios of one client.
const MAX_SCENARIOS: i64 = 1_000;
/// Those of one user name: each is opened for a sign-in.
const MAX_OF_USERNAME: usize = 20;

/// Keep a scenario. What is wrong with it is told by line and field.
#[utoipa::path(post, path = "/v1/sandbox/scenarios/", tag = "sandbox", request_body = Scenario, responses(
    (status = 201, body = SandboxScenario),
    (status = 400, description = "also `reserved_credential` and `data_source_required`", body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "not a sandbox key", body = ErrorBody),
))]
pub(crate) async fn create_sandbox_scenario(
    State(app): State<App>,
    SandboxCaller(caller): SandboxCaller,
    once: Once,
    body: JsonText,
) -> ApiResult<(StatusCode, Json<SandboxScenario>)> {
    let scenario = keep(&app, caller.tenant, body, once).await?;
    Ok((StatusCode::CREATED, Json(scenario)))
}

/// Keeps one for whoever may.
pub(crate) async fn keep(
    app: &App,
    tenant: Tenant,
    JsonText { json, text }: JsonText,
    once: Once,
) -> ApiResult<SandboxScenario> {
    // It is read anew for each day on which something changes.
    let read = tokio::task::spawn_blocking(move || (scenario::read(&json), json));
    let (scenario, json) = read.await.map_err(error::internal)?;
    let scenario = scenario.map_err(|problems| refused(&text, problems))?;
    let now = app.moment(tenant).await?.now;
    let writer = app.clone();
    let answer = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            if scenarios::count(tx, tenant).await? >= MAX_SCENARIOS {
                let message =
                    format!("This sandbox has {MAX_SCENARIOS} scenarios already: delete one first.");
                return Err(error::invalid("label", message));
            }
            let id = ScenarioId::generate(now, &*writer.next_id_source(tx, tenant, "scenario").await?);
            let new = row(&writer, tenant, id, &scenario, &json, now)?;
            if !scenarios::create(tx, &new).await? {
                return Err(label_taken());
            }
            check_login(&writer, tx, &new, &scenario).await?;
            let answer = view(&writer, &find(tx, tenant, id).await?)?;
            once.keep(tx, StatusCode::CREATED, &answer, Holds::NOTHING).await?;
            Ok(answer)
        })
        .await?;
    Ok(answer)
}

/// List your scenarios, oldest first.
#[utoipa::path(get, path = "/v1/sandbox/scenarios/", tag = "sandbox", params(ListParams), responses(
    (status = 200, body = Page<SandboxScenario>),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "not a sandbox key", body = ErrorBody),
    (status = 404, description = "no such page", body = Detail),
))]
pub(crate) async fn list_sandbox_scenarios(
    State(app): State<App>,
    SandboxCaller(caller): SandboxCaller,
    Params(params): Params<ListParams>,
) -> ApiResult<Json<Page<SandboxScenario>>> {
    let tenant = caller.tenant;
    let asked = PageAsked::read(&params.page, &params.page_size)?;
    let db = app.db.scoped(tenant.client_id);
    let found = db.read(async move |tx| -> ApiResult<_> {
        let rows = scenarios::list(tx, tenant, asked.size, asked.offset()).await?;
        Ok((scenarios::count(tx, tenant).await?, rows))
    });
    let (count, rows) = found.await?;
    let results = rows.iter().map(|row| view(&app, row)).collect::<ApiResult<_>>()?;
    asked.answer(&app, "/v1/sandbox/scenarios/", &[], count, results).map(Json)
}

/// Read one scenario.
#[utoipa::path(get, path = "/v1/sandbox/scenarios/{scenario_id}/", tag = "sandbox", params(("scenario_id" = String, Path)), responses(
    (status = 200, body = SandboxScenario),
    (status = 401, body = ErrorBody),
    (status = 403, description = "not a sandbox key", body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn get_sandbox_scenario(
    State(app): State<App>,
    SandboxCaller(caller): SandboxCaller,
    PathId(id): PathId<ScenarioId>,
) -> ApiResult<Json<SandboxScenario>> {
    let tenant = caller.tenant;
    let db = app.db.scoped(tenant.client_id);
    let found = db.read(async move |tx| find(tx, tenant, id).await).await?;
    Ok(Json(view(&app, &found)?))
}

/// Change a scenario: each key that is sent is replaced as a whole, `null` takes it away.
#[utoipa::path(patch, path = "/v1/sandbox/scenarios/{scenario_id}/", tag = "sandbox", params(("scenario_id" = String, Path)),
request_body = Object, responses(
    (status = 200, body = SandboxScenario),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "not a sandbox key", body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn update_sandbox_scenario(
    State(app): State<App>,
    SandboxCaller(caller): SandboxCaller,
    PathId(id): PathId<ScenarioId>,
    JsonText { json, text }: JsonText,
) -> ApiResult<Json<SandboxScenario>> {
    let Value::Object(changed) = json else {
        return Err(error::malformed("Send the keys to change as an object."));
    };
    let tenant = caller.tenant;
    let now = app.moment(tenant).await?.now;
    let writer = app.clone();
    let kept = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            let before = body(&writer, &find(tx, tenant, id).await?)?;
            let after = changed.clone().into_iter().fold(before, |mut after, (key, value)| {
                match value {
                    Value::Null => drop(after.remove(&key)),
                    value => drop(after.insert(key, value)),
                }
                after
            });
            let after = Value::Object(after);
            let scenario = scenario::read(&after).map_err(|problems| refused(&text, problems))?;
            let new = row(&writer, tenant, id, &scenario, &after, now)?;
            if !scenarios::update(tx, &new).await? {
                return Err(label_taken());
            }
            check_login(&writer, tx, &new, &scenario).await?;
            find(tx, tenant, id).await
        })
        .await?;
    Ok(Json(view(&app, &kept)?))
}

/// Delete a scenario. Links that were made with it stay; a refresh finds its login gone.
#[utoipa::path(delete, path = "/v1/sandbox/scenarios/{scenario_id}/", tag = "sandbox", params(("scenario_id" = String, Path)), responses(
    (status = 204, description = "deleted"),
    (status = 401, body = ErrorBody),
    (status = 403, description = "not a sandbox key", body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn delete_sandbox_scenario(
    State(app): State<App>,
    SandboxCaller(caller): SandboxCaller,
    PathId(id): PathId<ScenarioId>,
) -> ApiResult<StatusCode> {
    let tenant = caller.tenant;
    let db = app.db.scoped(tenant.client_id);
    let deleted = db.write(async move |tx| scenarios::delete(tx, tenant, id).await).await?;
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(error::not_found()) }
}

/// See which scenario a login would meet. 404 when it would meet none.
#[utoipa::path(post, path = "/v1/sandbox/scenarios/resolve/", tag = "sandbox", request_body = ResolveSandboxScenario, responses(
    (status = 200, body = SandboxScenario),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "not a sandbox key", body = ErrorBody),
    (status = 404, description = "no scenario has this login", body = Detail),
))]
pub(crate) async fn resolve_sandbox_scenario(
    State(app): State<App>,
    SandboxCaller(caller): SandboxCaller,
    Body(login): Body<ResolveSandboxScenario>,
) -> ApiResult<Json<SandboxScenario>> {
    if login.data_source.is_empty() {
        let fields = vec![("data_source".to_owned(), "This field is required.".to_owned())];
        return Err(error::refused_fields(ErrorCode::DataSourceRequired, fields));
    }
    let product: Product = login
        .product
        .parse()
        .map_err(|problem| error::invalid("product", format!("Unknown product: {problem}.")))?;
    let tenant = caller.tenant;
    let today = app.moment(tenant).await?.today();
    let hash = app.keyring.keyed_hash(purposes::SCENARIO_USERNAME, &login.username);
    let db = app.db.scoped(tenant.client_id);
    let rows = db.read(async move |tx| scenarios::list_for_username(tx, tenant, &hash).await).await?;
    for row in &rows {
        let body = body(&app, row)?;
        let is_of_source = body.get("data_source").and_then(Value::as_str) == Some(&login.data_source);
        let kept = Kept::new(Value::Object(body));
        if is_of_source && kept.is_for(today, &login.provider_id, product, login.password.expose()) {
            return Ok(Json(view(&app, row)?));
        }
    }
    Err(error::not_found())
}

fn row(
    app: &App,
    tenant: Tenant,
    id: ScenarioId,
    scenario: &Scenario,
    json: &Value,
    now: Timestamp,
) -> ApiResult<NewScenario> {
    let json = zeroize::Zeroizing::new(serde_json::to_vec(json).map_err(error::internal)?);
    Ok(NewScenario {
        id,
        tenant,
        data_source: scenario.data_source.clone(),
        label: scenario.label.clone(),
        username_hash: app.keyring.keyed_hash(purposes::SCENARIO_USERNAME, &scenario.username),
        body_sealed: app.keyring.seal(&books::scenario_place(tenant, id), &json)?,
        now,
    })
}

/// Refuses a provider that is not there, what is one too many of its user name, and a login that another scenario has: nobody
/// would ever meet the second.
async fn check_login(app: &App, tx: &mut Tx<'_>, new: &NewScenario, scenario: &Scenario) -> ApiResult<()> {
    if scenario.provider_id.as_deref().is_some_and(|id| app.directory.provider(id).is_none()) {
        return Err(error::invalid("provider_id", "Unknown provider. Take the id from providers."));
    }
    let mut others = scenarios::list_for_username(tx, new.tenant, &new.username_hash).await?;
    others.retain(|other| other.id != new.id);
    if others.len() >= MAX_OF_USERNAME {
        let message = format!(
            "{MAX_OF_USERNAME} scenarios have this user name already: delete one first, or take another name."
        );
        return Err(error::invalid("username", message));
    }
    for other in &others {
        let other: Option<Scenario> = serde_json::from_value(Value::Object(body(app, other)?)).ok();
        if let Some(other) = other.filter(|other| other.is_met_with(scenario)) {
            let message = format!("The scenario {} has this user name and password already.", other.label);
            return Err(error::invalid("username", message));
        }
    }
    Ok(())
}

async fn find(tx: &mut Tx<'_>, tenant: Tenant, id: ScenarioId) -> ApiResult<StoredScenario> {
    scenarios::find(tx, tenant, id).await?.ok_or_else(error::not_found)
}

fn body(app: &App, row: &StoredScenario) -> ApiResult<Map<String, Value>> {
    serde_json::from_str(books::open_scenario(app, row)?.expose()).map_err(error::internal)
}

pub(crate) fn view(app: &App, row: &StoredScenario) -> ApiResult<SandboxScenario> {
    Ok(SandboxScenario {
        id: row.id.to_string(),
        created_at: reports::time(row.created_at),
        updated_at: reports::time(row.updated_at),
        scenario: body(app, row)?,
    })
}

fn label_taken() -> ApiError {
    error::invalid("label", "Another scenario of this data source has this label.")
}

/// Every problem with its line, under the code of the first that has one of its own.
fn refused(text: &str, problems: Vec<Problem>) -> ApiError {
    let code = problems.iter().find_map(|problem| problem.code);
    let code = code.map_or(ErrorCode::IncorrectParameters, ErrorCode::from);
    let fields = problems.into_iter().map(|problem| {
        let line = line_of(text, &problem.field).map(|line| format!("Line {line}: ")).unwrap_or_default();
        (problem.field, format!("{line}{}", problem.message))
    });
    error::refused_fields(code, fields.collect())
}
