//! Plots as SVG: bars, lines, and bars that lie. Each says in words what it shows, and holds the same figures as a table.

/// The inside of a plot, in units of its view box.
const WIDTH: f64 = 720.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 712.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 190.0;
const HEIGHT: f64 = 220.0;
/// One bar that lies, and where it begins and ends.
const ROW: f64 = 30.0;
const ROW_LEFT: f64 = 200.0;
const ROW_RIGHT: f64 = 620.0;
/// Labels under a plot, at the most.
const MOST_LABELS: usize = 6;

/// Figures of one kind, one for each label.
pub(super) struct Series {
    pub(super) name: &'static str,
    pub(super) values: Vec<Option<f64>>,
}

/// What a template draws.
pub(super) struct Plot {
    /// Begins the ids of its parts.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) says: String,
    pub(super) width: String,
    pub(super) height: String,
    pub(super) bars: Vec<Bar>,
    pub(super) lines: Vec<Line>,
    pub(super) texts: Vec<Text>,
    /// Names of the series and their classes, where there are several.
    pub(super) legend: Vec<(&'static str, String)>,
    pub(super) head: Vec<&'static str>,
    pub(super) rows: Vec<(String, Vec<String>)>,
}

pub(super) struct Bar {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) width: String,
    pub(super) height: String,
    pub(super) class: String,
    pub(super) says: String,
}

pub(super) struct Line {
    pub(super) points: String,
    pub(super) class: String,
}

pub(super) struct Text {
    pub(super) x: String,
    pub(super) y: String,
    /// `start`, `middle` or `end`.
    pub(super) anchor: &'static str,
    pub(super) text: String,
}

/// What a plot is called.
pub(super) struct Name {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// The head of the first column of its table.
    pub(super) of: &'static str,
    /// Behind each figure.
    pub(super) unit: &'static str,
}

/// Bars side by side, those of several series on top of each other.
pub(super) fn bars(name: &Name, labels: &[String], series: &[Series]) -> Plot {
    let sum = |at: usize| series.iter().filter_map(|one| one.values.get(at).copied().flatten()).sum::<f64>();
    let top = top_of((0..labels.len()).map(sum).fold(0.0, f64::max));
    let step = (RIGHT - LEFT) / labels.len().max(1) as f64;
    let mut plot = empty(name, labels, series, top);
    for (at, label) in labels.iter().enumerate() {
        let mut y = BOTTOM;
        for (number, one) in series.iter().enumerate() {
            let value = one.values.get(at).copied().flatten().unwrap_or(0.0);
            if value <= 0.0 {
                continue;
            }
            let height = (BOTTOM - TOP) * value / top;
            y -= height;
            plot.bars.push(Bar {
                x: unit(LEFT + step * (at as f64 + 0.1)),
                y: unit(y),
                width: unit(step * 0.8),
                height: unit(height),
                class: format!("bar-{}", number + 1),
                says: format!("{label}: {} {}", figure(value, name.unit), one.name),
            });
        }
    }
    plot
}

/// Lines, with a gap where there is no figure.
pub(super) fn lines(name: &Name, labels: &[String], series: &[Series]) -> Plot {
    let all = series.iter().flat_map(|one| one.values.iter().flatten().copied());
    let top = top_of(all.fold(0.0, f64::max));
    let step = (RIGHT - LEFT) / labels.len().max(1) as f64;
    let mut plot = empty(name, labels, series, top);
    for (number, one) in series.iter().enumerate() {
        let values: Vec<_> = one.values.iter().enumerate().collect();
        for stretch in values.split(|(_, value)| value.is_none()).filter(|stretch| !stretch.is_empty()) {
            let x = |at: usize| LEFT + step * (at as f64 + 0.5);
            let y = |value: &Option<f64>| BOTTOM - (BOTTOM - TOP) * value.unwrap_or(0.0) / top;
            let place = |x: f64, y: f64| format!("{},{}", unit(x), unit(y));
            // One figure with none beside it is a short line.
            let points: Vec<_> = match stretch {
                [(at, value)] => [-4.0, 4.0].map(|aside| place(x(*at) + aside, y(value))).to_vec(),
                several => several.iter().map(|(at, value)| place(x(*at), y(value))).collect(),
            };
            plot.lines.push(Line { points: points.join(" "), class: format!("line-{}", number + 1) });
        }
    }
    plot
}

/// Bars that lie below each other, each with its label on the left and its figure on the right.
pub(super) fn lying(name: &Name, labels: &[String], series: &[Series]) -> Plot {
    let sum = |at: usize| series.iter().filter_map(|one| one.values.get(at).copied().flatten()).sum::<f64>();
    let most = (0..labels.len()).map(sum).fold(0.0, f64::max).max(1.0);
    let height = ROW * labels.len().max(1) as f64 + 8.0;
    let mut plot = empty(name, labels, series, most);
    plot.height = unit(height);
    plot.texts.clear();
    for (at, label) in labels.iter().enumerate() {
        let y = ROW * at as f64 + 6.0;
        let mut x = ROW_LEFT;
        for (number, one) in series.iter().enumerate() {
            let value = one.values.get(at).copied().flatten().unwrap_or(0.0);
            let width = (ROW_RIGHT - ROW_LEFT) * value / most;
            if width > 0.0 {
                plot.bars.push(Bar {
                    x: unit(x),
                    y: unit(y),
                    width: unit(width),
                    height: unit(ROW - 10.0),
                    class: format!("bar-{}", number + 1),
                    says: format!("{label}: {} {}", figure(value, name.unit), one.name),
                });
            }
            x += width;
        }
        let middle = unit(y + ROW / 2.0);
        let text = |x: f64, anchor, text: String| Text { x: unit(x), y: middle.clone(), anchor, text };
        plot.texts.push(text(ROW_LEFT - 8.0, "end", label.clone()));
        plot.texts.push(text(x + 8.0, "start", figure(sum(at), name.unit)));
    }
    plot
}

/// Everything but the figures' shapes.
fn empty(name: &Name, labels: &[String], series: &[Series], top: f64) -> Plot {
    let mut texts = Vec::new();
    for part in [0.0, 0.5, 1.0] {
        let y = unit(BOTTOM - (BOTTOM - TOP) * part + 4.0);
        let text = figure(top * part, name.unit);
        texts.push(Text { x: unit(LEFT - 8.0), y, anchor: "end", text });
    }
    let step = (RIGHT - LEFT) / labels.len().max(1) as f64;
    for (at, label) in labels.iter().enumerate().step_by(labels.len().div_ceil(MOST_LABELS).max(1)) {
        let x = unit(LEFT + step * (at as f64 + 0.5));
        texts.push(Text { x, y: unit(BOTTOM + 18.0), anchor: "middle", text: label.clone() });
    }
    let cell = |one: &Series, at: usize| {
        let value = one.values.get(at).copied().flatten();
        value.map_or_else(|| "none".to_owned(), |value| figure(value, name.unit))
    };
    let row = |(at, label): (usize, &String)| {
        (label.clone(), series.iter().map(|one| cell(one, at)).collect::<Vec<_>>())
    };
    let all = |one: &Series| {
        let most = one.values.iter().flatten().copied().fold(0.0, f64::max);
        format!("{}: {} at the most", one.name, figure(most, name.unit))
    };
    let legend = |(number, one): (usize, &Series)| (one.name, format!("key-{}", number + 1));
    Plot {
        id: name.id,
        title: name.title,
        says: series.iter().map(all).collect::<Vec<_>>().join("; "),
        width: unit(WIDTH),
        height: unit(HEIGHT),
        bars: Vec::new(),
        lines: Vec::new(),
        texts,
        legend: if series.len() > 1 { series.iter().enumerate().map(legend).collect() } else { Vec::new() },
        head: std::iter::once(name.of).chain(series.iter().map(|one| one.name)).collect(),
        rows: labels.iter().enumerate().map(row).collect(),
    }
}

/// A round number that is not below the highest figure.
fn top_of(most: f64) -> f64 {
    let mut ten = 1.0;
    loop {
        for times in [1.0, 2.0, 4.0] {
            if times * ten >= most {
                // Half of it is a whole number, too.
                return f64::max(times * ten, 2.0);
            }
        }
        ten *= 10.0;
    }
}

fn figure(value: f64, unit: &str) -> String {
    let number = if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") };
    if unit.is_empty() { number } else { format!("{number} {unit}") }
}

fn unit(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: Name = Name { id: "calls", title: "Calls", of: "When", unit: "" };

    fn series(name: &'static str, values: &[f64]) -> Series {
        Series { name, values: values.iter().copied().map(Some).collect() }
    }

    fn labels(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("day {number}")).collect()
    }

    #[test]
    fn tops_are_round() {
        for (most, expected) in
            [(0.0, 2.0), (1.0, 2.0), (3.0, 4.0), (10.0, 10.0), (11.0, 20.0), (201.0, 400.0)]
        {
            assert_eq!(top_of(most), expected, "{most}");
        }
    }

    #[test]
    fn bars_stand_on_each_other_and_end_at_their_figure() {
        let plot = bars(&NAME, &labels(2), &[series("good", &[6.0, 0.0]), series("bad", &[4.0, 10.0])]);
        // Of a top of 10: 6 and 4 fill it together, and so do 0 and 10.
        let all: Vec<_> =
            plot.bars.iter().map(|bar| (bar.y.as_str(), bar.height.as_str(), &*bar.class)).collect();
        assert_eq!(all, [("83.2", "106.8", "bar-1"), ("12.0", "71.2", "bar-2"), ("12.0", "178.0", "bar-2")]);
        assert_eq!(plot.rows[0], ("day 0".to_owned(), vec!["6".to_owned(), "4".to_owned()]));
        assert_eq!(plot.head, ["When", "good", "bad"]);
        assert_eq!(plot.legend.len(), 2);
    }

    #[test]
    fn a_line_breaks_where_nothing_is_known() {
        let values = vec![Some(1.0), Some(2.0), None, Some(2.0)];
        let plot = lines(&NAME, &labels(4), &[Series { name: "median", values }]);
        let points: Vec<_> = plot.lines.iter().map(|line| line.points.as_str()).collect();
        assert_eq!(points, ["138.0,101.0 302.0,12.0", "626.0,12.0 634.0,12.0"]);
        assert_eq!(plot.rows[2].1, ["none"]);
    }

    #[test]
    fn lying_bars_say_their_figures() {
        let plot = lying(&NAME, &labels(2), &[series("people", &[8.0, 2.0])]);
        let widths: Vec<_> = plot.bars.iter().map(|bar| bar.width.as_str()).collect();
        assert_eq!(widths, ["420.0", "105.0"]);
        let texts: Vec<_> = plot.texts.iter().map(|text| text.text.as_str()).collect();
        assert_eq!(texts, ["day 0", "8", "day 1", "2"]);
    }

    #[test]
    fn nothing_at_all_is_drawn_without_a_fault() {
        assert!(bars(&NAME, &[], &[]).bars.is_empty());
        assert!(lines(&NAME, &[], &[]).lines.is_empty());
        assert!(lying(&NAME, &[], &[]).bars.is_empty());
    }

    #[test]
    fn not_every_label_is_written() {
        let plot = bars(&NAME, &labels(30), &[series("calls", &[1.0; 30])]);
        assert!(plot.texts.len() <= 3 + MOST_LABELS, "{}", plot.texts.len());
        assert_eq!(plot.rows.len(), 30);
    }
}
