//! Faults that a sandbox plays on demand.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Something that goes wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The provider takes ten seconds to sign in.
    Slow,
    /// The provider cannot be reached: the task ends as `unavailable`.
    ProviderDown,
    /// The provider asks for two seconds of patience, once.
    RateLimited,
    /// The first part of the data comes, the rest fails: the task ends as `error`.
    HalfData,
    /// A second factor is asked for and nobody answers: the task ends as `mfa_error` after ten seconds.
    MfaUnanswered,
    /// The first attempt at each webhook event comes 30 seconds late.
    WebhookDelayed,
    /// Each webhook event comes twice.
    WebhookDuplicated,
    /// Each webhook event comes after the one that followed it.
    WebhookReordered,
}

impl Fault {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Slow,
        Self::ProviderDown,
        Self::RateLimited,
        Self::HalfData,
        Self::MfaUnanswered,
        Self::WebhookDelayed,
        Self::WebhookDuplicated,
        Self::WebhookReordered,
    ];

    /// Whether it is about webhooks, and not about the provider.
    pub const fn is_of_webhooks(self) -> bool {
        matches!(self, Self::WebhookDelayed | Self::WebhookDuplicated | Self::WebhookReordered)
    }

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::ProviderDown => "provider_down",
            Self::RateLimited => "rate_limited",
            Self::HalfData => "half_data",
            Self::MfaUnanswered => "mfa_unanswered",
            Self::WebhookDelayed => "webhook_delayed",
            Self::WebhookDuplicated => "webhook_duplicated",
            Self::WebhookReordered => "webhook_reordered",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl AsRef<str> for Fault {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// No fault has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFault(String);

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<_> = Fault::ALL.iter().map(|fault| fault.as_str()).collect();
        write!(f, "{} is no fault; there are {}", self.0, known.join(", "))
    }
}

impl std::error::Error for UnknownFault {}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        let found = Self::ALL.into_iter().find(|fault| fault.as_str() == text);
        found.ok_or_else(|| UnknownFault(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_and_nothing_else() {
        for fault in Fault::ALL {
            assert_eq!(fault.as_str().parse(), Ok(fault));
        }
        assert!("Slow".parse::<Fault>().unwrap_err().to_string().contains("provider_down"));
    }
}
