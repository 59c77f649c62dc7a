//! Values that must never be seen in a log.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A text of class S1 or S2: a login, a token, a social security number, a bank account number.
///
/// `Debug` prints nothing useful, there is no `Display`, and memory is wiped on drop. It serialises as the plain
/// text, because connectors and sealing need that: serialise it only into something that is sealed or sent to its owner.
#[derive(Clone, PartialEq, Eq, Default, Zeroize, ZeroizeOnDrop, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. Every use of this is a place to look at in review.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The last four characters, for people who must recognise the value without seeing it.
    pub fn last4(&self) -> &str {
        let start = self.0.char_indices().rev().nth(3).map_or(0, |(index, _)| index);
        &self.0[start..]
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p57_a_secret_prints_nothing() {
        let secret = Secret::new("991919991");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "[redacted] Some([redacted])");
        assert_eq!(secret.last4(), "9991");
        assert_eq!(Secret::new("äöü").last4(), "äöü");
    }
}
