//! A figure: the median of what several rounds gave, with the least and the most, and what stands beside it.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::{
    goals::{Goals, Verdict},
    plot,
};

/// The file of figures in the folder of results.
const FILE: &str = "figures.jsonl";

/// One measured figure. `name` is that of its goal in `bench/goals.toml`, if it has one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: String,
    /// The median over the rounds.
    pub(crate) value: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) rounds: usize,
    /// The share of the machine's CPU time that others used meanwhile, 0 to 1. Absent where it does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) others: Option<f64>,
    /// What else was seen, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) beside: BTreeMap<String, f64>,
}

impl Figure {
    /// The median of the rounds.
    pub(crate) fn of(name: impl Into<String>, unit: &str, rounds: &[f64]) -> Self {
        let mut sorted = rounds.to_vec();
        sorted.sort_by(f64::total_cmp);
        let middle = match sorted.len() {
            0 => f64::NAN,
            count if count % 2 == 1 => sorted[count / 2],
            count => sorted[count / 2 - 1].midpoint(sorted[count / 2]),
        };
        Self {
            name: name.into(),
            unit: unit.to_owned(),
            value: middle,
            min: sorted.first().copied().unwrap_or(f64::NAN),
            max: sorted.last().copied().unwrap_or(f64::NAN),
            rounds: sorted.len(),
            others: None,
            beside: BTreeMap::new(),
        }
    }

    /// A count or size that has no rounds.
    pub(crate) fn one(name: impl Into<String>, unit: &str, value: f64) -> Self {
        Self::of(name, unit, &[value])
    }

    /// Says how busy others were: a wall-clock figure needs that.
    pub(crate) fn with_others(mut self, share: f64) -> Self {
        self.others = Some(share);
        self
    }

    /// Adds something seen beside the figure.
    pub(crate) fn beside(mut self, name: impl Into<String>, value: f64) -> Self {
        self.beside.insert(name.into(), value);
        self
    }
}

/// The median of several rounds.
pub(crate) fn middle(rounds: &[f64]) -> f64 {
    Figure::of("", "", rounds).value
}

/// The figures of a run, printed as they come and kept as JSON lines at the end.
pub(crate) struct Report {
    goals: Goals,
    folder: PathBuf,
    /// Of earlier runs.
    kept: Vec<Figure>,
    figures: Vec<Figure>,
    skipped: Vec<String>,
}

impl Report {
    /// A report whose figures go into `folder`. What is wrong there is told before anything was measured.
    pub(crate) fn new(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let kept = match read(&folder.join(FILE)) {
            Err(error) if error.downcast_ref().is_some_and(is_missing) => Vec::new(),
            read => read?,
        };
        let (figures, skipped) = (Vec::new(), Vec::new());
        Ok(Self { goals: Goals::read()?, folder: folder.to_owned(), kept, figures, skipped })
    }

    /// Nothing was measured yet.
    pub(crate) const fn is_empty(&self) -> bool {
        self.figures.is_empty()
    }

    /// What is being done, on standard error: figures alone go to standard output.
    pub(crate) fn progress(&self, text: &str) {
        eprintln!("· {text}");
    }

    pub(crate) fn add(&mut self, mut figure: Figure) {
        // JSON has no word for what is no number.
        figure.beside.retain(|_, value| value.is_finite());
        if !(figure.value.is_finite() && figure.min.is_finite() && figure.max.is_finite()) {
            return self.skip(&figure.name, "it came to no number");
        }
        let row = self.goals.row(&figure);
        eprintln!("  {row}");
        self.figures.push(figure);
    }

    /// Something that was not measured, and why.
    pub(crate) fn skip(&mut self, what: &str, why: &str) {
        let line = format!("{what}: skipped, {why}");
        eprintln!("  {line}");
        self.skipped.push(line);
    }

    /// A figure of this run.
    pub(crate) fn find(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }

    /// Prints the table and one JSON line per figure, and keeps the lines in the folder, in place of older ones of the same
    /// name, with the plots of all.
    pub(crate) fn finish(self) -> anyhow::Result<ExitCode> {
        let mut kept = self.kept;
        kept.retain(|old| self.figures.iter().all(|new| new.name != old.name));
        kept.extend(self.figures.iter().cloned());
        let lines: Vec<String> = kept.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        fs::write(self.folder.join(FILE), lines.join("\n") + "\n")?;
        plot::write(&kept, &self.folder)?;
        println!("{}", self.goals.table(&self.figures));
        for line in &self.skipped {
            println!("{line}");
        }
        for figure in &self.figures {
            println!("{}", serde_json::to_string(figure)?);
        }
        let failed = self.figures.iter().any(|figure| self.goals.verdict(figure) == Verdict::BelowGate);
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// The figures in a file of JSON lines.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Figure>> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read {}: a run of the bench writes it", path.display()))?;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.is_empty());
    let figure = |(number, line)| {
        let place = || format!("line {number} of {} is no figure", path.display());
        serde_json::from_str(line).with_context(place)
    };
    lines.map(figure).collect()
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}
