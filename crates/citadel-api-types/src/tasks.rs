//! Tasks: one run of work for a link.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Redacted, page::Page, providers::ProviderRef};

/// One run of work for a link: signing in, and reading or changing something.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Task {
    /// The task.
    pub id: String,
    /// `new`, `login`, `mfa`, `parse`, `full_parse` or `switch_deposit` while it runs. Final: `done`, `login_error`,
    /// `mfa_error`, `config_error`, `account_locked`, `no_data`, `unavailable`, `error`, `unable_to_reset`,
    /// `not_supported`.
    #[schema(examples("done"))]
    pub status: String,
    /// What the task was for.
    #[schema(examples("income"))]
    pub product_type: String,
    /// Where the person signed in.
    pub provider: Option<ProviderRef>,
    /// When the task was made.
    pub created_at: String,
    /// When its status last changed.
    pub updated_at: String,
    /// The link that it worked for; `null` until the link is made.
    pub link_id: Option<String>,
    /// The person, when there is one.
    pub user_id: Option<String>,
    /// The provider's own words when it refused.
    pub error_message: Option<String>,
    /// As given with the bridge token.
    pub tracking_info: Option<String>,
    /// The bridge token under which it began.
    #[schema(value_type = Option<String>)]
    pub bridge_token: Option<Redacted>,
    /// `payroll`, `docs`, `financial_accounts`, `insurance` or `tax`.
    #[schema(examples("payroll"))]
    pub data_source: String,
    /// Does something about the data look wrong?
    #[serde(default)]
    pub is_suspicious: bool,
    /// The order to which it belongs, when there is one.
    pub order_id: Option<String>,
}

/// A page of tasks, newest first.
pub type TaskPage = Page<Task>;

/// Has a task with this status come to its end?
///
/// A word that this version does not know counts as unfinished, so that a newer server cannot cut a wait short.
pub fn is_final(status: &str) -> bool {
    matches!(
        status,
        "done"
            | "login_error"
            | "mfa_error"
            | "config_error"
            | "account_locked"
            | "no_data"
            | "unavailable"
            | "error"
            | "unable_to_reset"
            | "not_supported"
    )
}
