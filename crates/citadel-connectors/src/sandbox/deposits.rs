//! Where a person's pay goes: the accounts of their plan, until the books say otherwise.
//!
//! An entry is the whole split after a change, so the last one is how things are now.

use citadel_domain::{
    AccountDetails, Secret,
    payroll::{self, Change, ChangeState, DepositAccount},
};

use super::{logins, read_plan, sign_in::Right, split};
use crate::{ConnectorError, Cx, Entry, Grant};

/// The split of the first job, as it is now.
pub(super) async fn now(
    cx: &Cx,
    user: &str,
    plan: &super::Plan,
) -> Result<Vec<DepositAccount>, ConnectorError> {
    let Some(job) = plan.jobs.first() else { return Err(ConnectorError::NoData) };
    // One after another, so that two changes that were worked out at the same time are both there.
    let mut accounts = job.accounts.clone();
    for entry in &cx.books.list(&page(cx, user, &job.employer.name)).await? {
        // One that says what is so already changes nothing.
        accounts = split::change(&accounts, &read(entry)?).unwrap_or(accounts);
    }
    Ok(accounts)
}

pub(super) async fn plan(
    cx: &Cx,
    grant: &Grant,
    account: &AccountDetails,
) -> Result<payroll::Plan, ConnectorError> {
    let right = Right::open(grant)?;
    let before = now(cx, &right.user, &read_plan(cx, &right.user)?).await?;
    let after = split::change(&before, account)?;
    Ok(payroll::Plan { change: Change::Deposit { account: account.clone() }, before, after })
}

/// Enters the change once per call. On purpose it does not look whether the key is there: a change that is sent twice shows
/// as two entries, and a test can see it.
pub(super) async fn apply(
    cx: &Cx,
    grant: &Grant,
    account: &AccountDetails,
    key: &str,
) -> Result<(), ConnectorError> {
    let (user, page) = page_of(cx, grant)?;
    let text = serde_json::to_string(account).expect("accounts are plain texts and numbers");
    cx.books.enter(&page, &Entry { key: key.to_owned(), text: Secret::new(text) }).await?;
    // What is done is done, however long the answer takes.
    let (slow_user, time) = logins::SLOW_BANK;
    if user == slow_user {
        tokio::time::sleep(time).await;
    }
    Ok(())
}

pub(super) async fn observe(cx: &Cx, grant: &Grant, key: &str) -> Result<ChangeState, ConnectorError> {
    let (_, page) = page_of(cx, grant)?;
    let is_there = cx.books.list(&page).await?.iter().any(|entry| entry.key == key);
    Ok(if is_there { ChangeState::Applied } else { ChangeState::Absent })
}

fn page_of(cx: &Cx, grant: &Grant) -> Result<(String, String), ConnectorError> {
    let user = Right::open(grant)?.user;
    let plan = read_plan(cx, &user)?;
    let job = plan.jobs.first().ok_or(ConnectorError::NoData)?;
    let page = page(cx, &user, &job.employer.name);
    Ok((user, page))
}

/// The page of the books for one person's pay. A list in JSON, so that no name can be mistaken for two.
fn page(cx: &Cx, user: &str, employer: &str) -> String {
    serde_json::json!(["deposit", cx.provider_id, employer, user]).to_string()
}

fn read(entry: &Entry) -> Result<AccountDetails, ConnectorError> {
    serde_json::from_str(entry.text.expose()).map_err(|_| ConnectorError::Unexpected { step: "books" })
}
