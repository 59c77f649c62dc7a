//! Where pay lands, and from where it is paid.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Redacted, companies::CompanyRef, providers::ProviderRef};

/// A change of where pay lands: a deposit switch, or a loan linked to a pay check.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DepositReport {
    /// The report.
    pub id: String,
    /// The status of the newest task of the link; `done` when the provider shows the change.
    #[schema(examples("done"))]
    pub status: String,
    /// When that was, with a space between day and time. Kept for old clients: read `finished_at`.
    pub completed_at: Option<String>,
    /// When that was.
    pub finished_at: Option<String>,
    /// The access token with which the report was asked for.
    #[schema(value_type = Option<String>)]
    pub access_token: Option<Redacted>,
    /// As given with the bridge token.
    pub tracking_info: Option<String>,
    /// The status of the newest refresh; `null` before the first.
    pub refresh_status: Option<String>,
    /// The account and the share of pay that the person confirmed. `null` before that.
    pub deposit_details: Option<DepositDetails>,
    /// Where pay landed before the first change; `null` until that was read.
    pub initial_accounts: Option<Vec<InitialAccount>>,
    /// Does something about the data look wrong?
    #[serde(default)]
    pub is_suspicious: bool,
    /// The address of the report as a document.
    pub pdf_report: Option<String>,
    /// The employer that the person chose.
    pub employer: Option<CompanyRef>,
    /// The payroll provider.
    pub provider: Option<ProviderRef>,
}

/// The account and the share of pay that a person confirmed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DepositDetails {
    /// The account.
    #[serde(flatten)]
    pub account: BankAccount,
    /// `entire`, `percent` or `amount`.
    pub deposit_type: Option<String>,
    /// Dollars or percent, by `deposit_type`, with two digits; `null` for `entire`.
    #[schema(examples("50.00"))]
    pub deposit_value: Option<String>,
    /// `create`, `update` or `delete`.
    pub action: Option<String>,
}

/// A bank account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BankAccount {
    /// Digits; leading zeros count.
    #[schema(value_type = Option<String>, examples("16002600"))]
    pub account_number: Option<Redacted>,
    /// `checking` or `savings`.
    #[schema(examples("checking"))]
    pub account_type: Option<String>,
    /// Digits.
    #[schema(examples("123456789"))]
    pub routing_number: Option<String>,
    /// The name of the bank.
    #[schema(examples("TD Bank"))]
    pub bank_name: Option<String>,
    /// Where the bank is.
    pub bank_address: Option<String>,
}

/// Where pay landed before a change. In words, unlike the letters of a payroll report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InitialAccount {
    /// Digits.
    #[schema(value_type = Option<String>)]
    pub account_number: Option<Redacted>,
    /// Digits.
    pub routing_number: Option<String>,
    /// `checking` or `savings`.
    pub account_type: Option<String>,
    /// The person's own name for it.
    pub account_name: Option<String>,
    /// The bank.
    pub bank_name: Option<String>,
    /// `entire`, `percent` or `amount`.
    pub deposit_type: Option<String>,
    /// Dollars or percent, by `deposit_type`.
    pub deposit_value: Option<String>,
}

/// The deposit switches of a person, over all links.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UserDepositSwitchReport {
    /// When the last one that went well was done; `null` before.
    pub completed_at: Option<String>,
    /// One for each link on which the person confirmed an account, newest link first.
    pub links: Vec<UserDepositSwitch>,
}

/// The deposit switch of one link.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UserDepositSwitch {
    /// The link.
    pub link_id: String,
    /// The account and the share of pay that the person confirmed.
    pub deposit_details: DepositDetails,
    /// As given with the bridge token.
    pub tracking_info: Option<String>,
    /// The access token of the link; `null` before the first exchange of a public token.
    #[schema(value_type = Option<String>)]
    pub access_token: Option<Redacted>,
    /// The payroll provider.
    pub provider: Option<SwitchingProvider>,
    /// The employer that the person chose.
    pub employer: Option<CompanyRef>,
    /// When the person first signed in.
    pub created_at: String,
    /// When the link last changed.
    pub updated_at: String,
}

/// A provider with what it can do about bank accounts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SwitchingProvider {
    /// The provider.
    #[serde(flatten)]
    pub provider: ProviderRef,
    /// `create`, `update` and `delete`.
    pub supported_bank_account_actions: Vec<String>,
}

/// A change of the account from which a company pays its people.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FundingSwitchReport {
    /// The report.
    pub id: String,
    /// The status of the newest task of the link.
    #[schema(examples("done"))]
    pub status: String,
    /// When that was, with a space between day and time. Kept for old clients: read `finished_at`.
    pub completed_at: Option<String>,
    /// When that was.
    pub finished_at: Option<String>,
    /// The access token with which the report was asked for.
    #[schema(value_type = Option<String>)]
    pub access_token: Option<Redacted>,
    /// As given with the bridge token.
    pub tracking_info: Option<String>,
    /// The status of the newest refresh; `null` before the first.
    pub refresh_status: Option<String>,
    /// The new account.
    pub account_details: Option<BankAccount>,
    /// Are the two micro-deposits still awaited? Send them with `POST /v1/refresh/tasks/`.
    #[serde(default)]
    pub micro_deposits_required: bool,
}
