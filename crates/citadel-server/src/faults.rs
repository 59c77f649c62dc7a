//! Faults on demand (`X-Sandbox-Fault`): what a client of the sandbox wants to go wrong in what a call starts.

use axum::{extract::FromRequestParts, http::request::Parts};
use citadel_connectors::{Login, sandbox::scenario::Kept};
use citadel_domain::{Environment, Fault, Product, ScenarioId};
use citadel_store::{
    Tenant, Tx,
    links::Link,
    sandboxes,
    scenarios::{self, Scenario},
    tasks,
};
use jiff::civil::Date;

use crate::{
    app::App,
    auth::Caller,
    error::{self, ApiError, ApiResult},
    jobs::books,
    purposes,
};

/// The header: names of faults between commas.
pub(crate) const HEADER: &str = "x-sandbox-fault";

/// The faults that a call asks for. Refused to keys of other environments.
pub(crate) struct SandboxFaults(pub(crate) Vec<Fault>);

impl FromRequestParts<App> for SandboxFaults {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let mut faults = Vec::new();
        let values: Vec<_> = parts.headers.get_all(HEADER).iter().cloned().collect();
        if values.is_empty() {
            return Ok(Self(faults));
        }
        let caller = Caller::from_request_parts(parts, app).await?;
        if caller.tenant.environment != Environment::Sandbox {
            return Err(error::env_not_sandbox());
        }
        for value in &values {
            let text = value.to_str().map_err(|_| refused("the header is not plain text"))?;
            for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
                faults.push(word.parse().map_err(|problem| refused(&format!("{problem}")))?);
            }
        }
        faults.sort_unstable();
        faults.dedup();
        Ok(Self(faults))
    }
}

/// What goes wrong with a task, and the scenario that it meets.
pub(crate) struct Planned {
    pub(crate) faults: Vec<Fault>,
    pub(crate) scenario_id: Option<ScenarioId>,
}

impl Planned {
    /// For a sign-in: what the call asked for, what the client asked for in all it does, and what the scenario of the login says
    /// of webhooks. What it says of the provider is played by the provider.
    pub(crate) async fn of_sign_in(
        app: &App,
        tx: &mut Tx<'_>,
        tenant: Tenant,
        asked: &[Fault],
        sign_in: &SignIn<'_>,
    ) -> ApiResult<Self> {
        if tenant.environment != Environment::Sandbox {
            return Ok(Self { faults: Vec::new(), scenario_id: None });
        }
        let hash = app.keyring.keyed_hash(purposes::SCENARIO_USERNAME, sign_in.login.get("username"));
        for row in scenarios::list_for_username(tx, tenant, &hash).await? {
            let kept = kept(app, &row)?;
            let password = sign_in.login.get("password");
            if kept.is_for(sign_in.today, sign_in.provider_id, sign_in.product, password) {
                return Self::of(tx, tenant, asked, Some((row.id, kept.faults(sign_in.today)))).await;
            }
        }
        Self::of(tx, tenant, asked, None).await
    }

    /// For a refresh: the same, with the scenario that the last sign-in met.
    pub(crate) async fn of_refresh(
        app: &App,
        tx: &mut Tx<'_>,
        link: &Link,
        asked: &[Fault],
        today: Date,
    ) -> ApiResult<Self> {
        let tenant = link.tenant;
        if tenant.environment != Environment::Sandbox {
            return Ok(Self { faults: Vec::new(), scenario_id: None });
        }
        let scenario = match tasks::last_scenario(tx, tenant, link.id).await? {
            Some(id) => scenarios::find(tx, tenant, id).await?,
            None => None,
        };
        let scenario =
            scenario.map(|row| Ok::<_, ApiError>((row.id, kept(app, &row)?.faults(today)))).transpose()?;
        Self::of(tx, tenant, asked, scenario).await
    }

    async fn of(
        tx: &mut Tx<'_>,
        tenant: Tenant,
        asked: &[Fault],
        scenario: Option<(ScenarioId, Vec<Fault>)>,
    ) -> ApiResult<Self> {
        let mut faults = asked.to_vec();
        faults.extend(sandboxes::faults(tx, tenant).await?);
        let scenario_id = scenario.as_ref().map(|(id, _)| *id);
        let told = scenario.into_iter().flat_map(|(_, faults)| faults);
        faults.extend(told.filter(|fault| fault.is_of_webhooks()));
        faults.sort_unstable();
        faults.dedup();
        Ok(Self { faults, scenario_id })
    }
}

/// A sign-in, as scenarios look at it.
pub(crate) struct SignIn<'a> {
    pub(crate) login: &'a Login,
    pub(crate) provider_id: &'a str,
    pub(crate) product: Product,
    pub(crate) today: Date,
}

fn kept(app: &App, row: &Scenario) -> ApiResult<Kept> {
    serde_json::from_str(books::open_scenario(app, row)?.expose()).map(Kept::new).map_err(error::internal)
}

fn refused(problem: &str) -> ApiError {
    error::invalid("X-Sandbox-Fault", format!("Wrong fault: {problem}."))
}
