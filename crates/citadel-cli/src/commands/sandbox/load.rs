//! `citadel sandbox load`: keeps the scenarios of a file.

use std::{
    collections::HashMap,
    fs,
    io::{self, Read},
    path::Path,
    process::ExitCode,
};

use anyhow::Context;
use citadel_sdk::{Citadel, Error, ErrorKind, SandboxScenario};
use serde_json::{Value, json};

use super::scenario_file::{self, Scenario};
use crate::{connection, output};

pub(super) async fn run(file: &Path, as_json: bool, env_file: &Path) -> anyhow::Result<ExitCode> {
    let (name, text) = read(file)?;
    let scenarios = match scenario_file::read(&text) {
        Ok(scenarios) => scenarios,
        Err(problem) => {
            let column = problem.column.map(|column| format!(":{column}")).unwrap_or_default();
            output::error(&format!("{name}:{}{column}: {}", problem.line, problem.message));
            return Ok(ExitCode::FAILURE);
        }
    };
    let citadel = connection::connect(env_file, 3)?;
    let stored = stored(&citadel).await.map_err(connection::explained)?;
    let mut kept = Vec::new();
    let mut refused = Ok(None);
    for scenario in &scenarios {
        let place = stored.get(&(scenario.data_source.clone(), scenario.label.clone()));
        match keep(&citadel, scenario, place).await {
            Ok(answer) => kept.push(Kept { answer, label: &scenario.label, is_new: place.is_none() }),
            Err(error) if error.kind() == ErrorKind::InvalidRequest => {
                refused = Ok(Some((scenario, error)));
                break;
            }
            Err(error) => {
                refused = Err(connection::explained(error));
                break;
            }
        }
    }
    // What was kept is kept, whatever came after it.
    tell(&kept, as_json);
    let Some((scenario, error)) = refused? else { return Ok(ExitCode::SUCCESS) };
    explain(&name, scenario, &error);
    Ok(ExitCode::FAILURE)
}

/// A scenario that the server has now.
struct Kept<'a> {
    answer: SandboxScenario,
    label: &'a str,
    is_new: bool,
}

/// The file's name, for messages, and its text.
fn read(file: &Path) -> anyhow::Result<(String, String)> {
    if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).context("the standard input cannot be read")?;
        return Ok(("-".to_owned(), text));
    }
    let name = file.display().to_string();
    let text = fs::read_to_string(file).with_context(|| format!("{name} cannot be read"))?;
    Ok((name, text))
}

/// The scenarios of the server, by data source and label.
async fn stored(citadel: &Citadel) -> Result<HashMap<(String, String), SandboxScenario>, Error> {
    let mut found = HashMap::new();
    for page in 1.. {
        let list = citadel.sandbox_scenarios(page).await?;
        let is_last = list.next.is_none();
        let word = |scenario: &SandboxScenario, key: &str| {
            scenario.scenario.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let keyed = |each: SandboxScenario| ((word(&each, "data_source"), word(&each, "label")), each);
        found.extend(list.results.into_iter().map(keyed));
        if is_last {
            break;
        }
    }
    Ok(found)
}

async fn keep(
    citadel: &Citadel,
    scenario: &Scenario<'_>,
    place: Option<&SandboxScenario>,
) -> Result<SandboxScenario, Error> {
    match place {
        None => citadel.create_sandbox_scenario_text(&scenario.in_place()).await,
        Some(before) => {
            let text = scenario.in_place_of(before.scenario.keys());
            citadel.update_sandbox_scenario_text(&before.id, &text).await
        }
    }
}

fn tell(kept: &[Kept<'_>], as_json: bool) {
    if as_json {
        let row = |kept: &Kept<'_>| json!({"id": kept.answer.id, "label": kept.label, "is_new": kept.is_new});
        output::json(&kept.iter().map(row).collect::<Vec<Value>>());
        return;
    }
    for Kept { answer, label, is_new } in kept {
        let what = if *is_new { "new" } else { "replaced" };
        output::line(&format!("{}  {}  {what}", answer.id, label.escape_debug()));
    }
    if kept.is_empty() {
        output::line("Nothing was loaded.");
    }
}

/// Every problem by line, as compilers tell them.
fn explain(name: &str, scenario: &Scenario<'_>, error: &Error) {
    let problems = error.invalid_params();
    for problem in problems {
        // `Line 12: what is wrong`, where the server knows the place.
        let told = problem.message.strip_prefix("Line ").and_then(|rest| rest.split_once(": "));
        let told = told.and_then(|(line, message)| Some((line.parse::<usize>().ok()?, message)));
        let (line, message) = told.unwrap_or((scenario.line, &problem.message));
        // What is wrong with the whole has no field.
        let field = if problem.field.is_empty() { String::new() } else { format!("{}: ", problem.field) };
        output::error(&format!("{name}:{line}: {field}{message}"));
    }
    if problems.is_empty() {
        output::error(&format!("{name}:{}: {error}", scenario.line));
    }
    output::error("This scenario and those after it were not loaded.");
}
