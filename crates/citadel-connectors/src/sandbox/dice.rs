//! Chance that never changes: every draw is a function of a key and the draw's name.
//!
//! Draws are named, not taken in turn, so that a new draw never moves an old one. The hash and the mixer are ours
//! (FNV-1a and the finaliser of SplitMix64, both in the public domain), because a library may change its stream
//! between versions and invented people must stay who they are.

use citadel_domain::random;

/// The world that everybody knows. Changing this invents everybody anew.
pub const DEFAULT_SEED: &str = "citadel-sandbox-1";

/// A key from which named numbers are drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dice {
    key: u64,
    world: World,
}

/// A seed: whoever has the same one meets the same people.
#[derive(Clone, Copy, Debug)]
pub(super) struct World(u64);

impl World {
    pub(super) fn new(seed: &str) -> Self {
        Self(random::seed_of(&[seed.as_bytes()]))
    }

    /// A key made of parts; `["ab", "c"]` and `["a", "bc"]` differ.
    pub(super) fn dice(self, parts: &[&str]) -> Dice {
        Dice { key: mix(parts.iter().fold(self.0, |key, part| absorb(key, part))), world: self }
    }
}

impl Dice {
    /// The world in which it is drawn.
    pub(super) const fn world(self) -> World {
        self.world
    }

    /// A key of its own for a part of what this key describes.
    pub(super) fn fork(self, label: &str) -> Self {
        Self { key: mix(absorb(self.key, label)), ..self }
    }

    /// A number for one of a row of draws, such as one per week.
    pub(super) fn number(self, label: &str, index: u64) -> u64 {
        mix(absorb(self.key, label).wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// A whole number in `low..=high`.
    pub(super) fn between(self, label: &str, low: i64, high: i64) -> i64 {
        self.between_at(label, 0, low, high)
    }

    /// A whole number in `low..=high`, for one of a row of draws.
    pub(super) fn between_at(self, label: &str, index: u64, low: i64, high: i64) -> i64 {
        let span = high.abs_diff(low).saturating_add(1);
        // The remainder is below the span, so the sum is at most `high`.
        low.saturating_add_unsigned(self.number(label, index) % span)
    }

    /// One of a list, which must not be empty.
    pub(super) fn pick<T: Copy>(self, label: &str, list: &[T]) -> T {
        let length = u64::try_from(list.len()).expect("a list is shorter than 2^64");
        let index = usize::try_from(self.number(label, 0) % length).expect("the index is below the length");
        list[index]
    }

    /// True in `percent` of a hundred keys.
    pub(super) fn chance(self, label: &str, percent: u64) -> bool {
        self.number(label, 0) % 100 < percent
    }

    /// `count` decimal digits.
    pub(super) fn digits(self, label: &str, count: u32) -> String {
        let bound = 10_u64.pow(count);
        format!("{:0width$}", self.number(label, 0) % bound, width = count as usize)
    }

    /// The key as twelve hex digits, for ids.
    pub(super) fn id(self) -> String {
        format!("{:012x}", self.number("id", 0) >> 16)
    }
}

fn absorb(key: u64, text: &str) -> u64 {
    random::absorb(key, text.as_bytes())
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dice(parts: &[&str]) -> Dice {
        World::new(DEFAULT_SEED).dice(parts)
    }

    #[test]
    fn the_stream_is_pinned() {
        let dice = dice(&["goodlogin", "truv"]);
        assert_eq!(dice.id(), "34aec0932b8d");
        assert_eq!(dice.fork("job").digits("ssn", 9), "352168128");
        assert_eq!(dice.between_at("hours", 7, -4, 4), 0);
    }

    #[test]
    fn parts_keep_their_borders() {
        assert_ne!(dice(&["ab", "c"]).id(), dice(&["a", "bc"]).id());
    }

    #[test]
    fn draws_stay_in_range_and_reach_both_ends() {
        let dice = dice(&["range"]);
        let drawn: Vec<i64> = (0..1000).map(|index| dice.between_at("n", index, -2, 3)).collect();
        assert_eq!(drawn.iter().min(), Some(&-2));
        assert_eq!(drawn.iter().max(), Some(&3));
    }
}
