//! `citadel sandbox export|load|people`.

mod export;
mod load;
mod people;
mod scenario_file;

use std::process::ExitCode;

use crate::args::SandboxVerb;

pub(crate) async fn run(verb: SandboxVerb) -> anyhow::Result<ExitCode> {
    match verb {
        SandboxVerb::Export(export) => export::run(export).await,
        SandboxVerb::Load { file, json, env_file } => load::run(&file, json, &env_file).await,
        SandboxVerb::People { json } => Ok(people::run(json)),
    }
}
