//! The Refresh button: have the data read again, without the person.

use axum::{extract::State, response::Response};
use citadel_sdk::CreateRefreshTask;

use crate::{app::App, console::log, failure::Failure, reports::read_report};

/// Asks for a refresh, waits for its end, and answers as the first time. A refresh that failed leaves the old data
/// in place: `refresh_status` of the report tells how it ended.
pub(crate) async fn create_refresh_task(State(app): State<App>) -> Result<Response, Failure> {
    let access_token = app.last_access_token()?;
    app.log_call("Requesting a data refresh using an access_token from", "refresh/tasks");
    let request = CreateRefreshTask::new(&access_token);
    let created = app.citadel.create_refresh_task(&request).await.map_err(Failure::at(9))?;

    app.log_call("Watching the refresh at", "refresh/tasks/…");
    let task = app.citadel.wait_for_refresh(&created.task_id, app.polling).await.map_err(Failure::at(9))?;
    log(&format!("Refresh status - {}", task.status.escape_debug()));
    read_report(&app, &access_token).await
}
