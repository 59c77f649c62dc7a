//! The page of results with its plots, written from the figures of a run.

use std::{fmt::Write, fs, path::Path};

use anyhow::Context;

use crate::{
    figure,
    goals::{Goals, short},
    plot, system,
};

/// Writes the page from the JSON lines in `file`, and its plots into the folder beside it that has its name.
pub(crate) fn write(file: &Path, page: &Path) -> anyhow::Result<()> {
    let goals = Goals::read()?;
    let figures = figure::read(file)?;
    let mut text =
        "# Benchmarks\n\nWritten by `citadel-bench page` from the last figures of each of its commands; \
                    [performance.md](performance.md) says how to read it.\n\n"
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
    let folder = page.with_extension("");
    let name = folder.file_name().context("a page without a name")?.to_string_lossy();
    for plot in plot::write(&figures, &folder)? {
        writeln!(text, "\n![{}]({name}/{})", plot.title, plot.file)?;
    }
    fs::write(page, text).with_context(|| format!("cannot write {}", page.display()))
}
