//! The headers of a delivery, with both signatures (P28).

use aws_lc_rs::hmac;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use citadel_domain::{EventId, Secret, tokens};
use jiff::Timestamp;

use super::secrets;

/// What receivers in the wild expect.
const USER_AGENT: &str = "Truv-Webhook-Service/2.0";

/// The headers of one attempt to deliver `body`: signed by the access secret in the older scheme, and by each of
/// `endpoint` in that of Standard Webhooks, which covers id and time too and so stops replays.
pub(crate) fn headers(
    event: EventId,
    body: &str,
    now: Timestamp,
    access: &Secret,
    endpoint: &[Secret],
) -> HeaderMap {
    let (id, timestamp) = (event.to_string(), now.as_second().to_string());
    let by_access = sign(access.expose().as_bytes(), &[body.as_bytes()]);
    let signatures: Vec<_> = endpoint
        .iter()
        .map(|secret| {
            let parts = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body.as_bytes()];
            format!("v1,{}", STANDARD.encode(sign(&secrets::key_of(secret), &parts)))
        })
        .collect();
    let name = HeaderName::from_static;
    [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::USER_AGENT, USER_AGENT.to_owned()),
        (name("x-webhook-sign"), format!("v1={}", tokens::hex(by_access.as_ref()))),
        (name("webhook-id"), id),
        (name("webhook-timestamp"), timestamp),
        (name("webhook-signature"), signatures.join(" ")),
    ]
    .into_iter()
    .map(|(name, value)| {
        (name, HeaderValue::try_from(value).expect("digits, hex and base64 are fine in a header"))
    })
    .collect()
}

fn sign(key: &[u8], parts: &[&[u8]]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    context.sign()
}
