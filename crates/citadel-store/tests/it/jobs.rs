use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use citadel_domain::JobId;
use citadel_store::jobs::{self, Job, NewJob};
use jiff::{SignedDuration, Timestamp};
use tokio::{sync::oneshot, task::JoinSet};

use crate::{
    fixtures::Done,
    harness::{Store, for_each_db},
};

const LEASE: SignedDuration = SignedDuration::from_secs(30);

async fn claim(store: &Store, now: Timestamp, limit: u32) -> Vec<Job> {
    store.db.write(async move |tx| jobs::claim(tx, "run_task", now, LEASE, limit).await).await.unwrap()
}

async fn counts(store: &Store, now: Timestamp) -> (i64, i64) {
    let count = async move |tx: &mut citadel_store::Tx<'_>| {
        Done::Ok((jobs::count_open(tx).await?, jobs::count_due(tx, now).await?))
    };
    store.db.read(count).await.unwrap()
}

#[tokio::test]
async fn due_jobs_are_claimed_oldest_first_and_held_for_the_lease() {
    for_each_db("jobs_claim", async |store| {
        let late = store.job(store.after(-1)).await;
        let early = store.job(store.after(-5)).await;
        let future = store.job(store.after(100)).await;
        assert_eq!(counts(&store, store.now).await, (3, 2));

        let first = claim(&store, store.now, 1).await;
        assert_eq!(first.iter().map(|job| job.id).collect::<Vec<_>>(), [early]);
        let fence = store.after(-5).as_microsecond() + 1;
        assert_eq!((first[0].attempts, first[0].fence, first[0].kind.as_str()), (1, fence, "run_task"));
        assert_eq!(first[0].payload, r#"{"n":1}"#);
        assert_eq!(claim(&store, store.now, 9).await.iter().map(|job| job.id).collect::<Vec<_>>(), [late]);
        assert_eq!(claim(&store, store.now, 9).await, []);
        assert_eq!(claim(&store, store.after(29), 9).await, []);

        let again = claim(&store, store.after(30), 9).await;
        assert_eq!(again.iter().map(|job| job.id).collect::<Vec<_>>(), [early, late]);
        assert_eq!((again[0].attempts, again[0].fence), (2, fence + 1));
        assert_eq!(claim(&store, store.after(100), 9).await.len(), 3);
        assert_eq!(counts(&store, store.after(100)).await, (3, 0));
        assert_ne!(future, late);
    })
    .await;
}

#[tokio::test]
async fn a_job_ends_by_finish_by_bury_or_goes_on_later() {
    for_each_db("jobs_end", async |store| {
        for _ in 0..3 {
            store.job(store.now).await;
        }
        let claimed = claim(&store, store.now, 9).await;
        let (now, later) = (store.now, store.after(60));
        store
            .db
            .write(async move |tx| {
                let [finished, buried, again] = &claimed[..] else { panic!("{claimed:?}") };
                assert!(jobs::finish(tx, finished).await?);
                assert!(!jobs::finish(tx, finished).await?);
                assert!(jobs::bury(tx, buried, "out of tries").await?);
                assert!(!jobs::heartbeat(tx, buried, now, LEASE).await?);
                assert!(jobs::heartbeat(tx, again, now, LEASE).await?);
                assert!(jobs::reschedule(tx, again, later, "{}").await?);
                assert_eq!(jobs::count_open(tx).await?, 1);
                Done::Ok(())
            })
            .await
            .unwrap();
        assert_eq!(claim(&store, store.after(59), 9).await, []);
        let again = claim(&store, later, 9).await;
        let fence = store.now.as_microsecond() + 2;
        assert_eq!((again.len(), again[0].payload.as_str(), again[0].fence), (1, "{}", fence));
    })
    .await;
}

#[tokio::test]
async fn a_sleeping_job_is_woken_once() {
    for_each_db("jobs_wake", async |store| {
        let id = store.job(store.now).await;
        let job = claim(&store, store.now, 1).await.remove(0);
        let (parked, now, next) = (job.clone(), store.after(1), store.after(2));
        store
            .db
            .write(async move |tx| {
                assert!(jobs::wake(tx, id, now).await?, "it is being worked, which changes nothing");
                assert!(jobs::park(tx, &parked, now + LEASE).await?);
                assert!(jobs::wake(tx, id, now).await?);
                assert!(jobs::wake(tx, id, now + LEASE).await?, "it is due, which changes nothing");
                assert!(!jobs::wake(tx, JobId::from_bytes([9; 16]), now).await?);
                Done::Ok(())
            })
            .await
            .unwrap();
        assert_eq!(claim(&store, store.now, 1).await, []);
        let woken = claim(&store, now, 1).await.remove(0);
        let fence = job.fence + 1;
        assert_eq!((woken.id, woken.attempts, woken.fence), (job.id, 1, fence), "waiting is no failed try");
        store
            .db
            .write(async move |tx| {
                assert!(jobs::reschedule(tx, &woken, next + LEASE, "{}").await?);
                let [buried] = &jobs::claim(tx, "run_task", next + LEASE, LEASE, 1).await?[..] else {
                    panic!()
                };
                assert!(jobs::bury(tx, buried, "out of tries").await?);
                assert!(!jobs::wake(tx, id, now).await?, "it was given up");
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_wakes_a_job_holds_it_against_its_worker() {
    for_each_db("jobs_wake_holds", async |store| {
        let id = store.job(store.now).await;
        let job = claim(&store, store.now, 1).await.remove(0);
        let (woken, is_woken) = oneshot::channel();
        let woken = Arc::new(Mutex::new(Some(woken)));
        let is_done = Arc::new(AtomicBool::new(false));
        let (db, done, now) = (store.db.clone(), Arc::clone(&is_done), store.now);
        let waker = tokio::spawn(async move {
            db.write(async move |tx| {
                assert!(jobs::wake(tx, id, now).await?);
                if let Some(woken) = woken.lock().unwrap().take() {
                    woken.send(()).unwrap();
                }
                std::thread::sleep(Duration::from_millis(200));
                done.store(true, Ordering::SeqCst);
                Done::Ok(())
            })
            .await
        });
        is_woken.await.unwrap();
        let progressed = store.db.write(async move |tx| jobs::progress(tx, &job, now, LEASE).await).await;
        assert!(progressed.unwrap());
        assert!(is_done.load(Ordering::SeqCst), "the worker went on before what it was woken for was there");
        waker.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_job_with_the_id_of_a_deleted_one_is_another_job() {
    for_each_db("jobs_same_id", async |store| {
        let id = store.job(store.now).await;
        let stale = claim(&store, store.now, 1).await.remove(0);
        let later = store.after(1);
        store
            .db
            .write(async move |tx| {
                assert!(jobs::finish(tx, &stale).await?);
                let new =
                    NewJob { id, kind: "run_task", payload: String::new(), run_at: later, created_at: later };
                jobs::enqueue(tx, &new).await?;
                assert_eq!(jobs::claim(tx, "run_task", later, LEASE, 1).await?.len(), 1);
                assert!(!jobs::heartbeat(tx, &stale, later, LEASE).await?);
                assert!(!jobs::finish(tx, &stale).await?);
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn each_kind_of_job_is_claimed_by_itself() {
    for_each_db("jobs_kinds", async |store| {
        store.job(store.now).await;
        let now = store.now;
        let claim =
            async move |tx: &mut citadel_store::Tx<'_>| jobs::claim(tx, "deliver", now, LEASE, 9).await;
        assert_eq!(store.db.write(claim).await.unwrap(), []);
        let id = JobId::generate(now, &*store.random);
        let new =
            move |run_at| NewJob { id, kind: "deliver", payload: "{}".to_owned(), run_at, created_at: now };
        let later = store.after(60);
        store
            .db
            .write(async move |tx| {
                jobs::ensure_due(tx, &new(later)).await?;
                assert_eq!(jobs::claim(tx, "deliver", now, LEASE, 9).await?, []);
                jobs::ensure_due(tx, &new(now)).await?;
                // What is due stays so.
                jobs::ensure_due(tx, &new(later)).await?;
                let [job] = &jobs::claim(tx, "deliver", now, LEASE, 9).await?[..] else { panic!("one job") };
                jobs::ensure_due(tx, &new(now)).await?;
                assert_eq!(jobs::claim(tx, "deliver", now, LEASE, 9).await?, [], "it is in somebody's hands");
                assert!(jobs::progress(tx, job, now, LEASE).await?);
                assert!(jobs::bury(tx, job, "out of tries").await?);
                jobs::ensure_due(tx, &new(now)).await?;
                let [again] = &jobs::claim(tx, "deliver", now, LEASE, 9).await?[..] else { panic!("anew") };
                assert_eq!((again.attempts, again.fence), (1, job.fence + 1));
                assert!(!jobs::progress(tx, job, now, LEASE).await?, "a stale worker");
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn leases_of_dead_processes_are_ended_at_once() {
    for_each_db("jobs_release", async |store| {
        let id = store.job(store.now).await;
        let first = claim(&store, store.now, 9).await.remove(0);
        assert_eq!(store.db.write(async |tx| jobs::release_all(tx).await).await.unwrap(), 1);
        let again = claim(&store, store.now, 9).await.remove(0);
        assert_eq!((again.id, again.attempts, again.fence), (id, 2, first.fence + 1));
    })
    .await;
}

#[tokio::test]
async fn p36_a_stale_worker_is_refused() {
    for_each_db("p36", async |store| {
        store.job(store.now).await;
        let stale = claim(&store, store.now, 1).await.remove(0);
        let holder = claim(&store, store.after(31), 1).await.remove(0);
        assert_eq!((holder.id, holder.fence), (stale.id, stale.fence + 1));
        let now = store.after(32);
        store
            .db
            .write(async move |tx| {
                assert!(!jobs::heartbeat(tx, &stale, now, LEASE).await?);
                assert!(!jobs::reschedule(tx, &stale, now, "stale").await?);
                assert!(!jobs::bury(tx, &stale, "stale").await?);
                assert!(!jobs::finish(tx, &stale).await?);
                assert!(jobs::heartbeat(tx, &holder, now, LEASE).await?);
                assert!(jobs::finish(tx, &holder).await?);
                assert_eq!(jobs::count_open(tx).await?, 0);
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p36_eight_workers_claim_four_hundred_jobs_once_each() {
    for_each_db("p36_workers", async |store| {
        for _ in 0..400 {
            store.job(store.now).await;
        }
        let mut workers = JoinSet::new();
        for _ in 0..8 {
            let store = store.clone();
            workers.spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let claimed = claim(&store, store.now, 7).await;
                    if claimed.is_empty() {
                        return mine;
                    }
                    mine.extend(claimed.into_iter().map(|job| job.id));
                }
            });
        }
        let claimed: Vec<_> = workers.join_all().await.into_iter().flatten().collect();
        assert_eq!(claimed.len(), 400);
        assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), 400);
    })
    .await;
}
