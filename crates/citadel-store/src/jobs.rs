//! The job queue. A job is enqueued in the transaction of its cause, claimed under a lease, worked outside any
//! transaction, and ended under its fencing number: a worker whose lease ran out and whose job another one took can
//! change nothing any more (P36).

use citadel_domain::JobId;
use jiff::{SignedDuration, Timestamp};

use crate::{Error, Tx, value::params};

/// Slices of the queue, so that workers can share it out once one table is too busy.
const SHARDS: u8 = 64;

/// A job to be queued.
#[derive(Clone, Debug)]
pub struct NewJob<'a> {
    pub id: JobId,
    pub kind: &'a str,
    pub payload: String,
    pub run_at: Timestamp,
    pub created_at: Timestamp,
}

impl NewJob<'_> {
    /// What [`Job::fence`] counts from.
    fn fence(&self) -> i64 {
        self.created_at.as_microsecond()
    }
}

/// A job in the hands of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    pub kind: String,
    pub payload: String,
    /// How often it was claimed, this time included.
    pub attempts: i64,
    /// Grows with each claim; only the newest claim may write. It begins with the microsecond of the job's making, so that a job
    /// with the id of a deleted one cannot be written by whoever worked on that.
    pub fence: i64,
}

/// Queues a job.
pub async fn enqueue(tx: &mut Tx<'_>, new: &NewJob<'_>) -> Result<(), Error> {
    let shard = i64::from(new.id.as_bytes()[15] % SHARDS);
    tx.execute(
        "insert into jobs (id, shard, kind, payload, run_at, attempts, fence, done, created_at)
         values ($1, $2, $3, $4, $5, 0, $7, false, $6)",
        params![new.id, shard, new.kind, &new.payload, new.run_at, new.created_at, new.fence()],
    )
    .await
    .map(drop)
}

/// Queues a job that a worker of this process has in its hands already: [`enqueue`] and [`claim`] in one.
pub async fn enqueue_claimed(tx: &mut Tx<'_>, new: &NewJob<'_>, lease: SignedDuration) -> Result<Job, Error> {
    let shard = i64::from(new.id.as_bytes()[15] % SHARDS);
    let fence = new.fence() + 1;
    let job = Job { id: new.id, kind: new.kind.to_owned(), payload: new.payload.clone(), attempts: 1, fence };
    tx.execute(
        "insert into jobs (id, shard, kind, payload, run_at, lease_until, attempts, fence, done, created_at)
         values ($1, $2, $3, $4, $5, $6, 1, $8, false, $7)",
        params![
            job.id,
            shard,
            &job.kind,
            &job.payload,
            new.run_at,
            new.run_at + lease,
            new.created_at,
            fence
        ],
    )
    .await?;
    Ok(job)
}

/// Whether [`claim`] would find anything.
pub async fn is_any_due(tx: &mut Tx<'_>, kind: &str, now: Timestamp) -> Result<bool, Error> {
    let due = tx
        .fetch_optional(
            "select id from jobs
              where done = false and kind = $2 and run_at <= $1 and (lease_until is null or lease_until <= $1)
              limit 1",
            params![now, kind],
            |row| row.get::<JobId>(0),
        )
        .await?;
    Ok(due.is_some())
}

/// Queues a job, or makes the one with its id due: there is at most one. One that was given up begins anew.
///
/// The row is held until the commit. A worker that proves its lease before it decides to end the job can therefore not
/// miss what this transaction left for it.
pub async fn ensure_due(tx: &mut Tx<'_>, new: &NewJob<'_>) -> Result<(), Error> {
    let shard = i64::from(new.id.as_bytes()[15] % SHARDS);
    tx.execute(
        "insert into jobs (id, shard, kind, payload, run_at, attempts, fence, done, created_at)
         values ($1, $2, $3, $4, $5, 0, $7, false, $6)
         on conflict (id) do update set
             run_at = case when jobs.done or jobs.run_at > excluded.run_at then excluded.run_at else jobs.run_at end,
             attempts = case when jobs.done then 0 else jobs.attempts end,
             done = false, buried_because = null",
        params![new.id, shard, new.kind, &new.payload, new.run_at, new.created_at, new.fence()],
    )
    .await
    .map(drop)
}

/// Takes jobs of a kind that are due and in nobody's hands, the longest due first.
pub async fn claim(
    tx: &mut Tx<'_>,
    kind: &str,
    now: Timestamp,
    lease: SignedDuration,
    limit: u32,
) -> Result<Vec<Job>, Error> {
    let sql = tx.dialect().claim_jobs();
    let mut claimed = tx
        .fetch_all(sql, params![now, now + lease, i64::from(limit), kind], |row| {
            let job = Job {
                id: row.get(1)?,
                kind: row.get(2)?,
                payload: row.get(3)?,
                attempts: row.get(4)?,
                fence: row.get(5)?,
            };
            Ok((row.get::<Timestamp>(0)?, job))
        })
        .await?;
    // `returning` promises no order.
    claimed.sort_by_key(|(run_at, job)| (*run_at, job.id));
    Ok(claimed.into_iter().map(|(_, job)| job).collect())
}

/// Says that the worker lives, and proves that it still holds the job. `false` when it does not: write nothing.
pub async fn heartbeat(
    tx: &mut Tx<'_>,
    job: &Job,
    now: Timestamp,
    lease: SignedDuration,
) -> Result<bool, Error> {
    let held = tx
        .execute(
            "update jobs set lease_until = $3 where id = $1 and fence = $2 and done = false",
            params![job.id, job.fence, now + lease],
        )
        .await?;
    Ok(held == 1)
}

/// As [`heartbeat`], after the job got something done: a kill after this does not count as a failed try. The row is held
/// until the commit.
pub async fn progress(
    tx: &mut Tx<'_>,
    job: &Job,
    now: Timestamp,
    lease: SignedDuration,
) -> Result<bool, Error> {
    let held = tx
        .execute(
            "update jobs set lease_until = $3, attempts = 0 where id = $1 and fence = $2 and done = false",
            params![job.id, job.fence, now + lease],
        )
        .await?;
    Ok(held == 1)
}

/// Ends every lease: the start of the only process that uses this database, so nobody who holds one is alive.
pub async fn release_all(tx: &mut Tx<'_>) -> Result<u64, Error> {
    tx.execute("update jobs set lease_until = null where done = false and lease_until is not null", &[]).await
}

/// Gives a job back that was not brought to its end, for another worker to take at once. It is no failed try. Whoever had it
/// can write nothing more. `false` when another worker holds it.
pub async fn release(tx: &mut Tx<'_>, job: &Job) -> Result<bool, Error> {
    let released = tx
        .execute(
            "update jobs set lease_until = null, fence = fence + 1,
                    attempts = case when attempts > 0 then attempts - 1 else 0 end
              where id = $1 and fence = $2 and done = false",
            params![job.id, job.fence],
        )
        .await?;
    Ok(released == 1)
}

/// Removes a job that is done. `false` when another worker holds it.
pub async fn finish(tx: &mut Tx<'_>, job: &Job) -> Result<bool, Error> {
    let finished = tx
        .execute("delete from jobs where id = $1 and fence = $2 and done = false", params![job.id, job.fence])
        .await?;
    Ok(finished == 1)
}

/// Gives a job back, to go on later. `false` when another worker holds it.
pub async fn reschedule(tx: &mut Tx<'_>, job: &Job, run_at: Timestamp, payload: &str) -> Result<bool, Error> {
    let given_back = tx
        .execute(
            "update jobs set run_at = $3, payload = $4, lease_until = null
              where id = $1 and fence = $2 and done = false",
            params![job.id, job.fence, run_at, payload],
        )
        .await?;
    Ok(given_back == 1)
}

/// Lets a job sleep until `run_at`. Unlike [`reschedule`] this is no failed try: the job waits for somebody else.
/// `false` when another worker holds it.
pub async fn park(tx: &mut Tx<'_>, job: &Job, run_at: Timestamp) -> Result<bool, Error> {
    let parked = tx
        .execute(
            "update jobs set run_at = $3, attempts = 0, lease_until = null
              where id = $1 and fence = $2 and done = false",
            params![job.id, job.fence, run_at],
        )
        .await?;
    Ok(parked == 1)
}

/// Makes a sleeping job due: what it waits for has come. `false` when there is no such job.
///
/// The row is held until the commit, even of a job that is being worked: a worker that proves its lease before it decides how
/// long the job sleeps can therefore not miss what this transaction changed.
pub async fn wake(tx: &mut Tx<'_>, id: JobId, now: Timestamp) -> Result<bool, Error> {
    let held = tx
        .execute(
            "update jobs set run_at = case when run_at > $2 then $2 else run_at end where id = $1 and done = false",
            params![id, now],
        )
        .await?;
    Ok(held == 1)
}

/// Takes a job out of the queue for good, and keeps it with the reason for whoever looks into it. `false` when another
/// worker holds it.
pub async fn bury(tx: &mut Tx<'_>, job: &Job, reason: &str) -> Result<bool, Error> {
    let buried = tx
        .execute(
            "update jobs set done = true, buried_because = $3, lease_until = null
              where id = $1 and fence = $2 and done = false",
            params![job.id, job.fence, reason],
        )
        .await?;
    Ok(buried == 1)
}

/// Takes a job away from whoever has it: a worker that wants to write finds it gone, and writes nothing.
pub async fn remove(tx: &mut Tx<'_>, id: JobId) -> Result<(), Error> {
    tx.execute("delete from jobs where id = $1", params![id]).await.map(drop)
}

/// How many jobs are waiting or being worked.
pub async fn count_open(tx: &mut Tx<'_>) -> Result<i64, Error> {
    tx.fetch_one("select cast(count(*) as bigint) from jobs where done = false", &[], |row| row.get(0)).await
}

/// Where the jobs of a kind stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindFigures {
    pub kind: String,
    /// In the hands of a worker.
    pub leased: i64,
    /// Could be claimed now.
    pub due: i64,
    /// Sleep until a time that has not come.
    pub later: i64,
    /// Out of tries: for whoever looks into it.
    pub buried: i64,
    /// Since when the one that has been due for longest has been.
    pub due_since: Option<Timestamp>,
}

/// Where all jobs stand, by kind. A kind without a job is left out.
pub async fn figures(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<KindFigures>, Error> {
    tx.fetch_all(
        "select kind,
                cast(sum(case when done = false and lease_until > $1 then 1 else 0 end) as bigint),
                cast(sum(case when done = false and run_at <= $1 and (lease_until is null or lease_until <= $1)
                              then 1 else 0 end) as bigint),
                cast(sum(case when done = false and run_at > $1 and (lease_until is null or lease_until <= $1)
                              then 1 else 0 end) as bigint),
                cast(sum(case when done = true then 1 else 0 end) as bigint),
                min(case when done = false and run_at <= $1 and (lease_until is null or lease_until <= $1)
                         then run_at end)
           from jobs group by kind order by kind",
        params![now],
        |row| {
            Ok(KindFigures {
                kind: row.get(0)?,
                leased: row.get(1)?,
                due: row.get(2)?,
                later: row.get(3)?,
                buried: row.get(4)?,
                due_since: row.get(5)?,
            })
        },
    )
    .await
}

/// How many jobs could be claimed now.
pub async fn count_due(tx: &mut Tx<'_>, now: Timestamp) -> Result<i64, Error> {
    tx.fetch_one(
        "select cast(count(*) as bigint) from jobs
          where done = false and run_at <= $1 and (lease_until is null or lease_until <= $1)",
        params![now],
        |row| row.get(0),
    )
    .await
}
