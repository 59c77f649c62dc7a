//! How a pay is split between accounts, and what may be done to the split.
//!
//! A split is a list: fixed amounts and percents first, and last one row that takes the rest. A split in which percents
//! take everything has no such row until it is changed; then its last row becomes the rest.

use citadel_domain::{
    AccountDetails,
    account::{AccountAction, DepositType},
    payroll::DepositAccount,
};
use rust_decimal::Decimal;

use crate::ConnectorError;

/// How many accounts a pay can go to.
const MAX_ACCOUNTS: usize = 4;

/// The split after a change, or the provider's refusal. The new account is not checked: published clients send routing
/// numbers that no bank has.
pub(super) fn change(
    now: &[DepositAccount],
    wanted: &AccountDetails,
) -> Result<Vec<DepositAccount>, ConnectorError> {
    // Nothing on file: the first account takes everything.
    if now.is_empty() && wanted.action() == AccountAction::Create {
        return Ok(vec![all_of_it(written(wanted))]);
    }
    let split = Split::of(now)?;
    match wanted.action() {
        AccountAction::Create => split.put(wanted),
        AccountAction::Update if split.has(wanted) => split.put(wanted),
        AccountAction::Delete if split.has(wanted) => split.take_away(wanted),
        AccountAction::Update | AccountAction::Delete => {
            Err(refused("This account is not on file for your direct deposit."))
        }
    }
}

struct Split {
    shares: Vec<DepositAccount>,
    rest: DepositAccount,
}

impl Split {
    fn of(now: &[DepositAccount]) -> Result<Self, ConnectorError> {
        let (last, shares) =
            now.split_last().ok_or_else(|| refused("No account is on file for your direct deposit."))?;
        Ok(Self { shares: shares.to_vec(), rest: all_of_it(last.clone()) })
    }

    fn has(&self, wanted: &AccountDetails) -> bool {
        self.shares.iter().chain([&self.rest]).any(|row| is_same(row, wanted))
    }

    /// Gives the account its share, whether or not it is on file already.
    fn put(mut self, wanted: &AccountDetails) -> Result<Vec<DepositAccount>, ConnectorError> {
        let takes_the_rest = is_same(&self.rest, wanted);
        if takes_the_rest && self.shares.is_empty() {
            return Err(refused("This account already receives all of your pay."));
        }
        let row = row(wanted)?;
        if row.deposit_type == Some(DepositType::Entire) {
            return Ok(vec![row]);
        }
        if takes_the_rest {
            return Err(refused(
                "This account already receives the rest of your pay. Choose another account for the rest first.",
            ));
        }
        self.shares.retain(|share| !is_same(share, wanted));
        if percent(&row) > Decimal::ONE_HUNDRED - self.shares.iter().map(percent).sum::<Decimal>() {
            return Err(refused("Your accounts cannot receive more than 100 percent of your pay together."));
        }
        if self.shares.len() + 2 > MAX_ACCOUNTS {
            return Err(refused("Your pay can go to four accounts at most. Remove one first."));
        }
        self.shares.insert(0, row);
        Ok(self.rows())
    }

    fn take_away(mut self, wanted: &AccountDetails) -> Result<Vec<DepositAccount>, ConnectorError> {
        if !is_same(&self.rest, wanted) {
            self.shares.retain(|share| !is_same(share, wanted));
            return Ok(self.rows());
        }
        Err(refused(if self.shares.is_empty() {
            "Your pay needs an account to go to. Add another one before you remove this one."
        } else {
            "This account receives the rest of your pay. Choose another account for the rest before you remove it."
        }))
    }

    fn rows(self) -> Vec<DepositAccount> {
        self.shares.into_iter().chain([self.rest]).collect()
    }
}

fn all_of_it(row: DepositAccount) -> DepositAccount {
    DepositAccount { deposit_type: Some(DepositType::Entire), deposit_value: None, ..row }
}

/// The row of an account as the provider writes it: cents for an amount, and all of it for 100 percent.
fn row(wanted: &AccountDetails) -> Result<DepositAccount, ConnectorError> {
    let value = wanted.deposit_value.unwrap_or_default();
    let (deposit_type, deposit_value) = match wanted.share() {
        DepositType::Entire => (DepositType::Entire, None),
        DepositType::Percent if value == Decimal::ONE_HUNDRED => (DepositType::Entire, None),
        DepositType::Percent => (DepositType::Percent, Some(value.normalize())),
        DepositType::Amount => {
            let mut cents = value.round_dp(2);
            cents.rescale(2);
            (DepositType::Amount, Some(cents))
        }
    };
    if deposit_value.is_some_and(|value| value <= Decimal::ZERO) {
        return Err(refused("Say how much of your pay goes to this account: more than nothing."));
    }
    Ok(DepositAccount { deposit_type: Some(deposit_type), deposit_value, ..written(wanted) })
}

/// An account as a provider writes it down, without a share.
pub(super) fn written(account: &AccountDetails) -> DepositAccount {
    DepositAccount {
        account_number: account.account_number.clone(),
        routing_number: account.routing_number.clone(),
        account_name: None,
        bank_name: Some(account.bank_name.clone()),
        account_type: Some(account.account_type),
        deposit_type: None,
        deposit_value: None,
    }
}

/// An account is its two numbers, whatever it is called.
pub(super) fn is_same(row: &DepositAccount, account: &AccountDetails) -> bool {
    row.account_number == account.account_number && row.routing_number == account.routing_number
}

fn percent(row: &DepositAccount) -> Decimal {
    match row.deposit_type {
        Some(DepositType::Percent) => row.deposit_value.unwrap_or_default(),
        _ => Decimal::ZERO,
    }
}

/// The provider's words.
pub(super) fn refused(words: &str) -> ConnectorError {
    ConnectorError::ConfigRejected { message: words.to_owned() }
}
