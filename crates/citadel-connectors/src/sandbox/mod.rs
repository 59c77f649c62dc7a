//! The sandbox provider: an ordinary connector that plays every payroll provider with invented people, so that docs,
//! quickstart and tests share one world.
//!
//! Start with `logins` (who can sign in, and what happens), then `people` (who they are), `plan` (their terms) and
//! `ledger` (their cheques). A person is a function of user name, employer and provider; history is a function of the
//! host's clock, and a later day only adds to it. The present day is the UTC date of [`Cx::now`].

mod calendar;
mod dice;
mod ledger;
mod logins;
mod people;
mod plan;
mod tax;
mod words;

use std::future::ready;

use citadel_domain::{
    Environment, Product, Secret,
    payroll::{Employment, PayrollData, Person},
};
use jiff::{Timestamp, ToSpan, civil::Date, tz::Offset};
use serde::{Deserialize, Serialize};

use crate::{
    AuthInput, AuthNext, BoxFuture, Connector, ConnectorError, Cx, Descriptor, Grant, LoginField, LoginForm,
    LoginWay, Phase, Session, Step, Want,
};
use dice::Dice;
use logins::Outcome;
use people::Who;
use plan::{JobPlan, Plan};

/// How far back statements go.
const HISTORY_MONTHS: i32 = 24;

const DESCRIPTOR: Descriptor = Descriptor {
    id: "sandbox",
    products: &[Product::Employment, Product::Income],
    environments: &[Environment::Sandbox],
};

const PASSWORD_WAY: LoginWay = LoginWay {
    label: "Username and password",
    fields: &[
        LoginField { name: "username", label: "Username", is_secret: false, autocomplete: "username" },
        LoginField { name: "password", label: "Password", is_secret: true, autocomplete: "current-password" },
    ],
};

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

    fn login_form(&self, _provider_id: &str, _product: Product) -> LoginForm {
        LoginForm { organization: None, ways: &[PASSWORD_WAY] }
    }

    fn auth<'a>(&'a self, cx: &'a Cx, input: AuthInput) -> BoxFuture<'a, AuthNext> {
        Box::pin(ready(sign_in(cx.now, input)))
    }

    fn fetch<'a>(&'a self, cx: &'a Cx, grant: &'a Grant, want: Want) -> BoxFuture<'a, PayrollData> {
        Box::pin(ready(read(cx, grant, want)))
    }
}

/// Between two steps of a sign-in. The password is never kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
enum Notes {
    Code { user: String },
    Wait { user: String, until: Timestamp },
}

#[derive(Debug, Serialize, Deserialize)]
struct Right {
    user: String,
}

fn sign_in(now: Timestamp, input: AuthInput) -> Result<AuthNext, ConnectorError> {
    match input {
        AuthInput::Login(login) => {
            let user = login.get("username");
            match logins::outcome(user, login.get("password")) {
                Outcome::Ready => Ok(AuthNext::Ready(grant(user))),
                Outcome::Code => Ok(AuthNext::Need {
                    step: Step::Code {
                        label: "Enter the 5-digit code that we sent you".to_owned(),
                        destination: Some("g•••••••n@domain.com".to_owned()),
                    },
                    session: seal(&Notes::Code { user: user.to_owned() }),
                }),
                Outcome::Wait => {
                    let until = now.saturating_add(logins::LONG_CHECK).unwrap_or(now);
                    let session = seal(&Notes::Wait { user: user.to_owned(), until });
                    Ok(AuthNext::Wait { delay: logins::LONG_CHECK, session })
                }
                Outcome::Refused(error) => Err(error),
            }
        }
        AuthInput::Renew { grant } => Ok(AuthNext::Ready(grant)),
        AuthInput::Answer { session, answer } => match open(&session)? {
            Notes::Code { user } if answer.expose().trim() == logins::CODE => {
                Ok(AuthNext::Ready(grant(&user)))
            }
            Notes::Code { .. } => Err(ConnectorError::MfaRejected),
            Notes::Wait { .. } => Err(ConnectorError::Unexpected { step: "answer" }),
        },
        AuthInput::Resume { session } => match open(&session)? {
            Notes::Wait { until, .. } if now < until => {
                Ok(AuthNext::Wait { delay: until.duration_since(now), session })
            }
            Notes::Wait { user, .. } => Ok(AuthNext::Ready(grant(&user))),
            Notes::Code { .. } => Err(ConnectorError::Unexpected { step: "resume" }),
        },
    }
}

fn grant(user: &str) -> Grant {
    seal(&Right { user: user.to_owned() })
}

fn seal(value: &impl Serialize) -> Secret {
    Secret::new(serde_json::to_string(value).expect("notes are plain texts and times"))
}

fn open(session: &Session) -> Result<Notes, ConnectorError> {
    serde_json::from_str(session.expose()).map_err(|_| ConnectorError::Unexpected { step: "session" })
}

fn read(cx: &Cx, grant: &Grant, want: Want) -> Result<PayrollData, ConnectorError> {
    let right: Right =
        serde_json::from_str(grant.expose()).map_err(|_| ConnectorError::Unexpected { step: "grant" })?;
    let today = Offset::UTC.to_datetime(cx.now).date();
    let employer = cx.employer_name.as_deref();
    let dice = Dice::new(&["login", &right.user, employer.unwrap_or_default(), &cx.provider_id]);
    let plan = Who::find(&right.user)
        .and_then(|who| who.plan(dice, employer, today))
        .ok_or(ConnectorError::NoData)?;
    let data = show(&plan, want.phase, today);
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
    let ledger = ledger::write(job, oldest.year(), today);
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
