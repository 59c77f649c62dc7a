//! The server through its real router, on both databases. Modules mirror `src/api/`.

mod access_tokens;
mod bridge_tokens;
mod directory;
mod http_surface;
mod isolation;
mod openapi;
mod support;
mod tasks;
mod verifications;
mod widget;
mod workspace;
