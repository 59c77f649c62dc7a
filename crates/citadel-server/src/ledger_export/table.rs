//! A row per figure, as RFC 4180 has it.

use citadel_domain::{Money, payroll::Statement};
use jiff::civil::Date;

use super::{Days, PaidJob, Pay};
use crate::reports::{deduction_word, earning_word};

pub(super) const HEAD: &str =
    "person,employer,statement_id,pay_date,period_start,period_end,kind,label,category,amount,ytd\r\n";

/// The table, oldest pay day first; what has no pay day comes last, where no range is asked for.
pub(super) fn rows(pay: &Pay, days: Days) -> String {
    let mut found: Vec<(&PaidJob, &Statement)> =
        pay.jobs.iter().flat_map(|job| job.statements.iter().rev().map(move |each| (job, each))).collect();
    found.retain(|(_, statement)| match statement.pay_date {
        Some(day) => days.is_begun(day) && !days.is_over(day),
        None => days.is_open(),
    });
    found.sort_by_key(|(_, statement)| (statement.pay_date.is_none(), statement.pay_date));
    let mut text = String::new();
    for (job, statement) in found {
        write(&mut text, job, statement);
    }
    text
}

fn write(text: &mut String, job: &PaidJob, statement: &Statement) {
    let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    let figure = |amount: Option<Money>| amount.map(|amount| amount.to_string()).unwrap_or_default();
    let days = [statement.pay_date, statement.period_start, statement.period_end].map(day);
    let mut row = |kind: &str, label: &str, category: &str, amount: Option<Money>, ytd: Option<Money>| {
        let statement = [&*job.person, &job.employer, &statement.external_id];
        let (amount, ytd) = (figure(amount), figure(ytd));
        let days = days.iter().map(String::as_str);
        let cells = statement.into_iter().chain(days).chain([kind, label, category, &amount, &ytd]);
        text.push_str(&cells.map(cell).collect::<Vec<_>>().join(","));
        text.push_str("\r\n");
    };
    row("gross", "Gross pay", "", statement.gross, statement.gross_ytd);
    for line in &statement.earnings {
        row("earning", &line.label, earning_word(line.kind), line.amount, line.ytd);
    }
    for (kind, lines) in [("tax", &statement.taxes), ("deduction", &statement.deductions)] {
        for line in lines {
            row(kind, &line.label, deduction_word(line.kind), line.amount, line.ytd);
        }
    }
    row("net", "Net pay", "", statement.net, statement.net_ytd);
}

/// A figure, or a text that is none.
fn cell(text: &str) -> String {
    // Spreadsheets would run such a text as a formula.
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<Money>().is_err();
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
