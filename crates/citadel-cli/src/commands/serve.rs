//! `citadel serve`.

use std::{path::Path, process::ExitCode, sync::Arc};

use citadel_server::{
    serve::{Addresses, serve},
    system::{SystemClock, SystemRandom},
};

use crate::output;

pub(crate) async fn run(file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let config = super::load(file)?;
    serve(config, Arc::new(SystemClock), Arc::new(SystemRandom), announce).await?;
    Ok(ExitCode::SUCCESS)
}

/// Tells where the server listens, on standard output: scripts and tests wait for these lines.
pub(super) fn announce(addresses: &Addresses) {
    output::line(&format!("Citadel is ready on {}://{}", addresses.scheme, addresses.api));
    output::line(&format!("  public address   {}", addresses.public_url));
    output::line(&format!("  health, metrics  http://{}", addresses.metrics));
    output::line("Press Ctrl-C to stop.");
}
