//! Background work. A job is a row that was committed together with its cause; a worker claims it under a lease, works
//! outside any transaction, and records the result under the lease's fencing number, so that a worker that was thought
//! dead can write nothing (P36).

mod books;
pub(crate) mod change;
mod data_events;
pub(crate) mod deliver_webhooks;
pub(crate) mod events;
mod fetch;
pub(crate) mod payroll;
mod run_task;
pub(crate) mod safe;
mod sign_in;
mod sweep;

use std::time::Duration;

use citadel_domain::{ClientId, Environment, JobId, TaskId};
use citadel_store::{
    Tenant, Tx,
    jobs::{self, Job, NewJob},
    tasks::Task,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::{sync::watch, task::JoinSet};
use tracing::Instrument;

use self::deliver_webhooks::DELIVER_WEBHOOKS;
use crate::{app::App, error::ApiError};

/// The kind of job that runs a task.
const RUN_TASK: &str = "run_task";

/// How long a worker may be silent before its jobs go to another.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How often a worker says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often a worker looks for due jobs that nobody rang for.
const IDLE: Duration = Duration::from_secs(1);
/// Tasks in the hands of one worker.
const TASKS: u32 = 20;
/// Endpoints that one worker delivers to at a time. They have workers of their own: receivers are slow, and must not
/// take the place of tasks.
const DISPATCHERS: u32 = 64;
/// Tries of a job before it is buried.
const MAX_ATTEMPTS: i64 = 5;

/// The payload of [`RUN_TASK`]: whose task.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct RunTask {
    client_id: ClientId,
    environment: Environment,
    task_id: TaskId,
}

impl RunTask {
    fn of(task: &Task) -> Self {
        Self { client_id: task.tenant.client_id, environment: task.tenant.environment, task_id: task.id }
    }

    fn tenant(self) -> Tenant {
        Tenant { client_id: self.client_id, environment: self.environment }
    }
}

/// A task has one job, of the same id, so that an answer wakes it up instead of starting a second one beside it.
pub(crate) fn job_of(task: TaskId) -> JobId {
    JobId::from_bytes(*task.as_bytes())
}

/// Queues the work of a new task, in the transaction that makes it.
pub(crate) async fn enqueue_task(tx: &mut Tx<'_>, task: &Task, now: Timestamp) -> Result<(), ApiError> {
    let payload = serde_json::to_string(&RunTask::of(task)).map_err(crate::error::internal)?;
    let job = NewJob { id: job_of(task.id), kind: RUN_TASK, payload, run_at: now, created_at: now };
    Ok(jobs::enqueue(tx, &job).await?)
}

/// What to do with a job after it ran.
pub(crate) enum Outcome {
    /// It is done.
    Finished,
    /// It sleeps or has ended; that was recorded with what it waits for.
    Parked,
    /// It is tried again then.
    Again(Timestamp),
    /// Another worker has it now; nothing may be written.
    Lost,
}

/// Works until told to stop, then lets the jobs in hand finish.
pub async fn work(app: App, stop: watch::Receiver<bool>) {
    let events = Bell::Events(app.event_bell.subscribe());
    tokio::join!(
        sweep::until(app.clone(), stop.clone()),
        pool(app.clone(), RUN_TASK, TASKS, Bell::Jobs, stop.clone()),
        pool(app, DELIVER_WEBHOOKS, DISPATCHERS, events, stop),
    );
}

/// What tells a pool that it is worth looking for more.
enum Bell {
    Jobs,
    Events(watch::Receiver<()>),
}

impl Bell {
    async fn rung(&mut self, app: &App) {
        match self {
            Self::Jobs => app.job_bell.notified().await,
            Self::Events(bell) => drop(bell.changed().await),
        }
    }
}

/// Works on jobs of one kind.
async fn pool(app: App, kind: &'static str, size: u32, mut bell: Bell, mut stop: watch::Receiver<bool>) {
    let mut running = JoinSet::new();
    while !*stop.borrow() {
        while running.try_join_next().is_some() {}
        let free = size - u32::try_from(running.len()).unwrap_or(size).min(size);
        let claimed = if free == 0 { Ok(Vec::new()) } else { claim(&app, kind, free).await };
        match claimed {
            Ok(jobs) if !jobs.is_empty() => {
                for job in jobs {
                    running.spawn(run(app.clone(), job));
                }
                continue;
            }
            Ok(_) => {}
            Err(cause) => tracing::warn!(error.cause = %cause, "cannot look for jobs"),
        }
        tokio::select! {
            () = bell.rung(&app) => {}
            () = tokio::time::sleep(IDLE) => {}
            Some(_) = running.join_next(), if !running.is_empty() => {}
            _ = stop.changed() => {}
        }
    }
    while running.join_next().await.is_some() {}
}

/// Runs every job that is due, and those that they queue, until none is left. For tests.
pub async fn run_due(app: &App) -> Result<usize, citadel_store::Error> {
    let mut ran = 0;
    loop {
        let mut jobs = claim(app, RUN_TASK, TASKS).await?;
        if jobs.is_empty() {
            jobs = claim(app, DELIVER_WEBHOOKS, DISPATCHERS).await?;
        }
        if jobs.is_empty() {
            return Ok(ran);
        }
        for job in jobs {
            // On a task of its own, as a worker does it: a job that panics takes nothing down with it.
            let _ = tokio::spawn(run(app.clone(), job)).await;
            ran += 1;
        }
    }
}

async fn claim(app: &App, kind: &str, limit: u32) -> Result<Vec<Job>, citadel_store::Error> {
    let (now, kind) = (app.clock.now(), kind.to_owned());
    app.db.write(async move |tx| jobs::claim(tx, &kind, now, LEASE, limit).await).await
}

async fn run(app: App, job: Job) {
    let span = tracing::info_span!("job", job.id = %job.id, job.kind = job.kind, job.attempts = job.attempts);
    run_one(&app, &job).instrument(span).await;
}

async fn run_one(app: &App, job: &Job) {
    // A job that takes its worker down with it never comes to `give_back`.
    if job.attempts > MAX_ATTEMPTS {
        give_up(app, job).await;
        return;
    }
    let result = match job.kind.as_str() {
        RUN_TASK => run_task::run(app, job).await,
        DELIVER_WEBHOOKS => deliver_webhooks::run(app, job).await,
        other => Err(crate::error::internal(format!("unknown kind of job: {other}"))),
    };
    let recorded = match result {
        Ok(Outcome::Lost) => {
            tracing::warn!("another worker has this job now");
            return;
        }
        Ok(Outcome::Finished) => finish(app, job).await,
        Ok(Outcome::Parked) => return,
        Ok(Outcome::Again(at)) => again(app, job, at).await,
        Err(cause) => give_back(app, job, &cause).await,
    };
    if let Err(cause) = recorded {
        // The lease runs out and the job is claimed again; every step of it can be repeated.
        tracing::warn!(error.cause = %cause, "cannot record the end of a job");
    }
}

async fn finish(app: &App, job: &Job) -> Result<(), citadel_store::Error> {
    let job = job.clone();
    app.db.write(async move |tx| jobs::finish(tx, &job).await).await.map(|_| ())
}

async fn again(app: &App, job: &Job, at: Timestamp) -> Result<(), citadel_store::Error> {
    let job = job.clone();
    app.db.write(async move |tx| jobs::reschedule(tx, &job, at, &job.payload).await).await.map(|_| ())
}

/// After a fault of ours: try again with growing waits, then bury the job and end its task.
async fn give_back(app: &App, job: &Job, cause: &ApiError) -> Result<(), citadel_store::Error> {
    tracing::error!(error.cause = cause.cause_text(), "a job failed");
    let now = app.clock.now();
    if job.attempts < MAX_ATTEMPTS {
        let wait = SignedDuration::from_secs(1 << job.attempts.clamp(0, 6));
        return again(app, job, now + wait).await;
    }
    give_up(app, job).await;
    Ok(())
}

/// Buries a job that is out of tries, and ends its task, in one transaction. A dispatcher only rests.
async fn give_up(app: &App, job: &Job) {
    let given_up = match job.kind.as_str() {
        DELIVER_WEBHOOKS => deliver_webhooks::rest(app, job).await,
        _ => run_task::bury(app, job).await,
    };
    if let Err(cause) = given_up {
        // The lease runs out and the next worker comes to the same end.
        tracing::error!(error.cause = cause.cause_text(), "cannot bury a job that is out of tries");
    }
}

/// Awaits `work` while the lease is kept alive. `None` when the lease was lost: the work's result must be dropped.
pub(crate) async fn with_heartbeat<T>(app: &App, job: &Job, work: impl Future<Output = T>) -> Option<T> {
    tokio::pin!(work);
    let mut beat = tokio::time::interval(HEARTBEAT);
    beat.tick().await;
    let mut last_kept = tokio::time::Instant::now();
    loop {
        tokio::select! {
            result = &mut work => return Some(result),
            _ = beat.tick() => {
                let (job, now) = (job.clone(), app.clock.now());
                let kept = app.db.write(async move |tx| jobs::heartbeat(tx, &job, now, LEASE).await).await;
                match kept {
                    Ok(true) => last_kept = tokio::time::Instant::now(),
                    Ok(false) => return None,
                    // Cut off from the database: after a lease's time another worker may be at it.
                    Err(_) if last_kept.elapsed() >= LEASE.unsigned_abs() => return None,
                    Err(_) => {}
                }
            }
        }
    }
}
