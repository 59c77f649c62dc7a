//! The task state machine of the contract, section 6.

use std::{fmt, str::FromStr};

/// Where a task stands. Final statuses never change: a new attempt is a new task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TaskStatus {
    /// Created and queued.
    New,
    /// Signing in at the provider.
    Login,
    /// Waiting for a second factor, or checking it.
    Mfa,
    /// Reading profile, employment and the newest statement.
    Parse,
    /// First data is there; history and documents are still loading.
    FullParse,
    /// Changing where pay goes.
    SwitchDeposit,
    /// Success.
    Done,
    /// The provider refused user name or password.
    LoginError,
    /// The provider refused the second factor, or it never came.
    MfaError,
    /// A setting or document at the provider stands in the way.
    ConfigError,
    /// The provider locked the account.
    AccountLocked,
    /// Signed in, and nothing was there.
    NoData,
    /// The provider is down.
    Unavailable,
    /// Anything else.
    Error,
    /// Credentials could not be reset.
    UnableToReset,
    /// The provider does not serve this product.
    NotSupported,
}

impl TaskStatus {
    /// Every status, in the order of the contract.
    pub const ALL: [Self; 16] = [
        Self::New,
        Self::Login,
        Self::Mfa,
        Self::Parse,
        Self::FullParse,
        Self::SwitchDeposit,
        Self::Done,
        Self::LoginError,
        Self::MfaError,
        Self::ConfigError,
        Self::AccountLocked,
        Self::NoData,
        Self::Unavailable,
        Self::Error,
        Self::UnableToReset,
        Self::NotSupported,
    ];

    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Login => "login",
            Self::Mfa => "mfa",
            Self::Parse => "parse",
            Self::FullParse => "full_parse",
            Self::SwitchDeposit => "switch_deposit",
            Self::Done => "done",
            Self::LoginError => "login_error",
            Self::MfaError => "mfa_error",
            Self::ConfigError => "config_error",
            Self::AccountLocked => "account_locked",
            Self::NoData => "no_data",
            Self::Unavailable => "unavailable",
            Self::Error => "error",
            Self::UnableToReset => "unable_to_reset",
            Self::NotSupported => "not_supported",
        }
    }

    /// Whether the task has ended.
    pub const fn is_final(self) -> bool {
        !matches!(
            self,
            Self::New | Self::Login | Self::Mfa | Self::Parse | Self::FullParse | Self::SwitchDeposit
        )
    }

    /// Whether a task may go from `self` to `next` in one step.
    ///
    /// Any unfinished task may end as `error` or `unavailable`: the provider can go away at every point. The other
    /// endings belong to the step that can cause them. `config_error` is drawn while data is read too: there it shows that
    /// the data is about another person than the link.
    pub const fn may_become(self, next: Self) -> bool {
        use TaskStatus as S;
        match (self, next) {
            (from, S::Error | S::Unavailable) => !from.is_final(),
            (S::New, S::Login | S::NotSupported) => true,
            (
                S::Login,
                S::Mfa
                | S::Parse
                | S::SwitchDeposit
                | S::LoginError
                | S::MfaError
                | S::AccountLocked
                | S::ConfigError
                | S::NoData
                | S::UnableToReset
                | S::NotSupported,
            ) => true,
            (S::Mfa, S::Parse | S::SwitchDeposit | S::MfaError | S::AccountLocked) => true,
            (S::Parse, S::FullParse | S::NoData | S::ConfigError) => true,
            (S::FullParse, S::Done | S::SwitchDeposit | S::ConfigError) => true,
            (S::SwitchDeposit, S::Done | S::ConfigError) => true,
            _ => false,
        }
    }
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no task status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownStatus;

impl fmt::Display for UnknownStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a task status")
    }
}

impl std::error::Error for UnknownStatus {}

impl FromStr for TaskStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(UnknownStatus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_statuses_never_change() {
        for from in TaskStatus::ALL.into_iter().filter(|status| status.is_final()) {
            for to in TaskStatus::ALL {
                assert!(!from.may_become(to), "{from} -> {to}");
            }
        }
    }

    #[test]
    fn the_happy_path_is_drawn_and_cannot_be_shortened() {
        use TaskStatus as S;
        for pair in [S::New, S::Login, S::Mfa, S::Parse, S::FullParse, S::Done].windows(2) {
            assert!(pair[0].may_become(pair[1]), "{} -> {}", pair[0], pair[1]);
        }
        for (from, to) in [(S::New, S::Parse), (S::Login, S::Done), (S::Parse, S::Done), (S::Login, S::New)] {
            assert!(!from.may_become(to), "{from} -> {to}");
        }
    }

    #[test]
    fn words_round_trip() {
        for status in TaskStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
    }
}
