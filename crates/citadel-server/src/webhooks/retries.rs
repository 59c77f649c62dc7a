//! The waits between attempts (P29).

use citadel_domain::Random;
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};

/// After the first failure, the second, …: ten attempts in all, over three days.
const WAITS: [SignedDuration; 9] = [
    SignedDuration::from_secs(5),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(5),
    SignedDuration::from_hours(10),
    SignedDuration::from_hours(14),
    SignedDuration::from_hours(20),
    SignedDuration::from_hours(24),
];

/// An endpoint that did nothing but fail for so long is switched off.
pub(crate) const DISABLED_AFTER: SignedDuration = SignedDuration::from_hours(5 * 24);

/// When to try again after `failures` attempts; `None` when that was the last one.
///
/// Each wait is up to a fifth shorter or longer by chance, so that what failed together does not come back together. A
/// receiver that asks for more time gets up to twice the wait.
pub(crate) fn next_attempt(
    failures: i64,
    retry_after: Option<&str>,
    now: Timestamp,
    random: &dyn Random,
) -> Option<Timestamp> {
    let index = usize::try_from(failures).ok()?.checked_sub(1)?;
    let wait = *WAITS.get(index)?;
    let planned = jittered(wait, random);
    let asked = retry_after.and_then(|text| asked_for(text, now)).unwrap_or(planned);
    Some(now + asked.clamp(planned, wait * 2))
}

/// 80 to 120 % of a wait.
fn jittered(wait: SignedDuration, random: &dyn Random) -> SignedDuration {
    let mut bytes = [0; 4];
    random.fill(&mut bytes);
    let share = f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX);
    wait.mul_f64(0.8 + 0.4 * share)
}

/// `Retry-After`: seconds, or a date.
fn asked_for(text: &str, now: Timestamp) -> Option<SignedDuration> {
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit ask for more than anybody gets.
        return Some(SignedDuration::from_secs(text.parse().unwrap_or(i64::from(i32::MAX))));
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(date.duration_since(now))
}

#[cfg(test)]
mod tests {
    use citadel_domain::SeededRandom;

    use super::*;

    #[test]
    fn p29_waits_stay_within_a_fifth_of_the_table() {
        let (now, random) = (Timestamp::UNIX_EPOCH, SeededRandom::new(1));
        for (index, wait) in WAITS.iter().enumerate() {
            let failures = i64::try_from(index).unwrap() + 1;
            for _ in 0..1000 {
                let share = (next_attempt(failures, None, now, &random).unwrap() - now).as_secs_f64()
                    / wait.as_secs_f64();
                assert!((0.8..=1.2).contains(&share), "{index}: {share}");
            }
        }
        assert_eq!(next_attempt(10, None, now, &random), None);
        assert_eq!(next_attempt(0, None, now, &random), None);
    }

    #[test]
    fn p29_absurd_wishes_never_exceed_twice_the_wait() {
        let now: Timestamp = "2026-11-18T15:00:00Z".parse().unwrap();
        let random = SeededRandom::new(1);
        for wish in [
            "99999999999999999999999999",
            "9223372036854775807",
            "-5",
            "1e9",
            "Fri, 31 Dec 9999 23:59:59 GMT",
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "tomorrow",
            "",
            "0x7fffffff",
            "3600, 7200",
        ] {
            for failures in 1..=9 {
                let wait = WAITS[usize::try_from(failures).unwrap() - 1];
                let waited = next_attempt(failures, Some(wish), now, &random).unwrap().duration_since(now);
                assert!(waited <= wait * 2 && waited >= wait.mul_f64(0.8), "{wish}: {waited:?}");
            }
        }
        let asked = next_attempt(2, Some("400"), now, &random).unwrap().duration_since(now);
        assert_eq!(asked, SignedDuration::from_secs(400));
        let date = next_attempt(2, Some("Wed, 18 Nov 2026 15:08:00 GMT"), now, &random).unwrap();
        assert_eq!(date.duration_since(now), SignedDuration::from_mins(8));
    }
}
