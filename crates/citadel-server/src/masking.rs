//! What a masked key is not told (P7): the one place where answers to it are rewritten, behind every handler and every kept answer.
//!
//! Documents are drawn masked by who draws them: their addresses come through here, and are told to be masked.

use std::{borrow::Cow, fmt};

use axum::{
    body::{Body, to_bytes},
    http::header,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use crate::{app::App, error, reports};

/// Fields of which the last four signs are told, wherever they stand.
const LAST_FOUR: [&str; 4] = ["account_number", "routing_number", "social_security_number", "ssn"];
/// Fields that are told as `null`: the end of a date is a part of it that says too much or nothing.
const LEFT_OUT: [&str; 1] = ["date_of_birth"];

/// The answer as a masked key is told it.
pub(crate) async fn mask(app: &App, response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let masked = match to_bytes(body, usize::MAX).await {
        Ok(json) => masked(&json, &|address| reports::masked_address(app, address)),
        Err(_) => None,
    };
    // Rather nothing than what could not be looked through.
    let Some(masked) = masked else { return error::internal("an answer cannot be masked").into_response() };
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(masked))
}

/// `None`: it is no JSON.
fn masked(json: &[u8], address: &dyn Fn(&str) -> Option<String>) -> Option<Vec<u8>> {
    let mut writer = Writer { out: Vec::with_capacity(json.len()), address };
    writer.value(serde_json::from_slice(json).ok()?, How::Whole).ok()?;
    Some(writer.out)
}

#[derive(Clone, Copy)]
enum How {
    Whole,
    LastFour,
    LeftOut,
}

impl How {
    fn of(name: &str) -> Option<Self> {
        if LAST_FOUR.contains(&name) {
            return Some(Self::LastFour);
        }
        LEFT_OUT.contains(&name).then_some(Self::LeftOut)
    }
}

struct Writer<'a> {
    out: Vec<u8>,
    address: &'a dyn Fn(&str) -> Option<String>,
}

impl Writer<'_> {
    /// Writes a value. What is inside of something that is masked is masked, too.
    fn value(&mut self, value: &RawValue, how: How) -> serde_json::Result<()> {
        let text = value.get();
        match text.as_bytes().first() {
            Some(b'{') => {
                let Members(members) = serde_json::from_str(text)?;
                self.out.push(b'{');
                for (index, (name, value)) in members.iter().enumerate() {
                    self.comma(index);
                    serde_json::to_writer(&mut self.out, name)?;
                    self.out.push(b':');
                    self.value(value, How::of(name).unwrap_or(how))?;
                }
                self.out.push(b'}');
            }
            Some(b'[') => {
                let elements: Vec<&RawValue> = serde_json::from_str(text)?;
                self.out.push(b'[');
                for (index, value) in elements.into_iter().enumerate() {
                    self.comma(index);
                    self.value(value, how)?;
                }
                self.out.push(b']');
            }
            Some(b'"') => self.text(text, how)?,
            _ => self.out.extend_from_slice(if matches!(how, How::Whole) { text } else { "null" }.as_bytes()),
        }
        Ok(())
    }

    fn comma(&mut self, index: usize) {
        if index > 0 {
            self.out.push(b',');
        }
    }

    fn text(&mut self, json: &str, how: How) -> serde_json::Result<()> {
        let written = match how {
            How::LeftOut => {
                self.out.extend_from_slice(b"null");
                return Ok(());
            }
            How::LastFour => Some(last_four(&text_of(json)?)),
            How::Whole => (self.address)(&text_of(json)?),
        };
        if let Some(text) = written {
            return serde_json::to_writer(&mut self.out, &text);
        }
        self.out.extend_from_slice(json.as_bytes());
        Ok(())
    }
}

fn text_of(json: &str) -> serde_json::Result<Cow<'_, str>> {
    match serde_json::from_str::<&str>(json) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        // It has escapes.
        Err(_) => serde_json::from_str::<String>(json).map(Cow::Owned),
    }
}

/// Stars, and the last four signs of what is longer than they are.
fn last_four(text: &str) -> String {
    let length = text.chars().count();
    let hidden = if length > 4 { length - 4 } else { length };
    text.chars().enumerate().map(|(index, sign)| if index < hidden { '*' } else { sign }).collect()
}

/// The members of an object, in their order and as they are written.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &str) {
        let address = |text: &str| text.strip_prefix("https://here/files/").map(|rest| format!("M{rest}"));
        let masked = masked(json.as_bytes(), &address).unwrap();
        assert_eq!(String::from_utf8(masked).unwrap(), expected, "{json}");
    }

    #[test]
    fn p07_what_is_most_personal_is_masked_wherever_it_stands() {
        check(
            r#"{"a":[{"ssn":"991919991","date_of_birth":"1970-01-02","ssn_x":"991919991"}],"n":1.50}"#,
            r#"{"a":[{"ssn":"*****9991","date_of_birth":null,"ssn_x":"991919991"}],"n":1.50}"#,
        );
        check(
            r#"{"account_number":"0012345678","routing_number":"1234","social_security_number":null}"#,
            r#"{"account_number":"******5678","routing_number":"****","social_security_number":null}"#,
        );
        // Whatever shape it has, and however its name is written.
        check(
            r#"{"ssn":991919991,"ss\u006e":["991919991",{"x":"123456"}],"date_of_birth":[1970,true]}"#,
            r#"{"ssn":null,"ssn":["*****9991",{"x":"**3456"}],"date_of_birth":[null,null]}"#,
        );
        check(r#"{"file":"https://here/files/x","other":"a\nb"}"#, r#"{"file":"Mx","other":"a\nb"}"#);
        check(r#""text""#, r#""text""#);
    }

    #[test]
    fn what_is_no_json_is_not_passed_on() {
        assert_eq!(masked(b"ssn=991919991", &|_| None), None);
    }
}
