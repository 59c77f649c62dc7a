//! How requests are read: published clients send `null` and `""` for what they do not mean to say, and some send
//! a number where others send its text.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Map, Number, Value};

use crate::{Redacted, Strictly};

/// A text; `null` reads as the empty text, so that the handler reports every missing field in one answer.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default())
}

/// As [`text`], for a value that must not be seen.
pub(crate) fn redacted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Redacted, D::Error> {
    text(deserializer).map(Redacted::from)
}

/// An optional text; `""` reads as absent.
pub(crate) fn optional_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}

/// As [`optional_text`], for a value that must not be seen.
pub(crate) fn optional_redacted<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Redacted>, D::Error> {
    Ok(optional_text(deserializer)?.map(Redacted::from))
}

/// An optional decimal, sent as text or as a number, kept as its text.
pub(crate) fn optional_decimal<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a decimal, as text or as a number")]
    enum Decimal {
        Text(String),
        Number(Number),
    }
    Ok(match Option::<Decimal>::deserialize(deserializer)? {
        Some(Decimal::Text(text)) if !text.is_empty() => Some(text),
        Some(Decimal::Number(number)) => Some(number.to_string()),
        Some(Decimal::Text(_)) | None => None,
    })
}

/// A switch; `null` and `""` read as off, and forms send words.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(false),
        Value::Bool(is_on) => Ok(is_on),
        Value::String(text) if matches!(text.as_str(), "" | "false") => Ok(false),
        Value::String(text) if text == "true" => Ok(true),
        _ => Err(D::Error::custom("send true or false")),
    }
}

/// An optional object or list; `""` reads as absent.
pub(crate) fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        value => T::deserialize(Strictly(value)).map(Some).map_err(D::Error::custom),
    }
}

/// An optional object that is kept as it is; `""` reads as absent.
pub(crate) fn optional_object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Ok(optional::<D, Map<String, Value>>(deserializer)?.map(Value::Object))
}

/// A list; `null` and `""` read as the empty list.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    Ok(optional::<D, Vec<T>>(deserializer)?.unwrap_or_default())
}
