//! The bank account that a deposit, loan or funding product is about.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::Secret;

/// A bank account as a client sends it (schemas 3.3). Class S2: seal it wherever it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountDetails {
    /// Digits, leading zeros kept.
    pub account_number: Secret,
    /// Checking or savings.
    pub account_type: AccountType,
    /// Digits. No checksum in sandbox, where published clients send `123456789` and `12345678`.
    pub routing_number: Secret,
    /// As the client wrote it.
    pub bank_name: String,
    /// As the client wrote it.
    pub bank_address: Option<String>,
    /// How much of the pay goes here. `None` means everything.
    pub deposit_type: Option<DepositType>,
    /// Dollars or percent, by `deposit_type`.
    pub deposit_value: Option<Decimal>,
    /// What to do with the account at the provider.
    pub action: Option<AccountAction>,
}

impl AccountDetails {
    /// What arrives here of each pay, where nothing else is said: everything.
    pub fn share(&self) -> DepositType {
        self.deposit_type.unwrap_or(DepositType::Entire)
    }

    /// What happens to the account at the provider, where nothing else is said: it is added.
    pub fn action(&self) -> AccountAction {
        self.action.unwrap_or(AccountAction::Create)
    }
}

/// Checking or savings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountType {
    /// A checking account.
    Checking,
    /// A savings account.
    Savings,
}

impl AccountType {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Checking, Self::Savings];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Savings => "savings",
        }
    }
}

/// How much of each pay goes to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DepositType {
    /// Everything, or what the other accounts leave.
    Entire,
    /// A share of net pay.
    Percent,
    /// A fixed amount.
    Amount,
}

impl DepositType {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Entire, Self::Percent, Self::Amount];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Entire => "entire",
            Self::Percent => "percent",
            Self::Amount => "amount",
        }
    }
}

/// What to do with an account at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountAction {
    /// Add it.
    Create,
    /// Change its share.
    Update,
    /// Take it away.
    Delete,
}

impl AccountAction {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Create, Self::Update, Self::Delete];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}
