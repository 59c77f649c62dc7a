//! `citadel config check|default`.

use std::{path::Path, process::ExitCode};

use citadel_server::config::{self, Problem};
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
            let config = super::load(file)?;
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

fn check_as_json(file: Option<&Path>) -> ExitCode {
    match super::load(file) {
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
