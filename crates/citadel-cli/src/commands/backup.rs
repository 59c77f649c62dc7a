//! `citadel backup create|verify|restore|settle|ledger`.

use std::{
    fs,
    io::{self, BufRead, IsTerminal, Write},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use citadel_domain::{AccessKeyId, Random};
use citadel_server::{
    admin::{
        Request,
        socket::{self, CallError},
    },
    backups::{self, Contents, KeyOf, Settled, Since},
    config::Config,
    opening,
    system::{SystemClock, SystemRandom},
};
use serde_json::{Value, json};

use crate::{
    admin,
    args::{BackupVerb, Ledger},
    output, progress,
};

pub(crate) async fn run(file: Option<&Path>, verb: BackupVerb) -> anyhow::Result<ExitCode> {
    let config = super::load(file)?;
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    match verb {
        BackupVerb::Create { file, json } => {
            let bar = progress::bar("backup");
            let contents = backups::create(&config, &file, &SystemClock, &random, &bar)
                .with_context(|| format!("no backup was made at {}", file.display()))?;
            print(&file, &contents, None, json, "Made");
            note(&config, &random, &contents).await;
        }
        BackupVerb::Verify { file, json } => {
            let bar = progress::bar("verify");
            let contents = backups::verify(&config, &file, &random, &bar)
                .with_context(|| format!("{} is no good", file.display()))?;
            print(&file, &contents, None, json, "Good:");
        }
        BackupVerb::Restore { file, ledger, json } => {
            let bar = progress::bar("restore");
            let since = since(ledger)?;
            let (contents, settled) = backups::restore(&config, &file, since, &SystemClock, &random, &bar)
                .await
                .with_context(|| format!("{} was not restored", file.display()))?;
            print(&file, &contents, Some(&settled), json, "Restored");
        }
        BackupVerb::Settle { ledger, json } => {
            let settled = backups::settle(&config, since(ledger)?, &SystemClock, &random).await?;
            if json {
                output::json(&settled_json(&settled));
            } else {
                print_settled(&settled);
            }
        }
        BackupVerb::Ledger => {
            let text = backups::ledger(&config, &SystemClock, &random).await?;
            output::part(text.as_bytes());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells the audit trail. A backup is good without: one of a server that hangs, or of a database that waits for an upgrade.
async fn note(config: &Config, random: &Arc<dyn Random>, contents: &Contents) {
    let request = Request::NoteBackup { rows: contents.rows.values().sum() };
    let told = match socket::call(&config.admin_socket(), &request).await {
        Err(CallError::NotRunning) => match opening::inspect(config, &SystemClock, random).await {
            Ok(Some(state)) if state.pending.is_empty() => admin::perform(config, request).await.map(drop),
            Ok(_) => Err(anyhow::anyhow!("the database is of an earlier release")),
            Err(error) => Err(error.into()),
        },
        told => told.map(drop).map_err(Into::into),
    };
    if let Err(error) = told {
        output::error(&format!("citadel: the audit trail was not told of this backup: {error:#}"));
    }
}

fn since(ledger: Ledger) -> anyhow::Result<Since> {
    if let Some(path) = ledger.ledger {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        return Ok(Since::Ledger(backups::parse_ledger(&text, &path)?));
    }
    let keep = ledger.keep_keys;
    // Who names keys is not asked about the others.
    let is_asked = keep.is_empty() && io::stdin().is_terminal();
    Ok(Since::Unknown { named: keep, is_confirmed: Box::new(move |key| is_asked && is_confirmed(key)) })
}

/// Asks whoever sits there.
fn is_confirmed(key: &KeyOf) -> bool {
    let name = key.client_name.escape_debug();
    let (id, environment, created_at) = (key.id, key.environment, key.created_at);
    let question =
        format!("Was this key active until now? {name}: {environment} key {id} of {created_at} [y/N] ");
    let _ = io::stderr().lock().write_all(question.as_bytes());
    let mut line = String::new();
    let _ = io::stdin().lock().read_line(&mut line);
    matches!(line.trim(), "y" | "Y" | "yes")
}

fn print(file: &Path, contents: &Contents, settled: Option<&Settled>, as_json: bool, done: &str) {
    if as_json {
        let mut object = json!({
            "file": file.display().to_string(),
            "made_at": contents.made_at,
            "schema": contents.schema,
            "root_key": contents.root_key.to_string(),
            "bytes": contents.bytes,
            "rows": contents.rows,
        });
        if let Some(settled) = settled {
            object["settled"] = settled_json(settled);
        }
        output::json(&object);
        return;
    }
    let rows: u64 = contents.rows.values().sum();
    output::line(&format!(
        "{done} {}: {rows} rows, {} bytes, of {}, schema {}, root key {}.",
        file.display(),
        contents.bytes,
        contents.made_at,
        contents.schema,
        contents.root_key
    ));
    if let Some(settled) = settled {
        print_settled(settled);
    }
}

fn print_settled(settled: &Settled) {
    output::line(&format!(
        "Deleted again {} things that the ledger tells of; ended {} tokens and sessions.",
        settled.deleted_again, settled.ended
    ));
    for key in &settled.ended_keys {
        output::line(&format!(
            "Ended key {key}: nobody confirmed it. Make a new one with citadel key create."
        ));
    }
}

fn settled_json(settled: &Settled) -> Value {
    let ids = |keys: &[AccessKeyId]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
    json!({
        "deleted_again": settled.deleted_again,
        "ended": settled.ended,
        "ended_keys": ids(&settled.ended_keys),
        "kept_keys": ids(&settled.kept_keys),
    })
}
