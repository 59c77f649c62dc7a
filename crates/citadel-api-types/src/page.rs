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

impl<T> Page<T> {
    /// The same page of other rows.
    pub fn map<U>(self, row: impl FnMut(T) -> U) -> Page<U> {
        let Self { count, next, previous, results } = self;
        Page { count, next, previous, results: results.into_iter().map(row).collect() }
    }
}

/// One page of a list that grows while it is read: pages are found by a mark and not by their number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CursorPage<T> {
    /// The address of the next page; `null` on the last one.
    pub next: Option<String>,
    /// The address of the page before; `null` on the first one.
    pub previous: Option<String>,
    /// What this page holds.
    pub results: Vec<T>,
}
