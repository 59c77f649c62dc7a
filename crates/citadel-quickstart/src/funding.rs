//! The second step of a funding account switch. The first is like every other product's, see `routes.rs`.

use axum::{
    Json,
    extract::{Path, State},
};
use citadel_sdk::{CreateRefreshTask, FundingSwitchReport};
use serde::Serialize;

use crate::{app::App, console::log, failure::Failure};

/// The answer: how checking the amounts ended, and how the switch stands now.
#[derive(Serialize)]
pub(crate) struct Completed {
    task_id: String,
    status: String,
    account_switch: FundingSwitchReport,
}

/// Sends the two amounts that arrived on the new account, waits until the provider has checked them, and reads how
/// the switch stands. Nothing is sent twice, because a provider counts the attempts.
pub(crate) async fn complete_funding_switch_flow(
    State(app): State<App>,
    Path((first, second)): Path<(String, String)>,
) -> Result<Json<Completed>, Failure> {
    let access_token = app.last_access_token()?;
    app.log_call("Completing the funding account switch with a refresh from", "refresh/tasks");
    let request = CreateRefreshTask::micro_deposits(&access_token, first, second);
    let task_id = app.citadel.create_refresh_task(&request).await.map_err(Failure::at(9))?.task_id;

    let task = app.citadel.wait_for_refresh(&task_id, app.polling).await.map_err(Failure::at(9))?;
    log(&format!("Micro-deposits status - {}", task.status.escape_debug()));
    app.log_call("Requesting funding account switch data using an access_token from", "account-switches");
    let account_switch = app.citadel.funding_switch_report(&access_token).await.map_err(Failure::at(9))?;
    Ok(Json(Completed { task_id, status: task.status, account_switch }))
}
