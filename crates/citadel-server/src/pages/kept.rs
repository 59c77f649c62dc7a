//! Bodies that are the same for everybody: compressed once, at the first request, and kept.
//!
//! Nothing of a person is ever in here: compressed secrets can be guessed by their length.

use std::io::Write as _;

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};

pub(super) const SCRIPT: &str = "text/javascript; charset=utf-8";
pub(super) const STYLE: &str = "text/css; charset=utf-8";
pub(super) const PAGE: &str = "text/html; charset=utf-8";

/// How long a browser may use an answer without asking again.
#[derive(Clone, Copy)]
pub(super) enum Life {
    /// A new version of the server is seen within minutes.
    Short,
    /// The address names the content, so it never changes.
    Endless,
}

pub(super) struct Kept {
    kind: &'static str,
    /// `None`: there is only the compressed form. Every browser takes gzip.
    plain: Option<Bytes>,
    zipped: Bytes,
    tag: String,
}

impl Kept {
    pub(super) fn new(kind: &'static str, body: impl Into<Bytes>) -> Self {
        let plain = body.into();
        Self { kind, zipped: zip(&plain).into(), tag: tag(&plain), plain: Some(plain) }
    }

    pub(super) fn zipped(kind: &'static str, body: &'static [u8]) -> Self {
        Self { kind, plain: None, zipped: Bytes::from_static(body), tag: tag(body) }
    }

    /// Names the content, in addresses and in `ETag`.
    pub(super) fn tag(&self) -> &str {
        &self.tag
    }

    /// How many bytes a browser gets.
    #[cfg(test)]
    pub(super) fn sent(&self) -> usize {
        self.zipped.len()
    }

    /// The body, to be put under headers of the caller's.
    pub(super) fn body(&self, asked: &HeaderMap) -> Response {
        let plain = self.plain.as_ref().filter(|_| !takes_gzip(asked));
        let mut response = plain.unwrap_or(&self.zipped).clone().into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if plain.is_none() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }

    /// A file: the body, or that the browser has it already.
    pub(super) fn answer(&self, asked: &HeaderMap, life: Life) -> Response {
        // Weak, because it stands for both forms.
        let tag = format!("W/\"{}\"", self.tag);
        let known = asked.get(header::IF_NONE_MATCH);
        let mut response = match known.is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => self.body(asked),
        };
        let life = match life {
            Life::Short => "public, max-age=300",
            Life::Endless => "public, max-age=31536000, immutable",
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(life));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        response
    }
}

fn tag(body: &[u8]) -> String {
    format!("{:08x}-{:x}", crc32fast::hash(body), body.len())
}

fn zip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("memory takes what is written")
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    let texts = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        name.trim().eq_ignore_ascii_case("gzip") && weight.parse().unwrap_or(1.0) > 0.0
    })
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::takes_gzip;

    #[test]
    fn gzip_is_sent_to_whoever_takes_it() {
        let check = |text: &'static str, expected| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(text));
            assert_eq!(takes_gzip(&headers), expected, "{text}");
        };
        check("gzip, deflate, br", true);
        check("br;q=1.0, GZIP;q=0.5", true);
        check("gzip;q=0, identity", false);
        check("identity", false);
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
