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

use args::{Cli, Verb};
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
    match cli.verb {
        Verb::All => {
            flow::run(options, &mut report)?;
            read::run(options, &mut report)?;
            search::run(options, &mut report)?;
            probe::run(options, &mut report)?;
            hooks::run(options, &mut report)?;
            flat::run(options, &[1_000, 100_000], false, &mut report)?;
            postgres::run(options, &mut report)?;
            cold::run(options, &mut report)?;
            browser::run(options, &mut report)?;
        }
        Verb::Flow => flow::run(options, &mut report)?,
        Verb::Read => read::run(options, &mut report)?,
        Verb::Search => search::run(options, &mut report)?,
        Verb::Probe => probe::run(options, &mut report)?,
        Verb::Hooks => hooks::run(options, &mut report)?,
        Verb::Postgres => postgres::run(options, &mut report)?,
        Verb::Cold => cold::run(options, &mut report)?,
        Verb::Flat { links, postgres } => flat::run(options, &links, postgres, &mut report)?,
        Verb::Peers { list } => peers::run(options, &list, &mut report)?,
        Verb::Browser => browser::run(options, &mut report)?,
        Verb::BareServer { .. } | Verb::IndexMemory | Verb::Check { .. } | Verb::Page { .. } => {}
    }
    report.finish().context("cannot write the figures")
}
