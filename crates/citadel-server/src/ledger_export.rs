//! Pay as double-entry books: what was paid to a person, or by a company, as a file for Beancount or hledger, or as a table.
//!
//! Pure: from the normalised payroll model to text. `books` makes entries of statements, `journal` prints them for either
//! program, and `table` is the CSV. A file asserts every year-to-date figure and every box of a W-2, so that the program that
//! reads it proves them. What does not add up is put into `Equity:Unbalanced` and said; nothing is made up to fill a gap.
//!
//! Each job has accounts of its own for each year, so that a year-to-date figure is the balance of an account, with what is
//! below it. `Employer` stands for the employer, and for a company's books `Employer:Person`:
//!
//! | Account | Its balance |
//! |---|---|
//! | `Income:Employer:Y2026` | taxable wages: box 1 |
//! | `Income:Employer:Y2026:Fica` | wages for Social Security and Medicare: box 5 |
//! | `Income:Employer:Y2026:Fica:Gross` | gross pay, with an account per line below it |
//! | `Income:Employer:Y2026:Fica:Section125` | health insurance taken before every tax |
//! | `Income:Employer:Y2026:Pretax` | what else is taken before income tax |
//! | `Expenses:Taxes:Employer:Y2026:Federal` | box 2; `SocialSecurity` is box 4, `Medicare` box 6 |
//! | `Expenses:Deductions:Employer:Y2026` | what is taken after tax |
//! | `Assets:Pay:Employer:Y2026` | net pay, with an account per deposit account below it |
//!
//! What is taken before tax stands under `Income`, as less of it: only so are boxes 1 and 5 balances that can be asserted.

mod books;
mod division;
mod journal;
mod names;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use citadel_domain::payroll::{CompanyData, DepositAccount, Employment, PayrollRow, Statement, W2};
use jiff::civil::{Date, date};

/// What the text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Beancount 2 and 3.
    Beancount,
    /// hledger.
    Hledger,
    /// A table with a row per figure.
    Csv,
}

impl Format {
    /// The format of a word in a query.
    pub(crate) fn find(word: &str) -> Option<Self> {
        Some(match word {
            "beancount" => Self::Beancount,
            "hledger" => Self::Hledger,
            "csv" => Self::Csv,
            _ => return None,
        })
    }

    /// The media type of the text.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Beancount | Self::Hledger => "text/plain; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// Pay days, both included. What has no pay day is in no range but the open one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Days {
    /// The first.
    pub(crate) from: Option<Date>,
    /// The last.
    pub(crate) to: Option<Date>,
}

impl Days {
    /// Those of a year.
    pub(crate) fn within(self, year: i16) -> Self {
        Self {
            from: Some(date(year, 1, 1)).max(self.from),
            to: Some(self.to.map_or(date(year, 12, 31), |to| to.min(date(year, 12, 31)))),
        }
    }

    fn is_open(self) -> bool {
        self.from.is_none() && self.to.is_none()
    }

    fn is_begun(self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day)
    }

    fn is_over(self, day: Date) -> bool {
        self.to.is_some_and(|to| to < day)
    }
}

/// What was paid, to be written down.
#[derive(Clone, Debug)]
pub(crate) struct Pay {
    /// `Pay of John Doe`
    title: String,
    /// Whether the books are a company's, where each person has accounts of their own.
    is_company: bool,
    jobs: Vec<PaidJob>,
}

/// One person's pay at one employer.
#[derive(Clone, Debug)]
struct PaidJob {
    /// Tells two jobs apart that have the same names.
    id: String,
    person: String,
    employer: String,
    /// Newest first, as providers list them; no order is relied on but for statements of one day.
    statements: Vec<Statement>,
    deposit_accounts: Vec<DepositAccount>,
    w2s: Vec<W2>,
}

impl Pay {
    /// A person's jobs. Statements must go back to 1 January of the first year that is asked for, or year-to-date figures show
    /// as differences.
    pub(crate) fn of_person(employments: Vec<Employment>) -> Self {
        let jobs: Vec<PaidJob> = employments.into_iter().map(PaidJob::from).collect();
        let person = jobs.first().map(|job| job.person.as_str()).unwrap_or_default();
        Self { title: format!("Pay of {person}"), is_company: false, jobs }
    }

    /// A company's register, which has no deposit accounts and no W-2s. As for [`Pay::of_person`], from 1 January on.
    pub(crate) fn of_company(company: CompanyData, rows: Vec<PayrollRow>) -> Self {
        let employer = company.employer.name;
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut jobs: Vec<PaidJob> = Vec::new();
        for row in rows {
            let place = *places.entry(row.employee_id.clone()).or_insert_with(|| {
                jobs.push(PaidJob {
                    id: row.employee_id,
                    person: row.full_name,
                    employer: employer.clone(),
                    statements: Vec::new(),
                    deposit_accounts: Vec::new(),
                    w2s: Vec::new(),
                });
                jobs.len() - 1
            });
            jobs[place].statements.push(row.statement);
        }
        // A register is oldest first.
        jobs.iter_mut().for_each(|job| job.statements.reverse());
        Self { title: format!("Payroll of {employer}"), is_company: true, jobs }
    }

    /// The whole text.
    pub(crate) fn write(&self, format: Format, days: Days) -> String {
        self.head(format) + &self.body(format, days)
    }

    /// How the text begins. Bodies of a company's years can follow each other behind it.
    pub(crate) fn head(&self, format: Format) -> String {
        match format {
            Format::Beancount => journal::beancount_head(&self.title),
            Format::Hledger => journal::hledger_head(&self.title),
            Format::Csv => table::HEAD.to_owned(),
        }
    }

    /// The text without its beginning.
    pub(crate) fn body(&self, format: Format, days: Days) -> String {
        match format {
            Format::Beancount => journal::beancount(&books::entries(self, days)),
            Format::Hledger => journal::hledger(&books::entries(self, days)),
            Format::Csv => table::rows(self, days),
        }
    }
}

impl From<Employment> for PaidJob {
    fn from(job: Employment) -> Self {
        let person = &job.person;
        let names = [person.first_name.as_str(), person.middle_initials.as_deref().unwrap_or_default()];
        let names = names.into_iter().chain([person.last_name.as_str()]).filter(|name| !name.is_empty());
        Self {
            person: names.collect::<Vec<_>>().join(" "),
            id: job.external_id,
            employer: job.employer.name,
            statements: job.statements,
            deposit_accounts: job.deposit_accounts,
            w2s: job.w2s,
        }
    }
}
