use citadel_store::logins;

use crate::{fixtures::Done, harness::for_each_db};

#[tokio::test]
async fn a_sign_in_fills_up_and_goes() {
    for_each_db("logins", async |store| {
        let (_, _, task) = store.running_task().await;
        store.login(&task).await;
        let (tenant, id, now) = (task.tenant, task.id, store.now);
        store
            .db
            .write(async move |tx| {
                let found = logins::find(tx, tenant, id, now).await?.unwrap();
                assert_eq!((found.task_id, found.key_wrapped, found.login_sealed), (id, vec![7], vec![8]));
                assert_eq!(
                    (found.session_sealed, found.answer_sealed, found.grant_sealed),
                    (None, None, None)
                );

                logins::set_session(tx, tenant, id, &[1]).await?;
                logins::set_answer(tx, tenant, id, &[2]).await?;
                let found = logins::find(tx, tenant, id, now).await?.unwrap();
                assert_eq!((found.session_sealed, found.answer_sealed), (Some(vec![1]), Some(vec![2])));

                logins::set_session(tx, tenant, id, &[3]).await?;
                let found = logins::find(tx, tenant, id, now).await?.unwrap();
                assert_eq!((found.session_sealed, found.answer_sealed), (Some(vec![3]), None), "it was used");

                logins::set_answer(tx, tenant, id, &[5]).await?;
                logins::set_grant(tx, tenant, id, &[4]).await?;
                let found = logins::find(tx, tenant, id, now).await?.unwrap();
                assert_eq!(
                    (found.session_sealed, found.answer_sealed, found.grant_sealed),
                    (None, None, Some(vec![4])),
                    "signed in: only the grant is needed"
                );

                logins::delete(tx, tenant, id).await?;
                assert!(logins::find(tx, tenant, id, now).await?.is_none());
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_new_sign_in_takes_nothing_over_from_the_one_before() {
    for_each_db("logins_again", async |store| {
        let (_, _, task) = store.running_task().await;
        let (tenant, id, now) = (task.tenant, task.id, store.now);
        store.login(&task).await;
        store.db.write(async move |tx| logins::set_grant(tx, tenant, id, &[4]).await).await.unwrap();
        store.login(&task).await;
        let found =
            store.db.read(async move |tx| logins::find(tx, tenant, id, now).await).await.unwrap().unwrap();
        assert_eq!(found.grant_sealed, None);
    })
    .await;
}

#[tokio::test]
async fn expired_sign_ins_are_not_found_and_are_swept() {
    for_each_db("logins_sweep", async |store| {
        let (_, _, task) = store.running_task().await;
        store.login(&task).await;
        let (tenant, id) = (task.tenant, task.id);
        let (before, at) = (store.after(899), store.after(900));
        store
            .db
            .write(async move |tx| {
                assert!(logins::find(tx, tenant, id, before).await?.is_some());
                assert!(logins::find(tx, tenant, id, at).await?.is_none(), "before the sweep");
                assert_eq!(logins::delete_expired(tx, before).await?, 0);
                assert_eq!(logins::delete_expired(tx, at).await?, 1);
                assert_eq!(logins::delete_expired(tx, at).await?, 0);
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}
