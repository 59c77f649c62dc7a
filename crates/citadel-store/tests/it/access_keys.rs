use citadel_domain::{AccessKeyId, Environment};
use citadel_store::{
    Error, Tenant,
    access_keys::{self, Deactivated},
    clients,
};
use tokio::task::JoinSet;

use crate::{fixtures::Done, harness::for_each_db};

#[tokio::test]
async fn a_key_is_found_by_its_secret_until_it_is_deleted() {
    for_each_db("keys_found", async |store| {
        let tenant = store.tenant().await;
        let key = store.access_key(tenant).await.unwrap();
        let other = store.access_key(tenant).await.unwrap();
        let (id, now) = (key.id, store.stamp());
        store
            .db
            .write(async move |tx| {
                let found = access_keys::find_active(tx, tenant.client_id, &key.secret_hash).await?.unwrap();
                assert_eq!((found.id, found.environment), (key.id, Environment::Sandbox));
                assert_eq!(found.secret_sealed, key.secret_sealed);
                assert_eq!(access_keys::list_active(tx, tenant.client_id).await?.len(), 2);

                assert!(access_keys::delete(tx, tenant.client_id, id, now).await?);
                assert!(!access_keys::delete(tx, tenant.client_id, id, now).await?, "a second time");
                assert!(access_keys::find_active(tx, tenant.client_id, &key.secret_hash).await?.is_none());
                let left = access_keys::list_active(tx, tenant.client_id).await?;
                assert_eq!(left.iter().map(|key| key.id).collect::<Vec<_>>(), [other.id]);
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p03_fifty_parallel_creations_never_leave_three_active() {
    for_each_db("p03", async |store| {
        let tenant = store.tenant().await;
        let mut creations = JoinSet::new();
        for _ in 0..50 {
            let store = store.clone();
            creations.spawn(async move { store.access_key(tenant).await.map(|key| key.id) });
        }
        let made: Vec<AccessKeyId> = creations.join_all().await.into_iter().flatten().collect();
        assert_eq!(made.len(), 2);
        let active =
            store.db.read(async move |tx| access_keys::list_active(tx, tenant.client_id).await).await;
        assert_eq!(active.unwrap().len(), 2);

        // Another environment counts for itself, and a deleted key makes room.
        assert!(store.access_key(Tenant { environment: Environment::Dev, ..tenant }).await.is_some());
        let now = store.stamp();
        let deleted = store
            .db
            .write(async move |tx| access_keys::delete(tx, tenant.client_id, made[0], now).await)
            .await;
        assert!(deleted.unwrap());
        assert!(store.access_key(tenant).await.is_some());
        assert!(store.access_key(tenant).await.is_none());
    })
    .await;
}

#[tokio::test]
async fn two_keys_never_share_a_secret() {
    for_each_db("keys_unique", async |store| {
        let tenant = store.tenant().await;
        let mut key = store.access_key(tenant).await.unwrap();
        key.id = store.new_access_key(tenant).id;
        let result = store.db.write(async move |tx| access_keys::create(tx, &key).await).await;
        assert!(matches!(result, Err(Error::Conflict)), "{result:?}");
    })
    .await;
}

#[tokio::test]
async fn clients_are_found_and_listed() {
    for_each_db("clients", async |store| {
        let (first, second) = (store.tenant().await, store.tenant().await);
        store
            .db
            .read(async move |tx| {
                let client = clients::find(tx, first.client_id).await?.unwrap();
                assert_eq!(client.name, "Acme Lending");
                assert_eq!(client.allowed_origins, ["https://acme.example", "http://localhost:5001"]);
                let mut ids: Vec<_> = clients::list(tx).await?.into_iter().map(|client| client.id).collect();
                ids.sort();
                let mut expected = [first.client_id, second.client_id];
                expected.sort();
                assert_eq!(ids, expected);
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_end_each_others_key_leave_one() {
    for_each_db("keys_last", async |store| {
        let tenant = store.tenant().await;
        let keys = [store.access_key(tenant).await.unwrap().id, store.access_key(tenant).await.unwrap().id];
        let mut ends = JoinSet::new();
        for id in keys {
            let (db, now) = (store.db.clone(), store.stamp());
            ends.spawn(async move {
                db.write(async move |tx| access_keys::deactivate(tx, tenant, id, now).await).await.unwrap()
            });
        }
        let outcomes = ends.join_all().await;
        assert!(
            outcomes.contains(&Deactivated::Done) && outcomes.contains(&Deactivated::Last),
            "{outcomes:?}"
        );
        let active =
            store.db.read(async move |tx| access_keys::list_active(tx, tenant.client_id).await).await;
        let active = active.unwrap();
        assert_eq!(active.len(), 1);
        let (id, now) = (active[0].id, store.stamp());
        let foreign = Tenant { environment: Environment::Dev, ..tenant };
        let outcome =
            store.db.write(async move |tx| access_keys::deactivate(tx, foreign, id, now).await).await;
        assert_eq!(outcome.unwrap(), Deactivated::Unknown);
    })
    .await;
}
