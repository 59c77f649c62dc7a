use citadel_domain::{CompanyId, LinkId};
use citadel_store::{access_keys, bridge_tokens, links};
use tokio::task::JoinSet;

use crate::{fixtures::Done, harness::for_each_db};

#[tokio::test]
async fn a_token_is_found_by_its_hash_with_everything_it_binds() {
    for_each_db("bridge_found", async |store| {
        let tenant = store.tenant().await;
        let key = store.access_key(tenant).await.unwrap();
        let mut new = store.new_bridge_token(tenant, key.id);
        new.tracking_info = Some("loan 17 — \"Zoë\"".to_owned());
        new.company_mapping_id = Some(CompanyId::from_bytes([1; 16]));
        new.provider_id = Some("paywell".to_owned());
        new.link_id = Some(LinkId::from_bytes([2; 16]));
        let unknown = store.hash();
        store
            .db
            .write(async move |tx| {
                bridge_tokens::create(tx, &new).await?;
                let found = bridge_tokens::find_by_hash(tx, &new.token_hash).await?.unwrap();
                assert_eq!((found.id, found.tenant, found.access_key_id), (new.id, tenant, key.id));
                assert_eq!((found.product, &found.allowed_products), (new.product, &new.allowed_products));
                assert_eq!(
                    (&found.client_name, &found.tracking_info),
                    (&new.client_name, &new.tracking_info)
                );
                assert_eq!((found.company_mapping_id, found.link_id), (new.company_mapping_id, new.link_id));
                assert_eq!(found.provider_id, new.provider_id);
                assert_eq!(found.data_sources, ["payroll"]);
                assert_eq!((found.created_at, found.expires_at), (new.created_at, new.expires_at));
                assert_eq!(found.allowed_origins, ["https://acme.example", "http://localhost:5001"]);
                assert!(!found.is_revoked);
                assert!(bridge_tokens::find_by_hash(tx, &unknown).await?.is_none());
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p08_a_token_makes_ten_links_even_when_asked_in_parallel() {
    for_each_db("p08", async |store| {
        let tenant = store.tenant().await;
        let token = store.bridge_token(tenant).await;
        let mut counts = JoinSet::new();
        for _ in 0..40 {
            let (db, token) = (store.db.clone(), token.clone());
            counts.spawn(async move {
                db.write(async move |tx| bridge_tokens::count_link(tx, &token, 10).await).await.unwrap()
            });
        }
        assert_eq!(counts.join_all().await.into_iter().filter(|counted| *counted).count(), 10);
    })
    .await;
}

#[tokio::test]
async fn a_token_is_revoked_with_its_access_key() {
    for_each_db("bridge_revoked", async |store| {
        let tenant = store.tenant().await;
        let (key, other) = (store.access_key(tenant).await.unwrap(), store.access_key(tenant).await.unwrap());
        let new = store.new_bridge_token(tenant, key.id);
        let stamps = [store.stamp(), store.stamp()];
        store
            .db
            .write(async move |tx| {
                bridge_tokens::create(tx, &new).await?;
                assert!(access_keys::delete(tx, tenant.client_id, other.id, stamps[0]).await?);
                let found = bridge_tokens::find_by_hash(tx, &new.token_hash).await?.unwrap();
                assert!(!found.is_revoked, "by another key");
                assert!(access_keys::delete(tx, tenant.client_id, key.id, stamps[1]).await?);
                let found = bridge_tokens::find_by_hash(tx, &new.token_hash).await?.unwrap();
                assert!(found.is_revoked);
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_sign_ins_of_a_token_are_counted_and_happen_one_after_another() {
    for_each_db("bridge_sign_ins", async |store| {
        let tenant = store.tenant().await;
        let token = store.bridge_token(tenant).await;
        let mut sign_ins = JoinSet::new();
        for _ in 0..12 {
            let (db, token, new) = (store.db.clone(), token.clone(), store.new_link(&token));
            sign_ins.spawn(async move {
                // What a sign-in does: it goes on with the link that is there, or makes one.
                db.write(async move |tx| {
                    if bridge_tokens::count_sign_in(tx, &token, 8, store.now).await?.is_none() {
                        return Done::Ok(None);
                    }
                    let found =
                        links::find_unfinished(tx, &token, &new.provider_id, new.company_mapping_id).await?;
                    Ok(Some(match found {
                        Some(link) => link.id,
                        None => links::create(tx, &new).await?.id,
                    }))
                })
                .await
                .unwrap()
            });
        }
        let links: Vec<_> = sign_ins.join_all().await.into_iter().flatten().collect();
        assert_eq!(links.len(), 8);
        assert!(links.iter().all(|link| *link == links[0]), "{links:?}");
    })
    .await;
}
