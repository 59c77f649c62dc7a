//! What fuzzers throw bytes at (P63): what an app reads that a stranger may have written. `citadel_server::fuzz` says more.

use std::time::{Duration, UNIX_EPOCH};

use reqwest::{StatusCode, header::HeaderMap};

use crate::{Error, event_stream, webhooks};

/// The headers of a delivery, a message of the stream and a refusal. The first line is a signature, the second a time, and the
/// rest a body.
pub fn signature(bytes: &[u8]) {
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    let mut next = || parts.next().unwrap_or_default();
    let (header, timestamp, body) =
        (String::from_utf8_lossy(next()), String::from_utf8_lossy(next()), next());
    let by_key = webhooks::verify_citadel_signature("sandbox-of-nobody", &header, body);
    assert!(by_key.is_err(), "a signature out of nothing: {header:?}");
    let verifier = webhooks::Verifier::new(["whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"]).expect("a secret");
    let now = UNIX_EPOCH + Duration::from_secs(1_795_000_000);
    let by_standard = verifier.verify("msg_1", &timestamp, &header, body, now);
    assert!(by_standard.is_err(), "a signature out of nothing: {header:?}");
    let _ = webhooks::Verifier::new([header.into_owned()]);
    let _ = event_stream::parse(bytes);
    let _ = Error::from_answer(StatusCode::BAD_REQUEST, &HeaderMap::new(), body);
}

#[cfg(test)]
#[path = "../../../fuzz/driver.rs"]
mod driver;

#[cfg(test)]
mod tests {
    #[test]
    fn p63_no_signature_breaks_its_reader() {
        super::driver::fuzz("signature", super::signature, 20_000);
    }
}
