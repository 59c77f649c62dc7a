//! The table of commands and their arguments.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};

use crate::flow::PEOPLE;

/// What Citadel costs per verification, next to yardsticks that run in turn with it.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example:\n  cargo build --release --bin citadel && citadel-bench flow\n\nA figure is a ratio measured side by side, or a count. bench/goals.toml has the gate and the goal of each."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Args)]
pub(crate) struct Options {
    /// The server that is measured.
    #[arg(long, global = true, value_name = "FILE", default_value = "target/release/citadel")]
    pub(crate) server: PathBuf,
    /// How often server and yardstick run in turn.
    #[arg(long, global = true, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// How long each turn takes, in seconds.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 2.0, value_parser = seconds)]
    pub(crate) seconds: f64,
    /// Connections of the loader in `flow`; the goals are about 32.
    #[arg(long, global = true, value_name = "COUNTS", value_delimiter = ',', default_value = "1,8,32,128", value_parser = connections)]
    pub(crate) connections: Vec<usize>,
    /// Statements of the person in `flow`; the goals are about 24.
    #[arg(long, global = true, value_name = "COUNTS", value_delimiter = ',', default_value = "6,24", value_parser = statements)]
    pub(crate) statements: Vec<u32>,
    /// Where the JSON lines and plots go.
    #[arg(long, global = true, value_name = "FOLDER", default_value = "target/bench")]
    pub(crate) out: PathBuf,
}

impl Options {
    pub(crate) fn turn(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.1..=600.0).contains(seconds));
    seconds.ok_or_else(|| "give a number from 0.1 to 600".to_owned())
}

fn connections(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (1..=1024).contains(count));
    count.ok_or_else(|| "give numbers from 1 to 1024, with commas between".to_owned())
}

fn statements(text: &str) -> Result<u32, String> {
    let count = text.parse().ok().filter(|count| PEOPLE.iter().any(|(known, _)| known == count));
    count.ok_or_else(|| "there are people with 6 and with 24".to_owned())
}

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Everything but peers and the largest store; under 10 minutes.
    All,
    /// The whole flow from bridge token to income report (F3, F4, F16).
    Flow,
    /// Single reads (F1, F2).
    Read,
    /// Employer search in process (F7).
    Search,
    /// Commits and syncs of the disk, of SQLite and of the store (F5, F6).
    Probe,
    /// Webhooks to a sink in this program (F11).
    Hooks,
    /// Commits and flows on Postgres (F15). CITADEL_DATABASE_URL names the server; a database is made there and removed.
    Postgres,
    /// Starts, memory and the size of the server (F8, F9, F16).
    Cold,
    /// A flow in stores of growing size (F10); the largest takes minutes to fill.
    Flat {
        /// How many links each store holds.
        #[arg(long, value_name = "COUNT", value_delimiter = ',', default_value = "1e3,1e5", value_parser = count)]
        links: Vec<u64>,
        /// On the Postgres of CITADEL_DATABASE_URL, in databases of their own.
        #[arg(long)]
        postgres: bool,
    },
    /// What people use in place of a server (F12, and F8 beside Flask); bench/install-peers.sh installs it.
    Peers {
        /// The list of peers. Their folder lies beside it, under the same name.
        #[arg(long, value_name = "FILE", default_value = "bench/peers.toml")]
        list: PathBuf,
    },
    /// The loader and the widget in Chromium (F13, F14).
    Browser,
    /// Compare figures with bench/goals.toml; exit code 1 below a gate.
    Check {
        /// JSON lines of an earlier run.
        #[arg(default_value = "target/bench/figures.jsonl")]
        file: PathBuf,
        /// Only this figure; may be given again. One that was not measured fails then.
        #[arg(long = "figure", value_name = "NAME")]
        figures: Vec<String>,
    },
    /// Write the page of results and its plots from the figures of a run.
    Page {
        /// JSON lines of an earlier run.
        #[arg(default_value = "target/bench/figures.jsonl")]
        file: PathBuf,
        /// The page.
        #[arg(default_value = "docs/benchmarks.md")]
        page: PathBuf,
    },
    /// The bare yardstick, as a program of its own so that its CPU time can be told.
    #[command(hide = true)]
    BareServer {
        /// Answers to give.
        answers: PathBuf,
    },
    /// What a process grows by when it builds the search index.
    #[command(hide = true)]
    IndexMemory,
}

/// A whole number, also as `1e7`.
fn count(text: &str) -> Result<u64, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text} is not a number"))?;
    if number.fract() != 0.0 || !(1.0..=1e9).contains(&number) {
        return Err(format!("{text} is not a whole number from 1 to 1e9"));
    }
    Ok(number as u64)
}
