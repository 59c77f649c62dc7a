//! Addresses of documents: good for an hour, for one object, without access headers.
//!
//! The address carries its own end and a 128-bit keyed hash of client, link, object and end. Nothing is written when a report
//! is read, an address cannot be made without the server's key, and it dies at once with the link.

use citadel_domain::{ClientId, LinkId, ObjectId, tokens};
use citadel_store::links::Link;
use jiff::{SignedDuration, Timestamp};
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

/// What to store in place of an address.
pub(super) fn mark(object: ObjectId) -> String {
    format!("{MARK}{object}")
}

/// Puts fresh addresses in the place of the marks.
pub(super) fn fill(app: &App, link: &Link, json: &[u8]) -> ApiResult<String> {
    let expires = app.clock.now() + LIFE;
    let mut filled = Vec::with_capacity(json.len() + json.len() / 8);
    let mut rest = json;
    while let Some(at) = memmem::find(rest, MARK_IN_JSON) {
        filled.extend_from_slice(&rest[..at]);
        let (object, after) = rest[at + MARK_IN_JSON.len()..].split_at_checked(32).unwrap_or_default();
        let object = std::str::from_utf8(object).ok().and_then(|text| text.parse::<ObjectId>().ok());
        let object = object.ok_or_else(|| error::internal("a stored report has a broken file mark"))?;
        filled.extend_from_slice(address(app, link, object, expires).as_bytes());
        rest = after;
    }
    filled.extend_from_slice(rest);
    String::from_utf8(filled).map_err(error::internal)
}

fn address(app: &App, link: &Link, object: ObjectId, expires: Timestamp) -> String {
    let grant = FileGrant { client: link.tenant.client_id, link: link.id, object };
    let ends = expires.as_second();
    format!("{}/files/{}/{ends}-{}.pdf", app.public_url, grant.path(), grant.proof(app, ends))
}

/// One object of one link, to be read by whoever has its address.
pub(crate) struct FileGrant {
    pub(crate) client: ClientId,
    pub(crate) link: LinkId,
    pub(crate) object: ObjectId,
}

impl FileGrant {
    fn path(&self) -> String {
        format!("{}/{}/{}", self.client, self.link, self.object)
    }

    fn proof(&self, app: &App, ends: i64) -> String {
        let hash = app.keyring.keyed_hash(purposes::FILE, &format!("{}/{ends}", self.path()));
        tokens::hex(&hash[..16])
    }
}

/// Checks the four segments of a file address. `None` for anything that we did not make, or that has aged.
pub(crate) fn find_grant(app: &App, client: &str, link: &str, object: &str, name: &str) -> Option<FileGrant> {
    let grant =
        FileGrant { client: client.parse().ok()?, link: link.parse().ok()?, object: object.parse().ok()? };
    let (ends, shown) = name.strip_suffix(".pdf")?.split_once('-')?;
    let ends: i64 = ends.parse().ok()?;
    let expected = grant.proof(app, ends);
    // Compared as keyed hashes of both, so that time tells nothing about where they differ (P4).
    let same =
        app.keyring.keyed_hash(purposes::FILE, shown) == app.keyring.keyed_hash(purposes::FILE, &expected);
    (same && app.clock.now().as_second() < ends).then_some(grant)
}
