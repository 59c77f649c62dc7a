//! Who waits in this process for news of a task.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use citadel_domain::TaskId;
use tokio::sync::{Notify, futures::OwnedNotified};

/// One bell per task that somebody listens to.
#[derive(Debug, Default)]
pub struct TaskBells(Mutex<HashMap<TaskId, Arc<Notify>>>);

impl TaskBells {
    /// Hears what is rung from now on.
    pub(crate) fn listen(&self, task: TaskId) -> News<'_> {
        let bell = Arc::clone(self.lock().entry(task).or_default());
        let notified = Box::pin(Arc::clone(&bell).notified_owned());
        News { bells: self, task, bell, notified }
    }

    /// Tells everybody who listens that the task has news. Call it after the commit.
    pub(crate) fn ring(&self, task: TaskId) {
        if let Some(bell) = self.lock().get(&task) {
            bell.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TaskId, Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens until it is dropped.
pub(crate) struct News<'a> {
    bells: &'a TaskBells,
    task: TaskId,
    bell: Arc<Notify>,
    notified: Pin<Box<OwnedNotified>>,
}

impl News<'_> {
    /// Waits for the first ring since [`TaskBells::listen`].
    pub(crate) async fn rung(&mut self) {
        self.notified.as_mut().await;
    }
}

impl Drop for News<'_> {
    fn drop(&mut self) {
        let mut bells = self.bells.lock();
        // One in the map and two here: nobody else listens.
        if Arc::strong_count(&self.bell) == 3 {
            bells.remove(&self.task);
        }
    }
}
