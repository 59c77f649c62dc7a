//! What was changed at a provider, told from the changes themselves (schemas 3.4 and 3.5).

use citadel_api_types::{
    Redacted,
    companies::CompanyRef,
    deposits::{
        BankAccount, DepositDetails, DepositReport, FundingSwitchReport, InitialAccount, SwitchingProvider,
        UserDepositSwitch,
    },
};
use citadel_domain::{
    AccountDetails, TaskStatus,
    account::AccountAction,
    payroll::{self, DepositAccount, Plan},
};
use citadel_store::{
    changes::{Change, State},
    links::Link,
};
use rust_decimal::Decimal;

use super::{Facts, Opening, ReportKind, time};
use crate::{
    app::App,
    error::{self, ApiResult},
    jobs::change,
    owner_key::OwnerKey,
};

/// Wrong pairs of micro-deposits after which a new account is needed.
const MAX_WRONG_PROOFS: usize = 3;

/// `kind` is the word of the changes that the report is about.
pub(super) fn deposit_report(
    app: &App,
    kind: &str,
    facts: &Facts,
    opening: Opening,
    access_token: Option<&Redacted>,
) -> ApiResult<Vec<u8>> {
    let link = &facts.link;
    let (shown, before) = accounts(app, kind, facts)?;
    let report_kind = if kind == change::PLL { ReportKind::Pll } else { ReportKind::DirectDeposit };
    let report = DepositReport {
        id: opening.id,
        status: opening.status.to_owned(),
        completed_at: opening.completed_at,
        finished_at: opening.finished_at,
        access_token: access_token.cloned(),
        tracking_info: link.tracking_info.clone(),
        refresh_status: opening.refresh_status.map(str::to_owned),
        deposit_details: shown.as_ref().map(deposit_details),
        initial_accounts: before.map(|before| before.iter().map(initial_account).collect()),
        is_suspicious: false,
        pdf_report: (opening.status == TaskStatus::Done.as_str())
            .then(|| super::pdf_address(app, link, report_kind))
            .transpose()?,
        employer: employer(app, link),
        provider: app.provider_ref(&link.provider_id),
    };
    serde_json::to_vec(&report).map_err(error::internal)
}

/// The account that a report of deposits is about, and those that were there before anything was touched.
pub(super) fn accounts(
    app: &App,
    kind: &str,
    facts: &Facts,
) -> ApiResult<(Option<AccountDetails>, Option<Vec<DepositAccount>>)> {
    let key = OwnerKey::of_link(app, &facts.link)?;
    let shown = shown(facts, kind).map(|found| change::open(&key, found)).transpose()?;
    let of_deposits = || facts.changes.iter().filter(|change| change.kind == kind);
    let first_plan =
        of_deposits().find_map(|found| change::open_plan(&key, found).transpose()).transpose()?;
    Ok((shown.as_ref().and_then(account).cloned(), first_plan.map(|plan: Plan| plan.before)))
}

/// The switch of a link among those of its person; `None` before the person confirmed one.
pub(crate) fn user_deposit_switch(
    app: &App,
    facts: &Facts,
    access_token: Option<Redacted>,
) -> ApiResult<Option<UserDepositSwitch>> {
    let link = &facts.link;
    let key = OwnerKey::of_link(app, link)?;
    let Some(deposit_details) = details(&key, facts, change::DEPOSIT_SWITCH)? else { return Ok(None) };
    let provider = app.provider_ref(&link.provider_id);
    Ok(Some(UserDepositSwitch {
        link_id: link.id.to_string(),
        deposit_details,
        tracking_info: link.tracking_info.clone(),
        access_token,
        provider: provider.map(|provider| SwitchingProvider {
            provider,
            supported_bank_account_actions: AccountAction::ALL
                .map(|action| action.as_str().to_owned())
                .to_vec(),
        }),
        employer: employer(app, link),
        created_at: time(link.created_at),
        updated_at: time(link.updated_at),
    }))
}

/// The account and the share of pay that a report is about.
fn details(key: &OwnerKey, facts: &Facts, kind: &str) -> ApiResult<Option<DepositDetails>> {
    let shown = shown(facts, kind).map(|found| change::open(key, found)).transpose()?;
    Ok(shown.as_ref().and_then(account).map(deposit_details))
}

pub(super) fn funding_report(
    app: &App,
    facts: &Facts,
    opening: Opening,
    access_token: Option<&Redacted>,
) -> ApiResult<Vec<u8>> {
    let key = OwnerKey::of_link(app, &facts.link)?;
    let shown = shown(facts, change::FUNDING).map(|found| change::open(&key, found)).transpose()?;
    let report = FundingSwitchReport {
        id: opening.id,
        status: opening.status.to_owned(),
        completed_at: opening.completed_at,
        finished_at: opening.finished_at,
        access_token: access_token.cloned(),
        tracking_info: facts.link.tracking_info.clone(),
        refresh_status: opening.refresh_status.map(str::to_owned),
        account_details: shown.as_ref().and_then(account).map(bank_account),
        micro_deposits_required: proof_of_funding(&facts.changes) == Proof::Awaited,
    };
    serde_json::to_vec(&report).map_err(error::internal)
}

/// The change that a report's status is about: that of the newest task. Where that one changed nothing, what was last made;
/// and before anything was made, what was last wanted, because clients read it at once (R7).
fn shown<'a>(facts: &'a Facts, kind: &str) -> Option<&'a Change> {
    let of_kind = || facts.changes.iter().rev().filter(|change| change.kind == kind);
    let newest_task = facts.task.as_ref().map(|task| task.id);
    of_kind()
        .find(|change| Some(change.task_id) == newest_task)
        .or_else(|| of_kind().find(|change| change.state == State::Applied))
        .or_else(|| of_kind().next())
}

/// Where the proof of a new funding account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// There is no new account, or the provider has not taken it.
    NotAsked,
    /// The two amounts are awaited.
    Awaited,
    /// They were right.
    Given,
    /// They were wrong three times: the account is given up.
    Stopped,
}

/// Reads it off a link's changes, which are oldest first.
pub(crate) fn proof_of_funding(changes: &[Change]) -> Proof {
    let is_made = |change: &Change| change.kind == change::FUNDING && change.state == State::Applied;
    let Some(newest) = changes.iter().rposition(is_made) else { return Proof::NotAsked };
    let proofs = || changes[newest..].iter().filter(|change| change.kind == change::FUNDING_PROOF);
    if proofs().any(|proof| proof.state == State::Applied) {
        Proof::Given
    } else if proofs().filter(|proof| proof.state == State::Refused).count() >= MAX_WRONG_PROOFS {
        Proof::Stopped
    } else {
        Proof::Awaited
    }
}

fn account(change: &payroll::Change) -> Option<&AccountDetails> {
    match change {
        payroll::Change::Deposit { account } | payroll::Change::Funding { account } => Some(account),
        payroll::Change::FundingProof { .. } => None,
    }
}

fn deposit_details(account: &AccountDetails) -> DepositDetails {
    DepositDetails {
        account: bank_account(account),
        deposit_type: Some(account.share().as_str().to_owned()),
        deposit_value: account.deposit_value.map(two_digits),
        action: Some(account.action().as_str().to_owned()),
    }
}

fn bank_account(account: &AccountDetails) -> BankAccount {
    BankAccount {
        account_number: Some(Redacted::from(account.account_number.expose())),
        account_type: Some(account.account_type.as_str().to_owned()),
        routing_number: Some(account.routing_number.expose().to_owned()),
        bank_name: Some(account.bank_name.clone()),
        bank_address: account.bank_address.clone(),
    }
}

fn initial_account(account: &DepositAccount) -> InitialAccount {
    InitialAccount {
        account_number: Some(Redacted::from(account.account_number.expose())),
        routing_number: Some(account.routing_number.expose().to_owned()),
        account_type: account.account_type.map(|kind| kind.as_str().to_owned()),
        account_name: account.account_name.clone(),
        bank_name: account.bank_name.clone(),
        deposit_type: account.deposit_type.map(|kind| kind.as_str().to_owned()),
        deposit_value: account.deposit_value.map(two_digits),
    }
}

pub(super) fn employer(app: &App, link: &Link) -> Option<CompanyRef> {
    let company = app.directory.find_company(link.company_mapping_id?)?;
    let id = company.id.to_string();
    Some(CompanyRef { name: company.name.clone(), logo_url: Some(app.mark_url(&id)), id })
}

/// `50.00`
pub(crate) fn two_digits(value: Decimal) -> String {
    format!("{value:.2}")
}
