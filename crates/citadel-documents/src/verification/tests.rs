//! What is reckoned and what is said, on jobs made for the purpose.

use citadel_connectors::sandbox;
use citadel_domain::{Money, payroll::Statement};
use jiff::civil::date;

use super::{gaps, income, job, *};

const TODAY: Date = date(2026, 11, 23);

/// A job without pay that goes on.
fn bare() -> Employment {
    let mut job = sandbox::anybody("bare", None, TODAY).employments.remove(0);
    job.statements.clear();
    (job.is_active, job.start_date, job.end_date) = (Some(true), Some(date(2025, 1, 6)), None);
    job
}

/// A statement of a pay day, with `gross` dollars and nothing else.
fn paid(day: Date, gross: i64) -> Statement {
    let template = sandbox::anybody("file", None, TODAY).employments.remove(0).statements.remove(0);
    Statement {
        pay_date: Some(day),
        gross: Some(Money::from_cents(gross * 100)),
        gross_ytd: None,
        net: None,
        net_ytd: None,
        earnings: Vec::new(),
        ..template
    }
}

fn with(statements: Vec<Statement>) -> Employment {
    Employment { statements, ..bare() }
}

fn dollars(amount: i64) -> Option<Money> {
    Some(Money::from_cents(amount * 100))
}

#[test]
fn months_without_a_pay_day_are_told_in_one_sentence_each() {
    let check = |days: &[Date], end: Option<Date>, expected: &[&str]| {
        let job = Employment {
            end_date: end,
            is_active: Some(end.is_none()),
            ..with(days.iter().map(|day| paid(*day, 1)).collect())
        };
        let told = gaps::silent_months(&job, TODAY);
        let months: Vec<&str> = told
            .iter()
            .map(|each| &each["No statement has a pay day in ".len()..each.find(", though").unwrap()])
            .collect();
        assert_eq!(months, expected, "{days:?}");
    };
    check(&[], None, &[]);
    check(&[date(2026, 10, 30), date(2026, 9, 30)], None, &[]);
    check(
        &[date(2026, 10, 1), date(2026, 7, 31), date(2026, 5, 1)],
        None,
        &["June 2026 (1 month)", "August 2026 to September 2026 (2 months)"],
    );
    check(&[date(2025, 11, 1)], None, &["December 2025 to October 2026 (11 months)"]);
    check(&[date(2025, 11, 1)], Some(date(2025, 12, 20)), &[]);
    check(&[date(2025, 11, 1)], Some(date(2026, 2, 1)), &["December 2025 to January 2026 (2 months)"]);
    // Severance long after the last day, and a gap before it.
    check(
        &[date(2026, 10, 1), date(2026, 6, 1)],
        Some(date(2026, 8, 1)),
        &["July 2026 to August 2026 (2 months)"],
    );
    check(&[date(2026, 10, 1), date(2026, 8, 1)], Some(date(2026, 8, 1)), &[]);
}

#[test]
fn times_between_jobs_count_from_the_last_day_of_all_before() {
    let job = |name: &str, start: Date, end: Option<Date>| {
        let mut job =
            Employment { start_date: Some(start), end_date: end, is_active: Some(end.is_none()), ..bare() };
        job.employer.name = name.to_owned();
        job
    };
    let check = |jobs: &[Employment], expected: &[&str]| {
        let told = gaps::between_jobs(&jobs.iter().collect::<Vec<_>>(), TODAY);
        let days: Vec<&str> = told
            .iter()
            .map(|each| &each["No job is shown for ".len()..each.find(" between").unwrap()])
            .collect();
        assert_eq!(days, expected, "{told:?}");
    };
    let first = job("First", date(2020, 1, 1), Some(date(2024, 6, 30)));
    check(&[job("Now", date(2024, 7, 31), None), first.clone()], &[]);
    check(&[job("Now", date(2024, 8, 1), None), first.clone()], &["31 days"]);
    let inside = job("Inside", date(2021, 1, 1), Some(date(2021, 2, 1)));
    check(&[job("Now", date(2024, 7, 1), None), inside, first.clone()], &[]);
    let unknown = Employment { start_date: None, ..first.clone() };
    check(&[job("Now", date(2024, 8, 1), None), unknown], &[]);
    check(&[first], &[]);
}

#[test]
fn a_year_is_its_newest_year_to_date_or_the_sum_of_its_statements() {
    let mut newest = paid(date(2026, 10, 1), 100);
    newest.gross_ytd = dollars(950);
    let job = with(vec![
        paid(date(2025, 3, 1), 70),
        newest,
        paid(date(2026, 9, 1), 100),
        paid(date(2025, 2, 1), 30),
    ]);
    let years = income::years(&job);
    let told: Vec<_> =
        years.iter().map(|year| (year.name(), year.gross, year.is_added_up, year.statements)).collect();
    assert_eq!(
        told,
        [
            ("2026, to Oct 1".to_owned(), dollars(950), false, 2),
            ("2025, to Mar 1".to_owned(), dollars(100), true, 2),
        ]
    );
    let mut absurd = with(vec![paid(date(2026, 10, 1), 1); 2]);
    absurd.statements.iter_mut().for_each(|each| each.gross = Some(Money::from_cents(i64::MAX)));
    assert_eq!(income::years(&absurd)[0].gross, None, "a sum beyond all amounts is no amount");
}

#[test]
fn months_reach_back_two_years_and_say_when_they_are_not_whole() {
    let mut unknown = paid(date(2026, 8, 20), 0);
    unknown.gross = None;
    let days = [date(2026, 10, 1), date(2026, 8, 6), date(2024, 10, 31)];
    let mut job = with(days.into_iter().map(|day| paid(day, 10)).collect());
    job.statements.push(unknown);
    let months = income::months(&job);
    assert_eq!(months.len(), 24);
    let told: Vec<_> =
        months.iter().take(3).map(|month| (month.statements, month.gross.text(), month.net.text())).collect();
    let text = |text: &str| text.to_owned();
    assert_eq!(
        told,
        [
            (1, text("10.00"), text("not given")),
            (0, text("–"), text("–")),
            (2, text("10.00 *"), text("not given")),
        ]
    );
    assert_eq!(income::months(&with(vec![paid(date(2026, 10, 1), 1)])).len(), 1);
}

#[test]
fn statements_stand_newest_first_and_those_without_any_day_last_in_their_order() {
    let mut undated = paid(TODAY, 1);
    (undated.pay_date, undated.period_start, undated.period_end) = (None, None, None);
    let by_period = Statement { period_end: Some(date(2026, 3, 1)), ..undated.clone() };
    let (one, two) = (Statement { gross: dollars(7), ..undated.clone() }, undated);
    let job = with(vec![one, paid(date(2026, 2, 1), 2), by_period, paid(date(2026, 4, 1), 3), two]);
    let order: Vec<_> = income::statements(&job).into_iter().map(|each| each.gross).collect();
    assert_eq!(order, [3, 1, 2, 7, 1].map(dollars));
}

#[test]
fn status_and_time_in_the_job_come_from_what_is_known() {
    let check =
        |active: Option<bool>, start: Option<Date>, end: Option<Date>, status: &str, tenure: Option<&str>| {
            let record = Employment { is_active: active, start_date: start, end_date: end, ..bare() };
            assert_eq!(job::status(&record, TODAY), status);
            assert_eq!(job::tenure(&record, TODAY).as_deref(), tenure, "{start:?} {end:?}");
        };
    let (start, end) = (Some(date(2023, 9, 24)), Some(date(2024, 9, 23)));
    check(Some(true), start, None, "Active", Some("3 years 2 months"));
    check(Some(false), start, end, "Ended", Some("1 year"));
    check(Some(false), start, None, "Ended", None);
    check(None, start, end, "Ended", Some("1 year"));
    check(None, start, None, "Not given", Some("3 years 2 months"));
    check(Some(true), None, None, "Active", None);
    check(Some(false), start, start, "Ended", Some("1 day"));
    check(Some(false), end, start, "Ended", None);
    check(Some(true), Some(date(2026, 11, 24)), None, "Active", None);
}

#[test]
fn fields_are_named_in_words_and_pay_only_where_it_was_asked_for() {
    let mut job = SourcedEmployment::from(bare());
    job.employment.title = None;
    job.employment.pay = None;
    job.missing = ["job_title", "company.ein", "w2s", "profile.home_address.zip", "profile.middle_initials"]
        .map(str::to_owned)
        .to_vec();
    job.derived = ["annual_income_summary", "profile.full_name"].map(str::to_owned).to_vec();
    let request = Request {
        report_id: "1".to_owned(),
        requested_by: String::new(),
        created_at: "2026-11-23T14:05:09Z".parse().unwrap(),
        consent: None,
        is_masked: false,
    };
    let person = Subject { name: String::new(), ssn: None, date_of_birth: None };
    let source = Source {
        provider_name: String::new(),
        data_source: "carrier pigeon".to_owned(),
        read_at: None,
        tracking_info: None,
        employments: vec![job],
    };
    let mut verification =
        Verification { kind: VerificationKind::EmploymentOnly, request, person, sources: vec![source] };
    let text = |verification: &Verification| {
        let sheet = layout(verification);
        assert!(sheet.is_inside_its_margins());
        sheet.texts().join(" ")
    };
    let told = text(&verification);
    for part in [
        "The provider did not give: position, employer's EIN, person's home address zip.",
        "Worked out from what the provider gave: person's full name.",
        "carrier pigeon",
        "Not read yet",
        "Not on record",
        "made for a business without a name",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    verification.kind = VerificationKind::IncomeAndEmployment;
    let told = text(&verification).replace("  ", " ");
    for part in ["rate of pay", "forms W-2", "income by year", "The provider showed no pay statement."] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn p07_a_masked_reader_is_told_no_birth_date() {
    let job = SourcedEmployment::from(bare());
    let born = format::date(job.employment.person.date_of_birth.unwrap());
    let person = Subject {
        name: "Somebody".to_owned(),
        ssn: job.employment.person.ssn.clone(),
        date_of_birth: job.employment.person.date_of_birth,
    };
    let request = Request {
        report_id: "1".to_owned(),
        requested_by: String::new(),
        created_at: "2026-11-23T14:05:09Z".parse().unwrap(),
        consent: None,
        is_masked: false,
    };
    let source = Source {
        provider_name: String::new(),
        data_source: "payroll".to_owned(),
        read_at: None,
        tracking_info: None,
        employments: vec![job],
    };
    let kind = VerificationKind::EmploymentOnly;
    let mut verification = Verification { kind, request, person, sources: vec![source] };
    let count = |verification: &Verification| {
        layout(verification).texts().iter().filter(|text| text.contains(&born)).count()
    };
    assert_eq!(count(&verification), 2);
    verification.request.is_masked = true;
    assert_eq!(count(&verification), 0);
}
