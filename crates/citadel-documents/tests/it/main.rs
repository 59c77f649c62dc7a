//! The files themselves, read back.

mod deposit;
mod file;
mod pdf;
mod people;
mod verification;
