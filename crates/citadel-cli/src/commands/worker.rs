//! `citadel worker`.

use std::{net::SocketAddr, path::Path, process::ExitCode, sync::Arc};

use citadel_server::{
    config::Part,
    serve,
    system::{SystemClock, SystemRandom},
};

use crate::output;

pub(crate) async fn run(file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let config = super::doing(file, Part::Worker)?;
    serve::work(config, Arc::new(SystemClock), Arc::new(SystemRandom), announce).await?;
    Ok(ExitCode::SUCCESS)
}

/// As a server tells where it listens.
fn announce(metrics: SocketAddr) {
    output::line("Citadel is working in the background");
    output::line(&format!("  health, metrics  http://{metrics}"));
    output::line("Press Ctrl-C to stop.");
}
