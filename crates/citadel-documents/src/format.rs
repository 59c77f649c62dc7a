//! How figures, dates and numbers are written on paper.

use citadel_domain::{
    Money, Secret,
    payroll::{Address, JobType, PayFrequency, Person},
};
use jiff::civil::Date;
use rust_decimal::Decimal;

/// `1,935.77`, and `-12.00` for less than nothing.
pub(crate) fn money(amount: Money) -> String {
    let text = amount.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let (dollars, cents) = digits.split_once('.').unwrap_or((digits, "00"));
    let mut grouped = String::new();
    for (index, digit) in dollars.chars().enumerate() {
        if index > 0 && (dollars.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}.{cents}")
}

/// A sum that may be missing.
pub(crate) fn maybe_money(amount: Option<Money>) -> String {
    amount.map(money).unwrap_or_default()
}

/// Hours and rates: at least two decimals, more where there are more.
pub(crate) fn number(value: Option<Decimal>) -> String {
    let Some(value) = value else { return String::new() };
    let mut value = value.normalize();
    if value.scale() < 2 {
        value.rescale(2);
    }
    value.to_string()
}

/// `Nov 20, 2026`.
pub(crate) fn date(day: Date) -> String {
    day.strftime("%b %-d, %Y").to_string()
}

/// From a first to a last day.
pub(crate) fn period(start: Date, end: Date) -> String {
    format!("{} – {}", date(start), date(end))
}

/// The sum, if every part of it is known and it is an amount at all.
pub(crate) fn sum(parts: impl IntoIterator<Item = Option<Money>>) -> Option<Money> {
    parts.into_iter().try_fold(0_i64, |sum, part| sum.checked_add(part?.cents())).map(Money::from_cents)
}

/// The text, or what to say in place of an empty one.
pub(crate) fn or(text: &str, otherwise: &str) -> String {
    if text.trim().is_empty() { otherwise.to_owned() } else { text.to_owned() }
}

/// `XXX-XX-9991`: the last four, as on paper that is filed.
pub(crate) fn masked_ssn(ssn: &Secret) -> String {
    format!("XXX-XX-{}", ssn.last4())
}

/// The parts of a name that are known.
pub(crate) fn full_name(person: &Person) -> String {
    let parts = [Some(&person.first_name), person.middle_initials.as_ref(), Some(&person.last_name)];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" ")
}

/// Street, then city, state and postal code.
pub(crate) fn address(address: &Address) -> [String; 2] {
    [address.street.clone(), format!("{}, {} {}", address.city, address.state, address.zip)]
}

/// How often pay comes.
pub(crate) const fn frequency(frequency: PayFrequency) -> &'static str {
    match frequency {
        PayFrequency::Weekly => "Weekly",
        PayFrequency::BiWeekly => "Every two weeks",
        PayFrequency::SemiMonthly => "Twice a month",
        PayFrequency::Monthly => "Monthly",
    }
}

/// Full-time, part-time and the rest.
pub(crate) const fn job_type(job_type: JobType) -> &'static str {
    match job_type {
        JobType::FullTime => "Full-time",
        JobType::PartTime => "Part-time",
        JobType::Seasonal => "Seasonal",
        JobType::PerDiem => "Per diem",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (cents, text) in [
            (0, "0.00"),
            (99_999, "999.99"),
            (100_000, "1,000.00"),
            (123_456_789, "1,234,567.89"),
            (-150_000, "-1,500.00"),
        ] {
            assert_eq!(money(Money::from_cents(cents)), text);
        }
    }

    #[test]
    fn rates_keep_their_half_cents() {
        assert_eq!(number(Some(Decimal::new(26_025, 3))), "26.025");
        assert_eq!(number(Some(Decimal::new(40_500, 3))), "40.50");
        assert_eq!(number(Some(Decimal::from(80))), "80.00");
        assert_eq!(number(None), "");
    }

    #[test]
    fn a_short_ssn_shows_no_more_than_it_has() {
        assert_eq!(masked_ssn(&Secret::new("991919991")), "XXX-XX-9991");
    }
}
