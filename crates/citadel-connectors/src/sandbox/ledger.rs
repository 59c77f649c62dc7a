//! Cheque after cheque: turns the terms of a job into statements and W-2s.
//!
//! A ledger is written from 1 January of its first year, because year-to-date figures, the Social Security wage base
//! and the W-2 need the whole year, whatever part of it is shown. Within a year a cheque depends only on those before
//! it, so a later day adds statements and changes none.

use citadel_domain::{
    Money,
    payroll::{DeductionKind, DeductionLine, EarningKind, EarningLine, PayUnit, Statement, W2},
};
use jiff::{ToSpan, civil::Date, civil::date};
use rust_decimal::Decimal;

use super::{
    calendar::{Period, monday_of, weekdays},
    plan::{Extra, ExtraKind, JobPlan, Share, Wage},
    tax::{self, divide},
};

/// The lowest yearly limit on 401(k) payments of the years we know wage bases for, so that nobody is ever above it.
const RETIREMENT_LIMIT: i64 = 1_800_000;
/// Nobody works more than this at the plain rate: 40 hours a week.
const STRAIGHT_QUARTERS: i64 = 160;

/// What has been paid to a person in one job.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Oldest first.
    pub(super) statements: Vec<Statement>,
    /// Oldest first; finished years only.
    pub(super) w2s: Vec<W2>,
}

/// Writes every cheque with a pay day from 1 January of `first_year` to `today`.
pub(super) fn write(job: &JobPlan, first_year: i16, today: Date) -> Ledger {
    let mut ledger = Ledger::default();
    let mut year = Year::new(first_year);
    let last_day = job.end.unwrap_or(Date::MAX);
    let from = date(first_year, 1, 1).max(job.start.saturating_sub(1.month()));
    let due = job
        .calendar
        .paid_from(from)
        .take_while(|period| period.pay_date <= today && period.start <= last_day)
        // A month-end cheque can come just before a first day in the same month; it is not written.
        .filter(|period| period.pay_date >= job.start);
    for period in due {
        let worked = weekdays(period.start.max(job.start), period.end.min(last_day));
        if worked == 0 {
            continue;
        }
        if period.pay_date.year() != year.year {
            ledger.w2s.extend(year.w2(job));
            year = Year::new(period.pay_date.year());
        }
        ledger.statements.push(year.pay(job, period, worked));
    }
    if year.year < today.year() {
        ledger.w2s.extend(year.w2(job));
    }
    ledger
}

/// The lines of a statement.
#[derive(Clone, Copy)]
enum Line {
    Regular,
    Overtime,
    Bonus,
    Commission,
    Federal,
    SocialSecurity,
    Medicare,
    State,
    Health,
    Retirement,
    Life,
}

const LINES: usize = Line::Life as usize + 1;

const EARNINGS: [(Line, EarningKind, &str); 4] = [
    (Line::Regular, EarningKind::Regular, "Regular"),
    (Line::Overtime, EarningKind::Overtime, "Overtime"),
    (Line::Bonus, EarningKind::Bonus, "Annual Bonus"),
    (Line::Commission, EarningKind::Commission, "Commission"),
];

const TAXES: [(Line, DeductionKind, &str); 4] = [
    (Line::Federal, DeductionKind::Federal, "Federal Income Tax"),
    (Line::SocialSecurity, DeductionKind::SocialSecurity, "Social Security"),
    (Line::Medicare, DeductionKind::Medicare, "Medicare"),
    (Line::State, DeductionKind::State, "State Income Tax"),
];

const DEDUCTIONS: [(Line, DeductionKind, &str, bool); 3] = [
    (Line::Health, DeductionKind::Health, "Medical Insurance", true),
    (Line::Retirement, DeductionKind::Retirement, "401(k)", true),
    (Line::Life, DeductionKind::Other, "Life Insurance", false),
];

/// The most extra lines of a job.
pub(super) const MAX_EXTRAS: usize = 12;

/// Amounts in cents by line, and by the job's extra lines.
#[derive(Clone, Copy, Default)]
struct Amounts {
    lines: [i64; LINES],
    extras: [i64; MAX_EXTRAS],
}

impl Amounts {
    const fn get(&self, line: Line) -> i64 {
        self.lines[line as usize]
    }

    const fn set(&mut self, line: Line, cents: i64) {
        self.lines[line as usize] = cents;
    }

    fn add(&mut self, more: &Self) {
        for (total, amount) in self.lines.iter_mut().zip(more.lines) {
            *total += amount;
        }
        for (total, amount) in self.extras.iter_mut().zip(more.extras) {
            *total += amount;
        }
    }

    /// The sum of extra lines of a kind.
    fn extra(&self, job: &JobPlan, is_meant: fn(ExtraKind) -> bool) -> i64 {
        let extras = job.extras.iter().zip(self.extras);
        extras.filter(|(extra, _)| is_meant(extra.kind)).map(|(_, cents)| cents).sum()
    }

    fn gross(&self, job: &JobPlan) -> i64 {
        let usual: i64 = EARNINGS.iter().map(|(line, ..)| self.get(*line)).sum();
        usual + self.extra(job, |kind| matches!(kind, ExtraKind::Earned(_)))
    }

    fn net(&self, job: &JobPlan) -> i64 {
        let taxes: i64 = TAXES.iter().map(|(line, ..)| self.get(*line)).sum();
        let deductions: i64 = DEDUCTIONS.iter().map(|(line, ..)| self.get(*line)).sum();
        let extra = self.extra(job, |kind| !matches!(kind, ExtraKind::Earned(_)));
        self.gross(job) - taxes - deductions - extra
    }

    /// What Social Security and Medicare are taken from, before the wage base.
    fn fica_wages(&self, job: &JobPlan) -> i64 {
        let is_health = |kind| matches!(kind, ExtraKind::Taken { kind: DeductionKind::Health, pretax: true });
        self.gross(job) - self.get(Line::Health) - self.extra(job, is_health)
    }

    /// What income tax is taken from.
    fn taxable_wages(&self, job: &JobPlan) -> i64 {
        let is_pretax =
            |kind| matches!(kind, ExtraKind::Taken { kind, pretax: true } if kind != DeductionKind::Health);
        self.fica_wages(job) - self.get(Line::Retirement) - self.extra(job, is_pretax)
    }
}

/// Quarter hours paid.
#[derive(Clone, Copy, Default)]
struct Quarters {
    straight: i64,
    over: i64,
}

/// A calendar year of pay days in one job.
struct Year {
    year: i16,
    paid: Amounts,
}

impl Year {
    fn new(year: i16) -> Self {
        Self { year, paid: Amounts::default() }
    }

    fn pay(&mut self, job: &JobPlan, period: Period, worked: i64) -> Statement {
        let full = worked == weekdays(period.start, period.end);
        let wage = job.wage_on(period.start.max(job.start));
        let quarters = quarters(job, wage, period);
        let mut now = Amounts::default();
        earn(&mut now, job, period, wage, quarters, worked);
        if full {
            self.deduct(&mut now, job, period);
        }
        take_extras(&mut now, job, period);
        self.withhold(&mut now, job);
        self.paid.add(&now);
        statement(job, period, wage, quarters, worked, &now, &self.paid)
    }

    /// Benefits are taken from cheques for full periods only; the 401(k) waits for 90 days.
    fn deduct(&self, now: &mut Amounts, job: &JobPlan, period: Period) {
        let Some(benefits) = job.benefits else { return };
        let years_on = i64::from(self.year.clamp(2010, 2040)) - 2020;
        let premium = benefits.health * (100 + 4 * years_on) / 100;
        now.set(Line::Health, divide(premium, job.calendar.periods_per_year()));
        now.set(Line::Life, benefits.life);
        if period.start >= job.start.saturating_add(90.days()) {
            let wish = divide(now.gross(job) * benefits.retirement, 10_000);
            let room = (RETIREMENT_LIMIT - self.paid.get(Line::Retirement)).max(0);
            now.set(Line::Retirement, wish.min(room));
        }
    }

    fn withhold(&self, now: &mut Amounts, job: &JobPlan) {
        let before = self.paid.fica_wages(job).max(0);
        let after = (before + now.fica_wages(job)).max(0);
        let base = tax::wage_base(self.year).cents();
        now.set(
            Line::SocialSecurity,
            tax::social_security(after.min(base)) - tax::social_security(before.min(base)),
        );
        now.set(Line::Medicare, tax::medicare(after) - tax::medicare(before));
        let periods = job.calendar.periods_per_year();
        let taxable = now.taxable_wages(job).max(0);
        let supplemental = (now.get(Line::Bonus) + now.get(Line::Commission)).min(taxable);
        now.set(Line::Federal, tax::federal(taxable - supplemental, supplemental, periods));
        now.set(Line::State, tax::state(taxable, periods, job.home.tax));
        for (extra, cents) in job.extras.iter().zip(&mut now.extras) {
            if let (ExtraKind::StateTax, Share::BasisPoints(share)) = (extra.kind, extra.share) {
                *cents = divide(taxable * share, 10_000);
            }
        }
    }

    /// `None` for a year without pay.
    fn w2(&self, job: &JobPlan) -> Option<W2> {
        let medicare_wages = self.paid.fica_wages(job);
        let base = tax::wage_base(self.year);
        let cents = |line| Some(Money::from_cents(self.paid.get(line)));
        (medicare_wages > 0).then(|| W2 {
            year: self.year,
            wages: Some(Money::from_cents(self.paid.taxable_wages(job))),
            federal_tax: cents(Line::Federal),
            social_security_wages: Some(Money::from_cents(medicare_wages).min(base)),
            social_security_tax: cents(Line::SocialSecurity),
            medicare_wages: Some(Money::from_cents(medicare_wages)),
            medicare_tax: cents(Line::Medicare),
        })
    }
}

fn earn(now: &mut Amounts, job: &JobPlan, period: Period, wage: Wage, quarters: Quarters, worked: i64) {
    match wage {
        Wage::Salary(rate) => {
            let cheque = divide(rate, job.calendar.periods_per_year());
            // Part of a period is paid by its share of weekdays.
            now.set(Line::Regular, divide(cheque * worked, weekdays(period.start, period.end)));
        }
        Wage::Hourly(rate, _) => {
            now.set(Line::Regular, divide(rate * quarters.straight, 4));
            // Time and a half.
            now.set(Line::Overtime, divide(rate * 3 * quarters.over, 8));
        }
    }
    let served = period.start >= job.start.saturating_add(180.days());
    if let Some(bonus) = job.bonus
        && served
        && job.calendar.is_first_in_month(period, bonus.month)
    {
        let share = divide(job.yearly_on(period.start) * bonus.share, 10_000);
        // Whole tens of dollars.
        now.set(Line::Bonus, divide(share, 1_000) * 1_000);
    }
    if job.has_commission && served {
        let sold = job.dice.between_at("sold", period.index.unsigned_abs(), 0, 60_000);
        now.set(Line::Commission, sold * 52 / job.calendar.periods_per_year());
    }
}

/// The job's own lines of what is earned and taken. Taxes are reckoned after them.
fn take_extras(now: &mut Amounts, job: &JobPlan, period: Period) {
    let regular = now.get(Line::Regular);
    let amount = |extra: &Extra, base: i64| match extra.share {
        _ if !extra.is_on(period.pay_date) => 0,
        Share::Cents(cents) => cents,
        Share::BasisPoints(share) => divide(base * share, 10_000),
    };
    for (index, extra) in job.extras.iter().enumerate() {
        if matches!(extra.kind, ExtraKind::Earned(_)) {
            now.extras[index] = amount(extra, regular);
        }
    }
    let gross = now.gross(job).max(0);
    for (index, extra) in job.extras.iter().enumerate() {
        if matches!(extra.kind, ExtraKind::Taken { .. }) {
            now.extras[index] = amount(extra, gross);
        }
    }
}

/// The hours of each week differ by chance, in quarters; a week cut short by the first or last day has its share.
fn quarters(job: &JobPlan, wage: Wage, period: Period) -> Quarters {
    let Wage::Hourly(_, usual) = wage else { return Quarters::default() };
    let first = period.start.max(job.start);
    let last = period.end.min(job.end.unwrap_or(Date::MAX));
    let swing: (i64, i64) = if usual == STRAIGHT_QUARTERS { (-8, 24) } else { (-12, 12) };
    let mut total = Quarters::default();
    for monday in monday_of(first).series(1.week()).take_while(|monday| *monday <= last) {
        let days = weekdays(first.max(monday), last.min(monday.saturating_add(6.days())));
        let week = monday.duration_since(date(2000, 1, 3)).as_hours().unsigned_abs();
        let worked = (usual + job.dice.between_at("hours", week, swing.0, swing.1)) * days / 5;
        let straight = worked.min(STRAIGHT_QUARTERS);
        total.straight += straight;
        total.over += worked - straight;
    }
    total
}

fn statement(
    job: &JobPlan,
    period: Period,
    wage: Wage,
    quarters: Quarters,
    worked: i64,
    now: &Amounts,
    paid: &Amounts,
) -> Statement {
    let hours = match wage {
        Wage::Salary(_) => Decimal::new(worked * 800, 2),
        Wage::Hourly(..) => Decimal::new((quarters.straight + quarters.over) * 25, 2),
    };
    let extras = job.extras.iter().zip(now.extras.into_iter().zip(paid.extras));
    let extras = || extras.clone().filter(|(_, (amount, ytd))| *amount != 0 || *ytd != 0);
    let earned = extras().filter_map(|(extra, (amount, ytd))| match extra.kind {
        ExtraKind::Earned(kind) => Some(EarningLine {
            kind,
            label: extra.label.clone(),
            amount: Some(Money::from_cents(amount)),
            ytd: Some(Money::from_cents(ytd)),
            rate: None,
            units: None,
        }),
        _ => None,
    });
    let line = |extra: &Extra, (amount, ytd), kind, pretax| DeductionLine {
        kind,
        label: extra.label.clone(),
        amount: Some(Money::from_cents(amount)),
        ytd: Some(Money::from_cents(ytd)),
        pretax,
    };
    let state_taxes = extras().filter_map(|(extra, figures)| match extra.kind {
        ExtraKind::StateTax => Some(line(extra, figures, DeductionKind::State, false)),
        _ => None,
    });
    let taken = extras().filter_map(|(extra, figures)| match extra.kind {
        ExtraKind::Taken { kind, pretax } => Some(line(extra, figures, kind, pretax)),
        _ => None,
    });
    let earnings = EARNINGS.iter().filter(|(line, ..)| shows(paid, *line)).map(|(line, kind, label)| {
        let (rate, units) = units(wage, *line, quarters);
        EarningLine {
            kind: *kind,
            label: (*label).to_owned(),
            amount: Some(Money::from_cents(now.get(*line))),
            ytd: Some(Money::from_cents(paid.get(*line))),
            rate,
            units,
        }
    });
    let taxes = TAXES
        .iter()
        .filter(|(line, ..)| !matches!(line, Line::State) || job.home.tax > 0)
        .map(|(line, kind, label)| deduction(now, paid, *line, *kind, label, false))
        .map(|line| match line.kind {
            DeductionKind::State => {
                DeductionLine { label: format!("{} {}", job.home.state, line.label), ..line }
            }
            _ => line,
        });
    let deductions = DEDUCTIONS
        .iter()
        .filter(|(line, ..)| shows(paid, *line))
        .map(|(line, kind, label, pretax)| deduction(now, paid, *line, *kind, label, *pretax));
    let first_check = job.dice.between("check", 10_000, 80_000);
    Statement {
        external_id: format!("{}-{}", job.dice.id(), period.start.strftime("%Y%m%d")),
        check_number: Some((first_check + period.index).to_string()),
        pay_date: Some(period.pay_date),
        period_start: Some(period.start),
        period_end: Some(period.end),
        basis: Some(match wage {
            Wage::Salary(_) => PayUnit::Yearly,
            Wage::Hourly(..) => PayUnit::Hourly,
        }),
        hours: Some(hours),
        gross: Some(Money::from_cents(now.gross(job))),
        gross_ytd: Some(Money::from_cents(paid.gross(job))),
        net: Some(Money::from_cents(now.net(job))),
        net_ytd: Some(Money::from_cents(paid.net(job))),
        earnings: earnings.chain(earned).collect(),
        taxes: taxes.chain(state_taxes).collect(),
        deductions: deductions.chain(taken).collect(),
    }
}

/// A line that was ever used in the year stays on the statement, for its year to date.
const fn shows(paid: &Amounts, line: Line) -> bool {
    matches!(line, Line::Regular) || paid.get(line) > 0
}

fn deduction(
    now: &Amounts,
    paid: &Amounts,
    line: Line,
    kind: DeductionKind,
    label: &str,
    pretax: bool,
) -> DeductionLine {
    DeductionLine {
        kind,
        label: label.to_owned(),
        amount: Some(Money::from_cents(now.get(line))),
        ytd: Some(Money::from_cents(paid.get(line))),
        pretax,
    }
}

/// Rate and hours of a line, where it is paid by the hour.
fn units(wage: Wage, line: Line, quarters: Quarters) -> (Option<Decimal>, Option<Decimal>) {
    let hours = |quarters: i64| Some(Decimal::new(quarters * 25, 2));
    match (wage, line) {
        (Wage::Hourly(rate, _), Line::Regular) => (Some(Decimal::new(rate, 2)), hours(quarters.straight)),
        // Rates are whole nickels, so time and a half may end in half a cent.
        (Wage::Hourly(rate, _), Line::Overtime) => (Some(Decimal::new(rate * 15, 3)), hours(quarters.over)),
        _ => (None, None),
    }
}
