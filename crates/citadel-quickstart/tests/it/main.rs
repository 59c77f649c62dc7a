//! The quickstart over HTTP, against a small double of Citadel, and as a program in a folder of its own.

mod double;
mod products;
mod program;
mod routes;
mod webhooks;
