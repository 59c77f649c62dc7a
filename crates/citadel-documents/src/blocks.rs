//! What documents are made of: headings, paragraphs, facts with labels, and lists of sentences.

use crate::{
    sheet::{BODY, HEIGHT, LABEL, LEFT, RIGHT, STRONG, Sheet, Style, TITLE},
    structure::{Entry, Role},
    words::{self, Words},
};

/// The width between the margins.
pub(crate) const FULL: f32 = RIGHT - LEFT;
const LINE: f32 = 12.0;
const H2: Style = Style { size: 12.0, ..STRONG };
const H3: Style = Style { size: 10.0, ..STRONG };

/// A value and what it is.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    label: &'static str,
    /// Long ones are broken into lines.
    values: Vec<String>,
    style: Style,
}

impl Fact {
    pub(crate) fn new(label: &'static str, value: impl Into<String>) -> Self {
        Self::lines(label, [value.into()])
    }

    /// A fact of several lines, such as an address.
    pub(crate) fn lines(label: &'static str, values: impl IntoIterator<Item = String>) -> Self {
        Self { label, values: values.into_iter().filter(|value| !value.is_empty()).collect(), style: BODY }
    }

    /// The same, for what matters most.
    pub(crate) fn strong(self) -> Self {
        Self { style: STRONG, ..self }
    }
}

/// Facts under each other.
pub(crate) struct Column {
    pub(crate) x: f32,
    pub(crate) room: f32,
    pub(crate) facts: Vec<Fact>,
}

/// Three columns of equal width.
pub(crate) fn thirds(facts: [Vec<Fact>; 3]) -> Vec<Column> {
    const GUTTER: f32 = 18.0;
    let room = (FULL - 2.0 * GUTTER) / 3.0;
    let starts = [LEFT, LEFT + room + GUTTER, LEFT + 2.0 * (room + GUTTER)];
    starts.into_iter().zip(facts).map(|(x, facts)| Column { x, room, facts }).collect()
}

impl Sheet {
    /// The name of the document.
    pub(crate) fn title_line(&mut self, title: &str) {
        let y = self.y;
        self.heading_at(1, LEFT, y, FULL, TITLE, title);
    }

    /// The name of a section, at a place.
    pub(crate) fn heading_at(&mut self, level: u16, x: f32, y: f32, room: f32, style: Style, title: &str) {
        self.enter(level, y - style.size, title);
        let title = title.to_owned();
        self.within(Role::Heading(level, title.clone()), |sheet| sheet.text(x, y, room, style, &title));
    }

    /// The name of a section of its own line or lines, with `after` more room than its own below it on the same page.
    pub(crate) fn heading(&mut self, level: u16, title: &str, after: f32) {
        let style = if level == 2 { H2 } else { H3 };
        let lines = words::lines(title, FULL, style, 3);
        let height = style.size + 3.0;
        let before = if level == 2 { 16.0 } else { 8.0 };
        self.need(before + height * lines.len() as f32 + after);
        self.y += if self.is_at_top() { 0.0 } else { before };
        self.enter(level, self.y - style.size, title);
        self.within(Role::Heading(level, Words::new(title).plain()), |sheet| {
            sheet.broken(&lines, style, height)
        });
        if level == 2 {
            let y = self.y;
            self.line(LEFT, y - 9.0, FULL);
            self.y += 8.0;
        }
    }

    /// A paragraph over the whole width.
    pub(crate) fn paragraph(&mut self, style: Style, text: &str) {
        let lines = words::lines(text, FULL, style, 40);
        self.need(LINE * lines.len().min(3) as f32);
        self.within(Role::Paragraph, |sheet| sheet.broken(&lines, style, LINE));
        self.y += 4.0;
    }

    /// Sentences with a dot before each.
    pub(crate) fn sentences(&mut self, sentences: &[String]) {
        const INDENT: f32 = 12.0;
        self.within(Role::List, |sheet| {
            for sentence in sentences {
                let lines = words::lines(sentence, FULL - INDENT, BODY, 12);
                sheet.need(LINE * lines.len() as f32);
                sheet.within(Role::Item, |sheet| {
                    let y = sheet.y;
                    sheet.within(Role::Label, |sheet| sheet.text(LEFT, y, INDENT, BODY, "•"));
                    sheet.within(Role::Body, |sheet| {
                        sheet.broken_at(&lines, LEFT + INDENT, FULL - INDENT, BODY, LINE);
                    });
                });
                sheet.y += 2.0;
            }
        });
        self.y += 4.0;
    }

    /// Facts in columns side by side.
    pub(crate) fn facts(&mut self, columns: &[Column]) {
        let tallest = columns.iter().map(height).fold(0.0, f32::max);
        self.need(tallest.min(HEIGHT / 2.0));
        let top = self.y;
        let mut lowest = top;
        for column in columns.iter().filter(|column| !column.facts.is_empty()) {
            self.y = top;
            self.within(Role::List, |sheet| {
                for (index, fact) in column.facts.iter().enumerate() {
                    sheet.y += if index > 0 { 5.0 } else { 0.0 };
                    sheet.within(Role::Item, |sheet| sheet.fact(column, fact));
                }
            });
            lowest = lowest.max(self.y);
        }
        self.y = lowest;
    }

    fn fact(&mut self, column: &Column, fact: &Fact) {
        let y = self.y;
        self.within(Role::Label, |sheet| sheet.text(column.x, y, column.room, LABEL, fact.label));
        self.y += LINE;
        self.within(Role::Body, |sheet| {
            let broken = |value: &String| words::lines(value, column.room, fact.style, 3);
            let lines: Vec<String> = fact.values.iter().flat_map(broken).collect();
            sheet.broken_at(&lines, column.x, column.room, fact.style, LINE);
        });
    }

    fn broken(&mut self, lines: &[String], style: Style, height: f32) {
        self.broken_at(lines, LEFT, FULL, style, height);
    }

    /// Lines of one text, each with a blank at its end where the text goes on, so that words stay apart when the file is
    /// read in place of looked at.
    fn broken_at(&mut self, lines: &[String], x: f32, room: f32, style: Style, height: f32) {
        for (index, line) in lines.iter().enumerate() {
            let y = self.y;
            let mut words = Words::fit(line, room, style);
            if index + 1 < lines.len() {
                words.shown.push(' ');
                if let Some(meant) = &mut words.meant {
                    meant.push(' ');
                }
            }
            self.words(x, y, style, words);
            self.y += height;
        }
    }

    fn enter(&mut self, level: u16, y: f32, title: &str) {
        let title = Words::new(title).plain();
        let page = self.pages.len() - 1;
        self.contents.push(Entry { level, title, page, y });
    }
}

fn height(column: &Column) -> f32 {
    let values = |fact: &Fact| -> usize {
        fact.values.iter().map(|value| words::lines(value, column.room, fact.style, 3).len()).sum()
    };
    column.facts.iter().map(|fact| LINE * (1 + values(fact)) as f32 + 5.0).sum()
}
