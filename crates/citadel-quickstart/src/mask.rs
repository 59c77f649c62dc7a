//! Enough of a secret to recognise it, and no more.

use aws_lc_rs::digest::{SHA256, digest};
use citadel_sdk::Redacted;

/// The last four characters of a token.
pub(crate) fn mask(token: &Redacted) -> String {
    format!("…{}", last4(token))
}

/// The environment word, the last four characters and a fingerprint of an access secret. Two people who compare
/// fingerprints know whether they hold the same secret.
pub(crate) fn mask_secret(secret: &Redacted) -> String {
    let environment = secret.expose().split_once('-').map_or("", |(environment, _)| environment);
    let hash = digest(&SHA256, secret.expose().as_bytes());
    let fingerprint: String = hash.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{environment}-…{} (fingerprint {fingerprint})", last4(secret))
}

/// Nothing of a short text, for which four characters would be a good part of it, and nothing that could break a
/// line of the log: the text may come from the address of a request.
fn last4(token: &Redacted) -> &str {
    let token = token.expose();
    let is_token =
        token.len() >= 16 && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_token { &token[token.len() - 4..] } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p58_a_mask_shows_four_characters() {
        assert_eq!(mask(&"5aa6324bc06c692448427a36d43c4d56".into()), "…4d56");
        assert_eq!(
            mask_secret(&"sandbox-0123456789abcdef0123456789abcdef01234567".into()),
            "sandbox-…4567 (fingerprint 68c96e8b)"
        );
    }

    #[test]
    fn nothing_odd_is_shown() {
        for odd in ["", "short", "5aa6324bc06c692448427a36d43\nINFO", "ééééééééééééééééé"] {
            assert_eq!(mask(&odd.into()), "…");
        }
    }
}
