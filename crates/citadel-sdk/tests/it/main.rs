//! The client against a small double of the server, over real connections.

mod double;
mod errors;
mod links;
mod products;
mod refresh;
mod retries;
mod verification;
mod webhooks;
