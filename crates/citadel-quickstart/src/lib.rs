//! The quickstart: a sample back end and page that verify employment or income through Citadel.
//!
//! It is written as a user of the SDK would write it, to be read by somebody who is about to write their own. The
//! whole back end is two handlers in `src/routes.rs`; the front end is `assets/app.js`. The rest is what a program
//! needs to start well: settings with clear complaints, a banner, and masks, so that no secret reaches a log.
//!
//! It refuses to know anything of Citadel that the SDK does not offer. Start reading at [`router`].

mod banner;
mod console;
mod listen;
mod mask;
mod page;
mod product;
mod routes;
mod settings;

pub use banner::banner;
pub use console::{complain, print};
pub use listen::listen;
pub use product::Product;
pub use routes::router;
pub use settings::{Settings, Variables};
