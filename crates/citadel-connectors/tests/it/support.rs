//! What the tests share: a run, a sign-in, and what can be read with it.

use std::{collections::BTreeMap, sync::Arc};

use citadel_connectors::{
    AuthInput, AuthNext, Connector, ConnectorError, Cx, Entry, Grant, Login, MemoryBooks, Phase, Want,
    sandbox::Sandbox,
};
use citadel_domain::{
    AccountDetails, Environment, Product, Secret,
    account::{AccountType, DepositType},
    payroll::{Change, ChangeState, PayrollData, Plan},
};

pub(crate) const NOW: &str = "2026-11-23T12:00:00Z";
pub(crate) const API_KEY: &str = "Skx8LTnyrLiw4SYk8xfkRwOt5OGQbNulypqdsqd";

/// A run at an instant, at a provider with empty books.
pub(crate) fn cx(now: &str) -> Cx {
    Cx {
        now: now.parse().expect("an instant"),
        today: now[..10].parse().expect("a day"),
        tries: 1,
        faults: Vec::new(),
        environment: Environment::Sandbox,
        provider_id: "truv".to_owned(),
        employer_name: Some("Facebook Demo".to_owned()),
        product: Product::Income,
        books: Arc::new(MemoryBooks::default()),
    }
}

pub(crate) fn for_product(product: Product) -> Cx {
    Cx { product, ..cx(NOW) }
}

pub(crate) fn typed(fields: &[(&str, &str)]) -> AuthInput {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value)));
    AuthInput::Login(Login(fields.collect::<BTreeMap<_, _>>()))
}

pub(crate) fn login(username: &str, password: &str) -> AuthInput {
    typed(&[("username", username), ("password", password)])
}

pub(crate) async fn auth(cx: &Cx, input: AuthInput) -> Result<AuthNext, ConnectorError> {
    Sandbox::new().auth(cx, input).await
}

pub(crate) async fn grant(username: &str) -> Grant {
    match auth(&cx(NOW), login(username, "goodpassword")).await {
        Ok(AuthNext::Ready(grant)) => grant,
        other => panic!("{username}: {other:?}"),
    }
}

pub(crate) async fn fetch(username: &str, cx: &Cx, phase: Phase) -> PayrollData {
    Sandbox::new().fetch(cx, &grant(username).await, Want { phase }).await.expect("data")
}

pub(crate) async fn everything(username: &str) -> PayrollData {
    fetch(username, &cx(NOW), Phase::Deep).await
}

/// The account that published clients send.
pub(crate) fn td_bank(share: DepositType, value: Option<&str>) -> AccountDetails {
    AccountDetails {
        account_number: Secret::new("16002600"),
        account_type: AccountType::Checking,
        routing_number: Secret::new("123456789"),
        bank_name: "TD Bank".to_owned(),
        bank_address: None,
        deposit_type: Some(share),
        deposit_value: value.map(|value| value.parse().expect("a number")),
        action: None,
    }
}

/// Somebody's sign-in, to plan and make changes with.
pub(crate) struct Signed {
    pub(crate) cx: Cx,
    grant: Grant,
}

impl Signed {
    pub(crate) async fn new(username: &str, product: Product) -> Self {
        Self { cx: for_product(product), grant: grant(username).await }
    }

    /// The same sign-in with another provider or employer, and the same books.
    pub(crate) fn at(self, change: impl FnOnce(Cx) -> Cx) -> Self {
        Self { cx: change(self.cx), grant: self.grant }
    }

    pub(crate) async fn plan(&self, change: Change) -> Result<Plan, ConnectorError> {
        Sandbox::new().plan(&self.cx, &self.grant, &change).await
    }

    pub(crate) async fn apply(&self, plan: &Plan, key: &str) -> Result<(), ConnectorError> {
        Sandbox::new().apply(&self.cx, &self.grant, plan, key).await
    }

    pub(crate) async fn observe(&self, plan: &Plan, key: &str) -> Result<ChangeState, ConnectorError> {
        Sandbox::new().observe(&self.cx, &self.grant, plan, key).await
    }

    pub(crate) async fn read(&self) -> PayrollData {
        let want = Want { phase: Phase::Deep };
        Sandbox::new().fetch(&self.cx, &self.grant, want).await.expect("data")
    }

    /// Everything in the books of a page.
    pub(crate) async fn entries(&self, page: &str) -> Vec<Entry> {
        self.cx.books.list(page).await.expect("books in memory")
    }
}

/// The words of a refusal that names a setting at the provider.
pub(crate) fn words<T: std::fmt::Debug>(answer: Result<T, ConnectorError>) -> String {
    match answer {
        Err(ConnectorError::ConfigRejected { message }) => message,
        other => panic!("{other:?}"),
    }
}
