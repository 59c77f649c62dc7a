//! What each login of the sandbox leads to (contract 8.1). The one list to extend.
//!
//! | User name | Password | Result |
//! |---|---|---|
//! | `goodlogin` | `goodpassword` | John Doe, paid every two weeks |
//! | `goodlogin` | `mfa` | the same after a code: `12345` |
//! | `goodlogin` | `longcheck` | the same after 20 seconds |
//! | `goodlogin.weekly`, `.biweekly`, `.semimonthly`, `.monthly` | `goodpassword` | John Doe at another pace |
//! | `fulltime` | `goodpassword` | full time on a salary; SSN ends in 2211 |
//! | `hourly.part-time` | `goodpassword` | two part-time jobs by the hour; SSN 666382548 |
//! | `goodlogin.tn1`, `goodlogin.tn2` | `goodpassword` | less than a year in the job; the second after a job that ended |
//! | `error.user` | a final error status, such as `account_locked` | that status |
//! | anything else | | `login_error` |
//!
//! The published pages speak of four pay paces without naming their logins; these four names are ours.

use citadel_domain::TaskStatus;
use jiff::SignedDuration;

use super::people::Who;
use crate::ConnectorError;

/// The only right answer to the question for a code.
pub(super) const CODE: &str = "12345";
/// How long `longcheck` takes.
pub(super) const LONG_CHECK: SignedDuration = SignedDuration::from_secs(20);

/// What a login leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// In at once.
    Ready,
    /// A code is asked for first.
    Code,
    /// A wait comes first.
    Wait,
    /// Out.
    Refused(ConnectorError),
}

/// Looks a login up. A wrong password and an unknown user are the same refusal.
pub(super) fn outcome(username: &str, password: &str) -> Outcome {
    match (username, password) {
        ("error.user", status) => failure(status),
        ("goodlogin", "mfa") => Outcome::Code,
        ("goodlogin", "longcheck") => Outcome::Wait,
        (_, "goodpassword") if Who::find(username).is_some() => Outcome::Ready,
        _ => Outcome::Refused(ConnectorError::LoginRejected),
    }
}

fn failure(status: &str) -> Outcome {
    let error = match status.parse() {
        Ok(TaskStatus::MfaError) => ConnectorError::MfaRejected,
        Ok(TaskStatus::ConfigError) => ConnectorError::ConfigRejected {
            message:
                "Your employer has turned off access for outside services. Ask your payroll administrator \
                      to allow it under Settings, then try again."
                    .to_owned(),
        },
        Ok(TaskStatus::AccountLocked) => ConnectorError::AccountLocked,
        // The sign-in works; reading finds nothing, because nobody is behind this login.
        Ok(TaskStatus::NoData) => return Outcome::Ready,
        Ok(TaskStatus::Unavailable) => ConnectorError::ProviderDown { retry_after: None },
        Ok(TaskStatus::Error) => ConnectorError::Unexpected { step: "sign-in" },
        Ok(TaskStatus::UnableToReset) => ConnectorError::UnableToReset,
        Ok(TaskStatus::NotSupported) => ConnectorError::Unsupported,
        _ => ConnectorError::LoginRejected,
    };
    Outcome::Refused(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_final_error_status_has_its_login() {
        for status in TaskStatus::ALL.into_iter().filter(|status| status.is_final()) {
            match (status, outcome("error.user", status.as_str())) {
                (TaskStatus::NoData, outcome) => assert_eq!(outcome, Outcome::Ready),
                // `done` is no error, so it is a wrong password like any other.
                (TaskStatus::Done, outcome) => {
                    assert_eq!(outcome, Outcome::Refused(ConnectorError::LoginRejected));
                }
                (status, Outcome::Refused(error)) => assert_eq!(error.status(), status),
                (status, outcome) => panic!("{status}: {outcome:?}"),
            }
        }
    }

    #[test]
    fn a_wrong_password_looks_like_an_unknown_user() {
        let refused = Outcome::Refused(ConnectorError::LoginRejected);
        for (username, password) in [
            ("goodlogin", "wrong"),
            ("goodlogin", ""),
            ("GOODLOGIN", "goodpassword"),
            ("goodlogin ", "goodpassword"),
            ("fulltime", "mfa"),
            ("goodlogin.tn1", "longcheck"),
            ("error.user", "goodpassword"),
            ("error.user", "parse"),
            ("nobody", "goodpassword"),
            ("", ""),
        ] {
            assert_eq!(outcome(username, password), refused, "{username}");
        }
    }
}
