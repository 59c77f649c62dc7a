//! Who asked for a document, about whom, and with whose consent.

use citadel_domain::{Product, Secret};
use jiff::{Timestamp, civil::Date};

use crate::{
    blocks::{Fact, thirds},
    format,
    sheet::{LABEL, QUIET, Sheet},
    structure::Role,
};

/// Who asked for a document, when, and with whose consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The document's id, as the API tells it. It stands at the foot of every page.
    pub report_id: String,
    /// The name of the business that asked.
    pub requested_by: String,
    /// When the report was made. The only clock that a document knows: what is said to go on goes on until then.
    pub created_at: Timestamp,
    /// What the person agreed to, if it is on record.
    pub consent: Option<Consent>,
    /// Whether who reads it is told neither birth dates nor whole routing numbers.
    pub is_masked: bool,
}

/// What a person agreed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// When.
    pub given_at: Timestamp,
    /// To what.
    pub products: Vec<Product>,
    /// Until when it holds, if it ends by itself.
    pub holds_until: Option<Timestamp>,
    /// How the person takes it back: a sentence, with an address where that is done.
    pub how_to_stop: String,
}

/// The person a document is about, as the business that asked knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The whole name.
    pub name: String,
    /// Only the last four digits are shown.
    pub ssn: Option<Secret>,
    /// Birth date.
    pub date_of_birth: Option<Date>,
}

/// What stands in place of a value that is not known.
pub(crate) const NOT_GIVEN: &str = "Not given";

impl Request {
    /// A sheet with the name of the document, and a line that says whose it is.
    pub(crate) fn sheet(&self, title: &str) -> Sheet {
        let mut sheet = Sheet::new(title.to_owned(), Some(format::day(self.created_at)));
        sheet.reference = Some(format!("Report {}", self.report_id));
        sheet.title_line(title);
        sheet.y += 15.0;
        let y = sheet.y;
        let made = format::instant(self.created_at);
        let line = format!("Report {}, made for {} on {made}", self.report_id, self.client());
        sheet.within(Role::Paragraph, |sheet| {
            sheet.text(crate::sheet::LEFT, y, crate::blocks::FULL, QUIET, &line)
        });
        sheet.y += 12.0;
        sheet
    }

    /// Who asked, and what the person agreed to.
    pub(crate) fn write(&self, sheet: &mut Sheet) {
        sheet.heading(2, "Request and consent", 60.0);
        let asked = vec![
            Fact::new("Requested by", self.client()),
            Fact::new("Made", format::instant(self.created_at)),
        ];
        let Some(consent) = &self.consent else {
            sheet.facts(&thirds([asked, vec![Fact::new("Consent", "Not on record")], Vec::new()]));
            return;
        };
        let products: Vec<&str> = consent.products.iter().copied().map(format::product).collect();
        let until = consent.holds_until.map_or_else(|| "Until it is taken back".to_owned(), format::instant);
        let given = vec![
            Fact::new("Consent given", format::instant(consent.given_at)),
            Fact::new("It holds until", until),
        ];
        let agreed = vec![Fact::lines("Consent to share", products.into_iter().map(str::to_owned))];
        sheet.facts(&thirds([asked, given, agreed]));
        if !consent.how_to_stop.is_empty() {
            sheet.y += 6.0;
            sheet.paragraph(LABEL, &format!("How the person stops it: {}", consent.how_to_stop));
        }
    }

    pub(crate) fn client(&self) -> String {
        format::or(&self.requested_by, "a business without a name")
    }
}

impl Subject {
    /// The person in three facts.
    pub(crate) fn facts(&self, is_masked: bool) -> [Fact; 3] {
        let or_not = |value: Option<String>| value.unwrap_or_else(|| NOT_GIVEN.to_owned());
        [
            Fact::new("Person", format::or(&self.name, NOT_GIVEN)).strong(),
            Fact::new("Social Security number", or_not(self.ssn.as_ref().map(format::masked_ssn))),
            Fact::new(
                "Date of birth",
                or_not(self.date_of_birth.map(|date| format::birth_date(date, is_masked))),
            ),
        ]
    }
}
