//! A closed loop: so many connections, each sending its next request when the last one was answered. One thread.

use std::{
    cell::RefCell,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::bail;
use hdrhistogram::Histogram;
use tokio::{
    runtime::Builder,
    task::LocalSet,
    time::{interval, sleep},
};

use crate::{
    http::Connection,
    signals,
    system::{self, Others},
};

/// How much longer than its time something may take: a program that answers no more ends the run.
const PATIENCE: Duration = Duration::from_secs(60);

/// What one connection does again and again.
pub(crate) trait Script {
    /// One turn, from the first request to the last answer.
    async fn turn(&mut self, connection: &mut Connection) -> anyhow::Result<()>;
}

/// What a loop came to.
pub(crate) struct Outcome {
    pub(crate) turns: u64,
    pub(crate) elapsed: Duration,
    /// CPU time of the process that answered.
    pub(crate) cpu: Duration,
    /// Time of a turn, in microseconds.
    pub(crate) times: Histogram<u64>,
    /// The share of the machine that others used.
    pub(crate) others: f64,
}

impl Outcome {
    pub(crate) fn per_second(&self) -> f64 {
        self.turns as f64 / self.elapsed.as_secs_f64()
    }

    /// CPU time of the answering process per turn, in microseconds.
    pub(crate) fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.turns.max(1) as f64
    }
}

/// Runs `connections` copies of a script against the process `pid` at `address`, for about `time`. A wrong answer voids it.
pub(crate) fn run<S: Script + 'static>(
    address: SocketAddr,
    pid: u32,
    connections: usize,
    time: Duration,
    script: impl Fn(usize) -> S,
) -> anyhow::Result<Outcome> {
    run_all(address, &[pid], connections, time, script)
}

/// The same where several processes answer.
pub(crate) fn run_all<S: Script + 'static>(
    address: SocketAddr,
    pids: &[u32],
    connections: usize,
    time: Duration,
    script: impl Fn(usize) -> S,
) -> anyhow::Result<Outcome> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    let times = Rc::new(RefCell::new(Histogram::<u64>::new_with_bounds(1, 600_000_000, 3)?));
    local.block_on(&runtime, async {
        let mut open = Vec::with_capacity(connections);
        for number in 0..connections {
            open.push((Connection::open(address).await?, script(number)));
        }
        let others = Others::watch(pids)?;
        let cpu = system::cpu_time_of(pids)?;
        let started = Instant::now();
        let until = started + time;
        let tasks: Vec<_> = open
            .into_iter()
            .map(|(mut connection, mut script)| {
                let times = Rc::clone(&times);
                tokio::task::spawn_local(async move {
                    while Instant::now() < until {
                        signals::check()?;
                        let begun = Instant::now();
                        script.turn(&mut connection).await?;
                        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
                        times.borrow_mut().saturating_record(micros);
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        let all = async {
            for task in tasks {
                task.await??;
            }
            Ok(())
        };
        until_stopped(time + PATIENCE, all).await?;
        let elapsed = started.elapsed();
        let times = times.borrow().clone();
        Ok(Outcome {
            turns: times.len(),
            elapsed,
            cpu: system::cpu_time_of(pids)?.saturating_sub(cpu),
            times,
            others: others.share()?,
        })
    })
}

/// Runs something async and short on this thread.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    block_on_for(Duration::ZERO, work)
}

/// Runs something async that takes `time` on this thread.
pub(crate) fn block_on_for<T>(
    time: Duration,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    Builder::new_current_thread().enable_all().build()?.block_on(until_stopped(time + PATIENCE, work))
}

/// Ends `work` when the end was asked for, and after `limit`.
async fn until_stopped<T>(
    limit: Duration,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let mut look = interval(Duration::from_millis(100));
    let look = async {
        loop {
            look.tick().await;
            if let Err(error) = signals::check() {
                return error;
            }
        }
    };
    tokio::select! {
        biased;
        done = work => done,
        error = look => Err(error),
        () = sleep(limit) => bail!("no end within {} s", limit.as_secs()),
    }
}
