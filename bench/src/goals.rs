//! Gates and goals, from `bench/goals.toml`, and what they say about a figure.

use std::{path::Path, process::ExitCode};

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::figure::{self, Figure};

/// Above this share of others' CPU time a wall-clock figure says nothing.
const QUIET: f64 = 0.10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Goals {
    figure: Vec<Goal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Goal {
    name: String,
    what: String,
    better: Better,
    /// The build fails beyond this.
    gate: f64,
    /// What the README may say.
    goal: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Better {
    Higher,
    Lower,
}

/// What a goal says about a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Goal,
    Gate,
    BelowGate,
    /// Others used the machine: the figure says nothing.
    Noisy,
    /// There is no goal for it.
    Plain,
}

impl Verdict {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Goal => "goal",
            Self::Gate => "gate",
            Self::BelowGate => "BELOW GATE",
            Self::Noisy => "noisy",
            Self::Plain => "",
        }
    }
}

impl Goal {
    fn reaches(&self, value: f64, limit: f64) -> bool {
        match self.better {
            Better::Higher => value >= limit,
            Better::Lower => value <= limit,
        }
    }
}

impl Goals {
    pub(crate) fn read() -> anyhow::Result<Self> {
        toml::from_str(include_str!("../goals.toml")).context("cannot read bench/goals.toml")
    }

    fn find(&self, name: &str) -> Option<&Goal> {
        self.figure.iter().find(|goal| goal.name == name)
    }

    pub(crate) fn verdict(&self, figure: &Figure) -> Verdict {
        let Some(goal) = self.find(&figure.name) else { return Verdict::Plain };
        // Where others were busy, the ratio of CPU times decides in place of the one of wall-clock times.
        let value = match figure.others {
            Some(share) if share > QUIET => match figure.beside.get("cpu_ratio") {
                Some(ratio) => *ratio,
                None => return Verdict::Noisy,
            },
            _ => figure.value,
        };
        if goal.reaches(value, goal.goal) {
            Verdict::Goal
        } else if goal.reaches(value, goal.gate) {
            Verdict::Gate
        } else {
            Verdict::BelowGate
        }
    }

    /// Gate and goal of a figure, as text.
    pub(crate) fn limits(&self, name: &str) -> (String, String) {
        self.find(name).map_or_else(Default::default, |goal| (short(goal.gate), short(goal.goal)))
    }

    /// One line about a figure.
    pub(crate) fn row(&self, figure: &Figure) -> String {
        let (gate, goal) = self.limits(&figure.name);
        let others = figure.others.map(|share| format!("{:.0} %", share * 100.0)).unwrap_or_default();
        format!(
            "{:<34} {:>10} {:<8} {:>21} {:>8} {:>8} {:>6}  {}",
            figure.name,
            short(figure.value),
            figure.unit,
            format!("{} … {}", short(figure.min), short(figure.max)),
            gate,
            goal,
            others,
            self.verdict(figure).as_str(),
        )
    }

    pub(crate) fn table(&self, figures: &[Figure]) -> String {
        let head = format!(
            "{:<34} {:>10} {:<8} {:>21} {:>8} {:>8} {:>6}  verdict",
            "figure", "median", "unit", "min … max", "gate", "goal", "others"
        );
        let rows = figures.iter().map(|figure| self.row(figure));
        std::iter::once(head).chain(rows).collect::<Vec<_>>().join("\n")
    }

    /// What a figure is, in words.
    pub(crate) fn what(&self, name: &str) -> Option<&str> {
        self.find(name).map(|goal| goal.what.as_str())
    }
}

/// A number with three digits that matter.
pub(crate) fn short(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}

/// Compares the figures of a file with the goals: all of them, or those that are named.
pub(crate) fn check(path: &Path, only: &[String]) -> anyhow::Result<ExitCode> {
    let goals = Goals::read()?;
    let mut figures = figure::read(path)?;
    let known = || goals.figure.iter().map(|goal| goal.name.as_str());
    if let Some(unknown) = only.iter().find(|name| known().all(|known| known != *name)) {
        bail!("{unknown} is no figure with a goal; there are {}", known().collect::<Vec<_>>().join(", "));
    }
    let is_asked = |name: &str| only.is_empty() || only.iter().any(|asked| asked == name);
    figures.retain(|figure| is_asked(&figure.name));
    println!("{}", goals.table(&figures));
    let missing: Vec<&str> =
        known().filter(|name| is_asked(name) && figures.iter().all(|figure| figure.name != *name)).collect();
    if !missing.is_empty() {
        println!("not measured: {}", missing.join(", "));
    }
    let failed = figures.iter().any(|figure| goals.verdict(figure) == Verdict::BelowGate)
        || !(only.is_empty() || missing.is_empty());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_has_one_gate_and_a_goal_that_asks_for_more() {
        let goals = Goals::read().unwrap();
        for goal in &goals.figure {
            assert_eq!(
                goals.figure.iter().filter(|other| other.name == goal.name).count(),
                1,
                "{}",
                goal.name
            );
            assert!(goal.reaches(goal.goal, goal.gate), "{}", goal.name);
        }
    }

    #[test]
    fn a_noisy_figure_is_judged_by_cpu_time_or_not_at_all() {
        let goals = Goals::read().unwrap();
        let figure = |value| Figure::one("F3", "ratio", value);
        assert_eq!(goals.verdict(&figure(0.31)), Verdict::Goal);
        assert_eq!(goals.verdict(&figure(0.13)), Verdict::Gate);
        assert_eq!(goals.verdict(&figure(0.11)), Verdict::BelowGate);
        assert_eq!(goals.verdict(&figure(0.31).with_others(0.5)), Verdict::Noisy);
        assert_eq!(
            goals.verdict(&figure(0.31).with_others(0.5).beside("cpu_ratio", 0.11)),
            Verdict::BelowGate
        );
        assert_eq!(goals.verdict(&Figure::one("F0", "ratio", 1.0)), Verdict::Plain);
    }
}
