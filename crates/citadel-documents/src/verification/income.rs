//! What a job paid in a year and in a month, reckoned from its statements. Nothing is guessed: where a statement lacks an
//! amount, the sum says that it is not whole.

use std::{cmp::Reverse, collections::BTreeMap};

use citadel_domain::{
    Money,
    payroll::{EarningKind, Employment, Statement},
};
use jiff::civil::Date;

use crate::format;

/// How many months are told one by one.
const MONTHS: i32 = 24;

/// A calendar year's pay.
pub(super) struct Year {
    pub(super) year: i16,
    /// The last pay day of the year.
    pub(super) last: Date,
    pub(super) statements: usize,
    pub(super) gross: Option<Money>,
    pub(super) net: Option<Money>,
    /// Regular, overtime, bonus, commission and other pay.
    pub(super) kinds: [Option<Money>; 5],
    /// Gross pay is the sum of the statements, because the provider gave no year to date.
    pub(super) is_added_up: bool,
}

impl Year {
    /// `2026, to Nov 20`: a year is told up to its last pay day.
    pub(super) fn name(&self) -> String {
        format!("{}, to {}", self.year, self.last.strftime("%b %-d"))
    }
}

const KINDS: [EarningKind; 5] = [
    EarningKind::Regular,
    EarningKind::Overtime,
    EarningKind::Bonus,
    EarningKind::Commission,
    EarningKind::Other,
];

/// Newest first. A year's figures are those of the year to date on its newest statement, which knows the year even where
/// older statements are out of reach; where there are none, the statements are added up.
pub(super) fn years(job: &Employment) -> Vec<Year> {
    let mut by_year: BTreeMap<i16, Vec<(Date, &Statement)>> = BTreeMap::new();
    for statement in &job.statements {
        // Without a pay day nobody can say of which year it is.
        let Some(day) = statement.pay_date else { continue };
        by_year.entry(day.year()).or_default().push((day, statement));
    }
    let year = |(year, mut list): (i16, Vec<(Date, &Statement)>)| {
        list.sort_by_key(|(day, _)| Reverse(*day));
        let (last, newest) = *list.first()?;
        let statements: Vec<&Statement> = list.into_iter().map(|(_, statement)| statement).collect();
        let added =
            |amount: fn(&Statement) -> Option<Money>| format::sum(statements.iter().map(|each| amount(each)));
        Some(Year {
            year,
            last,
            statements: statements.len(),
            gross: newest.gross_ytd.or_else(|| added(|each| each.gross)),
            net: newest.net_ytd.or_else(|| added(|each| each.net)),
            kinds: KINDS.map(|kind| of_kind(&statements, kind)),
            is_added_up: newest.gross_ytd.is_none(),
        })
    };
    by_year.into_iter().rev().filter_map(year).collect()
}

/// The greatest year to date of a kind of earning that any statement shows, or else what the statements add up to.
fn of_kind(statements: &[&Statement], kind: EarningKind) -> Option<Money> {
    let lines = |statement: &Statement| {
        statement.earnings.iter().filter(|line| line.kind == kind).cloned().collect::<Vec<_>>()
    };
    let with_lines: Vec<_> =
        statements.iter().map(|each| lines(each)).filter(|lines| !lines.is_empty()).collect();
    let to_date = with_lines.iter().filter_map(|lines| format::sum(lines.iter().map(|line| line.ytd)));
    let added_up = || format::sum(with_lines.iter().flatten().map(|line| line.amount));
    to_date.max().or_else(|| added_up().filter(|_| !with_lines.is_empty()))
}

/// A sum of which some parts may not be known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Partial {
    /// What is known of it.
    pub(super) sum: Option<Money>,
    /// A part is not known.
    pub(super) is_partial: bool,
}

impl Partial {
    fn of(parts: impl Iterator<Item = Option<Money>>) -> Self {
        let parts: Vec<_> = parts.collect();
        let known: Vec<_> = parts.iter().copied().filter(Option::is_some).collect();
        let sum = format::sum(known.iter().copied()).filter(|_| !known.is_empty());
        Self { sum, is_partial: known.len() < parts.len() }
    }

    /// The amount, with a star where it is not whole.
    pub(super) fn text(self) -> String {
        match (self.sum, self.is_partial) {
            (None, false) => "–".to_owned(),
            (None, true) => "not given".to_owned(),
            (Some(sum), false) => format::money(sum),
            (Some(sum), true) => format!("{} *", format::money(sum)),
        }
    }
}

/// A calendar month's pay.
pub(super) struct Month {
    pub(super) month: i32,
    pub(super) statements: usize,
    pub(super) gross: Partial,
    pub(super) net: Partial,
}

/// The month of the newest pay day and those before it, newest first, back to the oldest pay day and at most two years. Months
/// between them without a pay day are there, too.
pub(super) fn months(job: &Employment) -> Vec<Month> {
    let paid: Vec<i32> = paid_months(job);
    let (Some(oldest), Some(newest)) = (paid.iter().min(), paid.iter().max()) else { return Vec::new() };
    let month = |month: i32| {
        let of_month =
            || job.statements.iter().filter(|each| each.pay_date.map(format::month_of) == Some(month));
        Month {
            month,
            statements: of_month().count(),
            gross: Partial::of(of_month().map(|each| each.gross)),
            net: Partial::of(of_month().map(|each| each.net)),
        }
    };
    ((newest - MONTHS + 1).max(*oldest)..=*newest).rev().map(month).collect()
}

/// The month of every pay day that is known.
pub(super) fn paid_months(job: &Employment) -> Vec<i32> {
    job.statements.iter().filter_map(|each| each.pay_date).map(format::month_of).collect()
}

/// Newest first by what days they tell, and those without any last, as they were listed.
pub(super) fn statements(job: &Employment) -> Vec<&Statement> {
    let mut statements: Vec<&Statement> = job.statements.iter().collect();
    statements.sort_by_key(|each| Reverse(each.pay_date.or(each.period_end).or(each.period_start)));
    statements
}
