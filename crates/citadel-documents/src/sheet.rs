//! The paper: US Letter pages on which texts, lines and areas are put at places, before any PDF is made of them.
//!
//! Each text belongs to a part of the document ([`Sheet::within`]) or is an artifact of paper, such as a page number.

use jiff::civil::Date;

use crate::{
    structure::{Entry, Node, Role},
    type_face::Weight,
    words::Words,
};

/// Points.
pub(crate) const WIDTH: f32 = 612.0;
pub(crate) const HEIGHT: f32 = 792.0;
pub(crate) const LEFT: f32 = 54.0;
pub(crate) const RIGHT: f32 = WIDTH - 54.0;
/// The lowest line of a table; the footer is below.
const BOTTOM: f32 = HEIGHT - 72.0;
const TOP: f32 = 64.0;
const RUNNING_LINE: f32 = 40.0;
const FOOTER_LINE: f32 = HEIGHT - 40.0;

/// How dark a mark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Ink,
    Quiet,
    Line,
    Tint,
}

/// To what a text belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// To the document: the text of this number in the structure.
    Text(usize),
    /// The line at the head of every page but the first.
    Header,
    /// The line at the foot of every page.
    Footer,
    /// The number of the page.
    PageNumber,
    /// What was said before and is repeated because a new page begins.
    Repeat,
}

/// Something on a page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mark {
    /// A text whose first letter stands at `x` on the line `y`.
    Text { x: f32, y: f32, style: Style, words: Words, part: Part },
    /// A filled area. Never more than decoration.
    Area { x: f32, y: f32, width: f32, height: f32, tone: Tone },
}

/// Size, weight and tone of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Style {
    pub(crate) size: f32,
    pub(crate) weight: Weight,
    pub(crate) tone: Tone,
}

impl Style {
    pub(crate) fn width(self, text: &str) -> f32 {
        self.weight.width(text, self.size)
    }
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
    /// What stands at the foot of each page to say of which document it is. Short documents need none.
    pub(crate) reference: Option<String>,
    pub(crate) pages: Vec<Vec<Mark>>,
    /// How far down the present page is written.
    pub(crate) y: f32,
    pub(crate) contents: Vec<Entry>,
    /// The parts that are written, and those that are being written, the innermost last.
    pub(crate) parts: Vec<Node>,
    open: Vec<(Role, Vec<Node>)>,
    texts: usize,
    is_repeating: bool,
}

impl Sheet {
    pub(crate) fn new(title: String, date: Option<Date>) -> Self {
        Self {
            title,
            date,
            reference: None,
            pages: vec![Vec::new()],
            y: TOP,
            contents: Vec::new(),
            parts: Vec::new(),
            open: Vec::new(),
            texts: 0,
            is_repeating: false,
        }
    }

    /// Starts a new page unless `height` more fits on this one. Whether it did.
    pub(crate) fn need(&mut self, height: f32) -> bool {
        // What is taller than a page begins where it is: a new page would not help it.
        let is_full = self.y + height > BOTTOM && !self.is_at_top();
        if is_full {
            self.pages.push(Vec::new());
            self.y = TOP;
        }
        is_full
    }

    pub(crate) fn is_at_top(&self) -> bool {
        self.y <= TOP
    }

    /// Everything that `write` puts on the paper is a part of the document that plays this role.
    pub(crate) fn within(&mut self, role: Role, write: impl FnOnce(&mut Self)) {
        self.open.push((role, Vec::new()));
        write(self);
        let (role, parts) = self.open.pop().expect("only this function opens and closes parts");
        // An empty cell keeps its row whole; an empty paragraph says nothing.
        if !parts.is_empty() || role != Role::Paragraph {
            self.add(Node::Group(role, parts));
        }
    }

    /// What `write` puts on the paper has been said before.
    pub(crate) fn repeat(&mut self, write: impl FnOnce(&mut Self)) {
        self.is_repeating = true;
        write(self);
        self.is_repeating = false;
    }

    /// A text from `x` to the right, cut to `room`.
    pub(crate) fn text(&mut self, x: f32, y: f32, room: f32, style: Style, text: &str) {
        self.words(x, y, style, Words::fit(text, room, style));
    }

    /// A text that ends at `x`, cut to `room`.
    pub(crate) fn text_to(&mut self, x: f32, y: f32, room: f32, style: Style, text: &str) {
        let words = Words::fit(text, room, style);
        self.words(x - style.width(&words.shown), y, style, words);
    }

    pub(crate) fn words(&mut self, x: f32, y: f32, style: Style, words: Words) {
        if words.shown.is_empty() {
            return;
        }
        let part = if self.is_repeating {
            Part::Repeat
        } else {
            self.texts += 1;
            self.add(Node::Text(self.texts - 1));
            Part::Text(self.texts - 1)
        };
        self.put(Mark::Text { x, y, style, words, part });
    }

    /// A hairline from `x` on.
    pub(crate) fn line(&mut self, x: f32, y: f32, width: f32) {
        self.put(Mark::Area { x, y, width, height: 0.6, tone: Tone::Line });
    }

    /// A light area, for what matters most.
    pub(crate) fn tint(&mut self, x: f32, y: f32, width: f32, height: f32) {
        self.put(Mark::Area { x, y, width, height, tone: Tone::Tint });
    }

    /// A light area behind what `write` puts on the paper, if that stays on one page.
    pub(crate) fn boxed(&mut self, write: impl FnOnce(&mut Self)) {
        const PAD: f32 = 10.0;
        let (page, top, before) = (self.pages.len(), self.y, self.page().len());
        write(self);
        if self.pages.len() == page {
            let (width, height) = (RIGHT - LEFT + 2.0 * PAD, self.y - top);
            let area = Mark::Area { x: LEFT - PAD, y: top, width, height, tone: Tone::Tint };
            self.page().insert(before, area);
        }
        self.y += PAD;
    }

    /// Writes what stands at the head and the foot of the pages, once it is known how many there are.
    pub(crate) fn finish(&mut self, footer: Option<&str>) {
        let count = self.pages.len();
        let title = Words::fit(&self.title, RIGHT - LEFT, LABEL);
        let reference = self.reference.as_deref().map(|text| Words::fit(text, 190.0, LABEL));
        let footer = footer.map(|text| Words::fit(text, 150.0, LABEL));
        for (index, page) in self.pages.iter_mut().enumerate() {
            let mut put = |x, y, words, part| page.push(Mark::Text { x, y, style: LABEL, words, part });
            if index > 0 {
                put(LEFT, RUNNING_LINE, title.clone(), Part::Header);
            }
            if let Some(footer) = &footer {
                put(LEFT, FOOTER_LINE, footer.clone(), Part::Footer);
            }
            if let Some(reference) = &reference {
                let start = (WIDTH - LABEL.width(&reference.shown)) / 2.0;
                put(start, FOOTER_LINE, reference.clone(), Part::Footer);
            }
            if count > 1 || reference.is_some() {
                let number = Words::new(&format!("Page {} of {count}", index + 1));
                put(RIGHT - LABEL.width(&number.shown), FOOTER_LINE, number, Part::PageNumber);
            }
        }
    }

    fn page(&mut self) -> &mut Vec<Mark> {
        self.pages.last_mut().expect("a sheet has a page from the start")
    }

    fn put(&mut self, mark: Mark) {
        self.page().push(mark);
    }

    fn add(&mut self, node: Node) {
        match self.open.last_mut() {
            Some((_, parts)) => parts.push(node),
            None => self.parts.push(node),
        }
    }
}

#[cfg(test)]
impl Sheet {
    /// Every text on every page, in writing order.
    pub(crate) fn texts(&self) -> Vec<&str> {
        let marks = self.pages.iter().flatten();
        marks
            .filter_map(|mark| match mark {
                Mark::Text { words, .. } => Some(words.shown.as_str()),
                Mark::Area { .. } => None,
            })
            .collect()
    }

    /// Whether every text stays between the margins.
    pub(crate) fn is_inside_its_margins(&self) -> bool {
        self.pages.iter().flatten().all(|mark| match mark {
            Mark::Text { x, y, style, words, .. } => {
                *x >= LEFT - 0.5
                    && x + style.width(&words.shown) <= RIGHT + 0.5
                    && *y > 0.0
                    && *y < HEIGHT - 50.0
            }
            Mark::Area { x, width, .. } => *x >= LEFT - 10.5 && x + width <= RIGHT + 10.5,
        })
    }
}
