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

    /// Positions of the stretches, best first. Each costs a few steps in the tree, however long the stretches are.
    pub(super) fn descending(
        &self,
        ranges: impl IntoIterator<Item = Range<usize>>,
    ) -> impl Iterator<Item = usize> {
        let mut heap = BinaryHeap::new();
        for range in ranges {
            self.add(range, &mut heap);
        }
        std::iter::from_fn(move || {
            let best = heap.pop()?;
            let (position, stretch) = match best.of {
                Below::Node(node) => {
                    self.add_beside(best.first.0 / BLOCK, node, &mut heap);
                    let block = self.block(best.first.0 / BLOCK);
                    (self.read(block.clone())?.first.0, block)
                }
                Below::Stretch(start, end) => (best.first.0, start..end),
            };
            heap.extend(self.read(stretch.start..position));
            heap.extend(self.read(position + 1..stretch.end));
            Some(position)
        })
    }

    /// Parts a stretch into nodes of the tree and into what is left of the first and the last block.
    fn add(&self, range: Range<usize>, heap: &mut BinaryHeap<Best>) {
        let (first, last) = (range.start.div_ceil(BLOCK), range.end / BLOCK);
        if first >= last {
            let middle = range.end.min(first * BLOCK);
            heap.extend(self.read(range.start..middle));
            heap.extend(self.read(middle..range.end));
            return;
        }
        heap.extend(self.read(range.start..first * BLOCK));
        heap.extend(self.read(last * BLOCK..range.end));
        let size = self.highest.len();
        let (mut left, mut right) = (first + size, last + size);
        while left < right {
            if left & 1 == 1 {
                heap.push(self.node(left));
                left += 1;
            }
            if right & 1 == 1 {
                right -= 1;
                heap.push(self.node(right));
            }
            left /= 2;
            right /= 2;
        }
    }

    /// Adds all that a node holds but for one block.
    fn add_beside(&self, block: usize, node: usize, heap: &mut BinaryHeap<Best>) {
        let mut inner = block + self.highest.len();
        while inner > node {
            heap.push(self.node(inner ^ 1));
            inner /= 2;
        }
    }

    fn node(&self, node: usize) -> Best {
        let block = self.tree[node] as usize;
        Best { score: self.highest[block], first: Reverse(block * BLOCK), of: Below::Node(node) }
    }

    fn block(&self, block: usize) -> Range<usize> {
        block * BLOCK..self.scores.len().min((block + 1) * BLOCK)
    }

    /// The best of a short stretch.
    fn read(&self, range: Range<usize>) -> Option<Best> {
        let scores = self.scores[range.clone()].iter().zip((0..=u16::MAX).rev());
        let (score, left) = scores.map(|(score, left)| (*score, left)).max()?;
        let first = Reverse(range.start + usize::from(u16::MAX - left));
        Some(Best { score, first, of: Below::Stretch(range.start, range.end) })
    }
}

/// The best score of a part of the list, and where it stands: in a node, where its block begins.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Best {
    score: u16,
    first: Reverse<usize>,
    of: Below,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Below {
    Node(usize),
    Stretch(usize, usize),
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
                    let found: Vec<_> = best.descending(std::iter::once(start..end)).take(12).collect();
                    assert_eq!(found, expected, "{start}..{end} of {size}");
                }
            }
            let found: Vec<_> = best.descending([0..size / 3, size / 2..size]).collect();
            assert!(found.is_sorted_by_key(|at| (Reverse(scores[*at]), *at)));
            assert_eq!(found.len(), size / 3 + size - size / 2);
        }
    }
}
