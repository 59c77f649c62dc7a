//! What only sandbox keys may do.

pub(crate) mod ledger;
