//! A sign-in, step by step. [`logins`] says what each login leads to; this walks there.

use citadel_domain::{Product, Secret};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    forms,
    logins::{self, Outcome},
};
use crate::{AuthInput, AuthNext, ConnectorError, Cx, Grant, Login, OTHER_METHOD, Session, Step, StepOption};

/// Where codes go, masked: the ids and labels of the choice.
const DESTINATIONS: [(&str, &str); 2] = [("sms", "•••-•••-1111"), ("email", "g•••••••n@domain.com")];

/// What a grant is for. The password is never kept.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Right {
    pub(super) user: String,
    /// Whether the person has changed the password since, so that the grant cannot be renewed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    has_lapsed: bool,
}

impl Right {
    fn of(user: &str) -> Self {
        Self { user: user.to_owned(), has_lapsed: false }
    }

    pub(super) fn open(grant: &Grant) -> Result<Self, ConnectorError> {
        serde_json::from_str(grant.expose()).map_err(|_| ConnectorError::Unexpected { step: "grant" })
    }
}

/// Between two steps of a sign-in. The password is never kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
enum Notes {
    Code { user: String },
    Question { user: String },
    Choice { user: String },
    Push { user: String, until: Timestamp, is_denied: bool },
    Wait { user: String, until: Timestamp },
    Renewal { right: Right, until: Timestamp },
}

pub(super) fn step(cx: &Cx, input: AuthInput) -> Result<AuthNext, ConnectorError> {
    match input {
        AuthInput::Login(login) => begin(cx, &login),
        AuthInput::Renew { grant } => {
            let until = after(cx.now, logins::RENEWAL);
            wait(cx.now, until, &Notes::Renewal { right: Right::open(&grant)?, until })
        }
        AuthInput::Answer { session, answer } => take_answer(open(&session)?, answer.expose().trim()),
        AuthInput::Resume { session } => resume(cx.now, open(&session)?),
    }
}

fn begin(cx: &Cx, login: &Login) -> Result<AuthNext, ConnectorError> {
    if forms::asks_for_company_code(&cx.provider_id) {
        logins::check_company_code(login.get(forms::ORGANIZATION_ID))?;
    }
    let is_administrator = matches!(cx.product, Product::Admin | Product::Fas);
    if is_administrator && login.0.contains_key(forms::API_KEY) {
        return match login.get(forms::API_KEY) {
            logins::API_KEY => ready(&Right::of(logins::KEY_HOLDER)),
            _ => Err(ConnectorError::LoginRejected),
        };
    }
    let user = login.get(forms::USERNAME);
    let owner = user.to_owned();
    match logins::outcome(user, login.get(forms::PASSWORD)) {
        Outcome::Ready => ready(&Right::of(user)),
        Outcome::ReadyOnce => ready(&Right { has_lapsed: true, ..Right::of(user) }),
        Outcome::Code => ask_code(owner, "email"),
        Outcome::Question => {
            need(Step::Question { label: logins::QUESTION.to_owned() }, &Notes::Question { user: owner })
        }
        Outcome::Choice => ask_choice(owner),
        Outcome::Push { is_denied } => {
            need(push(), &Notes::Push { user: owner, until: after(cx.now, logins::PUSH), is_denied })
        }
        Outcome::Wait => {
            let until = after(cx.now, logins::LONG_CHECK);
            wait(cx.now, until, &Notes::Wait { user: owner, until })
        }
        Outcome::Refused(error) => Err(error),
    }
}

fn take_answer(notes: Notes, answer: &str) -> Result<AuthNext, ConnectorError> {
    match notes {
        Notes::Code { user } if answer == logins::CODE => ready(&Right::of(&user)),
        Notes::Question { user } if answer.eq_ignore_ascii_case(logins::ANSWER) => ready(&Right::of(&user)),
        Notes::Choice { user } => ask_code(user, answer),
        Notes::Push { user, .. } if answer == OTHER_METHOD => ask_choice(user),
        Notes::Code { .. } | Notes::Question { .. } | Notes::Push { .. } => Err(ConnectorError::MfaRejected),
        Notes::Wait { .. } | Notes::Renewal { .. } => Err(ConnectorError::Unexpected { step: "answer" }),
    }
}

fn resume(now: Timestamp, notes: Notes) -> Result<AuthNext, ConnectorError> {
    match notes {
        Notes::Wait { until, .. } | Notes::Renewal { until, .. } if now < until => wait(now, until, &notes),
        Notes::Wait { user, .. } => ready(&Right::of(&user)),
        Notes::Renewal { right, .. } if right.has_lapsed => Err(ConnectorError::LoginRejected),
        Notes::Renewal { right, .. } => ready(&right),
        Notes::Push { until, .. } if now < until => need(push(), &notes),
        Notes::Push { is_denied: true, .. } => Err(ConnectorError::MfaRejected),
        Notes::Push { user, .. } => ready(&Right::of(&user)),
        Notes::Code { .. } | Notes::Question { .. } | Notes::Choice { .. } => {
            Err(ConnectorError::Unexpected { step: "resume" })
        }
    }
}

/// A way that was never offered is no way to prove who one is.
fn ask_code(user: String, destination: &str) -> Result<AuthNext, ConnectorError> {
    let known = DESTINATIONS.iter().find(|(id, _)| *id == destination);
    let (_, masked) = known.ok_or(ConnectorError::MfaRejected)?;
    let label = "Enter the 5-digit code that we sent you".to_owned();
    need(Step::Code { label, destination: Some((*masked).to_owned()) }, &Notes::Code { user })
}

fn ask_choice(user: String) -> Result<AuthNext, ConnectorError> {
    let option = |(id, label): (&str, &str)| StepOption { id: id.to_owned(), label: label.to_owned() };
    let step = Step::Choice {
        label: "Where should we send your code?".to_owned(),
        options: DESTINATIONS.map(option).into(),
    };
    need(step, &Notes::Choice { user })
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

fn ready(right: &Right) -> Result<AuthNext, ConnectorError> {
    Ok(AuthNext::Ready(seal(right)))
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
