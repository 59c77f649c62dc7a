//! The clock of a client's sandbox.

use axum::{Json, extract::State, http::StatusCode};
use citadel_api_types::{
    error::ErrorBody,
    sandbox::{SandboxClock, TurnSandboxClock},
};
use citadel_domain::JobId;
use citadel_store::{Tenant, Tx, jobs, sandboxes, sandboxes::Pace, webhooks};
use jiff::{SignedDuration, Span, Timestamp, tz::Offset};

use super::{SANDBOX, SandboxCaller};
use crate::{
    api::optional_time,
    app::App,
    body::Body,
    error::{self, ApiError, ApiResult},
    idempotency::{Holds, Once},
    moment::Moment,
    reports,
};
use citadel_store::audit::{self, Act, Entry};

/// Read your sandbox's clock.
#[utoipa::path(get, path = "/v1/sandbox/clock/", tag = "sandbox", responses(
    (status = 200, body = SandboxClock),
    (status = 401, body = ErrorBody),
    (status = 403, description = "not a sandbox key", body = ErrorBody),
))]
pub(crate) async fn get_sandbox_clock(
    State(app): State<App>,
    SandboxCaller(caller): SandboxCaller,
) -> ApiResult<Json<SandboxClock>> {
    Ok(Json(view(app.moment(caller.tenant).await?)))
}

/// Turn your sandbox's clock, never back. Pay days come, jobs begin and end, tokens age, and webhooks that wait for another
/// attempt are sent when it is due. Nobody else's clock moves.
#[utoipa::path(post, path = "/v1/sandbox/clock/", tag = "sandbox", request_body = TurnSandboxClock, responses(
    (status = 200, body = SandboxClock),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "not a sandbox key", body = ErrorBody),
))]
pub(crate) async fn turn_sandbox_clock(
    State(app): State<App>,
    SandboxCaller(caller): SandboxCaller,
    once: Once,
    Body(body): Body<TurnSandboxClock>,
) -> ApiResult<Json<SandboxClock>> {
    let entry = caller.did(&app, Act::SandboxClockTurned, SANDBOX);
    turn(&app, caller.tenant, &body, entry, once).await.map(Json)
}

/// Turns it for whoever may.
pub(crate) async fn turn(
    app: &App,
    tenant: Tenant,
    body: &TurnSandboxClock,
    entry: Entry,
    once: Once,
) -> ApiResult<SandboxClock> {
    let live = app.clock.now();
    let turn = Turn::check(body)?;
    let (is_running, writer) = (body.is_running, app.clone());
    let answer = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            let before = Moment::of(sandboxes::lock(tx, tenant).await?, live);
            let now = turn.from(before.now)?;
            let is_running = is_running.unwrap_or(before.is_running());
            let pace = if is_running {
                Pace::Running { ahead: now.duration_since(live) }
            } else {
                Pace::Standing { at: now }
            };
            sandboxes::set_pace(tx, tenant, pace).await?;
            wake_dispatchers(tx, tenant, live).await?;
            let answer = view(Moment::of(pace, live));
            audit::append(tx, &writer.keyring, &entry).await?;
            once.keep(tx, StatusCode::OK, &answer, Holds::NOTHING).await?;
            Ok::<_, ApiError>(answer)
        })
        .await?;
    app.ring_events();
    Ok(answer)
}

/// What waits for another attempt may be due now. Dispatchers look, and sleep on if nothing is.
async fn wake_dispatchers(tx: &mut Tx<'_>, tenant: Tenant, live: Timestamp) -> ApiResult<()> {
    for webhook in webhooks::list(tx, tenant).await? {
        jobs::wake(tx, JobId::from_bytes(*webhook.id.as_bytes()), live).await?;
    }
    Ok(())
}

/// Where a clock is turned to.
#[derive(Clone, Copy)]
enum Turn {
    To(Timestamp),
    By(Span),
    Stay,
}

impl Turn {
    fn check(body: &TurnSandboxClock) -> ApiResult<Self> {
        let by = match &body.advance {
            None => None,
            Some(text) => {
                Some(text.parse::<Span>().ok().filter(|span| !span.is_negative()).ok_or_else(|| {
                    error::invalid("advance", "Send a duration as in P14D or PT6H, not below zero.")
                })?)
            }
        };
        match (optional_time("now", body.now.as_deref())?, by) {
            (Some(_), Some(_)) => Err(error::invalid("advance", "Send now or advance, and not both.")),
            (Some(at), None) => Ok(Self::To(at)),
            (None, Some(span)) => Ok(Self::By(span)),
            (None, None) if body.is_running.is_some() => Ok(Self::Stay),
            (None, None) => Err(error::invalid("now", "Send now, advance or is_running.")),
        }
    }

    fn from(self, before: Timestamp) -> ApiResult<Timestamp> {
        let (field, now) = match self {
            Self::Stay => return Ok(before),
            Self::To(at) if at < before => {
                let message = format!("The clock shows {} and is never turned back.", reports::time(before));
                return Err(error::invalid("now", message));
            }
            Self::To(at) => ("now", Some(at)),
            Self::By(span) => {
                let then = Offset::UTC.to_datetime(before).checked_add(span).ok();
                ("advance", then.and_then(|then| Offset::UTC.to_timestamp(then).ok()))
            }
        };
        now.filter(|now| *now <= sandboxes::LAST)
            .ok_or_else(|| error::invalid(field, "A sandbox ends with the year 2099."))
    }
}

pub(super) fn view(moment: Moment) -> SandboxClock {
    SandboxClock { now: reports::time(moment.now), is_running: moment.is_running() }
}

/// Where the clock of a new sandbox goes.
pub(super) fn first_pace(app: &App) -> Pace {
    match app.sandbox.now {
        Some(at) => Pace::Standing { at },
        None => Pace::Running { ahead: SignedDuration::ZERO },
    }
}
