//! The forms of access secrets and tokens (`sandbox-` + 40 hex; 32 hex), and how they are made.

use std::fmt::Write;

use crate::{Environment, Random, Secret};

/// A new token: 32 lowercase hex digits, all 128 bits random. Used for bridge, public and access tokens.
pub fn generate_token(random: &dyn Random) -> Secret {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    Secret::new(hex(&bytes))
}

/// A token of twice that length, for an address that is good for years.
pub fn generate_long_token(random: &dyn Random) -> Secret {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    Secret::new(hex(&bytes))
}

/// Whether `text` has the form of a token. Says nothing about whether the token exists.
pub fn is_token(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(is_lower_hex)
}

/// A new access secret: environment word, 32 random hex digits, then the CRC-32 of all before as 8 hex digits, so
/// that secret scanners recognise a leaked key without asking us.
pub fn generate_access_secret(environment: Environment, random: &dyn Random) -> Secret {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    let mut text = format!("{environment}-{}", hex(&bytes));
    let checksum = crc32fast::hash(text.as_bytes());
    write!(text, "{checksum:08x}").expect("writing to a string cannot fail");
    Secret::new(text)
}

/// The environment in front of an access secret of the right form: `^(sandbox|dev|prod)-[0-9a-f]{40}$`.
pub fn access_secret_environment(text: &str) -> Option<Environment> {
    let (word, hex) = text.split_once('-')?;
    let right_form = hex.len() == 40 && hex.bytes().all(is_lower_hex);
    if right_form { word.parse().ok() } else { None }
}

/// Whether the checksum of an access secret is right. For scanners only: signing in never asks, so that keys brought
/// from elsewhere keep working.
pub fn has_valid_checksum(text: &str) -> bool {
    if access_secret_environment(text).is_none() {
        return false;
    }
    let (body, checksum) = text.split_at(text.len() - 8);
    u32::from_str_radix(checksum, 16) == Ok(crc32fast::hash(body.as_bytes()))
}

/// Lowercase hex of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

const fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::SeededRandom;

    #[test]
    fn p02_a_million_access_secrets_have_form_and_checksum_and_differ() {
        let random = SeededRandom::new(2);
        let mut seen = HashSet::with_capacity(1_000_000);
        for index in 0..1_000_000 {
            let environment = [Environment::Sandbox, Environment::Dev, Environment::Prod][index % 3];
            let secret = generate_access_secret(environment, &random);
            let text = secret.expose();
            assert_eq!(access_secret_environment(text), Some(environment), "{index}");
            assert!(has_valid_checksum(text), "{index}");
            assert!(seen.insert(text.to_owned()), "made twice: number {index}");
        }
    }

    #[test]
    fn p02_random_strings_of_the_form_fail_the_checksum() {
        let random = SeededRandom::new(3);
        let mut text = *b"sandbox-0000000000000000000000000000000000000000";
        let mut passed = 0;
        for _ in 0..10_000_000 {
            let mut bytes = [0; 20];
            random.fill(&mut bytes);
            for (index, byte) in bytes.into_iter().enumerate() {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                text[8 + 2 * index] = DIGITS[usize::from(byte >> 4)];
                text[9 + 2 * index] = DIGITS[usize::from(byte & 15)];
            }
            passed += u32::from(has_valid_checksum(std::str::from_utf8(&text).unwrap()));
        }
        assert!(passed <= 1, "{passed} of ten million random strings passed");
    }

    #[test]
    fn tokens_are_path_safe() {
        let token = generate_token(&SeededRandom::new(4));
        assert!(is_token(token.expose()));
        for bad in ["", "ABCDEF", "../../../../../../../../../../../..", &"0".repeat(31), &"0".repeat(33)] {
            assert!(!is_token(bad), "{bad}");
        }
    }
}
