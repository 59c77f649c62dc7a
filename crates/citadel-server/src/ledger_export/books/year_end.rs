//! What a W-2 says of its year, beside what was entered.

use citadel_domain::{
    Money,
    payroll::{DeductionKind, W2, social_security_wage_base},
};
use jiff::civil::Date;

use super::{Books, FIRST_YEAR, Kind, tax};

impl Books<'_> {
    /// Puts a W-2 beside what was entered for its year.
    pub(super) fn year_end(&mut self, w2: &W2) {
        let Some(day) = last_day(w2) else { return };
        let accounts = self.accounts(w2.year);
        let credit = |amount: Option<Money>| amount.map(|amount| Money::ZERO - amount);
        let tax = |kind: DeductionKind| format!("{}:{}", accounts.taxes, tax(kind));
        let boxes = [
            (1, accounts.wages.clone(), credit(w2.wages)),
            (2, tax(DeductionKind::Federal), w2.federal_tax),
            (3, accounts.fica.clone(), credit(w2.social_security_wages)),
            (4, tax(DeductionKind::SocialSecurity), w2.social_security_tax),
            (5, accounts.fica.clone(), credit(w2.medicare_wages)),
            (6, tax(DeductionKind::Medicare), w2.medicare_tax),
        ];
        let (mut claims, mut remarks) = (Vec::new(), Vec::new());
        let base = credit(social_security_wage_base(w2.year));
        for (number, account, figure) in boxes {
            let Some(figure) = figure else {
                remarks.push(format!("Box {number} is not given."));
                continue;
            };
            let held = self.holds(&account);
            if held == figure {
                remarks.push(format!("Box {number} is {account}."));
                // Boxes 3 and 5 can be one figure.
                if !claims.contains(&(account.clone(), figure)) {
                    claims.push((account, figure));
                }
            } else if number == 3 && held < figure && base.is_none_or(|base| base == figure) {
                // Of a year whose wage base is not known there is nothing to hold the figure against.
                remarks.push("Box 3 is the most that Social Security is taken from.".to_owned());
            } else {
                let (figure, held) = (positive(figure), positive(held));
                remarks.push(format!(
                    "Unbalanced: box {number} is {figure}, and the statements come to {held}."
                ));
            }
        }
        let kind = if claims.is_empty() { Kind::Note } else { Kind::Holds(claims) };
        self.enter(day, format!("W-2 of {}", w2.year), Vec::new(), remarks, kind);
    }
}

/// The day on which a W-2 is entered.
pub(super) fn last_day(w2: &W2) -> Option<Date> {
    Date::new(w2.year, 12, 31).ok().filter(|day| day.year() >= FIRST_YEAR)
}

fn positive(amount: Money) -> Money {
    amount.max(Money::ZERO - amount)
}
