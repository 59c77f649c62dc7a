//! Every place in every name at which a word begins, sorted by the text that follows. All names with a given prefix,
//! at their beginning or inside, are then one stretch of the list, found by halving.

use std::{cmp::Reverse, ops::Range};

use super::ranges::BestOfRange;

/// What a text is to its company.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Synonym,
    /// A name without its spaces.
    Joined,
    Domain,
}

impl Kind {
    /// What a match at the beginning of the text is worth, in thousandths. Popularity adds up to 100.
    fn base(self) -> u16 {
        match self {
            Self::Name => 800,
            Self::Synonym => 790,
            Self::Joined => 780,
            Self::Domain => 700,
        }
    }
}

/// What a match at a later word of the text is worth.
const LATER_WORD: u16 = 720;

/// Longer names are cut, so that lengths fit.
const MAX_TEXT: usize = 1000;

#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) company: u32,
    pub(super) score: u16,
    len: u16,
    start: u32,
}

pub(super) struct WordStarts {
    /// The texts of all companies, one a line.
    text: String,
    /// Where each company's texts begin, and the end.
    companies: Vec<u32>,
    entries: Vec<Entry>,
    best: BestOfRange,
    /// Where each distinct word begins in `entries`, and the end.
    words: Vec<u32>,
}

impl WordStarts {
    pub(super) fn builder() -> Builder {
        Builder { text: String::new(), companies: Vec::new(), entries: Vec::new(), popularity: 0 }
    }

    /// The stretch of word starts that go on with this text.
    pub(super) fn with_prefix(&self, prefix: &str) -> Range<usize> {
        let prefix = prefix.as_bytes();
        let head = |entry: &Entry| {
            let suffix = self.suffix(entry).as_bytes();
            &suffix[..suffix.len().min(prefix.len())]
        };
        let start = self.entries.partition_point(|entry| head(entry) < prefix);
        let len = self.entries[start..].partition_point(|entry| head(entry) == prefix);
        start..start + len
    }

    /// The stretch of texts that are this text as a whole.
    pub(super) fn whole(&self, text: &str) -> Range<usize> {
        let order = |entry: &Entry| (self.suffix(entry), !is_line_start(&self.text, entry));
        let start = self.entries.partition_point(|entry| order(entry) < (text, false));
        let len = self.entries[start..].partition_point(|entry| order(entry) == (text, false));
        start..start + len
    }

    pub(super) fn best(&self, range: Range<usize>) -> impl Iterator<Item = &Entry> {
        self.best.descending(range).map(|position| &self.entries[position])
    }

    /// All texts of a company, one a line.
    pub(super) fn text_of(&self, company: u32) -> &str {
        let at = company as usize;
        &self.text[self.companies[at] as usize..self.companies[at + 1] as usize]
    }

    pub(super) fn word_count(&self) -> usize {
        self.words.len() - 1
    }

    /// The distinct words in order, by number.
    pub(super) fn word(&self, number: usize) -> &str {
        first_word(self.suffix(&self.entries[self.words[number] as usize]))
    }

    /// The stretch of word starts of these words.
    pub(super) fn entries_of(&self, words: Range<usize>) -> Range<usize> {
        self.words[words.start] as usize..self.words[words.end] as usize
    }

    fn suffix(&self, entry: &Entry) -> &str {
        suffix(&self.text, entry)
    }
}

pub(super) struct Builder {
    text: String,
    companies: Vec<u32>,
    entries: Vec<Entry>,
    popularity: u16,
}

impl Builder {
    pub(super) fn begin_company(&mut self, popularity: u16) {
        self.companies.push(position(self.text.len()));
        self.popularity = popularity;
    }

    /// Adds a folded text of the company begun last. What it already has is skipped.
    pub(super) fn add(&mut self, kind: Kind, text: &str) {
        let text = cut(text);
        let first = *self.companies.last().expect("a company was begun") as usize;
        if text.is_empty() || self.text[first..].split('\n').any(|known| known == text) {
            return;
        }
        let line = self.text.len();
        let company = position(self.companies.len() - 1);
        for at in text.match_indices(' ').map(|(space, _)| space + 1).chain([0]) {
            let base = if at == 0 || &text[..at] == "the " { kind.base() } else { LATER_WORD };
            self.entries.push(Entry {
                company,
                score: base + self.popularity,
                len: u16::try_from(text.len() - at).expect("texts are cut to 1000 bytes"),
                start: position(line + at),
            });
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    pub(super) fn build(mut self) -> WordStarts {
        self.companies.push(position(self.text.len()));
        let text = self.text;
        // Whole texts before later words that read the same, so that `whole` is one stretch too.
        self.entries.sort_unstable_by(|one, other| {
            let order = |entry: &Entry| {
                (!is_line_start(&text, entry), Reverse(entry.score), entry.company, entry.start)
            };
            suffix(&text, one).cmp(suffix(&text, other)).then_with(|| order(one).cmp(&order(other)))
        });
        let mut words = Vec::new();
        let mut last = None;
        for (number, entry) in self.entries.iter().enumerate() {
            let word = first_word(suffix(&text, entry));
            if last != Some(word) {
                words.push(position(number));
                last = Some(word);
            }
        }
        words.push(position(self.entries.len()));
        let best = BestOfRange::new(self.entries.iter().map(|entry| entry.score).collect());
        WordStarts { text, companies: self.companies, entries: self.entries, best, words }
    }
}

fn position(at: usize) -> u32 {
    u32::try_from(at).expect("the names of all companies fit in 4 GB")
}

fn suffix<'a>(text: &'a str, entry: &Entry) -> &'a str {
    &text[entry.start as usize..][..entry.len.into()]
}

fn is_line_start(text: &str, entry: &Entry) -> bool {
    entry.start == 0 || text.as_bytes()[entry.start as usize - 1] == b'\n'
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].trim_end()
}
