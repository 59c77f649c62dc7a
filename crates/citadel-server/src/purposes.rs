//! The purposes of keyed hashes: one word per kind of secret, so that no hash of one kind is ever taken for another.
//!
//! These words are part of what is stored. Changing one makes every row of its kind unfindable.

/// Hash of an access secret.
pub const ACCESS_KEY: &str = "access_key";
/// Hash of a bridge token.
pub const BRIDGE_TOKEN: &str = "bridge_token";
/// Hash of a public token.
pub const PUBLIC_TOKEN: &str = "public_token";
/// Hash of an access token.
pub const ACCESS_TOKEN: &str = "access_token";
/// Ids of employments, statements and documents inside a link's data.
pub const OBJECT_ID: &str = "object_id";
/// Proofs of file addresses.
pub const FILE: &str = "file";
/// User names of scenarios.
pub const SCENARIO_USERNAME: &str = "scenario_username";
/// Clients' own ids of users.
pub const EXTERNAL_USER_ID: &str = "external_user_id";
/// An idempotency key, with whose it is and the path.
pub const IDEMPOTENCY_KEY: &str = "idempotency_key";
/// What was sent under an idempotency key.
pub const IDEMPOTENT_REQUEST: &str = "idempotent_request";
/// Hash of the token in the address of an order's page.
pub const ORDER_PAGE: &str = "order_page";
/// Hash of the token in the address of a consumer's page.
pub const YOUR_DATA: &str = "your_data";
/// What a form of a consumer's page carries.
pub const YOUR_DATA_FORM: &str = "your_data_form";
/// What clients see of the person that a link belongs to.
pub const LINK_HASH: &str = "link_hash";
/// The person that a link belongs to.
pub const PERSON: &str = "person";
/// Whose account entries in a provider's books are for.
pub const PROVIDER_ACCOUNT: &str = "provider_account";
/// The secret that signs a client's event streams.
pub const LISTEN_SECRET: &str = "listen_secret";
/// A login at a provider, whose tries are counted.
pub const TRIED_LOGIN: &str = "tried_login";
/// An address from which sign-ins come.
pub const TRYING_ADDRESS: &str = "trying_address";
/// The cookie of a session of the dashboard.
pub const DASHBOARD_SESSION: &str = "dashboard_session";
/// What a form of the dashboard carries.
pub const DASHBOARD_FORM: &str = "dashboard_form";
/// An account of the dashboard, or an address, at which tries are counted.
pub const DASHBOARD_TRIES: &str = "dashboard_tries";
/// The token of an invitation.
pub const INVITATION: &str = "invitation";
/// The code with which an owner is made.
pub const SETUP_CODE: &str = "setup_code";
/// A member's recovery code.
pub const RECOVERY_CODE: &str = "recovery_code";
/// The question that a passkey answers.
pub const PASSKEY_QUESTION: &str = "passkey_question";
/// The seed of a member's one-time codes, of which the member's row has the salt.
pub const TOTP_SEED: &str = "totp_seed";
/// Values of settings, to tell that one has changed.
pub const SETTING: &str = "setting";
