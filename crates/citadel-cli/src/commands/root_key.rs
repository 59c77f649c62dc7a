//! `citadel root-key status|rotate|remove`.

use std::{path::Path, process::ExitCode};

use anyhow::bail;
use citadel_server::admin::{Answer, Request};
use serde_json::json;

use crate::{admin, args::RootKeyVerb, output};

pub(crate) async fn run(file: Option<&Path>, verb: RootKeyVerb) -> anyhow::Result<ExitCode> {
    let config = super::load(file)?;
    let (request, as_json) = match verb {
        RootKeyVerb::Status { json } => (Request::RootKeyStatus, json),
        RootKeyVerb::Rotate { json } => (Request::RotateRootKey, json),
        RootKeyVerb::Remove { version } => (Request::RemoveRootKey { id: version }, false),
    };
    match admin::perform(&config, request).await? {
        Answer::RootKeys(versions) if as_json => output::json(&versions),
        Answer::RootKeys(versions) => {
            for version in versions {
                let state = match (version.is_current, version.is_in_file, version.is_removable) {
                    (true, ..) => "seals",
                    (_, false, _) => "is not in the key file",
                    (.., true) => "can be removed",
                    _ if version.in_use_since.is_none() => "waits to be used",
                    _ => "is being emptied while a server runs",
                };
                output::line(&format!("{}  {:>9} values  {state}", version.id, version.sealed));
            }
        }
        Answer::RootKeyRotated { id, is_in_use } if as_json => {
            output::json(&json!({"id": id, "is_in_use": is_in_use}));
        }
        Answer::RootKeyRotated { id, is_in_use: true } => output::line(&format!(
            "Version {id} seals from now on. What lies under older ones is sealed anew while a server runs: see citadel \
             root-key status. Copy the key file."
        )),
        Answer::RootKeyRotated { id, is_in_use: false } => output::line(&format!(
            "Version {id} was added to {}. Copy the file to every node, start each one again, then run this again: only \
             then it seals.",
            config.root_key_file.display()
        )),
        Answer::RootKeyRemoved => output::line(
            "The version is gone from the key file. Backups that it sealed need it: keep a copy as long as you keep them.",
        ),
        _ => bail!("the running server answered another question; is it another release?"),
    }
    Ok(ExitCode::SUCCESS)
}
