//! Pay statements and yearly figures. Amounts are decimals in text with two digits.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A pay statement.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Statement {
    /// The statement.
    pub id: String,
    /// The provider's own number for it.
    pub check_number: Option<String>,
    /// `YYYY-MM-DD`.
    #[schema(examples("2021-04-09"))]
    pub pay_date: Option<String>,
    /// The first day of work that it pays.
    pub period_start: Option<String>,
    /// The last day of work that it pays.
    pub period_end: Option<String>,
    /// What was paid out.
    pub net_pay: Option<String>,
    /// The same since the start of the year.
    pub net_pay_ytd: Option<String>,
    /// Everything earned, before taxes and deductions.
    pub gross_pay: Option<String>,
    /// The same since the start of the year.
    pub gross_pay_ytd: Option<String>,
    /// Regular pay.
    pub regular: Option<String>,
    /// The same since the start of the year.
    pub regular_ytd: Option<String>,
    /// Overtime pay.
    pub overtime: Option<String>,
    /// The same since the start of the year.
    pub overtime_ytd: Option<String>,
    /// Bonuses.
    pub bonus: Option<String>,
    /// The same since the start of the year.
    pub bonus_ytd: Option<String>,
    /// Commission.
    pub commission: Option<String>,
    /// The same since the start of the year.
    pub commission_ytd: Option<String>,
    /// Any other pay.
    pub other_pay: Option<String>,
    /// The same since the start of the year.
    pub other_pay_ytd: Option<String>,
    /// Hours worked.
    pub hours: Option<String>,
    /// `S` salary, `H` hourly, `D` daily, `W` weekly, `M` monthly.
    #[schema(examples("S"))]
    pub basis_of_pay: Option<String>,
    /// What was earned, line by line.
    #[serde(default)]
    pub earnings: Vec<Earning>,
    /// The same since the start of the year.
    #[serde(default)]
    pub earnings_ytd: Vec<Earning>,
    /// What was taken off, taxes included, line by line.
    #[serde(default)]
    pub deductions: Vec<Deduction>,
    /// The same since the start of the year.
    #[serde(default)]
    pub deductions_ytd: Vec<Deduction>,
    /// The address of the document, good for a limited time, to be fetched without the access headers.
    pub file: Option<String>,
    /// The MD5 sum of the document, in hexadecimal.
    pub md5sum: Option<String>,
    /// Fields that were computed rather than read.
    #[serde(default)]
    pub derived_fields: Vec<String>,
    /// Fields that the provider did not give.
    #[serde(default)]
    pub missing_data_fields: Vec<String>,
}

/// One line of earnings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Earning {
    /// As printed on the statement.
    #[schema(examples("Regular"))]
    pub name: String,
    /// How much; `null` when the provider shows the line without an amount.
    pub amount: Option<String>,
    /// `regular`, `overtime`, `bonus`, `commission` or `other`.
    #[schema(examples("regular"))]
    pub category: String,
    /// Pay per unit.
    pub rate: Option<String>,
    /// How many units, usually hours.
    pub units: Option<String>,
}

/// One line of taxes and other deductions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deduction {
    /// As printed on the statement.
    #[schema(examples("Social Security"))]
    pub name: String,
    /// How much; `null` when the provider shows the line without an amount.
    pub amount: Option<String>,
    /// `federal`, `state`, `socialsec`, `medicare` or `other`.
    #[schema(examples("socialsec"))]
    pub category: String,
}

/// What was earned in one calendar year.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnnualIncome {
    /// The figure.
    pub id: String,
    /// The year.
    #[schema(examples(2021))]
    pub year: i64,
    /// What was paid out.
    pub net_pay: Option<String>,
    /// Everything earned, before taxes and deductions.
    pub gross_pay: Option<String>,
    /// Regular pay.
    pub regular: Option<String>,
    /// Overtime pay.
    pub overtime: Option<String>,
    /// Bonuses.
    pub bonus: Option<String>,
    /// Commission.
    pub commission: Option<String>,
    /// Any other pay.
    pub other_pay: Option<String>,
}

/// A tax document of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaxDocument {
    /// The document.
    pub id: String,
    /// `W2`; there are no others.
    #[schema(examples("W2"))]
    pub document_type: String,
    /// Always `null`: a W-2 has none.
    pub document_subtype: Option<String>,
    /// The address of the document, good for a limited time, to be fetched without the access headers.
    pub file: Option<String>,
    /// The MD5 sum of the document, in hexadecimal.
    pub md5sum: Option<String>,
    /// The year.
    #[schema(examples(2020))]
    pub year: i64,
    /// What it says.
    pub fields: TaxFields,
}

/// What a W-2 says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaxFields {
    /// Box 1.
    pub wages: Option<String>,
    /// Box 2.
    pub federal_tax: Option<String>,
    /// Box 3.
    pub social_security_wages: Option<String>,
    /// Box 4.
    pub social_security_tax: Option<String>,
    /// Box 5.
    pub medicare_wages: Option<String>,
    /// Box 6.
    pub medicare_tax: Option<String>,
}

/// A yearly wage and tax statement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct W2 {
    /// The year.
    #[schema(examples(2020))]
    pub year: i64,
    /// The address of the document, good for a limited time, to be fetched without the access headers.
    pub file: Option<String>,
    /// The MD5 sum of the document, in hexadecimal.
    pub md5sum: Option<String>,
    /// Box 1.
    pub wages: Option<String>,
    /// Box 2.
    pub federal_tax: Option<String>,
    /// Box 3.
    pub social_security_wages: Option<String>,
    /// Box 4.
    pub social_security_tax: Option<String>,
    /// Box 5.
    pub medicare_wages: Option<String>,
    /// Box 6.
    pub medicare_tax: Option<String>,
}
