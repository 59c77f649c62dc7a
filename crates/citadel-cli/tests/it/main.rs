//! The command as people run it: the real binary, in a directory of its own, on free ports.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod audit;
mod backup;
mod clients;
mod configuration;
mod container;
mod dev_cert;
mod doctor;
mod ephemeral;
mod harness;
mod help;
mod listen;
mod listener;
mod nodes;
#[cfg(target_os = "linux")]
mod offline;
mod packaging;
mod postgres;
mod rolling;
mod sandbox;
mod sandbox_verbs;
#[cfg(feature = "soak")]
#[path = "../../../citadel-server/tests/it/soak.rs"]
mod soak;
mod start;
mod stop;
mod tls;
mod traces;
mod verification;
