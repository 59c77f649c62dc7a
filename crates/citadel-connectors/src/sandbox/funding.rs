//! The account that a company pays its people from, and the proof that a new one is the company's.
//!
//! The books hold what was submitted, never what came of it: that follows from the order of the entries, so that two
//! submissions at the same time cannot disagree, and a refusal can be read again without being sent again.

use citadel_domain::{
    AccountDetails, Money, Secret,
    payroll::{self, Change, ChangeState, DepositAccount},
};
use serde::{Deserialize, Serialize};

use super::{
    company::{self, Company},
    split::{self, refused},
};
use crate::{ConnectorError, Cx, Entry};

/// What we sent to a new account, in this order.
const DEPOSITS: [Money; 2] = [Money::from_cents(10), Money::from_cents(20)];
/// After so many wrong pairs an account is of no use any more.
const MAX_WRONG: u32 = 3;

/// A submission.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Submission {
    Account { account: DepositAccount },
    Proof { amounts: [Money; 2] },
}

/// How things stand.
struct State {
    /// Pays the people.
    present: DepositAccount,
    /// Waits for its proof, with the wrong pairs so far.
    new: Option<(DepositAccount, u32)>,
}

pub(super) async fn plan(
    cx: &Cx,
    company: &Company,
    change: &Change,
) -> Result<payroll::Plan, ConnectorError> {
    let state = State::after(company, &cx.books.list(&page(cx)).await?)?;
    let after = match change {
        Change::Funding { account } => state.check_account(account)?,
        // Whether the amounts are right is not told before they are submitted, or it could be asked for ever.
        Change::FundingProof { .. } => state.check_proof()?.clone(),
        Change::Deposit { .. } => return Err(ConnectorError::Unsupported),
    };
    Ok(payroll::Plan { change: change.clone(), before: vec![state.present], after: vec![after] })
}

/// Enters the submission once per call, a wrong one as well, and then answers what came of it.
pub(super) async fn apply(
    cx: &Cx,
    company: &Company,
    change: &Change,
    key: &str,
) -> Result<(), ConnectorError> {
    let submission = match change {
        Change::Funding { account } => Submission::Account { account: split::written(account) },
        Change::FundingProof { amounts } => Submission::Proof { amounts: *amounts },
        Change::Deposit { .. } => return Err(ConnectorError::Unsupported),
    };
    let text = serde_json::to_string(&submission).expect("submissions are plain texts and numbers");
    cx.books.enter(&page(cx), &Entry { key: key.to_owned(), text: Secret::new(text) }).await?;
    match observe(cx, company, key).await? {
        ChangeState::Applied => Ok(()),
        ChangeState::Absent | ChangeState::Unknown => Err(ConnectorError::Unexpected { step: "funding" }),
    }
}

/// A submission that was refused is that refusal again: it is neither there nor may it be sent once more.
pub(super) async fn observe(cx: &Cx, company: &Company, key: &str) -> Result<ChangeState, ConnectorError> {
    let mut state = State::at_first(company);
    let mut found = Ok(ChangeState::Absent);
    for entry in &cx.books.list(&page(cx)).await? {
        let verdict = state.take(read(entry)?);
        if entry.key == key && found != Ok(ChangeState::Applied) {
            found = verdict.map(|()| ChangeState::Applied);
        }
    }
    found
}

impl State {
    fn at_first(company: &Company) -> Self {
        Self { present: company.funding_account(), new: None }
    }

    fn after(company: &Company, entries: &[Entry]) -> Result<Self, ConnectorError> {
        let mut state = Self::at_first(company);
        for entry in entries {
            // What came of it was answered then.
            let _ = state.take(read(entry)?);
        }
        Ok(state)
    }

    /// What a submission does, and what is answered.
    fn take(&mut self, submission: Submission) -> Result<(), ConnectorError> {
        match submission {
            Submission::Account { account } => {
                // The same account again waits on, and gets no new tries.
                if !self.new.as_ref().is_some_and(|(new, _)| *new == account) {
                    self.new = Some((account, 0));
                }
                Ok(())
            }
            Submission::Proof { amounts } => {
                let proved = self.check_proof()?.clone();
                if amounts == DEPOSITS {
                    *self = Self { present: proved, new: None };
                    return Ok(());
                }
                self.new.iter_mut().for_each(|(_, wrong)| *wrong += 1);
                Err(refused("The two amounts do not match the deposits that we sent."))
            }
        }
    }

    fn check_account(&self, account: &AccountDetails) -> Result<DepositAccount, ConnectorError> {
        if split::is_same(&self.present, account) {
            return Err(refused("Your company already pays from this account."));
        }
        match &self.new {
            Some((new, wrong)) if split::is_same(new, account) && *wrong >= MAX_WRONG => Err(refused(
                "This account was stopped after three wrong tries. Start again with a new account.",
            )),
            _ => Ok(split::written(account)),
        }
    }

    /// The account that a proof would be for.
    fn check_proof(&self) -> Result<&DepositAccount, ConnectorError> {
        match &self.new {
            None => Err(refused("There is no new account to confirm. Change the account first.")),
            Some((_, wrong)) if *wrong >= MAX_WRONG => {
                Err(refused("The amounts were wrong three times. Start again with a new account."))
            }
            Some((account, _)) => Ok(account),
        }
    }
}

fn page(cx: &Cx) -> String {
    serde_json::json!(["funding", cx.provider_id, company::NAME]).to_string()
}

fn read(entry: &Entry) -> Result<Submission, ConnectorError> {
    serde_json::from_str(entry.text.expose()).map_err(|_| ConnectorError::Unexpected { step: "books" })
}
