//! The first page: the answer, for who reads nothing else.

use super::{
    NO_EMPLOYMENT, Verification, income,
    job::{employer_name, position, status, tenure, whole_time},
};
use crate::{
    blocks::thirds,
    format::{self, maybe_money},
    request::NOT_GIVEN,
    sheet::{BODY, LEFT, RIGHT, Sheet},
    table::{Column, Row, Table},
};

const PITCH: f32 = 13.5;
const JOBS: [Column; 6] = [
    Column::text("Employer", LEFT, 122.0),
    Column::text("Position", LEFT + 128.0, 102.0),
    Column::text("Status", LEFT + 236.0, 44.0),
    Column::text("First day", LEFT + 284.0, 60.0),
    Column::text("Last day", LEFT + 348.0, 60.0),
    Column::text("Time in the job", LEFT + 412.0, 92.0),
];
const YEARS: [Column; 4] = [
    Column::text("Employer", LEFT, 236.0),
    Column::text("Year, up to the last pay day", LEFT + 248.0, 110.0),
    Column::figure("Gross pay", 478.0, 110.0),
    Column::figure("Net pay", RIGHT, 76.0),
];

pub(super) fn write(sheet: &mut Sheet, verification: &Verification) {
    sheet.boxed(|sheet| {
        sheet.heading(2, "Summary", 120.0);
        sheet
            .facts(&thirds(verification.person.facts(verification.request.is_masked).map(|fact| vec![fact])));
        sheet.y += 12.0;
        if verification.jobs().next().is_none() {
            sheet.paragraph(BODY, NO_EMPLOYMENT);
            return;
        }
        sheet.table(&Table { about: "Jobs", columns: &JOBS, rows: jobs(verification), pitch: PITCH });
        if verification.has_income() {
            sheet.y += 12.0;
            years(sheet, verification);
        }
        sheet.y -= 4.0;
    });
}

fn jobs(verification: &Verification) -> Vec<Row> {
    let today = verification.today();
    let row = |job: &super::SourcedEmployment| {
        let job = &job.employment;
        let day = |day: Option<_>| day.map_or_else(|| NOT_GIVEN.to_owned(), format::date);
        let last = match whole_time(job, today) {
            Some((_, None)) => "–".to_owned(),
            _ => day(job.end_date),
        };
        Row::new(vec![
            employer_name(job),
            position(job),
            status(job, today).to_owned(),
            day(job.start_date),
            last,
            tenure(job, today).unwrap_or_else(|| "Not known".to_owned()),
        ])
    };
    verification.jobs().map(row).collect()
}

const NO_PAY: &str = "What the jobs pay was not shared.";

/// Every employer's own years: no sum over employers, because one job may be listed by two of them.
fn years(sheet: &mut Sheet, verification: &Verification) {
    let of = |job: &super::SourcedEmployment| {
        let name = employer_name(&job.employment);
        let rows = income::years(&job.employment).into_iter().map(move |year| {
            Row::new(vec![name.clone(), year.name(), maybe_money(year.gross), maybe_money(year.net)])
        });
        rows.collect::<Vec<_>>()
    };
    let shared: Vec<_> = verification.jobs().filter(|job| verification.tells_pay(job)).collect();
    let rows: Vec<Row> = shared.iter().copied().flat_map(of).collect();
    if shared.is_empty() {
        sheet.paragraph(BODY, NO_PAY);
        sheet.y += PITCH - 4.0;
        return;
    }
    if rows.is_empty() {
        sheet.paragraph(
            BODY,
            "The provider showed no pay statement with a pay day, so no income is known by year.",
        );
        sheet.y += PITCH - 4.0;
    } else {
        sheet.table(&Table { about: "Income by year", columns: &YEARS, rows, pitch: PITCH });
    }
}
