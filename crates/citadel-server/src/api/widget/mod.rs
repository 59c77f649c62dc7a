//! Steps 2 to 6 of a verification as the widget sees them: what to show ([`session`]), the sign-in that makes a link
//! and a task ([`sign_in`]), how it goes and what the consumer answers ([`task`]), and the proof at the end
//! ([`public_token`]). Every call is made under a bridge token, which alone decides the client, the product and what may
//! be skipped; the page can change none of it (P8).

pub(crate) mod public_token;
pub(crate) mod session;
pub(crate) mod sign_in;
pub(crate) mod task;

use citadel_domain::JobId;
use citadel_store::{Tx, jobs, jobs::NewJob, tasks::Task};
use jiff::Timestamp;

use crate::{
    app::App,
    error::{self, ApiResult},
    jobs::{RUN_TASK, RunTask},
};

/// The longest value of a sign-in field or answer, in bytes.
const MAX_FIELD: usize = 512;

async fn enqueue_run(app: &App, tx: &mut Tx<'_>, task: &Task, now: Timestamp) -> ApiResult<()> {
    let payload = serde_json::to_string(&RunTask::of(task)).map_err(error::internal)?;
    let id = JobId::generate(now, &*app.random);
    Ok(jobs::enqueue(tx, &NewJob { id, kind: RUN_TASK, payload, run_at: now, created_at: now }).await?)
}
