//! What else an entry says: names of fields, reasons, counts. Never a value of a person's or a secret.

use std::fmt;

/// A small JSON object. Its keys are literals, and so are most of its words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Detail(String);

impl Detail {
    /// Nothing more to say.
    pub const NONE: Self = Self(String::new());

    /// One word, such as a reason or the id of a key.
    pub fn word(self, key: &'static str, word: &str) -> Self {
        self.with(key, &quoted(word))
    }

    /// Several, such as the names of fields.
    pub fn words<'a>(self, key: &'static str, words: impl IntoIterator<Item = &'a str>) -> Self {
        let words: Vec<_> = words.into_iter().map(quoted).collect();
        self.with(key, &format!("[{}]", words.join(",")))
    }

    /// How many.
    pub fn count(self, key: &'static str, count: u64) -> Self {
        self.with(key, &count.to_string())
    }

    fn with(mut self, key: &'static str, value: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(&format!("{}:{value}", quoted(key)));
        self
    }
}

/// The JSON text.
impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.0)
    }
}

/// As a JSON string. What is no plain letter is written as its number, and NUL, which Postgres takes in no text, as well.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
