use std::sync::Arc;

use citadel_domain::SeededRandom;
use citadel_store::{
    Keyring,
    settings::{self, RootKeyCheck},
};

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

#[tokio::test]
async fn p18_only_the_key_that_sealed_the_database_is_right() {
    for_each_db("p18", async |store| {
        let keyring = |byte| Keyring::open(&[byte; 32], Arc::new(SeededRandom::new(1))).unwrap();
        let (right, wrong) = (keyring(1), keyring(2));
        store
            .db
            .write(async move |tx| {
                assert_eq!(settings::check_root_key(tx, &right).await?, RootKeyCheck::New);
                settings::put_root_key_check(tx, &right).await?;
                assert_eq!(settings::check_root_key(tx, &right).await?, RootKeyCheck::Right);
                assert_eq!(settings::check_root_key(tx, &wrong).await?, RootKeyCheck::Wrong);
                assert_eq!(settings::check_root_key(tx, &right).await?, RootKeyCheck::Right);
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}
