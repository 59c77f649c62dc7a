//! What a step of a task came to, written down: status, data, news and what the link keeps, in one transaction that proves the
//! lease first.

use citadel_domain::TaskStatus;
use citadel_store::{
    Tx,
    changes::{self, State},
    consents,
    jobs::{self, Job},
    links, logins, reports as stored,
    tasks::{self, Kind},
};
use jiff::Timestamp;

use super::{Effects, Taken, Turn, not_wanted};
use crate::{
    app::App,
    error::{ApiError, ApiResult},
    jobs::{
        LEASE, data_events,
        events::{self, About, NewEvent, Objects},
        fetch, orders,
    },
    moment::Moment,
};

/// What a consumer reads who signs in as somebody else than the link was made by.
const ANOTHER_PERSON: &str = "This sign-in belongs to another person than the one who connected before.";
/// What a consumer reads when nobody can say whether a change was made.
const UNKNOWN_OUTCOME: &str =
    "The provider did not say whether the change was made. Look there before you try again.";

/// The same of one that it accepted.
const NOT_SHOWN_YET: &str =
    "The provider accepted the change and does not show it yet. Look there before you try again.";

/// Commits steps if this worker still holds the job, and ends the job with its task. `false` when it does not, or when the
/// task has moved on.
pub(super) async fn commit(app: &App, job: &Job, mut steps: Vec<Taken>) -> ApiResult<bool> {
    let Some(first) = steps.first() else { return Ok(true) };
    let (task_id, client_id) = (first.turn.task.id, first.turn.task.tenant.client_id);
    let moment = first.turn.moment(app);
    let Moment { now, live, .. } = moment;
    // What a quick first part held comes again with the rest: only the last is kept.
    if let Some(last) = steps.iter().rposition(|step| step.effects.found.is_some()) {
        let Taken { turn, effects } = &mut steps[last];
        let found = effects.found.take();
        match found.map(|found| fetch::sealed_forms(app, &turn.link, &found, now)).transpose() {
            Ok(forms) => effects.forms = forms.unwrap_or_default(),
            Err(cause) => {
                // What came before is kept, above all the grant: without it the login would be sent again.
                steps.truncate(last);
                Box::pin(commit(app, job, steps)).await?;
                return Err(cause);
            }
        }
    }
    let (writer, job) = (app.clone(), job.clone());
    let committed = app
        .db
        .scoped(client_id)
        .write(async move |tx| {
            if !jobs::heartbeat(tx, &job, live, LEASE).await? {
                return Ok::<_, ApiError>(None);
            }
            // What was wanted when the work began may not be wanted now: then nothing of it is kept.
            let unwanted = match orders::is_wanted(tx, &steps[0].turn.task).await? {
                true => None,
                false => Some([Taken { turn: steps[0].turn.clone(), effects: not_wanted() }]),
            };
            let steps = unwanted.as_ref().map_or(&steps[..], |end| &end[..]);
            let mut news = Vec::new();
            let (mut ended, mut end) = (None, None);
            for step in steps {
                let Some(status) = record(&writer, tx, &step.turn, &step.effects, now, &mut news).await?
                else {
                    return Ok(None);
                };
                if status.is_final() {
                    ended = Some((&step.turn.task, status));
                    end = Some((step.turn.link.provider_id.clone(), step.turn.task.product, status));
                    jobs::finish(tx, &job).await?;
                    break;
                }
                if let Some(resume) = step.effects.resume_at {
                    jobs::park(tx, &job, resume).await?;
                }
            }
            let settled = match ended {
                Some((task, status)) => Box::pin(orders::settle(&writer, tx, task, status, moment)).await?,
                None => None,
            };
            events::append_all(&writer, tx, &news, moment).await?;
            if let Some(settled) = settled {
                settled.tell(&writer, tx, moment).await?;
            }
            Ok(Some(end))
        })
        .await?;
    app.ring_events();
    app.task_bells.ring(task_id);
    if let Some(Some((provider, product, status))) = &committed {
        app.metrics.record_end(provider, *product, *status);
    }
    Ok(committed.is_some())
}

/// Writes one step and adds its `news`, which the caller tells at the end. Answers where the task stands then, `None` when it
/// stood elsewhere than this worker thought: then nothing was written.
pub(super) async fn record<'a>(
    app: &App,
    tx: &mut Tx<'_>,
    turn: &'a Turn,
    effects: &Effects,
    now: Timestamp,
    news: &mut Vec<NewEvent<'a>>,
) -> ApiResult<Option<TaskStatus>> {
    let (task, link, tenant) = (&turn.task, &turn.link, turn.task.tenant);
    if let Some(person) = &effects.person
        && !links::claim_person(tx, tenant, link.id, person).await?
    {
        let refused = Effects::failed(TaskStatus::ConfigError, ANOTHER_PERSON);
        return Box::pin(record(app, tx, turn, &refused, now, news)).await;
    }
    let mut stands = task.status;
    if let Some(status) = effects.status {
        // A connector may refuse at any time with any word; the drawing has not every edge.
        let status = if task.status.may_become(status) { status } else { TaskStatus::Error };
        let words = effects.error_message.as_deref().or_else(|| unknown_outcome(turn, effects, status));
        if !tasks::advance(tx, task, status, words, now).await? {
            return Ok(None);
        }
        stands = status;
        news.push(events::status_event(task, link, status));
        if status.is_final() {
            news.extend(end(tx, turn, status, effects).await?);
        }
    }
    if let Some(inventory) = &effects.inventory {
        let status = effects.status.unwrap_or(task.status);
        news.extend(data_events::keep(app, tx, turn, inventory, status, now).await?);
    }
    for (kind, sealed) in &effects.forms {
        if effects.is_first_part && stored::find(tx, tenant, link.id, kind).await?.is_some() {
            continue;
        }
        stored::put(tx, tenant, link.id, kind, sealed, now).await?;
    }
    if let Some(sealed) = &effects.session_sealed {
        logins::set_session(tx, tenant, task.id, sealed).await?;
    }
    if let Some(sealed) = &effects.grant_sealed {
        logins::set_grant(tx, tenant, task.id, sealed).await?;
    }
    // A provider may take the old one out of use as soon as it has given a new one.
    if let (Some(sealed), false) =
        (&effects.link_grant_sealed, effects.status.is_some_and(TaskStatus::is_final))
    {
        links::set_grant(tx, tenant, link.id, Some(sealed)).await?;
    }
    if let Some(sealed) = &effects.plan_sealed {
        changes::set_plan(tx, tenant, task.id, sealed, now).await?;
    }
    if let Some(state) = effects.change_state {
        changes::set_state(tx, tenant, task.id, state, now).await?;
    }
    if let Some((question, lapses)) = &effects.question {
        tasks::set_step(tx, task, question, *lapses, now).await?;
    }
    Ok(Some(stands))
}

/// The login goes, and the link keeps or loses what refreshes sign in with: it is connected, or disconnected.
async fn end<'a>(
    tx: &mut Tx<'_>,
    turn: &'a Turn,
    status: TaskStatus,
    effects: &Effects,
) -> ApiResult<Option<NewEvent<'a>>> {
    let (task, link, tenant) = (&turn.task, &turn.link, turn.task.tenant);
    logins::delete(tx, tenant, task.id).await?;
    if task.kind == Kind::Initial && status == TaskStatus::Done {
        consents::renew(tx, tenant, link.id).await?;
    }
    let was_connected = link.grant_sealed.is_some();
    let told = if let Some(sealed) = &effects.link_grant_sealed {
        links::set_grant(tx, tenant, link.id, Some(sealed)).await?;
        (!was_connected).then_some("link-connected")
    } else if task.kind == Kind::Refresh && effects.status.is_some_and(disconnects) {
        links::set_grant(tx, tenant, link.id, None).await?;
        was_connected.then_some("link-disconnected")
    } else {
        None
    };
    Ok(told.map(|event_type| NewEvent {
        event_type,
        about: About::Link(link),
        task: Some(task),
        status: status.as_str(),
        objects: Objects::default(),
    }))
}

/// What to say at the end of a task whose change was sent and of which nothing is known.
fn unknown_outcome(turn: &Turn, effects: &Effects, status: TaskStatus) -> Option<&'static str> {
    if !status.is_final() || effects.change_state.is_some() {
        return None;
    }
    outcome_words(turn.change.as_ref()?.state)
}

/// What to say of a change whose task ends before the provider has shown it.
pub(in crate::jobs) const fn outcome_words(state: State) -> Option<&'static str> {
    match state {
        State::Sent => Some(UNKNOWN_OUTCOME),
        State::Answered => Some(NOT_SHOWN_YET),
        State::Wanted | State::Applied | State::Refused => None,
    }
}

/// Whether a refresh that ends so shows that the provider has taken its permission back: only the person can mend that.
const fn disconnects(status: TaskStatus) -> bool {
    matches!(
        status,
        TaskStatus::LoginError | TaskStatus::MfaError | TaskStatus::AccountLocked | TaskStatus::UnableToReset
    )
}
