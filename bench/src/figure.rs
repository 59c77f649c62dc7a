//! A figure: the median of what several rounds gave, with the least and the most, and what stands beside it.

use std::{collections::BTreeMap, fs, path::Path, process::ExitCode};

use serde::{Deserialize, Serialize};

use crate::goals::{Goals, Verdict};

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

/// The figures of a run, printed as they come and kept as JSON lines at the end.
pub(crate) struct Report {
    goals: Goals,
    figures: Vec<Figure>,
    skipped: Vec<String>,
}

impl Report {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self { goals: Goals::read()?, figures: Vec::new(), skipped: Vec::new() })
    }

    /// What is being done, on standard error: figures alone go to standard output.
    pub(crate) fn progress(&self, text: &str) {
        eprintln!("· {text}");
    }

    pub(crate) fn add(&mut self, figure: Figure) {
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

    /// Prints the table and one JSON line per figure, and keeps the lines in `folder`, in place of older ones of the same
    /// name.
    pub(crate) fn finish(self, folder: &Path) -> anyhow::Result<ExitCode> {
        fs::create_dir_all(folder)?;
        let path = folder.join("figures.jsonl");
        let mut kept: Vec<Figure> = read(&path).unwrap_or_default();
        kept.retain(|old| self.figures.iter().all(|new| new.name != old.name));
        kept.extend(self.figures.iter().cloned());
        let lines: Vec<String> = kept.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        fs::write(&path, lines.join("\n") + "\n")?;
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
    let text = fs::read_to_string(path)?;
    text.lines().filter(|line| !line.is_empty()).map(|line| Ok(serde_json::from_str(line)?)).collect()
}
