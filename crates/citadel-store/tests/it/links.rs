use citadel_domain::{CompanyId, Environment, JobId, LinkId, TaskStatus};
use citadel_store::{
    Tenant, Tx, Value,
    jobs::{self, NewJob},
    links, tasks,
};
use jiff::SignedDuration;

use crate::{fixtures::Done, harness::for_each_db};

#[tokio::test]
async fn a_link_reads_as_it_was_made() {
    for_each_db("links_read", async |store| {
        let tenant = store.tenant().await;
        let token = store.bridge_token(tenant).await;
        let mut new = store.new_link(&token);
        new.company_mapping_id = Some(CompanyId::from_bytes([3; 16]));
        new.tracking_info = Some("loan 17".to_owned());
        store
            .db
            .write(async move |tx| {
                let made = links::create(tx, &new).await?;
                assert_eq!((made.id, made.tenant, made.bridge_token_id), (new.id, tenant, token.id));
                assert_eq!(
                    (&made.provider_id, made.company_mapping_id),
                    (&new.provider_id, new.company_mapping_id)
                );
                assert_eq!(made.tracking_info, new.tracking_info);
                assert_eq!((made.product, &made.allowed_products), (new.product, &new.allowed_products));
                assert_eq!((made.status, made.access_token_sealed.as_ref()), (TaskStatus::New, None));
                assert_eq!(made.data_key_wrapped, new.data_key_wrapped);
                assert_eq!(
                    (made.created_at, made.updated_at, made.deleted_at),
                    (new.created_at, new.created_at, None)
                );
                let found = links::find(tx, tenant, new.id).await?.unwrap();
                assert_eq!(format!("{found:?}"), format!("{made:?}"));
                let granted = links::find_by_file_grant(tx, tenant.client_id, new.id).await?.unwrap();
                assert_eq!(format!("{granted:?}"), format!("{made:?}"));
                assert!(
                    links::find_by_file_grant(tx, tenant.client_id, LinkId::from_bytes([9; 16]))
                        .await?
                        .is_none()
                );
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_link_gets_one_access_token_and_is_found_by_it() {
    for_each_db("links_token", async |store| {
        let (_, link, _) = store.running_task().await;
        let (first, second) = (store.hash(), store.hash());
        let found = store
            .db
            .write(async move |tx| {
                assert!(links::set_access_token_if_absent(tx, link.tenant, link.id, &first, &[1]).await?);
                assert!(!links::set_access_token_if_absent(tx, link.tenant, link.id, &second, &[2]).await?);
                assert!(links::find_by_access_token(tx, link.tenant, &second).await?.is_none());
                links::find_by_access_token(tx, link.tenant, &first).await
            })
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.access_token_sealed, Some(vec![1]));
    })
    .await;
}

#[tokio::test]
async fn a_second_try_finds_the_newest_link_whose_tasks_all_failed() {
    for_each_db("links_unfinished", async |store| {
        let (token, first, task) = store.running_task().await;
        let mut new = store.new_link(&token);
        new.created_at = store.after(5);
        let second = store.db.write(async move |tx| links::create(tx, &new).await).await.unwrap();
        let later = store.task(&token, &second, store.after(6)).await;
        let find = async |provider: &'static str| {
            let token = token.clone();
            let find = async move |tx: &mut Tx<'_>| links::find_unfinished(tx, &token, provider, None).await;
            store.db.read(find).await.unwrap().map(|link| link.id)
        };
        assert_eq!(find("paywell").await, None, "both links have a running task");
        for status in TaskStatus::ALL.into_iter().filter(|status| !status.is_final()) {
            store.put_status(&task, status).await;
            assert_eq!(find("paywell").await, None, "{status}");
        }
        store.put_status(&task, TaskStatus::LoginError).await;
        assert_eq!(find("paywell").await, Some(first.id));
        assert_eq!(find("ledgerline").await, None);
        store.put_status(&later, TaskStatus::Unavailable).await;
        assert_eq!(find("paywell").await, Some(second.id), "the newest");

        let again = store.task(&token, &second, store.after(7)).await;
        assert_eq!(find("paywell").await, Some(first.id), "the second runs again");
        store.put_status(&again, TaskStatus::Done).await;
        assert_eq!(find("paywell").await, Some(first.id), "the second succeeded");
    })
    .await;
}

#[tokio::test]
async fn a_link_is_one_persons() {
    for_each_db("links_person", async |store| {
        let (_, link, _) = store.running_task().await;
        let (person, other) = (store.hash(), store.hash());
        let foreign = Tenant { environment: Environment::Prod, ..link.tenant };
        store
            .db
            .write(async move |tx| {
                assert!(!links::claim_person(tx, foreign, link.id, &other).await?);
                assert!(links::claim_person(tx, link.tenant, link.id, &person).await?);
                assert!(
                    links::claim_person(tx, link.tenant, link.id, &person).await?,
                    "the same person again"
                );
                assert!(!links::claim_person(tx, link.tenant, link.id, &other).await?);
                assert!(links::claim_person(tx, link.tenant, link.id, &person).await?, "nothing was changed");
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_deleted_link_is_never_found() {
    for_each_db("links_deleted", async |store| {
        let (token, link, task) = store.running_task().await;
        store.put_status(&task, TaskStatus::LoginError).await;
        let (hash, now) = (store.hash(), store.now);
        store
            .db
            .write(async move |tx| {
                assert!(links::set_access_token_if_absent(tx, link.tenant, link.id, &hash, &[1]).await?);
                let at = [Value::from(link.id), Value::from(now)];
                tx.execute("update links set deleted_at = $2 where id = $1", &at).await?;
                assert!(links::find(tx, link.tenant, link.id).await?.is_none());
                assert!(links::find_by_access_token(tx, link.tenant, &hash).await?.is_none());
                assert!(links::find_by_file_grant(tx, link.tenant.client_id, link.id).await?.is_none());
                assert!(
                    links::find_unfinished(tx, &token, &link.provider_id, link.company_mapping_id)
                        .await?
                        .is_none()
                );
                assert!(!links::set_access_token_if_absent(tx, link.tenant, link.id, &hash, &[1]).await?);
                assert!(!links::claim_person(tx, link.tenant, link.id, &hash).await?);
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_erased_link_is_gone_with_its_task_and_takes_nothing_new() {
    for_each_db("links_erased", async |store| {
        let (_, link, task) = store.running_task().await;
        let (hash, now, stamp) = (store.hash(), store.after(5), store.stamp());
        let foreign = Tenant { environment: Environment::Prod, ..link.tenant };
        store
            .db
            .write(async move |tx| {
                assert!(links::set_access_token_if_absent(tx, link.tenant, link.id, &hash, &[1]).await?);
                let job = NewJob {
                    id: JobId::from_bytes(*task.id.as_bytes()),
                    kind: "run_task",
                    payload: String::new(),
                    run_at: now,
                    created_at: now,
                };
                jobs::enqueue(tx, &job).await?;
                let held = jobs::claim(tx, "run_task", now, SignedDuration::from_mins(1), 1).await?;
                assert!(!links::erase(tx, foreign, link.id, now, stamp).await?);
                assert!(links::lock(tx, link.tenant, link.id).await?);
                assert!(links::erase(tx, link.tenant, link.id, now, stamp).await?);
                assert!(!links::erase(tx, link.tenant, link.id, now, stamp).await?, "only once");
                assert!(!links::lock(tx, link.tenant, link.id).await?);
                assert!(!jobs::heartbeat(tx, &held[0], now, SignedDuration::from_mins(1)).await?);
                assert!(links::find(tx, link.tenant, link.id).await?.is_none());
                assert!(links::find_by_access_token(tx, link.tenant, &hash).await?.is_none());
                let task = tasks::find(tx, link.tenant, task.id).await?.unwrap();
                assert_eq!((task.status, task.finished_at), (TaskStatus::Error, Some(now)));
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}
