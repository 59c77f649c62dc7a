//! Reading a link again, and waiting until that is done.

use std::time::Duration;

use citadel_api_types::{
    refresh::{CreateRefreshTask, RefreshTask, RefreshTaskCreated},
    tasks::is_final,
};
use tokio::time::{Instant, sleep};

use crate::{Citadel, Error, ErrorKind, client::Call, retry::Repeat};

/// How often to look at something that takes a while, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Polling {
    /// The wait from one look to the next. 2 s unless told.
    pub every: Duration,
    /// When to give up. 60 s unless told.
    pub at_most: Duration,
}

impl Default for Polling {
    fn default() -> Self {
        Self { every: Duration::from_secs(2), at_most: Duration::from_secs(60) }
    }
}

impl Citadel {
    /// Asks for the data of a link to be read again, or for the second step of a funding account switch.
    ///
    /// The answer comes at once; the work is done in the background. Watch it with
    /// [`wait_for_refresh`](Self::wait_for_refresh), or wait for the webhook. The reports keep their last good data
    /// while it runs.
    ///
    /// Fails with [`ErrorKind::InvalidRequest`] when the link is of another product or the micro-deposits are not two
    /// amounts, with [`ErrorKind::NotFound`] when there is no such link, and with [`ErrorKind::Throttled`] when the
    /// link was refreshed too often today.
    pub async fn create_refresh_task(
        &self,
        request: &CreateRefreshTask,
    ) -> Result<RefreshTaskCreated, Error> {
        self.post("refresh/tasks", request, Repeat::UnderKey).await
    }

    /// How a refresh goes.
    pub async fn refresh_task(&self, id: &str) -> Result<RefreshTask, Error> {
        self.get(Call::new("refresh/tasks").id(id)).await
    }

    /// Looks at a refresh until it has come to its end, whether that is `done` or another final status.
    ///
    /// Fails with [`ErrorKind::Unfinished`] when it still runs at the end of the given time. It goes on
    /// nevertheless, and can be waited for again.
    pub async fn wait_for_refresh(&self, id: &str, polling: Polling) -> Result<RefreshTask, Error> {
        let started = Instant::now();
        loop {
            let task = self.refresh_task(id).await?;
            if is_final(&task.status) {
                return Ok(task);
            }
            if started.elapsed() + polling.every > polling.at_most {
                let seconds = polling.at_most.as_secs();
                let what = format!("the refresh still runs after {seconds} s: look at it again later");
                return Err(Error::new(ErrorKind::Unfinished, what));
            }
            sleep(polling.every).await;
        }
    }
}
