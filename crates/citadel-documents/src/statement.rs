//! What stands where on a pay statement.

use citadel_domain::{
    Money,
    payroll::{DeductionLine, Employment, Statement},
};

use crate::{
    blocks::{Column as Facts, Fact},
    format::{self, maybe_money, number},
    sheet::{BODY, LABEL, LEFT, QUIET, RIGHT, STRONG, Sheet, Style, TITLE},
    structure::Role,
    table::{Column, Row, Table},
    type_face::Weight,
};

const ROW: f32 = 15.0;
const NET: Style = Style { size: 13.0, ..STRONG };
const HEADING: Style = Style { size: 10.5, weight: Weight::SemiBold, ..BODY };

/// Where the columns of figures end.
const CURRENT_END: f32 = 478.0;
const FIGURE: f32 = 74.0;
const NAME: Column = Column::text("", LEFT, 215.0);
const RATE: Column = Column::figure("Rate", 340.0, FIGURE);
const HOURS: Column = Column::figure("Hours", 400.0, FIGURE);
const CURRENT: Column = Column::figure("This period", CURRENT_END, FIGURE);
const YEAR: Column = Column::figure("Year to date", RIGHT, FIGURE);

pub(crate) fn layout(employment: &Employment, statement: &Statement) -> Sheet {
    let day = statement.pay_date.map(|day| format!(" {day}")).unwrap_or_default();
    let title = format!("Earnings statement{day}");
    let dates =
        [statement.pay_date, statement.period_end, statement.period_start, employment.external_last_updated];
    let mut sheet = Sheet::new(title, dates.into_iter().flatten().next());
    employer(&mut sheet, employment);
    facts(&mut sheet, employment, statement);
    earnings(&mut sheet, statement);
    taken(&mut sheet, "Taxes", "Total taxes", &statement.taxes);
    taken(&mut sheet, "Deductions", "Total deductions", &statement.deductions);
    net(&mut sheet, statement);
    sheet
}

/// Who pays, and the name of the paper.
fn employer(sheet: &mut Sheet, employment: &Employment) {
    const NAME: &str = "Earnings Statement";
    let employer = &employment.employer;
    let top = sheet.y;
    sheet.heading_at(1, RIGHT - TITLE.width(NAME), top, 200.0, TITLE, NAME);
    sheet.within(Role::Paragraph, |sheet| sheet.text(LEFT, top, 290.0, TITLE, &employer.name));
    let address = employer.address.as_ref().map(format::address).into_iter().flatten();
    let ein = employer.ein.as_ref().map(|ein| format!("EIN {ein}"));
    sheet.y += 4.0;
    for line in address.chain(ein) {
        sheet.y += 12.0;
        let y = sheet.y;
        sheet.within(Role::Paragraph, |sheet| sheet.text(LEFT, y, 290.0, QUIET, &line));
    }
    sheet.y += 14.0;
    let y = sheet.y;
    sheet.line(LEFT, y, RIGHT - LEFT);
    sheet.y += 22.0;
}

/// Who is paid, for which days, and on what terms, side by side.
fn facts(sheet: &mut Sheet, employment: &Employment, statement: &Statement) {
    let person = &employment.person;
    let address = person.home_address.as_ref().map(format::address).into_iter().flatten();
    let mut employee = vec![Fact::lines("Employee", [format::full_name(person)].into_iter().chain(address))];
    if let Some(ssn) = &person.ssn {
        employee.push(Fact::new("Social Security number", format::masked_ssn(ssn)));
    }

    let mut period = vec![Fact::new("Pay date", statement.pay_date.map(format::date).unwrap_or_default())];
    if let (Some(start), Some(end)) = (statement.period_start, statement.period_end) {
        period.push(Fact::new("Pay period", format::period(start, end)));
    }
    if let Some(number) = &statement.check_number {
        period.push(Fact::new("Check number", number));
    }

    let mut terms = Vec::new();
    if let Some(title) = &employment.title {
        let job_type = employment.job_type.map(format::job_type);
        let position = [Some(title.as_str()), job_type].into_iter().flatten().collect::<Vec<_>>().join(", ");
        terms.push(Fact::new("Position", position));
    }
    // The employer's record may be newer than the statement, so a rate of pay is shown with its statement only
    // where the lines below carry it.
    if let Some(frequency) = employment.pay.and_then(|pay| pay.frequency) {
        terms.push(Fact::new("Pay frequency", format::frequency(frequency)));
    }
    if statement.hours.is_some() {
        terms.push(Fact::new("Hours", number(statement.hours)));
    }
    sheet.facts(&[
        Facts { x: LEFT, room: 180.0, facts: employee },
        Facts { x: LEFT + 190.0, room: 170.0, facts: period },
        Facts { x: LEFT + 372.0, room: 132.0, facts: terms },
    ]);
    sheet.y += 16.0;
}

/// A section's name stands on the line of the names of its columns.
fn section(sheet: &mut Sheet, name: &str, columns: &[Column], rows: Vec<Row>) {
    let table = Table { about: name, columns, rows, pitch: ROW };
    sheet.need(table.least());
    let y = sheet.y;
    sheet.heading_at(2, LEFT, y, 200.0, HEADING, name);
    sheet.table(&table);
    sheet.y += 12.0;
}

fn earnings(sheet: &mut Sheet, statement: &Statement) {
    // Salaries have neither rate nor hours on their line.
    let by_the_hour = statement.earnings.iter().any(|line| line.rate.is_some() || line.units.is_some());
    let cells = |name: String, rate, hours, current, year| {
        let figures = [maybe_money(current), maybe_money(year)];
        let by_the_hour = by_the_hour.then_some([rate, hours]).into_iter().flatten();
        [name].into_iter().chain(by_the_hour).chain(figures).collect::<Vec<_>>()
    };
    let mut rows: Vec<Row> = statement
        .earnings
        .iter()
        .map(|line| {
            let name = format::or(&line.label, "Without a name");
            Row::new(cells(name, number(line.rate), number(line.units), line.amount, line.ytd))
        })
        .collect();
    let none = String::new;
    rows.push(Row::total(cells(
        "Gross pay".to_owned(),
        none(),
        none(),
        statement.gross,
        statement.gross_ytd,
    )));
    let all = [NAME, RATE, HOURS, CURRENT, YEAR];
    section(sheet, "Earnings", if by_the_hour { &all } else { &[NAME, CURRENT, YEAR] }, rows);
}

fn taken(sheet: &mut Sheet, name: &str, total_name: &str, lines: &[DeductionLine]) {
    if lines.is_empty() {
        return;
    }
    let cells = |name: String, current, year| vec![name, maybe_money(current), maybe_money(year)];
    let mut rows: Vec<Row> = lines
        .iter()
        .map(|line| {
            let name = format::or(&line.label, "Without a name");
            let name = if line.pretax { format!("{name} (before tax)") } else { name };
            Row::new(cells(name, line.amount, line.ytd))
        })
        .collect();
    // A sum is known only if every line's part of it is.
    let current = format::sum(lines.iter().map(|line| line.amount));
    let year = format::sum(lines.iter().map(|line| line.ytd));
    rows.push(Row::total(cells(total_name.to_owned(), current, year)));
    section(sheet, name, &[NAME, CURRENT, YEAR], rows);
}

fn net(sheet: &mut Sheet, statement: &Statement) {
    sheet.need(40.0);
    sheet.y += 4.0;
    let y = sheet.y;
    sheet.tint(LEFT - 10.0, y - 19.0, RIGHT - LEFT + 20.0, 31.0);
    sheet.within(Role::List, |sheet| {
        sheet.within(Role::Item, |sheet| {
            sheet.within(Role::Label, |sheet| sheet.text(LEFT, y, 200.0, NET, "Net pay"));
            let amount = dollars(statement.net);
            sheet.within(Role::Body, |sheet| sheet.text_to(CURRENT_END, y, 110.0, NET, &amount));
        });
        if let Some(year) = statement.net_ytd {
            sheet.within(Role::Item, |sheet| {
                sheet.within(Role::Label, |sheet| {
                    sheet.text_to(RIGHT, y - 9.0, FIGURE, LABEL, "Year to date");
                });
                let amount = format::money(year);
                sheet.within(Role::Body, |sheet| sheet.text_to(RIGHT, y + 3.0, FIGURE, STRONG, &amount));
            });
        }
    });
    sheet.y += 30.0;
}

/// `$1,935.77`; nothing where the provider tells no amount.
fn dollars(amount: Option<Money>) -> String {
    amount.map(|amount| format!("${}", format::money(amount))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use citadel_connectors::sandbox;
    use citadel_domain::payroll::DeductionKind;
    use jiff::civil::date;

    use super::*;

    fn somebody(number: u32) -> Employment {
        sandbox::anybody(&format!("paper {number}"), None, date(2026, 11, 23)).employments.remove(0)
    }

    #[test]
    fn every_figure_of_the_statement_is_on_the_paper() {
        for number in 0..40 {
            let employment = somebody(number);
            let Some(statement) = employment.statements.first() else { continue };
            let sheet = layout(&employment, statement);
            let texts = sheet.texts();
            let lines = statement.earnings.iter().map(|line| (line.amount, line.ytd));
            let taken =
                statement.taxes.iter().chain(&statement.deductions).map(|line| (line.amount, line.ytd));
            for (amount, ytd) in lines.chain(taken).chain([(statement.gross, statement.gross_ytd)]) {
                assert!(texts.contains(&maybe_money(amount).as_str()), "person {number}: {amount:?}");
                assert!(texts.contains(&maybe_money(ytd).as_str()), "person {number}: {ytd:?}");
            }
            assert!(texts.contains(&dollars(statement.net).as_str()), "person {number}");
            assert!(texts.contains(&employment.employer.name.as_str()), "person {number}");
            assert_eq!(sheet.pages.len(), 1, "person {number}");
            assert!(sheet.is_inside_its_margins(), "person {number}");
        }
    }

    #[test]
    fn only_the_last_four_of_the_social_security_number_are_shown() {
        let employment = somebody(1);
        let ssn = employment.person.ssn.as_ref().unwrap();
        let sheet = layout(&employment, &employment.statements[0]);
        assert!(sheet.texts().contains(&format!("XXX-XX-{}", ssn.last4()).as_str()));
        assert!(!sheet.texts().iter().any(|text| text.contains(&ssn.expose()[..5])));
    }

    #[test]
    fn what_a_provider_did_not_give_is_left_out() {
        let mut employment = somebody(2);
        let mut statement = employment.statements[0].clone();
        employment.title = None;
        employment.pay = None;
        employment.person.ssn = None;
        employment.person.home_address = None;
        employment.employer.address = None;
        employment.employer.ein = None;
        statement.period_start = None;
        statement.hours = None;
        statement.check_number = None;
        statement.gross_ytd = None;
        statement.net_ytd = None;
        statement.taxes.iter_mut().for_each(|line| line.ytd = None);
        statement.deductions.clear();
        let sheet = layout(&employment, &statement);
        for word in ["Deductions", "Position", "Check number", "Hours "] {
            assert!(!sheet.texts().contains(&word), "{word}");
        }
        assert!(sheet.texts().iter().all(|text| !text.is_empty()));
    }

    #[test]
    fn more_lines_than_a_page_holds_go_on_to_the_next() {
        let employment = somebody(3);
        let mut statement = employment.statements[0].clone();
        let line = DeductionLine {
            kind: DeductionKind::Other,
            label: "A deduction with a label far too long for the column that it has to stand in".to_owned(),
            ..statement.taxes[0].clone()
        };
        statement.deductions = vec![line; 90];
        let sheet = layout(&employment, &statement);
        assert!(sheet.pages.len() >= 3, "{}", sheet.pages.len());
        assert!(sheet.is_inside_its_margins());
    }
}
