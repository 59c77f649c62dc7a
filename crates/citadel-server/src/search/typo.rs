//! Words that differ from a typed one by a slip or two: a letter missing, added, wrong, or two swapped.
//!
//! Lengths and slips are counted in bytes. Folded Latin text has one a letter, and other scripts only get less
//! forgiveness than they might.

use std::ops::Range;

use fst::raw::{Builder, Fst, Node};

use super::word_starts::Word;

/// Longer words are found as typed or not at all.
const MAX_WORD: usize = 32;

/// How many slips are forgiven at most.
const MAX_SLIPS: usize = 2;

/// So many letters of a word are in the dictionary. Most words are shorter; names written as one word are not, and few of
/// them are alike for longer.
const CUT: usize = 12;

/// How many slips are forgiven in a typed word.
fn allowed(typed: &str) -> usize {
    match typed.len() {
        0..=3 => 0,
        4..=7 => 1,
        8..=MAX_WORD => MAX_SLIPS,
        _ => 0,
    }
}

/// A typed word, ready to be compared with many.
pub(super) struct Typed<'a> {
    word: &'a str,
    slips: usize,
    /// For each letter a bit at each place where the word has it. The first place is bit 1.
    places: Box<[u64; 256]>,
}

impl<'a> Typed<'a> {
    pub(super) fn new(word: &'a str) -> Self {
        let mut places = Box::new([0; 256]);
        for (at, letter) in word.bytes().enumerate().take(MAX_WORD) {
            places[usize::from(letter)] |= 2 << at;
        }
        Self { word, slips: allowed(word), places }
    }

    /// Whether no slip is forgiven.
    pub(super) fn is_exact(&self) -> bool {
        self.slips == 0
    }

    /// What a candidate costs, in thousandths: nothing if it begins so, more for each slip, a little for a candidate that
    /// goes on. None if it is too far.
    pub(super) fn cost(&self, candidate: Word) -> Option<u16> {
        if candidate.starts_with(self.word) {
            return Some(0);
        }
        if self.is_exact() {
            return None;
        }
        let mut distances = Distances::new();
        let mut beginning = None;
        for letter in candidate.letters() {
            distances.add(letter, self);
            if distances.is_hopeless(self) {
                break;
            }
            beginning = distances.slips(self).into_iter().chain(beginning).min();
        }
        let beginning = beginning?;
        let goes_on = distances.slips(self).is_none_or(|whole| whole > beginning);
        Some(u16::from(beginning) * 60 + if goes_on { 20 } else { 0 })
    }
}

/// Which beginnings of the typed word are how many slips away from the beginning of a candidate (optimal string
/// alignment): for each number of slips a bit for each length. A letter more costs a dozen operations, however long the
/// word is.
#[derive(Clone, Copy)]
struct Distances {
    now: [u64; MAX_SLIPS + 1],
    /// One letter ago, for letters that are swapped.
    before: [u64; MAX_SLIPS + 1],
    /// Where the typed word has the last letter.
    last: u64,
}

impl Distances {
    /// Of a candidate's beginning without letters.
    fn new() -> Self {
        Self { now: [0b1, 0b11, 0b111], before: [0; MAX_SLIPS + 1], last: 0 }
    }

    /// Adds a letter of the candidate.
    fn add(&mut self, letter: u8, typed: &Typed) {
        let places = typed.places[usize::from(letter)];
        let mut next = [(self.now[0] << 1) & places, 0, 0];
        for slips in 1..=MAX_SLIPS {
            let less = slips - 1;
            let same = (self.now[slips] << 1) & places;
            let added = self.now[less];
            let wrong = self.now[less] << 1;
            let missing = next[less] << 1;
            let swapped = (self.before[less] << 2) & self.last & (places << 1);
            next[slips] = same | added | wrong | missing | swapped;
        }
        *self = Self { now: next, before: self.now, last: places };
    }

    /// Whether no longer beginning of the candidate can come close enough.
    fn is_hopeless(&self, typed: &Typed) -> bool {
        let lengths = (2 << typed.word.len()) - 1;
        self.now[typed.slips] & lengths == 0
    }

    /// The places of the typed word whose letters can follow, if all slips are used up: other letters then need no look.
    fn open_places(&self, typed: &Typed) -> Option<u64> {
        let less = typed.slips.checked_sub(1)?;
        let lengths = (2 << typed.word.len()) - 1;
        let swapped = ((self.before[less] << 2) & self.last) >> 1;
        (self.now[less] & lengths == 0).then_some(((self.now[typed.slips] << 1) | swapped) & lengths & !1)
    }

    /// How far the beginning is from the whole word, if it is close enough.
    fn slips(&self, typed: &Typed) -> Option<u8> {
        let is_whole = |slips: &u8| self.now[usize::from(*slips)] >> typed.word.len() & 1 == 1;
        (0..).take(typed.slips + 1).find(is_whole)
    }
}

/// The beginnings of all distinct words, each with its first place in the sorted word starts.
pub(super) struct Dictionary(Fst<Vec<u8>>);

impl Dictionary {
    /// Of the first words of all word starts, in order.
    pub(super) fn new(words: impl Iterator<Item = impl Iterator<Item = u8>>) -> Self {
        let mut dictionary = Builder::memory();
        let (mut last, mut word) = (Vec::new(), Vec::new());
        for (place, letters) in (0..).zip(words) {
            word.clear();
            word.extend(letters.take(CUT));
            if word != last {
                dictionary.insert(&word, place).expect("words are sorted, and memory takes all");
                std::mem::swap(&mut word, &mut last);
            }
        }
        let mut bytes = dictionary.into_inner().expect("memory takes all");
        bytes.shrink_to_fit();
        Self(Fst::new(bytes).expect("it was made here"))
    }

    /// The stretches of word starts whose word, or a beginning of it, is close enough, in no order. Words that are
    /// longer than the dictionary tells may be further away. The last stretch that there can be ends at `end`.
    pub(super) fn similar(&self, typed: &Typed, end: usize) -> Vec<Range<usize>> {
        let mut walk = Walk { fst: &self.0, typed, found: Vec::new() };
        walk.go_on(self.0.root(), 0, 0..end, Distances::new());
        walk.found
    }
}

struct Walk<'a> {
    fst: &'a Fst<Vec<u8>>,
    typed: &'a Typed<'a>,
    found: Vec<Range<usize>>,
}

impl Walk<'_> {
    /// Looks at all words with one beginning, which is `depth` letters long; `places` are theirs.
    fn go_on(&mut self, node: Node, depth: usize, places: Range<usize>, distances: Distances) {
        if depth == CUT {
            return self.take(places);
        }
        // What a step adds is the first place of the words behind it, counted from here.
        let first =
            |step: usize| places.start + usize::try_from(node.transition(step).out.value()).expect("a place");
        let typed = self.typed;
        let mut go = |step: usize, letter: u8| {
            let mut distances = distances;
            distances.add(letter, typed);
            if distances.is_hopeless(typed) {
                return;
            }
            let end = if step + 1 < node.len() { first(step + 1) } else { places.end };
            let places = first(step)..end;
            if distances.slips(typed).is_some() {
                self.take(places);
            } else {
                let next = self.fst.node(node.transition_addr(step));
                self.go_on(next, depth + 1, places, distances);
            }
        };
        let Some(mut open) = distances.open_places(typed) else {
            return (0..node.len()).for_each(|step| go(step, node.transition(step).inp));
        };
        while open != 0 {
            let letter = typed.word.as_bytes()[open.trailing_zeros() as usize - 1];
            open &= !typed.places[usize::from(letter)];
            if let Some(step) = node.find_input(letter) {
                go(step, letter);
            }
        }
    }

    fn take(&mut self, places: Range<usize>) {
        match self.found.last_mut() {
            Some(last) if last.end == places.start => last.end = places.end,
            _ => self.found.push(places),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The distance from each beginning of the candidate to the typed word, by the whole table.
    fn by_table(typed: &[u8], candidate: &[u8]) -> Vec<usize> {
        let mut table = vec![(0..=typed.len()).collect::<Vec<_>>()];
        for depth in 1..=candidate.len() {
            let mut row = vec![depth];
            for at in 1..=typed.len() {
                let wrong = usize::from(typed[at - 1] != candidate[depth - 1]);
                let mut least =
                    (table[depth - 1][at - 1] + wrong).min(table[depth - 1][at] + 1).min(row[at - 1] + 1);
                let is_swapped = at > 1 && depth > 1 && typed[at - 1] == candidate[depth - 2];
                if is_swapped && typed[at - 2] == candidate[depth - 1] {
                    least = least.min(table[depth - 2][at - 2] + 1);
                }
                row.push(least);
            }
            table.push(row);
        }
        table.into_iter().map(|row| row[typed.len()]).collect()
    }

    /// All words of some letters up to a length.
    fn words(letters: &str, length: usize) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut done = 0;
        while words[done].len() < length {
            let word = words[done].clone();
            words.extend(letters.chars().map(|letter| format!("{word}{letter}")));
            done += 1;
        }
        words
    }

    #[test]
    fn costs_are_those_of_the_table() {
        for typed in ["abca", "aabc", "abcabca", "abcdefgh", "abacabad", "aabbccddaabbccddaabbccddaabbccdd"] {
            let word = Typed::new(typed);
            let all = words("abc", 7);
            let longer = all.iter().flat_map(|end| [format!("abcd{end}"), format!("{typed}{end}")]);
            for candidate in all.iter().cloned().chain(longer) {
                let distances = by_table(typed.as_bytes(), candidate.as_bytes());
                let beginning = distances.iter().copied().min().filter(|least| *least <= word.slips);
                let goes_on = |least: usize| distances.last().is_none_or(|whole| *whole > least);
                let expected = match beginning {
                    Some(0) => Some(0),
                    Some(least) => Some(least * 60 + if goes_on(least) { 20 } else { 0 }),
                    None => None,
                };
                assert_eq!(
                    word.cost(Word::new(&candidate)).map(usize::from),
                    expected,
                    "{typed} {candidate}"
                );
            }
        }
    }

    #[test]
    fn every_close_word_is_found() {
        let mut known = words("abc", 6);
        known.extend(words("ab", 4).iter().flat_map(|end| {
            ["abcdefghijkl", "abcdefghijkm", "abcdexghi"].map(|beginning| format!("{beginning}{end}"))
        }));
        known.sort();
        known.dedup();
        // Each word begins at three places.
        let places = known.iter().flat_map(|word| [word; 3]);
        let dictionary = Dictionary::new(places.map(|word| word.bytes()));
        for typed in ["abca", "bacb", "cabca", "abcdefgh", "abcdefghijkla", "abdcefghijklbaba", "zzzz"] {
            let word = Typed::new(typed);
            let mut found = dictionary.similar(&word, known.len() * 3);
            found.sort_by_key(|range| range.start);
            assert!(found.is_sorted_by(|one, other| one.end <= other.start), "{typed}");
            assert!(found.iter().all(|range| !range.is_empty()), "{typed}");
            for (number, candidate) in known.iter().enumerate() {
                let is_found = found.iter().any(|range| range.contains(&(number * 3)));
                let is_whole = found.iter().any(|range| range.contains(&(number * 3 + 2)));
                let is_close = word.cost(Word::new(candidate)).is_some();
                assert_eq!(is_found, is_whole, "{typed} {candidate}");
                assert!(is_found || !is_close, "{typed} {candidate}");
                assert!(is_close || !is_found || candidate.len() >= CUT, "{typed} {candidate}");
            }
        }
    }
}
