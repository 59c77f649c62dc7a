//! The sandbox provider, through the trait that the host uses.
#![allow(clippy::unwrap_used, reason = "all of this is tests")]

mod company;
mod deposits;
mod funding;
mod payroll;
mod percent_signs;
mod scenario_checks;
mod scenario_pay;
mod sign_in;
mod steps;
mod support;
mod ugly;
