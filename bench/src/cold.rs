//! Start, memory and size: F8, F9 and a count of F16.

use std::{
    fs,
    time::{Duration, Instant},
};

use citadel_sdk::testing::Sandbox;

use crate::{
    args::Options,
    figure::{Figure, Report},
    flow::{self, PEOPLE},
    read,
    server::{self, Home, Server},
    system,
};

/// Starts of each kind.
const STARTS: usize = 15;

pub(crate) fn run(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let binary = server::binary(&options.server)?;
    report.add(Figure::one("F16.binary_mb", "MB", fs::metadata(&binary)?.len() as f64 / 1e6));
    report.progress("cold: starts");
    let mut new = Vec::new();
    for _ in 0..STARTS {
        let home = Home::new()?;
        let server = Server::start(&binary, &home)?;
        new.push(millis(server.start_time));
        server.program.stop()?;
    }
    let home = Home::new()?;
    let mut existing = Vec::new();
    for start in 0..=STARTS {
        let server = Server::start(&binary, &home)?;
        // The first one makes the database.
        if start > 0 {
            existing.push(millis(server.start_time));
        }
        server.program.stop()?;
    }
    report.add(Figure::of("F8.existing", "ms", &existing));
    report.add(Figure::of("F8.new", "ms", &new));

    report.progress("cold: sandboxes for tests");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut sandboxes = Vec::new();
    for _ in 0..STARTS {
        let start = Instant::now();
        let sandbox = runtime.block_on(Sandbox::builder().program(&binary).start())?;
        sandboxes.push(millis(start.elapsed()));
        drop(sandbox);
    }
    report.add(Figure::of("F8.sandbox", "ms", &sandboxes));

    report.progress("cold: memory");
    let home = Home::new()?;
    let server = Server::with_client(&binary, &home)?;
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let resident = || system::resident(server.program.pid()).map(mebibytes);
    report.add(Figure::one("F9.idle", "MiB", resident()?));
    let (_, user) = PEOPLE[1];
    // Half, then the other half: what grows then grows for ever.
    let half = options.turn() * options.rounds / 2;
    let mut flows = 0;
    let mut reads = 0;
    let mut seen = Vec::new();
    for _ in 0..2 {
        flows += flow::load(&server.program, &server.keys, user, 32, half)?.turns;
        reads += read::again(&server, user, half)?.turns;
        seen.push(resident()?);
    }
    report.add(
        Figure::one("F9.after_load", "MiB", seen[1])
            .beside("flows", flows as f64)
            .beside("reads", reads as f64),
    );
    report.add(Figure::one("F9.growth", "MiB", seen[1] - seen[0]));
    server.program.stop()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
