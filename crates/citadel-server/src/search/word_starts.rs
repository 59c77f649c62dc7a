//! Every place in every name at which a word begins, sorted by the text that follows. All names with a given prefix,
//! at their beginning or inside, are then one stretch of the list, found by halving.
//!
//! A place is four bytes: the list is most of the index, and whatever else is known of a place is read from the text.

use std::{
    cmp::{Ordering, Reverse},
    ops::Range,
};

use super::{ranges::BestOfRange, typo};

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

/// Longer names are cut.
const MAX_TEXT: usize = 1000;

/// Ends a text.
const END: u8 = b'\n';

/// Ends a text that is also found as one word: its words are read without the spaces between them.
const END_JOINED: u8 = b'\t';

/// So many bytes from one landmark to the next: a company is then found in one line of the processor's cache.
const LANDMARK: usize = 256;

const ENDS: [char; 2] = [END as char, END_JOINED as char];

/// A place in the text at which a word begins.
#[derive(Clone, Copy)]
struct Entry(u32);

impl Entry {
    /// Set where the text is read without its spaces.
    const JOINED: u32 = 1 << 31;

    fn new(at: usize, is_joined: bool) -> Self {
        let at = position(at);
        assert!(at < Self::JOINED, "the names of all companies fit in 2 GB");
        Self(if is_joined { at | Self::JOINED } else { at })
    }

    fn is_joined(self) -> bool {
        self.0 & Self::JOINED != 0
    }

    fn start(self) -> usize {
        (self.0 & !Self::JOINED) as usize
    }
}

/// A word of a company, perhaps one made of many: spaces inside do not count.
#[derive(Clone, Copy)]
pub(super) struct Word<'a>(&'a [u8]);

impl<'a> Word<'a> {
    pub(super) fn new(letters: &'a str) -> Self {
        Self(letters.as_bytes())
    }

    pub(super) fn letters(self) -> impl Iterator<Item = u8> + 'a {
        self.0.iter().copied().filter(|byte| *byte != b' ')
    }

    pub(super) fn starts_with(self, beginning: &str) -> bool {
        let mut left = beginning.as_bytes();
        for byte in self.0 {
            match left.split_first() {
                None => return true,
                Some((first, rest)) if first == byte => left = rest,
                Some(_) if *byte == b' ' => {}
                Some(_) => return false,
            }
        }
        left.is_empty()
    }
}

pub(super) struct WordStarts {
    /// The texts of all companies, one a line.
    text: String,
    /// Where each company's texts begin, and the end.
    companies: Vec<u32>,
    /// The company of each so many bytes of text, and the last one.
    landmarks: Vec<u32>,
    entries: Vec<Entry>,
    best: BestOfRange,
    words: typo::Dictionary,
}

impl WordStarts {
    pub(super) fn builder() -> Builder {
        Builder { text: String::new(), companies: Vec::new(), entries: Vec::new(), popularity: 0 }
    }

    /// The stretch of word starts that go on with this text.
    pub(super) fn with_prefix(&self, prefix: &str) -> Range<usize> {
        let against = |entry: &Entry| compare_beginning(&self.text, *entry, prefix.as_bytes());
        let start = self.entries.partition_point(|entry| against(entry).is_lt());
        let len = leading(&self.entries[start..], |entry| against(entry).is_eq());
        start..start + len
    }

    /// The stretch of texts that are this text as a whole, of the word starts that go on with it.
    pub(super) fn whole(&self, text: &str, with_prefix: Range<usize>) -> Range<usize> {
        let is_whole = |entry: &Entry| {
            is_line_start(&self.text, *entry) && suffix(&self.text, *entry).count() == text.len()
        };
        // They are the first of the stretch.
        let len = leading(&self.entries[with_prefix.clone()], is_whole);
        with_prefix.start..with_prefix.start + len
    }

    /// The word starts that begin with a word, or with a beginning of one, at most `edits` slips away from what was
    /// typed. Some may be further away.
    pub(super) fn similar(&self, typed: &typo::Typed) -> Vec<Range<usize>> {
        self.words.similar(typed, self.entries.len())
    }

    /// The companies of word starts and their scores, best first.
    pub(super) fn best(
        &self,
        ranges: impl IntoIterator<Item = Range<usize>>,
    ) -> impl Iterator<Item = (u32, u16)> {
        self.best.descending(ranges).map(|at| (self.company(self.entries[at]), self.best.score(at)))
    }

    /// The same for a short stretch, of the companies for which something holds: reading it in order is quicker.
    pub(super) fn best_that(&self, range: Range<usize>, holds: impl Fn(u32) -> bool) -> Vec<(u32, u16)> {
        let company = |at| (self.company(self.entries[at]), self.best.score(at));
        let mut found: Vec<_> = range.map(company).filter(|(company, _)| holds(*company)).collect();
        found.sort_by_key(|(_, score)| Reverse(*score));
        found
    }

    /// The companies of word starts in no order: of all, or of so many of the best.
    pub(super) fn some_of(&self, ranges: Vec<Range<usize>>, most: usize) -> Vec<u32> {
        let all = ranges.iter().map(ExactSizeIterator::len).sum::<usize>();
        let company = |at| self.company(self.entries[at]);
        if all <= most {
            ranges.into_iter().flatten().map(company).collect()
        } else {
            self.best.descending(ranges).take(most).map(company).collect()
        }
    }

    fn company(&self, entry: Entry) -> u32 {
        let start = position(entry.start());
        let landmark = entry.start() / LANDMARK;
        let first = self.landmarks[landmark];
        let near = &self.companies[first as usize + 1..=self.landmarks[landmark + 1] as usize];
        first + position(near.partition_point(|first| *first <= start))
    }

    /// All texts of a company, one a line.
    pub(super) fn text_of(&self, company: u32) -> &str {
        let at = company as usize;
        &self.text[self.companies[at] as usize..self.companies[at + 1] as usize]
    }

    /// The words of all texts of a company.
    pub(super) fn words_of(&self, company: u32) -> impl Iterator<Item = Word<'_>> {
        self.text_of(company).as_bytes().split_inclusive(|byte| *byte < b' ').flat_map(|line| {
            let (end, text) = line.split_last().expect("every text has an end");
            let joined = (*end == END_JOINED).then_some(text);
            text.split(|byte| *byte == b' ').chain(joined).map(Word)
        })
    }
}

pub(super) struct Builder {
    text: String,
    companies: Vec<u32>,
    entries: Vec<(Entry, u16)>,
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
        if text.is_empty() || self.has(text) {
            return;
        }
        let line = self.text.len();
        for at in text.match_indices(' ').map(|(space, _)| space + 1).chain([0]) {
            let base = if at == 0 || &text[..at] == "the " { kind.base() } else { LATER_WORD };
            self.entries.push((Entry::new(line + at, false), base + self.popularity));
        }
        self.text.push_str(text);
        self.text.push(char::from(END));
    }

    /// Adds a name without its spaces. Mostly it is a text that the company has, read otherwise.
    pub(super) fn add_joined(&mut self, word: &str) {
        let word = cut(word);
        if word.is_empty() || self.has(word) {
            return;
        }
        let first = self.first();
        let mut line = first;
        let same = self.text[first..].split_inclusive(ENDS).find_map(|text| {
            line += text.len();
            Word::new(&text[..text.len() - 1])
                .letters()
                .eq(word.bytes())
                .then_some(line - text.len()..line - 1)
        });
        match same {
            Some(same) => {
                self.text.replace_range(same.end..=same.end, "\t");
                self.entries.push((Entry::new(same.start, true), Kind::Joined.base() + self.popularity));
            }
            None => self.add(Kind::Joined, word),
        }
    }

    fn first(&self) -> usize {
        *self.companies.last().expect("a company was begun") as usize
    }

    fn has(&self, text: &str) -> bool {
        let joined = |line: &str| line.ends_with(char::from(END_JOINED));
        self.text[self.first()..].split_inclusive(ENDS).any(|line| {
            let known = &line[..line.len() - 1];
            known == text || (joined(line) && Word::new(known).letters().eq(text.bytes()))
        })
    }

    pub(super) fn build(self) -> WordStarts {
        let Self { mut text, mut companies, mut entries, .. } = self;
        companies.push(position(text.len()));
        // Whole texts before later words that read the same, so that `whole` is one stretch too.
        entries.sort_unstable_by(|(one, one_score), (other, other_score)| {
            let order = |entry: Entry, score| (!is_line_start(&text, entry), Reverse(score), entry.start());
            suffix(&text, *one)
                .cmp(suffix(&text, *other))
                .then_with(|| order(*one, *one_score).cmp(&order(*other, *other_score)))
        });
        let best = BestOfRange::new(entries.iter().map(|(_, score)| *score).collect());
        // Not `into_iter`: that would keep the longer list's memory.
        let entries: Vec<_> = entries.iter().map(|(entry, _)| *entry).collect();
        let first_word = |entry: &Entry| suffix(&text, *entry).take_while(|byte| *byte != b' ');
        let words = typo::Dictionary::new(entries.iter().map(first_word));
        text.shrink_to_fit();
        companies.shrink_to_fit();
        let landmarks = landmarks(&companies);
        WordStarts { text, companies, landmarks, entries, best, words }
    }
}

fn landmarks(companies: &[u32]) -> Vec<u32> {
    let mut landmarks = Vec::new();
    for (company, end) in (0..).zip(companies.iter().skip(1)) {
        landmarks.resize((*end as usize).div_ceil(LANDMARK), company);
    }
    landmarks.push(position(companies.len().saturating_sub(2)));
    landmarks
}

fn position(at: usize) -> u32 {
    u32::try_from(at).expect("the names of all companies fit in 2 GB")
}

/// The text that begins at a place.
fn suffix(text: &str, entry: Entry) -> impl Iterator<Item = u8> + '_ {
    let skipped = if entry.is_joined() { b' ' } else { END };
    let rest = text.as_bytes()[entry.start()..].iter().copied();
    rest.take_while(|byte| *byte >= b' ').filter(move |byte| *byte != skipped)
}

/// How the text that begins at a place, cut to the length of a prefix, compares with it.
fn compare_beginning(text: &str, entry: Entry, prefix: &[u8]) -> Ordering {
    if !entry.is_joined() {
        // What comes after the text counts for nothing: its end is less than any letter.
        let rest = &text.as_bytes()[entry.start()..];
        return rest[..prefix.len().min(rest.len())].cmp(prefix);
    }
    let mut suffix = suffix(text, entry);
    for byte in prefix {
        match suffix.next().cmp(&Some(*byte)) {
            Ordering::Equal => {}
            different => return different,
        }
    }
    Ordering::Equal
}

/// How many entries at the beginning are so, where all that are stand there. Looks ahead in growing steps: most answers
/// are small.
fn leading(entries: &[Entry], is_so: impl Fn(&Entry) -> bool) -> usize {
    let mut step = 1;
    while entries.get(step - 1).is_some_and(&is_so) {
        step *= 2;
    }
    let checked = step / 2;
    let end = entries.len().min(step);
    checked + entries[checked..end].partition_point(is_so)
}

fn is_line_start(text: &str, entry: Entry) -> bool {
    entry.start() == 0 || text.as_bytes()[entry.start() - 1] < b' '
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].trim_end()
}
