//! What each login of the sandbox leads to (contract 8.1). The one list to extend.
//!
//! | User name | Password | Result |
//! |---|---|---|
//! | `goodlogin` | `goodpassword` | John Doe, paid every two weeks |
//! | `goodlogin` | `mfa` | the same after a code: `12345` |
//! | `goodlogin` | `mfa.question` | … after a question: `rex` |
//! | `goodlogin` | `mfa.choice` | … after a choice of where the code goes, and the code |
//! | `goodlogin` | `mfa.push` | … after an approval that comes by itself in 4 seconds |
//! | `goodlogin` | `mfa.push_denied` | `mfa_error`, 4 seconds after the approval was asked for |
//! | `goodlogin` | `longcheck` | the same after 20 seconds |
//! | `goodlogin.weekly`, `.biweekly`, `.semimonthly`, `.monthly` | `goodpassword` | John Doe at another pace |
//! | `fulltime` | `goodpassword` | full time on a salary; SSN ends in 2211 |
//! | `hourly.part-time` | `goodpassword` | two part-time jobs by the hour; SSN 666382548 |
//! | `goodlogin.tn1`, `goodlogin.tn2` | `goodpassword` | less than a year in the job; the second after a job that ended |
//! | `goodlogin.expiring` | `goodpassword` | another John Doe, who changes the password afterwards: a refresh is refused |
//! | `goodlogin.expiring` | `newpassword` | the same, and a refresh works |
//! | `goodlogin.slowbank` | `goodpassword` | another John Doe, at whose provider a change is answered after 3 seconds |
//! | `error.user` | a final error status, such as `account_locked` | that status |
//! | `ugly.…` | `goodpassword` | somebody who breaks integrations: see `ugly` |
//! | of a scenario | its own | what the scenario says |
//! | anything else | | `login_error` |
//!
//! For `admin` and `fas` there is also the API key ([`API_KEY`]); any of these people may sign in as an administrator, too,
//! and all see the same company. Where a company code is asked for, any but `unknown` is right.
//!
//! The published pages speak of four pay paces without naming their logins; these four names are ours.

use citadel_domain::TaskStatus;
use jiff::SignedDuration;

use super::people::Who;
use crate::ConnectorError;

/// The only right answer to the question for a code.
pub(super) const CODE: &str = "12345";
/// What the security question is.
pub(super) const QUESTION: &str = "What was the name of your first pet?";
/// Its only right answer, in any case.
pub(super) const ANSWER: &str = "rex";
/// The published key of an administrator (contract 8.3). It opens nothing but invented data.
pub(super) const API_KEY: &str = "Skx8LTnyrLiw4SYk8xfkRwOt5OGQbNulypqdsqd";
/// Who signs in with it. Nobody's user name, because a form cannot be sent with a blank one.
pub(super) const KEY_HOLDER: &str = "";
/// Whose changes are slow to be answered, and how slow.
pub(super) const SLOW_BANK: (&str, std::time::Duration) =
    ("goodlogin.slowbank", std::time::Duration::from_secs(3));
/// How long a phone takes to approve or deny.
pub(super) const PUSH: SignedDuration = SignedDuration::from_secs(4);
/// How long a refresh takes to sign in: the first look at its status must see it unfinished (contract R9), and the last
/// one come within seconds (R10).
pub(super) const RENEWAL: SignedDuration = SignedDuration::from_secs(2);
/// How long a slow provider takes.
pub(super) const SLOW: SignedDuration = SignedDuration::from_secs(10);
/// How long a provider waits for a second factor that nobody gives.
pub(super) const UNANSWERED: SignedDuration = SignedDuration::from_secs(10);
/// How long a provider that is over its limits asks to be left alone.
pub(super) const LIMITED: SignedDuration = SignedDuration::from_secs(2);
/// How long `longcheck` takes.
pub(super) const LONG_CHECK: SignedDuration = SignedDuration::from_secs(20);

/// The logins to show to whoever builds: user name, password, and what comes of it.
pub const LOGINS: [(&str, &str, &str); 17] = [
    ("goodlogin", "goodpassword", "John Doe, paid every two weeks"),
    ("goodlogin", "mfa", "the same after a code: 12345"),
    ("goodlogin", "mfa.question", "the same after a security question: rex"),
    ("goodlogin", "mfa.choice", "the same after a choice of where the code goes, and the code"),
    ("goodlogin", "mfa.push", "the same after an approval that comes by itself in 4 seconds"),
    ("goodlogin", "mfa.push_denied", "the approval is denied: mfa_error"),
    ("goodlogin", "longcheck", "the same after 20 seconds"),
    ("goodlogin.weekly", "goodpassword", "John Doe, paid every week"),
    ("goodlogin.semimonthly", "goodpassword", "John Doe, paid twice a month"),
    ("goodlogin.monthly", "goodpassword", "John Doe, paid once a month"),
    ("fulltime", "goodpassword", "full time on a salary"),
    ("hourly.part-time", "goodpassword", "two part-time jobs by the hour"),
    ("goodlogin.tn1", "goodpassword", "in the first job for a few months"),
    ("goodlogin.tn2", "goodpassword", "less than a year in the job, after one that ended"),
    ("goodlogin.expiring", "goodpassword", "the password changes afterwards: a refresh is refused"),
    ("goodlogin.slowbank", "goodpassword", "a change of the deposit is answered after 3 seconds"),
    ("error.user", "account_locked", "ends with that status; any other final status works, too"),
];

/// What a login leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// In at once.
    Ready,
    /// In at once, and never again with what the grant holds.
    ReadyOnce,
    /// A code is asked for first.
    Code,
    /// A security question comes first.
    Question,
    /// A choice of where the code goes comes first, then the code.
    Choice,
    /// An approval on the phone comes first.
    Push {
        /// Whether the phone will say no.
        is_denied: bool,
    },
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
        ("goodlogin", "mfa.question") => Outcome::Question,
        ("goodlogin", "mfa.choice") => Outcome::Choice,
        ("goodlogin", "mfa.push") => Outcome::Push { is_denied: false },
        ("goodlogin", "mfa.push_denied") => Outcome::Push { is_denied: true },
        ("goodlogin", "longcheck") => Outcome::Wait,
        ("goodlogin.expiring", "goodpassword") => Outcome::ReadyOnce,
        ("goodlogin.expiring", "newpassword") => Outcome::Ready,
        (_, "goodpassword") if Who::find(username).is_some() => Outcome::Ready,
        _ => Outcome::Refused(ConnectorError::LoginRejected),
    }
}

/// Whether a user name belongs to the sandbox, so that no scenario may have it.
pub(super) fn is_taken(username: &str) -> bool {
    Who::find(username).is_some() || username.starts_with(super::ugly::PREFIX)
}

/// Refuses the one code that no company has.
pub(super) fn check_company_code(code: &str) -> Result<(), ConnectorError> {
    if !code.trim().eq_ignore_ascii_case("unknown") {
        return Ok(());
    }
    let message =
        "We do not know a company with the code unknown. Ask your employer for the code, then try again.";
    Err(ConnectorError::ConfigRejected { message: message.to_owned() })
}

fn failure(status: &str) -> Outcome {
    match status.parse() {
        // The sign-in works; reading finds nothing, because nobody is behind this login.
        Ok(TaskStatus::NoData) => Outcome::Ready,
        Ok(status) => Outcome::Refused(refusal(status, None)),
        Err(_) => Outcome::Refused(ConnectorError::LoginRejected),
    }
}

/// The refusal that ends a task with a status. What is no final error is a wrong password.
pub(super) fn refusal(status: TaskStatus, message: Option<&str>) -> ConnectorError {
    const SETTING: &str = "Your employer has turned off access for outside services. Ask your payroll administrator \
                           to allow it under Settings, then try again.";
    match status {
        TaskStatus::MfaError => ConnectorError::MfaRejected,
        TaskStatus::ConfigError => {
            ConnectorError::ConfigRejected { message: message.unwrap_or(SETTING).to_owned() }
        }
        TaskStatus::AccountLocked => ConnectorError::AccountLocked,
        TaskStatus::NoData => ConnectorError::NoData,
        TaskStatus::Unavailable => ConnectorError::ProviderDown { retry_after: None },
        TaskStatus::Error => ConnectorError::Unexpected { step: "sign-in" },
        TaskStatus::UnableToReset => ConnectorError::UnableToReset,
        TaskStatus::NotSupported => ConnectorError::Unsupported,
        _ => ConnectorError::LoginRejected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_login_that_is_shown_leads_somewhere() {
        for (username, password, what) in LOGINS {
            let leads = outcome(username, password);
            let is_wrong = leads == Outcome::Refused(ConnectorError::LoginRejected);
            assert!(!is_wrong, "{username} {password}: {what}");
        }
    }

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
            ("goodlogin", "newpassword"),
            ("goodlogin.expiring", "mfa"),
            ("goodlogin.slowbank", "mfa.push"),
            ("goodlogin", "mfa.carrier-pigeon"),
            ("error.user", "goodpassword"),
            ("error.user", "parse"),
            ("nobody", "goodpassword"),
            ("", ""),
        ] {
            assert_eq!(outcome(username, password), refused, "{username}");
        }
    }
}
