//! The store: every SQL statement, both schemas, sealing, and the job queue.
//!
//! It runs on embedded SQLite or on Postgres from one SQL text. It refuses to know HTTP and providers, and it never
//! awaits anything but the database. Absence is `Option`, not an error; every read of a client's rows names its
//! [`Tenant`].
//!
//! Start with [`Db`] (how a transaction is run), then [`tasks`] and [`jobs`].

pub mod access_keys;
pub mod audit;
pub mod backup;
pub mod bridge_tokens;
pub mod browse;
pub mod call_rates;
pub mod calls;
pub mod changes;
pub mod clients;
pub mod companies;
pub mod consents;
pub mod dashboard_sessions;
mod db;
pub mod deletions;
pub mod deliveries;
mod dialect;
mod error;
pub mod flows;
pub mod holds;
pub mod idempotency_keys;
pub mod invitations;
pub mod jobs;
mod ledger_file;
pub mod links;
pub mod logins;
pub mod members;
mod migrate;
pub mod order_employers;
pub mod orders;
pub mod outbox;
pub mod passkeys;
pub mod payroll_reports;
#[cfg(test)]
mod plans;
mod postgres;
pub mod provider_books;
pub mod providers;
pub mod public_tokens;
pub mod purge;
pub mod reports;
pub mod restore;
pub mod retention;
pub mod root_keys;
pub mod sandboxes;
pub mod scenarios;
pub mod screens;
mod seal;
pub mod settings;
pub mod sign_in_tries;
mod sqlite;
pub mod tasks;
pub mod templates;
pub mod usage;
pub mod user_reports;
pub mod users;
mod value;
pub mod webhook_events;
pub mod webhooks;
mod words;

use citadel_domain::{ClientId, Environment};

pub use db::{Db, DbConfig, Dialect, LogFigures, PoolFigures, Tx};
pub use error::Error;
pub use ledger_file::NAME as LEDGER_FILE;
pub use seal::{DataKey, InvalidRootKeyId, Keyring, Place, RootKeyId};
pub use value::{FromValue, Row, Value, ValueRef};

/// Whose rows: a client, in one environment. Proven by an access key or a token, never taken from input (P5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tenant {
    /// The client.
    pub client_id: ClientId,
    /// The world.
    pub environment: Environment,
}
