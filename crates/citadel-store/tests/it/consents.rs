//! Receipts by the person's page, and what the person does there (P21, P24).

use citadel_domain::Product;
use citadel_store::{consents, links};

use crate::harness::for_each_db;

#[tokio::test]
async fn a_receipt_is_found_by_the_hash_of_its_page_alone() {
    for_each_db("consents_by_page", async |store| {
        let tenant = store.tenant().await;
        let link = store.link(&store.bridge_token(tenant).await).await;
        let mut receipt = store.receipt(&link, store.now);
        receipt.page_hash = Some(store.hash());
        let (hash, other, given) = (receipt.page_hash.unwrap(), store.hash(), receipt.clone());
        store.db.write(async move |tx| consents::give(tx, &given).await).await.unwrap();
        // One without a page is found by no hash, and there may be any number of them.
        for later in [1, 2] {
            let plain = store.receipt(&link, store.after(later));
            store.db.write(async move |tx| consents::give(tx, &plain).await).await.unwrap();
        }
        let found = store.db.read(async move |tx| consents::find_by_page(tx, &hash).await).await.unwrap();
        assert_eq!(found, Some(receipt.clone()));
        assert_eq!((receipt.client_name.as_deref(), receipt.purpose), (Some("Acme"), Some(Product::Income)));
        let none = store.db.read(async move |tx| consents::find_by_page(tx, &other).await).await.unwrap();
        assert_eq!(none, None);
        // No two receipts have one page.
        let twin = consents::Consent { page_hash: Some(hash), ..store.receipt(&link, store.after(3)) };
        assert!(store.db.write(async move |tx| consents::give(tx, &twin).await).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn p21_revoking_ends_a_consent_before_its_time_and_once() {
    for_each_db("consents_revoke", async |store| {
        let tenant = store.tenant().await;
        let token = store.bridge_token(tenant).await;
        let (link, other) = (store.link(&token).await, store.link(&token).await);
        let task = store.task(&token, &link, store.now).await;
        let (id, now) = (link.id, store.after(60));
        let revoke = async || {
            store.db.write(async move |tx| consents::revoke(tx, tenant, id, now).await).await.unwrap()
        };
        assert!(revoke().await);
        assert!(!revoke().await, "it has ended already");
        let find = async |id| {
            store.db.read(async move |tx| links::find(tx, tenant, id).await).await.unwrap().unwrap()
        };
        let ended = find(link.id).await;
        assert_eq!((ended.consent_ended_at, ended.consent_expires_at), (Some(now), now));
        assert!(ended.status != citadel_domain::TaskStatus::Done, "{task:?}");
        assert_eq!(find(other.id).await.consent_ended_at, None, "another link of the same sign-in page");
    })
    .await;
}

#[tokio::test]
async fn p24_a_dispute_is_set_and_lifted_once_each() {
    for_each_db("links_disputed", async |store| {
        let tenant = store.tenant().await;
        let link = store.link(&store.bridge_token(tenant).await).await;
        let id = link.id;
        let set = async |at| {
            store.db.write(async move |tx| links::set_disputed(tx, tenant, id, at).await).await.unwrap()
        };
        let find = async || {
            let link = store.db.read(async move |tx| links::find(tx, tenant, id).await).await.unwrap();
            link.unwrap().disputed_at
        };
        assert!(!set(None).await);
        assert!(set(Some(store.now)).await);
        assert!(!set(Some(store.after(1))).await, "the first time stays");
        assert_eq!(find().await, Some(store.now));
        assert!(set(None).await);
        assert_eq!(find().await, None);
        let stranger = store.tenant().await;
        let now = store.now;
        let foreign = store
            .db
            .write(async move |tx| links::set_disputed(tx, stranger, id, Some(now)).await)
            .await
            .unwrap();
        assert!(!foreign);
    })
    .await;
}
