//! The company that administrators see: who is there on which day, and what they are paid. From what is shown alone.

use std::collections::{BTreeMap, BTreeSet};

use citadel_connectors::{AuthNext, Connector, Cx, Grant, sandbox::Sandbox};
use citadel_domain::{
    Money, Product, Secret,
    payroll::{CompanyData, DirectoryEntry, PayUnit, PayrollRow},
};
use jiff::{
    ToSpan,
    civil::{Date, date},
};

use crate::support::{API_KEY, NOW, auth, cx, for_product, grant, typed};

const TODAY: Date = date(2026, 11, 23);

async fn administrator() -> Grant {
    match auth(&for_product(Product::Admin), typed(&[("api_key", API_KEY)])).await {
        Ok(AuthNext::Ready(grant)) => grant,
        other => panic!("{other:?}"),
    }
}

fn on(today: Date) -> Cx {
    Cx { product: Product::Admin, ..cx(&format!("{today}T12:00:00Z")) }
}

async fn company(today: Date) -> CompanyData {
    Sandbox::new().fetch_company(&on(today), &administrator().await).await.expect("a company")
}

async fn payroll(from: Date, to: Date, today: Date) -> Vec<PayrollRow> {
    let read = Sandbox::new().fetch_payroll(&on(today), &administrator().await, from, to).await;
    read.expect("a register")
}

/// All names as one text, as reports write them.
fn full_name(entry: &DirectoryEntry) -> String {
    let person = &entry.person;
    match &person.middle_initials {
        Some(initials) => format!("{} {initials} {}", person.first_name, person.last_name),
        None => format!("{} {}", person.first_name, person.last_name),
    }
}

/// Ordinary days for seven years, and a few far ahead.
fn days() -> impl Iterator<Item = Date> {
    let ahead = [date(2033, 1, 1), date(2035, 6, 1), date(2048, 2, 29), date(2070, 1, 1)];
    date(2024, 1, 1).series(37.days()).take(70).chain(ahead)
}

#[tokio::test]
async fn every_administrator_sees_the_same_company() {
    let seen = company(TODAY).await;
    assert_eq!(seen.employer.name, "Bluebarrow Logistics");
    let names: Vec<String> = seen.people.iter().map(full_name).take(3).collect();
    assert_eq!(
        (seen.people.len(), names.join(", ").as_str()),
        (121, "Fatima I Abbott, Rosa Abbott, Hannah G Alvarez"),
        "the same for ever"
    );
    assert_eq!(company(TODAY).await, seen);
    let adp = Cx { provider_id: "adp".to_owned(), product: Product::Fas, employer_name: None, ..cx(NOW) };
    for username in ["goodlogin", "fulltime"] {
        let other = Sandbox::new().fetch_company(&adp, &grant(username).await).await;
        assert_eq!(other.unwrap(), seen, "{username}");
    }
}

#[tokio::test]
async fn a_directory_has_forty_to_two_hundred_people_of_their_own() {
    for today in days() {
        let people = company(today).await.people;
        assert!((40..=200).contains(&people.len()), "{} on {today}", people.len());
        let active = people.iter().filter(|entry| entry.is_active == Some(true)).count();
        assert!(active >= 40, "{active} work on {today}");
        for what in [
            |entry: &DirectoryEntry| entry.external_id.clone(),
            |entry: &DirectoryEntry| format!("{} {}", entry.person.first_name, entry.person.last_name),
            |entry: &DirectoryEntry| entry.person.email.clone().unwrap(),
            |entry: &DirectoryEntry| entry.person.ssn.as_ref().unwrap().expose().to_owned(),
        ] {
            let distinct: BTreeSet<String> = people.iter().map(what).collect();
            assert_eq!(distinct.len(), people.len(), "{today}");
        }
    }
}

#[tokio::test]
async fn nobody_is_seen_before_they_start_and_an_end_is_seen_once_it_has_passed() {
    for today in days() {
        for entry in company(today).await.people {
            let start = entry.start_date.unwrap();
            assert!(start <= today, "{today}: {entry:?}");
            assert_eq!(entry.is_active, Some(entry.end_date.is_none()), "{today}");
            assert!(entry.end_date.is_none_or(|end| start < end && end < today), "{today}: {entry:?}");
            let age = start.year() - entry.person.date_of_birth.unwrap().year();
            assert!((18..=68).contains(&age), "{age}: {entry:?}");
        }
    }
    assert!(company(date(2014, 6, 1)).await.people.is_empty(), "before it was founded");
}

/// Who of a department reports to whom, among those who work there.
fn reports<'a>(people: &'a [DirectoryEntry], department: &str) -> BTreeMap<&'a str, Vec<&'a DirectoryEntry>> {
    let mut reports: BTreeMap<&str, Vec<&DirectoryEntry>> = BTreeMap::new();
    for entry in people {
        if entry.department.as_deref() == Some(department) && entry.is_active == Some(true) {
            reports.entry(entry.manager_name.as_deref().unwrap_or_default()).or_default().push(entry);
        }
    }
    reports
}

/// The head reports to the chief and the others to the head. While there is no head, all report to the chief.
#[tokio::test]
async fn every_department_has_a_head_under_the_chief() {
    for today in days() {
        let people = company(today).await.people;
        let departments: BTreeSet<&str> =
            people.iter().filter_map(|entry| entry.department.as_deref()).collect();
        assert_eq!(departments.len(), 8, "{departments:?}");
        let chiefs = reports(&people, "Management");
        let [("", chief)] = chiefs.iter().map(|(name, of)| (*name, of.as_slice())).collect::<Vec<_>>()[..]
        else {
            panic!("{chiefs:?}")
        };
        assert_eq!(chief.len(), 1, "{today}");
        let chief = full_name(chief[0]);

        let mut without_a_head = 0;
        for department in departments.into_iter().filter(|name| *name != "Management") {
            let mut reports = reports(&people, department);
            let to_the_chief = reports.remove(chief.as_str()).expect("somebody reports to the chief");
            match reports.into_keys().collect::<Vec<_>>()[..] {
                [] => without_a_head += 1,
                [head] => assert_eq!(
                    to_the_chief.iter().map(|entry| full_name(entry)).collect::<Vec<_>>(),
                    [head],
                    "{department} on {today}"
                ),
                ref heads => panic!("{department} on {today}: {heads:?}"),
            }
        }
        assert!(without_a_head <= 2, "{without_a_head} departments without a head on {today}");
    }
}

#[tokio::test]
async fn leavers_keep_the_manager_they_had_and_stay_in_the_directory() {
    let names: BTreeSet<String> = company(TODAY).await.people.iter().map(full_name).collect();
    let leavers: Vec<DirectoryEntry> =
        company(TODAY).await.people.into_iter().filter(|entry| entry.end_date.is_some()).collect();
    assert!(leavers.len() >= 20, "{}", leavers.len());
    for leaver in &leavers {
        assert!(names.contains(leaver.manager_name.as_ref().unwrap()), "{leaver:?}");
    }
    let later = company(TODAY.saturating_add(400.days())).await;
    for leaver in leavers {
        assert!(later.people.contains(&leaver), "changed after the end: {leaver:?}");
    }
}

#[tokio::test]
async fn people_join_and_leave_every_year() {
    for year in 2016..2032 {
        let before = company(date(year, 1, 1)).await.people;
        let after = company(date(year + 1, 1, 1)).await.people;
        let left = |people: &[DirectoryEntry]| people.iter().filter(|entry| entry.end_date.is_some()).count();
        assert!(after.len() > before.len(), "nobody joined in {year}");
        assert!(left(&after) > left(&before), "nobody left in {year}");
    }
}

#[tokio::test]
async fn salaries_and_hours_are_mixed_on_one_calendar() {
    let people = company(TODAY).await.people;
    let active: Vec<_> = people.iter().filter(|entry| entry.is_active == Some(true)).collect();
    let paid = |unit| active.iter().filter(|entry| entry.pay.unwrap().unit == unit).count();
    let (yearly, hourly) = (paid(Some(PayUnit::Yearly)), paid(Some(PayUnit::Hourly)));
    assert!(yearly >= 12 && hourly >= 25 && yearly + hourly == active.len(), "{yearly} {hourly}");
    let rows = payroll(date(2026, 1, 1), TODAY, TODAY).await;
    let mut runs: BTreeMap<Date, usize> = BTreeMap::new();
    for row in &rows {
        *runs.entry(row.statement.pay_date.unwrap()).or_default() += 1;
    }
    assert_eq!(runs.len(), 24, "a run every two weeks: {runs:?}");
    assert!(runs.values().all(|people| (40..=200).contains(people)), "{runs:?}");
}

/// Contract 8.4: the range that published clients ask for.
#[tokio::test]
async fn january_2020_is_the_same_for_ever() {
    let (from, to) = (date(2020, 1, 1), date(2020, 2, 1));
    let rows = payroll(from, to, TODAY).await;
    let people: BTreeSet<&str> = rows.iter().map(|row| row.employee_id.as_str()).collect();
    assert!(people.len() >= 40, "{}", people.len());
    for today in [date(2020, 2, 1), date(2024, 2, 29), date(2031, 7, 4), date(2060, 1, 1)] {
        assert_eq!(payroll(from, to, today).await, rows, "{today}");
    }
    // Somebody may have saved these figures in a test of their own.
    let gross: Money = rows.iter().map(|row| row.statement.gross.unwrap()).sum();
    let PayrollRow { full_name, statement, .. } = &rows[0];
    let figures = format!(
        "{} rows, {gross}; {full_name} {} {}",
        rows.len(),
        statement.pay_date.unwrap(),
        statement.net.unwrap()
    );
    assert_eq!(figures, "114 rows, 319496.36; Aaron K Norwood 2020-01-10 727.65");
}

#[tokio::test]
async fn rows_are_sorted_within_the_range_and_of_people_in_the_directory() {
    let directory: BTreeMap<String, DirectoryEntry> =
        company(TODAY).await.people.into_iter().map(|entry| (entry.external_id.clone(), entry)).collect();
    let (from, to) = (date(2024, 6, 1), date(2030, 1, 1));
    let rows = payroll(from, to, TODAY).await;
    let keys: Vec<(Date, &str)> =
        rows.iter().map(|row| (row.statement.pay_date.unwrap(), row.full_name.as_str())).collect();
    assert!(keys.is_sorted());
    assert!(keys.iter().all(|(day, _)| (from..=TODAY).contains(day)));
    for row in &rows {
        let entry = &directory[&row.employee_id];
        assert_eq!(row.full_name, full_name(entry));
        let statement = &row.statement;
        assert!(
            statement.pay_date.unwrap() >= entry.start_date.unwrap(),
            "{}: paid before the start",
            row.full_name
        );
        assert!(entry.end_date.is_none_or(|end| statement.period_start.unwrap() <= end), "{}", row.full_name);
        let lines: Money = statement.earnings.iter().map(|line| line.amount.unwrap()).sum();
        let taken: Money =
            statement.taxes.iter().chain(&statement.deductions).map(|line| line.amount.unwrap()).sum();
        assert_eq!((statement.gross.unwrap(), statement.net.unwrap()), (lines, lines - taken));
    }
    let ids: BTreeSet<&str> = rows.iter().map(|row| row.statement.external_id.as_str()).collect();
    assert_eq!(ids.len(), rows.len());
}

/// A range may be cut anywhere, also within a year: the parts are the whole.
#[tokio::test]
async fn the_rows_of_parts_are_the_rows_of_the_whole() {
    let whole = payroll(date(2023, 11, 10), date(2024, 7, 5), TODAY).await;
    let mut parts = Vec::new();
    for (from, to) in [
        (date(2023, 11, 10), date(2023, 12, 31)),
        (date(2024, 1, 1), date(2024, 5, 17)),
        (date(2024, 5, 18), date(2024, 5, 18)),
        (date(2024, 5, 19), date(2024, 7, 5)),
    ] {
        parts.extend(payroll(from, to, TODAY).await);
    }
    assert_eq!(parts, whole);
    assert!(payroll(date(2024, 5, 18), date(2024, 5, 17), TODAY).await.is_empty());
    assert!(payroll(date(1990, 1, 1), date(2014, 5, 31), TODAY).await.is_empty());
    assert!(payroll(date(2027, 1, 1), date(2030, 1, 1), TODAY).await.is_empty(), "nothing of the future");
}

#[tokio::test]
async fn the_year_to_date_runs_through_the_register() {
    let mut so_far: BTreeMap<(String, i16), (Money, Money)> = BTreeMap::new();
    for row in payroll(date(2022, 1, 1), TODAY, TODAY).await {
        let statement = row.statement;
        let ytd = so_far.entry((row.employee_id, statement.pay_date.unwrap().year())).or_default();
        *ytd = (ytd.0 + statement.gross.unwrap(), ytd.1 + statement.net.unwrap());
        assert_eq!((statement.gross_ytd, statement.net_ytd), (Some(ytd.0), Some(ytd.1)), "{}", row.full_name);
    }
    assert!(so_far.len() > 300, "{}", so_far.len());
}

#[tokio::test]
async fn identifiers_are_of_ranges_never_given_out() {
    for entry in company(TODAY).await.people {
        assert!(entry.person.ssn.as_ref().map(Secret::expose).is_some_and(|ssn| ssn.starts_with('9')));
        assert!(
            entry.phone.as_deref().is_some_and(|phone| phone.len() == 10 && phone[3..].starts_with("55501"))
        );
        assert!(entry.person.email.as_deref().is_some_and(|email| email.ends_with("@example.com")));
    }
}

#[tokio::test]
async fn a_clock_far_off_is_no_panic() {
    for now in ["1970-01-01T00:00:00Z", "2199-12-31T00:00:00Z", "9999-12-30T00:00:00Z"] {
        let cx = Cx { product: Product::Admin, ..cx(now) };
        let sandbox = Sandbox::new();
        sandbox.fetch_company(&cx, &administrator().await).await.unwrap();
        let day = jiff::tz::Offset::UTC.to_datetime(cx.now).date();
        let from = day.saturating_sub(40.days());
        sandbox.fetch_payroll(&cx, &administrator().await, from, Date::MAX).await.unwrap();
        sandbox.fetch_payroll(&cx, &administrator().await, Date::MIN, date(2015, 1, 1)).await.unwrap();
    }
}
