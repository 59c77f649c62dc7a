//! The Citadel server: router, extractors, handlers, pages, background jobs, reports and configuration.
//!
//! Everything below this crate ignores that it exists. It is the only one that knows HTTP, and the only one in which
//! connectors and the store meet. Connectors run in [`jobs`] alone; handlers read no more than their descriptions.
//!
//! Start with [`router`]: it lists every route by handler. `ARCHITECTURE.md` follows one verification through seven files.

pub mod admin;
pub mod api;
pub mod app;
mod auth;
pub mod backups;
mod body;
pub mod calls;
pub mod config;
pub mod connections;
mod consent;
pub mod database_clock;
pub mod directory;
mod error;
mod faults;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod http;
mod idempotency;
pub mod jobs;
mod ledger_export;
mod logs;
mod look;
mod marks;
mod masking;
pub mod metrics;
mod moment;
mod new_key;
mod openapi;
pub mod opening;
pub mod operations;
pub mod outbound;
mod owner_key;
mod pages;
pub mod purposes;
mod rate_limit;
mod reports;
pub mod root_key;
pub mod router;
pub mod search;
pub mod seeding;
pub mod serve;
pub mod system;
mod task_bells;
pub mod tls;
mod traces;
pub mod trail;
mod webhooks;

/// The people of the sandbox who break integrations, for lists.
pub use citadel_connectors::sandbox::{UGLY_PASSWORD, Ugly, ugly_pack};
