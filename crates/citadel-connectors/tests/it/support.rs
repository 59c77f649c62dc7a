//! What the tests share: a run, a sign-in, and what can be read with it.

use std::{collections::BTreeMap, sync::Arc};

use citadel_connectors::{
    AuthInput, AuthNext, Connector, ConnectorError, Cx, Grant, Login, MemoryBooks, Phase, Want,
    sandbox::Sandbox,
};
use citadel_domain::{Environment, Product, Secret, payroll::PayrollData};

pub(crate) const NOW: &str = "2026-11-23T12:00:00Z";
pub(crate) const API_KEY: &str = "Skx8LTnyrLiw4SYk8xfkRwOt5OGQbNulypqdsqd";

/// A run at an instant, at a provider with empty books.
pub(crate) fn cx(now: &str) -> Cx {
    Cx {
        now: now.parse().expect("an instant"),
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

/// The words of a refusal that names a setting at the provider.
pub(crate) fn words<T: std::fmt::Debug>(answer: Result<T, ConnectorError>) -> String {
    match answer {
        Err(ConnectorError::ConfigRejected { message }) => message,
        other => panic!("{other:?}"),
    }
}
