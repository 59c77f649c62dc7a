//! The JSON of the REST API and of webhooks: what the server sends and reads, and what the SDK reads and sends.
//!
//! One file per resource. Values are in their wire form: ids, dates and times are text, and money is text with two
//! digits, because that is what published clients read. Doc comments become the public reference at `/docs`.
//!
//! This crate refuses to know the database, HTTP, and the rules of the domain: it does not check a value, it only
//! spells it. It is also the only crate that may rename a word of ours to the word on the wire.
//!
//! Three habits hold everywhere:
//!
//! - Answers carry every key, with `null` when a value is unknown, and lists are never `null`. Published clients
//!   read keys without looking whether they are there. [`RequireEveryKey`] says the same in the OpenAPI document.
//! - Requests are read liberally: unknown keys are ignored, and an optional key may be `null` or `""`.
//! - A token, a social security number or an account number is [`Redacted`], so that printing it shows nothing.
//!
//! Start reading at [`bridge_tokens`], then [`access_tokens`] and [`reports`]: that is the order of a verification.

#![warn(missing_docs)]

pub mod access_keys;
pub mod access_tokens;
pub mod administrators;
pub mod bridge_tokens;
pub mod companies;
pub mod deposits;
pub mod error;
pub mod events;
mod liberal;
pub mod links;
mod objects;
pub mod orders;
pub mod page;
pub mod payroll;
pub mod providers;
mod redacted;
pub mod refresh;
pub mod reports;
pub mod sandbox;
mod schema;
pub mod statements;
pub mod tasks;
pub mod templates;
pub mod user_reports;
pub mod users;
pub mod webhook_endpoints;
pub mod webhooks;

pub use objects::Strictly;
pub use redacted::Redacted;
pub use schema::RequireEveryKey;
