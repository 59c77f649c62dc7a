//! Steps 4 and 5 of a verification: a task signs in at the provider, reads payroll data or changes something, and stores what
//! came of it.
//!
//! Each turn of the loop looks at the task's status, does that status's work outside any transaction, and commits the
//! next status together with its data and its webhook event. A crash at any point leaves a status from which the next
//! worker goes on; once the grant is committed, the login is not sent again. Quick steps in a row share one commit; a step
//! that takes longer than [`QUICK`] has what came before it committed first. The work itself is in [`super::sign_in`],
//! [`super::fetch`] and [`super::change`]; writing down is in [`record`](mod@record).

pub(super) mod record;

use std::{mem, pin::pin, sync::Arc, time::Duration};

use citadel_connectors::{Connector, ConnectorError, Cx, Disposition};
use citadel_domain::{Fault, Product, Secret, TaskStatus};
use citadel_store::{
    changes::{self, Change as StoredChange, State},
    jobs::{self, Job},
    links::{self, Link},
    logins::{self, Login as StoredLogin},
    sandboxes::{self, Pace},
    tasks::{self, Task},
};
use jiff::{SignedDuration, Timestamp};
use tokio::time::timeout;

use self::record::{commit, record};
use super::{
    Outcome, RunTask,
    books::ProviderBooks,
    change,
    data_events::Inventory,
    events,
    fetch::{self, Found},
    orders,
    safe::Safe,
    sign_in, with_heartbeat,
};
use crate::{
    app::App,
    error::{self, ApiResult},
    moment::Moment,
    owner_key::OwnerKey,
};

/// Tries at a provider that asks to be tried again.
const MAX_PROVIDER_TRIES: i64 = 5;
/// The longest wait that a provider may ask for.
pub(super) const MAX_PROVIDER_WAIT: SignedDuration = SignedDuration::from_mins(2);
/// How long to leave a provider that does not show a change yet.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(2);

/// What a consumer reads whose other sign-in was quicker.
const NOT_WANTED: &str = "Another sign-in has done this already.";

/// How long a step's result may wait for the next step's, so that both go into one commit.
const QUICK: Duration = Duration::from_millis(20);

/// Everything that one turn needs.
#[derive(Clone)]
pub(super) struct Turn {
    pub(super) task: Task,
    pub(super) link: Link,
    pub(super) login: Option<StoredLogin>,
    /// What the task is to change at the provider.
    pub(super) change: Option<StoredChange>,
    /// Whether what it is for is still wanted.
    is_wanted: bool,
    /// How the client's clock went when the turn was read.
    pace: Pace,
}

impl Turn {
    pub(super) fn moment(&self, app: &App) -> Moment {
        Moment::of(self.pace, app.clock.now())
    }
}

/// What a turn came to.
pub(super) enum Next {
    /// Commit this and look again.
    Commit(Box<Effects>),
    /// The provider asked to be tried again then.
    Retry(Timestamp),
}

impl Next {
    pub(super) fn commit(effects: Effects) -> Self {
        Self::Commit(Box::new(effects))
    }
}

/// One step of a task, to be committed whole.
#[derive(Default)]
pub(super) struct Effects {
    pub(super) status: Option<TaskStatus>,
    pub(super) error_message: Option<String>,
    /// What the connector gave out for its next step, sealed.
    pub(super) session_sealed: Option<Vec<u8>>,
    pub(super) grant_sealed: Option<Vec<u8>>,
    /// A question for the consumer, and when it lapses.
    pub(super) question: Option<(String, Timestamp)>,
    /// What was read at the provider.
    pub(super) found: Option<Found>,
    /// The reports of it as `(kind, sealed body)`, made when the step is committed.
    pub(super) forms: Vec<(&'static str, Vec<u8>)>,
    /// What the link holds now, and its sealed form, for the events that tell of it.
    pub(super) inventory: Option<(Inventory, Vec<u8>)>,
    /// The reports are a first, quick part: they must not replace what a link has (R9).
    pub(super) is_first_part: bool,
    /// Whose data it is, as a keyed hash: a link stays with one person, or one company.
    pub(super) person: Option<[u8; 32]>,
    /// What the change will do, sealed.
    pub(super) plan_sealed: Option<Vec<u8>>,
    /// How far the change has come.
    pub(super) change_state: Option<State>,
    /// What refreshes sign in with from now on, sealed under the link's key.
    pub(super) link_grant_sealed: Option<Vec<u8>>,
    /// When to go on, if not at once. The job sleeps from the same commit on, so that no answer can wake it too early.
    pub(super) resume_at: Option<Timestamp>,
}

impl Effects {
    pub(super) fn to(status: TaskStatus) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    pub(super) fn failed(status: TaskStatus, words: &str) -> Self {
        Self { error_message: Some(words.to_owned()), ..Self::to(status) }
    }
}

/// A connector's refusal inside our own faults.
pub(super) type Attempt = ApiResult<Result<Next, ConnectorError>>;

/// A step that was taken and is not committed yet.
struct Taken {
    /// As it was before the step.
    turn: Turn,
    effects: Effects,
}

impl Taken {
    /// Whether the next step may be taken before this one is committed. Not after the consumer's answer, which a provider takes
    /// once; not before anything is changed at a provider; and not where the job sleeps or ends.
    fn may_wait(&self) -> bool {
        let next = self.effects.status;
        self.turn.task.status != TaskStatus::Mfa
            && self.effects.resume_at.is_none()
            && matches!(next, Some(TaskStatus::Login | TaskStatus::Parse | TaskStatus::FullParse))
    }

    /// What the next turn will find.
    fn after(&self) -> Turn {
        let mut turn = self.turn.clone();
        let effects = &self.effects;
        turn.task.status = effects.status.unwrap_or(turn.task.status);
        if let (Some(login), Some(sealed)) = (&mut turn.login, &effects.grant_sealed) {
            login.grant_sealed = Some(sealed.clone());
            (login.session_sealed, login.answer_sealed) = (None, None);
        }
        if let Some(sealed) = &effects.link_grant_sealed {
            turn.link.grant_sealed = Some(sealed.clone());
        }
        turn
    }
}

pub(super) async fn run(app: &App, job: &Job) -> ApiResult<Outcome> {
    let order: RunTask = serde_json::from_str(&job.payload).map_err(error::internal)?;
    let mut taken: Vec<Taken> = Vec::new();
    let mut found = read(app, order).await?;
    loop {
        let Some(turn) = found.filter(|turn| !turn.task.status.is_final()) else {
            return Ok(Outcome::Finished);
        };
        let next = {
            let mut work = pin!(with_heartbeat(app, job, work(app, job, &turn)));
            let quick = match taken.is_empty() {
                true => None,
                false => timeout(QUICK, &mut work).await.ok(),
            };
            match quick {
                Some(next) => next,
                None if !commit(app, job, mem::take(&mut taken)).await? => return Ok(Outcome::Lost),
                None => work.await,
            }
        };
        let step = match next {
            None => return Ok(Outcome::Lost),
            Some(Ok(Next::Commit(effects))) => Taken { turn, effects: *effects },
            // What came before is kept, whatever came of this step.
            Some(other) => {
                if !commit(app, job, taken).await? {
                    return Ok(Outcome::Lost);
                }
                return match other? {
                    Next::Retry(at) => Ok(Outcome::Again(at)),
                    Next::Commit(_) => Err(error::internal("a step that was not committed")),
                };
            }
        };
        if step.may_wait() {
            found = Some(step.after());
            taken.push(step);
            continue;
        }
        let is_parked = step.effects.resume_at.is_some();
        let is_last = step.effects.status.is_some_and(TaskStatus::is_final);
        taken.push(step);
        if !commit(app, job, mem::take(&mut taken)).await? {
            return Ok(Outcome::Lost);
        }
        if is_parked || is_last {
            return Ok(Outcome::Parked);
        }
        found = read(app, order).await?;
    }
}

async fn read(app: &App, order: RunTask) -> ApiResult<Option<Turn>> {
    let tenant = order.tenant();
    let live = app.clock.now();
    let turn = app
        .db
        .scoped(tenant.client_id)
        .read(async move |tx| {
            let Some(task) = tasks::find(tx, tenant, order.task_id).await? else { return Ok(None) };
            let Some(link) = links::find(tx, tenant, task.link_id).await? else { return Ok(None) };
            let login = logins::find(tx, tenant, task.id, live).await?;
            let change = changes::find(tx, tenant, task.id).await?;
            let pace = sandboxes::pace(tx, tenant).await?;
            let is_wanted = orders::is_wanted(tx, &task).await?;
            Ok::<_, citadel_store::Error>(Some(Turn { task, link, login, change, is_wanted, pace }))
        })
        .await?;
    Ok(turn)
}

/// The work of the task's present status, outside any transaction.
async fn work(app: &App, job: &Job, turn: &Turn) -> ApiResult<Next> {
    let moment = turn.moment(app);
    let task = &turn.task;
    if !turn.is_wanted {
        return Ok(Next::commit(not_wanted()));
    }
    let Some(connector) = app.connectors.find(task.tenant.environment, &turn.link.provider_id) else {
        return Ok(Next::commit(Effects::to(TaskStatus::NotSupported)));
    };
    if task.status == TaskStatus::New {
        return Ok(Next::commit(Effects::to(TaskStatus::Login)));
    }
    // Without its login a task cannot go on: it was kept for fifteen minutes and swept.
    let Some(login) = &turn.login else { return Ok(Next::commit(Effects::to(TaskStatus::Error))) };
    if !connector.describe().products.contains(&task.product) {
        return Ok(Next::commit(Effects::to(TaskStatus::NotSupported)));
    }
    let safe = Safe::open(app, task, login)?;
    let cx = context(app, &turn.link, task.product, moment, job.attempts, &task.faults);
    let result = match task.status {
        TaskStatus::Login | TaskStatus::Mfa => sign_in::step(app, turn, &safe, connector, &cx).await?,
        TaskStatus::Parse => fetch::first_part(app, turn, &grant(&safe)?, connector, &cx).await?,
        TaskStatus::FullParse => fetch::the_rest(app, turn, &grant(&safe)?, connector, &cx).await?,
        TaskStatus::SwitchDeposit => switch(app, job, turn, &grant(&safe)?, connector, &cx).await?,
        other => return Err(error::internal(format!("no work is defined for a task that is {other}"))),
    };
    Ok(result.unwrap_or_else(|refusal| after_refusal(job, &refusal, moment.live)))
}

/// What a connector is told about the run.
pub(super) fn context(
    app: &App,
    link: &Link,
    product: Product,
    moment: Moment,
    tries: i64,
    faults: &[Fault],
) -> Cx {
    let company = link.company_mapping_id.and_then(|id| app.directory.find_company(id));
    Cx {
        now: moment.live,
        today: moment.today(),
        tries,
        faults: faults.to_vec(),
        environment: link.tenant.environment,
        provider_id: link.provider_id.clone(),
        employer_name: company.map(|company| company.name.clone()),
        product,
        books: Arc::new(ProviderBooks::of(app, link.tenant)),
    }
}

fn grant(safe: &Safe<'_>) -> ApiResult<Secret> {
    safe.grant()?.ok_or_else(|| error::internal("a task goes on without a grant"))
}

/// A connector's refusal ends the task, unless the provider only asks for patience.
fn after_refusal(job: &Job, refusal: &ConnectorError, now: Timestamp) -> Next {
    if let Disposition::Retry { after } = refusal.disposition()
        && job.attempts < MAX_PROVIDER_TRIES
    {
        let wait = after.unwrap_or(SignedDuration::from_secs(5));
        return Next::Retry(now + wait.clamp(SignedDuration::from_secs(1), MAX_PROVIDER_WAIT));
    }
    let error_message = refusal.provider_message().map(str::to_owned);
    Next::commit(Effects { error_message, ..Effects::to(refusal.status()) })
}

/// Goes one step further with a change, and ends the task when the provider shows it.
async fn switch(
    app: &App,
    job: &Job,
    turn: &Turn,
    grant: &Secret,
    connector: &dyn Connector,
    cx: &Cx,
) -> Attempt {
    let Some(stored) = &turn.change else { return Err(error::internal("a task switches without a change")) };
    let effects = match change::send(app, job, connector, cx, grant, &turn.link, stored).await? {
        change::Step::Now(State::Applied) => Effects {
            change_state: Some(State::Applied),
            link_grant_sealed: Some(seal_grant(app, &turn.link, grant)?),
            ..Effects::to(TaskStatus::Done)
        },
        change::Step::Now(state) => Effects { change_state: Some(state), ..Effects::default() },
        // The provider said yes: it is only a matter of time, at the most that of the sign-in.
        change::Step::Later if stored.state == State::Answered => {
            Effects { resume_at: Some(cx.now + LOOK_AGAIN), ..Effects::default() }
        }
        change::Step::Later if job.attempts < MAX_PROVIDER_TRIES => {
            return Ok(Ok(Next::Retry(cx.now + LOOK_AGAIN)));
        }
        change::Step::Later | change::Step::Unknown => Effects::to(TaskStatus::Error),
        change::Step::Refused(refusal) => Effects {
            change_state: Some(State::Refused),
            error_message: refusal.provider_message().map(str::to_owned),
            ..Effects::to(refusal.status())
        },
    };
    Ok(Ok(Next::commit(effects)))
}

/// What refreshes sign in with, sealed under the link's key: the provider's permission, never the login.
pub(super) fn seal_grant(app: &App, link: &Link, grant: &Secret) -> ApiResult<Vec<u8>> {
    OwnerKey::of_link(app, link)?.seal_text(sign_in::LINK_GRANT, grant)
}

/// The end of a task that another sign-in has made needless.
fn not_wanted() -> Effects {
    Effects::failed(TaskStatus::Error, NOT_WANTED)
}

/// Ends the task of a job that is out of tries, and takes the job out of the queue.
pub(super) async fn bury(app: &App, job: &Job) -> ApiResult<()> {
    let order: RunTask = serde_json::from_str(&job.payload).map_err(error::internal)?;
    let turn = read(app, order).await?.filter(|turn| !turn.task.status.is_final());
    let moment = turn.as_ref().map_or_else(|| app.live_moment(), |turn| turn.moment(app));
    let (writer, job) = (app.clone(), job.clone());
    if let Some(Turn { link, task, .. }) = &turn {
        app.metrics.record_end(&link.provider_id, task.product, TaskStatus::Error);
    }
    app.db
        .scoped(order.client_id)
        .write(async move |tx| {
            if jobs::bury(tx, &job, "out of tries").await?
                && let Some(turn) = &turn
            {
                let mut news = Vec::new();
                let status = TaskStatus::Error;
                record(&writer, tx, turn, &Effects::to(status), moment.now, &mut news).await?;
                let settled = Box::pin(orders::settle(&writer, tx, &turn.task, status, moment)).await?;
                events::append_all(&writer, tx, &news, moment).await?;
                if let Some(settled) = settled {
                    settled.tell(&writer, tx, moment).await?;
                }
            }
            Ok(())
        })
        .await
}
