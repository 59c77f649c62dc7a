//! Name by name, what somebody of the pack teaches, as something that can be seen in the data: nobody can edit it away.

use citadel_domain::{
    Money, Secret,
    account::DepositType,
    payroll::{
        DeductionKind, DeductionLine, EarningKind, Employment, PayFrequency, PayUnit, PayrollData, Person,
        Statement,
    },
};
use jiff::civil::{Date, date};
use rust_decimal::Decimal;

use Seen::{EveryDay, FromDayToDay};

/// How the oddity is seen.
#[derive(Clone, Copy)]
pub(super) enum Seen {
    /// On each day by itself.
    EveryDay(fn(&PayrollData) -> bool),
    /// In what becomes different from day to day.
    FromDayToDay(fn(&[PayrollData]) -> bool),
}

/// The only job.
fn job(data: &PayrollData) -> &Employment {
    let [job] = data.employments.as_slice() else { panic!("{} jobs", data.employments.len()) };
    job
}

fn two_jobs(data: &PayrollData) -> (&Employment, &Employment) {
    let [newer, older] = data.employments.as_slice() else { panic!("{} jobs", data.employments.len()) };
    (newer, older)
}

/// The statements of the only job.
fn statements(data: &PayrollData) -> &[Statement] {
    &job(data).statements
}

/// The statement that is listed first.
fn top(data: &PayrollData) -> &Statement {
    statements(data).first().expect("a statement")
}

fn every(data: &PayrollData, is_so: impl Fn(&Statement) -> bool) -> bool {
    !statements(data).is_empty() && statements(data).iter().all(is_so)
}

fn some(data: &PayrollData, is_so: impl Fn(&Statement) -> bool) -> bool {
    statements(data).iter().any(is_so)
}

fn taken(statement: &Statement) -> impl Iterator<Item = &DeductionLine> {
    statement.taxes.iter().chain(&statement.deductions)
}

fn earned(statement: &Statement) -> Option<Money> {
    statement.earnings.iter().map(|line| line.amount).sum()
}

fn dollars(dollars: i64) -> Option<Money> {
    Some(Money::from_cents(dollars * 100))
}

fn person(data: &PayrollData) -> &Person {
    &job(data).person
}

fn goes_on(job: &Employment) -> bool {
    job.is_active == Some(true) && job.end_date.is_none()
}

fn below_zero(amount: Option<Money>) -> bool {
    amount < Some(Money::ZERO) && amount.is_some()
}

fn of_kind(statement: &Statement, kind: EarningKind) -> usize {
    statement.earnings.iter().filter(|line| line.kind == kind).count()
}

fn days_between(a: Option<Date>, b: Option<Date>) -> i64 {
    a.zip(b).map_or(0, |(a, b)| a.duration_until(b).as_hours() / 24)
}

pub(super) const TEACHES: [(&str, Seen); 99] = [
    (
        "no-pay-date",
        EveryDay(|data| every(data, |each| each.pay_date.is_none() && each.period_end.is_some())),
    ),
    (
        "no-period",
        EveryDay(|data| {
            every(data, |each| {
                each.pay_date.is_some() && each.period_start.is_none() && each.period_end.is_none()
            })
        }),
    ),
    (
        "no-dates",
        EveryDay(|data| {
            every(data, |each| {
                each.pay_date.is_none() && each.period_start.is_none() && each.period_end.is_none()
            })
        }),
    ),
    (
        "out-of-order",
        EveryDay(|data| {
            let first = top(data).pay_date;
            some(data, |each| each.pay_date > first)
                && !statements(data).is_sorted_by_key(|each| each.pay_date)
        }),
    ),
    ("no-statements", EveryDay(|data| statements(data).is_empty() && goes_on(job(data)))),
    (
        "sixty-statements",
        EveryDay(|data| {
            statements(data).len() == 60
                && job(data).pay.and_then(|pay| pay.frequency) == Some(PayFrequency::Weekly)
        }),
    ),
    (
        "two-on-one-day",
        EveryDay(|data| {
            let [first, second, ..] = statements(data) else { return false };
            first.pay_date == second.pay_date
                && of_kind(first, EarningKind::Regular) + of_kind(second, EarningKind::Bonus) == 2
        }),
    ),
    (
        "same-check-number",
        EveryDay(|data| {
            let [first, second] = statements(data) else { return false };
            first.check_number.is_some()
                && first.check_number == second.check_number
                && first.pay_date != second.pay_date
        }),
    ),
    ("no-check-number", EveryDay(|data| every(data, |each| each.check_number.is_none()))),
    (
        "old-statements-only",
        EveryDay(|data| goes_on(job(data)) && every(data, |each| each.pay_date < Some(date(2024, 1, 1)))),
    ),
    (
        "paid-in-advance",
        EveryDay(|data| {
            top(data).pay_date == Some(date(2025, 12, 31))
                && top(data).period_start == Some(date(2026, 1, 1))
                && top(data).gross_ytd == dollars(72_000)
        }),
    ),
    ("period-backwards", EveryDay(|data| top(data).period_end < top(data).period_start)),
    (
        "overlapping-periods",
        EveryDay(|data| statements(data).windows(2).all(|pair| pair[0].period_start < pair[1].period_end)),
    ),
    (
        "unpaid-leave",
        EveryDay(|data| {
            let [back, before, ..] = statements(data) else { return false };
            goes_on(job(data)) && days_between(before.pay_date, back.pay_date) > 120
        }),
    ),
    (
        "paid-before-hired",
        EveryDay(|data| {
            some(data, |each| each.pay_date < job(data).start_date)
                && job(data).original_hire_date < job(data).start_date
        }),
    ),
    (
        "paid-after-leaving",
        EveryDay(|data| {
            let end = job(data).end_date;
            end.is_some() && statements(data).iter().filter(|each| each.pay_date > end).count() == 2
        }),
    ),
    ("null-deductions", EveryDay(|data| taken(top(data)).filter(|line| line.amount.is_none()).count() == 2)),
    ("negative-deductions", EveryDay(|data| top(data).deductions.iter().any(|line| below_zero(line.amount)))),
    ("negative-tax", EveryDay(|data| top(data).taxes.iter().any(|line| below_zero(line.amount)))),
    (
        "ytd-without-current",
        EveryDay(|data| {
            top(data).earnings.iter().any(|line| line.amount.is_none() && line.ytd.is_some())
                && top(data).deductions.iter().any(|line| line.amount.is_none() && line.ytd.is_some())
        }),
    ),
    (
        "no-ytd",
        EveryDay(|data| {
            every(data, |each| {
                each.gross_ytd.is_none()
                    && each.net_ytd.is_none()
                    && each.earnings.iter().all(|line| line.ytd.is_none())
                    && taken(each).all(|line| line.ytd.is_none())
            })
        }),
    ),
    (
        "ytd-goes-down",
        EveryDay(|data| {
            let [newer, older] = statements(data) else { return false };
            newer.gross_ytd < older.gross_ytd && newer.gross > dollars(0) && newer.pay_date > older.pay_date
        }),
    ),
    (
        "acquired-company",
        EveryDay(|data| {
            let [_, anew, before] = statements(data) else { return false };
            anew.gross_ytd == anew.gross
                && before.gross_ytd > anew.gross_ytd
                && days_between(before.pay_date, anew.pay_date) == 14
        }),
    ),
    ("gross-is-not-the-sum", EveryDay(|data| earned(top(data)) < top(data).gross)),
    ("net-negative", EveryDay(|data| below_zero(top(data).net) && top(data).gross > dollars(0))),
    ("net-zero", EveryDay(|data| top(data).net == dollars(0) && top(data).gross == dollars(2_000))),
    ("zero-hours", EveryDay(|data| top(data).hours == Some(Decimal::ZERO) && top(data).gross == dollars(0))),
    (
        "no-hours",
        EveryDay(|data| every(data, |each| each.hours.is_none() && each.basis == Some(PayUnit::Hourly))),
    ),
    (
        "too-many-hours",
        EveryDay(|data| {
            top(data).hours > Some(Decimal::from(168))
                && days_between(top(data).period_start, top(data).period_end) == 6
        }),
    ),
    (
        "bonus-only",
        EveryDay(|data| {
            statements(data).len() == 1
                && top(data).earnings.len() == 1
                && of_kind(top(data), EarningKind::Bonus) == 1
        }),
    ),
    ("three-overtime-rates", EveryDay(|data| of_kind(top(data), EarningKind::Overtime) == 3)),
    (
        "reimbursement",
        EveryDay(|data| earned(top(data)) > top(data).gross && top(data).net > top(data).gross),
    ),
    ("no-earnings", EveryDay(|data| every(data, |each| each.earnings.is_empty() && each.gross.is_some()))),
    ("no-deductions", EveryDay(|data| every(data, |each| taken(each).count() == 0 && each.net < each.gross))),
    (
        "line-without-name",
        EveryDay(|data| {
            top(data).earnings.iter().any(|line| line.label.is_empty())
                && taken(top(data)).any(|line| line.label.is_empty())
        }),
    ),
    (
        "same-line-twice",
        EveryDay(|data| {
            let [one, two] = top(data).earnings.as_slice() else { return false };
            (&one.label, one.kind) == (&two.label, two.kind) && one.amount != two.amount
        }),
    ),
    (
        "unknown-categories",
        EveryDay(|data| {
            of_kind(top(data), EarningKind::Other) == 3
                && top(data).deductions.iter().any(|line| line.kind == DeductionKind::Other)
        }),
    ),
    (
        "correction-run",
        EveryDay(|data| {
            let [right, back, wrong] = statements(data) else { return false };
            right.pay_date == back.pay_date
                && back.gross.zip(wrong.gross).is_some_and(|(back, wrong)| back + wrong == Money::ZERO)
                && back.net.zip(wrong.net).is_some_and(|(back, wrong)| back + wrong == Money::ZERO)
                && right.gross > dollars(0)
        }),
    ),
    (
        "retro-pay",
        EveryDay(|data| {
            let [retro, usual] = statements(data) else { return false };
            retro.gross > usual.gross.map(|gross| gross.times(Decimal::new(14, 1)))
                && of_kind(retro, EarningKind::Regular) == 2
        }),
    ),
    (
        "clawback",
        EveryDay(|data| {
            top(data).earnings.iter().any(|line| below_zero(line.amount))
                && top(data).gross < top(data).earnings[0].amount
        }),
    ),
    (
        "tips-above-wages",
        EveryDay(|data| {
            every(data, |each| {
                let amount =
                    |kind| each.earnings.iter().find(|line| line.kind == kind).and_then(|line| line.amount);
                amount(EarningKind::Other)
                    > amount(EarningKind::Regular).map(|wage| wage.times(Decimal::from(3)))
            })
        }),
    ),
    (
        "garnishments",
        EveryDay(|data| {
            let is_garnished = |each: &Statement| {
                each.deductions
                    .iter()
                    .any(|line| line.label.starts_with("Creditor") && line.amount > Some(Money::ZERO))
            };
            some(data, is_garnished)
                && some(data, |each| !is_garnished(each))
                && every(data, |each| each.gross == top(data).gross)
                && every(data, |each| taken(each).any(|line| line.label.starts_with("Child Support")))
        }),
    ),
    (
        "union-dues",
        EveryDay(|data| {
            every(data, |each| {
                each.deductions.iter().filter(|line| line.label.starts_with("Union")).count() == 2
            })
        }),
    ),
    (
        "multi-state-tax",
        EveryDay(|data| {
            every(data, |each| {
                each.taxes.iter().filter(|line| line.kind == DeductionKind::State).count() == 3
            })
        }),
    ),
    (
        "no-state-tax",
        EveryDay(|data| {
            every(data, |each| {
                !each.taxes.is_empty() && each.taxes.iter().all(|line| line.kind != DeductionKind::State)
            })
        }),
    ),
    (
        "stock-vest",
        EveryDay(|data| {
            top(data).gross > dollars(4_000_000)
                && top(data).net < dollars(10_000)
                && top(data).net > dollars(0)
        }),
    ),
    (
        "imputed-income",
        EveryDay(|data| {
            every(data, |each| {
                let added = each.earnings.iter().find(|line| line.label == "GTL Imputed");
                let taken_off = each.deductions.iter().find(|line| line.label == "GTL Imputed Offset");
                added.zip(taken_off).is_some_and(|(added, off)| added.amount == off.amount)
            })
        }),
    ),
    (
        "no-net-pay",
        EveryDay(|data| {
            every(data, |each| each.net.is_none() && each.net_ytd.is_none() && each.gross.is_some())
        }),
    ),
    (
        "only-net-pay",
        EveryDay(|data| {
            every(data, |each| {
                each.gross.is_none()
                    && each.gross_ytd.is_none()
                    && each.earnings.is_empty()
                    && taken(each).count() == 0
                    && each.net.is_some()
            })
        }),
    ),
    (
        "four-decimals",
        EveryDay(|data| {
            top(data).earnings.iter().all(|line| line.rate.is_some_and(|rate| rate.scale() >= 4))
                && top(data).earnings.iter().any(|line| {
                    line.rate.zip(line.units).and_then(|(rate, units)| Money::from_decimal(rate * units))
                        != line.amount
                })
        }),
    ),
    (
        "pieces",
        EveryDay(|data| {
            let line = &top(data).earnings[0];
            line.units == Some(Decimal::from(412)) && top(data).hours < line.units
        }),
    ),
    (
        "gig",
        EveryDay(|data| {
            job(data).employer.ein.is_none()
                && job(data).pay.is_none()
                && every(data, |each| each.hours.is_none() && each.taxes.is_empty() && each.net == each.gross)
                && statements(data).windows(2).all(|pair| pair[0].gross != pair[1].gross)
        }),
    ),
    (
        "paid-daily",
        EveryDay(|data| {
            let pay = job(data).pay;
            pay.is_some_and(|pay| pay.frequency.is_none() && pay.unit == Some(PayUnit::Daily))
                && every(data, |each| {
                    each.period_start == each.period_end && each.basis == Some(PayUnit::Daily)
                })
        }),
    ),
    (
        "weekly-rate-paid-monthly",
        EveryDay(|data| {
            let pay = job(data).pay;
            pay.is_some_and(|pay| {
                (pay.unit, pay.frequency) == (Some(PayUnit::Weekly), Some(PayFrequency::Monthly))
                    && top(data).gross > pay.rate.map(|rate| rate.times(Decimal::from(4)))
            })
        }),
    ),
    (
        "no-pay-frequency",
        EveryDay(|data| {
            job(data).pay.is_some_and(|pay| pay.rate.is_some() && pay.frequency.is_none())
                && statements(data).len() == 3
        }),
    ),
    ("no-pay-rate", EveryDay(|data| job(data).pay.is_none() && every(data, |each| each.gross.is_some()))),
    (
        "frequency-disagrees",
        EveryDay(|data| {
            job(data).pay.and_then(|pay| pay.frequency) == Some(PayFrequency::Monthly)
                && statements(data)
                    .windows(2)
                    .all(|pair| days_between(pair[1].pay_date, pair[0].pay_date) == 7)
        }),
    ),
    (
        "rate-changes-mid-period",
        EveryDay(|data| {
            let [before, after] = top(data).earnings.as_slice() else { return false };
            (before.kind, after.kind) == (EarningKind::Regular, EarningKind::Regular)
                && before.rate < after.rate
        }),
    ),
    (
        "yearly-raise",
        EveryDay(|data| {
            let [newest, .., oldest] = statements(data) else { return false };
            let yearly = |each: &Statement| each.gross.map(|gross| gross.to_decimal() * Decimal::from(26));
            let rate = job(data).pay.and_then(|pay| pay.rate).map(Money::to_decimal);
            let raises = statements(data).windows(2).filter(|pair| pair[0].gross > pair[1].gross).count();
            (2..=3).contains(&raises) && yearly(newest) > yearly(oldest) && rate > yearly(oldest)
        }),
    ),
    (
        "commission-only",
        EveryDay(|data| {
            job(data).pay.and_then(|pay| pay.rate) == dollars(0)
                && every(data, |each| of_kind(each, EarningKind::Commission) == each.earnings.len())
                && some(data, |each| each.gross == dollars(0))
        }),
    ),
    (
        "overlapping-jobs",
        EveryDay(|data| data.employments.len() == 3 && data.employments.iter().all(goes_on)),
    ),
    (
        "rehire",
        EveryDay(|data| {
            let (now, before) = two_jobs(data);
            now.employer == before.employer
                && before.end_date < now.start_date
                && before.end_date.is_some()
                && now.original_hire_date == before.start_date
        }),
    ),
    (
        "two-companies-one-name",
        EveryDay(|data| {
            let (one, two) = two_jobs(data);
            one.employer.name == two.employer.name && one.employer.ein != two.employer.ein
        }),
    ),
    (
        "renamed-employer",
        EveryDay(|data| {
            let (new, old) = two_jobs(data);
            new.employer.name != old.employer.name
                && new.employer.ein == old.employer.ein
                && new.employer.ein.is_some()
                && days_between(old.end_date, new.start_date) == 1
        }),
    ),
    (
        "nameless-employer",
        EveryDay(|data| job(data).employer.name.is_empty() && job(data).employer.ein.is_none()),
    ),
    (
        "same-job-twice",
        EveryDay(|data| {
            let (one, two) = two_jobs(data);
            one.external_id != two.external_id
                && (&one.employer, one.start_date, &one.statements)
                    == (&two.employer, two.start_date, &two.statements)
        }),
    ),
    (
        "one-day-job",
        EveryDay(|data| job(data).start_date.is_some() && job(data).start_date == job(data).end_date),
    ),
    (
        "new-job-each-winter",
        FromDayToDay(|days| {
            let winters = |data: &PayrollData| {
                data.employments.iter().filter(|job| job.external_id.starts_with("winter-")).count()
            };
            days.iter().map(winters).eq([1, 2, 3])
        }),
    ),
    ("ended-without-flag", EveryDay(|data| job(data).end_date.is_some() && job(data).is_active.is_none())),
    (
        "inactive-without-end",
        EveryDay(|data| job(data).end_date.is_none() && job(data).is_active == Some(false)),
    ),
    ("active-without-start", EveryDay(|data| job(data).start_date.is_none() && goes_on(job(data)))),
    (
        "placeholder-dates",
        EveryDay(|data| {
            let placeholder = Some(date(1900, 1, 1));
            (job(data).start_date, person(data).date_of_birth) == (placeholder, placeholder)
        }),
    ),
    ("only-w2s", EveryDay(|data| statements(data).is_empty() && job(data).w2s.len() == 2)),
    (
        "w2-disagrees",
        EveryDay(|data| {
            let paid: Option<Money> = statements(data).iter().map(|each| each.gross).sum();
            let [w2] = job(data).w2s.as_slice() else { return false };
            w2.year == 2025
                && every(data, |each| each.pay_date.is_some_and(|day| day.year() == 2025))
                && w2.wages < paid
        }),
    ),
    (
        "w2-before-statements",
        EveryDay(|data| {
            let oldest = statements(data).iter().filter_map(|each| each.pay_date).min();
            job(data).w2s.iter().filter(|w2| w2.year < 2018).count() == 2
                && oldest.is_some_and(|day| day.year() >= 2024)
        }),
    ),
    (
        "w2-with-empty-boxes",
        EveryDay(|data| {
            job(data).w2s.iter().any(|w2| {
                w2.wages.is_some() && w2.social_security_wages.is_none() && w2.social_security_tax.is_none()
            })
        }),
    ),
    (
        "nothing-but-a-name",
        EveryDay(|data| {
            let (job, person) = (job(data), person(data));
            (person.first_name.as_str(), person.last_name.as_str()) == ("Ada", "Plain")
                && person.ssn.is_none()
                && person.home_address.is_none()
                && (job.title.is_none(), job.start_date, job.is_active, job.pay) == (true, None, None, None)
                && job.statements.is_empty()
        }),
    ),
    ("no-ssn", EveryDay(|data| person(data).ssn.is_none() && !statements(data).is_empty())),
    (
        "leading-zeros",
        EveryDay(|data| {
            let zip = person(data).home_address.as_ref().map(|address| address.zip.starts_with('0'));
            let account = job(data).deposit_accounts[0].account_number.expose().starts_with('0');
            zip == Some(true)
                && account
                && job(data).employer.ein.as_ref().is_some_and(|ein| ein.starts_with('0'))
                && top(data).check_number.as_ref().is_some_and(|number| number.starts_with("000"))
                && person(data).ssn.as_ref().map(Secret::expose) == Some("900010007")
        }),
    ),
    ("no-birth-date", EveryDay(|data| person(data).date_of_birth.is_none())),
    (
        "one-letter-names",
        EveryDay(|data| {
            [&person(data).first_name, &person(data).last_name, &job(data).employer.name]
                .iter()
                .all(|name| name.len() == 1)
        }),
    ),
    (
        "single-name",
        EveryDay(|data| person(data).last_name.is_empty() && person(data).first_name == "Suharni"),
    ),
    (
        "names-in-one-field",
        EveryDay(|data| person(data).first_name == "PUBLIC JR, JOHN Q" && person(data).last_name.is_empty()),
    ),
    (
        "blanks-around-names",
        EveryDay(|data| {
            [&person(data).first_name, &person(data).last_name, &job(data).employer.name]
                .iter()
                .all(|name| name.trim() != name.as_str())
        }),
    ),
    (
        "very-long-names",
        EveryDay(|data| {
            person(data).first_name.len() + person(data).last_name.len() > 190
                && job(data).employer.name.len() > 255
        }),
    ),
    (
        "right-to-left",
        EveryDay(|data| {
            let is_within = |name: &str, letters: std::ops::RangeInclusive<char>| {
                name.chars().all(|letter| letter == ' ' || letters.contains(&letter))
            };
            is_within(&person(data).first_name, '\u{600}'..='\u{6ff}')
                && is_within(&person(data).last_name, '\u{600}'..='\u{6ff}')
                && is_within(&job(data).employer.name, '\u{590}'..='\u{5ff}')
        }),
    ),
    (
        "combining-characters",
        EveryDay(|data| {
            let (apart, together) = two_jobs(data);
            apart.person.first_name == "Zoe\u{308}"
                && together.person.first_name == "Zo\u{eb}"
                && apart.person.last_name == "Nguye\u{302}\u{303}n"
                && together.person.last_name == "Nguy\u{1ec5}n"
        }),
    ),
    (
        "emoji-title",
        EveryDay(|data| {
            let title = job(data).title.as_deref().unwrap_or_default();
            title.chars().any(|letter| letter.len_utf8() == 4) && title.contains('\u{200d}')
        }),
    ),
    (
        "markup-in-names",
        EveryDay(|data| {
            person(data).last_name.contains("O'")
                && person(data).last_name.contains("<script>")
                && person(data).first_name.contains('"')
                && job(data).employer.name.contains("&")
                && job(data).employer.name.contains("--")
        }),
    ),
    (
        "formula-in-names",
        EveryDay(|data| {
            person(data).first_name.starts_with('=')
                && person(data).last_name.starts_with('+')
                && job(data).employer.name.starts_with('@')
        }),
    ),
    (
        "no-state",
        EveryDay(|data| {
            let address = person(data).home_address.as_ref();
            address.is_some_and(|address| address.state.is_empty() && address.zip.is_empty())
        }),
    ),
    (
        "foreign-address",
        EveryDay(|data| {
            let address = person(data).home_address.as_ref();
            address.is_some_and(|address| address.country == "CA" && address.zip == "G1R 3X6")
        }),
    ),
    (
        "name-change",
        FromDayToDay(|days| {
            let names = days.iter().map(|data| person(data).last_name.as_str());
            names.eq(["Alder", "Alder-Brook", "Brook"])
        }),
    ),
    (
        "name-differs-by-job",
        EveryDay(|data| {
            let (one, two) = two_jobs(data);
            one.person.first_name != two.person.first_name
                && one.person.last_name != two.person.last_name
                && one.person.ssn == two.person.ssn
        }),
    ),
    (
        "null-as-a-name",
        EveryDay(|data| {
            (person(data).first_name.as_str(), person(data).last_name.as_str()) == ("True", "Null")
                && job(data).employer.name == "None"
        }),
    ),
    (
        "four-accounts",
        EveryDay(|data| {
            use DepositType::{Amount, Entire, Percent};
            let kinds = job(data).deposit_accounts.iter().map(|account| account.deposit_type);
            kinds.eq([Percent, Amount, Percent, Entire].map(Some))
        }),
    ),
    ("no-account", EveryDay(|data| job(data).deposit_accounts.is_empty() && !statements(data).is_empty())),
    (
        "account-without-type",
        EveryDay(|data| {
            job(data).deposit_accounts.iter().any(|account| {
                account.account_type.is_none()
                    && account.deposit_type.is_none()
                    && account.bank_name.is_none()
            })
        }),
    ),
    (
        "percents-below-hundred",
        EveryDay(|data| {
            let accounts = &job(data).deposit_accounts;
            let total: Option<Decimal> = accounts.iter().map(|account| account.deposit_value).sum();
            total < Some(Decimal::ONE_HUNDRED)
                && accounts.iter().all(|account| account.deposit_type == Some(DepositType::Percent))
        }),
    ),
];
