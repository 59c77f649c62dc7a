use citadel_domain::{EventId, JobId, TaskStatus};
use citadel_store::{
    Error,
    jobs::{self, NewJob},
    tasks,
    webhook_events::{self, NewWebhookEvent},
};

use crate::{
    fixtures::{Done, append_event},
    harness::for_each_db,
};

#[tokio::test]
async fn events_of_a_task_are_listed_in_the_order_of_their_changes() {
    for_each_db("events", async |store| {
        let (_, link, task) = store.running_task().await;
        let event = |number| NewWebhookEvent {
            id: EventId::generate(store.now, &*store.random),
            tenant: task.tenant,
            link_id: Some(link.id),
            task_id: Some(task.id),
            order_id: None,
            event_type: "task-status-updated".to_owned(),
            body: format!(r#"{{"number":{number}}}"#),
            // All at one time: the order must not hang on the clock.
            created_at: store.now,
        };
        let (first, second, mut other) = (event(1), event(2), event(3));
        other.task_id = None;
        let (tenant, id) = (task.tenant, task.id);
        store
            .db
            .write(async move |tx| {
                for event in [&first, &second, &other] {
                    append_event(tx, event).await?;
                }
                let bodies: Vec<_> = webhook_events::list_for_task(tx, tenant, id)
                    .await?
                    .into_iter()
                    .map(|event| event.body)
                    .collect();
                assert_eq!(bodies, [first.body.clone(), second.body.clone()]);
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn row_job_and_event_of_one_change_are_kept_or_dropped_together() {
    for_each_db("events_together", async |store| {
        let (_, _, task) = store.running_task().await;
        let (tenant, id, now) = (task.tenant, task.id, store.now);
        let job_id = JobId::generate(now, &*store.random);
        let event_id = EventId::generate(now, &*store.random);
        for fails in [true, false] {
            let task = task.clone();
            let result = store
                .db
                .write(async move |tx| {
                    assert!(tasks::advance(tx, &task, TaskStatus::Login, None, now).await?);
                    let payload = "{}".to_owned();
                    let job = NewJob { id: job_id, kind: "run_task", payload, run_at: now, created_at: now };
                    jobs::enqueue(tx, &job).await?;
                    let event = NewWebhookEvent {
                        id: event_id,
                        tenant,
                        link_id: None,
                        task_id: Some(id),
                        order_id: None,
                        event_type: "task-status-updated".to_owned(),
                        body: "{}".to_owned(),
                        created_at: now,
                    };
                    append_event(tx, &event).await?;
                    if fails { Err(Error::Conflict) } else { Ok(()) }
                })
                .await;
            assert_eq!(result.is_err(), fails);
            let kept = store
                .db
                .read(async move |tx| {
                    let status = tasks::find(tx, tenant, id).await?.map(|task| task.status);
                    let events = webhook_events::list_for_task(tx, tenant, id).await?.len();
                    Done::Ok((status, jobs::count_open(tx).await?, events))
                })
                .await
                .unwrap();
            let expected = if fails { (TaskStatus::New, 0, 0) } else { (TaskStatus::Login, 1, 1) };
            assert_eq!(kept, (Some(expected.0), expected.1, expected.2));
        }
    })
    .await;
}
