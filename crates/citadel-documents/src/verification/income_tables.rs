//! The tables of a job's income: by year, by month, and statement by statement.

use citadel_domain::payroll::{Employment, Statement};

use super::{
    income::{self, Month, Year},
    job::section,
};
use crate::{
    format::{self, maybe_money},
    request::NOT_GIVEN,
    sheet::{BODY, LABEL, LEFT, RIGHT, Sheet},
    table::{Column, Row, Table},
};

const PITCH: f32 = 13.0;
const FIGURE: f32 = 58.0;
const YEARS: [Column; 8] = [
    Column::text("Year", LEFT, 72.0),
    Column::figure("Gross", RIGHT - 372.0, FIGURE),
    Column::figure("Net", RIGHT - 310.0, FIGURE),
    Column::figure("Regular", RIGHT - 248.0, FIGURE),
    Column::figure("Overtime", RIGHT - 186.0, FIGURE),
    Column::figure("Bonus", RIGHT - 124.0, FIGURE),
    Column::figure("Commission", RIGHT - 62.0, FIGURE),
    Column::figure("Other", RIGHT, FIGURE),
];
const MONTHS: [Column; 4] = [
    Column::text("Month of the pay day", LEFT, 150.0),
    Column::figure("Statements", LEFT + 240.0, 80.0),
    Column::figure("Gross pay", LEFT + 376.0, 100.0),
    Column::figure("Net pay", RIGHT, 100.0),
];
const STATEMENTS: [Column; 6] = [
    Column::text("Pay date", LEFT, 64.0),
    Column::text("Pay period", LEFT + 70.0, 132.0),
    Column::text("Check", LEFT + 208.0, 74.0),
    Column::figure("Gross pay", LEFT + 352.0, 70.0),
    Column::figure("Net pay", LEFT + 424.0, 68.0),
    Column::figure("Gross, year to date", RIGHT, 74.0),
];

pub(super) fn write(sheet: &mut Sheet, job: &Employment) {
    if job.statements.is_empty() {
        sheet.heading(3, "Income", 20.0);
        sheet.paragraph(BODY, "The provider showed no pay statement.");
        return;
    }
    years(sheet, &income::years(job));
    months(sheet, &income::months(job));
    let rows = income::statements(job).into_iter().map(statement).collect();
    let about = format!("Statements ({})", job.statements.len());
    section(sheet, &about, &Table { about: "Statements", columns: &STATEMENTS, rows, pitch: PITCH });
}

fn years(sheet: &mut Sheet, years: &[Year]) {
    if years.is_empty() {
        return;
    }
    let row = |year: &Year| {
        let kinds = year.kinds.into_iter().map(or_dash);
        let sums = [or_dash(year.gross), or_dash(year.net)];
        Row::new([year.name()].into_iter().chain(sums).chain(kinds).collect())
    };
    let rows = years.iter().map(row).collect();
    section(sheet, "Income by year", &Table { about: "Income by year", columns: &YEARS, rows, pitch: PITCH });
}

fn months(sheet: &mut Sheet, months: &[Month]) {
    if months.is_empty() {
        return;
    }
    let row = |month: &Month| {
        let (gross, net) = (month.gross.text(), month.net.text());
        Row::new(vec![format::month(month.month), month.statements.to_string(), gross, net])
    };
    let rows = months.iter().map(row).collect();
    section(
        sheet,
        "Income by month",
        &Table { about: "Income by month", columns: &MONTHS, rows, pitch: PITCH },
    );
    if months.iter().any(|month| month.gross.is_partial || month.net.is_partial) {
        sheet.paragraph(LABEL, "* A statement of the month lacks this amount, and the sum is of the others.");
    }
}

fn statement(statement: &Statement) -> Row {
    let period = match (statement.period_start, statement.period_end) {
        (Some(start), Some(end)) => format::period(start, end),
        (Some(start), None) => format!("from {}", format::date(start)),
        (None, Some(end)) => format!("to {}", format::date(end)),
        (None, None) => NOT_GIVEN.to_owned(),
    };
    Row::new(vec![
        statement.pay_date.map_or_else(|| NOT_GIVEN.to_owned(), format::date),
        period,
        statement.check_number.clone().unwrap_or_else(|| "–".to_owned()),
        or_dash(statement.gross),
        or_dash(statement.net),
        or_dash(statement.gross_ytd),
    ])
}

fn or_dash(amount: Option<citadel_domain::Money>) -> String {
    if amount.is_some() { maybe_money(amount) } else { "–".to_owned() }
}
