//! Pages of long lists.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One page of a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// How many there are in all.
    pub count: i64,
    /// The address of the next page; `null` on the last one.
    pub next: Option<String>,
    /// The address of the page before; `null` on the first one.
    pub previous: Option<String>,
    /// What this page holds.
    pub results: Vec<T>,
}
