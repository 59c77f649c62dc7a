//! Plain words for what the server calls otherwise.

use citadel_domain::Product;
use jiff::Timestamp;

/// What a sign-in was for, as it stood on its screen.
pub(super) const fn purpose(product: Product) -> &'static str {
    match product {
        Product::Employment => "verify your employment",
        Product::Income => "verify your income",
        Product::Admin => "connect your company’s payroll",
        Product::DepositSwitch => "change your direct deposit",
        Product::Pll => "set up your repayment",
        Product::Fas => "change your payroll funding account",
    }
}

/// A field, by its name in the audit trail.
pub(super) fn field(name: &str) -> &str {
    match name {
        "profile" => "name and contact details",
        "ssn" => "Social Security number",
        "date_of_birth" => "date of birth",
        "job" => "job",
        "pay" => "pay",
        "statements" => "pay statements",
        "bank_accounts" => "bank accounts that pay goes to",
        "tax_documents" => "tax documents",
        other => other,
    }
}

/// Words in a row: "a, b and c".
pub(super) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<_> = words.into_iter().collect();
    match words.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// `18 November 2026`
pub(super) fn day(at: Timestamp) -> String {
    at.strftime("%-d %B %Y").to_string()
}

/// `18 November 2026, 15:00 UTC`
pub(super) fn minute(at: Timestamp) -> String {
    at.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P20: the page says what the screen said.
    #[test]
    fn p20_purposes_are_those_of_the_screen() {
        let texts = include_str!("../../../assets/bridge/texts.js");
        for product in Product::ALL {
            let line = format!("purpose: '{}',", purpose(product));
            assert!(texts.contains(&line), "{line}");
        }
    }

    #[test]
    fn words_stand_in_a_row() {
        let check = |words: &[&str], expected| assert_eq!(listed(words.iter().copied()), expected);
        check(&[], "");
        check(&["job"], "job");
        check(&["job", "pay"], "job and pay");
        check(&["job", "pay", "name"], "job, pay and name");
    }
}
