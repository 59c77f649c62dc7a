//! Curves of a run as SVG: plain text without a script, light or dark as the reader's system is.

use std::{fmt::Write, fs, path::Path};

use anyhow::Context;

use crate::{figure::Figure, flow::PEOPLE, goals::short};

/// A file with its curves, in panels side by side.
pub(crate) struct Plot {
    pub(crate) file: &'static str,
    pub(crate) title: &'static str,
    panels: Vec<Panel>,
}

/// What is on the axes, and the lines over a common x axis. That one is logarithmic; y begins at 0, or is logarithmic too.
struct Panel {
    x: &'static str,
    y: &'static str,
    is_log: bool,
    lines: Vec<Line>,
}

struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

const PANEL: (f64, f64) = (400.0, 300.0);
/// Left, top, right, bottom of a panel's field.
const MARGINS: (f64, f64, f64, f64) = (64.0, 76.0, 20.0, 48.0);

const STYLE: &str = "
  text { font: 12px system-ui, sans-serif; fill: #33383f }
  .title { font-size: 15px; font-weight: 600 }
  .grid { stroke: #d5d9df; stroke-width: 1 }
  .line { fill: none; stroke-width: 2 }
  .c0 { stroke: #0b62c4 } .c1 { stroke: #b04a00; stroke-dasharray: 7 3 }
  .c2 { stroke: #17774b; stroke-dasharray: 2 3 } .c3 { stroke: #8a3ab9; stroke-dasharray: 9 3 2 3 }
  .paper { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    text { fill: #d5dae1 }
    .grid { stroke: #3b424c }
    .c0 { stroke: #6cb0ff } .c1 { stroke: #ff9d57 } .c2 { stroke: #5fd39b } .c3 { stroke: #cf9bf2 }
    .paper { fill: #14181d }
  }
";

/// Writes the plots that these figures give into a folder. Answers them.
pub(crate) fn write(figures: &[Figure], folder: &Path) -> anyhow::Result<Vec<Plot>> {
    let plots = plots(figures);
    for plot in &plots {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let path = folder.join(plot.file);
        fs::write(&path, plot.svg()?).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(plots)
}

fn plots(figures: &[Figure]) -> Vec<Plot> {
    let panel = |x, y, is_log, lines: Vec<Line>| {
        let lines: Vec<_> = lines.into_iter().filter(|line| line.points.len() > 1).collect();
        (!lines.is_empty()).then_some(Panel { x, y, is_log, lines })
    };
    let flow = |y, beside| panel("connections", y, false, flow_lines(figures, beside));
    let search = [
        ("F7.prefix", "beginning"),
        ("F7.typo", "one typo"),
        ("F7.miss", "nothing found"),
        ("F7.one_letter", "one letter"),
    ];
    let search = search.map(|(figure, name)| curve(figures, figure, name, "p99_us_at_"));
    let flat = |figure, y, beside| {
        panel("links in the store", y, false, vec![curve(figures, figure, "one flow", beside)])
    };
    let plots = [
        Plot {
            file: "flow.svg",
            title: "The whole flow by number of connections",
            panels: [
                flow("flows per second", "flows_per_second"),
                flow("CPU of the server per flow, µs", "server_cpu_us_per_flow"),
            ]
            .into_iter()
            .flatten()
            .collect(),
        },
        Plot {
            file: "search.svg",
            title: "Employer search by number of names",
            panels: panel("names", "p99, µs of CPU", true, search.into()).into_iter().collect(),
        },
        Plot {
            file: "flat.svg",
            title: "What a flow costs by number of links",
            panels: [
                flat("F10.cpu", "CPU of the server per flow, µs", "cpu_us_at_"),
                flat("F10.log", "log per flow, bytes", "log_bytes_at_"),
                flat("F10.p50", "income report, p50 in µs", "p50_us_at_"),
            ]
            .into_iter()
            .flatten()
            .collect(),
        },
    ];
    plots.into_iter().filter(|plot| !plot.panels.is_empty()).collect()
}

/// What stands beside the figures of the flow, one line per person. The figure with a goal has no numbers in its name.
fn flow_lines(figures: &[Figure], beside: &str) -> Vec<Line> {
    let connections = |figure: &Figure, statements: u32| match (figure.name.as_str(), statements) {
        ("F3", 24) => Some(32.0),
        (name, _) => name.strip_prefix(&format!("F3/{statements}/"))?.parse().ok(),
    };
    let line = |(statements, _)| {
        let point = |figure: &Figure| Some((connections(figure, statements)?, *figure.beside.get(beside)?));
        line(format!("{statements} statements"), figures.iter().filter_map(point))
    };
    PEOPLE.into_iter().map(line).collect()
}

/// What stands beside one figure under `prefix` and a number, as `p99_us_at_1e3`.
fn curve(figures: &[Figure], figure: &str, name: &str, prefix: &str) -> Line {
    let beside = figures.iter().find(|other| other.name == figure).map(|figure| &figure.beside);
    let point = |(key, value): (&String, &f64)| Some((key.strip_prefix(prefix)?.parse().ok()?, *value));
    line(name.to_owned(), beside.into_iter().flatten().filter_map(point))
}

fn line(name: String, points: impl Iterator<Item = (f64, f64)>) -> Line {
    // Both may stand on an axis of powers.
    let mut points: Vec<_> =
        points.filter(|(x, y)| [x, y].iter().all(|at| **at > 0.0 && at.is_finite())).collect();
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    points.dedup_by_key(|(x, _)| *x);
    Line { name, points }
}

impl Plot {
    fn svg(&self) -> anyhow::Result<String> {
        let (width, height) = (PANEL.0 * self.panels.len() as f64, PANEL.1);
        let mut text = String::new();
        writeln!(
            text,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-labelledby="title desc">"#
        )?;
        writeln!(text, r#"<title id="title">{}</title>"#, self.title)?;
        writeln!(text, r#"<desc id="desc">{}</desc>"#, self.words())?;
        writeln!(text, "<style>{STYLE}</style>")?;
        writeln!(text, r#"<rect class="paper" width="{width}" height="{height}"/>"#)?;
        writeln!(text, r#"<text class="title" x="16" y="24">{}</text>"#, self.title)?;
        for (number, panel) in self.panels.iter().enumerate() {
            writeln!(text, r#"<g transform="translate({} 0)">"#, PANEL.0 * number as f64)?;
            panel.draw(&mut text)?;
            writeln!(text, "</g>")?;
        }
        writeln!(text, "</svg>")?;
        Ok(text)
    }

    /// The numbers, for whoever does not see the curves.
    fn words(&self) -> String {
        let line = |panel: &Panel, line: &Line| {
            let points: Vec<_> =
                line.points.iter().map(|(x, y)| format!("{} at {}", short(*y), count(*x))).collect();
            format!("{}, {}: {}.", panel.y, line.name, points.join(", "))
        };
        let lines = self.panels.iter().flat_map(|panel| panel.lines.iter().map(move |one| line(panel, one)));
        lines.collect::<Vec<_>>().join(" ")
    }
}

impl Panel {
    fn draw(&self, text: &mut String) -> anyhow::Result<()> {
        let (left, top, right, bottom) = (MARGINS.0, MARGINS.1, PANEL.0 - MARGINS.2, PANEL.1 - MARGINS.3);
        let mut xs: Vec<f64> = self.points().map(|(x, _)| x).collect();
        xs.sort_by(f64::total_cmp);
        xs.dedup();
        let marks = self.marks();
        let (first, last) = (xs[0].ln(), xs[xs.len() - 1].ln());
        let scale = |y: f64| if self.is_log { y.ln() } else { y };
        let (low, high) = (scale(marks[0]), scale(marks[marks.len() - 1]));
        let at_x = |x: f64| left + (x.ln() - first) / (last - first) * (right - left);
        let at_y = |y: f64| bottom - (scale(y) - low) / (high - low) * (bottom - top);

        for mark in &marks {
            let y = at_y(*mark);
            writeln!(text, r#"<path class="grid" d="M{left} {y:.1}H{right}"/>"#)?;
            let (x, y) = (left - 6.0, y + 4.0);
            writeln!(text, r#"<text x="{x}" y="{y:.1}" text-anchor="end">{}</text>"#, count(*mark))?;
        }
        for x in &xs {
            let (at, y) = (at_x(*x), bottom + 18.0);
            writeln!(text, r#"<path class="grid" d="M{at:.1} {bottom}v4"/>"#)?;
            writeln!(text, r#"<text x="{at:.1}" y="{y}" text-anchor="middle">{}</text>"#, count(*x))?;
        }
        let (middle, y) = (left.midpoint(right), bottom + 38.0);
        writeln!(text, r#"<text x="{middle}" y="{y}" text-anchor="middle">{}</text>"#, self.x)?;
        let middle = top.midpoint(bottom);
        writeln!(
            text,
            r#"<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">{}</text>"#,
            self.y
        )?;

        let mut key = (left, 44.0);
        for (number, line) in self.lines.iter().enumerate() {
            let path: Vec<_> =
                line.points.iter().map(|(x, y)| format!("{:.1} {:.1}", at_x(*x), at_y(*y))).collect();
            writeln!(text, r#"<path class="line c{}" d="M{}"/>"#, number % 4, path.join("L"))?;
            let width = 34.0 + 6.5 * line.name.len() as f64;
            if key.0 + width > right {
                key = (left, key.1 + 16.0);
            }
            writeln!(text, r#"<path class="line c{}" d="M{} {}h18"/>"#, number % 4, key.0, key.1)?;
            writeln!(text, r#"<text x="{}" y="{}">{}</text>"#, key.0 + 22.0, key.1 + 4.0, line.name)?;
            key.0 += width;
        }
        Ok(())
    }

    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.lines.iter().flat_map(|line| line.points.iter().copied())
    }

    /// Round numbers along the y axis, from below the least point to above the greatest.
    fn marks(&self) -> Vec<f64> {
        let most = self.points().map(|(_, y)| y).fold(f64::MIN_POSITIVE, f64::max);
        if self.is_log {
            let least = self.points().map(|(_, y)| y).fold(most, f64::min);
            let (from, to) = (least.log10().floor() as i32, most.log10().ceil() as i32);
            return (from..=to.max(from + 1)).map(|power| 10_f64.powi(power)).collect();
        }
        let power = 10_f64.powf((most / 5.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|part| part * power).into_iter().find(|step| most / step <= 5.0);
        let step = step.unwrap_or(most);
        (0..=(most / step).ceil() as u32).map(|number| f64::from(number) * step).collect()
    }
}

/// A round number, short: 10k, 1M.
fn count(value: f64) -> String {
    let (value, unit) = match value {
        value if value >= 1e6 => (value / 1e6, "M"),
        value if value >= 1e3 => (value / 1e3, "k"),
        value => (value, ""),
    };
    format!("{}{unit}", (value * 1e4).round() / 1e4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_become_plots_and_single_points_do_not() {
        let flow = |name: &str, rate| {
            Figure::one(name, "ratio", 0.1)
                .beside("flows_per_second", rate)
                .beside("server_cpu_us_per_flow", 5000.0 - rate)
        };
        let search = Figure::one("F7.prefix", "µs", 180.0)
            .beside("p99_us_at_1e3", 8.0)
            .beside("p99_us_at_1e6", 180.0)
            .beside("p50_us", 5.0);
        let figures =
            [flow("F3/24/1", 90.0), flow("F3", 380.0), flow("F3/6/8", 300.0), flow("F3/6/8", 310.0), search];
        let plots = plots(&figures);
        let files: Vec<_> = plots.iter().map(|plot| plot.file).collect();
        assert_eq!(files, ["flow.svg", "search.svg"]);
        let svg = plots[0].svg().unwrap();
        assert!(svg.contains("flows per second, 24 statements: 90.0 at 1, 380 at 32."), "{svg}");
        assert!(!svg.contains("6 statements:"), "one point is no curve");
        assert_eq!(svg.matches("<g ").count(), 2);
        assert!(!svg.contains("NaN"));
        assert!(plots[1].svg().unwrap().contains("8.00 at 1k, 180 at 1M"));
    }

    #[test]
    fn marks_are_round_and_reach_beyond_the_points() {
        let marks = |is_log, points: &[f64]| {
            let points = points.iter().map(|y| (1.0, *y)).collect();
            Panel { x: "", y: "", is_log, lines: vec![Line { name: String::new(), points }] }.marks()
        };
        assert_eq!(marks(false, &[90.0, 380.0]), [0.0, 100.0, 200.0, 300.0, 400.0]);
        assert_eq!(marks(false, &[0.5]), [0.0, 0.1, 0.2, 0.30000000000000004, 0.4, 0.5]);
        assert_eq!(marks(true, &[8.0, 180.0]), [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(marks(true, &[10.0]), [10.0, 100.0]);
    }
}
