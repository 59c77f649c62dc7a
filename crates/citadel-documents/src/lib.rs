//! Pay statements and W-2s as PDF files.
//!
//! A leaf: it turns [`citadel_domain::payroll`] shapes into bytes and knows neither where they come from nor where
//! they are kept. The same input gives the same bytes: the only time in a file is the document's own date.
//!
//! Start with `statement` and `w2`, which say what stands where; `sheet` is the paper they write on, and `render`
//! the only place that knows the PDF library.
#![warn(missing_docs)]

mod blocks;
mod format;
mod render;
mod sheet;
mod statement;
mod structure;
mod table;
mod tags;
mod type_face;
mod w2;
mod words;

use std::fmt;

use citadel_domain::payroll::{Employment, Statement, W2};

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
