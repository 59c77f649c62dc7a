//! One-time codes by time (RFC 6238): HMAC-SHA-1, 30 seconds, six digits, which is what authenticator apps know.

use aws_lc_rs::hmac;
use jiff::Timestamp;
use qrcodegen::{QrCode, QrCodeEcc};

use crate::{app::App, purposes};

const STEP_SECONDS: i64 = 30;
/// Steps before and after the present one whose codes are taken, for clocks that are off.
const DRIFT: i64 = 1;

/// The seed of a member's codes. It is nowhere: whoever has the table alone, without the hash key, can make no code.
pub(super) fn seed(app: &App, salt: &[u8]) -> [u8; 20] {
    let hash = app.keyring.keyed_hash(purposes::TOTP_SEED, salt);
    *hash.first_chunk().expect("a hash has 32 bytes")
}

/// The step whose code this is, if it is one around now.
pub(super) fn step_of(seed: &[u8; 20], code: &str, now: Timestamp) -> Option<i64> {
    let digits: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
    let present = now.as_second().div_euclid(STEP_SECONDS);
    (present - DRIFT..=present + DRIFT).find(|step| code_at(seed, *step) == digits)
}

fn code_at(seed: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, seed);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[tag.len() - 1] & 15);
    let bytes: [u8; 4] = tag[offset..offset + 4].try_into().expect("four bytes");
    format!("{:06}", (u32::from_be_bytes(bytes) & 0x7fff_ffff) % 1_000_000)
}

/// The seed as people type it: base 32.
pub(super) fn spelled(seed: &[u8; 20]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits = seed.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    let bits: Vec<u8> = bits.collect();
    bits.chunks(5)
        .map(|five| char::from(LETTERS[usize::from(five.iter().fold(0, |value, bit| value << 1 | bit))]))
        .collect()
}

/// The picture that an authenticator app reads, as SVG.
pub(super) fn picture(seed: &[u8; 20], email: &str) -> Option<String> {
    let label: String = form_urlencoded::byte_serialize(email.as_bytes()).collect();
    let address = format!("otpauth://totp/Citadel:{label}?secret={}&issuer=Citadel", spelled(seed));
    let code = QrCode::encode_text(&address, QrCodeEcc::Medium).ok()?;
    let size = code.size();
    let dark =
        (0..size).flat_map(|y| (0..size).map(move |x| (x, y))).filter(|(x, y)| code.get_module(*x, *y));
    let path: String = dark.map(|(x, y)| format!("M{x} {y}h1v1h-1z")).collect();
    let edge = size + 8;
    Some(format!(
        "<svg class=\"qr\" viewBox=\"-4 -4 {edge} {edge}\" role=\"img\" aria-label=\"QR code for an authenticator app\" \
         shape-rendering=\"crispEdges\"><rect x=\"-4\" y=\"-4\" width=\"{edge}\" height=\"{edge}\" fill=\"#fff\"/>\
         <path d=\"{path}\" fill=\"#000\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, of which the last six digits.
        let seed = *b"12345678901234567890";
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code_at(&seed, seconds / 30), code, "{seconds}");
            let now = Timestamp::from_second(seconds).unwrap();
            assert_eq!(step_of(&seed, code, now), Some(seconds / 30));
            let later = Timestamp::from_second(seconds + 90).unwrap();
            assert_eq!(step_of(&seed, code, later), None, "a code of long ago");
        }
        assert_eq!(spelled(&seed), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }
}
