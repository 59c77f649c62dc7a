//! The page of results, written from the figures of a run.

use std::{fmt::Write, fs, path::Path};

use anyhow::Context;

use crate::{
    figure,
    goals::{Goals, short},
    system,
};

/// Writes the page from the JSON lines in `file`.
pub(crate) fn write(file: &Path, page: &Path) -> anyhow::Result<()> {
    let goals = Goals::read()?;
    let figures = figure::read(file)
        .with_context(|| format!("cannot read {}: run `citadel-bench all` first", file.display()))?;
    let mut text = "# Benchmarks\n\nWritten by `citadel-bench page` from one run; [performance.md](performance.md) says how \
                    to read it.\n\n"
        .to_owned();
    for (name, value) in system::machine() {
        writeln!(text, "- {name}: {value}")?;
    }
    text.push_str("\n| Figure | What | Median | Least … most | Gate | Goal | Others | Verdict |\n");
    text.push_str("|---|---|---|---|---|---|---|---|\n");
    for figure in &figures {
        let (gate, goal) = goals.limits(&figure.name);
        writeln!(
            text,
            "| {} | {} | {} {} | {} … {} | {gate} | {goal} | {} | {} |",
            figure.name,
            goals.what(&figure.name).unwrap_or_default(),
            short(figure.value),
            figure.unit,
            short(figure.min),
            short(figure.max),
            figure.others.map(|share| format!("{:.0} %", share * 100.0)).unwrap_or_default(),
            goals.verdict(figure).as_str(),
        )?;
    }
    fs::write(page, text).with_context(|| format!("cannot write {}", page.display()))
}
