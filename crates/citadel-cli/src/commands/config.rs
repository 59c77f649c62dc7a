//! `citadel config check|default`.

use std::{path::Path, process::ExitCode};

use citadel_domain::Clock;
use citadel_server::{
    config::{self, Config, Problem, Problems},
    system::SystemClock,
    tls::Tls,
};
use serde_json::{Value, json};

use crate::{args::ConfigVerb, output};

pub(crate) fn run(file: Option<&Path>, verb: ConfigVerb) -> anyhow::Result<ExitCode> {
    match verb {
        ConfigVerb::Default => {
            output::line(config::default_text().trim_end());
            Ok(ExitCode::SUCCESS)
        }
        ConfigVerb::Check { json: true } => Ok(check_as_json(file)),
        ConfigVerb::Check { json: false } => {
            let config = load(file)?;
            for (name, value) in config.lines() {
                output::line(&format!("{name:<25} {value}"));
            }
            for risk in &config.risks {
                output::line(&format!("risk: {risk}"));
            }
            output::line(match config.risks.len() {
                0 => "The configuration is good.",
                _ => "The configuration works, with the risks above.",
            });
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The configuration, and that the certificate which it names can be shown. Verbs that show none need not be able to read it.
fn load(file: Option<&Path>) -> Result<Config, Problems> {
    let config = super::load(file)?;
    let tls = config.tls.as_ref().map(|files| Tls::open(files, SystemClock.now()));
    match tls {
        Some(Err(problem)) => Err(Problems(vec![problem])),
        _ => Ok(config),
    }
}

fn check_as_json(file: Option<&Path>) -> ExitCode {
    match load(file) {
        Ok(config) => {
            let settings: serde_json::Map<_, _> = config
                .lines()
                .into_iter()
                .map(|(name, value)| (name.to_owned(), Value::from(value)))
                .collect();
            output::json(&json!({"settings": settings, "risks": list(&config.risks), "problems": []}));
            ExitCode::SUCCESS
        }
        Err(problems) => {
            output::json(&json!({"settings": null, "risks": [], "problems": list(&problems.0)}));
            ExitCode::FAILURE
        }
    }
}

fn list(problems: &[Problem]) -> Vec<Value> {
    problems
        .iter()
        .map(|problem| {
            json!({"setting": problem.setting, "value": problem.value, "what": problem.what, "fix": problem.fix})
        })
        .collect()
}
