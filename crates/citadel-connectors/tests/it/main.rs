//! The sandbox provider, through the trait that the host uses.

mod company;
mod deposits;
mod payroll;
mod sign_in;
mod steps;
mod support;
