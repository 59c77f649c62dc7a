//! Pay statements, W-2s, verifications and confirmations of deposits as PDF files, tagged for readers who do not see the page
//! (PDF/UA-1) and made to last (PDF/A-2a).
//!
//! A leaf: it turns [`citadel_domain::payroll`] shapes into bytes and knows neither where they come from nor where
//! they are kept. The same input gives the same bytes: the only time in a file is the document's own date.
//!
//! Start with `statement`, `w2`, `verification` and `deposit`, which say what stands where. `sheet` is the paper they write on,
//! with `blocks` and `table` for what comes again and again; `render` and `tags` are the only places that know the PDF library.
#![warn(missing_docs)]

mod blocks;
mod deposit;
mod format;
mod render;
mod request;
mod sheet;
mod statement;
mod structure;
mod table;
mod tags;
mod type_face;
mod verification;
mod w2;
mod words;

use std::fmt;

use citadel_domain::payroll::{Employment, Statement, W2};

pub use deposit::{DepositConfirmation, DepositPurpose};
pub use request::{Consent, Request, Subject};
pub use verification::{Source, SourcedEmployment, Verification, VerificationKind};

/// The footer for documents about people who do not exist.
pub const SANDBOX_FOOTER: &str = "Sandbox: invented data";

/// The document could not be written.
#[derive(Debug)]
pub struct DocumentError(String);

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the PDF could not be written: {}", self.0)
    }
}

impl std::error::Error for DocumentError {}

/// A pay statement. `footer` is one line at the foot of each page, such as [`SANDBOX_FOOTER`].
pub fn statement_pdf(
    employment: &Employment,
    statement: &Statement,
    footer: Option<&str>,
) -> Result<Vec<u8>, DocumentError> {
    render::pdf(statement::layout(employment, statement), footer)
}

/// A yearly wage and tax statement. `footer` is one line at the foot of the page, such as [`SANDBOX_FOOTER`].
pub fn w2_pdf(employment: &Employment, w2: &W2, footer: Option<&str>) -> Result<Vec<u8>, DocumentError> {
    render::pdf(w2::layout(employment, w2), footer)
}

/// A verification of income and employment, or of employment alone. `footer` is one line at the foot of each page, such as
/// [`SANDBOX_FOOTER`].
pub fn verification_pdf(verification: &Verification, footer: Option<&str>) -> Result<Vec<u8>, DocumentError> {
    render::pdf(verification::layout(verification), footer)
}

/// A confirmation that a person's pay, or a part of it, goes to another account. `footer` is one line at the foot of the page,
/// such as [`SANDBOX_FOOTER`].
pub fn deposit_pdf(
    confirmation: &DepositConfirmation,
    footer: Option<&str>,
) -> Result<Vec<u8>, DocumentError> {
    render::pdf(deposit::layout(confirmation), footer)
}
