//! The best entries of any stretch of a list, one after another, without reading the stretch.

use std::{cmp::Reverse, collections::BinaryHeap, ops::Range};

/// A tree of the best position below each node. Best is the highest score, then the first position.
pub(super) struct BestOfRange {
    scores: Vec<u16>,
    tree: Vec<u32>,
}

impl BestOfRange {
    pub(super) fn new(scores: Vec<u16>) -> Self {
        let size = scores.len();
        let mut tree = vec![0; size];
        tree.extend(0..u32::try_from(size).expect("word starts are numbered with 32 bits"));
        let mut best = Self { scores, tree };
        for node in (1..size).rev() {
            best.tree[node] = best.better(best.tree[2 * node], best.tree[2 * node + 1]);
        }
        best
    }

    fn better(&self, one: u32, other: u32) -> u32 {
        let rank = |position: u32| (self.scores[position as usize], Reverse(position));
        if rank(one) >= rank(other) { one } else { other }
    }

    /// The best position of a stretch that is not empty.
    fn best(&self, range: &Range<usize>) -> Option<u32> {
        let size = self.scores.len();
        let (mut left, mut right) = (range.start + size, range.end + size);
        let mut best = None;
        let mut consider = |position| best = Some(best.map_or(position, |best| self.better(best, position)));
        while left < right {
            if left & 1 == 1 {
                consider(self.tree[left]);
                left += 1;
            }
            if right & 1 == 1 {
                right -= 1;
                consider(self.tree[right]);
            }
            left /= 2;
            right /= 2;
        }
        best
    }

    /// Positions of the stretch, best first. Each costs a few steps in the tree, however long the stretch is.
    pub(super) fn descending(&self, range: Range<usize>) -> impl Iterator<Item = usize> {
        let mut heap = BinaryHeap::new();
        let push = move |heap: &mut BinaryHeap<_>, range: Range<usize>| {
            if let Some(best) = self.best(&range) {
                heap.push((self.scores[best as usize], Reverse(best), range.start, range.end));
            }
        };
        push(&mut heap, range);
        std::iter::from_fn(move || {
            let (_, Reverse(best), start, end) = heap.pop()?;
            let best = best as usize;
            push(&mut heap, start..best);
            push(&mut heap, best + 1..end);
            Some(best)
        })
    }
}
