//! Scenarios: logins and people that a client invents for itself (contract 8.6).

use axum::{Json, extract::State, http::StatusCode};
use citadel_api_types::{
    error::{Detail, ErrorBody, ErrorCode},
    page::Page,
    sandbox::{ResolveSandboxScenario, SandboxScenario},
};
use citadel_connectors::sandbox::scenario::{Problem, ReadScenario, Scenario, line_of};
use citadel_domain::{Product, ScenarioId};
use citadel_store::{
    Tenant, Tx,
    scenarios::{self, NewScenario, Scenario as StoredScenario},
};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::SandboxCaller;
use crate::{
    api::{Params, PathId, page_of, webhooks::ListParams},
    app::App,
    body::{Body, JsonText},
    error::{self, ApiError, ApiResult},
    jobs::books,
    purposes, reports,
};

/// Scenarios of one client.
const MAX_SCENARIOS: usize = 1_000;

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
    JsonText { json, text }: JsonText,
) -> ApiResult<(StatusCode, Json<SandboxScenario>)> {
    let read = ReadScenario::of(json).map_err(|problems| refused(&text, problems))?;
    let tenant = caller.tenant;
    let now = app.moment(tenant).await?.now;
    let writer = app.clone();
    let kept = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            if scenarios::list(tx, tenant).await?.len() >= MAX_SCENARIOS {
                let message =
                    format!("This sandbox has {MAX_SCENARIOS} scenarios already: delete one first.");
                return Err(error::invalid("label", message));
            }
            let id = ScenarioId::generate(now, &*writer.next_id_source(tx, tenant, "scenario").await?);
            if !scenarios::create(tx, &row(&writer, tenant, id, &read, now)?).await? {
                return Err(label_taken());
            }
            find(tx, tenant, id).await
        })
        .await?;
    Ok((StatusCode::CREATED, Json(view(&app, &kept)?)))
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
    let db = app.db.scoped(tenant.client_id);
    let found = db.read(async move |tx| scenarios::list(tx, tenant).await).await?;
    let page = page_of(&app, "/v1/sandbox/scenarios/", &[], &params.page, &params.page_size, found)?;
    let Page { count, next, previous, results } = page;
    let results = results.iter().map(|row| view(&app, row)).collect::<ApiResult<_>>()?;
    Ok(Json(Page { count, next, previous, results }))
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
            let read = ReadScenario::of(Value::Object(after)).map_err(|problems| refused(&text, problems))?;
            if !scenarios::update(tx, &row(&writer, tenant, id, &read, now)?).await? {
                return Err(label_taken());
            }
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
        let read = ReadScenario::of(Value::Object(body(&app, row)?));
        let read = read.map_err(|_| error::internal("a scenario that was kept is not right any more"))?;
        let scenario = read.on(today);
        if scenario.data_source == login.data_source
            && scenario.is_for(&login.provider_id, product, login.password.expose())
        {
            return Ok(Json(view(&app, row)?));
        }
    }
    Err(error::not_found())
}

fn row(
    app: &App,
    tenant: Tenant,
    id: ScenarioId,
    read: &ReadScenario,
    now: Timestamp,
) -> ApiResult<NewScenario> {
    let scenario = read.scenario();
    let json = zeroize::Zeroizing::new(serde_json::to_vec(read.json()).map_err(error::internal)?);
    Ok(NewScenario {
        id,
        tenant,
        data_source: scenario.data_source.clone(),
        label: scenario.label.clone(),
        username_hash: app.keyring.keyed_hash(purposes::SCENARIO_USERNAME, &scenario.username),
        faults: scenario.faults.clone(),
        body_sealed: app.keyring.seal(&books::scenario_place(tenant, id), &json)?,
        now,
    })
}

async fn find(tx: &mut Tx<'_>, tenant: Tenant, id: ScenarioId) -> ApiResult<StoredScenario> {
    scenarios::find(tx, tenant, id).await?.ok_or_else(error::not_found)
}

fn body(app: &App, row: &StoredScenario) -> ApiResult<Map<String, Value>> {
    serde_json::from_str(books::open_scenario(app, row)?.expose()).map_err(error::internal)
}

fn view(app: &App, row: &StoredScenario) -> ApiResult<SandboxScenario> {
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
