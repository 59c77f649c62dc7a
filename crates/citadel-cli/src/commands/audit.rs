//! `citadel audit verify|list`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use citadel_server::{
    admin::{
        Answer, Request,
        audit::{EntryLine, FindingLine, HeadLine, Verified, Wanted},
    },
    config::Config,
    trail::heads,
};
use serde_json::json;

use crate::{admin, args::AuditVerb, output};

/// Heads that are asked for at once.
const HEADS_AT_ONCE: usize = 1000;

pub(crate) async fn run(file: Option<&Path>, verb: AuditVerb) -> anyhow::Result<ExitCode> {
    let config = super::load(file)?;
    match verb {
        AuditVerb::Verify { heads, json } => verify(&config, heads, json).await,
        AuditVerb::List { client, since, act, object, json } => {
            let wanted = Wanted { client_id: client, since, act, object_id: object, before: None };
            list(&config, wanted, json).await
        }
    }
}

async fn verify(config: &Config, heads: Option<PathBuf>, as_json: bool) -> anyhow::Result<ExitCode> {
    // Read first: an export that comes meanwhile is of entries that are checked as well.
    let heads = exported(config, heads)?;
    let (mut checked, mut findings, mut after) = (0, Vec::new(), None);
    loop {
        let Answer::AuditVerified(Verified { checked: some, findings: found, next }) =
            admin::perform(config, Request::VerifyAudit { after }).await?
        else {
            return other_release();
        };
        checked += some;
        findings.extend(found);
        after = next;
        if after.is_none() {
            break;
        }
    }
    for some in heads.chunks(HEADS_AT_ONCE) {
        let request = Request::CheckAuditHeads { heads: some.to_vec() };
        let Answer::AuditHeadsChecked(found) = admin::perform(config, request).await? else {
            return other_release();
        };
        findings.extend(found);
    }
    print(checked, heads.len(), &findings, as_json);
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What was copied out: a file that is named must be there, the one of the data directory need not.
fn exported(config: &Config, named: Option<PathBuf>) -> anyhow::Result<Vec<HeadLine>> {
    let path = named.clone().unwrap_or_else(|| config.data_dir.join(heads::FILE));
    let text = match fs::read_to_string(&path) {
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read.with_context(|| path.display().to_string())?,
    };
    let heads = heads::parse(&text, &path).map_err(anyhow::Error::msg)?;
    Ok(heads.into_iter().map(HeadLine::from).collect())
}

fn print(checked: u64, heads: usize, findings: &[FindingLine], as_json: bool) {
    if as_json {
        return output::json(&json!({"entries": checked, "exported_heads": heads, "findings": findings}));
    }
    for FindingLine { chain, number, text } in findings {
        output::line(&format!("Chain {chain}: entry {number} {text}."));
    }
    let verdict = if findings.is_empty() { "Good" } else { "Not good" };
    output::line(&format!("{verdict}: {checked} entries, {heads} exported heads."));
}

async fn list(config: &Config, mut wanted: Wanted, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut all = Vec::new();
    loop {
        let Answer::AuditEntries(some) = admin::perform(config, Request::ListAudit(wanted.clone())).await?
        else {
            return other_release();
        };
        let Some(last) = some.last() else { break };
        wanted.before = Some(last.number);
        if as_json {
            all.extend(some);
        } else {
            some.iter().for_each(|entry| output::line(&line(entry)));
        }
    }
    if as_json {
        output::json(&all);
    }
    Ok(ExitCode::SUCCESS)
}

fn line(entry: &EntryLine) -> String {
    let id = |id: &Option<_>| id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
    let actor = format!("{}{}", entry.actor_kind, id(&entry.actor_id));
    let object = format!("{}{}", entry.object_kind, id(&entry.object_id));
    let EntryLine { number, at, act, outcome, detail, .. } = entry;
    format!("{number:>8}  {at}  {act} {outcome}  {actor} -> {object}  {detail}")
}

fn other_release<T>() -> anyhow::Result<T> {
    bail!("the running server answered another question; is it another release?")
}
