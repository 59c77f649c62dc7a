use citadel_store::{
    Tenant,
    idempotency_keys::{self, NewAnswer},
};

use crate::{
    fixtures::Done,
    harness::{Store, for_each_db},
};

fn answer(store: &Store, tenant: Tenant, key: u8) -> NewAnswer {
    NewAnswer {
        tenant,
        key_hash: [key; 32],
        request_hash: [7; 32],
        answer_sealed: Some(vec![1]),
        user_id: None,
        link_id: None,
        task_id: None,
        created_at: store.now,
    }
}

#[tokio::test]
async fn p43_an_answer_is_kept_once_until_its_time() {
    for_each_db("idempotency", async |store| {
        let (own, other) = (store.tenant().await, store.tenant().await);
        let (now, day) = (store.now, store.after(24 * 3600));
        let (first, elsewhere) = (answer(&store, own, 1), answer(&store, other, 1));
        let later = NewAnswer { answer_sealed: Some(vec![2]), created_at: day, ..first.clone() };
        store
            .db
            .write(async move |tx| {
                let before = now - jiff::SignedDuration::from_secs(1);
                assert!(idempotency_keys::keep(tx, &first, before).await?);
                assert!(!idempotency_keys::keep(tx, &later, before).await?, "another answer is there");
                assert!(idempotency_keys::keep(tx, &elsewhere, before).await?, "another tenant's");
                let found = idempotency_keys::find(tx, own, &[1; 32], before).await?.unwrap();
                assert_eq!((found.answer_sealed, found.request_hash), (Some(vec![1]), vec![7; 32]));
                assert!(idempotency_keys::find(tx, own, &[2; 32], before).await?.is_none());
                assert!(idempotency_keys::find(tx, own, &[1; 32], now).await?.is_none(), "too old");

                assert!(idempotency_keys::keep(tx, &later, now).await?, "the old one had its time");
                let found = idempotency_keys::find(tx, own, &[1; 32], now).await?.unwrap();
                assert_eq!(found.answer_sealed, Some(vec![2]));
                assert_eq!(idempotency_keys::delete_until(tx, now).await?, 1);
                assert!(idempotency_keys::find(tx, own, &[1; 32], now).await?.is_some());
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn p43_an_answer_takes_the_place_of_the_task_it_comes_from() {
    for_each_db("idempotency_begun", async |store| {
        let (_, link, task) = store.running_task().await;
        let before = store.now - jiff::SignedDuration::from_secs(1);
        let end =
            NewAnswer { task_id: Some(task.id), link_id: Some(link.id), ..answer(&store, task.tenant, 1) };
        let begun = NewAnswer { answer_sealed: None, ..end.clone() };
        let foreign = NewAnswer { task_id: None, ..end.clone() };
        store
            .db
            .write(async move |tx| {
                assert!(idempotency_keys::keep(tx, &begun, before).await?);
                let found = idempotency_keys::find(tx, task.tenant, &[1; 32], before).await?.unwrap();
                assert_eq!((found.answer_sealed, found.task_id), (None, Some(task.id)));
                assert!(!idempotency_keys::keep(tx, &foreign, before).await?, "it is not this task's");
                assert!(idempotency_keys::keep(tx, &end, before).await?);
                assert!(!idempotency_keys::keep(tx, &end, before).await?, "it was answered");
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}
