//! Runs a fuzz target in a plain test: over its seeds, and over variations of them that are the same every time.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
};

/// What parsers take for special.
const WORDS: &[&[u8]] = &[
    b"\0",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"null",
    b"true",
    b"-0",
    b"1e999",
    b"9223372036854775808",
    b"0000-00-00",
    b"9999-12-31",
    b"-9999-01-01",
    b"%00",
    b"%2f",
    b"..",
    b"@",
    b"#",
    b"?",
    b"//",
    b"\r\n",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xae",
    b"\xcc\x81\xcc\x81\xcc\x81",
    b"\xf0\x9f\x92\xa9",
    b"=",
    b"&",
    b"+",
    b"127.0.0.1",
    b"[::ffff:127.0.0.1]",
    b"0x7f.1",
    b"localhost.",
    b"https://",
];

/// The longest variation.
const MOST: usize = 16 << 10;

/// Calls the target with each seed of the folder of its name, and with so many variations.
pub(crate) fn fuzz(name: &str, target: fn(&[u8]), variations: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(name);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a folder that can be listed").path())
        .collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).expect("a seed")).collect();
    assert!(!seeds.is_empty(), "{} has no seeds", folder.display());
    for seed in &seeds {
        check(target, seed);
    }
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..variations {
        let mut input = seeds[dice.below(seeds.len())].clone();
        for _ in 0..=dice.below(4) {
            vary(&mut input, &seeds, &mut dice);
        }
        input.truncate(MOST);
        check(target, &input);
    }
}

fn check(target: fn(&[u8]), input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(input))) {
        println!("input, to be kept as a seed: {}", input.escape_ascii());
        resume_unwind(panic);
    }
}

fn vary(input: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(input.len() + 1);
    let end = at + dice.below((input.len() - at).min(16) + 1);
    match dice.below(7) {
        0 => drop(input.drain(at..end)),
        1 => drop(input.splice(at..end, WORDS[dice.below(WORDS.len())].iter().copied())),
        2 => drop(input.splice(at..at, WORDS[dice.below(WORDS.len())].iter().copied())),
        3 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << dice.below(8);
            }
        }
        4 => input.insert(at, u8::try_from(dice.below(256)).unwrap_or_default()),
        5 => {
            let part = input[at..end].to_vec();
            let times = dice.below(64);
            drop(input.splice(at..at, part.repeat(times)));
        }
        _ => {
            let other = &seeds[dice.below(seeds.len())];
            input.truncate(at);
            input.extend_from_slice(&other[dice.below(other.len() + 1)..]);
        }
    }
}

/// Marsaglia's xorshift: the same numbers every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (end as u64)).unwrap_or_default()
    }
}
