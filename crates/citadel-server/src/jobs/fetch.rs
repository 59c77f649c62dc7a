//! Reading at a provider: a quick first part, then the rest. What is found is rendered and sealed just before the transaction
//! that keeps it, and not in it, because the store's one writer is the scarce thing.

use citadel_connectors::{Connector, ConnectorError, Cx, Grant, Phase, Want};
use citadel_domain::{
    Product, TaskStatus,
    payroll::{CompanyData, Employer, PayrollData},
};
use citadel_store::{Tenant, links::Link};
use jiff::Timestamp;

use super::{
    change,
    data_events::{INVENTORY, Inventory},
    run_task::{Attempt, Effects, Next, Turn, seal_grant},
};
use crate::{
    app::App,
    error::{self, ApiResult},
    owner_key::OwnerKey,
    purposes,
    reports::{self, ReportKind},
};

/// Who it is, and the newest.
pub(super) async fn first_part(
    app: &App,
    turn: &Turn,
    grant: &Grant,
    connector: &dyn Connector,
    cx: &Cx,
) -> Attempt {
    let read = match read(app, turn, grant, connector, cx, Phase::First).await? {
        Ok(read) => read,
        Err(refusal) => return Ok(Err(refusal)),
    };
    Ok(Ok(Next::commit(Effects {
        person: Some(read.person),
        found: Some(read.found),
        is_first_part: true,
        ..Effects::to(TaskStatus::FullParse)
    })))
}

/// Everything else; and what a change will do, where one is wanted.
pub(super) async fn the_rest(
    app: &App,
    turn: &Turn,
    grant: &Grant,
    connector: &dyn Connector,
    cx: &Cx,
) -> Attempt {
    let mut effects = Effects::to(TaskStatus::Done);
    if keeps_data(&turn.link) {
        match read(app, turn, grant, connector, cx, Phase::Deep).await? {
            Ok(read) => {
                // A company has none of the contract's events.
                if let Found::Person(data) = &read.found {
                    effects.inventory = Some(seal_inventory(app, &turn.link, data)?);
                }
                effects.person = Some(read.person);
                effects.found = Some(read.found);
            }
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    match &turn.change {
        None => effects.link_grant_sealed = Some(seal_grant(app, &turn.link, grant)?),
        Some(stored) => match change::plan(app, connector, cx, grant, &turn.link, stored).await? {
            Ok(plan_sealed) => {
                effects.plan_sealed = Some(plan_sealed);
                effects.status = Some(TaskStatus::SwitchDeposit);
            }
            // A refusal before anything was sent; what was read is kept all the same.
            Err(refusal) if refusal.is_final() => {
                effects.change_state = Some(citadel_store::changes::State::Refused);
                effects.error_message = refusal.provider_message().map(str::to_owned);
                effects.status = Some(refusal.status());
            }
            Err(refusal) => return Ok(Err(refusal)),
        },
    }
    Ok(Ok(Next::commit(effects)))
}

/// A link that only changes something keeps no data.
fn keeps_data(link: &Link) -> bool {
    [ReportKind::Employment, ReportKind::Income, ReportKind::Directory]
        .iter()
        .any(|kind| kind.is_allowed(link))
}

/// What a provider told.
pub(super) enum Found {
    Person(PayrollData),
    Company(CompanyData),
}

struct Read {
    found: Found,
    /// The person or company that the data is about, as a keyed hash.
    person: [u8; 32],
}

async fn read(
    app: &App,
    turn: &Turn,
    grant: &Grant,
    connector: &dyn Connector,
    cx: &Cx,
    phase: Phase,
) -> ApiResult<Result<Read, ConnectorError>> {
    let link = &turn.link;
    if matches!(turn.task.product, Product::Admin | Product::Fas) {
        return Ok(match connector.fetch_company(cx, grant).await {
            Ok(company) => {
                let person = whose(app, link, &company_name(&company.employer));
                Ok(Read { found: Found::Company(company), person })
            }
            Err(refusal) => Err(refusal),
        });
    }
    Ok(match connector.fetch(cx, grant, Want { phase }).await {
        Ok(data) => match person_name(&data) {
            Some(person) => Ok(Read { found: Found::Person(data), person: whose(app, link, &person) }),
            None => Err(ConnectorError::NoData),
        },
        Err(refusal) => Err(refusal),
    })
}

/// The reports of what was found, as `(kind, sealed body)`.
pub(super) fn sealed_forms(
    app: &App,
    link: &Link,
    found: &Found,
    now: Timestamp,
) -> ApiResult<Vec<(&'static str, Vec<u8>)>> {
    let forms = match found {
        Found::Person(data) => reports::stored_forms(app, link, data, now)?,
        Found::Company(company) => reports::company_forms(app, link, company)?,
    };
    let key = OwnerKey::of_link(app, link)?;
    forms.into_iter().map(|(kind, json)| Ok((kind, reports::seal(&key, link, kind, &json)?))).collect()
}

fn seal_inventory(app: &App, link: &Link, data: &PayrollData) -> ApiResult<(Inventory, Vec<u8>)> {
    let held = Inventory::of(app, link, data)?;
    let json = serde_json::to_vec(&held).map_err(error::internal)?;
    let sealed = reports::seal(&OwnerKey::of_link(app, link)?, link, INVENTORY, &json)?;
    Ok((held, sealed))
}

/// The person that the data is about: by social security number, or by name and birth date where the provider tells no
/// number. `None` where there is nobody.
fn person_name(data: &PayrollData) -> Option<String> {
    let person = &data.employments.first()?.person;
    Some(match &person.ssn {
        Some(ssn) => ssn.expose().to_owned(),
        None => format!("{}\u{1f}{}\u{1f}{:?}", person.first_name, person.last_name, person.date_of_birth),
    })
}

/// The company that an administrator signed in for.
fn company_name(employer: &Employer) -> String {
    employer.ein.clone().unwrap_or_else(|| employer.name.clone())
}

/// The same for every link of a client to this person at this provider (`link_hash` of the contract is "stable per set of
/// credentials"), and another one for every other client and environment: they cannot find out that they know the same person.
fn whose(app: &App, link: &Link, name: &str) -> [u8; 32] {
    let Tenant { client_id, environment } = link.tenant;
    let provider_id = &link.provider_id;
    let account = format!("{client_id}\u{1f}{environment}\u{1f}{provider_id}\u{1f}{name}");
    app.keyring.keyed_hash(purposes::PERSON, &account)
}
