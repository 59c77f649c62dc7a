//! Where a person's pay goes: the accounts of their plan, until the books say otherwise.
//!
//! An entry is the whole split after a change, so the last one is how things are now.

use citadel_domain::{
    AccountDetails, Secret,
    payroll::{self, Change, ChangeState, DepositAccount},
};

use super::{Sandbox, Subject, logins, sign_in::Right, split};
use crate::{ConnectorError, Cx, Entry, Grant};

/// The split of somebody's first job, as it is now.
pub(super) struct Accounts {
    /// The job. `None` for somebody without one.
    job_id: Option<String>,
    accounts: Vec<DepositAccount>,
}

impl Accounts {
    /// Puts the split into what is shown of the job.
    pub(super) fn put_in(self, data: &mut payroll::PayrollData) {
        let mut jobs = data.employments.iter_mut();
        if let Some(job) = jobs.find(|job| Some(&job.external_id) == self.job_id.as_ref()) {
            job.deposit_accounts = self.accounts;
        }
    }
}

pub(super) async fn of_first_job(cx: &Cx, user: &str, subject: &Subject) -> Result<Accounts, ConnectorError> {
    let Ok((id, ..)) = subject.first_pay(cx) else {
        return Ok(Accounts { job_id: None, accounts: Vec::new() });
    };
    Ok(Accounts { job_id: Some(id), accounts: now(cx, user, subject).await? })
}

async fn now(cx: &Cx, user: &str, subject: &Subject) -> Result<Vec<DepositAccount>, ConnectorError> {
    let (_, employer, mut accounts) = subject.first_pay(cx)?;
    // One after another, so that two changes that were worked out at the same time are both there.
    for entry in &cx.books.list(&page(cx, user, &employer)).await? {
        // One that says what is so already changes nothing.
        accounts = split::change(&accounts, &read(entry)?).unwrap_or(accounts);
    }
    Ok(accounts)
}

pub(super) async fn plan(
    sandbox: &Sandbox,
    cx: &Cx,
    grant: &Grant,
    account: &AccountDetails,
) -> Result<payroll::Plan, ConnectorError> {
    let right = Right::open(grant)?;
    let before = now(cx, &right.user, &Subject::of(sandbox, cx, &right).await?).await?;
    let after = split::change(&before, account)?;
    Ok(payroll::Plan { change: Change::Deposit { account: account.clone() }, before, after })
}

/// Enters the change once per call. On purpose it does not look whether the key is there: a change that is sent twice shows
/// as two entries, and a test can see it.
pub(super) async fn apply(
    sandbox: &Sandbox,
    cx: &Cx,
    grant: &Grant,
    account: &AccountDetails,
    key: &str,
) -> Result<(), ConnectorError> {
    let (user, page) = page_of(sandbox, cx, grant).await?;
    let text = serde_json::to_string(account).expect("accounts are plain texts and numbers");
    cx.books.enter(&page, &Entry { key: key.to_owned(), text: Secret::new(text) }).await?;
    // What is done is done, however long the answer takes.
    let (slow_user, time) = logins::SLOW_BANK;
    if user == slow_user {
        tokio::time::sleep(time).await;
    }
    Ok(())
}

pub(super) async fn observe(
    sandbox: &Sandbox,
    cx: &Cx,
    grant: &Grant,
    key: &str,
) -> Result<ChangeState, ConnectorError> {
    let (_, page) = page_of(sandbox, cx, grant).await?;
    let is_there = cx.books.list(&page).await?.iter().any(|entry| entry.key == key);
    Ok(if is_there { ChangeState::Applied } else { ChangeState::Absent })
}

async fn page_of(sandbox: &Sandbox, cx: &Cx, grant: &Grant) -> Result<(String, String), ConnectorError> {
    let right = Right::open(grant)?;
    let (_, employer, _) = Subject::of(sandbox, cx, &right).await?.first_pay(cx)?;
    let page = page(cx, &right.user, &employer);
    Ok((right.user, page))
}

/// The page of the books for one person's pay. A list in JSON, so that no name can be mistaken for two.
fn page(cx: &Cx, user: &str, employer: &str) -> String {
    serde_json::json!(["deposit", cx.provider_id, employer, user]).to_string()
}

fn read(entry: &Entry) -> Result<AccountDetails, ConnectorError> {
    serde_json::from_str(entry.text.expose()).map_err(|_| ConnectorError::Unexpected { step: "books" })
}
