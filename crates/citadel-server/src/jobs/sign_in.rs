//! One step of a sign-in at a provider: a login, an answer, another look, or the grant of an earlier sign-in.

use citadel_connectors::{AuthInput, AuthNext, Connector, Cx, Session, Step};
use citadel_domain::TaskStatus;
use citadel_store::tasks::Kind;
use jiff::{SignedDuration, Timestamp};

use super::{
    run_task::{Attempt, Effects, MAX_PROVIDER_WAIT, Next, Turn, seal_grant},
    safe::Safe,
};
use crate::{
    app::App,
    error::{self, ApiResult},
    owner_key::OwnerKey,
};

/// How long a consumer may take to answer a question.
const STEP_LIFE: SignedDuration = SignedDuration::from_mins(5);
/// How often a provider is asked whether the consumer has approved on their phone.
const PUSH_POLL: SignedDuration = SignedDuration::from_secs(1);
/// What is told of a refresh after that.
const CONSENT_ENDED: &str = "The person's consent ended after 12 months: ask them to sign in again.";
/// The column of a link that holds what refreshes sign in with.
pub(super) const LINK_GRANT: &str = "grant_sealed";

pub(super) async fn step(
    app: &App,
    turn: &Turn,
    safe: &Safe<'_>,
    connector: &dyn Connector,
    cx: &Cx,
) -> Attempt {
    let input = match input(app, turn, safe, cx.now)? {
        Ok(input) => input,
        Err(wait) => return Ok(Ok(Next::commit(wait))),
    };
    let is_refresh = turn.task.kind == Kind::Refresh;
    Ok(Ok(Next::commit(match connector.auth(cx, input).await {
        Err(refusal) => return Ok(Err(refusal)),
        Ok(AuthNext::Ready(grant)) => Effects {
            grant_sealed: Some(safe.seal("grant_sealed", &grant)?),
            link_grant_sealed: if is_refresh { Some(seal_grant(app, &turn.link, &grant)?) } else { None },
            ..Effects::to(TaskStatus::Parse)
        },
        // Nobody sits there to answer.
        Ok(AuthNext::Need { .. }) if is_refresh => Effects::to(TaskStatus::MfaError),
        Ok(AuthNext::Need { step, session }) => ask(turn, safe, &step, &session, cx.now)?,
        Ok(AuthNext::Wait { delay, session }) => Effects {
            session_sealed: Some(safe.seal("session_sealed", &session)?),
            resume_at: Some(cx.now + delay.clamp(SignedDuration::ZERO, MAX_PROVIDER_WAIT)),
            ..Effects::default()
        },
    })))
}

/// What to tell the connector; or what to wait for.
fn input(app: &App, turn: &Turn, safe: &Safe<'_>, now: Timestamp) -> ApiResult<Result<AuthInput, Effects>> {
    let task = &turn.task;
    Ok(match (task.status, safe.answer()?, safe.session()?) {
        (TaskStatus::Mfa, Some(answer), Some(session)) => Ok(AuthInput::Answer { session, answer }),
        (TaskStatus::Mfa, None, Some(session)) => match task.step_expires_at {
            None => Ok(AuthInput::Resume { session }),
            Some(at) if at <= now => Err(Effects::to(TaskStatus::MfaError)),
            Some(_) if is_push(turn) => Ok(AuthInput::Resume { session }),
            // The question stands; it lapses by itself.
            Some(at) => Err(Effects { resume_at: Some(at), ..Effects::default() }),
        },
        (TaskStatus::Mfa, _, None) => Err(Effects::to(TaskStatus::MfaError)),
        (_, _, Some(session)) => Ok(AuthInput::Resume { session }),
        (_, _, None)
            if task.kind == Kind::Refresh && turn.link.consent_expires_at <= turn.moment(app).now =>
        {
            Err(Effects::failed(TaskStatus::LoginError, CONSENT_ENDED))
        }
        (_, _, None) if task.kind == Kind::Refresh => match &turn.link.grant_sealed {
            Some(sealed) => {
                let grant = OwnerKey::of_link(app, &turn.link)?.unseal_text(LINK_GRANT, sealed)?;
                Ok(AuthInput::Renew { grant })
            }
            // The provider took its permission back: the person has to sign in again.
            None => Err(Effects::to(TaskStatus::LoginError)),
        },
        (_, _, None) => Ok(AuthInput::Login(safe.login()?)),
    })
}

/// The question that stands, if one does.
fn standing(turn: &Turn) -> Option<Step> {
    turn.task.step.as_deref().and_then(|json| serde_json::from_str(json).ok())
}

fn is_push(turn: &Turn) -> bool {
    matches!(standing(turn), Some(Step::Push { .. }))
}

/// Asks the consumer. An approval that has not come yet stands as it was asked, with its end and its session: to write it again
/// could undo an answer that comes at the same time.
fn ask(turn: &Turn, safe: &Safe<'_>, step: &Step, session: &Session, now: Timestamp) -> ApiResult<Effects> {
    let next_look = |lapses: Timestamp| match step {
        Step::Push { .. } => lapses.min(now + PUSH_POLL),
        _ => lapses,
    };
    if let Some(lapses) = turn.task.step_expires_at
        && standing(turn).as_ref() == Some(step)
    {
        return Ok(Effects { resume_at: Some(next_look(lapses)), ..Effects::default() });
    }
    let lapses = now + STEP_LIFE;
    Ok(Effects {
        // A second question in a row is asked without a change of status.
        status: (turn.task.status != TaskStatus::Mfa).then_some(TaskStatus::Mfa),
        session_sealed: Some(safe.seal("session_sealed", session)?),
        question: Some((serde_json::to_string(step).map_err(error::internal)?, lapses)),
        resume_at: Some(next_look(lapses)),
        ..Effects::default()
    })
}
