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

use std::{collections::BTreeMap, fmt, future::Future, pin::Pin, sync::Arc};

use citadel_domain::{
    Environment, Fault, Product, Secret,
    payroll::{Change, ChangeState, CompanyData, PayrollData, PayrollRow, Plan},
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

pub use error::{ConnectorError, Disposition};
pub use registry::Registry;

/// A boxed future, so that connectors can be kept behind `dyn`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, ConnectorError>> + Send + 'a>>;

/// Our code that speaks to one payroll system, or to many that share a protocol.
///
/// What a connector does not override it does not serve: the default bodies answer [`ConnectorError::Unsupported`].
pub trait Connector: Send + Sync {
    /// What this connector serves.
    fn describe(&self) -> &Descriptor;

    /// What the sign-in for a product asks for at a provider.
    fn login_form(&self, provider_id: &str, product: Product) -> LoginForm;

    /// Goes one step towards a grant: a login, an answer, or another look after a wait.
    fn auth<'a>(&'a self, cx: &'a Cx, input: AuthInput) -> BoxFuture<'a, AuthNext>;

    /// Reads what the grant allows. `Phase::First` is quick: identity, employment and the newest statement.
    /// `Phase::Deep` is everything.
    fn fetch<'a>(&'a self, cx: &'a Cx, grant: &'a Grant, want: Want) -> BoxFuture<'a, PayrollData> {
        let _ = (cx, grant, want);
        unsupported()
    }

    /// Reads the company that an administrator's grant is for, with its directory.
    fn fetch_company<'a>(&'a self, cx: &'a Cx, grant: &'a Grant) -> BoxFuture<'a, CompanyData> {
        let _ = (cx, grant);
        unsupported()
    }

    /// Reads the company's payroll register: every statement with a pay day from the first day to the last, both
    /// included, by pay day and name.
    fn fetch_payroll<'a>(
        &'a self,
        cx: &'a Cx,
        grant: &'a Grant,
        from: Date,
        to: Date,
    ) -> BoxFuture<'a, Vec<PayrollRow>> {
        let _ = (cx, grant, from, to);
        unsupported()
    }

    /// Works out a change. Reads only. A change that the provider would refuse is refused here, in its words, as far as
    /// that can be known before anything is sent.
    fn plan<'a>(&'a self, cx: &'a Cx, grant: &'a Grant, change: &'a Change) -> BoxFuture<'a, Plan> {
        let _ = (cx, grant, change);
        unsupported()
    }

    /// Makes a planned change. `key` names this one submission for ever: the host calls this at most once for a key, unless
    /// [`Connector::observe`] answered [`ChangeState::Absent`] for it (P37).
    fn apply<'a>(&'a self, cx: &'a Cx, grant: &'a Grant, plan: &'a Plan, key: &'a str) -> BoxFuture<'a, ()> {
        let _ = (cx, grant, plan, key);
        unsupported()
    }

    /// Looks whether the change of a key is there. Reads only. A submission that the provider got and refused is that refusal
    /// again, in the same words: it is not there, and it must not be sent once more.
    fn observe<'a>(
        &'a self,
        cx: &'a Cx,
        grant: &'a Grant,
        plan: &'a Plan,
        key: &'a str,
    ) -> BoxFuture<'a, ChangeState> {
        let _ = (cx, grant, plan, key);
        unsupported()
    }
}

fn unsupported<'a, T: Send + 'a>() -> BoxFuture<'a, T> {
    Box::pin(std::future::ready(Err(ConnectorError::Unsupported)))
}

/// What a connector serves.
#[derive(Clone, Debug)]
pub struct Descriptor {
    /// Short name, stable.
    pub id: &'static str,
    /// Products served.
    pub products: &'static [Product],
    /// Environments in which it may run.
    pub environments: &'static [Environment],
}

/// What a sign-in asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginForm {
    /// A company code, organisation or sub-domain that is asked for first.
    pub organization: Option<LoginField>,
    /// The ways to sign in; the first is offered, the others are a click away. None: the product is not served here.
    pub ways: &'static [LoginWay],
}

/// One way to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginWay {
    /// What the consumer reads when it is one of several, such as "API key".
    pub label: &'static str,
    /// What is asked for, in order.
    pub fields: &'static [LoginField],
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
    /// The present instant by the host's clock, for waits.
    pub now: Timestamp,
    /// The present day in the client's world: that of `now`, unless the client turned the clock of its sandbox.
    pub today: Date,
    /// How often this step was tried, this time included.
    pub tries: i64,
    /// For a provider that exists only in this program: what goes wrong on purpose.
    pub faults: Vec<Fault>,
    /// The world in which the run takes place.
    pub environment: Environment,
    /// The provider to speak to, for connectors that serve several.
    pub provider_id: String,
    /// The employer that the consumer picked, if any.
    pub employer_name: Option<String>,
    /// The task's product.
    pub product: Product,
    /// For a provider that exists only in this program: where it keeps its books for this client and environment.
    pub books: Arc<dyn Books>,
}

/// The books of a provider that exists only in this program, kept by the host as a real provider keeps its own: what is
/// entered stays, whatever becomes of the task that caused it.
pub trait Books: Send + Sync + fmt::Debug {
    /// Everything entered for an account, oldest first.
    fn list<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Vec<Entry>>;

    /// Enters something. Nothing is ever entered twice by itself, and nothing is left out: two calls make two entries.
    fn enter<'a>(&'a self, account: &'a str, entry: &'a Entry) -> BoxFuture<'a, ()>;

    /// The logins that the client invented for a user name, newest first.
    fn scenarios<'a>(&'a self, username: &'a str) -> BoxFuture<'a, Vec<Invented>>;
}

/// A login that a client of the sandbox invented.
#[derive(Clone, Debug)]
pub struct Invented {
    /// Stays the same when the scenario is changed.
    pub id: String,
    /// The scenario, as JSON. Class S2.
    pub json: Secret,
}

/// An entry in [`Books`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which submission caused it.
    pub key: String,
    /// What it says. Class S2.
    pub text: Secret,
}

/// Books in memory, for tests and examples.
#[derive(Debug, Default)]
pub struct MemoryBooks {
    entries: std::sync::Mutex<Vec<(String, Entry)>>,
    scenarios: Vec<(String, Invented)>,
}

impl MemoryBooks {
    /// Empty books, and these logins by user name.
    pub fn with_scenarios(scenarios: Vec<(String, Invented)>) -> Self {
        Self { entries: std::sync::Mutex::default(), scenarios }
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Vec<(String, Entry)>> {
        self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Books for MemoryBooks {
    fn list<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Vec<Entry>> {
        let of_account = |(whose, entry): &(String, Entry)| (whose == account).then(|| entry.clone());
        let entries = self.entries().iter().filter_map(of_account).collect();
        Box::pin(std::future::ready(Ok(entries)))
    }

    fn enter<'a>(&'a self, account: &'a str, entry: &'a Entry) -> BoxFuture<'a, ()> {
        self.entries().push((account.to_owned(), entry.clone()));
        Box::pin(std::future::ready(Ok(())))
    }

    fn scenarios<'a>(&'a self, username: &'a str) -> BoxFuture<'a, Vec<Invented>> {
        let of_user = |(name, invented): &(String, Invented)| (name == username).then(|| invented.clone());
        Box::pin(std::future::ready(Ok(self.scenarios.iter().filter_map(of_user).collect())))
    }
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
    /// The first step of a refresh, in which nobody sits at a form: the grant of an earlier sign-in.
    Renew {
        /// The grant.
        grant: Grant,
    },
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
    /// A question that only the person can answer.
    Question {
        /// The question.
        label: String,
    },
    /// A choice, most often of where a code goes. The answer is the id of an option.
    Choice {
        /// The provider's wording.
        label: String,
        /// What can be chosen.
        options: Vec<StepOption>,
    },
    /// An approval on the person's phone. Nothing need be typed: the host looks again by itself with
    /// [`AuthInput::Resume`], every few seconds. The answer [`OTHER_METHOD`] asks for another way.
    Push {
        /// The provider's wording.
        label: String,
        /// Which device, masked.
        destination: Option<String>,
        /// Whether there is another way.
        has_other: bool,
    },
}

/// The answer to a [`Step::Push`] that asks for another way to prove who one is.
pub const OTHER_METHOD: &str = "other";

/// Something to choose in a [`Step::Choice`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepOption {
    /// What is sent back.
    pub id: String,
    /// What the person reads, masked.
    pub label: String,
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
