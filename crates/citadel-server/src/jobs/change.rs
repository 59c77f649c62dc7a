//! A change at a provider, kept with its task: what is wanted, what it will do, and how far it has come. The provider is called
//! in [`send`] and nowhere else.
//!
//! The state is committed before the provider is called (`sent`) and after it has answered. Whoever finds `sent` asks the
//! provider first, whether the call came from an earlier worker or was never made: a change is sent again only if the
//! provider surely never got it (P37).

use citadel_connectors::{Connector, ConnectorError, Cx, Grant};
use citadel_domain::{
    Product, TaskId,
    payroll::{Change, ChangeState, Plan},
};
use citadel_store::{
    Tx,
    changes::{self, Change as StoredChange, NewChange, State},
    jobs::{self, Job},
    links::Link,
};
use jiff::Timestamp;

use super::LEASE;
use crate::{
    app::App,
    error::{self, ApiResult},
    owner_key::OwnerKey,
};

/// Pay goes to another account.
pub(crate) const DEPOSIT_SWITCH: &str = "deposit_switch";
/// A part of pay goes to a lender.
pub(crate) const PLL: &str = "pll";
/// A company pays from another account.
pub(crate) const FUNDING: &str = "funding";
/// The two amounts that prove that account.
pub(crate) const FUNDING_PROOF: &str = "funding_proof";

/// The word under which a change is kept.
fn kind(product: Product, change: &Change) -> &'static str {
    match (change, product) {
        (Change::Deposit { .. }, Product::Pll) => PLL,
        (Change::Deposit { .. }, _) => DEPOSIT_SWITCH,
        (Change::Funding { .. }, _) => FUNDING,
        (Change::FundingProof { .. }, _) => FUNDING_PROOF,
    }
}

/// Keeps what a new task is to change.
pub(crate) async fn keep(
    app: &App,
    tx: &mut Tx<'_>,
    link: &Link,
    task: (TaskId, Product),
    change: &Change,
    now: Timestamp,
) -> ApiResult<()> {
    let (task_id, product) = task;
    let key = OwnerKey::of_link(app, link)?;
    let new = NewChange {
        task_id,
        tenant: link.tenant,
        link_id: link.id,
        kind: kind(product, change),
        change_sealed: key.seal_json("changes", "change_sealed", *task_id.as_bytes(), change)?,
        created_at: now,
    };
    Ok(changes::create(tx, &new).await?)
}

/// What is wanted.
pub(crate) fn open(key: &OwnerKey, stored: &StoredChange) -> ApiResult<Change> {
    key.unseal_json("changes", "change_sealed", *stored.task_id.as_bytes(), &stored.change_sealed)
}

/// What it will do, once that was worked out.
pub(crate) fn open_plan(key: &OwnerKey, stored: &StoredChange) -> ApiResult<Option<Plan>> {
    let Some(sealed) = &stored.plan_sealed else { return Ok(None) };
    key.unseal_json("changes", "plan_sealed", *stored.task_id.as_bytes(), sealed).map(Some)
}

/// Works out what a change will do. Reads only. The answer is the sealed plan.
pub(super) async fn plan(
    app: &App,
    connector: &dyn Connector,
    cx: &Cx,
    grant: &Grant,
    link: &Link,
    stored: &StoredChange,
) -> ApiResult<Result<Vec<u8>, ConnectorError>> {
    let key = OwnerKey::of_link(app, link)?;
    let change = open(&key, stored)?;
    Ok(match connector.plan(cx, grant, &change).await {
        Ok(plan) => Ok(key.seal_json("changes", "plan_sealed", *stored.task_id.as_bytes(), &plan)?),
        Err(refusal) => Err(refusal),
    })
}

/// Whether this worker still has the job. Asked right before a provider is called: a worker that was frozen for longer than its
/// lease must not send what another one has sent meanwhile. What is left of that gap is the key's to close.
async fn holds(app: &App, job: &Job) -> ApiResult<bool> {
    let (job, now) = (job.clone(), app.clock.now());
    Ok(app.db.write(async move |tx| jobs::heartbeat(tx, &job, now, LEASE).await).await?)
}

/// What came of one step towards a change.
pub(super) enum Step {
    /// Write this state and go on.
    Now(State),
    /// Look again later; nothing is written.
    Later,
    /// The provider cannot say whether it has the change.
    Unknown,
    /// The provider said no, and has surely not made it.
    Refused(ConnectorError),
}

/// Goes one step further. Each state is committed before the next step is taken.
pub(super) async fn send(
    app: &App,
    job: &Job,
    connector: &dyn Connector,
    cx: &Cx,
    grant: &Grant,
    link: &Link,
    stored: &StoredChange,
) -> ApiResult<Step> {
    let plan = open_plan(&OwnerKey::of_link(app, link)?, stored)?
        .ok_or_else(|| error::internal("a change is sent without its plan"))?;
    // One key for one submission: the task's id, the same for whoever works on it.
    let key = stored.task_id.to_string();
    let there = match stored.state {
        // The intent is on disk before the provider hears of it.
        State::Wanted => return Ok(Step::Now(State::Sent)),
        State::Applied | State::Refused => return Ok(Step::Now(stored.state)),
        State::Sent | State::Answered => connector.observe(cx, grant, &plan, &key).await,
    };
    Ok(match (stored.state, there) {
        (_, Ok(ChangeState::Applied)) => Step::Now(State::Applied),
        (State::Sent, Ok(ChangeState::Absent)) if holds(app, job).await? => {
            match connector.apply(cx, grant, &plan, &key).await {
                Ok(()) => Step::Now(State::Answered),
                Err(refusal) if refusal.is_final() => Step::Refused(refusal),
                // It may have arrived all the same: the next look tells.
                Err(_) => Step::Later,
            }
        }
        (State::Sent, Ok(ChangeState::Unknown)) => Step::Unknown,
        // The provider said yes and does not show it yet.
        (_, Ok(_)) => Step::Later,
        // A submission that was refused is that refusal again.
        (State::Sent, Err(refusal @ ConnectorError::ConfigRejected { .. })) => Step::Refused(refusal),
        // Whoever may not look any more cannot say what happened.
        (_, Err(refusal)) if refusal.is_final() => Step::Unknown,
        (_, Err(_)) => Step::Later,
    })
}
