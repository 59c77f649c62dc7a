//! What is not there, in plain words. An underwriter reads this first, and asks the person about each line of it.

use citadel_domain::payroll::{Employment, Statement};
use jiff::civil::{Date, date};

use super::{
    SourcedEmployment, Verification, income,
    job::{employer_name, status, whole_time},
};
use crate::{
    format::{self, count, money},
    sheet::{BODY, LABEL, Sheet},
};

/// Shorter times between two jobs are not worth a question.
const DAYS_BETWEEN_JOBS: i64 = 30;

pub(super) fn write(sheet: &mut Sheet, verification: &Verification) {
    sheet.heading(2, "Gaps, in plain words", 40.0);
    let today = verification.today();
    let mut is_whole = true;
    for (index, job) in verification.jobs().enumerate() {
        let sentences = of_job(job, today, verification.tells_pay(job));
        if sentences.is_empty() {
            continue;
        }
        is_whole = false;
        sheet.heading(3, &format!("Job {}: {}", index + 1, employer_name(&job.employment)), 24.0);
        sheet.sentences(&sentences);
    }
    let jobs: Vec<&Employment> = verification.jobs().map(|job| &job.employment).collect();
    let mut between = between_jobs(&jobs, today);
    between.extend(several_people(&jobs));
    if verification.has_income() {
        let with_pay = verification.jobs().filter(|job| verification.tells_pay(job));
        between.extend(listed_twice(&with_pay.map(|job| &job.employment).collect::<Vec<_>>()));
    }
    if !between.is_empty() {
        is_whole = false;
        sheet.heading(3, "Between jobs", 24.0);
        sheet.sentences(&between);
    }
    if jobs.is_empty() {
        sheet.paragraph(BODY, "Without a job there is nothing in which to look for gaps.");
        return;
    }
    if is_whole {
        sheet.paragraph(BODY, "None were found.");
    }
    let rule = format!(
        "Times of more than {DAYS_BETWEEN_JOBS} days between two jobs are listed, as far as first and last days are known."
    );
    sheet.paragraph(LABEL, &rule);
}

/// Links of one user that are not of one person.
fn several_people(jobs: &[&Employment]) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    for name in jobs.iter().map(|job| format::full_name(&job.person)).filter(|name| !name.trim().is_empty()) {
        if !names.iter().any(|known| known.to_lowercase() == name.to_lowercase()) {
            names.push(name);
        }
    }
    let all = names.join("; ");
    (names.len() > 1).then(|| format!("The employers know the person by different names: {all}."))
}

fn of_job(job: &SourcedEmployment, today: Date, has_income: bool) -> Vec<String> {
    let mut sentences = days(&job.employment, today);
    if has_income {
        sentences.extend(silent_months(&job.employment, today));
        sentences.extend(around_the_job(&job.employment, today));
        sentences.extend(unknown_of_statements(&job.employment.statements));
        sentences.extend(years_that_disagree(&job.employment));
    }
    sentences.extend(fields(job, has_income));
    sentences
}

/// What is odd about the first and the last day.
fn days(job: &Employment, today: Date) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut say = |text: &str| sentences.push(text.to_owned());
    if job.is_active == Some(true) && job.end_date.is_some_and(|end| end < today) {
        say("The provider calls the job active, and shows a last day that has passed.");
    }
    if let (Some(start), Some(end)) = (job.start_date, job.end_date)
        && end < start
    {
        say("The last day lies before the first one.");
    }
    // Systems that must have a date write this one.
    if job.start_date == Some(date(1900, 1, 1)) {
        say("The first day is January 1, 1900, which often stands for a day that is not known.");
    }
    if job.start_date.is_some_and(|start| start > today) {
        say("The first day lies after the day of this report.");
    }
    sentences
}

/// Months without a pay day between the first one and the last month in which one could be expected.
pub(super) fn silent_months(job: &Employment, today: Date) -> Vec<String> {
    let mut paid = income::paid_months(job);
    paid.sort_unstable();
    let Some(last) = paid.last().copied() else { return Vec::new() };
    let ended =
        job.end_date.filter(|_| status(job, today) == "Ended").map(|end| format::month_of(end.min(today)));
    // The present month, or the one in which the job ended, may be paid in the next.
    let expected = match ended {
        Some(month) => month - 1,
        None if status(job, today) == "Active" => format::month_of(today) - 1,
        None => last,
    };
    let mut sentences = Vec::new();
    // As if the month after the last expected one was paid: silence before it is silence at the end.
    paid.push(expected.max(last) + 1);
    for pair in paid.windows(2) {
        // After the end of the job, silence is no gap.
        let (begin, end) = (pair[0] + 1, (pair[1] - 1).min(ended.unwrap_or(i32::MAX)));
        if begin <= end {
            let (months, length) = (format::months(begin, end), count(i64::from(end - begin + 1), "month"));
            sentences
                .push(format!("No statement has a pay day in {months} ({length}), though the job went on."));
        }
    }
    sentences
}

/// Statements from outside the job's days, and history that begins late.
fn around_the_job(job: &Employment, today: Date) -> Vec<String> {
    let mut sentences = Vec::new();
    let days: Vec<Date> = job.statements.iter().filter_map(|each| each.pay_date).collect();
    let number = |count: usize| format::count(i64::try_from(count).unwrap_or(i64::MAX), "statement");
    if job.statements.is_empty() {
        sentences.push("The provider showed no pay statement.".to_owned());
    }
    if let (Some(start), Some(first)) = (job.start_date, days.iter().min()) {
        let before = days.iter().filter(|day| **day < start).count();
        if before > 0 {
            sentences
                .push(format!("The pay day of {} lies before the first day of the job.", number(before)));
        } else if format::month_of(*first) > format::month_of(start) + 1 {
            let (first, start) = (format::date(*first), format::date(start));
            sentences.push(format!(
                "Statements begin with {first}; the job began on {start}, and no pay before is shown."
            ));
        }
    }
    if let Some((_, Some(end))) = whole_time(job, today) {
        let after = days.iter().filter(|day| **day > end).count();
        if after > 0 {
            sentences.push(format!("The pay day of {} lies after the last day of the job.", number(after)));
        }
    }
    sentences
}

/// How many statements lack what.
fn unknown_of_statements(statements: &[Statement]) -> Vec<String> {
    type Lacks = fn(&Statement) -> bool;
    let fields: [(&str, Lacks); 5] = [
        ("pay date", |each| each.pay_date.is_none()),
        ("pay period", |each| each.period_start.is_none() || each.period_end.is_none()),
        ("gross pay", |each| each.gross.is_none()),
        ("net pay", |each| each.net.is_none()),
        ("year-to-date gross pay", |each| each.gross_ytd.is_none()),
    ];
    let sentence = |(name, lacks): (&str, Lacks)| {
        let (lacking, all) = (statements.iter().filter(|each| lacks(each)).count(), statements.len());
        let lacking = i64::try_from(lacking).unwrap_or(i64::MAX);
        let whole = usize::try_from(lacking) == Ok(all) && all > 1;
        let which = if whole { format!("any of the {all} statements") } else { count(lacking, "statement") };
        (lacking > 0).then(|| format!("The provider did not give the {name} of {which}."))
    };
    let mut sentences: Vec<String> = fields.into_iter().filter_map(sentence).collect();
    if statements.iter().any(|each| each.pay_date.is_none()) {
        sentences
            .push("A statement without a pay date is in no month and no year of this report.".to_owned());
    }
    sentences
}

/// Years of which the statements tell more than the year to date, or that had to be added up.
fn years_that_disagree(job: &Employment) -> Vec<String> {
    let mut sentences = Vec::new();
    for year in income::years(job) {
        let of_year =
            || job.statements.iter().filter(|each| each.pay_date.is_some_and(|day| day.year() == year.year));
        let number = count(i64::try_from(year.statements).unwrap_or(i64::MAX), "statement");
        let added_up = format::sum(of_year().map(|each| each.gross));
        match (added_up, year.gross) {
            (Some(sum), _) if year.is_added_up => sentences.push(format!(
                "Gross pay of {} is {}, the sum of {number}: the newest one has no year-to-date figure.",
                year.year,
                money(sum)
            )),
            (Some(sum), Some(told)) if sum > told => sentences.push(format!(
                "Gross pay of {} on {number} comes to {}, more than the year-to-date figure of {}.",
                year.year,
                money(sum),
                money(told)
            )),
            _ => {}
        }
    }
    sentences
}

/// What is missing from the record of the job, and what was worked out.
fn fields(job: &SourcedEmployment, has_income: bool) -> Vec<String> {
    let record = &job.employment;
    let own = [
        ("job_title", record.title.is_none()),
        ("start_date", record.start_date.is_none()),
        ("end_date", record.is_active == Some(false) && record.end_date.is_none()),
        ("is_active", record.is_active.is_none()),
        ("company.name", record.employer.name.trim().is_empty()),
        ("company.ein", record.employer.ein.is_none()),
        ("profile.ssn", record.person.ssn.is_none()),
        ("profile.date_of_birth", record.person.date_of_birth.is_none()),
        ("income", record.pay.is_none_or(|pay| pay.rate.is_none())),
        ("bank_accounts", record.deposit_accounts.is_empty()),
    ];
    let own = own.into_iter().filter(|(_, is_missing)| *is_missing).map(|(name, _)| name);
    let missing = plain(own.chain(job.missing.iter().map(String::as_str)), has_income);
    let derived = plain(job.derived.iter().map(String::as_str), has_income);
    let mut sentences = Vec::new();
    if !missing.is_empty() {
        sentences.push(format!("The provider did not give: {}.", missing.join(", ")));
    }
    if !derived.is_empty() {
        sentences.push(format!("Worked out from what the provider gave: {}.", derived.join(", ")));
    }
    sentences
}

/// What only a report with income speaks of.
const OF_INCOME: [&str; 8] = [
    "income",
    "income_unit",
    "pay_rate",
    "pay_frequency",
    "statements",
    "bank_accounts",
    "w2s",
    "annual_income_summary",
];

/// Names of fields in words, each once, without those that say nothing to a reader of this document.
fn plain<'a>(names: impl Iterator<Item = &'a str>, has_income: bool) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for name in names {
        if name == "profile.middle_initials" || !has_income && OF_INCOME.contains(&name) {
            continue;
        }
        let word = match name {
            "job_title" => "position",
            "job_type" => "full time or part time",
            "start_date" => "first day",
            "end_date" => "last day",
            "original_hire_date" => "day of first hire",
            "external_last_updated" => "day of the last change to the record",
            "is_active" => "whether the job goes on",
            "manager_name" => "manager",
            "income" => "rate of pay",
            "income_unit" => "unit of the rate of pay",
            "pay_rate" => "usual pay of a pay cycle",
            "w2s" => "forms W-2",
            "bank_accounts" => "where pay goes",
            "annual_income_summary" => "income by year",
            "profile.ssn" => "Social Security number",
            "company.ein" => "employer's EIN",
            name => &name
                .replace("profile.", "person's ")
                .replace("company.", "employer's ")
                .replace(['_', '.'], " "),
        };
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    words
}

/// Times without any job, between the last day of all that came before and the next first day.
pub(super) fn between_jobs(jobs: &[&Employment], today: Date) -> Vec<String> {
    let mut times: Vec<(Date, Date, String)> = jobs
        .iter()
        .filter_map(|job| {
            let (start, end) = whole_time(job, today)?;
            Some((start, end.unwrap_or(today.max(start)), employer_name(job)))
        })
        .collect();
    times.sort();
    let mut sentences = Vec::new();
    let mut times = times.into_iter();
    let Some((_, mut end, mut name)) = times.next() else { return sentences };
    for (start, next_end, next_name) in times {
        // Whole days between, neither the last nor the first day of work counted.
        let free = (start - end).get_days() - 1;
        if i64::from(free) > DAYS_BETWEEN_JOBS {
            sentences.push(format!(
                "No job is shown for {} between the last day at {name}, {}, and the first day at {next_name}, {}.",
                count(i64::from(free), "day"),
                format::date(end),
                format::date(start)
            ));
        }
        if next_end > end {
            (end, name) = (next_end, next_name);
        }
    }
    sentences
}

/// Jobs that are alike in all that matters, whose pay would count twice if it were added up.
fn listed_twice(jobs: &[&Employment]) -> Vec<String> {
    let key = |job: &Employment| {
        let pay: Vec<_> = job.statements.iter().map(|each| (each.pay_date, each.gross)).collect();
        (job.employer.name.clone(), job.start_date, pay)
    };
    let mut sentences = Vec::new();
    for (index, job) in jobs.iter().enumerate().filter(|(_, job)| !job.statements.is_empty()) {
        if let Some(first) = jobs[..index].iter().position(|before| key(before) == key(job)) {
            let (first, second) = (first + 1, index + 1);
            sentences.push(format!(
                "Jobs {first} and {second} have the same employer, first day and pay: one job may be listed twice."
            ));
        }
    }
    sentences
}
