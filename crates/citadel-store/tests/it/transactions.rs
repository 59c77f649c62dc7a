//! How transactions behave, and what SQLite is set to.

use citadel_domain::JobId;
use citadel_store::{
    Db, DbConfig, Error,
    jobs::{self, NewJob},
    settings,
};
use tokio::task::JoinSet;

use crate::{
    fixtures::Done,
    harness::{TempDir, for_each_db, on_sqlite},
};

#[tokio::test]
async fn p34_sqlite_reaches_the_disk_before_it_answers() {
    on_sqlite("p34", &async |store| {
        let (mode, synchronous, version, foreign_keys) = store
            .db
            .write(async |tx| {
                let mode = tx.fetch_one("pragma journal_mode", &[], |row| row.get::<String>(0)).await?;
                let synchronous = tx.fetch_one("pragma synchronous", &[], |row| row.get::<i64>(0)).await?;
                let version =
                    tx.fetch_one("select sqlite_version()", &[], |row| row.get::<String>(0)).await?;
                let foreign_keys = tx.fetch_one("pragma foreign_keys", &[], |row| row.get::<i64>(0)).await?;
                Done::Ok((mode, synchronous, version, foreign_keys))
            })
            .await
            .unwrap();
        assert_eq!((mode.as_str(), synchronous, foreign_keys), ("wal", 2, 1));
        let version: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
        assert!(version >= vec![3, 51, 3], "{version:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p39_64_writers_meet_no_error() {
    for_each_db("p39", async |store| {
        let mut writers = JoinSet::new();
        for writer in 0..64 {
            let store = store.clone();
            writers.spawn(async move {
                for turn in 0..20 {
                    let (id, now) = (JobId::generate(store.now, &*store.random), store.now);
                    let value = format!("{writer} {turn}");
                    let write = store.db.write(async move |tx| {
                        let new =
                            NewJob { id, kind: "test", payload: value.clone(), run_at: now, created_at: now };
                        jobs::enqueue(tx, &new).await?;
                        // One row that everybody wants.
                        settings::put(tx, "last_writer", &value).await
                    });
                    write.await.unwrap();
                }
            });
        }
        writers.join_all().await;
        assert_eq!(store.db.read(async |tx| jobs::count_open(tx).await).await.unwrap(), 64 * 20);
    })
    .await;
}

#[tokio::test]
async fn p39_waiting_for_something_else_inside_a_transaction_is_an_error() {
    on_sqlite("p39_wait", &async |store| {
        let result = store
            .db
            .write(async |tx| {
                settings::put(tx, "a", "b").await?;
                tokio::task::yield_now().await;
                Done::Ok(())
            })
            .await;
        assert!(matches!(result, Err(Error::Waited)), "{result:?}");
        assert_eq!(store.db.read(async |tx| settings::get(tx, "a").await).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn p41_a_second_opener_of_the_file_is_refused() {
    let dir = TempDir::new("p41");
    let config = DbConfig::Sqlite { path: dir.database() };
    let first = Db::open(&config).unwrap();
    assert!(matches!(Db::open(&config).map(drop), Err(Error::InUse)));
    drop(first);
    Db::open(&config).unwrap();
}

#[tokio::test]
async fn a_panic_loses_its_own_transaction_only() {
    on_sqlite("panic", &async |store| {
        let result = store
            .db
            .write(async |tx| {
                settings::put(tx, "a", "b").await?;
                if settings::get(tx, "a").await?.is_some() {
                    panic!("as a test");
                }
                Done::Ok(())
            })
            .await;
        assert!(matches!(result, Err(Error::Panicked)), "{result:?}");
        assert_eq!(store.db.read(async |tx| settings::get(tx, "a").await).await.unwrap(), None);
        store.db.write(async |tx| settings::put(tx, "a", "c").await).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_read_cannot_write() {
    for_each_db("read_only", async |store| {
        assert!(store.db.read(async |tx| settings::put(tx, "a", "b").await).await.is_err());
        assert_eq!(store.db.read(async |tx| settings::get(tx, "a").await).await.unwrap(), None);
    })
    .await;
}
