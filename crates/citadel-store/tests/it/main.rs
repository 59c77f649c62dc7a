//! Every function of the store, on both databases: SQLite always, Postgres where `CITADEL_TEST_DATABASE_URL` names one
//! (`scripts/with-postgres.sh` starts one). With `CITADEL_TEST_REQUIRE_POSTGRES=1` a missing one is a failure.
#![allow(clippy::unwrap_used, reason = "all of this is tests")]

mod access_keys;
mod audit;
mod backup;
mod bridge_tokens;
mod browse;
mod calls;
mod consents;
mod deletions;
mod directory;
mod fixtures;
mod flows;
mod harness;
mod idempotency_keys;
mod jobs;
mod links;
mod logins;
mod migrations;
mod public_tokens;
mod reports;
mod root_keys;
mod row_security;
mod seal;
mod settings;
mod task_model;
mod tasks;
mod tenants;
mod transactions;
mod upgrades;
mod usage;
mod webhook_events;
mod webhooks;
