//! Seals, keyed hashes, commits that are shared, and what a row costs in a table that grows: time and allocations.

#![allow(clippy::disallowed_methods, reason = "how large a table to fill comes from the environment")]

use std::{path::PathBuf, sync::Arc};

use aws_lc_rs::rand;
use citadel_domain::{Clock, Environment, JobId, ManualClock, Random};
use citadel_store::{
    DataKey, Db, DbConfig, Keyring, Place, Tenant,
    jobs::{self, NewJob},
};
use divan::{AllocProfiler, Bencher, counter::BytesCount, counter::ItemsCount};
use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// A token, a sign-in, and a report before it is made shorter.
const SIZES: [usize; 3] = [200, 6 << 10, 29 << 10];

fn main() {
    divan::main();
}

struct Dice;

impl Random for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes).expect("random bytes");
    }
}

fn key() -> (Keyring, DataKey, Place) {
    let keyring = Keyring::open(&[7; 32], Arc::new(Dice)).expect("keys");
    let tenant = Tenant {
        client_id: citadel_domain::ClientId::from_bytes([1; 16]),
        environment: Environment::Sandbox,
    };
    let place = Place::new(tenant, "reports", "income", [2; 16]);
    let (key, _) = keyring.new_data_key(&place).expect("a key");
    (keyring, key, place)
}

#[divan::bench(args = SIZES)]
fn seal(bencher: Bencher, size: usize) {
    let ((_, key, place), plain) = (key(), vec![b'x'; size]);
    bencher.counter(BytesCount::new(size)).bench_local(|| key.seal(&place, &plain));
}

#[divan::bench(args = SIZES)]
fn open(bencher: Bencher, size: usize) {
    let (_, key, place) = key();
    let sealed = key.seal(&place, &vec![b'x'; size]).expect("sealed");
    bencher.counter(BytesCount::new(size)).bench_local(|| key.open(&place, &sealed));
}

#[divan::bench]
fn unwrap_data_key(bencher: Bencher) {
    let (keyring, _, place) = key();
    let (_, wrapped) = keyring.new_data_key(&place).expect("a key");
    bencher.bench_local(|| keyring.unwrap_data_key(&place, &wrapped));
}

#[divan::bench]
fn keyed_hash(bencher: Bencher) {
    let (keyring, ..) = key();
    bencher.bench_local(|| keyring.keyed_hash("access_token", "c06c692448427a36d43c4d565aa6324b"));
}

/// A store in a folder of its own, which goes with it.
struct Store {
    runtime: Runtime,
    db: Db,
    clock: Arc<ManualClock>,
    folder: PathBuf,
}

impl Store {
    fn new(name: &str) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let folder = std::env::temp_dir().join(format!("citadel-store-{name}-{}", std::process::id()));
        std::fs::create_dir(&folder).expect("a folder");
        let db = Db::open(&DbConfig::Sqlite { path: folder.join("citadel.db") }).expect("a database");
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        runtime.block_on(db.migrate(clock.now())).expect("tables");
        Self { runtime, db, clock, folder }
    }

    /// So many transactions that wait together, each with so many rows.
    fn commit(&self, waiting: usize, rows: usize) {
        let now = self.clock.now();
        self.runtime.block_on(async {
            let all: Vec<_> = (0..waiting)
                .map(|_| {
                    let db = self.db.clone();
                    tokio::spawn(async move {
                        db.write(async move |tx| {
                            for _ in 0..rows {
                                let id = JobId::generate(now, &Dice);
                                let payload = "{}".to_owned();
                                let job = NewJob { id, kind: "bench", payload, run_at: now, created_at: now };
                                jobs::enqueue(tx, &job).await?;
                            }
                            Ok::<_, citadel_store::Error>(())
                        })
                        .await
                    })
                })
                .collect();
            for one in all {
                one.await.expect("no panic").expect("a commit");
            }
        });
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Commits that wait together share one sync.
#[divan::bench(args = [1, 8, 32, 128])]
fn group_commit(bencher: Bencher, waiting: usize) {
    let store = Store::new(&format!("group-{waiting}"));
    bencher.counter(ItemsCount::new(waiting)).bench_local(|| store.commit(waiting, 1));
}

/// How large the table is before the rows that are measured: up to a hundred thousand, and to ten million where
/// CITADEL_BENCH_ROWS says so (that takes minutes).
fn table_sizes() -> Vec<usize> {
    let most = std::env::var("CITADEL_BENCH_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    (3..=7).map(|power| 10_usize.pow(power)).filter(|size| *size <= most).collect()
}

/// A thousand rows with their two indexes in one commit.
#[divan::bench(args = table_sizes(), sample_count = 20, sample_size = 1)]
fn insert(bencher: Bencher, size: usize) {
    let store = Store::new(&format!("insert-{size}"));
    for _ in 0..size / 1000 {
        store.commit(1, 1000);
    }
    bencher.counter(ItemsCount::new(1000_usize)).bench_local(|| store.commit(1, 1000));
}
