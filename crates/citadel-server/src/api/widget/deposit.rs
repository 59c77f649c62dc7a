//! The account that a bridge token is about: what the widget shows of it, and what the person may choose. The token decides;
//! the person can lower a share that it names, and never raise it (P8).

use citadel_domain::{
    AccountDetails, Product,
    account::{AccountAction, DepositType},
    payroll::Change,
};
use citadel_store::bridge_tokens::BridgeToken;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    api::{account, bridge_tokens},
    app::App,
    error::{self, ApiResult},
    reports::two_digits,
};

/// What the widget shows. The number is the person's to recognise, not to read.
#[derive(Serialize)]
pub(super) struct AccountView {
    /// `deposit` or `funding`.
    purpose: &'static str,
    action: &'static str,
    bank_name: String,
    account_type: &'static str,
    account_last4: String,
    routing_number: String,
    deposit_type: Option<&'static str>,
    deposit_value: Option<String>,
    /// The share is shown and cannot be chosen.
    is_fixed: bool,
    /// The kinds of share that may be chosen.
    choices: Vec<&'static str>,
}

pub(super) fn view(app: &App, token: &BridgeToken) -> ApiResult<Option<AccountView>> {
    let Some(account) = bridge_tokens::open_account(app, token)? else { return Ok(None) };
    let is_funding = token.product == Product::Fas;
    Ok(Some(AccountView {
        purpose: if is_funding { "funding" } else { "deposit" },
        action: account.action().as_str(),
        bank_name: account.bank_name.clone(),
        account_type: account.account_type.as_str(),
        account_last4: account.account_number.last4().to_owned(),
        routing_number: account.routing_number.expose().to_owned(),
        deposit_type: (!is_funding).then(|| account.share().as_str()),
        deposit_value: account.deposit_value.map(two_digits),
        is_fixed: choices(token.product, &account).is_empty(),
        choices: choices(token.product, &account).into_iter().map(DepositType::as_str).collect(),
    }))
}

/// The kinds of share that the person may choose. None: the token has decided.
fn choices(product: Product, account: &AccountDetails) -> Vec<DepositType> {
    let is_open = product == Product::DepositSwitch && account.action() != AccountAction::Delete;
    match account.share() {
        _ if !is_open => Vec::new(),
        DepositType::Entire => vec![DepositType::Entire, DepositType::Percent, DepositType::Amount],
        kind => vec![kind],
    }
}

/// The share that the person chose.
#[derive(Deserialize)]
pub(crate) struct Share {
    deposit_type: Option<String>,
    deposit_value: Option<String>,
}

/// What a sign-in is to change, for the products that change something.
pub(super) fn wanted_change(
    app: &App,
    token: &BridgeToken,
    is_confirmed: bool,
    share: Option<&Share>,
) -> ApiResult<Option<Change>> {
    if !account::is_needed(token.product) {
        return Ok(None);
    }
    // The account goes when the token has aged; and tokens of an earlier release had none.
    let account = bridge_tokens::open_account(app, token)?
        .ok_or_else(|| error::gone("This session has expired. Go back and start again."))?;
    if !is_confirmed {
        return Err(error::invalid("confirmed", "Confirm the account first."));
    }
    if token.product == Product::Fas {
        return Ok(Some(Change::Funding { account }));
    }
    let account = match share {
        None => account,
        Some(share) => with_share(token.product, account, share)?,
    };
    Ok(Some(Change::Deposit { account }))
}

fn with_share(product: Product, account: AccountDetails, share: &Share) -> ApiResult<AccountDetails> {
    let (kind, value) =
        account::check_share(share.deposit_type.as_deref(), share.deposit_value.as_deref(), "deposit.")
            .map_err(error::invalid_fields)?;
    let is_as_asked = kind == account.share() && value == account.deposit_value;
    if !is_as_asked && !choices(product, &account).contains(&kind) {
        return Err(error::invalid("deposit.deposit_type", "This share cannot be chosen here."));
    }
    let most = account.deposit_value.unwrap_or(Decimal::MAX);
    if value.is_some_and(|value| value > most) {
        return Err(error::invalid("deposit.deposit_value", format!("At most {}.", two_digits(most))));
    }
    Ok(AccountDetails { deposit_type: Some(kind), deposit_value: value, ..account })
}
