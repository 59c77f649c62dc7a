//! `citadel client create|list|delete`.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::bail;
use citadel_domain::{ClientId, Secret};
use citadel_server::admin::{Answer, Request};
use serde_json::json;

use crate::{
    admin,
    args::ClientVerb,
    env_file::{self, EnvFile},
    output,
};

pub(crate) async fn run(file: Option<&Path>, verb: ClientVerb) -> anyhow::Result<ExitCode> {
    let config = super::load(file)?;
    match verb {
        ClientVerb::Create { name, json, write_env: None, origins } => {
            let (client_id, secret) = create(&config, name, origins).await?;
            print_new(client_id, &secret, json);
        }
        ClientVerb::Create { name, json: _, write_env: Some(path), origins } => {
            // Looked at first, so that no client is made whose secret would then have no place to go.
            let env_file = EnvFile::read(&path)?;
            if env_file.has_keys()? {
                output::line(&format!("{} already has keys; nothing was changed.", path.display()));
                return Ok(ExitCode::SUCCESS);
            }
            let (client_id, secret) = create(&config, name, origins).await?;
            write_or_print(&env_file, &path, client_id, &secret)?;
        }
        ClientVerb::List { json } => list(&config, json).await?,
        ClientVerb::Delete { client, yes } => delete(&config, client, yes).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(
    config: &citadel_server::config::Config,
    name: String,
    origins: Vec<String>,
) -> anyhow::Result<(ClientId, Secret)> {
    match admin::perform(config, Request::CreateClient { name, origins }).await? {
        Answer::ClientCreated { client_id, secret } => Ok((client_id, secret)),
        _ => bail!("the running server answered another question; is it another release?"),
    }
}

fn print_new(client_id: ClientId, secret: &Secret, as_json: bool) {
    if as_json {
        output::json(&json!({"client_id": client_id, "sandbox": secret.expose()}));
    } else {
        output::line(&format!("client id       {client_id}"));
        output::line(&format!("sandbox secret  {}", secret.expose()));
        output::line("Keep the secret now: it is not shown again.");
    }
}

fn write_or_print(
    env_file: &EnvFile,
    path: &Path,
    client_id: ClientId,
    secret: &Secret,
) -> anyhow::Result<()> {
    if let Err(error) = env_file.write_keys(path, &client_id.to_string(), secret) {
        // The client exists now, and this is the only copy of its secret.
        print_new(client_id, secret, false);
        return Err(error);
    }
    let names = format!("{} and {}", env_file::CLIENT_ID, env_file::SECRET);
    output::line(&format!("Wrote {names} to {} (sandbox key …{}).", path.display(), secret.last4()));
    Ok(())
}

async fn delete(
    config: &citadel_server::config::Config,
    client_id: ClientId,
    is_confirmed: bool,
) -> anyhow::Result<()> {
    if !is_confirmed {
        if !io::stdin().is_terminal() {
            bail!("this deletes every link, person and report of the client, for good: say --yes");
        }
        let question =
            format!("Delete client {client_id} with every link, person and report, for good? [y/N] ");
        let _ = io::stderr().lock().write_all(question.as_bytes());
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        if !matches!(line.trim(), "y" | "Y" | "yes") {
            bail!("nothing was deleted");
        }
    }
    let Answer::ClientDeleted = admin::perform(config, Request::DeleteClient { client_id }).await? else {
        bail!("the running server answered another question; is it another release?");
    };
    output::line("The client is deleted. Nothing of it can be read any more; its rows go within the day.");
    Ok(())
}

async fn list(config: &citadel_server::config::Config, as_json: bool) -> anyhow::Result<()> {
    let Answer::Clients(clients) = admin::perform(config, Request::ListClients).await? else {
        bail!("the running server answered another question; is it another release?");
    };
    if as_json {
        output::json(&clients);
        return Ok(());
    }
    for client in &clients {
        output::line(&format!("{}  {}  {}", client.client_id, client.created_at, client.name.escape_debug()));
    }
    if clients.is_empty() {
        output::line("No clients yet. Make one: citadel client create --name demo");
    }
    Ok(())
}
