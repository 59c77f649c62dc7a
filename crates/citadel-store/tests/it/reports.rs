use citadel_store::reports;

use crate::{fixtures::Done, harness::for_each_db};

#[tokio::test]
async fn a_report_is_replaced_by_the_next_of_its_kind() {
    for_each_db("reports", async |store| {
        let (_, link, _) = store.running_task().await;
        let (tenant, id, now, later) = (link.tenant, link.id, store.now, store.after(1));
        store
            .db
            .write(async move |tx| {
                reports::put(tx, tenant, id, "income", &[1], now).await?;
                reports::put(tx, tenant, id, "employment", &[2], now).await?;
                reports::put(tx, tenant, id, "income", &[3], later).await?;
                let found = reports::find(tx, tenant, id, "income").await?.unwrap();
                assert_eq!(
                    (found.kind.as_str(), found.body_sealed, found.updated_at),
                    ("income", vec![3], later)
                );
                assert_eq!(reports::find(tx, tenant, id, "employment").await?.unwrap().body_sealed, [2]);
                assert!(reports::find(tx, tenant, id, "payroll_data").await?.is_none());
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}
