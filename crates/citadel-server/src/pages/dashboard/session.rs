//! Cookies and sessions (P53).

use axum::http::{HeaderMap, HeaderValue, header};
use citadel_domain::{MemberId, Random, SessionId, tokens};
use citadel_store::dashboard_sessions::Session;
use jiff::Timestamp;

use crate::{app::App, purposes};

/// The session of a member.
pub(super) const COOKIE: &str = "__Host-citadel_session";
/// What forms are tied to before there is a session.
const FORM_COOKIE: &str = "__Host-citadel_form";
/// The browser sends it to this host alone, never to scripts, and not from links on other sites.
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";
const LONGEST_AGENT: usize = 200;

/// A new session, and the cookie that is its proof.
pub(super) fn new(
    app: &App,
    headers: &HeaderMap,
    member_id: MemberId,
    factor_at: Option<Timestamp>,
    now: Timestamp,
) -> (Session, HeaderValue) {
    let token = token(&*app.random);
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let session = Session {
        id: SessionId::generate(now, &*app.random),
        token_hash: app.keyring.keyed_hash(purposes::DASHBOARD_SESSION, &token),
        member_id,
        agent: agent.chars().filter(|letter| !letter.is_control()).take(LONGEST_AGENT).collect(),
        created_at: now,
        seen_at: now,
        factor_at,
    };
    (session, set(COOKIE, &token))
}

/// What takes the session's cookie out of the browser.
pub(super) fn none() -> HeaderValue {
    HeaderValue::from_static("__Host-citadel_session=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict")
}

/// What this visitor's forms are tied to: the session, or a cookie of their own, which is made when it is missing.
pub(super) fn form_secret(app: &App, headers: &HeaderMap) -> (String, Option<HeaderValue>) {
    if let Some(secret) = cookie(headers, COOKIE).or_else(|| cookie(headers, FORM_COOKIE)) {
        return (secret, None);
    }
    let secret = token(&*app.random);
    let cookie = set(FORM_COOKIE, &secret);
    (secret, Some(cookie))
}

/// A cookie's value, if it has the form of ours.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let value = pairs.find(|(found, _)| *found == name)?.1;
    let is_ours = value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_ours.then(|| value.to_owned())
}

/// The page of ours that a form was sent from.
pub(super) fn referring_path(headers: &HeaderMap) -> Option<String> {
    let referrer = headers.get(header::REFERER)?.to_str().ok()?;
    let (_, rest) = referrer.split_once("://")?;
    let path = &rest[rest.find('/')?..];
    is_own_path(path).then(|| path.to_owned())
}

/// Whether a text is the path of one of our pages, and nothing that a browser could take for another host.
pub(super) fn is_own_path(path: &str) -> bool {
    let mut bytes = path.bytes();
    bytes.next() == Some(b'/')
        && !path[1..].starts_with(['/', '\\'])
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

/// 256 random bits as hex digits.
fn token(random: &dyn Random) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    tokens::hex(&bytes)
}

fn set(name: &str, value: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("{name}={value}; {ATTRIBUTES}")).expect("hex digits and fixed words")
}
