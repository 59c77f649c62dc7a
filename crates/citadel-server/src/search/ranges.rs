//! The best entries of any stretches of a list, one after another, without reading the stretches.

use std::{cmp::Reverse, collections::BinaryHeap, ops::Range};

/// Scores that are read one by one rather than through the tree: 64 bytes, a line of the processor's cache. With a leaf
/// for each score the tree would weigh more than everything else.
const BLOCK: usize = 32;

/// Scores, and a tree of the best block below each node. Best is the highest score, then the first position.
pub(super) struct BestOfRange {
    scores: Vec<u16>,
    /// The highest score of each block.
    highest: Vec<u16>,
    tree: Vec<u32>,
}

impl BestOfRange {
    pub(super) fn new(scores: Vec<u16>) -> Self {
        let highest: Vec<_> =
            scores.chunks(BLOCK).map(|block| block.iter().copied().max().unwrap_or_default()).collect();
        let size = highest.len();
        let mut tree = vec![0; size];
        tree.extend(0..u32::try_from(size).expect("word starts are numbered with 32 bits"));
        let mut best = Self { scores, highest, tree };
        for node in (1..size).rev() {
            best.tree[node] = best.better(best.tree[2 * node], best.tree[2 * node + 1]);
        }
        best
    }

    pub(super) fn score(&self, position: usize) -> u16 {
        self.scores[position]
    }

    fn better(&self, one: u32, other: u32) -> u32 {
        let rank = |block: u32| (self.highest[block as usize], Reverse(block));
        if rank(one) >= rank(other) { one } else { other }
    }

    /// The score and the position of the best of a stretch that is not empty.
    fn best(&self, range: Range<usize>) -> Option<(u16, Reverse<usize>)> {
        let (first, last) = (range.start.div_ceil(BLOCK), range.end / BLOCK);
        if first >= last {
            return self.best_by_reading(range);
        }
        let before = self.best_by_reading(range.start..first * BLOCK);
        let after = self.best_by_reading(last * BLOCK..range.end);
        let block = self.best_block(first..last);
        let inside = self.best_by_reading(block * BLOCK..(block + 1) * BLOCK);
        before.max(inside).max(after)
    }

    fn best_by_reading(&self, range: Range<usize>) -> Option<(u16, Reverse<usize>)> {
        let scores = &self.scores[range.clone()];
        let highest = scores.iter().copied().max()?;
        let position = scores.iter().position(|score| *score == highest)?;
        Some((highest, Reverse(range.start + position)))
    }

    /// The best block of a stretch of blocks that is not empty.
    fn best_block(&self, blocks: Range<usize>) -> usize {
        let size = self.highest.len();
        let (mut left, mut right) = (blocks.start + size, blocks.end + size);
        let mut best = self.tree[left];
        while left < right {
            if left & 1 == 1 {
                best = self.better(best, self.tree[left]);
                left += 1;
            }
            if right & 1 == 1 {
                right -= 1;
                best = self.better(best, self.tree[right]);
            }
            left /= 2;
            right /= 2;
        }
        best as usize
    }

    /// Positions of the stretches, best first. Each costs a few steps in the tree, however long the stretches are.
    pub(super) fn descending(
        &self,
        ranges: impl IntoIterator<Item = Range<usize>>,
    ) -> impl Iterator<Item = usize> {
        let push = move |heap: &mut BinaryHeap<_>, range: Range<usize>| {
            if let Some((score, position)) = self.best(range.clone()) {
                heap.push((score, position, range.start, range.end));
            }
        };
        let mut heap = BinaryHeap::new();
        for range in ranges {
            push(&mut heap, range);
        }
        std::iter::from_fn(move || {
            let (_, Reverse(best), start, end) = heap.pop()?;
            push(&mut heap, start..best);
            push(&mut heap, best + 1..end);
            Some(best)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_read_best_first() {
        // Lengths around whole blocks, and few different scores, so that many are equal.
        for size in [0, 1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 10 * BLOCK + 7] {
            let scores: Vec<_> = (0..size).map(|at| (at * 7919 % 11) as u16).collect();
            let best = BestOfRange::new(scores.clone());
            for start in 0..size {
                for end in (start..=size).step_by(5) {
                    let mut expected: Vec<_> = (start..end).collect();
                    expected.sort_by_key(|at| Reverse(scores[*at]));
                    expected.truncate(12);
                    let found: Vec<_> = best.descending([start..end]).take(12).collect();
                    assert_eq!(found, expected, "{start}..{end} of {size}");
                }
            }
            let found: Vec<_> = best.descending([0..size / 3, size / 2..size]).collect();
            assert!(found.is_sorted_by_key(|at| (Reverse(scores[*at]), *at)));
            assert_eq!(found.len(), size / 3 + size - size / 2);
        }
    }
}
