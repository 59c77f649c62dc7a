//! `citadel serve`.

use std::{path::Path, process::ExitCode, sync::Arc};

use citadel_server::{
    config::Part,
    serve::{Addresses, serve},
    system::{SystemClock, SystemRandom},
};

use crate::{args::Serve, output};

pub(crate) async fn run(file: Option<&Path>, options: &Serve) -> anyhow::Result<ExitCode> {
    let part = if options.no_worker { Part::Listener } else { Part::Whole };
    let config = super::doing(file, part)?;
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
