//! What an administrator shares about a company: its directory, and its payroll register.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{Redacted, liberal, payroll::Address, statements::Statement};

/// The people of a company.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DirectoryReport {
    /// The report.
    pub id: String,
    /// The status of the newest task of the link; `done` when all went well.
    #[schema(examples("done"))]
    pub status: String,
    /// When the data was complete, with a space between day and time. Kept for old clients: read `finished_at`.
    pub completed_at: Option<String>,
    /// When the data was complete.
    pub finished_at: Option<String>,
    /// The access token with which the report was asked for.
    #[schema(value_type = Option<String>)]
    pub access_token: Option<Redacted>,
    /// As given with the bridge token.
    pub tracking_info: Option<String>,
    /// The status of the newest refresh; `null` before the first.
    pub refresh_status: Option<String>,
    /// The payroll provider, by its short word.
    pub provider: Option<String>,
    /// Everybody who works or worked there. Empty while the first task still runs.
    #[serde(default)]
    pub directory: Vec<Employee>,
}

/// [`DirectoryReport`] as the server writes it: borrowed, with the stored JSON text of the list spliced in.
#[derive(Clone, Debug, Serialize)]
pub struct DirectoryEnvelope<'a> {
    /// The report.
    pub id: &'a str,
    /// The status of the newest task of the link.
    pub status: &'a str,
    /// When the data was complete, with a space between day and time.
    pub completed_at: Option<&'a str>,
    /// When the data was complete.
    pub finished_at: Option<&'a str>,
    /// The access token with which the report was asked for.
    pub access_token: Option<&'a Redacted>,
    /// As given with the bridge token.
    pub tracking_info: Option<&'a str>,
    /// The status of the newest refresh.
    pub refresh_status: Option<&'a str>,
    /// The payroll provider, by its short word.
    pub provider: Option<&'a str>,
    /// The stored JSON text of a list of people.
    pub directory: &'a RawValue,
}

/// One person in a company's directory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Employee {
    /// The person; the same as `employee_id` in the payroll register.
    pub id: String,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Initials between the first and the last name.
    pub middle_initials: Option<String>,
    /// All names as one text.
    pub full_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Digits only.
    pub phone: Option<String>,
    /// The social security number: nine digits.
    #[schema(value_type = Option<String>)]
    pub ssn: Option<Redacted>,
    /// `YYYY-MM-DD`.
    pub date_of_birth: Option<String>,
    /// Where the person lives.
    pub home_address: Option<Address>,
    /// The position.
    pub job_title: Option<String>,
    /// `F` full-time, `P` part-time, `S` seasonal, `D` per diem.
    pub job_type: Option<String>,
    /// Where in the company.
    pub department: Option<String>,
    /// Whom the person reports to.
    pub manager_name: Option<String>,
    /// Does the person work there now?
    pub is_active: Option<bool>,
    /// `YYYY-MM-DD`.
    pub start_date: Option<String>,
    /// `YYYY-MM-DD`; `null` while the job goes on.
    pub end_date: Option<String>,
    /// What is paid per `income_unit`.
    pub income: Option<String>,
    /// `YEARLY`, `MONTHLY`, `WEEKLY`, `DAILY` or `HOURLY`.
    pub income_unit: Option<String>,
    /// `M`, `SM`, `W` or `BW`.
    pub pay_frequency: Option<String>,
}

/// Asks for a payroll register.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreatePayrollReport {
    /// The access token of the link.
    #[serde(deserialize_with = "liberal::redacted")]
    #[schema(required, value_type = String)]
    pub access_token: Redacted,
    /// The first pay day, `YYYY-MM-DD`.
    #[serde(deserialize_with = "liberal::text")]
    #[schema(required, examples("2020-01-01"))]
    pub start_date: String,
    /// The last pay day, `YYYY-MM-DD`.
    #[serde(deserialize_with = "liberal::text")]
    #[schema(required, examples("2020-02-01"))]
    pub end_date: String,
}

/// Says under which id a payroll register can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PayrollReportCreated {
    /// The payroll register.
    pub payroll_report_id: String,
}

/// A company's payroll register for a range of pay days.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PayrollReport {
    /// The payroll register.
    pub id: String,
    /// `done`, or the status with which reading it ended.
    #[schema(examples("done"))]
    pub status: String,
    /// The first pay day.
    pub start_date: String,
    /// The last pay day.
    pub end_date: String,
    /// When it was asked for.
    pub created_at: String,
    /// When it was read.
    pub completed_at: Option<String>,
    /// One row for each statement, by pay day and name.
    #[serde(default)]
    pub payroll_report: Vec<PayrollRow>,
}

/// [`PayrollReport`] as the server writes it: borrowed, with the stored JSON text of the rows spliced in.
#[derive(Clone, Debug, Serialize)]
pub struct PayrollEnvelope<'a> {
    /// The payroll register.
    pub id: &'a str,
    /// `done`, or the status with which reading it ended.
    pub status: &'a str,
    /// The first pay day.
    pub start_date: &'a str,
    /// The last pay day.
    pub end_date: &'a str,
    /// When it was asked for.
    pub created_at: &'a str,
    /// When it was read.
    pub completed_at: Option<&'a str>,
    /// The stored JSON text of a list of rows.
    pub payroll_report: &'a RawValue,
}

/// One statement in a payroll register. It has no document, so its `file` is `null`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PayrollRow {
    /// The person in the directory.
    pub employee_id: String,
    /// The person's name.
    pub full_name: String,
    /// What was paid.
    #[serde(flatten)]
    pub statement: Statement,
}
