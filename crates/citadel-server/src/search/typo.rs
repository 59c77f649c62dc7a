//! Words that differ from a typed one by a slip or two: a letter missing, added, wrong, or two swapped.
//!
//! Lengths and slips are counted in bytes. Folded Latin text has one a letter, and other scripts only get less
//! forgiveness than they might.

use std::ops::Range;

use super::word_starts::WordStarts;

/// Longer words are found as typed or not at all.
const MAX_WORD: usize = 32;

/// A row of the table of distances: from a beginning of a candidate to each beginning of the typed word.
type Row = [u8; MAX_WORD + 1];

/// How many slips are forgiven in a typed word.
pub(super) fn allowed(typed: &str) -> u8 {
    match typed.len() {
        0..=3 => 0,
        4..=7 => 1,
        8..=MAX_WORD => 2,
        _ => 0,
    }
}

/// What a candidate for a typed word costs, in thousandths: nothing if it begins so, more for each slip, a little for a
/// candidate that goes on. None if it is too far.
pub(super) fn cost(typed: &str, candidate: &str) -> Option<u16> {
    if candidate.starts_with(typed) {
        return Some(0);
    }
    let edits = allowed(typed);
    if edits == 0 {
        return None;
    }
    let mut table = Table::new(typed);
    for depth in 0..candidate.len() {
        if !table.extend(candidate.as_bytes(), depth, edits) {
            break;
        }
    }
    let (beginning, whole) = (table.best(), table.last());
    let candidate_goes_on = if table.depth() == candidate.len() && whole <= beginning { 0 } else { 20 };
    (beginning <= edits).then(|| u16::from(beginning) * 60 + candidate_goes_on)
}

/// The stretches of word starts whose word, or a beginning of it, is at most `edits` slips away.
///
/// The sorted words are walked as if they were a tree: words that share a beginning share the rows of the table for it,
/// and when a beginning is hopeless all words that have it are skipped at once.
pub(super) fn similar(starts: &WordStarts, typed: &str, edits: u8) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut table = Table::new(typed);
    let mut previous: &str = "";
    let mut number = 0;
    while number < starts.word_count() {
        let word = starts.word(number);
        let shared = word.bytes().zip(previous.bytes()).take_while(|(one, other)| one == other).count();
        table.back_to(shared);
        let mut open = true;
        while open && table.depth() < word.len() {
            open = table.extend(word.as_bytes(), table.depth(), edits);
        }
        let next = if open {
            number + 1
        } else {
            number + subtree(starts, number, &word.as_bytes()[..table.depth()])
        };
        if table.best() <= edits {
            found.push(starts.entries_of(number..next));
        }
        previous = word;
        number = next;
    }
    found
}

/// How many words from this one on share its beginning. Looks ahead in growing steps: most answers are small.
fn subtree(starts: &WordStarts, number: usize, beginning: &[u8]) -> usize {
    let shares = |at: usize| at < starts.word_count() && starts.word(at).as_bytes().starts_with(beginning);
    let mut step = 1;
    while shares(number + step) {
        step *= 2;
    }
    let (mut inside, mut outside) = (step / 2, step);
    while outside - inside > 1 {
        let middle = inside.midpoint(outside);
        if shares(number + middle) { inside = middle } else { outside = middle }
    }
    outside
}

/// Distances (optimal string alignment) from the beginnings of one candidate to the typed word.
struct Table<'a> {
    typed: &'a [u8],
    rows: Vec<Row>,
    /// The least distance of any beginning up to each depth.
    best: Vec<u8>,
}

impl<'a> Table<'a> {
    fn new(typed: &'a str) -> Self {
        let mut first = [0; MAX_WORD + 1];
        for (distance, cell) in (0..).zip(&mut first) {
            *cell = distance;
        }
        let typed = typed.as_bytes();
        debug_assert!(typed.len() <= MAX_WORD, "longer words are allowed no slips");
        Self { typed, rows: vec![first], best: vec![first[typed.len()]] }
    }

    /// How long the beginning is that the table describes.
    fn depth(&self) -> usize {
        self.rows.len() - 1
    }

    fn best(&self) -> u8 {
        self.best[self.depth()]
    }

    fn last(&self) -> u8 {
        self.rows[self.depth()][self.typed.len()]
    }

    fn back_to(&mut self, depth: usize) {
        self.rows.truncate(depth + 1);
        self.best.truncate(depth + 1);
    }

    /// Adds the letter at `depth`. False if no longer beginning can come closer than `edits`.
    fn extend(&mut self, candidate: &[u8], depth: usize, edits: u8) -> bool {
        let letter = candidate[depth];
        let above = &self.rows[depth];
        let mut row = [u8::MAX; MAX_WORD + 1];
        // A candidate has no bound on its length; its distance stops counting where it no longer matters.
        row[0] = above[0].saturating_add(1);
        let mut least = row[0];
        for (at, &typed) in self.typed.iter().enumerate() {
            let mut distance = (above[at] + u8::from(typed != letter))
                .min(above[at + 1].saturating_add(1))
                .min(row[at].saturating_add(1));
            let swapped =
                at > 0 && depth > 0 && typed == candidate[depth - 1] && self.typed[at - 1] == letter;
            if swapped {
                distance = distance.min(self.rows[depth - 1][at - 1] + 1);
            }
            row[at + 1] = distance;
            least = least.min(distance);
        }
        let best = self.best[depth].min(row[self.typed.len()]);
        self.rows.push(row);
        self.best.push(best);
        least <= edits
    }
}
