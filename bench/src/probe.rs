//! What the disk and SQLite can do by themselves, and what the store makes of it: F5 and F6.

use std::{
    fs::{File, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::Path,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use citadel_domain::{Clock, JobId};
use citadel_server::system::{SystemClock, SystemRandom};
use citadel_store::{
    Db, DbConfig,
    jobs::{self, NewJob},
};
use hdrhistogram::Histogram;
use rusqlite::Connection;

use crate::{
    args::Options,
    figure::{Figure, Report, middle},
    http::Connection as Http,
    load::{self, Script},
    server::{self, Home, Keys, Server},
};

/// Clients that wait at the same time.
pub(crate) const CLIENTS: usize = 32;
/// Bytes of a row: about a token's, a sign-in's and a report's.
const ROWS: [usize; 3] = [200, 6 << 10, 30 << 10];

/// Opens an access key's door again and again: one small acknowledged write.
#[derive(Clone)]
struct NewToken(Keys);

impl Script for NewToken {
    async fn turn(&mut self, connection: &mut Http) -> anyhow::Result<()> {
        let body = br#"{"product_type":"income","client_name":"bench"}"#;
        connection.expect(200, "POST", "/v1/bridge-tokens/", &self.0.headers, body).await
    }
}

pub(crate) fn run(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let binary = server::binary(&options.server)?;
    let home = Home::new()?;
    let server = Server::with_client(&binary, &home)?;
    let time = options.turn() / 2;
    let (mut to_log, mut to_single, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    let (mut one, mut many, mut syncs, mut many_syncs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    report.progress("probe: commits and syncs");
    for round in 0..options.rounds {
        let path = home.path().join(format!("probe-{round}"));
        let log = append_log(&path, ROWS[0], time)?;
        let single = sqlite(&path.with_extension("single"), ROWS[0], 1, time)?;
        let store = store(&DbConfig::Sqlite { path: path.with_extension("store") }, time)?;
        to_log.push(store / log);
        to_single.push(store / single);
        rates.push(store);
        let disk = sync_times(&path.with_extension("sync"), time)?;
        let address = server.program.address;
        let write = |connections| {
            load::run(address, server.program.pid(), connections, time, |_| NewToken(server.keys.clone()))
        };
        let (alone, together) = (write(1)?, write(CLIENTS)?);
        let p50 = disk.value_at_quantile(0.5) as f64;
        let p99 = disk.value_at_quantile(0.99) as f64;
        one.push(alone.times.value_at_quantile(0.5) as f64 / (p50 + 200.0));
        many.push(together.times.value_at_quantile(0.99) as f64 / (p99 + 2000.0));
        syncs.push(p50);
        many_syncs.push(p99);
    }
    report.add(
        Figure::of("F5.append_log", "ratio", &to_log).beside("store_commits_per_second", middle(&rates)),
    );
    ceiling(report, home.path(), time)?;
    report.add(Figure::of("F5.single", "ratio", &to_single));
    report.add(Figure::of("F6.p50_at_1", "ratio", &one).beside("disk_sync_p50_us", middle(&syncs)));
    report.add(Figure::of("F6.p99_at_32", "ratio", &many).beside("disk_sync_p99_us", middle(&many_syncs)));
    server.program.stop()
}

/// F4: what the flow reached of what its parts allow, one after another: its plain handlers, and SQLite's group commits of a
/// token, a sign-in, a record, a public token and an exchange.
fn ceiling(report: &mut Report, folder: &Path, time: Duration) -> anyhow::Result<()> {
    let rate = |flow: &Figure, name: &str| flow.beside.get(name).copied();
    let flow = report
        .find("F3")
        .and_then(|flow| Some((rate(flow, "flows_per_second")?, rate(flow, "twin_flows_per_second")?)));
    let Some((ours, twin)) = flow else {
        report.skip("F4", "it needs the flow of the same run: citadel-bench all");
        return Ok(());
    };
    let [small, middle, large] = ROWS;
    let mut seconds = 1.0 / twin;
    for (at, row) in [small, middle, large, small, small].into_iter().enumerate() {
        seconds += 1.0 / sqlite(&folder.join(format!("ceiling-{at}")), row, CLIENTS, time)?;
    }
    report.add(Figure::one("F4", "ratio", ours * seconds).beside("ceiling_flows_per_second", 1.0 / seconds));
    Ok(())
}

/// Rows a second that a plain log takes: a preallocated file, one `fdatasync` for all that wait.
fn append_log(path: &Path, row: usize, time: Duration) -> anyhow::Result<f64> {
    let mut file = preallocated(path)?;
    let row = vec![7; row];
    let mut buffer = Vec::new();
    group(time, move |waiting| {
        buffer.clear();
        for _ in 0..waiting {
            buffer.extend_from_slice(&row);
        }
        if file.stream_position()? + buffer.len() as u64 > SIZE {
            file.seek(SeekFrom::Start(0))?;
        }
        file.write_all(&buffer)?;
        Ok(file.sync_data()?)
    })
}

const SIZE: u64 = 64 << 20;

fn preallocated(path: &Path) -> anyhow::Result<File> {
    let mut file = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(path)?;
    let block = vec![0; 1 << 20];
    for _ in 0..SIZE >> 20 {
        file.write_all(&block)?;
    }
    file.sync_all()?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// Times of `fdatasync` after a write of 4 KiB to a preallocated file, in microseconds.
fn sync_times(path: &Path, time: Duration) -> anyhow::Result<Histogram<u64>> {
    let mut file = preallocated(path)?;
    let page = [7; 4096];
    let mut times = Histogram::new_with_bounds(1, 60_000_000, 3)?;
    let until = Instant::now() + time;
    while Instant::now() < until {
        if file.stream_position()? + 4096 > SIZE {
            file.seek(SeekFrom::Start(0))?;
        }
        file.write_all(&page)?;
        let begun = Instant::now();
        file.sync_data()?;
        times.saturating_record(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    Ok(times)
}

/// Rows a second that SQLite takes at `synchronous=FULL`: alone, or from waiting clients that share commits.
fn sqlite(path: &Path, row: usize, clients: usize, time: Duration) -> anyhow::Result<f64> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "pragma journal_mode = wal; pragma synchronous = full;
         create table rows (id integer primary key, body blob not null) strict;",
    )?;
    let row = vec![7_u8; row];
    let insert = move |waiting: usize| {
        connection.prepare_cached("begin immediate")?.execute([])?;
        for _ in 0..waiting {
            connection.prepare_cached("insert into rows (body) values (?1)")?.execute([&row])?;
        }
        connection.prepare_cached("commit")?.execute([])?;
        anyhow::Ok(())
    };
    if clients > 1 {
        return group(time, insert);
    }
    let started = Instant::now();
    let mut count = 0;
    while started.elapsed() < time {
        insert(1)?;
        count += 1;
    }
    Ok(f64::from(count) / started.elapsed().as_secs_f64())
}

/// A thread that commits for whoever waits, and clients that wait: rows a second.
fn group(
    time: Duration,
    mut commit: impl FnMut(usize) -> anyhow::Result<()> + Send + 'static,
) -> anyhow::Result<f64> {
    type Waiting = tokio::sync::oneshot::Sender<()>;
    let (send, receive) = mpsc::channel::<Waiting>();
    let writer = thread::spawn(move || -> anyhow::Result<()> {
        while let Ok(first) = receive.recv() {
            let mut waiting = vec![first];
            waiting.extend(receive.try_iter().take(63));
            commit(waiting.len())?;
            for client in waiting {
                // A client that went away needs no answer.
                let _ = client.send(());
            }
        }
        Ok(())
    });
    let rate = load::block_on_for(
        time,
        clients(time, move || {
            let send = send.clone();
            async move {
                let (done, answered) = tokio::sync::oneshot::channel();
                send.send(done)?;
                Ok(answered.await?)
            }
        }),
    )?;
    writer.join().map_err(|_| anyhow::anyhow!("the writer panicked"))??;
    Ok(rate)
}

/// 32 clients that do something again and again: how often a second all together.
async fn clients<F>(time: Duration, work: impl Fn() -> F + Clone + 'static) -> anyhow::Result<f64>
where
    F: Future<Output = anyhow::Result<()>> + 'static,
{
    let started = Instant::now();
    let until = started + time;
    let local = tokio::task::LocalSet::new();
    let mut count = 0;
    local
        .run_until(async {
            let all: Vec<_> = (0..CLIENTS)
                .map(|_| {
                    let work = work.clone();
                    tokio::task::spawn_local(async move {
                        let mut count = 0_u32;
                        while Instant::now() < until {
                            work().await?;
                            count += 1;
                        }
                        anyhow::Ok(count)
                    })
                })
                .collect();
            for client in all {
                count += client.await??;
            }
            anyhow::Ok(())
        })
        .await?;
    Ok(f64::from(count) / started.elapsed().as_secs_f64())
}

/// Transactions a second that the store acknowledges to 32 waiting clients: one job each, with its indexes.
pub(crate) fn store(config: &DbConfig, time: Duration) -> anyhow::Result<f64> {
    let db = Arc::new(Db::open(config)?);
    load::block_on_for(time, async {
        db.migrate(SystemClock.now()).await?;
        clients(time, move || {
            let db = Arc::clone(&db);
            async move {
                let now = SystemClock.now();
                let id = JobId::generate(now, &SystemRandom);
                db.write(async move |tx| {
                    let payload = "{}".to_owned();
                    let new = NewJob { id, kind: "bench", payload, run_at: now, created_at: now };
                    jobs::enqueue(tx, &new).await
                })
                .await?;
                Ok(())
            }
        })
        .await
    })
}
