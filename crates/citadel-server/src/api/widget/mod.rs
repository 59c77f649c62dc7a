//! Steps 2 to 6 of a verification as the widget sees them: what to show ([`session`]), the account that the person confirms
//! ([`deposit`]), the sign-in that makes a link and a task ([`sign_in`], counted by
//! [`tries`]), how it goes and what the consumer answers ([`task`]), and the proof at the end
//! ([`public_token`]). Beside them the widget tells its [`screens`]. Every call is made under a bridge token, which alone decides the client, the product and what may
//! be skipped; the page can change none of it (P8).

pub(crate) mod deposit;
pub(crate) mod order;
pub(crate) mod public_token;
pub(crate) mod screens;
pub(crate) mod session;
pub(crate) mod sign_in;
pub(crate) mod task;
mod tries;

/// The longest value of a sign-in field or answer, in bytes.
const MAX_FIELD: usize = 512;
