//! Randomness as an argument.

use std::sync::atomic::{AtomicU64, Ordering};

/// A source of random bytes.
pub trait Random: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// A seed from parts (FNV-1a, each part with an end of its own); `["ab", "c"]` and `["a", "bc"]` differ.
pub fn seed_of(parts: &[&[u8]]) -> u64 {
    parts.iter().fold(FNV_OFFSET, |seed, part| absorb(seed, part))
}

/// [`seed_of`] with one more part.
pub fn absorb(seed: u64, part: &[u8]) -> u64 {
    // 0xff is in no UTF-8 text, so it ends a part.
    part.iter().chain(&[0xff]).fold(seed, |seed, byte| (seed ^ u64::from(*byte)).wrapping_mul(FNV_PRIME))
}

/// A repeatable source (SplitMix64). Never use it for secrets.
#[derive(Debug)]
pub struct SeededRandom(AtomicU64);

impl SeededRandom {
    /// A source whose bytes depend on `seed` and the calls before.
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A repeatable source for one id: a number in front, so that ids of one instant sort in the order of their numbers, and
/// then bytes that follow from a seed.
#[derive(Debug)]
pub struct NumberedRandom {
    number: u16,
    rest: SeededRandom,
}

impl NumberedRandom {
    /// The source for the id of a number, modulo 4096: an id has room for twelve bits.
    pub fn new(seed: u64, number: u64) -> Self {
        let number = u16::try_from(number % (1 << 12)).expect("twelve bits fit sixteen");
        Self { number, rest: SeededRandom::new(seed) }
    }
}

impl Random for NumberedRandom {
    fn fill(&self, bytes: &mut [u8]) {
        self.rest.fill(bytes);
        if let Some(front) = bytes.first_chunk_mut::<2>() {
            *front = self.number.to_be_bytes();
        }
    }
}
