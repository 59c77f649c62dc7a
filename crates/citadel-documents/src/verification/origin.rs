//! Where everything in the report comes from.

use super::{Source, SourcedEmployment, Verification, job::employer_name};
use crate::{
    format,
    request::NOT_GIVEN,
    sheet::{BODY, LABEL, LEFT, Mark, Sheet},
    table::{Column, Row, Table},
};

const COLUMNS: [Column; 4] = [
    Column::text("What", LEFT, 190.0),
    Column::text("Source", LEFT + 200.0, 90.0),
    Column::text("Kind of source", LEFT + 300.0, 90.0),
    Column::text("When", LEFT + 396.0, 108.0),
];

pub(super) fn write(sheet: &mut Sheet, verification: &Verification) {
    let mut rows: Vec<Row> =
        verification.sources.iter().flat_map(|source| of_source(source, verification)).collect();
    let made = format::instant(verification.request.created_at);
    let ours =
        |what: &str, how: &str| Row::new([what, "This server", how, &made].map(str::to_owned).to_vec());
    if verification.jobs().next().is_some() {
        if verification.has_income() {
            rows.push(ours("Sums by year and by month", "Worked out"));
        }
        rows.push(ours("Gaps", "Worked out"));
    }
    rows.push(ours("Request and consent", "Recorded"));
    let table = Table { about: "Where this comes from", columns: &COLUMNS, rows, pitch: 13.0 };
    sheet.heading(2, table.about, table.least());
    sheet.table(&table);
    sheet.y += 4.0;
    for source in &verification.sources {
        if let Some(tracking_info) = source.tracking_info.as_deref().filter(|text| !text.trim().is_empty()) {
            let name = provider(source);
            let client = verification.request.client();
            sheet.paragraph(LABEL, &format!("Tracking info of {client} for {name}: {tracking_info}"));
        }
    }
    sheet.paragraph(BODY, COPY);
    sheet.paragraph(BODY, if verification.has_income() { SUMS } else { NO_SUMS });
    if has_letters_that_cannot_be_shown(sheet) {
        sheet.paragraph(BODY, UNKNOWN);
    }
}

const COPY: &str = "This report is a copy of what the provider showed when it was read, with the consent of the person it is \
                    about. It was not checked with the employer in any other way, and nothing in it was estimated.";
const SUMS: &str = "Income by year is the year to date of the newest statement of the year, or the sum of its statements where \
                    there is none. Income by month is the sum of the statements by their pay day. All times are UTC.";
const NO_SUMS: &str = "It tells of employment alone: no pay was asked for. All times are UTC.";
const UNKNOWN: &str = "The sign \u{FFFD} stands for a letter that this document cannot draw. The letter itself is in the file: \
                       copy the text, or have it read aloud.";

fn of_source(source: &Source, verification: &Verification) -> Vec<Row> {
    let when = source.read_at.map_or_else(|| "Not read yet".to_owned(), format::instant);
    let row =
        |what: String| Row::new(vec![what, provider(source), data_source(&source.data_source), when.clone()]);
    if source.employments.is_empty() {
        return vec![row("No employment".to_owned())];
    }
    let of = |job: &SourcedEmployment| {
        let what = if verification.tells_pay(job) { "Employment and pay" } else { "Employment" };
        row(format!("{what} at {}", employer_name(&job.employment)))
    };
    source.employments.iter().map(of).collect()
}

fn provider(source: &Source) -> String {
    format::or(&source.provider_name, NOT_GIVEN)
}

/// The words of the API, in words.
fn data_source(word: &str) -> String {
    let plain = match word {
        "payroll" => "Payroll provider",
        "docs" => "Documents",
        "financial_accounts" => "Bank accounts",
        "insurance" => "Insurance",
        "tax" => "Tax records",
        other => other,
    };
    format::or(plain, NOT_GIVEN)
}

fn has_letters_that_cannot_be_shown(sheet: &Sheet) -> bool {
    sheet.pages.iter().flatten().any(|mark| match mark {
        Mark::Text { words, .. } => words.shown.contains('\u{FFFD}'),
        Mark::Area { .. } => false,
    })
}
