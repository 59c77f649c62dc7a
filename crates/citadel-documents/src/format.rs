//! How figures, dates and numbers are written on paper.

use citadel_domain::{
    Money, Product, Secret,
    account::{AccountType, DepositType},
    payroll::{Address, JobType, PayFrequency, PayUnit, Person},
};
use jiff::{Timestamp, civil::Date, tz::Offset};
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

/// `Nov 20, 2026, 14:05 UTC`.
pub(crate) fn instant(instant: Timestamp) -> String {
    Offset::UTC.to_datetime(instant).strftime("%b %-d, %Y, %H:%M UTC").to_string()
}

/// The day of an instant, in UTC.
pub(crate) fn day(instant: Timestamp) -> Date {
    Offset::UTC.to_datetime(instant).date()
}

/// A month as a number, in which the next month is one more.
pub(crate) fn month_of(day: Date) -> i32 {
    i32::from(day.year()) * 12 + i32::from(day.month()) - 1
}

/// `March 2025`.
pub(crate) fn month(month: i32) -> String {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let index = usize::try_from(month.rem_euclid(12)).unwrap_or_default();
    format!("{} {}", NAMES[index], month.div_euclid(12))
}

/// `March 2025`, or `March 2025 to May 2025`.
pub(crate) fn months(first: i32, last: i32) -> String {
    if first == last { month(first) } else { format!("{} to {}", month(first), month(last)) }
}

/// `1 day`, `2 days`.
pub(crate) fn count(count: i64, unit: &str) -> String {
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
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

/// A birth date, unless the reader is not told it.
pub(crate) fn birth_date(birth_date: Date, is_masked: bool) -> String {
    if is_masked { "Not shown".to_owned() } else { date(birth_date) }
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

/// What a rate of pay is for.
pub(crate) const fn per(unit: PayUnit) -> &'static str {
    match unit {
        PayUnit::Yearly => "a year",
        PayUnit::Monthly => "a month",
        PayUnit::Weekly => "a week",
        PayUnit::Daily => "a day",
        PayUnit::Hourly => "an hour",
    }
}

/// Checking or savings.
pub(crate) const fn account_type(kind: AccountType) -> &'static str {
    match kind {
        AccountType::Checking => "Checking",
        AccountType::Savings => "Savings",
    }
}

/// `Ending in 6789`. A number so short that its end is all of it is not shown.
pub(crate) fn account_end(number: &Secret) -> String {
    let is_long = number.expose().chars().count() > 4;
    if is_long { format!("Ending in {}", number.last4()) } else { "Not shown".to_owned() }
}

/// How much of the pay goes to an account.
pub(crate) fn share(kind: Option<DepositType>, value: Option<Decimal>) -> String {
    match (kind, value) {
        (Some(DepositType::Entire), _) => "All, or what is left".to_owned(),
        (Some(DepositType::Percent), Some(value)) => format!("{} %", value.normalize()),
        (Some(DepositType::Amount), Some(value)) => match Money::from_decimal(value) {
            Some(amount) => format!("${} of each pay", money(amount)),
            None => "An amount".to_owned(),
        },
        (Some(DepositType::Percent), None) => "A percentage".to_owned(),
        (Some(DepositType::Amount), None) => "An amount".to_owned(),
        (None, _) => "Not given".to_owned(),
    }
}

/// What a person agrees to share or to have changed.
pub(crate) const fn product(product: Product) -> &'static str {
    match product {
        Product::Employment => "Employment",
        Product::Income => "Income",
        Product::Admin => "A company's directory and payroll",
        Product::DepositSwitch => "A change of the account that pay goes to",
        Product::Pll => "Payments to a lender out of each pay",
        Product::Fas => "A change of the account that a company pays from",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_months_are_told_in_words() {
        let instant: Timestamp = "2026-11-23T23:59:59.9Z".parse().unwrap();
        assert_eq!(self::instant(instant), "Nov 23, 2026, 23:59 UTC");
        assert_eq!(
            months(month_of(day(instant)), month_of(day(instant)) + 2),
            "November 2026 to January 2027"
        );
        assert_eq!(count(1, "day"), "1 day");
    }

    #[test]
    fn an_account_number_is_never_shown_whole() {
        for (number, shown) in [
            ("123456789", "Ending in 6789"),
            ("12345", "Ending in 2345"),
            ("1234", "Not shown"),
            ("", "Not shown"),
        ] {
            assert_eq!(account_end(&Secret::new(number)), shown);
        }
    }

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
