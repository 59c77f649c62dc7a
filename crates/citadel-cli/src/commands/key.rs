//! `citadel key create|list|delete`.

use std::{path::Path, process::ExitCode};

use anyhow::bail;
use citadel_server::admin::{Answer, Request};
use serde_json::{Map, Value};

use crate::{admin, args::KeyVerb, output};

pub(crate) async fn run(file: Option<&Path>, verb: KeyVerb) -> anyhow::Result<ExitCode> {
    let config = super::load(file)?;
    let (request, json) = match verb {
        KeyVerb::Create { client, env, masked, json } => {
            let environment = env.to_string();
            (Request::CreateKey { client_id: client, environment, is_masked: masked }, json)
        }
        KeyVerb::List { client, json } => (Request::ListKeys { client_id: client }, json),
        KeyVerb::Delete { client, key } => (Request::DeleteKey { client_id: client, key_id: key }, false),
    };
    match admin::perform(&config, request).await? {
        Answer::KeyCreated { key_id, environment, secret } if json => {
            // As `client create` has it: the environment is the name of the secret.
            let mut object = Map::new();
            object.insert("key_id".to_owned(), Value::from(key_id.to_string()));
            object.insert(environment, Value::from(secret.expose()));
            output::json(&object);
        }
        Answer::KeyCreated { key_id, environment, secret } => {
            output::line(&format!("key id  {key_id}"));
            output::line(&format!("{environment} secret  {}", secret.expose()));
            output::line("Keep the secret now: it is not shown again.");
        }
        Answer::Keys(keys) if json => output::json(&keys),
        Answer::Keys(keys) => {
            for key in &keys {
                let masked = if key.is_masked { "  masked" } else { "" };
                output::line(&format!("{}  {:<7}  {}{masked}", key.key_id, key.environment, key.created_at));
            }
            if keys.is_empty() {
                output::line(
                    "This client has no active keys. Make one: citadel key create --client ID --env sandbox",
                );
            }
        }
        Answer::KeyDeleted => output::line("The key is deleted."),
        _ => bail!("the running server answered another question; is it another release?"),
    }
    Ok(ExitCode::SUCCESS)
}
