//! What exists in the sandbox only. Every call fails with [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) under a key of
//! another environment.

use citadel_api_types::{
    page::Page,
    sandbox::{
        CreateSandboxPublicToken, SandboxClock, SandboxFaults, SandboxPublicToken, SandboxScenario,
        TurnSandboxClock,
    },
};
use reqwest::{Method, header};
use serde_json::Value;

use crate::{
    Citadel, Error,
    client::{Call, keyed},
    retry::Repeat,
};

impl Citadel {
    /// Signs in as a person would in the widget, and answers when the task has ended, well or not: look at `status`. Takes as
    /// long as the sign-in does; allow more time with [`timeout`](crate::Builder::timeout) for logins that wait.
    pub async fn create_sandbox_public_token(
        &self,
        request: &CreateSandboxPublicToken,
    ) -> Result<SandboxPublicToken, Error> {
        self.post("sandbox/public-tokens", request, Repeat::UnderKey).await
    }

    /// What the sandbox's clock shows.
    pub async fn sandbox_clock(&self) -> Result<SandboxClock, Error> {
        self.get(Call::new("sandbox/clock")).await
    }

    /// Turns the sandbox's clock, never back. Fails with [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) when it
    /// would go back, or beyond 2099.
    pub async fn turn_sandbox_clock(&self, request: &TurnSandboxClock) -> Result<SandboxClock, Error> {
        self.post("sandbox/clock", request, Repeat::UnderKey).await
    }

    /// What goes wrong on purpose in all that is done in the sandbox.
    pub async fn sandbox_faults(&self) -> Result<SandboxFaults, Error> {
        self.get(Call::new("sandbox/faults")).await
    }

    /// Sets what goes wrong on purpose, from the next sign-in or refresh on. An empty list ends it.
    pub async fn set_sandbox_faults(&self, request: &SandboxFaults) -> Result<SandboxFaults, Error> {
        self.post("sandbox/faults", request, Repeat::UnderKey).await
    }

    /// Empties the sandbox. Only the keys stay.
    pub async fn reset_sandbox(&self) -> Result<SandboxClock, Error> {
        self.post("sandbox/reset", &Value::Object(serde_json::Map::new()), Repeat::UnderKey).await
    }

    /// Keeps a scenario, as the JSON Schema at `/scenario.schema.json` says. Fails with
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), and names every field that is wrong.
    pub async fn create_sandbox_scenario(&self, scenario: &Value) -> Result<SandboxScenario, Error> {
        self.post("sandbox/scenarios", scenario, Repeat::UnderKey).await
    }

    /// The scenarios of the sandbox, oldest first: one page of at most 100, from 1.
    pub async fn sandbox_scenarios(&self, page: u32) -> Result<Page<SandboxScenario>, Error> {
        let page = page.to_string();
        self.get(Call::new("sandbox/scenarios").query(&[("page", &page)])).await
    }

    /// Changes a scenario: each key that is sent is replaced as a whole, `null` takes it away.
    pub async fn update_sandbox_scenario(&self, id: &str, changed: &Value) -> Result<SandboxScenario, Error> {
        self.patch(Call::new("sandbox/scenarios").id(id), changed).await
    }

    /// Deletes a scenario.
    pub async fn delete_sandbox_scenario(&self, id: &str) -> Result<(), Error> {
        self.delete(Call::new("sandbox/scenarios").id(id)).await
    }

    /// As [`Citadel::create_sandbox_scenario`], of a text: the lines that a refusal names are those of the text.
    pub async fn create_sandbox_scenario_text(&self, json: &str) -> Result<SandboxScenario, Error> {
        self.send_text(Method::POST, Call::new("sandbox/scenarios"), json, Repeat::UnderKey).await
    }

    /// As [`Citadel::update_sandbox_scenario`], of a text.
    pub async fn update_sandbox_scenario_text(&self, id: &str, json: &str) -> Result<SandboxScenario, Error> {
        self.send_text(Method::PATCH, Call::new("sandbox/scenarios").id(id), json, Repeat::Always).await
    }

    async fn send_text(
        &self,
        method: Method,
        call: Call<'_>,
        json: &str,
        repeat: Repeat,
    ) -> Result<SandboxScenario, Error> {
        let url = call.url(&self.base_url)?;
        let key = self.key_for(repeat);
        let request = || {
            let request = keyed(self.http.request(method.clone(), url.clone()), &key);
            request.header(header::CONTENT_TYPE, "application/json").body(json.to_owned())
        };
        self.send(request, repeat).await
    }
}
