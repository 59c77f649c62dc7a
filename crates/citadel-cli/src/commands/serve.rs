//! `citadel serve`.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

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
    match &addresses.setup_code {
        None => output::line(&format!("  dashboard        {}", addresses.dashboard_url)),
        Some(code) => {
            output::line(&format!("  dashboard        {}/set-up", addresses.dashboard_url));
            // Into a log file it must not go (P58); its own file only this user reads.
            if io::stdout().is_terminal() {
                output::line(&format!("  set-up code      {} (good once, for an hour)", code.expose()));
            } else {
                output::line("  set-up code      in the file setup-code of the data directory, for an hour");
            }
        }
    }
    output::line("Press Ctrl-C to stop.");
}
