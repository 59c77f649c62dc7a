//! The client against a small double of the server, over real connections.

mod double;
mod errors;
mod retries;
mod verification;
mod webhooks;
