//! Text that must not be seen in a log.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A token or a personal number: plain text in JSON, `[redacted]` in `Debug`, and no `Display` at all.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Redacted(String);

impl Redacted {
    /// The text itself. Every use of this is a place to look at in review.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The text itself, owned.
    pub fn into_exposed(self) -> String {
        self.0
    }

    /// Is there no text at all?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl From<String> for Redacted {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Redacted {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<&Redacted> for Redacted {
    fn from(text: &Redacted) -> Self {
        text.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p57_redacted_text_prints_nothing_and_is_plain_in_json() {
        let text = Redacted::from("991919991");
        assert_eq!(format!("{text:?} {:#?}", Some(&text)), "[redacted] Some(\n    [redacted],\n)");
        assert_eq!(serde_json::to_string(&text).unwrap(), r#""991919991""#);
        assert_eq!(serde_json::from_str::<Redacted>(r#""991919991""#).unwrap().expose(), "991919991");
    }
}
