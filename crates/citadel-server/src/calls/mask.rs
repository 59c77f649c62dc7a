//! What is kept of a body: its shape, and of its values those that this list names. Whatever is not named here is replaced, so
//! that a field which comes later is masked until somebody decides otherwise (P7, P57).

use citadel_domain::{LinkId, TaskId, tokens};

/// The longest text that is kept of a body, in bytes; and as much of the body is looked at.
pub(super) const MOST: usize = 8 << 10;

/// Elements of a list that are kept. The others look the same.
const ELEMENTS: usize = 3;
const MAX_DEPTH: usize = 32;

/// In place of a value, by its kind.
const TEXT: &str = "\"•••\"";
const NUMBER: &str = "\"••• number\"";
const TRUTH: &str = "\"••• boolean\"";
/// In place of what is left out.
const REST: &str = "\"…\"";

/// Ids of ours: 32 hexadecimal digits, or one of our words, as for providers.
const IDS: [&str; 18] = [
    "id",
    "client_id",
    "company_mapping_id",
    "employment_id",
    "endpoint_id",
    "event_id",
    "link_id",
    "object_id",
    "order_id",
    "payroll_report_id",
    "provider_id",
    "report_id",
    "scenario_id",
    "task_id",
    "template_id",
    "user_id",
    "voie_report_id",
    "webhook_id",
];

/// Words of ours, such as statuses.
const WORDS: [&str; 17] = [
    "allowed_products",
    "data_source",
    "data_sources",
    "env_type",
    "environment",
    "error_code",
    "error_type",
    "event_type",
    "events",
    "initial_product_type",
    "kind",
    "last_task_status",
    "mapping_status",
    "product",
    "product_type",
    "products",
    "status",
];

/// When something happened here, never to whom.
const TIMES: [&str; 11] = [
    "attempted_at",
    "canceled_at",
    "completed_at",
    "created_at",
    "deactivated_at",
    "deleted_at",
    "event_created_at",
    "expired_at",
    "expires_at",
    "finished_at",
    "updated_at",
];

const NUMBERS: [&str; 7] =
    ["attempt", "count", "duration_ms", "max_number", "objects_count", "sequence", "status_code"];

const TRUTHS: [&str; 5] = ["consented", "confirmed", "is_running", "is_supported", "is_voe"];

/// In refusals only, which never repeat what was sent.
const OF_REFUSALS: [&str; 4] = ["code", "detail", "field", "message"];

/// Of these the last four characters are kept.
const TOKENS: [&str; 7] = [
    "access_secret",
    "access_token",
    "access_tokens",
    "bridge_token",
    "public_token",
    "public_tokens",
    "secret",
];

/// Nothing inside them is kept: their fields are named by providers, clients or the world.
const HIDDEN: [&str; 6] = ["account", "answer", "headers", "login", "profile", "webhook_payload"];

/// Which body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Response,
}

/// What a body says about itself at its top.
#[derive(Default)]
pub(super) struct Named {
    pub(super) link_id: Option<LinkId>,
    pub(super) task_id: Option<TaskId>,
    /// The token itself: to be hashed, and no more.
    pub(super) bridge_token: Option<zeroize::Zeroizing<String>>,
    pub(super) access_token: Option<zeroize::Zeroizing<String>>,
}

/// A masked body. `None`: it is no JSON object or list. `is_good`: the call succeeded, so that what looks like an id is one; in the
/// request of another call it may be a token in the wrong place.
pub(super) fn mask(body: &[u8], side: Side, is_good: bool, named: &mut Named) -> Option<String> {
    let mut masker = Masker { rest: &body[..body.len().min(MOST)], out: String::new(), side, is_good, named };
    masker.skip_space();
    if !matches!(masker.rest.first(), Some(b'{' | b'[')) {
        return None;
    }
    // Cut or broken: what was written is closed, and told by an ellipsis.
    let _ = masker.value(Some(""), 0);
    Some(masker.out)
}

/// The path as it is kept: what stands in the places of a template, if it may be an id or a word of ours.
pub(super) fn mask_path(template: &str, path: &str, is_good: bool) -> String {
    let mut parts = path.split('/');
    let mut masked = String::with_capacity(path.len());
    for (number, place) in template.split('/').enumerate() {
        if number > 0 {
            masked.push('/');
        }
        match parts.next() {
            Some(part) if place.starts_with('{') => masked.push_str(&id(part, is_good)),
            _ => masked.push_str(place),
        }
    }
    masked
}

/// What must hold of whatever is masked: it is JSON, no longer than it may be, and no long number is in it but in an id.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn check(body: &[u8]) {
    for (side, is_good) in [(Side::Request, true), (Side::Response, false)] {
        let Some(text) = mask(body, side, is_good, &mut Named::default()) else { continue };
        assert!(text.len() <= MOST + 1024, "{} bytes", text.len());
        let json = serde_json::from_str::<serde::de::IgnoredAny>(&text);
        assert!(json.is_ok(), "{text:?}");
        let words = text.split(|sign: char| !sign.is_ascii_alphanumeric());
        for word in words.filter(|word| word.len() != 32 && word.bytes().all(|byte| byte.is_ascii_digit())) {
            // Nine stand behind the seconds of a time.
            assert!(word.len() < 10, "{word}");
        }
    }
}

struct Masker<'a> {
    rest: &'a [u8],
    out: String,
    side: Side,
    is_good: bool,
    named: &'a mut Named,
}

/// The body ended too early, is broken, or has become too long.
struct Cut;

impl<'a> Masker<'a> {
    fn skip_space(&mut self) {
        let space = self.rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.rest = &self.rest[space..];
    }

    /// Takes a sign, if it comes next.
    fn takes(&mut self, sign: u8) -> bool {
        self.skip_space();
        let is_there = self.rest.first() == Some(&sign);
        if is_there {
            self.rest = &self.rest[1..];
        }
        is_there
    }

    /// What is between the next two quotes, as it is written.
    fn text(&mut self) -> Option<&'a str> {
        let inside = self.rest.strip_prefix(b"\"")?;
        let mut end = 0;
        loop {
            end += inside[end..].iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
            if inside[end] == b'"' {
                break;
            }
            end = (end + 2).min(inside.len());
        }
        self.rest = &inside[end + 1..];
        std::str::from_utf8(&inside[..end]).ok()
    }

    /// Writes one value, whatever comes. `name`: of the field that it is in, as long as something there may be kept.
    fn value(&mut self, name: Option<&str>, depth: usize) -> Result<(), Cut> {
        self.skip_space();
        if depth > MAX_DEPTH || self.out.len() > MOST - 256 {
            self.out.push_str(REST);
            return Err(Cut);
        }
        match self.rest.first() {
            Some(b'{') => self.within('{', '}', |masker| masker.members(name.is_some(), depth + 1)),
            Some(b'[') => self.within('[', ']', |masker| masker.elements(name, depth + 1)),
            Some(b'"') => match self.text() {
                Some(text) => {
                    self.keep_text(name.unwrap_or_default(), text, depth);
                    Ok(())
                }
                None => {
                    self.out.push_str(REST);
                    Err(Cut)
                }
            },
            Some(_) => self.plain(name.unwrap_or_default()),
            None => {
                self.out.push_str(REST);
                Err(Cut)
            }
        }
    }

    fn within(
        &mut self,
        open: char,
        close: char,
        inside: impl FnOnce(&mut Self) -> Result<(), Cut>,
    ) -> Result<(), Cut> {
        self.rest = &self.rest[1..];
        self.out.push(open);
        let done = inside(self);
        self.out.push(close);
        done
    }

    fn members(&mut self, is_kept: bool, depth: usize) -> Result<(), Cut> {
        if self.takes(b'}') {
            return Ok(());
        }
        let mut is_first = true;
        loop {
            self.skip_space();
            let name = self.text().ok_or(Cut)?;
            if !self.takes(b':') {
                return Err(Cut);
            }
            if !is_first {
                self.out.push(',');
            }
            is_first = false;
            self.out.push('"');
            self.out.push_str(if is_name(name) { name } else { "•••" });
            self.out.push_str("\":");
            self.value((is_kept && !HIDDEN.contains(&name)).then_some(name), depth)?;
            if self.takes(b'}') {
                return Ok(());
            }
            if !self.takes(b',') {
                return Err(Cut);
            }
        }
    }

    fn elements(&mut self, name: Option<&str>, depth: usize) -> Result<(), Cut> {
        if self.takes(b']') {
            return Ok(());
        }
        for number in 0.. {
            let before = self.out.len();
            if number > 0 {
                self.out.push(',');
            }
            let kept = self.out.len();
            let done = self.value(name, depth);
            if number >= ELEMENTS {
                // Read for where it ends, and not for what it says.
                self.out.truncate(kept);
                if number == ELEMENTS {
                    self.out.push_str(REST);
                } else {
                    self.out.truncate(before);
                }
            }
            done?;
            if self.takes(b']') {
                return Ok(());
            }
            if !self.takes(b',') {
                return Err(Cut);
            }
        }
        Ok(())
    }

    fn keep_text(&mut self, name: &str, text: &str, depth: usize) {
        if depth == 1 {
            self.note(name, text);
        }
        let is_kept = text.is_empty()
            || WORDS.contains(&name) && is_word(text)
            || TIMES.contains(&name) && is_time(text)
            || self.is_refusal() && OF_REFUSALS.contains(&name) && is_sentence(text);
        if is_kept {
            self.out.push('"');
            self.out.push_str(text);
            self.out.push('"');
        } else if IDS.contains(&name) {
            let id = id(text, self.is_good || self.side == Side::Response);
            self.out.push('"');
            self.out.push_str(&id);
            self.out.push('"');
        } else if TOKENS.contains(&name) && is_secret(text) {
            self.out.push_str("\"•••");
            self.out.push_str(&text[text.len() - 4..]);
            self.out.push('"');
        } else {
            self.out.push_str(TEXT);
        }
    }

    fn is_refusal(&self) -> bool {
        self.side == Side::Response && !self.is_good
    }

    /// Remembers what the call is about.
    fn note(&mut self, name: &str, text: &str) {
        let token = || tokens::is_token(text).then(|| zeroize::Zeroizing::new(text.to_owned()));
        match name {
            "link_id" if self.named.link_id.is_none() => self.named.link_id = text.parse().ok(),
            "task_id" if self.named.task_id.is_none() => self.named.task_id = text.parse().ok(),
            "bridge_token" if self.named.bridge_token.is_none() => self.named.bridge_token = token(),
            "access_token" if self.named.access_token.is_none() => self.named.access_token = token(),
            _ => {}
        }
    }

    /// A number or one of three words.
    fn plain(&mut self, name: &str) -> Result<(), Cut> {
        let end = self
            .rest
            .iter()
            .position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t'));
        let Some((text, rest)) = end.map(|end| self.rest.split_at(end)) else {
            self.out.push_str(REST);
            return Err(Cut);
        };
        self.rest = rest;
        match text {
            b"null" => self.out.push_str("null"),
            b"true" | b"false" if TRUTHS.contains(&name) => {
                self.out.push_str(if text == b"true" { "true" } else { "false" });
            }
            b"true" | b"false" => self.out.push_str(TRUTH),
            digits
                if NUMBERS.contains(&name)
                    && (1..9).contains(&digits.len())
                    && digits.iter().all(u8::is_ascii_digit) =>
            {
                self.out.extend(digits.iter().map(|digit| char::from(*digit)));
            }
            // Also whatever else stands there: it is not repeated.
            _ => self.out.push_str(NUMBER),
        }
        Ok(())
    }
}

/// An id of ours, or a word, such as a provider's; of what may be a token the end.
fn id(text: &str, is_known: bool) -> String {
    if tokens::is_token(text) {
        return if is_known { text.to_owned() } else { format!("•••{}", &text[text.len() - 4..]) };
    }
    if is_known && is_word(text) { text.to_owned() } else { "•••".to_owned() }
}

/// As the names of fields are made. Digits are few: a number may be somebody's.
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    text.len() <= 40 && text.bytes().all(is_plain) && digits(text) < 4
}

/// As our words are made.
fn is_word(text: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    (1..=40).contains(&text.len()) && text.bytes().all(is_plain) && digits(text) < 4
}

fn is_time(text: &str) -> bool {
    text.len() <= 40 && text.is_ascii() && !text.contains('[') && text.parse::<jiff::Timestamp>().is_ok()
}

/// A sentence of ours for who reads the refusal. It names limits; a long number would be somebody's.
fn is_sentence(text: &str) -> bool {
    let longest = text.split(|sign: char| !sign.is_ascii_digit()).map(str::len).max();
    let is_json = || serde_json::from_str::<serde::de::IgnoredAny>(&format!("\"{text}\"")).is_ok();
    text.len() <= 400 && longest.unwrap_or(0) < 8 && is_json()
}

fn is_secret(text: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    tokens::is_token(text) || text.split_once('-').is_some_and(|(_, rest)| rest.len() == 40 && hex(rest))
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests;
