//! Addresses of documents: good for an hour, for one object, without access headers.
//!
//! The address carries its own end and a 128-bit keyed hash of client, link, object and end. Nothing is written when a report
//! is read, an address cannot be made without the server's key, and it dies at once with the link.

use std::fmt;

use citadel_domain::{ClientId, LinkId, ObjectId, tokens};
use citadel_store::links::Link;
use jiff::SignedDuration;
use memchr::memmem;

use crate::{
    app::App,
    error::{self, ApiResult},
    purposes,
};

/// How long an address lives.
const LIFE: SignedDuration = SignedDuration::from_hours(1);

/// Stands in stored JSON where an address will be, before the object's 32 hex digits. It has a control character, which
/// JSON prints as this escape and which no provider text keeps, so that no provider text can be taken for one.
const MARK: &str = "\u{1}file:";
const MARK_IN_JSON: &[u8] = b"\\u0001file:";

/// Stands before the proof of an address for a masked key, and is a part of what is proven.
const MASKED: &str = "masked-";

/// What to store in place of an address.
pub(super) fn mark(object: ObjectId) -> String {
    format!("{MARK}{object}")
}

/// The object whose address a stored text will be, as its 32 hex digits.
pub(super) fn marked(stored: &str) -> Option<&str> {
    stored.strip_prefix(MARK)
}

/// Bytes that a stored list may have with its addresses.
pub(super) fn room(app: &App, json: &[u8]) -> usize {
    // Four ids and a time, and what parts them.
    let address = app.public_url.len() + 200;
    json.len() + memmem::find_iter(json, MARK_IN_JSON).count() * address
}

/// Appends stored JSON to `filled` with fresh addresses in the place of the marks.
pub(super) fn fill(app: &App, link: &Link, json: &[u8], filled: &mut Vec<u8>) -> ApiResult<()> {
    // What the addresses of a link share: the client and the link in front of the object, and the end behind it.
    let start = format!("{}/files/", app.public_url);
    let owner = format!("{}/{}/", link.tenant.client_id, link.id);
    let ends = format!("/{}", (app.clock.now() + LIFE).as_second());
    let mut rest = json;
    while let Some(at) = memmem::find(rest, MARK_IN_JSON) {
        let (before, after) = rest.split_at(at);
        filled.extend_from_slice(before);
        // Behind a backslash of its own it is plain text of a provider, and no control character.
        if before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1 {
            filled.extend_from_slice(MARK_IN_JSON);
            rest = &after[MARK_IN_JSON.len()..];
            continue;
        }
        let (object, after) = after[MARK_IN_JSON.len()..].split_at_checked(32).unwrap_or_default();
        if object.is_empty() || !object.iter().all(u8::is_ascii_hexdigit) {
            return Err(error::internal("a stored report has a broken file mark"));
        }
        filled.extend_from_slice(start.as_bytes());
        let path = filled.len();
        for part in [owner.as_bytes(), object, ends.as_bytes()] {
            filled.extend_from_slice(part);
        }
        let proof = proof(app, &filled[path..]);
        filled.push(b'-');
        filled.extend_from_slice(proof.as_bytes());
        filled.extend_from_slice(b".pdf");
        rest = after;
    }
    filled.extend_from_slice(rest);
    Ok(())
}

/// The address of one document.
pub(super) fn address(app: &App, link: &Link, object: ObjectId) -> ApiResult<String> {
    let json = serde_json::to_vec(&mark(object)).map_err(error::internal)?;
    let mut filled = Vec::with_capacity(room(app, &json));
    fill(app, link, &json, &mut filled)?;
    serde_json::from_slice(&filled).map_err(error::internal)
}

/// The address of the same document for a masked key. `None` for what is no address of ours, or has aged.
pub(crate) fn masked_address(app: &App, address: &str) -> Option<String> {
    let path = address.strip_prefix(&app.public_url)?.strip_prefix("/files/")?;
    let [client, link, object, name] = path.split('/').collect::<Vec<_>>().try_into().ok()?;
    let grant = find_grant(app, client, link, object, name)?;
    let (ends, _) = name.split_once('-')?;
    let ends: i64 = ends.parse().ok()?;
    let path = format!("{}/{ends}", grant.path());
    let proof = proof(app, format!("{path}{MASKED}").as_bytes());
    Some(format!("{}/files/{path}-{MASKED}{proof}.pdf", app.public_url))
}

/// What only we can say about a path and its end.
fn proof(app: &App, path_and_end: &[u8]) -> String {
    tokens::hex(&app.keyring.keyed_hash(purposes::FILE, path_and_end)[..16])
}

/// One object of one link, to be read by whoever has its address.
pub(crate) struct FileGrant {
    pub(crate) client: ClientId,
    pub(crate) link: LinkId,
    pub(crate) object: ObjectId,
    /// Whether the document is drawn for a masked key (P7).
    pub(crate) is_masked: bool,
}

impl FileGrant {
    fn path(&self) -> impl fmt::Display {
        fmt::from_fn(|f| write!(f, "{}/{}/{}", self.client, self.link, self.object))
    }
}

/// Checks the four segments of a file address. `None` for anything that we did not make, or that has aged.
pub(crate) fn find_grant(app: &App, client: &str, link: &str, object: &str, name: &str) -> Option<FileGrant> {
    let (ends, shown) = name.strip_suffix(".pdf")?.split_once('-')?;
    let (is_masked, shown) = shown.strip_prefix(MASKED).map_or((false, shown), |shown| (true, shown));
    let grant = FileGrant {
        client: client.parse().ok()?,
        link: link.parse().ok()?,
        object: object.parse().ok()?,
        is_masked,
    };
    let ends: i64 = ends.parse().ok()?;
    let said = if is_masked { MASKED } else { "" };
    let expected = proof(app, format!("{}/{ends}{said}", grant.path()).as_bytes());
    // Compared as keyed hashes of both, so that time tells nothing about where they differ (P4).
    let same =
        app.keyring.keyed_hash(purposes::FILE, shown) == app.keyring.keyed_hash(purposes::FILE, &expected);
    (same && app.clock.now().as_second() < ends).then_some(grant)
}
