//! Verifications of income and employment (VOIE), and of employment alone (VOE).
//!
//! What stands where: `summary` is the first page, `job` one job, `income` its figures, `gaps` what is not there, in plain
//! words, and `origin` where everything comes from.

mod gaps;
mod income;
mod income_tables;
mod job;
mod origin;
mod summary;
#[cfg(test)]
mod tests;

use citadel_domain::payroll::Employment;
use jiff::{Timestamp, civil::Date};

use crate::{
    format,
    request::{Request, Subject},
    sheet::{BODY, Sheet},
};

/// What a verification is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerificationKind {
    /// Jobs and what they pay (VOIE).
    IncomeAndEmployment,
    /// Jobs alone (VOE): no amount stands anywhere, whatever the employments hold.
    EmploymentOnly,
}

/// Everything that a verification tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// What it is about.
    pub kind: VerificationKind,
    /// Who asked, and with whose consent.
    pub request: Request,
    /// The person it is about.
    pub person: Subject,
    /// Where it was read. Several if the person has linked several payrolls.
    pub sources: Vec<Source>,
}

/// One link: what was read through one sign-in of the person, or from one of their documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The provider, as people know it.
    pub provider_name: String,
    /// `payroll`, `docs` and so on, as the API tells it.
    pub data_source: String,
    /// When it was read, if it was.
    pub read_at: Option<Timestamp>,
    /// What the business wrote on the link.
    pub tracking_info: Option<String>,
    /// What was read.
    pub employments: Vec<SourcedEmployment>,
}

/// A job, and what is known of its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcedEmployment {
    /// The job.
    pub employment: Employment,
    /// The names of the fields that the provider did not give, as `missing_data_fields` tells them. What the document itself
    /// sees to be missing need not be among them.
    pub missing: Vec<String>,
    /// The names of the fields that were worked out, as `derived_fields` tells them.
    pub derived: Vec<String>,
    /// Whether the person agreed to share what the job pays. If not, the document says so where pay would stand.
    pub is_pay_shared: bool,
}

impl From<Employment> for SourcedEmployment {
    fn from(employment: Employment) -> Self {
        Self { employment, missing: Vec::new(), derived: Vec::new(), is_pay_shared: true }
    }
}

impl Verification {
    pub(crate) fn has_income(&self) -> bool {
        self.kind == VerificationKind::IncomeAndEmployment
    }

    /// The day on which what goes on goes on.
    fn today(&self) -> Date {
        format::day(self.request.created_at)
    }

    /// Whether what this job pays is in the document.
    fn tells_pay(&self, job: &SourcedEmployment) -> bool {
        self.has_income() && job.is_pay_shared
    }

    fn jobs(&self) -> impl Iterator<Item = &SourcedEmployment> {
        self.sources.iter().flat_map(|source| &source.employments)
    }
}

pub(crate) fn layout(verification: &Verification) -> Sheet {
    let mut sheet = verification.request.sheet(match verification.kind {
        VerificationKind::IncomeAndEmployment => "Verification of Income and Employment",
        VerificationKind::EmploymentOnly => "Verification of Employment",
    });
    summary::write(&mut sheet, verification);
    verification.request.write(&mut sheet);
    for (index, job) in verification.jobs().enumerate() {
        job::write(&mut sheet, verification, index + 1, job);
    }
    if verification.jobs().next().is_none() {
        sheet.heading(2, "Employment", 20.0);
        sheet.paragraph(BODY, NO_EMPLOYMENT);
    }
    gaps::write(&mut sheet, verification);
    origin::write(&mut sheet, verification);
    sheet
}

/// In place of the pay of a job.
const NOT_SHARED: &str = "The person shared this job without what it pays.";
const NO_EMPLOYMENT: &str = "The provider showed no employment.";
