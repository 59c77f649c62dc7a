//! People, employers and jobs, as reports show them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Redacted,
    statements::{AnnualIncome, Statement, W2},
};

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Address {
    /// House number and street.
    pub street: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// Two letters.
    #[schema(examples("TX"))]
    pub state: Option<String>,
    /// The postal code.
    pub zip: Option<String>,
    /// Two letters.
    #[schema(examples("US"))]
    pub country: Option<String>,
}

/// The employer of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Company {
    /// As the payroll provider spells it.
    pub name: Option<String>,
    /// Where it is.
    pub address: Option<Address>,
    /// Digits only.
    pub phone: Option<String>,
    /// The federal employer number.
    pub ein: Option<String>,
}

/// The person who has the job, as the payroll provider knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Profile {
    /// The profile.
    pub id: Option<String>,
    /// When it was first read.
    pub created_at: Option<String>,
    /// When it last changed.
    pub updated_at: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// All names as one text.
    pub full_name: Option<String>,
    /// Initials between the first and the last name.
    pub middle_initials: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The social security number: nine digits.
    #[schema(value_type = Option<String>)]
    pub ssn: Option<Redacted>,
    /// `YYYY-MM-DD`.
    pub date_of_birth: Option<String>,
    /// Where the person lives.
    pub home_address: Option<Address>,
}

/// A job, without what it pays: what the employment report shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Employment {
    /// The job.
    pub id: String,
    /// What the person is called at work.
    #[schema(examples("PR associate"))]
    pub job_title: Option<String>,
    /// `F` full-time, `P` part-time, `S` seasonal, `D` per diem.
    #[schema(examples("F"))]
    pub job_type: Option<String>,
    /// The first day, `YYYY-MM-DD`.
    pub start_date: Option<String>,
    /// The last day, `YYYY-MM-DD`; `null` while it lasts.
    pub end_date: Option<String>,
    /// The first day of the first job with this employer.
    pub original_hire_date: Option<String>,
    /// When the provider's own record last changed.
    pub external_last_updated: Option<String>,
    /// Does the person work there now?
    pub is_active: Option<bool>,
    /// Were the dates read off pay statements, because the provider does not state them?
    #[serde(default)]
    pub dates_from_statements: bool,
    /// Fields that were computed rather than read.
    #[serde(default)]
    pub derived_fields: Vec<String>,
    /// Fields that the provider did not give.
    #[serde(default)]
    pub missing_data_fields: Vec<String>,
    /// Who the person reports to.
    pub manager_name: Option<String>,
    /// How long the person has had this role, in words.
    pub employed_in_role: Option<String>,
    /// The person.
    #[serde(default)]
    pub profile: Profile,
    /// The employer.
    #[serde(default)]
    pub company: Company,
}

/// A job with what it pays: what the income report shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IncomeEmployment {
    /// The job.
    #[serde(flatten)]
    pub employment: Employment,
    /// Pay per `income_unit`, without commission and bonus.
    #[schema(examples("72000.00"))]
    pub income: Option<String>,
    /// `YEARLY`, `MONTHLY`, `WEEKLY`, `DAILY` or `HOURLY`.
    #[schema(examples("YEARLY"))]
    pub income_unit: Option<String>,
    /// Pay per pay cycle.
    #[schema(examples("2769.23"))]
    pub pay_rate: Option<String>,
    /// `M` monthly, `SM` semi-monthly, `W` weekly, `BW` bi-weekly, `A` annually, `SA` semi-annually, `C` commission.
    #[schema(examples("BW"))]
    pub pay_frequency: Option<String>,
    /// Pay statements, newest first.
    #[serde(default)]
    pub statements: Vec<Statement>,
    /// What was earned in each year.
    #[serde(default)]
    pub annual_income_summary: Vec<AnnualIncome>,
    /// Where pay lands.
    #[serde(default)]
    pub bank_accounts: Vec<PayrollBankAccount>,
    /// Yearly wage and tax statements.
    #[serde(default)]
    pub w2s: Vec<W2>,
}

/// A bank account into which pay goes, as the payroll provider shows it. It speaks in one-letter codes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PayrollBankAccount {
    /// The account number.
    #[schema(value_type = Option<String>)]
    pub account_number: Option<Redacted>,
    /// The routing number of the bank.
    pub routing_number: Option<String>,
    /// What the person calls it.
    pub account_name: Option<String>,
    /// The name of the bank.
    pub bank_name: Option<String>,
    /// `C` checking, `S` savings.
    #[schema(examples("C"))]
    pub account_type: Option<String>,
    /// `E` entire, `P` percent, `A` amount.
    #[schema(examples("E"))]
    pub deposit_type: Option<String>,
    /// The percentage or the amount.
    pub deposit_value: Option<String>,
}
