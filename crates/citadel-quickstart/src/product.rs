//! What the quickstart can show.

/// A product of Citadel that this app has a page for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Where a person works.
    Employment,
    /// What a person earns.
    Income,
}

impl Product {
    /// The word in `.env` and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Employment => "employment",
            Self::Income => "income",
        }
    }

    /// Reads the word in `.env`; the complaint says what to write instead.
    pub(crate) fn parse(word: &str) -> Result<Self, String> {
        match word {
            "employment" => Ok(Self::Employment),
            "income" => Ok(Self::Income),
            "admin" | "deposit_switch" | "pll" | "fas" => {
                Err(format!("is `{word}`, which has no page here yet: set it to employment or income"))
            }
            _ => {
                let word: String = word.chars().filter(|letter| !letter.is_control()).take(40).collect();
                Err(format!("is `{word}`, which is not a product: set it to employment or income"))
            }
        }
    }
}
