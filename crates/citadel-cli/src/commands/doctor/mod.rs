//! `citadel doctor`: looks at everything a set-up needs and says, for each thing that is wrong, how to fix it. It
//! changes nothing.

mod certificate;
mod checks;
mod quickstart;

use std::{path::Path, process::ExitCode};

use citadel_server::config::Problem;
use serde::Serialize;

use crate::output;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Good,
    Note,
    Wrong,
}

/// What one check found.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    verdict: Verdict,
    /// What was looked at.
    subject: String,
    /// What was found.
    what: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Finding {
    fn good(subject: &str, what: impl Into<String>) -> Self {
        Self { verdict: Verdict::Good, subject: subject.to_owned(), what: what.into(), fix: None }
    }

    fn note(subject: &str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { verdict: Verdict::Note, subject: subject.to_owned(), what: what.into(), fix: Some(fix.into()) }
    }

    fn wrong(subject: &str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { verdict: Verdict::Wrong, ..Self::note(subject, what, fix) }
    }

    fn from_problem(verdict: Verdict, problem: &Problem) -> Self {
        let value = problem.value.as_ref().map(|value| format!("{value:?} ")).unwrap_or_default();
        let (subject, what) = (problem.setting.clone(), format!("{value}{}", problem.what));
        Self { verdict, subject, what, fix: Some(problem.fix.clone()) }
    }
}

pub(crate) async fn run(file: Option<&Path>, json: bool) -> anyhow::Result<ExitCode> {
    let mut findings = checks::misspelt_variables(std::env::vars_os());
    match super::load(file) {
        Ok(config) => {
            findings.push(Finding::good("configuration", format!("profile {}", config.profile.as_str())));
            findings.extend(config.risks.iter().map(|risk| Finding::from_problem(Verdict::Note, risk)));
            findings.extend(checks::all(&config).await);
        }
        // Nothing else can be judged before the settings make sense.
        Err(problems) => {
            findings.extend(problems.0.iter().map(|problem| Finding::from_problem(Verdict::Wrong, problem)));
        }
    }
    let wrong = findings.iter().filter(|finding| finding.verdict == Verdict::Wrong).count();
    if json {
        output::json(&serde_json::json!({"is_healthy": wrong == 0, "findings": findings}));
    } else {
        print(&findings, wrong);
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(findings: &[Finding], wrong: usize) {
    for Finding { verdict, subject, what, fix } in findings {
        let mark = match verdict {
            Verdict::Good => "good ",
            Verdict::Note => "note ",
            Verdict::Wrong => "WRONG",
        };
        output::line(&format!("{mark}  {subject}: {what}"));
        if let Some(fix) = fix {
            output::line(&format!("       fix: {fix}"));
        }
    }
    output::line(&match wrong {
        0 => "Everything that was looked at works.".to_owned(),
        1 => "One thing is wrong.".to_owned(),
        more => format!("{more} things are wrong."),
    });
}
