//! What can go wrong at a provider, in the words of those who can act on it.

use std::fmt;

use citadel_domain::TaskStatus;
use jiff::SignedDuration;

/// A refusal or fault at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectorError {
    /// User name or password is wrong. Unknown user and wrong password look alike.
    LoginRejected,
    /// The second factor is wrong or came too late.
    MfaRejected,
    /// The provider locked the account.
    AccountLocked,
    /// A setting at the provider stands in the way; the text is the provider's own.
    ConfigRejected {
        /// The provider's words, shown to the consumer unchanged.
        message: String,
    },
    /// Signed in, and nothing was there.
    NoData,
    /// Down or over its limits.
    ProviderDown {
        /// When the provider asks to be tried again.
        retry_after: Option<SignedDuration>,
    },
    /// Credentials could not be reset.
    UnableToReset,
    /// This provider does not serve the product.
    Unsupported,
    /// The provider answered something that we do not understand.
    Unexpected {
        /// What we were doing.
        step: &'static str,
    },
}

/// What the host should do after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Try the same step again, after a wait.
    Retry {
        /// The provider's own wish.
        after: Option<SignedDuration>,
    },
    /// End the task with [`ConnectorError::status`].
    GiveUp,
}

impl ConnectorError {
    /// Whether to try again or to end the task.
    pub const fn disposition(&self) -> Disposition {
        match self {
            Self::ProviderDown { retry_after: Some(after) } => Disposition::Retry { after: Some(*after) },
            _ => Disposition::GiveUp,
        }
    }

    /// Whether the provider has surely refused, so that nothing was changed there. After any other error a submission may have
    /// arrived.
    pub const fn is_final(&self) -> bool {
        !matches!(self, Self::ProviderDown { .. } | Self::Unexpected { .. })
    }

    /// The final status that a task gets from this error.
    pub const fn status(&self) -> TaskStatus {
        match self {
            Self::LoginRejected => TaskStatus::LoginError,
            Self::MfaRejected => TaskStatus::MfaError,
            Self::AccountLocked => TaskStatus::AccountLocked,
            Self::ConfigRejected { .. } => TaskStatus::ConfigError,
            Self::NoData => TaskStatus::NoData,
            Self::ProviderDown { .. } => TaskStatus::Unavailable,
            Self::UnableToReset => TaskStatus::UnableToReset,
            Self::Unsupported => TaskStatus::NotSupported,
            Self::Unexpected { .. } => TaskStatus::Error,
        }
    }

    /// The provider's own words, where the consumer should read them.
    pub fn provider_message(&self) -> Option<&str> {
        match self {
            Self::ConfigRejected { message } => Some(message),
            _ => None,
        }
    }
}

impl fmt::Display for ConnectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected { step } => write!(f, "unexpected answer from the provider at {step}"),
            other => f.write_str(other.status().as_str()),
        }
    }
}

impl std::error::Error for ConnectorError {}
