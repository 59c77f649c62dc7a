//! `citadel sandbox export`: pay as a file.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use citadel_sdk::{Download, ErrorKind, SandboxLedger};
use clap::ValueEnum;

use crate::{args::Export, connection, output};

pub(super) async fn run(export: Export) -> anyhow::Result<ExitCode> {
    let citadel = connection::connect(&export.env_file, 3)?;
    let format = export.format.to_possible_value();
    let text = |value: &'_ Option<String>| value.clone().unwrap_or_default();
    let (username, provider_id, company_mapping_id) =
        (text(&export.username), text(&export.provider), text(&export.company_mapping_id));
    let (from, to) = (text(&export.from), text(&export.to));
    let asked = SandboxLedger {
        format: format.as_ref().map(|value| value.get_name()).unwrap_or_default(),
        username: &username,
        provider_id: &provider_id,
        company_mapping_id: &company_mapping_id,
        company: export.company,
        from: &from,
        to: &to,
    };
    let download = citadel.sandbox_ledger(asked).await.map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            let hint = format!(
                "nobody in your sandbox has the user name {username}, or nothing was ever paid to them"
            );
            anyhow::Error::new(error).context(hint)
        }
        _ => connection::explained(error),
    })?;
    match export.output {
        Some(path) => save(download, &path).await?,
        None => print(download).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn print(mut download: Download) -> anyhow::Result<()> {
    while let Some(part) = download.next().await? {
        if !output::part(&part) {
            break;
        }
    }
    Ok(())
}

/// The file appears whole or not at all.
async fn save(download: Download, path: &Path) -> anyhow::Result<()> {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(".new");
    let temporary = path.with_file_name(name);
    let written = write(download, &temporary, path).await;
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

async fn write(mut download: Download, temporary: &PathBuf, path: &Path) -> anyhow::Result<()> {
    let cannot = || format!("{} cannot be written", path.display());
    let mut file = File::create(temporary).with_context(cannot)?;
    while let Some(part) = download.next().await? {
        file.write_all(&part).with_context(cannot)?;
    }
    fs::rename(temporary, path).with_context(cannot)
}
