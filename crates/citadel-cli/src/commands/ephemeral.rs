//! `citadel serve --ephemeral`: a server for one test or one look, which leaves nothing behind.

use std::{
    convert::Infallible, fs::Permissions, future, io, os::unix::fs::PermissionsExt, path::Path,
    process::ExitCode, sync::Arc, thread,
};

use anyhow::{Context, bail};
use citadel_server::{
    admin::{Answer, Request},
    config::{Config, Problems},
    serve::{Addresses, serve_until},
    system::{SystemClock, SystemRandom},
};
use tokio::sync::oneshot;

use crate::{admin, args::Serve, env_file, output};

/// What to call the client whose keys are printed.
const CLIENT: &str = "ephemeral";

/// The code of wrong use, as clap gives it.
const WRONG_USE: u8 = 2;

pub(crate) async fn run(file: Option<&Path>, options: Serve) -> anyhow::Result<ExitCode> {
    if let Some(misuse) = misuse(file) {
        output::error(&format!("citadel: {misuse}"));
        return Ok(ExitCode::from(WRONG_USE));
    }
    // Removed when it is dropped, however this function ends.
    let directory = tempfile::Builder::new()
        .prefix("citadel-ephemeral-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
        .context("no temporary directory can be made; set TMPDIR to a directory that this user can write")?;
    let path =
        directory.path().to_str().context("the temporary directory is not UTF-8; set TMPDIR to another")?;
    let config = Config::ephemeral(path, super::environment()).map_err(explained)?;

    let (ready, addresses) = oneshot::channel();
    let announce = |addresses: &Addresses| match options.print_env {
        true => _ = ready.send(addresses.clone()),
        false => super::serve::announce(addresses),
    };
    let stop = stop_when(options.stop_with_stdin);
    let server = serve_until(config.clone(), Arc::new(SystemClock), Arc::new(SystemRandom), stop, announce);
    tokio::select! {
        ended = Box::pin(server) => ended?,
        failed = print_env(&config, addresses) => match failed? {},
    }
    directory.close().context("the temporary directory cannot be removed")?;
    Ok(ExitCode::SUCCESS)
}

/// What does not go together with a server that keeps nothing.
fn misuse(file: Option<&Path>) -> Option<&'static str> {
    if file.is_some() {
        return Some("--ephemeral reads no file: leave out --config, and set variables instead");
    }
    let is_database = |(name, value): (String, String)| name == "CITADEL_DATABASE_URL" && !value.is_empty();
    super::environment().any(is_database).then_some(
        "--ephemeral has a fresh store of its own, and CITADEL_DATABASE_URL is set: \
         unset the variable, or leave out --ephemeral",
    )
}

/// Nobody chose this data directory by its own setting.
fn explained(problems: Problems) -> anyhow::Error {
    let is_about_place = problems.0.iter().any(|problem| problem.setting.starts_with("CITADEL_DATA_DIR"));
    let problems = anyhow::Error::new(problems);
    if !is_about_place {
        return problems;
    }
    problems
        .context("the data directory is made in the temporary directory; set TMPDIR to another, such as /tmp")
}

/// Makes the client and prints its keys as soon as requests are taken; goes on for ever then. The clients of the store
/// are made through the server that holds it, as with every other verb.
async fn print_env(config: &Config, addresses: oneshot::Receiver<Addresses>) -> anyhow::Result<Infallible> {
    if let Ok(addresses) = addresses.await {
        let request = Request::CreateClient { name: CLIENT.to_owned(), origins: Vec::new() };
        let Answer::ClientCreated { client_id, secret } = admin::perform(config, request).await? else {
            bail!("the server answered another question");
        };
        let url = &addresses.public_url;
        output::line(&format!("{}={url}/v1/", env_file::API_URL));
        output::line(&format!("BRIDGE_URL={url}/bridge.js"));
        output::line(&format!("{}={client_id}", env_file::CLIENT_ID));
        output::line(&format!("{}={}", env_file::SECRET, secret.expose()));
        output::line("CITADEL_READY=1");
        output::flush();
    }
    future::pending().await
}

/// Ends with the standard input, if it was asked to. The input is read on a thread of its own: the runtime would wait for a
/// read of its own at the end, and an input that stays open would hold up every other way to stop.
async fn stop_when(stdin_ends: bool) {
    if !stdin_ends {
        return future::pending().await;
    }
    let (end, ended) = oneshot::channel::<()>();
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        drop(end);
    });
    let _ = ended.await;
}
