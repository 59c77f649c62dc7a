//! The `citadel` command. Each verb is a call into `citadel-server`; what a verb means is decided there.
//!
//! This crate refuses to know SQL, HTTP routes and key formats. Start with [`args`], the table of verbs, then
//! [`commands`].

mod admin;
mod args;
mod commands;
mod connection;
mod env_file;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

use crate::{
    args::{Cli, Verb},
    commands::listen::Listen,
};

/// For SQLite too, by taking the place of the system's allocator. Much of what a request allocates is freed on another
/// thread, which the system's own is slow at.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    // Wrong use ends here with exit code 2.
    let cli = Cli::parse();
    let file = cli.config.as_deref();
    let result = match cli.verb {
        Verb::Serve(options) if options.ephemeral => commands::ephemeral::run(file, options).await,
        Verb::Serve(options) => commands::serve::run(file, &options).await,
        Verb::Worker => commands::worker::run(file).await,
        Verb::Migrate => commands::migrate::run(file).await,
        Verb::Config { verb } => commands::config::run(file, verb),
        Verb::DevCert(options) => commands::dev_cert::run(file, &options),
        Verb::Client { verb } => commands::client::run(file, verb).await,
        Verb::Key { verb } => commands::key::run(file, verb).await,
        Verb::Hold { verb } => commands::hold::run(file, verb).await,
        Verb::Backup { verb } => commands::backup::run(file, verb).await,
        Verb::SetupCode { json } => commands::setup_code::run(file, json).await,
        Verb::Audit { verb } => commands::audit::run(file, verb).await,
        Verb::RootKey { verb } => commands::root_key::run(file, verb).await,
        Verb::Listen { forward_to, env_file, after, print_secret } => {
            commands::listen::run(Listen { forward_to, env_file, after, print_secret }).await
        }
        Verb::Sandbox { verb } => commands::sandbox::run(verb).await,
        Verb::Completions { shell } => Ok(commands::shell::completions(shell)),
        Verb::Man { folder } => commands::shell::man(&folder),
        Verb::Doctor { json } => commands::doctor::run(file, json).await,
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            // `{:#}` joins the causes: what failed, and why, in one line.
            output::error(&format!("citadel: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
