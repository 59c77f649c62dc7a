//! The words and rules of Citadel: ids, environments, products, task statuses and their transitions, secrets and
//! tokens, money, and the normalised payroll shapes that every connector emits.
//!
//! This crate performs no I/O: no async, no SQL, no HTTP, no clock and no randomness of its own. Time and random
//! bytes come in as arguments ([`Clock`], [`Random`]).
//!
//! Start with [`task_status`] (what a task may do next), then [`payroll`] (what a connector hands over).
#![warn(missing_docs)]

pub mod account;
pub mod clock;
pub mod environment;
pub mod fault;
pub mod ids;
pub mod money;
pub mod order_status;
pub mod payroll;
pub mod product;
pub mod random;
pub mod role;
pub mod secret;
pub mod task_status;
pub mod tokens;

pub use account::AccountDetails;
pub use clock::{Clock, ManualClock};
pub use environment::Environment;
pub use fault::Fault;
pub use ids::*;
pub use money::Money;
pub use order_status::OrderStatus;
pub use product::Product;
pub use random::{NumberedRandom, Random, SeededRandom};
pub use role::Role;
pub use secret::Secret;
pub use task_status::TaskStatus;
