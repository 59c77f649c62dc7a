//! Deliveries: each endpoint has one job, its dispatcher, which takes what waits for the endpoint and sends it.
//!
//! One dispatcher per endpoint makes the rest simple: order within a task needs no other lock than the lease, and an
//! endpoint that does not answer holds up nothing but its own dispatcher (P31). The job's row is locked by everybody
//! who puts something into the outbox, and by the dispatcher when it decides to end: nothing is left behind.

use std::{collections::HashSet, pin::pin, sync::Arc};

use citadel_domain::{ClientId, DeliveryId, Environment, EventId, JobId, Random, Secret, WebhookId};
use citadel_store::{
    Tenant,
    access_keys::{self, AccessKey},
    deliveries::{self, NewDelivery},
    jobs::{self, Job, NewJob},
    outbox::{self, Waiting},
    sandboxes::{self, Pace},
    webhooks::{self, Webhook},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::{
    task::JoinSet,
    time::{Duration, Instant, sleep},
};

use super::{LEASE, Outcome, with_heartbeat};
use crate::{
    app::App,
    error::{self, ApiError, ApiResult},
    metrics::Delivered,
    moment::Moment,
    outbound::{Answer, Failure},
    webhooks::{retries, secrets, signing},
};

/// The kind of job that delivers to one endpoint.
pub(crate) const DELIVER_WEBHOOKS: &str = "deliver_webhooks";

/// Deliveries in flight to one endpoint.
const WINDOW: usize = 10;
/// The same for an endpoint that has done nothing but fail for [`PATIENCE`], so that a client's dead endpoints leave
/// its slots to the others.
const NARROW_WINDOW: usize = 2;
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);
/// How long a dispatcher begins deliveries before it gives others a turn. With the deadline of a delivery this stays well
/// under the time that a stopping server has.
const TURN: Duration = Duration::from_secs(5);
/// How long a dispatcher rests that failed five times in a row. It is never buried: events wait for it.
const REST: SignedDuration = SignedDuration::from_mins(1);
/// How long an attempt that was made waits for others before they are recorded: a quick receiver answers everything that is
/// under way within it, and one commit is enough for all.
const MOMENT: Duration = Duration::from_millis(5);
/// How much of an answer is kept.
const KEPT_ANSWER: usize = 4 << 10;

/// The payload of [`DELIVER_WEBHOOKS`]: whose endpoint.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct DeliverWebhooks {
    client_id: ClientId,
    environment: Environment,
    webhook_id: WebhookId,
}

impl DeliverWebhooks {
    fn tenant(self) -> Tenant {
        Tenant { client_id: self.client_id, environment: self.environment }
    }
}

/// The dispatcher of an endpoint, due now: its job has the endpoint's id.
pub(crate) fn job_of(tenant: Tenant, webhook_id: WebhookId, now: Timestamp) -> ApiResult<NewJob<'static>> {
    let order = DeliverWebhooks { client_id: tenant.client_id, environment: tenant.environment, webhook_id };
    let payload = serde_json::to_string(&order).map_err(error::internal)?;
    let id = JobId::from_bytes(*webhook_id.as_bytes());
    Ok(NewJob { id, kind: DELIVER_WEBHOOKS, payload, run_at: now, created_at: now })
}

/// An endpoint with everything that signs for it.
struct Target {
    webhook: Webhook,
    keys: Vec<AccessKey>,
    /// How the client's clock goes.
    pace: Pace,
}

/// One attempt, made.
struct Attempt {
    waiting: Waiting,
    url: String,
    /// When it began and when it ended, on the client's clock.
    at: Timestamp,
    ended_at: Timestamp,
    duration: Duration,
    result: Result<Answer, Problem>,
}

/// Why there was no answer.
enum Problem {
    NoKey,
    /// A secret is there and cannot be read, which the log tells.
    Unsigned,
    Failed(Failure),
}

/// What an attempt came to.
enum Verdict {
    Delivered,
    Again(Timestamp),
    GivenUp,
    /// 410: the receiver wants no more.
    Gone,
}

pub(super) async fn run(app: &App, job: &Job) -> ApiResult<Outcome> {
    let order: DeliverWebhooks = serde_json::from_str(&job.payload).map_err(error::internal)?;
    with_heartbeat(app, job, turn(app, job, order)).await.unwrap_or(Ok(Outcome::Lost))
}

/// Sends what is due, a few at a time, until nothing is or the turn is over.
async fn turn(app: &App, job: &Job, order: DeliverWebhooks) -> ApiResult<Outcome> {
    let began = Instant::now();
    let mut running = JoinSet::new();
    let mut in_flight = HashSet::new();
    loop {
        if began.elapsed() < TURN {
            begin(app, order, &mut running, &mut in_flight).await?;
        }
        let Some(first) = running.join_next().await else { return settle(app, job, order).await };
        let mut made: Vec<Attempt> = vec![first.map_err(error::internal)?];
        let mut moment = pin!(sleep(MOMENT));
        while !running.is_empty() {
            tokio::select! {
                biased;
                Some(next) = running.join_next() => made.push(next.map_err(error::internal)?),
                () = &mut moment => break,
            }
        }
        for attempt in &made {
            in_flight.remove(&attempt.waiting.event_id);
        }
        if !record(app, job, order, made).await? {
            return Ok(Outcome::Lost);
        }
    }
}

/// Begins deliveries of what is due and not in flight, as far as the window allows.
async fn begin(
    app: &App,
    order: DeliverWebhooks,
    running: &mut JoinSet<Attempt>,
    in_flight: &mut HashSet<EventId>,
) -> ApiResult<()> {
    let (target, due, now) = read(app, order).await?;
    let Some(target) = target.map(Arc::new) else { return Ok(()) };
    let is_failing = target.webhook.failing_since.is_some_and(|since| now.duration_since(since) > PATIENCE);
    let window = if is_failing { NARROW_WINDOW } else { WINDOW };
    for waiting in due {
        if in_flight.len() < window && in_flight.insert(waiting.event_id) {
            running.spawn(attempt(app.clone(), Arc::clone(&target), waiting));
        }
    }
    Ok(())
}

/// The endpoint, if it is there and enabled, what is due, and the client's time.
async fn read(app: &App, order: DeliverWebhooks) -> ApiResult<(Option<Target>, Vec<Waiting>, Timestamp)> {
    let (tenant, live) = (order.tenant(), app.clock.now());
    // Twice the window: as many may be in flight and still due.
    let limit = 2 * WINDOW as u32;
    let found = app
        .db
        .scoped(tenant.client_id)
        .read(async move |tx| {
            let pace = sandboxes::pace(tx, tenant).await?;
            let now = pace.shows(live);
            let webhook = webhooks::find(tx, tenant, order.webhook_id).await?;
            let Some(webhook) = webhook.filter(|webhook| webhook.is_enabled) else {
                return Ok((None, Vec::new(), now));
            };
            let keys = access_keys::list_active(tx, tenant.client_id).await?;
            let due = outbox::due(tx, tenant, webhook.id, now, limit).await?;
            Ok::<_, citadel_store::Error>((Some(Target { webhook, keys, pace }), due, now))
        })
        .await?;
    Ok(found)
}

async fn attempt(app: App, target: Arc<Target>, waiting: Waiting) -> Attempt {
    let webhook = &target.webhook;
    let _slot = app.deliveries.enter(webhook.tenant.client_id).await;
    let (at, began) = (app.clock.now(), Instant::now());
    let result = send(&app, &target, &waiting, at).await;
    // The log of attempts goes by the client's clock, as the events do that it is about.
    let (at, ended_at) = (target.pace.shows(at), target.pace.shows(app.clock.now()));
    Attempt { waiting, url: webhook.url.clone(), at, ended_at, duration: began.elapsed(), result }
}

async fn send(app: &App, target: &Target, waiting: &Waiting, now: Timestamp) -> Result<Answer, Problem> {
    let webhook = &target.webhook;
    let (access, endpoint) = signers(app, target, waiting, target.pace.shows(now))?;
    let headers = signing::headers(waiting.event_id, &waiting.body, now, &access, &endpoint);
    let sent = app.outbound.post(&webhook.url, webhook.tenant.environment, headers, waiting.body.clone());
    sent.await.map_err(Problem::Failed)
}

fn signers(
    app: &App,
    target: &Target,
    waiting: &Waiting,
    now: Timestamp,
) -> Result<(Secret, Vec<Secret>), Problem> {
    let webhook = &target.webhook;
    let access = secrets::of_access(app, webhook.tenant, &target.keys, waiting.access_key_id);
    let opened = access.and_then(|access| Ok((access, secrets::of_endpoint(app, webhook, now)?)));
    match opened {
        Ok((access, endpoint)) => Ok((access.ok_or(Problem::NoKey)?, endpoint)),
        Err(cause) => {
            tracing::error!(error.cause = cause.cause_text(), webhook.id = %webhook.id, "cannot sign a delivery");
            Err(Problem::Unsigned)
        }
    }
}

impl Attempt {
    /// What it came to. `Retry-After` is heard at any failure.
    fn verdict(&self, app: &App, order: DeliverWebhooks) -> Verdict {
        let now = self.ended_at;
        let retry_after = match &self.result {
            Ok(answer) if (200..300).contains(&answer.status) => {
                return if self.waiting.is_doubled { Verdict::Again(now) } else { Verdict::Delivered };
            }
            Ok(Answer { status: 410, .. }) => return Verdict::Gone,
            Ok(answer) => answer.retry_after.as_deref(),
            Err(_) => None,
        };
        // From its end: an attempt that took long is not followed by a shorter wait.
        let chance = chance(app, order, "retry", self.waiting.event_id, self.waiting.attempts);
        match retries::next_attempt(self.waiting.attempts + 1, retry_after, now, &*chance) {
            Some(at) => Verdict::Again(at),
            None => Verdict::GivenUp,
        }
    }

    fn row(&self, order: DeliverWebhooks) -> NewDelivery {
        let (status_code, error_message, answer) = match &self.result {
            Ok(Answer { status, body, .. }) => {
                let message =
                    (!(200..300).contains(status)).then(|| format!("the endpoint answered {status}"));
                (Some(i64::from(*status)), message, escaped(body))
            }
            Err(Problem::Failed(failure)) => (None, Some(failure.as_str().to_owned()), String::new()),
            Err(Problem::NoKey) => {
                let message = "not sent: this environment has no active access key to sign with";
                (None, Some(message.to_owned()), String::new())
            }
            Err(Problem::Unsigned) => {
                let message = "not sent: a signing secret cannot be read; ask the operator of this server";
                (None, Some(message.to_owned()), String::new())
            }
        };
        NewDelivery {
            // Given when it is known how many were before.
            id: DeliveryId::from_bytes([0; 16]),
            tenant: order.tenant(),
            webhook_id: order.webhook_id,
            event_id: self.waiting.event_id,
            event_type: self.waiting.event_type.clone(),
            url: self.url.clone(),
            attempt: self.waiting.attempts + 1,
            status_code,
            error_message,
            answer,
            duration_ms: i64::try_from(self.duration.as_millis()).unwrap_or(i64::MAX),
            attempted_at: self.at,
        }
    }
}

/// Chance about an event at an endpoint: in the sandbox the same for the same number.
fn chance<'a>(
    app: &'a App,
    order: DeliverWebhooks,
    what: &str,
    event_id: EventId,
    number: i64,
) -> Box<dyn Random + 'a> {
    let word = format!("{what} {}", order.webhook_id);
    app.id_source(order.tenant(), event_id.as_bytes(), &word, number)
}

/// The beginning of an answer as harmless text: it is shown to people.
fn escaped(body: &[u8]) -> String {
    let mut text = String::new();
    for character in String::from_utf8_lossy(body).chars() {
        let spelled = character.escape_debug();
        if text.len() + spelled.len() * 4 > KEPT_ANSWER {
            break;
        }
        text.extend(spelled);
    }
    text
}

/// Why an endpoint is switched off.
const GONE: &str = "The endpoint answered 410 Gone.";
const FAILING: &str = "Every delivery failed for five days.";

/// Records attempts and what follows from them. `false` when another worker has the job.
async fn record(app: &App, job: &Job, order: DeliverWebhooks, made: Vec<Attempt>) -> ApiResult<bool> {
    let (tenant, live) = (order.tenant(), app.clock.now());
    // On the client's clock, when the last attempt ended.
    let now = made.iter().map(|attempt| attempt.ended_at).max().unwrap_or(live);
    let made: Vec<_> = made
        .into_iter()
        .map(|attempt| (attempt.verdict(app, order), attempt.row(order), attempt.waiting))
        .collect();
    for (verdict, row, _) in &made {
        app.metrics.record_attempt(match verdict {
            _ if row.was_taken() => Delivered::Taken,
            Verdict::Delivered => Delivered::Taken,
            Verdict::Again(_) => Delivered::Failed,
            Verdict::GivenUp => Delivered::GivenUp,
            Verdict::Gone => Delivered::Gone,
        });
        if matches!(verdict, Verdict::GivenUp) {
            tracing::warn!(webhook.id = %row.webhook_id, event.id = %row.event_id, "gave up delivering an event");
        }
    }
    let (job, writer) = (job.clone(), app.clone());
    let recorded = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            if !jobs::progress(tx, &job, live, LEASE).await? {
                return Ok::<_, ApiError>(None);
            }
            let webhook = webhooks::find(tx, tenant, order.webhook_id).await?;
            let before = webhook.as_ref().and_then(|webhook| webhook.failing_since);
            let (mut failing_since, mut is_gone) = (before, false);
            for (verdict, row, waiting) in &made {
                let before = match tenant.environment {
                    Environment::Sandbox => {
                        deliveries::count(tx, tenant, order.webhook_id, row.event_id).await?
                    }
                    _ => 0,
                };
                let source = chance(&writer, order, "delivery", row.event_id, before);
                let id = DeliveryId::generate(row.attempted_at, &*source);
                deliveries::append(tx, &NewDelivery { id, ..row.clone() }).await?;
                match verdict {
                    Verdict::Again(at) => {
                        // One that failed is still to be told twice.
                        let is_doubled = waiting.is_doubled && !row.was_taken();
                        outbox::retry(tx, tenant, order.webhook_id, waiting, is_doubled, *at).await?;
                    }
                    Verdict::Delivered | Verdict::GivenUp | Verdict::Gone => {
                        outbox::remove(tx, tenant, order.webhook_id, waiting).await?;
                    }
                }
                is_gone |= matches!(verdict, Verdict::Gone);
                failing_since = match verdict {
                    _ if row.was_taken() => None,
                    _ => failing_since.or(Some(row.attempted_at)),
                };
            }
            if failing_since != before {
                webhooks::set_failing_since(tx, tenant, order.webhook_id, failing_since).await?;
            }
            let is_failing =
                failing_since.is_some_and(|since| now.duration_since(since) >= retries::DISABLED_AFTER);
            let because = if is_gone { Some(GONE) } else { is_failing.then_some(FAILING) };
            if let Some(because) = because {
                webhooks::disable(tx, tenant, order.webhook_id, because, now).await?;
            }
            Ok(Some(because))
        })
        .await?;
    if let Some(Some(because)) = recorded {
        tracing::warn!(webhook.id = %order.webhook_id, because, "switched an endpoint off");
    }
    Ok(recorded.is_some())
}

/// Ends the job, or lets it sleep until the next attempt is due. What waits for an endpoint that is switched off or
/// deleted is dropped; it can be asked for again.
async fn settle(app: &App, job: &Job, order: DeliverWebhooks) -> ApiResult<Outcome> {
    let (tenant, live) = (order.tenant(), app.clock.now());
    let job = job.clone();
    let settled = app
        .db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            // First, because this waits for whoever is just adding to the outbox.
            if !jobs::progress(tx, &job, live, LEASE).await? {
                return Ok::<_, ApiError>(None);
            }
            let webhook = webhooks::find(tx, tenant, order.webhook_id).await?;
            if !webhook.is_some_and(|webhook| webhook.is_enabled) {
                let dropped = outbox::clear(tx, tenant, order.webhook_id).await?;
                jobs::finish(tx, &job).await?;
                return Ok(Some(dropped));
            }
            match outbox::next_at(tx, tenant, order.webhook_id).await? {
                // Read behind the lock: whoever turns the clock after this wakes the job.
                Some(at) => {
                    let moment = Moment::of(sandboxes::pace(tx, tenant).await?, live);
                    jobs::park(tx, &job, moment.live_at(at)).await?
                }
                None => jobs::finish(tx, &job).await?,
            };
            Ok(Some(0))
        })
        .await?;
    match settled {
        None => return Ok(Outcome::Lost),
        Some(0) => {}
        Some(count) => {
            tracing::warn!(webhook.id = %order.webhook_id, count, "dropped events that waited for an endpoint that is off");
        }
    }
    Ok(Outcome::Parked)
}

/// Lets a dispatcher rest that failed too often in a row.
pub(super) async fn rest(app: &App, job: &Job) -> ApiResult<()> {
    let (job, at) = (job.clone(), app.clock.now() + REST);
    Ok(app.db.write(async move |tx| jobs::park(tx, &job, at).await).await.map(drop)?)
}
