use citadel_domain::{TaskId, TaskStatus};
use citadel_store::{
    Error, consents,
    tasks::{self, Kind, NewTask},
};

use crate::{fixtures::Done, harness::for_each_db};

#[tokio::test]
async fn a_task_moves_only_from_where_it_was_seen() {
    for_each_db("tasks_advance", async |store| {
        let (_, link, seen) = store.running_task().await;
        assert_eq!((seen.status, seen.finished_at), (TaskStatus::New, None));
        let (at, end) = (store.after(1), store.after(2));
        let (first, stale) = (seen.clone(), seen.clone());
        store
            .db
            .write(async move |tx| {
                assert!(tasks::advance(tx, &first, TaskStatus::Login, None, at).await?);
                assert!(!tasks::advance(tx, &stale, TaskStatus::Error, Some("late"), at).await?);
                let undrawn = tasks::advance(tx, &stale, TaskStatus::Done, None, at).await;
                assert!(matches!(undrawn, Err(Error::Corrupt { .. })), "{undrawn:?}");
                Done::Ok(())
            })
            .await
            .unwrap();
        let task = store.find_task(&seen).await;
        assert_eq!(
            (task.status, task.error_message.as_deref(), task.updated_at),
            (TaskStatus::Login, None, at)
        );
        assert_eq!(store.find_link(&link).await.unwrap().status, TaskStatus::Login);

        let moved = store.db.write(async move |tx| {
            tasks::advance(tx, &task, TaskStatus::AccountLocked, Some("too many tries"), end).await
        });
        assert!(moved.await.unwrap());
        let task = store.find_task(&seen).await;
        assert_eq!((task.status, task.finished_at), (TaskStatus::AccountLocked, Some(end)));
        assert_eq!(task.error_message.as_deref(), Some("too many tries"));
        let link = store.find_link(&link).await.unwrap();
        assert_eq!((link.status, link.updated_at), (TaskStatus::AccountLocked, end));
    })
    .await;
}

#[tokio::test]
async fn a_question_is_answered_once_and_in_time() {
    for_each_db("tasks_step", async |store| {
        let (_, _, task) = store.running_task().await;
        let (now, lapses, last) = (store.now, store.after(300), store.after(299));
        let asked = task.clone();
        store
            .db
            .write(async move |tx| {
                assert!(!tasks::take_step(tx, &asked, now, now).await?, "nothing was asked yet");
                tasks::set_step(tx, &asked, r#"{"kind":"code"}"#, lapses, now).await?;
                let seen = tasks::find(tx, asked.tenant, asked.id).await?.unwrap();
                assert_eq!(seen.step.as_deref(), Some(r#"{"kind":"code"}"#));
                assert_eq!(seen.step_expires_at, Some(lapses));
                assert!(!tasks::take_step(tx, &asked, lapses, lapses).await?, "it has lapsed");
                assert!(tasks::take_step(tx, &asked, last, last).await?);
                assert!(!tasks::take_step(tx, &asked, last, last).await?, "it was answered");

                tasks::set_step(tx, &asked, "{}", lapses, now).await?;
                assert!(tasks::advance(tx, &asked, TaskStatus::Login, None, now).await?);
                assert!(!tasks::take_step(tx, &asked, now, now).await?, "the task has moved on");
                Done::Ok(())
            })
            .await
            .unwrap();
        let task = store.find_task(&task).await;
        assert_eq!((task.step, task.step_expires_at), (None, None));
    })
    .await;
}

#[tokio::test]
async fn the_newest_task_of_a_link_is_found_and_tasks_are_counted() {
    for_each_db("tasks_list", async |store| {
        let (token, link, first) = store.running_task().await;
        let second = store.task(&token, &link, store.after(10)).await;
        let (_, _, elsewhere) = store.running_task().await;
        let other_session = elsewhere.bridge_token_id.unwrap();
        let now = store.after(11);
        store
            .db
            .write(async move |tx| {
                let latest = tasks::latest_for_link(tx, link.tenant, link.id).await?.unwrap();
                assert_eq!(format!("{latest:?}"), format!("{second:?}"));

                let tenant = token.tenant;
                assert!(tasks::find_for_bridge_token(tx, tenant, token.id, first.id).await?.is_some());
                assert!(tasks::find_for_bridge_token(tx, tenant, other_session, first.id).await?.is_none());

                assert!(tasks::advance(tx, &second, TaskStatus::Login, None, now).await?);
                let mut counts = tasks::count_by_status(tx).await?;
                counts.sort();
                assert_eq!(counts, [(TaskStatus::New, 2), (TaskStatus::Login, 1)]);
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

/// P20: neither a sign-in nor a refresh begins without consent, whoever asks.
#[tokio::test]
async fn p20_no_task_is_made_without_a_receipt() {
    for_each_db("tasks_consent", async |store| {
        let tenant = store.tenant().await;
        let token = store.bridge_token(tenant).await;
        let link = store.link(&token).await;
        let new = |kind, created_at| NewTask {
            id: TaskId::generate(created_at, &*store.random),
            tenant,
            link_id: link.id,
            bridge_token_id: Some(token.id),
            access_key_id: token.access_key_id,
            product: token.product,
            kind,
            faults: Vec::new(),
            scenario_id: None,
            created_at,
        };
        let make = async |task: NewTask| {
            store.db.write(async move |tx| tasks::create(tx, &task).await.map(drop)).await.is_ok()
        };
        assert!(!make(new(Kind::Initial, store.now)).await, "nobody agreed to anything");
        let receipt = store.receipt(&link, store.now);
        store.db.write(async move |tx| consents::give(tx, &receipt).await).await.unwrap();
        assert!(make(new(Kind::Initial, store.now)).await);
        assert!(make(new(Kind::Refresh, store.now)).await);
        let (year, id) = (store.after(365 * 24 * 3600), link.id);
        for kind in [Kind::Initial, Kind::Refresh] {
            assert!(!make(new(kind, year)).await, "it has run out");
        }
        assert!(
            store.db.write(async move |tx| consents::end_consent(tx, tenant, id, year).await).await.unwrap()
        );
        assert!(
            !store.db.write(async move |tx| consents::end_consent(tx, tenant, id, year).await).await.unwrap()
        );
        // Agreed to again, and signed in.
        let receipt = store.receipt(&link, year);
        store.db.write(async move |tx| consents::give(tx, &receipt).await).await.unwrap();
        assert!(make(new(Kind::Initial, year)).await);
        assert!(!make(new(Kind::Refresh, year)).await, "nobody has signed in yet");
        store.db.write(async move |tx| consents::renew(tx, tenant, id).await).await.unwrap();
        assert!(make(new(Kind::Refresh, year)).await);
    })
    .await;
}
