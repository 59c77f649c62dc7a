//! Reports: what a link knows.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    Redacted, liberal,
    payroll::{Employment, IncomeEmployment},
};

/// Asks for a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ReportRequest {
    /// The access token of the link.
    #[serde(deserialize_with = "liberal::redacted")]
    #[schema(required, value_type = String, examples("c06c692448427a36d43c4d565aa6324b"))]
    pub access_token: Redacted,
}

/// Defines a report: the envelope is the same for all of them, only the jobs inside differ.
macro_rules! report {
    ($(#[$doc:meta])* $name:ident of $employment:ty) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
        pub struct $name {
            /// The report.
            pub id: String,
            /// The status of the newest task of the link; `done` when all went well.
            #[schema(examples("done"))]
            pub status: String,
            /// When the data was complete, with a space between day and time. Kept for old clients: read
            /// `finished_at`.
            #[schema(examples("2021-04-06 11:30:00+00:00"))]
            pub completed_at: Option<String>,
            /// When the data was complete.
            #[schema(examples("2021-04-06T11:30:00.000000Z"))]
            pub finished_at: Option<String>,
            /// The access token with which the report was asked for.
            #[schema(value_type = Option<String>)]
            pub access_token: Option<Redacted>,
            /// As given with the bridge token.
            pub tracking_info: Option<String>,
            /// The status of the newest refresh; `null` before the first.
            pub refresh_status: Option<String>,
            /// The person's jobs. Empty while the first task still runs.
            #[serde(default)]
            pub employments: Vec<$employment>,
            /// The address of the report as a document.
            pub pdf_report: Option<String>,
            /// The payroll provider, by its short word.
            #[schema(examples("adp"))]
            pub provider: Option<String>,
            /// `payroll`, `docs`, `financial_accounts`, `insurance` or `tax`.
            #[schema(examples("payroll"))]
            pub data_source: Option<String>,
            /// Does something about the data look wrong?
            #[serde(default)]
            pub is_suspicious: bool,
        }
    };
}

report! {
    /// Where a person works, and since when.
    EmploymentReport of Employment
}

report! {
    /// What a person earns: jobs with pay statements, yearly figures and wage statements.
    IncomeReport of IncomeEmployment
}

/// A report of either kind as the server writes it: borrowed, with `employments` spliced in as the JSON text that
/// was stored. Its keys are those of [`IncomeReport`] and [`EmploymentReport`]; a test holds them together.
#[derive(Clone, Debug, Serialize)]
pub struct ReportEnvelope<'a> {
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
    /// The stored JSON text of a list of jobs.
    pub employments: &'a RawValue,
    /// The address of the report as a document.
    pub pdf_report: Option<&'a str>,
    /// The payroll provider, by its short word.
    pub provider: Option<&'a str>,
    /// Where the data came from.
    pub data_source: Option<&'a str>,
    /// Does something about the data look wrong?
    pub is_suspicious: bool,
}
