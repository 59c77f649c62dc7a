use citadel_domain::Environment;
use citadel_store::{
    Tenant, Tx,
    public_tokens::{self, Spend},
};
use tokio::task::JoinSet;

use crate::{fixtures::Done, harness::for_each_db};

#[tokio::test(flavor = "multi_thread")]
async fn p09_of_64_parallel_attempts_one_spends() {
    for_each_db("p09_parallel", async |store| {
        let (_, link, task) = store.running_task().await;
        let (tenant, now) = (task.tenant, store.now);
        let hash = store.public_token(&task).await;
        let mut attempts = JoinSet::new();
        for _ in 0..64 {
            let db = store.db.clone();
            attempts.spawn(async move {
                db.write(async move |tx| public_tokens::spend(tx, tenant, &hash, now).await).await.unwrap()
            });
        }
        let results = attempts.join_all().await;
        let spent = Spend::Spent { link_id: link.id, task_id: task.id };
        assert_eq!(results.iter().filter(|result| **result == spent).count(), 1);
        let replayed = Spend::Replayed { link_id: link.id };
        assert_eq!(results.iter().filter(|result| **result == replayed).count(), 63);
    })
    .await;
}

#[tokio::test]
async fn p09_a_foreign_tenant_sees_an_unknown_token_and_does_not_spend_it() {
    for_each_db("p09_foreign", async |store| {
        let (_, _, task) = store.running_task().await;
        let hash = store.public_token(&task).await;
        let (tenant, other, now) = (task.tenant, store.tenant().await, store.now);
        store
            .db
            .write(async move |tx| {
                for foreign in [other, Tenant { environment: Environment::Prod, ..tenant }] {
                    assert_eq!(public_tokens::spend(tx, foreign, &hash, now).await?, Spend::Unknown);
                    public_tokens::revoke_unspent(tx, foreign, task.id, now).await?;
                }
                assert!(matches!(public_tokens::spend(tx, tenant, &hash, now).await?, Spend::Spent { .. }));
                let again = public_tokens::spend(tx, tenant, &hash, now).await?;
                assert!(matches!(again, Spend::Replayed { .. }));
                assert_eq!(public_tokens::spend(tx, other, &hash, now).await?, Spend::Unknown);
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn p09_an_attempt_that_is_rolled_back_spends_nothing() {
    for_each_db("p09_rollback", async |store| {
        let (_, _, task) = store.running_task().await;
        let (tenant, now) = (task.tenant, store.now);
        let hash = store.public_token(&task).await;
        let refused = store
            .db
            .write(async move |tx| {
                public_tokens::spend(tx, tenant, &hash, now).await?;
                Err::<(), _>(citadel_store::Error::Conflict)
            })
            .await;
        assert!(refused.is_err());
        let spend = store.db.write(async move |tx| public_tokens::spend(tx, tenant, &hash, now).await).await;
        assert!(matches!(spend.unwrap(), Spend::Spent { .. }));
    })
    .await;
}

#[tokio::test]
async fn aged_and_revoked_tokens_are_gone() {
    for_each_db("public_gone", async |store| {
        let (_, _, task) = store.running_task().await;
        let (tenant, now, end) = (task.tenant, store.now, store.after(6 * 3600));
        let aged = store.public_token(&task).await;
        let revoked = store.public_token(&task).await;
        let unknown = store.hash();
        store
            .db
            .write(async move |tx| {
                assert_eq!(public_tokens::spend(tx, tenant, &aged, end).await?, Spend::Gone);
                public_tokens::revoke_unspent(tx, tenant, task.id, now).await?;
                assert_eq!(public_tokens::spend(tx, tenant, &revoked, now).await?, Spend::Gone);
                assert_eq!(public_tokens::spend(tx, tenant, &unknown, now).await?, Spend::Unknown);
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_parallel_makers_one_leaves_a_live_token() {
    for_each_db("public_makers", async |store| {
        let (_, _, task) = store.running_task().await;
        let (tenant, now) = (task.tenant, store.now);
        let mut makers = JoinSet::new();
        for _ in 0..12 {
            let (db, new) = (store.db.clone(), store.new_public_token(&task));
            makers.spawn(async move {
                let hash = new.token_hash;
                db.write(async move |tx| {
                    public_tokens::revoke_unspent(tx, tenant, new.task_id, now).await?;
                    public_tokens::create(tx, &new).await
                })
                .await
                .unwrap();
                hash
            });
        }
        let mut live = 0;
        for hash in makers.join_all().await {
            let spend = async move |tx: &mut Tx<'_>| public_tokens::spend(tx, tenant, &hash, now).await;
            live += usize::from(matches!(store.db.write(spend).await.unwrap(), Spend::Spent { .. }));
        }
        assert_eq!(live, 1);
    })
    .await;
}
