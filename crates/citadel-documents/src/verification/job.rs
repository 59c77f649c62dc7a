//! One job: the employer, the person as the employer knows them, the position, and, where income is asked for, the pay.

use citadel_domain::payroll::Employment;
use jiff::{Unit, civil::Date};

use super::{NOT_SHARED, SourcedEmployment, Verification, income_tables};
use crate::{
    blocks::{Fact, thirds},
    deposit,
    format::{self, maybe_money},
    request::NOT_GIVEN,
    sheet::{BODY, LEFT, RIGHT, Sheet},
    table::{Column, Row, Table},
};

const FORMS: [Column; 3] = [
    Column::text("Year", LEFT, 100.0),
    Column::figure("Wages (box 1)", 400.0, 110.0),
    Column::figure("Federal tax withheld (box 2)", RIGHT, 150.0),
];

pub(super) fn write(
    sheet: &mut Sheet,
    verification: &Verification,
    number: usize,
    sourced: &SourcedEmployment,
) {
    let job = &sourced.employment;
    let today = verification.today();
    sheet.heading(2, &format!("Job {number}: {}", employer_name(job)), 150.0);
    sheet.facts(&thirds([employer(job), person(job, verification.request.is_masked), place(job, today)]));
    if !verification.has_income() {
        return;
    }
    sheet.y += 8.0;
    if !verification.tells_pay(sourced) {
        sheet.paragraph(BODY, NOT_SHARED);
        return;
    }
    sheet.facts(&thirds(pay(job).map(|fact| vec![fact])));
    income_tables::write(sheet, job);
    forms(sheet, job);
    accounts(sheet, job);
}

fn employer(job: &Employment) -> Vec<Fact> {
    let employer = &job.employer;
    let address = employer.address.as_ref().map(format::address).into_iter().flatten();
    vec![
        Fact::lines("Employer", [employer_name(job)].into_iter().chain(address)),
        Fact::new("EIN", or_not_given(employer.ein.clone())),
        Fact::new("Phone", or_not_given(employer.phone.clone())),
        Fact::new("Manager", or_not_given(job.manager_name.clone())),
    ]
}

fn person(job: &Employment, is_masked: bool) -> Vec<Fact> {
    let person = &job.person;
    let address = person.home_address.as_ref().map(format::address).into_iter().flatten();
    let name = format::or(&format::full_name(person), NOT_GIVEN);
    vec![
        Fact::lines("The person, as the employer knows them", [name].into_iter().chain(address)),
        Fact::new("Social Security number", or_not_given(person.ssn.as_ref().map(format::masked_ssn))),
        Fact::new(
            "Date of birth",
            or_not_given(person.date_of_birth.map(|date| format::birth_date(date, is_masked))),
        ),
    ]
}

fn place(job: &Employment, today: Date) -> Vec<Fact> {
    let kind = job.job_type.map(|kind| format::job_type(kind).to_owned());
    let mut facts = vec![
        Fact::lines("Position", [position(job)].into_iter().chain(kind)),
        Fact::new("Status", status(job, today)),
        Fact::new("First day", or_not_given(job.start_date.map(format::date))),
    ];
    if let Some(hired) = job.original_hire_date.filter(|day| Some(*day) != job.start_date) {
        facts.push(Fact::new("First hired", format::date(hired)));
    }
    if !matches!(whole_time(job, today), Some((_, None))) {
        facts.push(Fact::new("Last day", or_not_given(job.end_date.map(format::date))));
    }
    facts.push(Fact::new("Time in the job", tenure(job, today).unwrap_or_else(|| "Not known".to_owned())));
    facts
}

fn pay(job: &Employment) -> [Fact; 3] {
    let pay = job.pay.unwrap_or_default();
    let rate = pay.rate.map(|rate| {
        let unit = pay.unit.map(|unit| format!(" {}", format::per(unit))).unwrap_or_default();
        format!("${}{unit}", format::money(rate))
    });
    let cycle = pay.per_cycle.map(|amount| format!("${}", format::money(amount)));
    let frequency = pay.frequency.map(|each| format::frequency(each).to_owned());
    [
        Fact::new("Rate of pay", or_not_given(rate)),
        Fact::new("Usual pay of a pay cycle", or_not_given(cycle)),
        Fact::new("Pay frequency", or_not_given(frequency)),
    ]
}

fn forms(sheet: &mut Sheet, job: &Employment) {
    if job.w2s.is_empty() {
        return;
    }
    let row = |w2: &citadel_domain::payroll::W2| {
        Row::new(vec![w2.year.to_string(), maybe_money(w2.wages), maybe_money(w2.federal_tax)])
    };
    let rows = job.w2s.iter().map(row).collect();
    section(sheet, "Forms W-2", &Table { about: "Forms W-2", columns: &FORMS, rows, pitch: 13.0 });
}

fn accounts(sheet: &mut Sheet, job: &Employment) {
    if job.deposit_accounts.is_empty() {
        sheet.heading(3, "Where pay goes", 20.0);
        sheet.paragraph(BODY, "The provider showed no account.");
        return;
    }
    let rows = job.deposit_accounts.iter().map(deposit::row).collect();
    section(
        sheet,
        "Where pay goes",
        &Table { about: "Where pay goes", columns: &deposit::ACCOUNTS, rows, pitch: 13.0 },
    );
}

/// A heading, and a table that begins on the same page.
pub(super) fn section(sheet: &mut Sheet, name: &str, table: &Table<'_>) {
    sheet.heading(3, name, table.least());
    sheet.table(table);
}

pub(super) fn employer_name(job: &Employment) -> String {
    format::or(&job.employer.name, "Employer without a name")
}

pub(super) fn position(job: &Employment) -> String {
    format::or(job.title.as_deref().unwrap_or_default(), NOT_GIVEN)
}

/// Whether the job goes on. An end in the past says it where nothing else does.
pub(super) fn status(job: &Employment, today: Date) -> &'static str {
    match (job.is_active, job.end_date) {
        (Some(true), _) => "Active",
        (Some(false), _) => "Ended",
        (None, Some(end)) if end <= today => "Ended",
        (None, _) => NOT_GIVEN,
    }
}

/// The first day, and the last one unless the job goes on. Nothing where a day that is needed is not known.
pub(super) fn whole_time(job: &Employment, today: Date) -> Option<(Date, Option<Date>)> {
    let start = job.start_date?;
    match status(job, today) {
        "Ended" => Some((start, Some(job.end_date?))),
        _ => Some((start, job.end_date)),
    }
}

/// `3 years 2 months`, the first and the last day included.
pub(super) fn tenure(job: &Employment, today: Date) -> Option<String> {
    let (start, end) = whole_time(job, today)?;
    let after = end.unwrap_or(today).min(today).tomorrow().ok()?;
    if start >= after {
        return None;
    }
    let span = start.until((Unit::Year, after)).ok()?;
    let (years, months) = (i64::from(span.get_years()), i64::from(span.get_months()));
    if years == 0 && months == 0 {
        return Some(format::count(i64::from(span.get_days()), "day"));
    }
    let parts = [(years, "year"), (months, "month")];
    let known = parts.into_iter().filter(|(count, _)| *count > 0);
    Some(known.map(|(count, unit)| format::count(count, unit)).collect::<Vec<_>>().join(" "))
}

fn or_not_given(value: Option<String>) -> String {
    value.filter(|value| !value.trim().is_empty()).unwrap_or_else(|| NOT_GIVEN.to_owned())
}
