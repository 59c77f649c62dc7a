//! The sandbox provider: an ordinary connector that plays every payroll provider with invented people, so that docs,
//! quickstart and tests share one world.
//!
//! Start with `logins` (who can sign in, and what happens), then `people` (who they are), `plan` (their terms) and
//! `ledger` (their cheques); `company` is the one that administrators see. `deposits` and `funding` are what can be
//! changed, and are kept in the host's books. A person is a function of user name, employer and provider; history is a function of the
//! host's clock, and a later day only adds to it. The present day is the UTC date of [`Cx::now`].

mod calendar;
mod company;
mod departments;
mod deposits;
mod dice;
mod forms;
mod funding;
mod ledger;
mod logins;
mod people;
mod plan;
mod register;
mod sign_in;
mod split;
mod tax;
mod words;

use std::future::ready;

use citadel_domain::{
    Environment, Product,
    payroll::{self, Change, ChangeState, CompanyData, Employment, PayrollData, PayrollRow, Person},
};
use jiff::{ToSpan, civil::Date, tz::Offset};

use crate::{
    AuthInput, AuthNext, BoxFuture, Connector, ConnectorError, Cx, Descriptor, Grant, LoginForm, Phase, Want,
};
use dice::Dice;
use people::Who;
use plan::{JobPlan, Plan};
use sign_in::Right;

/// How far back statements go.
const HISTORY_MONTHS: i32 = 24;

const DESCRIPTOR: Descriptor =
    Descriptor { id: "sandbox", products: &Product::ALL, environments: &[Environment::Sandbox] };

/// The connector of the sandbox environment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sandbox;

impl Sandbox {
    /// The sandbox has no settings.
    pub const fn new() -> Self {
        Self
    }
}

impl Connector for Sandbox {
    fn describe(&self) -> &Descriptor {
        &DESCRIPTOR
    }

    fn login_form(&self, provider_id: &str, product: Product) -> LoginForm {
        forms::form(provider_id, product)
    }

    fn auth<'a>(&'a self, cx: &'a Cx, input: AuthInput) -> BoxFuture<'a, AuthNext> {
        Box::pin(ready(sign_in::step(cx, input)))
    }

    fn fetch<'a>(&'a self, cx: &'a Cx, grant: &'a Grant, want: Want) -> BoxFuture<'a, PayrollData> {
        Box::pin(read(cx, grant, want))
    }

    fn fetch_company<'a>(&'a self, cx: &'a Cx, grant: &'a Grant) -> BoxFuture<'a, CompanyData> {
        Box::pin(ready(administrator(grant).map(|()| register::directory(today(cx)))))
    }

    fn fetch_payroll<'a>(
        &'a self,
        cx: &'a Cx,
        grant: &'a Grant,
        from: Date,
        to: Date,
    ) -> BoxFuture<'a, Vec<PayrollRow>> {
        Box::pin(ready(administrator(grant).map(|()| register::payroll(from, to, today(cx)))))
    }

    fn plan<'a>(&'a self, cx: &'a Cx, grant: &'a Grant, change: &'a Change) -> BoxFuture<'a, payroll::Plan> {
        Box::pin(async move {
            match change {
                Change::Deposit { account } => deposits::plan(cx, grant, account).await,
                Change::Funding { .. } | Change::FundingProof { .. } => {
                    administrator(grant)?;
                    funding::plan(cx, change).await
                }
            }
        })
    }

    fn apply<'a>(
        &'a self,
        cx: &'a Cx,
        grant: &'a Grant,
        plan: &'a payroll::Plan,
        key: &'a str,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            match &plan.change {
                Change::Deposit { account } => deposits::apply(cx, grant, account, key).await,
                change => funding::apply(cx, change, key).await,
            }
        })
    }

    fn observe<'a>(
        &'a self,
        cx: &'a Cx,
        grant: &'a Grant,
        plan: &'a payroll::Plan,
        key: &'a str,
    ) -> BoxFuture<'a, ChangeState> {
        Box::pin(async move {
            match &plan.change {
                Change::Deposit { .. } => deposits::observe(cx, grant, key).await,
                _ => funding::observe(cx, key).await,
            }
        })
    }
}

fn today(cx: &Cx) -> Date {
    Offset::UTC.to_datetime(cx.now).date()
}

/// Whether a grant is for the company. All but the one who finds nothing see it.
fn administrator(grant: &Grant) -> Result<(), ConnectorError> {
    let user = Right::open(grant)?.user;
    let is_somebody = Who::find(&user).is_some_and(|who| who != Who::Nobody);
    if user == logins::KEY_HOLDER || is_somebody { Ok(()) } else { Err(ConnectorError::NoData) }
}

/// What is settled about a user on the present day.
fn read_plan(cx: &Cx, user: &str) -> Result<Plan, ConnectorError> {
    let employer = cx.employer_name.as_deref();
    let dice = Dice::new(&["login", user, employer.unwrap_or_default(), &cx.provider_id]);
    Who::find(user).and_then(|who| who.plan(dice, employer, today(cx))).ok_or(ConnectorError::NoData)
}

async fn read(cx: &Cx, grant: &Grant, want: Want) -> Result<PayrollData, ConnectorError> {
    let user = Right::open(grant)?.user;
    let mut plan = read_plan(cx, &user)?;
    if want.phase == Phase::Deep {
        let accounts = deposits::now(cx, &user, &plan).await?;
        plan.jobs.iter_mut().take(1).for_each(|job| job.accounts.clone_from(&accounts));
    }
    let data = show(&plan, want.phase, today(cx));
    if data.employments.is_empty() { Err(ConnectorError::NoData) } else { Ok(data) }
}

/// Anybody: the person of a seed, with everything that a provider would show on a day. For tests and examples; the
/// same rules as for the people of the logins, and every kind of pay, job and calendar comes up.
pub fn anybody(seed: &str, employer_name: Option<&str>, today: Date) -> PayrollData {
    let plan = people::anybody(Dice::new(&["anybody", seed]), employer_name);
    show(&plan, Phase::Deep, today)
}

fn show(plan: &Plan, phase: Phase, today: Date) -> PayrollData {
    let mut employments: Vec<Employment> = plan
        .jobs
        .iter()
        .filter(|job| job.start <= today)
        .map(|job| employment(&plan.person, job, phase, today))
        .collect();
    employments.sort_by_key(|employment| std::cmp::Reverse(employment.start_date));
    PayrollData { employments }
}

fn employment(person: &Person, job: &JobPlan, phase: Phase, today: Date) -> Employment {
    let oldest = today.saturating_sub(HISTORY_MONTHS.months());
    let mut ledger = ledger::Ledger::default();
    if phase == Phase::First {
        // Only the newest statement is shown, and most often it is one of this year.
        ledger = ledger::write(job, today.year(), today);
    }
    if ledger.statements.is_empty() {
        ledger = ledger::write(job, oldest.year(), today);
    }
    let mut statements = ledger.statements;
    statements.retain(|statement| statement.pay_date >= oldest);
    statements.reverse();
    let mut w2s = ledger.w2s;
    w2s.reverse();
    let mut deposit_accounts = job.accounts.clone();
    if phase == Phase::First {
        statements.truncate(1);
        w2s.clear();
        deposit_accounts.clear();
    }
    let ended = job.end.filter(|end| *end < today);
    let as_of = ended.unwrap_or(today);
    Employment {
        external_id: job.dice.id(),
        person: person.clone(),
        employer: job.employer.clone(),
        title: Some(job.title.to_owned()),
        job_type: Some(job.job_type),
        start_date: Some(job.start),
        original_hire_date: Some(job.original_hire),
        end_date: ended,
        is_active: Some(ended.is_none()),
        manager_name: Some(job.manager.clone()),
        external_last_updated: Some(job.last_change(today)),
        pay: Some(job.pay_on(as_of)),
        statements,
        deposit_accounts,
        w2s,
    }
}
