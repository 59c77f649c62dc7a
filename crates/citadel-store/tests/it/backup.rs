//! P60: a backup is whole, sealed and checked, and what is wrong with one is said.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use citadel_domain::SeededRandom;
use citadel_store::{
    Db, DbConfig, Keyring,
    backup::{self, Error, Progress},
    root_keys, settings,
};

use crate::harness::{Store, TempDir};

fn keyring(byte: u8) -> Arc<Keyring> {
    Arc::new(Keyring::open(&[byte; 32], Arc::new(SeededRandom::new(u64::from(byte)))).unwrap())
}

fn quiet() -> Progress {
    Arc::new(|_, _| ())
}

/// An embedded database with a few rows.
async fn filled(dir: &TempDir) -> (Store, Arc<Keyring>) {
    let store = Store::open(&DbConfig::Sqlite { path: dir.database() }).await;
    let keyring = keyring(1);
    let (kept, now) = (Arc::clone(&keyring), store.now);
    store.db.write(async move |tx| root_keys::keep(tx, &kept, now).await).await.unwrap();
    store.running_task().await;
    (store, keyring)
}

#[tokio::test]
async fn p60_a_backup_is_checked_and_restores() {
    let dir = TempDir::new("p60_round");
    let (store, keyring) = filled(&dir).await;
    let (target, copy) = (dir.path().join("one.backup"), dir.path().join("copy.db"));
    let most = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&most);
    let progress: Progress = Arc::new(move |done, of| {
        assert!(done <= of);
        seen.fetch_max(done, Ordering::Relaxed);
    });
    // The server has the database meanwhile.
    let made = backup::create(&dir.database(), &target, &keyring, store.now, &progress).unwrap();
    assert_eq!((made.rows["links"], made.rows["clients"], made.rows["webhooks"]), (1, 1, 0));
    assert_eq!((made.schema.as_str(), made.made_at), (Db::migrations().last().unwrap(), store.now));
    assert_eq!(most.load(Ordering::Relaxed), 2 * made.bytes);
    assert_eq!(backup::verify(&target, dir.path(), &keyring, &quiet()).unwrap(), made);
    let again = backup::create(&dir.database(), &target, &keyring, store.now, &quiet());
    assert!(matches!(again, Err(Error::File { .. })), "no file is replaced: {again:?}");

    assert_eq!(backup::extract(&target, &copy, &keyring, &quiet()).unwrap(), made);
    let restored = Db::open(&DbConfig::Sqlite { path: copy }).unwrap();
    let tasks = restored
        .read(async |tx| tx.fetch_one("select count(*) from tasks", &[], |row| row.get::<i64>(0)).await);
    assert_eq!(tasks.await.unwrap(), 1);
    // Nothing lies about but what was asked for.
    let mut names: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.retain(|name| !name.starts_with("citadel.") && !name.starts_with("copy."));
    assert_eq!(names, ["one.backup"]);
}

#[tokio::test]
async fn p60_a_backup_that_was_touched_or_cut_is_refused() {
    let dir = TempDir::new("p60_damage");
    let (store, keyring) = filled(&dir).await;
    let target = dir.path().join("one.backup");
    backup::create(&dir.database(), &target, &keyring, store.now, &quiet()).unwrap();
    let good = fs::read(&target).unwrap();
    assert!(good.len() > 100_000, "{}", good.len());
    let bad = dir.path().join("bad.backup");
    let verify = |bytes: &[u8]| {
        fs::write(&bad, bytes).unwrap();
        backup::verify(&bad, dir.path(), &keyring, &quiet())
    };
    assert!(verify(&good).is_ok());
    for place in [0, 9, 20, 44, 60, good.len() / 3, good.len() / 2, good.len() - 1] {
        let mut bytes = good.clone();
        bytes[place] ^= 1;
        assert!(verify(&bytes).is_err(), "bit at {place}");
    }
    for length in [0, 7, 43, 44, 47, 100, good.len() / 2, good.len() - 1] {
        assert!(verify(&good[..length]).is_err(), "cut at {length}");
    }
    let longer = [good.as_slice(), &[0]].concat();
    assert!(matches!(verify(&longer), Err(Error::Damaged(_))));
    // Chunks that open by themselves do not stand for the whole: without the last one, and with one left out.
    let chunk = |from: usize| 4 + u32::from_be_bytes(good[from..from + 4].try_into().unwrap()) as usize;
    let first = 44 + chunk(44);
    assert!(matches!(verify(&good[..first]), Err(Error::Damaged(_))));
    assert!(matches!(verify(&[&good[..44], &good[first..]].concat()), Err(Error::Damaged(_))));
    fs::write(&bad, &good).unwrap();
    let other = backup::verify(&bad, dir.path(), &self::keyring(2), &quiet());
    assert!(matches!(other, Err(Error::UnknownKey(_))), "{other:?}");
    assert!(matches!(verify(b"PK\x03\x04 something else altogether, and long enough"), Err(Error::NoBackup)));
}

#[tokio::test]
async fn p60_a_backup_of_another_key_or_of_a_newer_schema_is_refused() {
    let dir = TempDir::new("p60_other");
    let (store, keyring) = filled(&dir).await;
    let wrong =
        backup::create(&dir.database(), &dir.path().join("x.backup"), &self::keyring(2), store.now, &quiet());
    assert!(matches!(wrong, Err(Error::WrongKey)), "{wrong:?}");
    let newer = store.db.write(async |tx| {
        tx.execute(
            "insert into schema_migrations (name, checksum, applied_at) values ('9999_later', '', 0)",
            &[],
        )
        .await
    });
    newer.await.unwrap();
    let target = dir.path().join("newer.backup");
    backup::create(&dir.database(), &target, &keyring, store.now, &quiet()).unwrap();
    let refused = backup::verify(&target, dir.path(), &keyring, &quiet());
    assert!(matches!(&refused, Err(Error::Newer(name)) if name == "9999_later"), "{refused:?}");
}

/// Rows are written one after another while the backup is taken: it holds all of them up to one, and at least those that were
/// there when it began.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p60_a_backup_under_writes_is_one_moment() {
    let dir = TempDir::new("p60_writes");
    let (store, keyring) = filled(&dir).await;
    let (written, is_done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let (db, count, stop) = (store.db.clone(), Arc::clone(&written), Arc::clone(&is_done));
    let writer = tokio::spawn(async move {
        let mut number = 0;
        while !stop.load(Ordering::Relaxed) {
            number += 1;
            let name = format!("write-{number:06}");
            db.write(async move |tx| settings::put(tx, &name, "x").await).await.unwrap();
            count.store(number, Ordering::Release);
        }
        number
    });
    while written.load(Ordering::Acquire) < 20 {
        tokio::task::yield_now().await;
    }
    for round in 0..3 {
        let before = written.load(Ordering::Acquire);
        let target = dir.path().join(format!("{round}.backup"));
        let (source, keyring, now) = (dir.database(), Arc::clone(&keyring), store.now);
        let copy = dir.path().join(format!("{round}.db"));
        let extracted = copy.clone();
        tokio::task::spawn_blocking(move || {
            backup::create(&source, &target, &keyring, now, &quiet()).unwrap();
            backup::extract(&target, &extracted, &keyring, &quiet()).unwrap();
        })
        .await
        .unwrap();
        let (rows, last) = rows_of(&copy).await;
        assert_eq!(rows, last, "nothing is missing in between");
        assert!(rows >= before, "{rows} {before}");
    }
    is_done.store(true, Ordering::Relaxed);
    writer.await.unwrap();
}

/// How many rows the writer had written, and the number of the last one.
async fn rows_of(path: &Path) -> (u64, u64) {
    let db = Db::open(&DbConfig::Sqlite { path: path.to_owned() }).unwrap();
    let sql =
        "select count(*), max(cast(substr(name, 7) as integer)) from settings where name like 'write-%'";
    let read = db.read(async move |tx| {
        tx.fetch_one(sql, &[], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?))).await
    });
    let (rows, last) = read.await.unwrap();
    (rows.unsigned_abs(), last.unsigned_abs())
}
