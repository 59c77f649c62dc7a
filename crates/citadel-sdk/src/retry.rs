//! When a call may be repeated, and after how long.
//!
//! Waits double and have no jitter: with at most three repeats of one caller there is no crowd to spread, and a
//! `Retry-After` from the server decides when there is one.

use std::time::Duration;

use citadel_api_types::error::ErrorCode;

use crate::{Error, ErrorKind};

/// A server that asks for a longer wait gets its answer passed on instead: the caller knows better what to do.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// May the call be sent again when nobody knows whether the server acted on it?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It reads, or leaves nothing behind that matters.
    Always,
    /// It creates or spends something, and goes out under an idempotency key: the server acts once, and answers the second call as
    /// the first.
    UnderKey,
    /// Done twice, it would say that there is nothing to do: only when the server surely did not act.
    OnlyIfUnseen,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    pub(crate) max_retries: u32,
    pub(crate) first_wait: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { max_retries: 3, first_wait: Duration::from_millis(250) }
    }
}

impl Backoff {
    /// How long to wait before sending the call again; `None` when it should not be sent again.
    pub(crate) fn wait_before_repeat(&self, error: &Error, attempt: u32, repeat: Repeat) -> Option<Duration> {
        let may_repeat = match error.kind() {
            // The server refused before it looked at the call, or never got it.
            ErrorKind::Throttled | ErrorKind::Connect => true,
            ErrorKind::Server | ErrorKind::Interrupted => repeat != Repeat::OnlyIfUnseen,
            // The call before this one was not heard to its end, and still runs there.
            _ if error.code() == Some(&ErrorCode::IdempotencyKeyInUse) => repeat == Repeat::UnderKey,
            _ => false,
        };
        if !may_repeat || attempt >= self.max_retries {
            return None;
        }
        let usual = self.first_wait.saturating_mul(2_u32.saturating_pow(attempt)).min(LONGEST_WAIT);
        match error.retry_after() {
            Some(asked) if asked > LONGEST_WAIT => None,
            Some(asked) => Some(asked),
            None => Some(usual),
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::{
        StatusCode,
        header::{HeaderMap, HeaderValue},
    };

    use super::*;

    fn answer(status: u16, retry_after: Option<&'static str>) -> Error {
        let mut headers = HeaderMap::new();
        if let Some(text) = retry_after {
            headers.insert("retry-after", HeaderValue::from_static(text));
        }
        Error::from_answer(StatusCode::from_u16(status).expect("a status"), &headers, b"")
    }

    fn check(error: &Error, attempt: u32, repeat: Repeat, expected: Option<u64>) {
        let wait = Backoff::default().wait_before_repeat(error, attempt, repeat);
        assert_eq!(wait, expected.map(Duration::from_millis), "{error:?}");
    }

    #[test]
    fn waits_double_and_end_after_three() {
        let error = answer(503, None);
        for (attempt, wait) in [(0, Some(250)), (1, Some(500)), (2, Some(1000)), (3, None)] {
            check(&error, attempt, Repeat::Always, wait);
        }
    }

    #[test]
    fn the_server_decides_the_wait() {
        check(&answer(429, Some("2")), 0, Repeat::Always, Some(2000));
        check(&answer(503, Some("0")), 2, Repeat::Always, Some(0));
        check(&answer(429, Some("61")), 0, Repeat::Always, None);
        check(&answer(429, Some("Wed, 21 Oct 2026 07:28:00 GMT")), 0, Repeat::Always, Some(250));
    }

    #[test]
    fn what_spends_is_repeated_only_if_unseen() {
        let connect = Error::new(ErrorKind::Connect, "");
        let interrupted = Error::new(ErrorKind::Interrupted, "");
        check(&connect, 0, Repeat::OnlyIfUnseen, Some(250));
        check(&answer(429, None), 0, Repeat::OnlyIfUnseen, Some(250));
        check(&interrupted, 0, Repeat::OnlyIfUnseen, None);
        check(&answer(502, Some("1")), 0, Repeat::OnlyIfUnseen, None);
        check(&interrupted, 0, Repeat::Always, Some(250));
        check(&interrupted, 0, Repeat::UnderKey, Some(250));
        check(&answer(502, Some("1")), 0, Repeat::UnderKey, Some(1000));
    }

    #[test]
    fn what_still_runs_is_waited_for() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static("1"));
        let body = br#"{"error": {"code": "idempotency_key_in_use", "message": "still running"}}"#;
        let error = Error::from_answer(StatusCode::CONFLICT, &headers, body);
        check(&error, 0, Repeat::UnderKey, Some(1000));
        check(&error, 0, Repeat::Always, None);
    }

    #[test]
    fn a_refusal_is_final() {
        for status in [301, 400, 401, 403, 404, 409, 410, 415] {
            for repeat in [Repeat::Always, Repeat::UnderKey, Repeat::OnlyIfUnseen] {
                check(&answer(status, Some("1")), 0, repeat, None);
            }
        }
    }
}
