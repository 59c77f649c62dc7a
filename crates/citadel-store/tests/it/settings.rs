use citadel_store::settings;

use crate::{fixtures::Done, harness::for_each_db};

#[tokio::test]
async fn settings_are_kept_and_replaced() {
    for_each_db("settings", async |store| {
        store
            .db
            .write(async |tx| {
                assert_eq!(settings::get(tx, "theme").await?, None);
                settings::put(tx, "theme", "light").await?;
                settings::put(tx, "theme", "dark").await?;
                assert_eq!(settings::get(tx, "theme").await?.as_deref(), Some("dark"));
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}
