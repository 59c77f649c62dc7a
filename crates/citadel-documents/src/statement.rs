//! What stands where on a pay statement.

use citadel_domain::{
    Money,
    payroll::{DeductionLine, Employment, Statement},
};

use crate::{
    format::{self, maybe_money, number},
    sheet::{BODY, LABEL, LEFT, QUIET, RIGHT, STRONG, Sheet, Style, TITLE},
    type_face::Weight,
};

const ROW: f32 = 15.0;
/// Where the columns of figures end.
const RATE: f32 = 340.0;
const HOURS: f32 = 400.0;
const CURRENT: f32 = 478.0;
const YEAR: f32 = RIGHT;
const FIGURE: f32 = 74.0;

const NET: Style = Style { size: 13.0, ..STRONG };
const HEADING: Style = Style { size: 10.5, weight: Weight::SemiBold, ..BODY };

pub(crate) fn layout(employment: &Employment, statement: &Statement) -> Sheet {
    let day = statement.pay_date.map(|day| format!(" {day}")).unwrap_or_default();
    let title = format!("Earnings statement{day}");
    let mut sheet = Sheet::new(title, statement.pay_date);
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
    let employer = &employment.employer;
    let top = sheet.y;
    sheet.text(LEFT, top, 290.0, TITLE, &employer.name);
    sheet.text_to(RIGHT, top, 200.0, TITLE, "Earnings Statement");
    let address = employer.address.as_ref().map(format::address).into_iter().flatten();
    let ein = employer.ein.as_ref().map(|ein| format!("EIN {ein}"));
    sheet.y += 4.0;
    for line in address.chain(ein) {
        sheet.y += 12.0;
        let y = sheet.y;
        sheet.text(LEFT, y, 290.0, QUIET, &line);
    }
    sheet.y += 14.0;
    let y = sheet.y;
    sheet.line(LEFT, y, RIGHT - LEFT);
    sheet.y += 22.0;
}

/// Who is paid, for which days, and on what terms, side by side.
fn facts(sheet: &mut Sheet, employment: &Employment, statement: &Statement) {
    let person = &employment.person;
    let mut employee = vec![("Employee", format::full_name(person))];
    if let Some(address) = &person.home_address {
        let [street, city] = format::address(address);
        employee.extend([("", street), ("", city)]);
    }
    if let Some(ssn) = &person.ssn {
        employee.push(("Social Security number", format::masked_ssn(ssn)));
    }

    let mut period = vec![("Pay date", statement.pay_date.map(format::date).unwrap_or_default())];
    if let (Some(start), Some(end)) = (statement.period_start, statement.period_end) {
        period.push(("Pay period", format!("{} – {}", format::date(start), format::date(end))));
    }
    if let Some(number) = &statement.check_number {
        period.push(("Check number", number.clone()));
    }

    let mut terms = Vec::new();
    if let Some(title) = &employment.title {
        let job_type = employment.job_type.map(format::job_type);
        terms.push((
            "Position",
            [Some(title.as_str()), job_type].into_iter().flatten().collect::<Vec<_>>().join(", "),
        ));
    }
    // The employer's record may be newer than the statement, so a rate of pay is shown with its statement only
    // where the lines below carry it.
    if let Some(frequency) = employment.pay.and_then(|pay| pay.frequency) {
        terms.push(("Pay frequency", format::frequency(frequency).to_owned()));
    }
    if statement.hours.is_some() {
        terms.push(("Hours", number(statement.hours)));
    }

    let top = sheet.y;
    let columns = [(LEFT, 180.0, employee), (LEFT + 190.0, 170.0, period), (LEFT + 372.0, 132.0, terms)];
    let mut lowest = top;
    for (x, room, facts) in columns {
        let mut y = top;
        for (label, value) in facts {
            if !label.is_empty() {
                y += if y > top { 5.0 } else { 0.0 };
                sheet.text(x, y, room, LABEL, label);
                y += 12.0;
            }
            sheet.text(x, y, room, BODY, &value);
            y += 12.0;
        }
        lowest = lowest.max(y);
    }
    sheet.y = lowest + 16.0;
}

fn heading(sheet: &mut Sheet, name: &str, columns: &[(f32, &str)]) {
    sheet.need(4.0 * ROW);
    let y = sheet.y;
    sheet.text(LEFT, y, 200.0, HEADING, name);
    for (x, label) in columns {
        sheet.text_to(*x, y, FIGURE, LABEL, label);
    }
    sheet.line(LEFT, y + 6.0, RIGHT - LEFT);
    sheet.y += 6.0 + ROW;
}

fn row(sheet: &mut Sheet, style: Style, label: &str, figures: &[(f32, String)]) {
    sheet.need(ROW);
    let y = sheet.y;
    sheet.text(LEFT, y, 215.0, style, label);
    for (x, figure) in figures {
        sheet.text_to(*x, y, FIGURE, style, figure);
    }
    sheet.y += ROW;
}

fn total(sheet: &mut Sheet, label: &str, current: Option<Money>, year: Option<Money>) {
    sheet.need(ROW);
    let y = sheet.y;
    sheet.line(LEFT, y - 10.5, RIGHT - LEFT);
    sheet.y += 1.0;
    row(sheet, STRONG, label, &[(CURRENT, maybe_money(current)), (YEAR, maybe_money(year))]);
    sheet.y += 12.0;
}

fn earnings(sheet: &mut Sheet, statement: &Statement) {
    // Salaries have neither rate nor hours on their line.
    let by_the_hour = statement.earnings.iter().any(|line| line.rate.is_some() || line.units.is_some());
    let columns = [(RATE, "Rate"), (HOURS, "Hours"), (CURRENT, "This period"), (YEAR, "Year to date")];
    heading(sheet, "Earnings", if by_the_hour { &columns } else { &columns[2..] });
    for line in &statement.earnings {
        let figures = [
            (RATE, number(line.rate)),
            (HOURS, number(line.units)),
            (CURRENT, maybe_money(line.amount)),
            (YEAR, maybe_money(line.ytd)),
        ];
        row(sheet, BODY, &line.label, &figures);
    }
    total(sheet, "Gross pay", statement.gross, statement.gross_ytd);
}

fn taken(sheet: &mut Sheet, name: &str, total_name: &str, lines: &[DeductionLine]) {
    if lines.is_empty() {
        return;
    }
    heading(sheet, name, &[(CURRENT, "This period"), (YEAR, "Year to date")]);
    for line in lines {
        let label = if line.pretax { format!("{} (before tax)", line.label) } else { line.label.clone() };
        row(sheet, BODY, &label, &[(CURRENT, maybe_money(line.amount)), (YEAR, maybe_money(line.ytd))]);
    }
    // A year's sum is known only if every line's is.
    let year: Option<Vec<Money>> = lines.iter().map(|line| line.ytd).collect();
    let current = lines.iter().map(|line| line.amount).sum::<Option<Money>>();
    total(sheet, total_name, current, year.map(|amounts| amounts.into_iter().sum()));
}

fn net(sheet: &mut Sheet, statement: &Statement) {
    sheet.need(40.0);
    sheet.y += 4.0;
    let y = sheet.y;
    sheet.tint(LEFT - 10.0, y - 19.0, RIGHT - LEFT + 20.0, 31.0);
    sheet.text(LEFT, y, 200.0, NET, "Net pay");
    sheet.text_to(CURRENT, y, 110.0, NET, &dollars(statement.net));
    sheet.text_to(YEAR, y, FIGURE, STRONG, &maybe_money(statement.net_ytd));
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
