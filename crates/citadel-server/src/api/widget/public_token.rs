//! The end of the widget's part: the public token, which the page hands to its back end.

use axum::{Json, extract::State};
use citadel_domain::{PublicTokenId, Secret, TaskId, TaskStatus};
use citadel_store::{
    Tx,
    links::Link,
    public_tokens::{self, NewPublicToken},
    tasks::Task,
};
use jiff::SignedDuration;
use serde::Serialize;

use super::task::{EmployerName, employer_name, find_task};
use crate::{
    api::PathId,
    app::App,
    auth::{self, BridgeSession},
    error::{self, ApiResult},
    purposes,
};

/// How long a public token can be exchanged.
const PUBLIC_TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(6);

/// The proof of success, to be handed to the page.
#[derive(Serialize)]
pub(crate) struct PublicTokenView {
    public_token: String,
    task_id: String,
    employer: EmployerName,
}

/// Make the public token of a task that succeeded. A page that lost the answer may ask again: the token made before
/// is revoked if it was not spent.
pub(crate) async fn create_public_token(
    State(app): State<App>,
    session: BridgeSession,
    PathId(task_id): PathId<TaskId>,
) -> ApiResult<Json<PublicTokenView>> {
    let (task, link) = find_task(&app, &session, task_id).await?;
    if task.status != TaskStatus::Done {
        return Err(error::conflict("The task has not succeeded."));
    }
    let token = make(&app, &session, &task, &link).await?;
    Ok(Json(PublicTokenView {
        public_token: token.expose().to_owned(),
        task_id: task_id.to_string(),
        employer: employer_name(&app, &link),
    }))
}

/// A new public token, which revokes the one before.
async fn make(app: &App, session: &BridgeSession, task: &Task, link: &Link) -> ApiResult<Secret> {
    let (token, new) = generate(app, session, task, link);
    app.db.scoped(new.tenant.client_id).write(async move |tx| put(tx, &new).await).await?;
    Ok(token)
}

/// A public token to [`put`].
pub(crate) fn generate(
    app: &App,
    session: &BridgeSession,
    task: &Task,
    link: &Link,
) -> (Secret, NewPublicToken) {
    let now = session.moment.now;
    let (token, token_hash) = auth::new_token(app, purposes::PUBLIC_TOKEN);
    let new = NewPublicToken {
        id: PublicTokenId::generate(now, &*app.random),
        tenant: task.tenant,
        link_id: link.id,
        task_id: task.id,
        token_hash,
        created_at: now,
        expires_at: now.saturating_add(PUBLIC_TOKEN_LIFE).unwrap_or(now),
    };
    (token, new)
}

/// Keeps a public token, and revokes the one before.
pub(crate) async fn put(tx: &mut Tx<'_>, new: &NewPublicToken) -> ApiResult<()> {
    public_tokens::revoke_unspent(tx, new.tenant, new.task_id, new.created_at).await?;
    Ok(public_tokens::create(tx, new).await?)
}
