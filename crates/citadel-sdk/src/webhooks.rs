//! Checking that a webhook came from your Citadel server. Take the body as it arrived: read it as bytes, check it, and
//! parse it afterwards.
//!
//! Every delivery carries two signatures. `X-WEBHOOK-SIGN` is the older one, made with your access secret;
//! [`verify_citadel_signature`] checks it. `webhook-signature` is that of [Standard Webhooks], made with the secret of the
//! endpoint; [`Verifier`] checks it, and refuses what was recorded and sent again later.
//!
//! ```
//! use citadel_sdk::webhooks::{Verifier, VerifyError};
//!
//! # fn example() -> Result<(), VerifyError> {
//! // What the registration of the endpoint answered; after a rotation, the new secret and the old one.
//! let verifier = Verifier::new(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw7JmZ4x3Lk2o="])?;
//!
//! # let header = |_: &str| Some("");
//! # let body = b"";
//! let result = verifier.verify_now(
//!     header("webhook-id").unwrap_or_default(),
//!     header("webhook-timestamp").unwrap_or_default(),
//!     header("webhook-signature").unwrap_or_default(),
//!     body,
//! );
//! match result {
//!     // Drop repeats by `webhook_id`, then look at `event_type` and `status`.
//!     Ok(()) => println!("it is genuine"),
//!     Err(problem) => println!("answer with 400: {problem}"),
//! }
//! # Ok(())
//! # }
//! # example().unwrap();
//! ```
//!
//! [Standard Webhooks]: https://www.standardwebhooks.com

use std::{
    error::Error as StdError,
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::Redacted;

/// How old or new a delivery may be, against replays and clocks that differ.
pub const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// Why a delivery is not to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VerifyError {
    /// The secret is not `whsec_` and base64, or there is none.
    InvalidSecret,
    /// A header is missing or not in its form.
    InvalidHeader,
    /// `webhook-timestamp` is too far from now.
    OutsideTolerance,
    /// No signature fits: somebody else sent it, or it was changed on the way.
    WrongSignature,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidSecret => {
                "the secret is not whsec_ and base64: copy it from the answer of the registration"
            }
            Self::InvalidHeader => "a signature header is missing or malformed",
            Self::OutsideTolerance => "the delivery is too old, or a clock is wrong",
            Self::WrongSignature => "no signature fits the body",
        })
    }
}

impl StdError for VerifyError {}

/// Checks the header `X-WEBHOOK-SIGN` of a delivery: `v1=` and the HMAC-SHA-256 of the body in hex, under the access
/// secret. Of several values between commas one has to fit.
///
/// It does not cover the time: who recorded a delivery can send it again. Prefer [`Verifier`], or remember each
/// `webhook_id` that you have handled.
pub fn verify_citadel_signature(access_secret: &str, header: &str, body: &[u8]) -> Result<(), VerifyError> {
    if access_secret.is_empty() {
        return Err(VerifyError::InvalidSecret);
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, access_secret.as_bytes());
    let mut found = false;
    for value in header.split(',') {
        let Some(tag) = value.trim().strip_prefix("v1=").and_then(from_hex) else { continue };
        found = true;
        // Compares in constant time.
        if hmac::verify(&key, body, &tag).is_ok() {
            return Ok(());
        }
    }
    Err(if found { VerifyError::WrongSignature } else { VerifyError::InvalidHeader })
}

/// Checks deliveries by Standard Webhooks, under one or more secrets.
#[derive(Clone)]
pub struct Verifier {
    keys: Vec<hmac::Key>,
    tolerance: Duration,
}

impl Verifier {
    /// A verifier for these secrets: one, or the new and the old one while a rotation is going on.
    pub fn new<S: Into<Redacted>>(secrets: impl IntoIterator<Item = S>) -> Result<Self, VerifyError> {
        let keys = secrets.into_iter().map(|secret| key(&secret.into())).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(VerifyError::InvalidSecret);
        }
        Ok(Self { keys, tolerance: TOLERANCE })
    }

    /// Allows another distance in time than [`TOLERANCE`].
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Checks a delivery against the machine's clock.
    #[expect(clippy::disallowed_methods, reason = "the convenience for those who have no clock of their own")]
    pub fn verify_now(
        &self,
        id: &str,
        timestamp: &str,
        signature: &str,
        body: &[u8],
    ) -> Result<(), VerifyError> {
        self.verify(id, timestamp, signature, body, SystemTime::now())
    }

    /// Checks a delivery: the headers `webhook-id`, `webhook-timestamp` and `webhook-signature`, the body as it arrived,
    /// and the time.
    pub fn verify(
        &self,
        id: &str,
        timestamp: &str,
        signature: &str,
        body: &[u8],
        now: SystemTime,
    ) -> Result<(), VerifyError> {
        let sent: u64 = timestamp.trim().parse().map_err(|_| VerifyError::InvalidHeader)?;
        let now = now.duration_since(UNIX_EPOCH).map_err(|_| VerifyError::OutsideTolerance)?;
        if id.is_empty() {
            return Err(VerifyError::InvalidHeader);
        }
        if now.as_secs().abs_diff(sent) > self.tolerance.as_secs() {
            return Err(VerifyError::OutsideTolerance);
        }
        let message = [id.as_bytes(), b".", timestamp.trim().as_bytes(), b".", body].concat();
        let mut found = false;
        for value in signature.split_whitespace() {
            let Some(tag) = value.strip_prefix("v1,").and_then(|text| STANDARD.decode(text).ok()) else {
                continue;
            };
            found = true;
            if self.keys.iter().any(|key| hmac::verify(key, &message, &tag).is_ok()) {
                return Ok(());
            }
        }
        Err(if found { VerifyError::WrongSignature } else { VerifyError::InvalidHeader })
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("tolerance", &self.tolerance).finish_non_exhaustive()
    }
}

fn key(secret: &Redacted) -> Result<hmac::Key, VerifyError> {
    let encoded = secret.expose().trim().strip_prefix("whsec_").ok_or(VerifyError::InvalidSecret)?;
    let bytes = STANDARD.decode(encoded).map_err(|_| VerifyError::InvalidSecret)?;
    // Standard Webhooks asks for 24 to 64 bytes; an empty key would take anybody's signature.
    if bytes.len() < 24 {
        return Err(VerifyError::InvalidSecret);
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made with Python's hmac module, not with this library.
    const ACCESS_SECRET: &str = "sandbox-0123456789abcdef0123456789abcdef01234567";
    const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const BODY: &[u8] = br#"{"webhook_id":"0193a6c2f1d27c4e9a5be2d7f0a14c83","status":"done"}"#;
    const ID: &str = "0193a6c2f1d27c4e9a5be2d7f0a14c83";
    const TIME: &str = "1795012345";
    const HEX: &str = "15c2d150d0daca50f9eb3dcce1862df5caa24876d00b899f170763df55ca9f50";
    const BASE64: &str = "V1ctExvzhRHHW/6rWfaHBTqirFJ7SIHUn1UfDVcRTc8=";

    fn at(second: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(second)
    }

    fn check(signature: &str, now: u64, expected: Result<(), VerifyError>) {
        let verifier = Verifier::new([SECRET]).unwrap();
        assert_eq!(verifier.verify(ID, TIME, signature, BODY, at(now)), expected, "{signature} {now}");
    }

    #[test]
    fn p28_the_older_signature_is_checked() {
        let check = |header: &str, expected| {
            assert_eq!(verify_citadel_signature(ACCESS_SECRET, header, BODY), expected, "{header}");
        };
        check(&format!("v1={HEX}"), Ok(()));
        check(&format!("v1={}", "0".repeat(64)), Err(VerifyError::WrongSignature));
        check(&format!("v1={}, v1={HEX}", "0".repeat(64)), Ok(()));
        check(&format!("v2=abc,v1={}", HEX.to_uppercase()), Ok(()));
        check(&format!("v1={}", &HEX[..62]), Err(VerifyError::WrongSignature));
        for bad in ["", HEX, "v1=", "v1=zz", "v1=0", "v0=00", "v1=é"] {
            assert!(verify_citadel_signature(ACCESS_SECRET, bad, BODY).is_err(), "{bad}");
        }
        assert!(verify_citadel_signature("", &format!("v1={HEX}"), BODY).is_err());
    }

    #[test]
    fn p28_one_flipped_bit_is_refused() {
        let (verifier, header) = (Verifier::new([SECRET]).unwrap(), format!("v1={HEX}"));
        for index in 0..BODY.len() * 8 {
            let mut body = BODY.to_vec();
            body[index / 8] ^= 1 << (index % 8);
            assert!(verify_citadel_signature(ACCESS_SECRET, &header, &body).is_err());
            assert!(verifier.verify(ID, TIME, &format!("v1,{BASE64}"), &body, at(1_795_012_345)).is_err());
        }
        assert!(verifier.verify(ID, "1795012346", &format!("v1,{BASE64}"), BODY, at(1_795_012_345)).is_err());
        assert!(verifier.verify("other", TIME, &format!("v1,{BASE64}"), BODY, at(1_795_012_345)).is_err());
    }

    #[test]
    fn p28_replays_are_refused_after_five_minutes() {
        let good = format!("v1,{BASE64}");
        for now in [1_795_012_345, 1_795_012_345 + 300, 1_795_012_345 - 300] {
            check(&good, now, Ok(()));
        }
        for now in [1_795_012_345 + 301, 1_795_012_345 - 301, 0, u64::from(u32::MAX)] {
            check(&good, now, Err(VerifyError::OutsideTolerance));
        }
    }

    #[test]
    fn several_signatures_and_secrets_are_tried() {
        let now = 1_795_012_345;
        let other = STANDARD.encode([0; 32]);
        check(&format!("v1,{other} v1,{BASE64}"), now, Ok(()));
        check(&format!("v1a,{BASE64} v1,{BASE64}"), now, Ok(()));
        check(&format!("v1,{other}"), now, Err(VerifyError::WrongSignature));
        for bad in ["", BASE64, "v1", "v2,abc", "v1,%%"] {
            check(bad, now, Err(VerifyError::InvalidHeader));
        }
        let both = Verifier::new([format!("whsec_{other}"), SECRET.to_owned()]).unwrap();
        assert_eq!(both.verify(ID, TIME, &format!("v1,{BASE64}"), BODY, at(now)), Ok(()));
        assert_eq!(both.verify(ID, "soon", BASE64, BODY, at(now)), Err(VerifyError::InvalidHeader));
        assert!(!format!("{both:?}").contains("AAEC"));
        for bad in ["", "whsec_", "whsec_AAEC", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "whsec_%"] {
            assert_eq!(Verifier::new([bad]).err(), Some(VerifyError::InvalidSecret), "{bad}");
        }
        assert!(Verifier::new(Vec::<String>::new()).is_err());
    }
}
