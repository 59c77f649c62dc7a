//! The paper: US Letter pages on which texts, lines and areas are put at places, before any PDF is made of them.

use jiff::civil::Date;

use crate::type_face::Weight;

/// Points.
pub(crate) const WIDTH: f32 = 612.0;
pub(crate) const HEIGHT: f32 = 792.0;
pub(crate) const LEFT: f32 = 54.0;
pub(crate) const RIGHT: f32 = WIDTH - 54.0;
/// The lowest line of a table; the footer is below.
const BOTTOM: f32 = HEIGHT - 72.0;
const TOP: f32 = 64.0;

/// How dark a mark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Ink,
    Quiet,
    Line,
    Tint,
}

/// Something on a page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mark {
    /// A text whose first letter stands at `x` on the line `y`.
    Text { x: f32, y: f32, size: f32, weight: Weight, tone: Tone, text: String },
    /// A filled area.
    Area { x: f32, y: f32, width: f32, height: f32, tone: Tone },
}

/// Size, weight and tone of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) size: f32,
    pub(crate) weight: Weight,
    pub(crate) tone: Tone,
}

pub(crate) const TITLE: Style = Style { size: 16.0, weight: Weight::SemiBold, tone: Tone::Ink };
pub(crate) const STRONG: Style = Style { size: 9.0, weight: Weight::SemiBold, tone: Tone::Ink };
pub(crate) const BODY: Style = Style { size: 9.0, weight: Weight::Regular, tone: Tone::Ink };
pub(crate) const QUIET: Style = Style { size: 9.0, weight: Weight::Regular, tone: Tone::Quiet };
pub(crate) const LABEL: Style = Style { size: 7.5, weight: Weight::Regular, tone: Tone::Quiet };

/// A document in the making.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) title: String,
    /// The date of the document itself, if it has one; the only time in the file.
    pub(crate) date: Option<Date>,
    pub(crate) pages: Vec<Vec<Mark>>,
    /// How far down the present page is written.
    pub(crate) y: f32,
}

impl Sheet {
    pub(crate) fn new(title: String, date: Option<Date>) -> Self {
        Self { title, date, pages: vec![Vec::new()], y: TOP }
    }

    /// Starts a new page unless `height` more fits on this one.
    pub(crate) fn need(&mut self, height: f32) {
        if self.y + height > BOTTOM {
            self.pages.push(Vec::new());
            self.y = TOP;
        }
    }

    /// A text from `x` to the right, cut to `room`.
    pub(crate) fn text(&mut self, x: f32, y: f32, room: f32, style: Style, text: &str) {
        let text = fit(text, room, style);
        if !text.is_empty() {
            let Style { size, weight, tone } = style;
            self.put(Mark::Text { x, y, size, weight, tone, text });
        }
    }

    /// A text that ends at `x`, cut to `room`.
    pub(crate) fn text_to(&mut self, x: f32, y: f32, room: f32, style: Style, text: &str) {
        let text = fit(text, room, style);
        let start = x - style.weight.width(&text, style.size);
        self.text(start, y, room + 1.0, style, &text);
    }

    /// A hairline from `x` on.
    pub(crate) fn line(&mut self, x: f32, y: f32, width: f32) {
        self.put(Mark::Area { x, y, width, height: 0.6, tone: Tone::Line });
    }

    /// A light area, for what matters most.
    pub(crate) fn tint(&mut self, x: f32, y: f32, width: f32, height: f32) {
        self.put(Mark::Area { x, y, width, height, tone: Tone::Tint });
    }

    fn put(&mut self, mark: Mark) {
        self.pages.last_mut().expect("a sheet has a page from the start").push(mark);
    }
}

/// The text without control characters, cut with an ellipsis where it would not fit.
fn fit(text: &str, room: f32, style: Style) -> String {
    let text: String = text.chars().filter(|character| !character.is_control()).collect();
    if style.weight.width(&text, style.size) <= room {
        return text;
    }
    let mut kept: Vec<char> = text.chars().collect();
    while !kept.is_empty() {
        kept.pop();
        let cut = format!("{}…", kept.iter().collect::<String>().trim_end());
        if style.weight.width(&cut, style.size) <= room {
            return cut;
        }
    }
    String::new()
}

#[cfg(test)]
impl Sheet {
    /// Every text on every page, in writing order.
    pub(crate) fn texts(&self) -> Vec<&str> {
        let marks = self.pages.iter().flatten();
        marks
            .filter_map(|mark| match mark {
                Mark::Text { text, .. } => Some(text.as_str()),
                Mark::Area { .. } => None,
            })
            .collect()
    }

    /// Whether every text stays between the margins.
    pub(crate) fn is_inside_its_margins(&self) -> bool {
        self.pages.iter().flatten().all(|mark| match mark {
            Mark::Text { x, y, size, weight, text, .. } => {
                *x >= LEFT - 0.5
                    && x + weight.width(text, *size) <= RIGHT + 0.5
                    && *y > 0.0
                    && *y < HEIGHT - 50.0
            }
            Mark::Area { x, width, .. } => *x >= LEFT - 10.5 && x + width <= RIGHT + 10.5,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_to_their_room() {
        let cut = fit("A very long name of a company that goes on and on", 80.0, BODY);
        assert!(cut.ends_with('…') && BODY.weight.width(&cut, BODY.size) <= 80.0, "{cut}");
        assert_eq!(fit("Short\u{0}\n", 80.0, BODY), "Short");
        assert_eq!(fit("Anything", 0.5, BODY), "");
    }
}
