//! Connectors: our code that speaks to payroll providers.
//!
//! A connector is a stateless translator. The host owns credentials, retries, storage and scheduling; a connector
//! turns a login into a grant, and a grant into [`citadel_domain::payroll`] shapes. This crate knows neither the
//! database nor our API.
//!
//! Start with [`Connector`]; then read [`sandbox`], the provider of invented people. [`registry`] lists what is built in.
#![warn(missing_docs)]

mod error;
pub mod registry;
pub mod sandbox;

use std::{collections::BTreeMap, future::Future, pin::Pin};

use citadel_domain::{Environment, Product, Secret, payroll::PayrollData};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use error::{ConnectorError, Disposition};
pub use registry::Registry;

/// A boxed future, so that connectors can be kept behind `dyn`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, ConnectorError>> + Send + 'a>>;

/// Our code that speaks to one payroll system, or to many that share a protocol.
pub trait Connector: Send + Sync {
    /// What this connector serves and asks for.
    fn describe(&self) -> &Descriptor;

    /// Goes one step towards a grant: a login, an answer, or another look after a wait.
    fn auth<'a>(&'a self, cx: &'a Cx, input: AuthInput) -> BoxFuture<'a, AuthNext>;

    /// Reads what the grant allows. `Phase::First` is quick: identity, employment and the newest statement.
    /// `Phase::Deep` is everything.
    fn fetch<'a>(&'a self, cx: &'a Cx, grant: &'a Grant, want: Want) -> BoxFuture<'a, PayrollData>;
}

/// What a connector serves and asks for.
#[derive(Clone, Debug)]
pub struct Descriptor {
    /// Short name, stable.
    pub id: &'static str,
    /// Products served.
    pub products: &'static [Product],
    /// Environments in which it may run.
    pub environments: &'static [Environment],
    /// What the sign-in form asks for, in order.
    pub login_fields: &'static [LoginField],
}

/// One field of a sign-in form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginField {
    /// Key in [`Login`].
    pub name: &'static str,
    /// What the consumer reads.
    pub label: &'static str,
    /// Whether typing is hidden.
    pub is_secret: bool,
    /// The HTML `autocomplete` word.
    pub autocomplete: &'static str,
}

/// What the host tells a connector about the run.
#[derive(Clone, Debug)]
pub struct Cx {
    /// The present instant by the host's clock.
    pub now: Timestamp,
    /// The world in which the run takes place.
    pub environment: Environment,
    /// The provider to speak to, for connectors that serve several.
    pub provider_id: String,
    /// The employer that the consumer picked, if any.
    pub employer_name: Option<String>,
    /// The link's product.
    pub product: Product,
}

/// What the consumer typed, by field name. Class S1.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Login(pub BTreeMap<String, Secret>);

impl Login {
    /// The value of a field, or an empty text.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", Secret::expose)
    }
}

/// A connector's own notes between two steps of a sign-in, opaque to the host and sealed by it. Class S1.
pub type Session = Secret;

/// A right to read at the provider, opaque to the host and sealed by it. Class S1.
pub type Grant = Secret;

/// One step towards a grant.
#[derive(Clone, Debug)]
pub enum AuthInput {
    /// The first step.
    Login(Login),
    /// The consumer answered [`AuthNext::Need`].
    Answer {
        /// What the connector gave out with the question.
        session: Session,
        /// What the consumer typed.
        answer: Secret,
    },
    /// The time of [`AuthNext::Wait`] has passed.
    Resume {
        /// What the connector gave out with the wait.
        session: Session,
    },
}

/// Where a sign-in stands. A question to the consumer is an outcome, not an error.
#[derive(Clone, Debug)]
pub enum AuthNext {
    /// The consumer must answer.
    Need {
        /// The question.
        step: Step,
        /// To be given back with the answer.
        session: Session,
    },
    /// The provider needs time.
    Wait {
        /// How long to wait before [`AuthInput::Resume`].
        delay: SignedDuration,
        /// To be given back.
        session: Session,
    },
    /// Signed in.
    Ready(Grant),
}

/// A question to the consumer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Step {
    /// A one-time code.
    Code {
        /// The provider's wording.
        label: String,
        /// Where the code went, masked.
        destination: Option<String>,
    },
}

/// How much to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Identity, employment and the newest statement.
    First,
    /// History and documents.
    Deep,
}

/// What to read.
#[derive(Clone, Copy, Debug)]
pub struct Want {
    /// How much.
    pub phase: Phase,
}
