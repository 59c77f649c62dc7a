//! The sandbox provider: an ordinary connector that plays every payroll provider with invented people, so that docs,
//! quickstart and tests share one world.
//!
//! Start with `logins` (who can sign in, and what happens), then `people` (who they are), `plan` (their terms) and
//! `ledger` (their cheques); `company` is the one that administrators see. `deposits` and `funding` are what can be
//! changed, and are kept in the host's books. A person is a function of user name, employer and provider; history is a function of the
//! host's clock, and a later day only adds to it. `scenario` is what a client invents for itself, and `ugly` people who break
//! integrations. The present day is [`Cx::today`].

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
pub mod scenario;
mod scenarios;
mod sign_in;
mod split;
mod tax;
mod ugly;
mod words;

use std::{future::ready, sync::Arc, sync::OnceLock};

use citadel_domain::{
    Environment, Fault, Product, TaskStatus,
    payroll::{
        self, Change, ChangeState, CompanyData, DepositAccount, Employment, PayrollData, PayrollRow, Person,
    },
};
use jiff::{ToSpan, civil::Date};

use crate::{
    AuthInput, AuthNext, BoxFuture, Connector, ConnectorError, Cx, Descriptor, Grant, LoginForm, Phase, Want,
};
use company::Company;
pub use dice::DEFAULT_SEED;
use dice::{Dice, World};
pub use logins::LOGINS;
use people::Who;
use plan::{JobPlan, Plan};
use scenario::Scenario;
use sign_in::Right;
pub use ugly::{PASSWORD as UGLY_PASSWORD, Ugly, pack as ugly_pack};

/// How far back statements go.
const HISTORY_MONTHS: i32 = 24;
/// No working life is longer, whatever a scenario says of a first day.
const LIFE_YEARS: i32 = 100;

const DESCRIPTOR: Descriptor =
    Descriptor { id: "sandbox", products: &Product::ALL, environments: &[Environment::Sandbox] };

/// The connector of the sandbox environment.
#[derive(Clone, Debug)]
pub struct Sandbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    world: World,
    company: OnceLock<Company>,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::seeded(DEFAULT_SEED)
    }
}

impl Sandbox {
    /// The world that everybody knows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another world: other people behind the same logins. The same seed gives the same people.
    pub fn seeded(seed: &str) -> Self {
        Self(Arc::new(Inner { world: World::new(seed), company: OnceLock::new() }))
    }

    fn company(&self) -> &Company {
        self.0.company.get_or_init(|| Company::new(self.0.world))
    }

    /// Everything that was ever paid to a person of the sandbox, up to the present day: what [`Connector::fetch`] shows without
    /// the limit of two years, back to 1 January of a hundred years ago. For books that must balance from the first cheque on.
    ///
    /// It is written by a call of what is returned: a hundred thousand statements, and no work for a thread that serves others.
    pub async fn all_pay(
        &self,
        cx: &Cx,
        username: &str,
    ) -> Result<impl FnOnce() -> PayrollData + Send + 'static, ConnectorError> {
        let right = scenarios::right_of(cx, username).await?;
        let subject = Subject::of(self, cx, &right).await?;
        let accounts = deposits::of_first_job(cx, username, &subject).await?;
        let oldest = cx.today.saturating_sub(LIFE_YEARS.years()).first_of_year();
        let cx = cx.clone();
        Ok(move || {
            let mut data = subject.show(&cx, Phase::Deep, oldest);
            accounts.put_in(&mut data);
            data
        })
    }

    /// The register of the sandbox's one company, and who works there. [`Connector::fetch_payroll`] without a sign-in.
    pub fn company_pay(&self, from: Date, to: Date, today: Date) -> (CompanyData, Vec<PayrollRow>) {
        let company = self.company();
        (register::directory(company, today), register::payroll(company, from, to, today))
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
        Box::pin(sign_in::step(cx, input))
    }

    fn fetch<'a>(&'a self, cx: &'a Cx, grant: &'a Grant, want: Want) -> BoxFuture<'a, PayrollData> {
        Box::pin(read(self, cx, grant, want))
    }

    fn fetch_company<'a>(&'a self, cx: &'a Cx, grant: &'a Grant) -> BoxFuture<'a, CompanyData> {
        Box::pin(ready(administrator(grant).map(|()| register::directory(self.company(), cx.today))))
    }

    fn fetch_payroll<'a>(
        &'a self,
        cx: &'a Cx,
        grant: &'a Grant,
        from: Date,
        to: Date,
    ) -> BoxFuture<'a, Vec<PayrollRow>> {
        let rows = || register::payroll(self.company(), from, to, cx.today);
        Box::pin(ready(administrator(grant).map(|()| rows())))
    }

    fn plan<'a>(&'a self, cx: &'a Cx, grant: &'a Grant, change: &'a Change) -> BoxFuture<'a, payroll::Plan> {
        Box::pin(async move {
            match change {
                Change::Deposit { account } => deposits::plan(self, cx, grant, account).await,
                Change::Funding { .. } | Change::FundingProof { .. } => {
                    administrator(grant)?;
                    funding::plan(cx, self.company(), change).await
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
                Change::Deposit { account } => deposits::apply(self, cx, grant, account, key).await,
                change => funding::apply(cx, self.company(), change, key).await,
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
                Change::Deposit { .. } => deposits::observe(self, cx, grant, key).await,
                _ => funding::observe(cx, self.company(), key).await,
            }
        })
    }
}

/// Whether a grant is for the company. All but the one who finds nothing see it.
fn administrator(grant: &Grant) -> Result<(), ConnectorError> {
    let right = Right::open(grant)?;
    let is_somebody = right.scenario.is_some()
        || ugly::find(&right.user).is_some()
        || Who::find(&right.user).is_some_and(|who| who != Who::Nobody);
    if right.user == logins::KEY_HOLDER || is_somebody { Ok(()) } else { Err(ConnectorError::NoData) }
}

/// Who a grant is for, as they are on the present day.
enum Subject {
    /// Somebody of the sandbox.
    Person(Box<Plan>),
    /// Somebody of a scenario.
    Invented { scenario: Box<Scenario>, dice: Dice },
}

impl Subject {
    async fn of(sandbox: &Sandbox, cx: &Cx, right: &Right) -> Result<Self, ConnectorError> {
        let employer = cx.employer_name.as_deref();
        let user = right.user.as_str();
        let dice = sandbox.0.world.dice(&["login", user, employer.unwrap_or_default(), &cx.provider_id]);
        if let Some(scenario) = scenarios::of_right(cx, right).await? {
            let is_nobody = scenario.status.as_deref() == Some(TaskStatus::NoData.as_str());
            return if is_nobody {
                Err(ConnectorError::NoData)
            } else {
                Ok(Self::Invented { scenario: Box::new(scenario), dice })
            };
        }
        let plan = Who::find(user).and_then(|who| who.plan(dice, employer, cx.today));
        plan.map(|plan| Self::Person(Box::new(plan))).ok_or(ConnectorError::NoData)
    }

    /// The first job: its id, its employer, and where its pay goes before anything was changed.
    fn first_pay(&self, cx: &Cx) -> Result<(String, String, Vec<DepositAccount>), ConnectorError> {
        match self {
            Self::Person(plan) => {
                let job = plan.jobs.first().ok_or(ConnectorError::NoData)?;
                Ok((job.dice.id(), job.employer.name.clone(), job.accounts.clone()))
            }
            Self::Invented { scenario, .. } => {
                let job = scenario.payload.employments.first().ok_or(ConnectorError::NoData)?;
                let name = job.company.name.clone().or_else(|| cx.employer_name.clone()).unwrap_or_default();
                Ok((scenario::job_id(job.id.as_deref(), 0), name, scenario::accounts(scenario)))
            }
        }
    }

    fn has(&self, cx: &Cx, fault: Fault) -> bool {
        let of_scenario = match self {
            Self::Person(_) => false,
            Self::Invented { scenario, .. } => scenario.faults.contains(&fault),
        };
        of_scenario || cx.faults.contains(&fault)
    }

    /// What is shown, with statements back to a day.
    fn show(&self, cx: &Cx, phase: Phase, oldest: Date) -> PayrollData {
        match self {
            Self::Person(plan) => show(plan, phase, oldest, cx.today),
            Self::Invented { scenario, dice } => {
                let data = scenario::deep(scenario, *dice, cx.employer_name.as_deref(), oldest, cx.today);
                if phase == Phase::First { scenario::first_part(data) } else { data }
            }
        }
    }
}

/// The first day whose statements are shown.
fn oldest(today: Date) -> Date {
    today.saturating_sub(HISTORY_MONTHS.months())
}

async fn read(sandbox: &Sandbox, cx: &Cx, grant: &Grant, want: Want) -> Result<PayrollData, ConnectorError> {
    let right = Right::open(grant)?;
    let subject = Subject::of(sandbox, cx, &right).await?;
    if want.phase == Phase::Deep && subject.has(cx, Fault::HalfData) {
        return Err(ConnectorError::Unexpected { step: "history" });
    }
    let mut data = subject.show(cx, want.phase, oldest(cx.today));
    if want.phase == Phase::Deep {
        deposits::of_first_job(cx, &right.user, &subject).await?.put_in(&mut data);
    }
    if data.employments.is_empty() { Err(ConnectorError::NoData) } else { Ok(data) }
}

/// Anybody: the person of a seed, with everything that a provider would show on a day. For tests and examples; the
/// same rules as for the people of the logins, and every kind of pay, job and calendar comes up.
pub fn anybody(seed: &str, employer_name: Option<&str>, today: Date) -> PayrollData {
    let dice = World::new(DEFAULT_SEED).dice(&["anybody", seed]);
    show(&people::anybody(dice, employer_name), Phase::Deep, oldest(today), today)
}

fn show(plan: &Plan, phase: Phase, oldest: Date, today: Date) -> PayrollData {
    let mut employments: Vec<Employment> = plan
        .jobs
        .iter()
        .filter(|job| job.start <= today)
        .map(|job| employment(&plan.person, job, phase, oldest, today))
        .collect();
    employments.sort_by_key(|employment| std::cmp::Reverse(employment.start_date));
    PayrollData { employments }
}

fn employment(person: &Person, job: &JobPlan, phase: Phase, oldest: Date, today: Date) -> Employment {
    let mut ledger = ledger::Ledger::default();
    if phase == Phase::First {
        // Only the newest statement is shown, and most often it is one of this year.
        ledger = ledger::write(job, today.year(), today);
    }
    if ledger.statements.is_empty() {
        ledger = ledger::write(job, oldest.year().max(job.start.year()), today);
    }
    let mut statements = ledger.statements;
    statements.retain(|statement| statement.pay_date >= Some(oldest));
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
