//! The server through its real router, on both databases. Modules mirror `src/api/`.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]
#![allow(clippy::disallowed_methods, reason = "tests take their databases from the environment")]

mod access_tokens;
mod administrators;
mod bad_input;
mod bad_receivers;
mod bridge_tokens;
mod canaries;
mod change_kills;
mod changes;
mod child;
mod clients;
mod compatibility;
mod data_events;
mod deletions;
mod deliveries;
mod deposits;
mod determinism;
mod directory;
mod disk;
mod event_stream;
mod events;
mod factors;
mod guessing;
mod http_surface;
mod idempotency;
mod isolation;
mod keys;
mod kill_loop;
mod kills;
mod leaks;
mod ledger;
mod ledger_tools;
mod links;
mod nodes;
mod openapi;
mod orders;
mod orders_again;
mod orders_ending;
mod orders_midway;
mod other_clients;
mod outbound;
mod own_postgres;
mod pooler;
mod postgres_faults;
mod postgres_proxy;
mod postgres_tls;
mod power_cuts;
mod provenance;
mod rate_limit;
mod receiver;
mod refresh;
mod restores;
mod root_key;
mod sandbox;
mod scripted;
#[cfg(feature = "soak")]
mod soak;
mod storage_faults;
mod support;
mod surface;
mod syncs;
mod task_model;
mod tasks;
mod templates;
#[cfg(feature = "soak")]
mod timing;
mod ugly;
mod users;
mod verifications;
mod webhooks;
mod widget;
mod workspace;
