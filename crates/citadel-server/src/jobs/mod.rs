//! Background work. A job is a row that was committed together with its cause; a worker claims it under a lease, works
//! outside any transaction, and records the result under the lease's fencing number, so that a worker that was thought
//! dead can write nothing (P36).

pub(crate) mod books;
pub(crate) mod change;
mod data_events;
pub(crate) mod deliver_webhooks;
pub(crate) mod ending;
pub(crate) mod events;
mod fetch;
pub(crate) mod orders;
pub(crate) mod payroll;
mod retention;
pub mod rewrap;
mod run_task;
pub(crate) mod safe;
mod sign_in;
mod sweep;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use citadel_domain::{ClientId, Environment, JobId, TaskId};
use citadel_store::{
    Tenant, Tx,
    jobs::{self, Job, NewJob},
    tasks::Task,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    task::{Id, JoinError, JoinSet},
    time::timeout,
};
use tracing::Instrument;

use self::deliver_webhooks::DELIVER_WEBHOOKS;
use crate::{app::App, error::ApiError};

pub use self::{retention::retain, sweep::sweep};

/// The kind of job that runs a task.
const RUN_TASK: &str = "run_task";

/// How long a worker may be silent before its jobs go to another.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How often a worker says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often a worker looks for due jobs that nobody rang for.
const IDLE: Duration = Duration::from_secs(1);
/// Tasks in the hands of one worker.
const TASKS: usize = 20;
/// Endpoints that one worker delivers to at a time. They have workers of their own: receivers are slow, and must not
/// take the place of tasks.
const DISPATCHERS: usize = 64;
/// How long the jobs in hand may go on after the signal to stop. What is left is given back by 25 seconds (P42).
const FINISH: Duration = Duration::from_secs(18);
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

/// Queues the work of a new task, in the transaction that makes it; claims it at once where a worker of this process has its
/// hands free. Call [`start`] after the commit.
pub(crate) async fn enqueue_task(
    tx: &mut Tx<'_>,
    task: &Task,
    now: Timestamp,
    is_hand_free: bool,
) -> Result<Option<Job>, ApiError> {
    let payload = serde_json::to_string(&RunTask::of(task)).map_err(crate::error::internal)?;
    let job = NewJob { id: job_of(task.id), kind: RUN_TASK, payload, run_at: now, created_at: now };
    if is_hand_free {
        return Ok(Some(jobs::enqueue_claimed(tx, &job, LEASE).await?));
    }
    jobs::enqueue(tx, &job).await?;
    Ok(None)
}

/// Has a queued task worked on.
pub(crate) fn start(app: &App, hand: Option<FreeHand>, job: Option<Job>) {
    match hand.zip(job) {
        // A worker that has just stopped leaves the job to its lease.
        Some((hand, job)) => drop(hand.worker.send(InHand { job, _slot: hand.slot })),
        None => app.job_bell.notify_one(),
    }
}

/// The way to the worker of tasks in this process. A new task goes straight into its hands, which saves a look at the queue
/// and its commit.
#[derive(Default)]
pub struct Hands(Mutex<Option<Hand>>);

#[derive(Clone)]
struct Hand {
    slots: Arc<Semaphore>,
    worker: mpsc::UnboundedSender<InHand>,
}

/// A place at the worker that is kept for one job.
pub(crate) struct FreeHand {
    slot: OwnedSemaphorePermit,
    worker: mpsc::UnboundedSender<InHand>,
}

/// A job that a worker holds, and its place there.
struct InHand {
    job: Job,
    _slot: OwnedSemaphorePermit,
}

impl Hands {
    /// A free place, if there is one.
    pub(crate) fn free(&self) -> Option<FreeHand> {
        let hand = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(FreeHand { slot: hand.slots.try_acquire_owned().ok()?, worker: hand.worker })
    }

    fn set(&self, hand: Option<Hand>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = hand;
    }
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

/// Works until told to stop, then lets the jobs in hand finish, and gives back those that do not in time.
pub async fn work(app: App, stop: watch::Receiver<bool>) {
    Box::pin(work_and_finish_within(app, stop, FINISH)).await;
}

/// As [`work`], with so long for the jobs in hand.
pub async fn work_and_finish_within(app: App, stop: watch::Receiver<bool>, finish: Duration) {
    let (worker, handed) = mpsc::unbounded_channel();
    let task_slots = Arc::new(Semaphore::new(TASKS));
    app.hands.set(Some(Hand { slots: Arc::clone(&task_slots), worker }));
    let events = Bell::Events(app.event_bell.subscribe());
    tokio::join!(
        sweep::until(app.clone(), stop.clone()),
        retention::until(app.clone(), stop.clone()),
        rewrap::until(app.clone(), stop.clone()),
        pool(app.clone(), RUN_TASK, task_slots, Bell::Jobs(handed), stop.clone(), finish),
        pool(app.clone(), DELIVER_WEBHOOKS, Arc::new(Semaphore::new(DISPATCHERS)), events, stop, finish),
    );
}

/// What tells a pool that there is work.
enum Bell {
    /// A job in the queue, or one that comes by hand.
    Jobs(mpsc::UnboundedReceiver<InHand>),
    Events(watch::Receiver<()>),
}

impl Bell {
    /// `None`: look at the queue.
    async fn rung(&mut self, app: &App) -> Option<InHand> {
        match self {
            Self::Jobs(handed) => tokio::select! {
                Some(in_hand) = handed.recv() => Some(in_hand),
                () = app.job_bell.notified() => None,
            },
            Self::Events(bell) => {
                drop(bell.changed().await);
                None
            }
        }
    }
}

/// Works on jobs of one kind, as many at a time as there are slots.
async fn pool(
    app: App,
    kind: &'static str,
    slots: Arc<Semaphore>,
    mut bell: Bell,
    mut stop: watch::Receiver<bool>,
    finish: Duration,
) {
    let mut running = Running::default();
    let mut is_worth_a_look = true;
    while !*stop.borrow() {
        running.forget_ended();
        if is_worth_a_look {
            let mut free = Vec::new();
            while let Ok(slot) = Arc::clone(&slots).try_acquire_owned() {
                free.push(slot);
            }
            let claimed = match free.len() {
                0 => Ok(Vec::new()),
                limit => claim(&app, kind, limit).await,
            };
            let claimed = claimed.unwrap_or_else(|cause| {
                tracing::warn!(error.cause = %cause, "cannot look for jobs");
                Vec::new()
            });
            // With every slot taken there may be more; the next that falls free looks.
            is_worth_a_look = claimed.len() == free.len();
            for (job, slot) in claimed.into_iter().zip(free) {
                running.start(&app, InHand { job, _slot: slot });
            }
        }
        tokio::select! {
            rung = bell.rung(&app) => match rung {
                Some(in_hand) => running.start(&app, in_hand),
                None => is_worth_a_look = true,
            },
            () = tokio::time::sleep(IDLE) => is_worth_a_look = true,
            () = running.one_ended(), if !running.jobs.is_empty() => {}
            _ = stop.changed() => {}
        }
    }
    if let Bell::Jobs(mut handed) = bell {
        app.hands.set(None);
        handed.close();
        while let Some(in_hand) = handed.recv().await {
            running.start(&app, in_hand);
        }
    }
    running.finish_within(&app, finish).await;
}

/// The jobs in the hands of a pool.
#[derive(Default)]
struct Running {
    spawned: JoinSet<()>,
    jobs: HashMap<Id, Job>,
}

impl Running {
    fn start(&mut self, app: &App, in_hand: InHand) {
        let job = in_hand.job.clone();
        let spawned = self.spawned.spawn(run(app.clone(), in_hand));
        self.jobs.insert(spawned.id(), job);
    }

    fn forget_ended(&mut self) {
        while let Some(ended) = self.spawned.try_join_next_with_id() {
            self.forget(ended);
        }
    }

    async fn one_ended(&mut self) {
        if let Some(ended) = self.spawned.join_next_with_id().await {
            self.forget(ended);
        }
    }

    fn forget(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = ended.map_or_else(|panicked| panicked.id(), |(id, ())| id);
        self.jobs.remove(&id);
    }

    /// Waits for what is in hand. What has not ended by then is dropped and given back, so that another worker need not wait
    /// until its lease runs out (P42): it is as after a crash, but sooner.
    async fn finish_within(mut self, app: &App, finish: Duration) {
        let ended = async {
            while !self.jobs.is_empty() {
                self.one_ended().await;
            }
        };
        if timeout(finish, ended).await.is_ok() {
            return;
        }
        // First every one of them is at its end, then it is given back.
        self.spawned.abort_all();
        while let Some(ended) = self.spawned.join_next_with_id().await {
            if ended.is_ok() {
                self.forget(ended);
            }
        }
        for job in self.jobs.into_values() {
            let id = job.id;
            match app.db.write(async move |tx| jobs::release(tx, &job).await).await {
                Ok(_) => tracing::info!(job.id = %id, "gave a job back that did not end in time"),
                Err(cause) => tracing::warn!(job.id = %id, error.cause = %cause, "cannot give a job back"),
            }
        }
    }
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
            let app = app.clone();
            let _ = tokio::spawn(async move { run_one(&app, &job).await }).await;
            ran += 1;
        }
    }
}

async fn claim(app: &App, kind: &'static str, limit: usize) -> Result<Vec<Job>, citadel_store::Error> {
    let (now, limit) = (app.clock.now(), u32::try_from(limit).unwrap_or(u32::MAX));
    let kind = kind.to_owned();
    let asked = kind.clone();
    // A look costs less than a transaction that finds nothing.
    if !app.db.read(async move |tx| jobs::is_any_due(tx, &asked, now).await).await? {
        return Ok(Vec::new());
    }
    app.db.write(async move |tx| jobs::claim(tx, &kind, now, LEASE, limit).await).await
}

async fn run(app: App, in_hand: InHand) {
    let job = &in_hand.job;
    let span = tracing::info_span!("job", job.id = %job.id, job.kind = job.kind, job.attempts = job.attempts);
    run_one(&app, job).instrument(span).await;
}

async fn run_one(app: &App, job: &Job) {
    // A job that takes its worker down with it never comes to `give_back`.
    if job.attempts > MAX_ATTEMPTS {
        give_up(app, job).await;
        return;
    }
    let result = match job.kind.as_str() {
        RUN_TASK => Box::pin(run_task::run(app, job)).await,
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
