//! Starts the quickstart: settings, port, banner, server.

use std::{io::IsTerminal, process::ExitCode};

use citadel_quickstart::{Settings, Variables, banner, complain, listen, print, register_webhook, router};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    match start().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            complain(&problems);
            ExitCode::FAILURE
        }
    }
}

async fn start() -> Result<(), Vec<String>> {
    let settings = Settings::read(&Variables::load()?)?;
    let listeners = listen(settings.port).await.map_err(|problem| vec![problem])?;
    let app = router(&settings);

    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| vec![error.to_string()])?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| vec![error.to_string()])?;
    for listener in listeners {
        let app = app.clone();
        tokio::spawn(async move { axum::serve(listener, app).await });
    }
    print(&banner(&settings, std::io::stdout().is_terminal()));
    register_webhook(&settings).await;

    // Nothing here outlives a request, so there is nothing to wind down.
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
