//! What is withheld from a cheque.
//!
//! Social Security and Medicare follow the law, worked out on the year's wages so far: withheld to date is the
//! rounded product, and a cheque pays the difference, so that cents never drift. Income taxes are invented: the
//! shape of the percentage method (annualise, one deduction, rising brackets, divide) with round figures.

use citadel_domain::{Money, payroll::social_security_wage_base};

/// Figures are known up to this year; later years use its wage base until the domain learns theirs.
const LAST_KNOWN_BASE: i16 = 2026;
/// Earlier years use this one's.
const FIRST_KNOWN_BASE: i16 = 2015;

/// Medicare takes 0.9 % more of a year's wages above 200,000 dollars.
const ADDITIONAL_MEDICARE_FROM: i64 = 20_000_000;

/// Federal income tax: cents of a year's income not taxed.
const FEDERAL_DEDUCTION: i64 = 1_500_000;
/// Federal income tax: (taxable income up to, percent), in cents.
const FEDERAL_BRACKETS: [(i64, i64); 6] =
    [(1_200_000, 10), (4_800_000, 12), (10_300_000, 22), (19_700_000, 24), (25_000_000, 32), (i64::MAX, 35)];
/// Federal income tax on a bonus or commission, percent.
const FEDERAL_SUPPLEMENTAL: i64 = 22;
/// State income tax: cents of a year's income not taxed.
const STATE_DEDUCTION: i64 = 500_000;

/// The most wages that Social Security tax is taken from in `year`.
pub(super) fn wage_base(year: i16) -> Money {
    let known = year.clamp(FIRST_KNOWN_BASE, LAST_KNOWN_BASE);
    social_security_wage_base(known).expect("the domain knows every year in this range")
}

/// Social Security tax on a year's wages, which are already cut at the wage base.
pub(super) const fn social_security(wages: i64) -> i64 {
    divide(wages * 62, 1_000)
}

/// Medicare tax on a year's wages.
pub(super) const fn medicare(wages: i64) -> i64 {
    let above = if wages > ADDITIONAL_MEDICARE_FROM { wages - ADDITIONAL_MEDICARE_FROM } else { 0 };
    divide(wages * 145 + above * 90, 10_000)
}

/// Federal income tax on one cheque: `regular` wages at `periods` a year, `supplemental` pay at a flat rate.
pub(super) fn federal(regular: i64, supplemental: i64, periods: i64) -> i64 {
    let taxable = (regular * periods - FEDERAL_DEDUCTION).max(0);
    let mut from = 0;
    let mut yearly = 0;
    for (to, percent) in FEDERAL_BRACKETS {
        yearly += (taxable.min(to) - from).max(0) * percent;
        from = to;
    }
    divide(yearly, 100 * periods) + divide(supplemental * FEDERAL_SUPPLEMENTAL, 100)
}

/// State income tax on one cheque at a flat rate in basis points.
pub(super) const fn state(wages: i64, periods: i64, basis_points: i64) -> i64 {
    let free = STATE_DEDUCTION / periods;
    let taxable = if wages > free { wages - free } else { 0 };
    divide(taxable * basis_points, 10_000)
}

/// Division of a positive number, halves up.
pub(super) const fn divide(amount: i64, by: i64) -> i64 {
    (amount + by / 2) / by
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_years_use_the_last_known_wage_base() {
        assert_eq!(wage_base(2025), Money::from_cents(17_610_000));
        assert_eq!(wage_base(2026), wage_base(2040));
        assert_eq!(wage_base(2015), wage_base(2001));
        assert!(
            social_security_wage_base(LAST_KNOWN_BASE + 1).is_none(),
            "the domain knows more: raise LAST_KNOWN_BASE"
        );
    }

    #[test]
    fn fica_rates() {
        assert_eq!(social_security(10_000_000), 620_000);
        assert_eq!(medicare(10_000_000), 145_000);
        assert_eq!(medicare(25_000_000), 362_500 + 45_000);
    }

    #[test]
    fn income_tax_rises_with_income() {
        // 60,000 a year: 12,000 at 10 % and 33,000 at 12 % make 5,160.
        assert_eq!(federal(500_000, 0, 12), 43_000);
        assert_eq!(federal(100_000, 0, 12), 0);
        assert_eq!(federal(500_000, 100_000, 12), 65_000);
        assert_eq!(state(500_000, 12, 500), 22_917);
        assert_eq!(state(500_000, 12, 0), 0);
    }
}
