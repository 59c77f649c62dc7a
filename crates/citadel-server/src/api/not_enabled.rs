//! Products of the published API that this server does not have. A caller learns that before it reads the manual; what it names
//! must still be its own.

use axum::extract::State;
use citadel_domain::{LinkId, UserId};

use super::{PathId, PathIds, links, users};
use crate::{
    app::App,
    auth::Caller,
    error::{self, ApiError, ApiResult},
};

/// For whoever asks.
pub(crate) async fn refuse(_caller: Caller) -> ApiResult<()> {
    Err(not_enabled())
}

/// For the owner of a link.
pub(crate) async fn refuse_for_link(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<LinkId>,
) -> ApiResult<()> {
    let tenant = caller.tenant;
    let db = app.db.scoped(tenant.client_id);
    db.read(async move |tx| links::find(tx, tenant, id).await).await?;
    Err(not_enabled())
}

/// For the owner of a user.
pub(crate) async fn refuse_for_user(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<UserId>,
) -> ApiResult<()> {
    refuse_user(&app, caller, id).await
}

/// For the owner of a user, whatever the report: there are none.
pub(crate) async fn refuse_report_of_user(
    State(app): State<App>,
    caller: Caller,
    PathIds(id, _report): PathIds<UserId, String>,
) -> ApiResult<()> {
    refuse_user(&app, caller, id).await
}

async fn refuse_user(app: &App, caller: Caller, id: UserId) -> ApiResult<()> {
    let tenant = caller.tenant;
    let db = app.db.scoped(tenant.client_id);
    db.read(async move |tx| users::find(tx, tenant, id).await).await?;
    Err(not_enabled())
}

fn not_enabled() -> ApiError {
    error::forbidden(
        "This product is not enabled: this server reads payroll, and no banks, assets, insurance or scores.",
    )
}
