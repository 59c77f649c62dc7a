//! The sum rules of payroll, proved over a thousand invented people from what they show, not from how it is made.

use std::collections::BTreeMap;

use citadel_connectors::sandbox;
use citadel_domain::{
    Money,
    payroll::{
        DeductionKind, EarningKind, Employment, PayFrequency, PayUnit, PayrollData, Statement, W2,
        social_security_wage_base,
    },
};
use jiff::{
    ToSpan,
    civil::{Date, Weekday, date},
};
use rust_decimal::{Decimal, RoundingStrategy};

const PEOPLE: u32 = 1_000;

/// Ordinary days, both ends of a year, leap days, and years whose wage base nobody knows yet.
const DAYS: [Date; 9] = [
    date(2024, 2, 29),
    date(2025, 1, 1),
    date(2025, 12, 31),
    date(2026, 1, 1),
    date(2026, 11, 23),
    date(2027, 1, 1),
    date(2028, 2, 29),
    date(2029, 3, 1),
    date(2031, 7, 4),
];

fn person(number: u32, today: Date) -> PayrollData {
    sandbox::anybody(&format!("person {number}"), None, today)
}

/// Two days for each person; together the thousand see every day a hundred times and more.
fn days_of(number: u32) -> [Date; 2] {
    let index = number as usize;
    [DAYS[index % DAYS.len()], DAYS[(index + 4) % DAYS.len()]]
}

/// What a test must have met at least a few times to have proved anything.
#[derive(Debug, Default)]
struct Met {
    overtime: u32,
    part_periods: u32,
    above_wage_base: u32,
    additional_medicare: u32,
    w2s: u32,
}

type Rule = fn(&Employment, Date, &str, &mut Met);

/// Holds every job of every person against some rules; each failure names the person and the day. The rules of a
/// test share the people, because inventing them is what takes time.
fn for_everybody(rules: &[Rule]) -> Met {
    let mut met = Met::default();
    for number in 0..PEOPLE {
        for today in days_of(number) {
            for job in person(number, today).employments {
                let who = format!("person {number}, {} on {today}", job.employer.name);
                for rule in rules {
                    rule(&job, today, &who, &mut met);
                }
            }
        }
    }
    met
}

#[test]
fn every_statement_adds_up() {
    let met = for_everybody(&[
        lines_sum_to_gross_and_net,
        hours_times_rate_is_the_amount,
        overtime_is_paid_at_time_and_a_half,
        part_of_a_period_is_paid_in_part,
        the_rate_of_pay_is_what_statements_are_paid_at,
        identifiers_are_of_ranges_never_given_out,
    ]);
    assert!(met.overtime > 1_000 && met.part_periods > 5, "{met:?}");
}

#[test]
fn every_year_adds_up() {
    let met = for_everybody(&[
        the_year_to_date_runs_and_starts_anew,
        social_security_and_medicare_follow_the_law,
        a_w2_is_the_years_last_statement,
        a_whole_year_of_statements_sums_to_its_w2,
    ]);
    assert!(met.above_wage_base > 50 && met.additional_medicare > 50 && met.w2s > 2_000, "{met:?}");
}

#[test]
fn every_pay_day_is_in_step() {
    for_everybody(&[pay_days_are_bank_days_in_step_with_the_calendar]);
}

fn sum(amounts: impl IntoIterator<Item = Option<Money>>) -> Money {
    amounts.into_iter().map(Option::unwrap).sum()
}

fn lines_sum_to_gross_and_net(job: &Employment, _: Date, who: &str, _: &mut Met) {
    for statement in &job.statements {
        let gross = sum(statement.earnings.iter().map(|line| line.amount));
        let taken = sum(statement.taxes.iter().chain(&statement.deductions).map(|line| line.amount));
        assert_eq!(statement.gross.unwrap(), gross, "{who} {}", statement.pay_date.unwrap());
        assert_eq!(statement.net.unwrap(), gross - taken, "{who} {}", statement.pay_date.unwrap());
        assert!(statement.net.unwrap() > Money::ZERO, "{who} {}", statement.pay_date.unwrap());
        for line in statement.taxes.iter().chain(&statement.deductions) {
            assert!(
                line.amount.unwrap() >= Money::ZERO,
                "{who} {} {}",
                statement.pay_date.unwrap(),
                line.label
            );
        }
    }
}

fn hours_times_rate_is_the_amount(job: &Employment, _: Date, who: &str, _: &mut Met) {
    for statement in &job.statements {
        let mut hours = Decimal::ZERO;
        for line in &statement.earnings {
            let hourly = statement.basis == Some(PayUnit::Hourly)
                && matches!(line.kind, EarningKind::Regular | EarningKind::Overtime);
            assert_eq!((line.rate.is_some(), line.units.is_some()), (hourly, hourly), "{who}");
            if let (Some(rate), Some(units)) = (line.rate, line.units) {
                let product =
                    (rate * units).round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
                assert_eq!(
                    line.amount.unwrap().to_decimal(),
                    product,
                    "{who} {}",
                    statement.pay_date.unwrap()
                );
                hours += units;
            }
        }
        if statement.basis == Some(PayUnit::Hourly) {
            assert_eq!(statement.hours, Some(hours), "{who} {}", statement.pay_date.unwrap());
        }
    }
}

fn overtime_is_paid_at_time_and_a_half(job: &Employment, _: Date, who: &str, met: &mut Met) {
    for statement in &job.statements {
        let rate = |kind| statement.earnings.iter().find(|line| line.kind == kind).and_then(|line| line.rate);
        if let (Some(plain), Some(over)) = (rate(EarningKind::Regular), rate(EarningKind::Overtime)) {
            assert_eq!(over, plain * Decimal::new(15, 1), "{who}");
            met.overtime += 1;
        }
    }
}

/// Every figure of a statement that runs through the year, by name: (this statement, since 1 January).
fn running(statement: &Statement) -> BTreeMap<&str, (Money, Money)> {
    let earnings =
        statement.earnings.iter().map(|line| (line.label.as_str(), line.amount.unwrap(), line.ytd));
    let taken = statement.taxes.iter().chain(&statement.deductions);
    let taken = taken.map(|line| (line.label.as_str(), line.amount.unwrap(), line.ytd));
    [
        ("gross", statement.gross.unwrap(), statement.gross_ytd),
        ("net", statement.net.unwrap(), statement.net_ytd),
    ]
    .into_iter()
    .chain(earnings)
    .chain(taken)
    .map(|(name, amount, ytd)| (name, (amount, ytd.expect("a year to date"))))
    .collect()
}

fn the_year_to_date_runs_and_starts_anew(job: &Employment, _: Date, who: &str, _: &mut Met) {
    let mut so_far: Option<(i16, BTreeMap<&str, Money>)> = None;
    for statement in job.statements.iter().rev() {
        let year = statement.pay_date.unwrap().year();
        let lines = running(statement);
        // At the edge of what is shown, the first statement's year to date less its own is the carry.
        let before = match so_far {
            Some((same, ytd)) if same == year => ytd,
            Some(_) => BTreeMap::new(),
            None => lines.iter().map(|(name, (amount, ytd))| (*name, *ytd - *amount)).collect(),
        };
        for (name, carried) in &before {
            assert!(
                lines.contains_key(name) || *carried == Money::ZERO,
                "{who} {}: {name} was dropped",
                statement.pay_date.unwrap()
            );
        }
        for (name, (amount, ytd)) in &lines {
            let carried = before.get(name).copied().unwrap_or_default();
            assert_eq!(*ytd, carried + *amount, "{who} {} {name}", statement.pay_date.unwrap());
        }
        so_far = Some((year, lines.into_iter().map(|(name, (_, ytd))| (name, ytd)).collect()));
    }
}

/// Statement by statement, the wages and taxes of the year so far.
#[derive(Clone, Copy, Default)]
struct SoFar {
    gross: Money,
    health: Money,
    retirement: Money,
    federal: Money,
    social_security: Money,
    medicare: Money,
}

fn so_far(statement: &Statement) -> SoFar {
    let ytd = |kind| {
        let lines = statement.taxes.iter().chain(&statement.deductions).filter(|line| line.kind == kind);
        lines.map(|line| line.ytd.expect("a year to date")).sum()
    };
    SoFar {
        gross: statement.gross_ytd.expect("a year to date"),
        health: ytd(DeductionKind::Health),
        retirement: ytd(DeductionKind::Retirement),
        federal: ytd(DeductionKind::Federal),
        social_security: ytd(DeductionKind::SocialSecurity),
        medicare: ytd(DeductionKind::Medicare),
    }
}

/// Later years use the last figure that the domain knows.
fn wage_base(year: i16) -> Money {
    (2015..=year).rev().find_map(social_security_wage_base).expect("a known year")
}

fn social_security_and_medicare_follow_the_law(job: &Employment, _: Date, who: &str, met: &mut Met) {
    let two_hundred_thousand = Money::from_cents(20_000_000);
    for statement in &job.statements {
        let year = so_far(statement);
        // Section 125 lowers these wages, a 401(k) does not.
        let wages = year.gross - year.health;
        let base = wage_base(statement.pay_date.unwrap().year());
        let social_security = wages.min(base).times(Decimal::new(62, 3));
        assert_eq!(year.social_security, social_security, "{who} {}", statement.pay_date.unwrap());
        let above = wages.max(two_hundred_thousand) - two_hundred_thousand;
        let medicare = wages.to_decimal() * Decimal::new(145, 4) + above.to_decimal() * Decimal::new(9, 3);
        assert_eq!(
            Some(year.medicare),
            Money::from_decimal(medicare),
            "{who} {}",
            statement.pay_date.unwrap()
        );
        met.above_wage_base += u32::from(wages > base);
        met.additional_medicare += u32::from(wages > two_hundred_thousand);
    }
}

fn a_w2_is_the_years_last_statement(job: &Employment, today: Date, who: &str, met: &mut Met) {
    let w2s: BTreeMap<i16, &W2> = job.w2s.iter().map(|w2| (w2.year, w2)).collect();
    assert_eq!(w2s.len(), job.w2s.len(), "{who}: one W-2 a year");
    assert!(job.w2s.is_sorted_by(|a, b| a.year > b.year), "{who}: newest first");
    assert!(w2s.keys().all(|year| *year < today.year()), "{who}: finished years only");
    let mut last: BTreeMap<i16, &Statement> = BTreeMap::new();
    for statement in job.statements.iter().rev() {
        last.insert(statement.pay_date.unwrap().year(), statement);
    }
    for (year, statement) in last.into_iter().filter(|(year, _)| *year < today.year()) {
        let w2 = w2s.get(&year).unwrap_or_else(|| panic!("{who}: no W-2 for {year}"));
        let stubs = so_far(statement);
        let fica = stubs.gross - stubs.health;
        let expected = W2 {
            year,
            wages: Some(fica - stubs.retirement),
            federal_tax: Some(stubs.federal),
            social_security_wages: Some(fica.min(wage_base(year))),
            social_security_tax: Some(stubs.social_security),
            medicare_wages: Some(fica),
            medicare_tax: Some(stubs.medicare),
        };
        assert_eq!(**w2, expected, "{who}");
        met.w2s += 1;
    }
}

fn a_whole_year_of_statements_sums_to_its_w2(job: &Employment, today: Date, who: &str, _: &mut Met) {
    let last_year = today.year() - 1;
    let year: Vec<&Statement> =
        job.statements.iter().filter(|statement| statement.pay_date.unwrap().year() == last_year).collect();
    let Some(w2) = job.w2s.iter().find(|w2| w2.year == last_year) else {
        assert!(year.is_empty(), "{who}");
        return;
    };
    let taken = |kind| -> Money {
        let lines = year.iter().flat_map(|statement| statement.taxes.iter().chain(&statement.deductions));
        lines.filter(|line| line.kind == kind).map(|line| line.amount.unwrap()).sum()
    };
    let pretax: Money = year
        .iter()
        .flat_map(|statement| &statement.deductions)
        .filter(|line| line.pretax)
        .map(|line| line.amount.unwrap())
        .sum();
    assert_eq!(w2.wages, Some(sum(year.iter().map(|statement| statement.gross)) - pretax), "{who}");
    assert_eq!(w2.federal_tax, Some(taken(DeductionKind::Federal)), "{who}");
    assert_eq!(w2.social_security_tax, Some(taken(DeductionKind::SocialSecurity)), "{who}");
    assert_eq!(w2.medicare_tax, Some(taken(DeductionKind::Medicare)), "{who}");
}

fn pay_days_are_bank_days_in_step_with_the_calendar(job: &Employment, today: Date, who: &str, _: &mut Met) {
    let Some(pay) = job.pay else { panic!("{who}: no pay") };
    for statement in &job.statements {
        let day = statement.pay_date.unwrap();
        assert!(day <= today && day >= today.saturating_sub(24.months()), "{who} {day}");
        assert!(!matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday), "{who} {day}");
        assert!((day.month(), day.day()) != (1, 1) && (day.month(), day.day()) != (12, 25), "{who} {day}");
    }
    for pair in job.statements.windows(2) {
        assert!(pair[0].pay_date.unwrap() > pair[1].pay_date.unwrap(), "{who}: newest first");
        assert_eq!(
            pair[0].period_start,
            pair[1].period_end.map(|end| end.saturating_add(1.days())),
            "{who} {}: periods touch",
            pair[0].pay_date.unwrap()
        );
    }
    let goes_on = job.is_active == Some(true);
    let old_enough = job.start_date.is_some_and(|start| start < today.saturating_sub(26.months()));
    if goes_on && old_enough {
        let least = match pay.frequency.unwrap() {
            PayFrequency::Weekly => 104,
            PayFrequency::BiWeekly => 52,
            PayFrequency::SemiMonthly => 48,
            PayFrequency::Monthly => 24,
        };
        let count = job.statements.len();
        assert!((least..=least + 2).contains(&count), "{who}: {count} statements");
    }
}

fn part_of_a_period_is_paid_in_part(job: &Employment, _: Date, who: &str, met: &mut Met) {
    let (start, end) = (job.start_date.expect("a first day"), job.end_date.unwrap_or(Date::MAX));
    for (index, statement) in job.statements.iter().enumerate() {
        if statement.basis != Some(PayUnit::Yearly) {
            continue;
        }
        let (from, to) = (statement.period_start.expect("a period"), statement.period_end.expect("a period"));
        let weekdays = |from: Date, to: Date| {
            let days = from.series(1.day()).take_while(|day| *day <= to);
            days.filter(|day| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)).count()
        };
        let worked = weekdays(from.max(start), to.min(end));
        assert!(worked > 0, "{who} {}: pay without work", statement.pay_date.unwrap());
        assert_eq!(statement.hours, Some(Decimal::from(worked * 8)), "{who} {}", statement.pay_date.unwrap());
        let all = weekdays(from, to);
        if worked < all {
            met.part_periods += 1;
            // The statement beside it is for a full period. Nobody gets a raise in the first half year, but there
            // may be one just before the end.
            let is_first = start > from;
            let beside = if is_first { index.checked_sub(1) } else { Some(index + 1) };
            if let Some(full) = beside.and_then(|beside| job.statements.get(beside)) {
                let share = Decimal::from(worked) / Decimal::from(all);
                let [part, full] = [statement, full].map(|cheque| cheque.earnings[0].amount.unwrap());
                if is_first {
                    assert_eq!(part, full.times(share), "{who} {}", statement.pay_date.unwrap());
                } else {
                    let least = full.times(share);
                    let most = least.times(Decimal::new(105, 2));
                    assert!((least..=most).contains(&part), "{who} {}", statement.pay_date.unwrap());
                }
            }
            assert!(statement.deductions.iter().all(|line| line.amount.unwrap() == Money::ZERO), "{who}");
        }
    }
}

fn the_rate_of_pay_is_what_statements_are_paid_at(job: &Employment, today: Date, who: &str, _: &mut Met) {
    let (Some(pay), Some(newest)) = (job.pay, job.statements.first()) else { return };
    let raised_since = job.external_last_updated > newest.period_start;
    if raised_since || job.end_date.is_some() {
        return;
    }
    let regular = &newest.earnings[0];
    assert_eq!(regular.kind, EarningKind::Regular, "{who}");
    match pay.unit.unwrap() {
        PayUnit::Hourly => assert_eq!(regular.rate, pay.rate.map(Money::to_decimal), "{who}"),
        _ if job.start_date > newest.period_start => {}
        _ => assert_eq!(regular.amount, pay.per_cycle, "{who} on {today}"),
    }
}

#[test]
fn a_later_day_only_adds() {
    for number in 0..PEOPLE {
        let mut seen: BTreeMap<String, Statement> = BTreeMap::new();
        let mut forms: BTreeMap<(String, i16), W2> = BTreeMap::new();
        let mut days = days_of(number);
        days.sort_unstable();
        // A third day half a year on, so that much of what is shown is shown twice.
        for today in [days[0], days[0].saturating_add(6.months()), days[1].saturating_add(6.months())] {
            for job in person(number, today).employments {
                let oldest = today.saturating_sub(24.months());
                let ids: Vec<&String> =
                    job.statements.iter().map(|statement| &statement.external_id).collect();
                let kept = seen
                    .iter()
                    .filter(|(id, old)| id.starts_with(&job.external_id) && old.pay_date.unwrap() >= oldest);
                for (id, _) in kept {
                    assert!(ids.contains(&id), "person {number} on {today}: {id} is gone");
                }
                for statement in job.statements {
                    let old = seen.entry(statement.external_id.clone()).or_insert_with(|| statement.clone());
                    assert_eq!(*old, statement, "person {number} on {today}");
                }
                for w2 in job.w2s {
                    let old = forms.entry((job.external_id.clone(), w2.year)).or_insert_with(|| w2.clone());
                    assert_eq!(*old, w2, "person {number} on {today}");
                }
            }
        }
        let numbers: std::collections::BTreeSet<_> = seen
            .values()
            .map(|statement| (statement.external_id.split('-').next(), statement.check_number.clone()))
            .collect();
        assert_eq!(numbers.len(), seen.len(), "person {number}: check numbers differ");
    }
}

#[test]
fn every_kind_of_life_comes_up() {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..PEOPLE {
        let data = person(number, DAYS[4]);
        let mut count = |kind: String| *kinds.entry(kind).or_default() += 1;
        let [first, rest @ ..] = data.employments.as_slice() else { panic!("person {number} has no job") };
        if rest.iter().any(|job| job.is_active == Some(true)) && first.is_active == Some(true) {
            count("two jobs at once".to_owned());
        }
        for job in &data.employments {
            count(format!("{:?}", job.pay.unwrap().frequency.unwrap()));
            count(format!("{:?}", job.job_type.unwrap()));
            if job.is_active == Some(false) {
                count("ended".to_owned());
                if !job.statements.is_empty() {
                    count("ended with statements".to_owned());
                }
            }
            let rates: std::collections::BTreeSet<Option<Decimal>> =
                job.statements.iter().map(|statement| statement.earnings[0].rate).collect();
            if rates.len() > 1 {
                count("hourly raise".to_owned());
            }
            for kind in [EarningKind::Overtime, EarningKind::Bonus, EarningKind::Commission] {
                let has = job
                    .statements
                    .iter()
                    .flat_map(|statement| &statement.earnings)
                    .any(|line| line.kind == kind);
                if has {
                    count(format!("{kind:?}"));
                }
            }
            for statement in &job.statements {
                for line in &statement.deductions {
                    if line.amount.unwrap() > Money::ZERO {
                        count(line.label.clone());
                    }
                }
            }
            for account in &job.deposit_accounts {
                count(format!("deposit {:?}", account.deposit_type.unwrap()));
            }
        }
    }
    for kind in [
        "two jobs at once",
        "ended",
        "ended with statements",
        "hourly raise",
        "Weekly",
        "BiWeekly",
        "SemiMonthly",
        "Monthly",
        "FullTime",
        "PartTime",
        "Overtime",
        "Bonus",
        "Commission",
        "Medical Insurance",
        "401(k)",
        "Life Insurance",
        "deposit Entire",
        "deposit Percent",
        "deposit Amount",
    ] {
        assert!(kinds.get(kind).is_some_and(|count| *count >= 10), "{kind}: {kinds:?}");
    }
}

fn identifiers_are_of_ranges_never_given_out(job: &Employment, _: Date, who: &str, _: &mut Met) {
    let ssn = job.person.ssn.as_ref().expect("a number").expose();
    assert!(ssn.len() == 9 && ssn.starts_with('9'), "{who}");
    let ein = job.employer.ein.as_deref().expect("a number");
    assert!(ein.len() == 10 && ein.as_bytes()[2] == b'-', "{who}");
    assert!(job.employer.phone.as_deref().is_some_and(|phone| phone[3..].starts_with("55501")), "{who}");
    assert!(job.person.email.as_deref().is_some_and(|email| email.ends_with("@example.com")), "{who}");
}
