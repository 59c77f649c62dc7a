//! How transactions behave, and what SQLite is set to.

use std::sync::{Mutex, mpsc};

use citadel_domain::{JobId, Secret};
use citadel_store::{
    Db, DbConfig, Error,
    jobs::{self, NewJob},
    settings,
};
use jiff::Timestamp;
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

fn unavailable(result: &Done) -> bool {
    matches!(result, Err(Error::Unavailable(_)))
}

#[tokio::test]
async fn a_group_that_sqlite_undid_is_kept_by_nobody_and_hurts_no_later_one() {
    on_sqlite("undone", &async |store| {
        let put = |name: &'static str| store.db.write(async move |tx| settings::put(tx, name, "kept").await);
        let (open, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        // Holds the writer until the others wait, so that they share a group.
        let held = store.db.write(async move |tx| {
            gate.lock().unwrap().recv().unwrap();
            settings::put(tx, "held", "kept").await
        });
        let undone = store.db.write(async |tx| {
            settings::put(tx, "undone", "kept").await?;
            // As SQLite itself does when the disk is full.
            tx.execute("rollback", &[]).await?;
            let afterwards = settings::put(tx, "afterwards", "kept").await;
            assert!(unavailable(&afterwards), "{afterwards:?}");
            Done::Ok(())
        });
        let (held, before, undone, after, ()) =
            tokio::join!(held, put("before"), undone, put("after"), async { open.send(()).unwrap() });
        assert!(unavailable(&undone), "{undone:?}");
        after.unwrap();
        // How far back the group reaches is up to the machine; who shared it was told so.
        for other in [&held, &before] {
            assert!(other.is_ok() || unavailable(other), "{other:?}");
        }
        let names = ["held", "before", "undone", "afterwards", "after"];
        let kept = store.db.read(async move |tx| {
            let mut kept = Vec::new();
            for name in names {
                kept.push(settings::get(tx, name).await?.is_some());
            }
            Done::Ok(kept)
        });
        assert_eq!(kept.await.unwrap(), [held.is_ok(), before.is_ok(), false, false, true]);
    })
    .await;
}

#[tokio::test]
async fn what_is_deleted_is_wiped_from_the_file() {
    let dir = TempDir::new("wiped");
    let db = Db::open(&DbConfig::Sqlite { path: dir.database() }).unwrap();
    db.migrate(Timestamp::UNIX_EPOCH).await.unwrap();
    let is_in_file = || {
        let file = std::fs::read(dir.database()).unwrap();
        file.windows(b"marker-of-a-row".len()).any(|bytes| bytes == b"marker-of-a-row")
    };
    db.write(async |tx| settings::put(tx, "a", "marker-of-a-row").await).await.unwrap();
    db.checkpoint().await.unwrap();
    assert!(is_in_file());
    db.write(async |tx| tx.execute("delete from settings", &[]).await).await.unwrap();
    db.checkpoint().await.unwrap();
    assert!(!is_in_file());
}

#[tokio::test]
async fn a_probe_of_the_database_changes_a_row() {
    for_each_db("probe", async |store| {
        let probe =
            async || store.db.read(async |tx| settings::get(tx, "readiness_probe").await).await.unwrap();
        assert_eq!(probe().await, None);
        store.db.ping_write(store.now).await.unwrap();
        let first = probe().await;
        store.db.ping_write(store.after(1)).await.unwrap();
        assert!(first.is_some() && first != probe().await);
    })
    .await;
}

#[test]
fn p57_the_settings_of_a_database_print_no_password() {
    let url = Secret::new("postgres://citadel:hunter2@db.example/citadel");
    let printed = format!("{:?}", DbConfig::Postgres { url, pool_size: 4 });
    assert!(!printed.contains("hunter2") && !printed.contains("db.example"), "{printed}");
}
