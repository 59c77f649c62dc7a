//! The quickstart: a sample back end and page for each product of Citadel.
//!
//! It is written as a user of the SDK would write it, to be read by somebody who is about to write their own. The
//! back end is the handlers in `src/routes.rs`, what they read in `src/reports.rs`, and one small file each for the
//! second step of a funding switch, for a refresh, and for webhooks; the front end is `assets/app.js`. The rest is
//! what a program needs to start well: settings with clear complaints, a banner, and masks, so that no secret reaches
//! a log.
//!
//! It refuses to know anything of Citadel that the SDK does not offer. Start reading at [`router`].

mod app;
mod banner;
mod console;
mod failure;
mod funding;
mod listen;
mod mask;
mod page;
mod product;
mod refresh;
mod register;
mod reports;
mod routes;
mod settings;
mod texts;
mod webhook;

pub use banner::banner;
pub use console::{complain, print};
pub use listen::listen;
pub use product::Product;
pub use register::register_webhook;
pub use routes::router;
pub use settings::{Settings, Variables};
