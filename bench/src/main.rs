//! `citadel-bench` measures what the server costs, next to yardsticks that run in turn with it on the same machine: a
//! plain handler, an append log, other tools. Start with [`flow`]: it is what the product does.
//!
//! Knows the server from outside, as a program that it starts, but for what is measured in process ([`search`]) and for
//! filling a store ([`flat`]). Every run ends by itself, speaks to loopback only, and leaves nothing on disk.

#![allow(clippy::disallowed_methods, reason = "clocks and the environment are what a benchmark reads")]

mod args;
mod bare;
mod browser;
mod cold;
mod figure;
mod fill;
mod flat;
mod flow;
mod goals;
mod hooks;
mod http;
mod load;
mod page;
mod peers;
mod plot;
mod postgres;
mod probe;
mod read;
mod search;
mod server;
mod signals;
mod system;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use mimalloc::MiMalloc;

use args::{Cli, Options, Verb};
use figure::Report;

/// The server's, for the store and the plain handlers that run in this program.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("citadel-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    if let Verb::BareServer { answers } = &cli.verb {
        return bare::serve(answers).map(|()| ExitCode::SUCCESS);
    }
    if let Verb::Check { file, figures } = &cli.verb {
        return goals::check(file, figures);
    }
    if let Verb::Page { file, page } = &cli.verb {
        return page::write(file, page).map(|()| ExitCode::SUCCESS);
    }
    if let Verb::IndexMemory = &cli.verb {
        return search::print_index_memory().map(|()| ExitCode::SUCCESS);
    }
    signals::watch()?;
    let options = &cli.options;
    let mut report = Report::new(&options.out)?;
    let measured = measure(cli.verb, options, &mut report);
    // What was measured before something went wrong is kept.
    let finished = match (&measured, report.is_empty()) {
        (Err(_), true) => Ok(ExitCode::FAILURE),
        _ => report.finish().context("cannot write the figures"),
    };
    measured.and(finished)
}

fn measure(verb: Verb, options: &Options, report: &mut Report) -> anyhow::Result<()> {
    match verb {
        Verb::All => {
            flow::run(options, report)?;
            read::run(options, report)?;
            search::run(options, report)?;
            probe::run(options, report)?;
            hooks::run(options, report)?;
            flat::run(options, &[1_000, 100_000], false, report)?;
            postgres::run(options, report)?;
            cold::run(options, report)?;
            browser::run(options, report)?;
        }
        Verb::Flow => flow::run(options, report)?,
        Verb::Read => read::run(options, report)?,
        Verb::Search => search::run(options, report)?,
        Verb::Probe => probe::run(options, report)?,
        Verb::Hooks => hooks::run(options, report)?,
        Verb::Postgres => postgres::run(options, report)?,
        Verb::Cold => cold::run(options, report)?,
        Verb::Flat { links, postgres } => flat::run(options, &links, postgres, report)?,
        Verb::Peers { list } => peers::run(options, &list, report)?,
        Verb::Browser => browser::run(options, report)?,
        Verb::BareServer { .. } | Verb::IndexMemory | Verb::Check { .. } | Verb::Page { .. } => {}
    }
    Ok(())
}
