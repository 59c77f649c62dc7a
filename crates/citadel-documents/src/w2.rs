//! What stands where on a yearly wage and tax statement: the boxes of Form W-2 that we have, under their own letters
//! and numbers, in our own arrangement. It is a copy for reading, not the form to file with a return.

use citadel_domain::payroll::{Employment, W2};
use jiff::civil::Date;

use crate::{
    format::{self, money},
    sheet::{BODY, LABEL, LEFT, QUIET, RIGHT, STRONG, Sheet, Style, TITLE},
    structure::Role,
};

const HALF: f32 = (RIGHT - LEFT) / 2.0;
const AMOUNT: Style = Style { size: 12.0, ..STRONG };

pub(crate) fn layout(employment: &Employment, w2: &W2) -> Sheet {
    let title = format!("Wage and tax statement {}", w2.year);
    let mut sheet = Sheet::new(title, Date::new(w2.year, 12, 31).ok());
    let top = sheet.y;
    sheet.heading_at(1, LEFT, top, 330.0, TITLE, "Wage and Tax Statement");
    let year = w2.year.to_string();
    sheet.within(Role::Paragraph, |sheet| sheet.text_to(RIGHT, top, 120.0, TITLE, &year));
    let what = "The boxes of Form W-2, copy for the employee's records";
    sheet.within(Role::Paragraph, |sheet| sheet.text(LEFT, top + 15.0, 330.0, QUIET, what));
    sheet.y = top + 32.0;
    sheet.within(Role::List, |sheet| form(sheet, employment, w2));
    let y = sheet.y;
    sheet.line(LEFT, y, RIGHT - LEFT);
    sheet
}

fn form(sheet: &mut Sheet, employment: &Employment, w2: &W2) {
    let person = &employment.person;
    let employer = &employment.employer;
    let ssn = person.ssn.as_ref().map(format::masked_ssn);
    boxes(
        sheet,
        [
            ("a", "Employee's Social Security number", ssn),
            ("b", "Employer identification number", employer.ein.clone()),
        ],
        BODY,
    );
    let home = person.home_address.as_ref().map(format::address).into_iter().flatten();
    let office = employer.address.as_ref().map(format::address).into_iter().flatten();
    people(
        sheet,
        [
            ("c", "Employer", [employer.name.clone()].into_iter().chain(office).collect()),
            ("e, f", "Employee", [format::full_name(person)].into_iter().chain(home).collect()),
        ],
    );
    for pair in [
        [
            ("1", "Wages, tips, other compensation", w2.wages),
            ("2", "Federal income tax withheld", w2.federal_tax),
        ],
        [
            ("3", "Social Security wages", w2.social_security_wages),
            ("4", "Social Security tax withheld", w2.social_security_tax),
        ],
        [
            ("5", "Medicare wages and tips", w2.medicare_wages),
            ("6", "Medicare tax withheld", w2.medicare_tax),
        ],
    ] {
        boxes(sheet, pair.map(|(number, label, value)| (number, label, value.map(money))), AMOUNT);
    }
}

/// Two boxes side by side, each with its letter or number.
fn boxes(sheet: &mut Sheet, pair: [(&str, &str, Option<String>); 2], style: Style) {
    let top = sheet.y;
    sheet.line(LEFT, top, RIGHT - LEFT);
    for (x, (number, label, value)) in [LEFT, LEFT + HALF].into_iter().zip(pair) {
        let value = value.unwrap_or_default();
        sheet.within(Role::Item, |sheet| {
            caption(sheet, x, top, number, label);
            sheet.within(Role::Body, |sheet| sheet.text(x, top + 31.0, HALF - 20.0, style, &value));
        });
    }
    sheet.y = top + 44.0;
}

/// Names and addresses side by side.
fn people(sheet: &mut Sheet, pair: [(&str, &str, Vec<String>); 2]) {
    let top = sheet.y;
    sheet.line(LEFT, top, RIGHT - LEFT);
    let mut lowest = top;
    for (x, (number, label, lines)) in [LEFT, LEFT + HALF].into_iter().zip(pair) {
        let mut y = top + 31.0;
        sheet.within(Role::Item, |sheet| {
            caption(sheet, x, top, number, label);
            sheet.within(Role::Body, |sheet| {
                for (index, line) in lines.iter().enumerate() {
                    let style = if index == 0 { STRONG } else { BODY };
                    sheet.within(Role::Paragraph, |sheet| sheet.text(x, y, HALF - 20.0, style, line));
                    y += 12.5;
                }
            });
        });
        lowest = lowest.max(y);
    }
    sheet.y = lowest + 2.0;
}

fn caption(sheet: &mut Sheet, x: f32, top: f32, number: &str, label: &str) {
    let style = Style { size: 7.5, ..STRONG };
    let after = style.width(number) + 6.0;
    sheet.within(Role::Label, |sheet| {
        sheet.text(x, top + 14.0, 30.0, style, number);
        sheet.text(x + after, top + 14.0, HALF - after - 10.0, LABEL, label);
    });
}

#[cfg(test)]
mod tests {
    use citadel_connectors::sandbox;
    use jiff::civil::date;

    use super::*;

    #[test]
    fn every_box_is_on_the_paper() {
        for number in 0..40 {
            let employment =
                sandbox::anybody(&format!("form {number}"), None, date(2026, 11, 23)).employments.remove(0);
            let Some(w2) = employment.w2s.first() else { continue };
            let sheet = layout(&employment, w2);
            let texts = sheet.texts();
            for amount in [
                w2.wages,
                w2.federal_tax,
                w2.social_security_wages,
                w2.social_security_tax,
                w2.medicare_wages,
                w2.medicare_tax,
            ] {
                assert!(texts.contains(&money(amount.unwrap()).as_str()), "person {number}: {amount:?}");
            }
            assert!(texts.contains(&w2.year.to_string().as_str()), "person {number}");
            assert!(
                !texts
                    .iter()
                    .any(|text| text.contains(&employment.person.ssn.as_ref().unwrap().expose()[..5]))
            );
            assert!(sheet.is_inside_its_margins() && sheet.pages.len() == 1, "person {number}");
        }
    }
}
