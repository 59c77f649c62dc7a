//! A sign-in, step by step. [`logins`] says what each login leads to; this walks there.

use citadel_domain::{Fault, Product, Secret, TaskStatus};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    forms,
    logins::{self, Outcome},
    scenario::{MfaKind, Scenario},
    scenarios,
};
use crate::{AuthInput, AuthNext, ConnectorError, Cx, Grant, Login, OTHER_METHOD, Session, Step, StepOption};

/// Where codes go, masked: the ids and labels of the choice.
const DESTINATIONS: [(&str, &str); 2] = [("sms", "•••-•••-1111"), ("email", "g•••••••n@domain.com")];

/// What a grant is for. The password is never kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Right {
    pub(super) user: String,
    /// The scenario behind the login, where the client invented it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) scenario: Option<String>,
    /// Whether the person has changed the password since, so that the grant cannot be renewed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) has_lapsed: bool,
}

impl Right {
    pub(super) fn of(user: &str) -> Self {
        Self { user: user.to_owned(), scenario: None, has_lapsed: false }
    }

    pub(super) fn open(grant: &Grant) -> Result<Self, ConnectorError> {
        serde_json::from_str(grant.expose()).map_err(|_| ConnectorError::Unexpected { step: "grant" })
    }
}

/// Between two steps of a sign-in. The password is never kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
enum Notes {
    Code { right: Right },
    Question { right: Right },
    Choice { right: Right },
    Push { right: Right, until: Timestamp, is_denied: bool },
    Wait { right: Right, until: Timestamp },
    Renewal { right: Right, until: Timestamp },
}

impl Notes {
    const fn right(&self) -> &Right {
        match self {
            Self::Code { right }
            | Self::Question { right }
            | Self::Choice { right }
            | Self::Push { right, .. }
            | Self::Wait { right, .. }
            | Self::Renewal { right, .. } => right,
        }
    }
}

pub(super) async fn step(cx: &Cx, input: AuthInput) -> Result<AuthNext, ConnectorError> {
    match input {
        AuthInput::Login(login) => begin(cx, &login).await,
        AuthInput::Renew { grant } => {
            let right = Right::open(&grant)?;
            let scenario = scenarios::of_right(cx, &right).await?;
            limit(cx, scenario.as_ref())?;
            let until = after(cx.now, logins::RENEWAL + delay(cx, scenario.as_ref()));
            wait(cx.now, until, &Notes::Renewal { right, until })
        }
        AuthInput::Answer { session, answer } => {
            let notes = open(&session)?;
            let scenario = scenarios::of_right(cx, notes.right()).await?;
            take_answer(cx, scenario.as_ref(), notes, answer.expose().trim())
        }
        AuthInput::Resume { session } => {
            let notes = open(&session)?;
            let scenario = scenarios::of_right(cx, notes.right()).await?;
            resume(cx, scenario.as_ref(), notes)
        }
    }
}

async fn begin(cx: &Cx, login: &Login) -> Result<AuthNext, ConnectorError> {
    if forms::asks_for_company_code(&cx.provider_id) {
        logins::check_company_code(login.get(forms::ORGANIZATION_ID))?;
    }
    let is_administrator = matches!(cx.product, Product::Admin | Product::Fas);
    if is_administrator && login.0.contains_key(forms::API_KEY) {
        limit(cx, None)?;
        return match login.get(forms::API_KEY) {
            logins::API_KEY => unhindered(cx, Right::of(logins::KEY_HOLDER)),
            _ => Err(ConnectorError::LoginRejected),
        };
    }
    let (user, password) = (login.get(forms::USERNAME), login.get(forms::PASSWORD));
    if let Some(found) = scenarios::of_login(cx, user, password).await? {
        limit(cx, Some(&found.scenario))?;
        let right = Right { scenario: found.id, ..Right::of(user) };
        return match &found.scenario.mfa {
            _ if has(cx, Some(&found.scenario), Fault::MfaUnanswered) => unanswered(cx, right),
            None => ready(cx, Some(&found.scenario), right),
            Some(mfa) => ask(cx, mfa.kind, mfa.label.as_deref(), right),
        };
    }
    limit(cx, None)?;
    let right = Right::of(user);
    match logins::outcome(user, password) {
        Outcome::Refused(error) => Err(error),
        _ if has(cx, None, Fault::MfaUnanswered) => unanswered(cx, right),
        Outcome::Ready => unhindered(cx, right),
        Outcome::ReadyOnce => unhindered(cx, Right { has_lapsed: true, ..right }),
        Outcome::Code => ask(cx, MfaKind::Code, None, right),
        Outcome::Question => ask(cx, MfaKind::Question, None, right),
        Outcome::Choice => ask(cx, MfaKind::Choice, None, right),
        Outcome::Push { is_denied: false } => ask(cx, MfaKind::Push, None, right),
        Outcome::Push { is_denied: true } => ask(cx, MfaKind::PushDenied, None, right),
        Outcome::Wait => {
            let until = after(cx.now, logins::LONG_CHECK + delay(cx, None));
            wait(cx.now, until, &Notes::Wait { right, until })
        }
    }
}

fn has(cx: &Cx, scenario: Option<&Scenario>, fault: Fault) -> bool {
    cx.faults.contains(&fault) || scenario.is_some_and(|scenario| scenario.faults.contains(&fault))
}

/// A provider that is down, or over its limits at the first try.
fn limit(cx: &Cx, scenario: Option<&Scenario>) -> Result<(), ConnectorError> {
    if has(cx, scenario, Fault::ProviderDown) {
        return Err(ConnectorError::ProviderDown { retry_after: None });
    }
    if has(cx, scenario, Fault::RateLimited) && cx.tries <= 1 {
        return Err(ConnectorError::ProviderDown { retry_after: Some(logins::LIMITED) });
    }
    Ok(())
}

/// How much longer the sign-in takes.
fn delay(cx: &Cx, scenario: Option<&Scenario>) -> SignedDuration {
    let asked = scenario.and_then(|scenario| scenario.delay).unwrap_or(0);
    let slow = if has(cx, scenario, Fault::Slow) { logins::SLOW } else { SignedDuration::ZERO };
    SignedDuration::from_secs(asked.into()) + slow
}

fn ask(cx: &Cx, kind: MfaKind, label: Option<&str>, right: Right) -> Result<AuthNext, ConnectorError> {
    match kind {
        MfaKind::Code => ask_code(right, "email"),
        MfaKind::Question => {
            let label = label.unwrap_or(logins::QUESTION).to_owned();
            need(Step::Question { label }, &Notes::Question { right })
        }
        MfaKind::Choice => ask_choice(right),
        MfaKind::Push | MfaKind::PushDenied => {
            let (until, is_denied) = (after(cx.now, logins::PUSH), kind == MfaKind::PushDenied);
            need(push(), &Notes::Push { right, until, is_denied })
        }
    }
}

/// A phone on which nobody approves.
fn unanswered(cx: &Cx, right: Right) -> Result<AuthNext, ConnectorError> {
    let until = after(cx.now, logins::UNANSWERED);
    need(push(), &Notes::Push { right, until, is_denied: true })
}

fn take_answer(
    cx: &Cx,
    scenario: Option<&Scenario>,
    notes: Notes,
    answer: &str,
) -> Result<AuthNext, ConnectorError> {
    let own = scenario.and_then(|scenario| scenario.mfa.as_ref()).and_then(|mfa| mfa.answer.as_ref());
    let own = own.map(Secret::expose);
    match notes {
        Notes::Code { right } if answer == own.unwrap_or(logins::CODE) => ready(cx, scenario, right),
        Notes::Question { right } if answer.eq_ignore_ascii_case(own.unwrap_or(logins::ANSWER)) => {
            ready(cx, scenario, right)
        }
        Notes::Choice { right } => ask_code(right, answer),
        Notes::Push { right, .. } if answer == OTHER_METHOD => ask_choice(right),
        Notes::Code { .. } | Notes::Question { .. } | Notes::Push { .. } => Err(ConnectorError::MfaRejected),
        Notes::Wait { .. } | Notes::Renewal { .. } => Err(ConnectorError::Unexpected { step: "answer" }),
    }
}

fn resume(cx: &Cx, scenario: Option<&Scenario>, notes: Notes) -> Result<AuthNext, ConnectorError> {
    let now = cx.now;
    match notes {
        Notes::Wait { until, .. } | Notes::Renewal { until, .. } if now < until => wait(now, until, &notes),
        Notes::Renewal { right, .. } if right.has_lapsed => Err(ConnectorError::LoginRejected),
        Notes::Wait { right, .. } | Notes::Renewal { right, .. } => finish(scenario, &right),
        Notes::Push { until, .. } if now < until => need(push(), &notes),
        Notes::Push { is_denied: true, .. } => Err(ConnectorError::MfaRejected),
        Notes::Push { right, .. } => ready(cx, scenario, right),
        Notes::Code { .. } | Notes::Question { .. } | Notes::Choice { .. } => {
            Err(ConnectorError::Unexpected { step: "resume" })
        }
    }
}

/// A way that was never offered is no way to prove who one is.
fn ask_code(right: Right, destination: &str) -> Result<AuthNext, ConnectorError> {
    let known = DESTINATIONS.iter().find(|(id, _)| *id == destination);
    let (_, masked) = known.ok_or(ConnectorError::MfaRejected)?;
    let label = "Enter the 5-digit code that we sent you".to_owned();
    need(Step::Code { label, destination: Some((*masked).to_owned()) }, &Notes::Code { right })
}

fn ask_choice(right: Right) -> Result<AuthNext, ConnectorError> {
    let option = |(id, label): (&str, &str)| StepOption { id: id.to_owned(), label: label.to_owned() };
    let step = Step::Choice {
        label: "Where should we send your code?".to_owned(),
        options: DESTINATIONS.map(option).into(),
    };
    need(step, &Notes::Choice { right })
}

fn push() -> Step {
    Step::Push {
        label: "Approve the sign-in on your phone".to_owned(),
        destination: Some(DESTINATIONS[0].1.to_owned()),
        has_other: true,
    }
}

fn need(step: Step, notes: &Notes) -> Result<AuthNext, ConnectorError> {
    Ok(AuthNext::Need { step, session: seal(notes) })
}

fn wait(now: Timestamp, until: Timestamp, notes: &Notes) -> Result<AuthNext, ConnectorError> {
    Ok(AuthNext::Wait { delay: until.duration_since(now), session: seal(notes) })
}

/// In, for somebody who is no scenario's.
fn unhindered(cx: &Cx, right: Right) -> Result<AuthNext, ConnectorError> {
    ready(cx, None, right)
}

/// In, once the provider has taken its time.
fn ready(cx: &Cx, scenario: Option<&Scenario>, right: Right) -> Result<AuthNext, ConnectorError> {
    let delay = delay(cx, scenario);
    if delay.is_zero() {
        return finish(scenario, &right);
    }
    let until = after(cx.now, delay);
    wait(cx.now, until, &Notes::Wait { right, until })
}

/// In, or out where the scenario says so.
fn finish(scenario: Option<&Scenario>, right: &Right) -> Result<AuthNext, ConnectorError> {
    let wanted = scenario.and_then(|scenario| scenario.status.as_deref()).and_then(|word| word.parse().ok());
    match wanted {
        // Nothing is found when it is read.
        None | Some(TaskStatus::Done | TaskStatus::NoData) => Ok(AuthNext::Ready(seal(right))),
        Some(status) => {
            Err(logins::refusal(status, scenario.and_then(|scenario| scenario.error_message.as_deref())))
        }
    }
}

fn after(now: Timestamp, time: SignedDuration) -> Timestamp {
    now.saturating_add(time).unwrap_or(now)
}

fn seal(value: &impl Serialize) -> Secret {
    Secret::new(serde_json::to_string(value).expect("notes are plain texts and times"))
}

fn open(session: &Session) -> Result<Notes, ConnectorError> {
    serde_json::from_str(session.expose()).map_err(|_| ConnectorError::Unexpected { step: "session" })
}
