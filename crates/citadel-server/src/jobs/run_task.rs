//! Steps 4 and 5 of a verification: a task signs in at the provider, reads payroll data, and stores it as reports.
//!
//! Each turn of the loop looks at the task's status, does that status's work outside any transaction, and commits the
//! next status together with its data and its webhook event. A crash at any point leaves a status from which the next
//! worker goes on; once the grant is committed, the login is not sent again.

use std::sync::Arc;

use citadel_connectors::{
    AuthInput, AuthNext, Connector, ConnectorError, Cx, Disposition, Phase, Step, Want,
};
use citadel_domain::{TaskStatus, payroll::PayrollData};
use citadel_store::{
    Place, Tx,
    jobs::{self, Job},
    links::{self, Link},
    logins::{self, Login as StoredLogin},
    reports as stored, tasks,
    tasks::Task,
};
use jiff::{SignedDuration, Timestamp};

use super::{Outcome, RunTask, books::ProviderBooks, events, safe::Safe, with_heartbeat};
use crate::{
    app::App,
    error::{self, ApiError, ApiResult},
    purposes, reports,
};

/// How long a consumer may take to answer a question.
const STEP_LIFE: SignedDuration = SignedDuration::from_mins(5);
/// Tries at a provider that asks to be tried again.
const MAX_PROVIDER_TRIES: i64 = 5;
/// What a consumer reads who signs in as somebody else than the link was made by.
const ANOTHER_PERSON: &str = "This sign-in belongs to another person than the one who connected before.";
/// The longest wait that a provider may ask for.
const MAX_PROVIDER_WAIT: SignedDuration = SignedDuration::from_mins(2);

/// Everything that one turn needs, read afresh before each.
struct Turn {
    task: Task,
    link: Link,
    login: Option<StoredLogin>,
}

/// What a turn came to.
enum Next {
    /// Commit this and look again.
    Commit(Change),
    /// The provider asked to be tried again then.
    Retry(Timestamp),
}

/// One step of a task, to be committed whole.
#[derive(Default)]
struct Change {
    status: Option<TaskStatus>,
    error_message: Option<String>,
    /// What the connector gave out for its next step, sealed.
    session_sealed: Option<Vec<u8>>,
    grant_sealed: Option<Vec<u8>>,
    /// A question for the consumer, and when it lapses.
    question: Option<(String, Timestamp)>,
    /// Reports as `(kind, sealed body)`.
    forms: Vec<(&'static str, Vec<u8>)>,
    /// The reports are a first, quick part: they must not replace what a link has (R9).
    is_first_part: bool,
    /// Whose data it is, as a keyed hash: a link stays with one person.
    person: Option<[u8; 32]>,
    /// When to go on, if not at once. The job sleeps from the same commit on, so that no answer can wake it too early.
    resume_at: Option<Timestamp>,
}

impl Change {
    fn to(status: TaskStatus) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    fn refused(words: &str) -> Self {
        Self { error_message: Some(words.to_owned()), ..Self::to(TaskStatus::ConfigError) }
    }
}

pub(super) async fn run(app: &App, job: &Job) -> ApiResult<Outcome> {
    let order: RunTask = serde_json::from_str(&job.payload).map_err(error::internal)?;
    loop {
        let Some(turn) = read(app, order).await? else { return Ok(Outcome::Finished) };
        if turn.task.status.is_final() {
            return Ok(Outcome::Finished);
        }
        let next = match with_heartbeat(app, job, work(app, job, &turn)).await {
            Some(next) => next?,
            None => return Ok(Outcome::Lost),
        };
        match next {
            Next::Retry(at) => return Ok(Outcome::Again(at)),
            Next::Commit(change) => {
                let resume_at = change.resume_at;
                if !commit(app, job, turn, change).await? {
                    return Ok(Outcome::Lost);
                }
                if resume_at.is_some() {
                    return Ok(Outcome::Parked);
                }
            }
        }
    }
}

async fn read(app: &App, order: RunTask) -> ApiResult<Option<Turn>> {
    let tenant = order.tenant();
    let now = app.clock.now();
    let turn = app
        .db
        .scoped(tenant.client_id)
        .read(async move |tx| {
            let Some(task) = tasks::find(tx, tenant, order.task_id).await? else { return Ok(None) };
            let Some(link) = links::find(tx, tenant, task.link_id).await? else { return Ok(None) };
            let login = logins::find(tx, tenant, task.id, now).await?;
            Ok::<_, citadel_store::Error>(Some(Turn { task, link, login }))
        })
        .await?;
    Ok(turn)
}

/// The work of the task's present status, outside any transaction.
async fn work(app: &App, job: &Job, turn: &Turn) -> ApiResult<Next> {
    let now = app.clock.now();
    let task = &turn.task;
    let Some(connector) = app.connectors.find(task.tenant.environment, &turn.link.provider_id) else {
        return Ok(Next::Commit(Change::to(TaskStatus::NotSupported)));
    };
    if task.status == TaskStatus::New {
        return Ok(Next::Commit(Change::to(TaskStatus::Login)));
    }
    // Without its login a task cannot go on: it was kept for fifteen minutes and swept.
    let Some(login) = &turn.login else { return Ok(Next::Commit(Change::to(TaskStatus::Error))) };
    if !connector.describe().products.contains(&task.product) {
        return Ok(Next::Commit(Change::to(TaskStatus::NotSupported)));
    }
    let safe = Safe::open(app, task, login)?;
    let company = turn.link.company_mapping_id.and_then(|id| app.directory.find_company(id));
    let cx = Cx {
        now,
        environment: task.tenant.environment,
        provider_id: turn.link.provider_id.clone(),
        employer_name: company.map(|company| company.name.clone()),
        product: task.product,
        books: Arc::new(ProviderBooks::of(app, task.tenant)),
    };
    let result = match task.status {
        TaskStatus::Login | TaskStatus::Mfa => sign_in(&safe, connector, &cx, task, now).await?,
        TaskStatus::Parse => {
            fetch(app, turn, &safe, connector, &cx, Phase::First, TaskStatus::FullParse).await?
        }
        TaskStatus::FullParse => {
            fetch(app, turn, &safe, connector, &cx, Phase::Deep, TaskStatus::Done).await?
        }
        other => return Err(error::internal(format!("no work is defined for a task that is {other}"))),
    };
    Ok(result.unwrap_or_else(|refusal| after_refusal(job, &refusal, now)))
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
    Next::Commit(Change { error_message, ..Change::to(refusal.status()) })
}

type Attempt = ApiResult<Result<Next, ConnectorError>>;

async fn sign_in(
    safe: &Safe<'_>,
    connector: &dyn Connector,
    cx: &Cx,
    task: &Task,
    now: Timestamp,
) -> Attempt {
    let session = safe.session()?;
    let input = match (task.status, safe.answer()?, session) {
        (TaskStatus::Mfa, Some(answer), Some(session)) => AuthInput::Answer { session, answer },
        (TaskStatus::Mfa, None, Some(session)) if task.step_expires_at.is_none() => {
            AuthInput::Resume { session }
        }
        (TaskStatus::Mfa, ..) => {
            // The question stands; it lapses by itself.
            return Ok(Ok(Next::Commit(match task.step_expires_at {
                Some(at) if at > now => Change { resume_at: Some(at), ..Change::default() },
                _ => Change::to(TaskStatus::MfaError),
            })));
        }
        (_, _, Some(session)) => AuthInput::Resume { session },
        (_, _, None) => AuthInput::Login(safe.login()?),
    };
    Ok(Ok(match connector.auth(cx, input).await {
        Err(refusal) => return Ok(Err(refusal)),
        Ok(AuthNext::Ready(grant)) => {
            let grant_sealed = Some(safe.seal("grant_sealed", &grant)?);
            Next::Commit(Change { grant_sealed, ..Change::to(TaskStatus::Parse) })
        }
        Ok(AuthNext::Need { step, session }) => {
            let lapses = now + STEP_LIFE;
            Next::Commit(Change {
                // A second question in a row is asked without a change of status.
                status: (task.status != TaskStatus::Mfa).then_some(TaskStatus::Mfa),
                session_sealed: Some(safe.seal("session_sealed", &session)?),
                question: Some((question_json(&step)?, lapses)),
                resume_at: Some(lapses),
                ..Change::default()
            })
        }
        Ok(AuthNext::Wait { delay, session }) => Next::Commit(Change {
            session_sealed: Some(safe.seal("session_sealed", &session)?),
            resume_at: Some(now + delay.clamp(SignedDuration::ZERO, MAX_PROVIDER_WAIT)),
            ..Change::default()
        }),
    }))
}

fn question_json(step: &Step) -> ApiResult<String> {
    serde_json::to_string(step).map_err(error::internal)
}

async fn fetch(
    app: &App,
    turn: &Turn,
    safe: &Safe<'_>,
    connector: &dyn Connector,
    cx: &Cx,
    phase: Phase,
    then: TaskStatus,
) -> Attempt {
    let grant = safe.grant()?.ok_or_else(|| error::internal("a task reads without a grant"))?;
    let data = match connector.fetch(cx, &grant, Want { phase }).await {
        Ok(data) => data,
        Err(refusal) => return Ok(Err(refusal)),
    };
    // Rendered and sealed here, before the transaction: the store's one writer is the scarce thing.
    let link = &turn.link;
    let key_place = Place::new(link.tenant, "links", "data_key_wrapped", *link.id.as_bytes());
    let data_key = app.keyring.unwrap_data_key(&key_place, &link.data_key_wrapped)?;
    let forms = reports::stored_forms(app, link, &data, cx.now)?
        .into_iter()
        .map(|(kind, json)| Ok((kind, data_key.seal(&reports::place(link, kind), &json)?)))
        .collect::<ApiResult<Vec<_>>>()?;
    let person = person_of(app, link, &data);
    Ok(Ok(Next::Commit(Change { forms, person, is_first_part: phase == Phase::First, ..Change::to(then) })))
}

/// The person that the data is about, as a keyed hash: of the social security number, or of name and birth date where
/// the provider tells no number.
fn person_of(app: &App, link: &Link, data: &PayrollData) -> Option<[u8; 32]> {
    let person = &data.employments.first()?.person;
    let who = match &person.ssn {
        Some(ssn) => ssn.expose().to_owned(),
        None => format!("{}\u{1f}{}\u{1f}{:?}", person.first_name, person.last_name, person.date_of_birth),
    };
    // Compared within one link only, so it need not tell that two links are about one person.
    Some(app.keyring.keyed_hash(purposes::PERSON, &format!("{}\u{1f}{who}", link.id)))
}

/// Commits a change if this worker still holds the job. `false` when it does not, or when the task has moved on.
async fn commit(app: &App, job: &Job, turn: Turn, change: Change) -> ApiResult<bool> {
    let now = app.clock.now();
    let (writer, job) = (app.clone(), job.clone());
    let committed = app
        .db
        .scoped(turn.task.tenant.client_id)
        .write(async move |tx| {
            if !jobs::heartbeat(tx, &job, now, super::LEASE).await? {
                return Ok::<_, ApiError>(false);
            }
            if !record(&writer, tx, &turn, &change, now).await? {
                return Ok(false);
            }
            match change.resume_at {
                Some(at) => Ok(jobs::park(tx, &job, at).await?),
                None => Ok(true),
            }
        })
        .await?;
    app.ring_events();
    Ok(committed)
}

async fn record(app: &App, tx: &mut Tx<'_>, turn: &Turn, change: &Change, now: Timestamp) -> ApiResult<bool> {
    let (task, tenant) = (&turn.task, turn.task.tenant);
    if let Some(person) = &change.person
        && !links::claim_person(tx, tenant, turn.link.id, person).await?
    {
        return Box::pin(record(app, tx, turn, &Change::refused(ANOTHER_PERSON), now)).await;
    }
    if let Some(status) = change.status {
        // A connector may refuse at any time with any word; the drawing has not every edge.
        let status = if task.status.may_become(status) { status } else { TaskStatus::Error };
        if !tasks::advance(tx, task, status, change.error_message.as_deref(), now).await? {
            return Ok(false);
        }
        events::append_status(app, tx, task, &turn.link, status, now).await?;
        if status.is_final() {
            logins::delete(tx, tenant, task.id).await?;
        }
    }
    for (kind, sealed) in &change.forms {
        if change.is_first_part && stored::find(tx, tenant, turn.link.id, kind).await?.is_some() {
            continue;
        }
        stored::put(tx, tenant, turn.link.id, kind, sealed, now).await?;
    }
    if let Some(sealed) = &change.session_sealed {
        logins::set_session(tx, tenant, task.id, sealed).await?;
    }
    if let Some(sealed) = &change.grant_sealed {
        logins::set_grant(tx, tenant, task.id, sealed).await?;
    }
    if let Some((question, lapses)) = &change.question {
        tasks::set_step(tx, task, question, *lapses, now).await?;
    }
    Ok(true)
}

/// Ends the task of a job that is out of tries, and takes the job out of the queue.
pub(super) async fn bury(app: &App, job: &Job) -> ApiResult<()> {
    let order: RunTask = serde_json::from_str(&job.payload).map_err(error::internal)?;
    let turn = read(app, order).await?.filter(|turn| !turn.task.status.is_final());
    let now = app.clock.now();
    let (writer, job) = (app.clone(), job.clone());
    app.db
        .scoped(order.client_id)
        .write(async move |tx| {
            if jobs::bury(tx, &job, "out of tries").await?
                && let Some(turn) = &turn
            {
                record(&writer, tx, turn, &Change::to(TaskStatus::Error), now).await?;
            }
            Ok(())
        })
        .await
}
