//! What the handlers share.

use std::sync::{Arc, Mutex};

use citadel_sdk::{Polling, Redacted};

use crate::{Product, Settings, console::log, failure::Failure, mask::mask};

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) citadel: citadel_sdk::Citadel,
    pub(crate) product: Product,
    pub(crate) polling: Polling,
    /// Signs the webhooks that this app gets.
    pub(crate) secret: Redacted,
    last_access_token: Arc<Mutex<Option<Redacted>>>,
}

impl App {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            citadel: settings.citadel.clone(),
            product: settings.product,
            polling: settings.polling,
            secret: settings.secret.clone(),
            last_access_token: Arc::default(),
        }
    }

    /// Step 8: exchange the public token of the widget for the access token of the link.
    pub(crate) async fn exchange(&self, public_token: Redacted) -> Result<Redacted, Failure> {
        self.log_call("Exchanging a public_token for an access_token from", "link-access-tokens");
        log(&format!("Public Token - {}", mask(&public_token)));
        let link = self.citadel.exchange_public_token(public_token).await.map_err(Failure::at(8))?;
        log(&format!("Access Token - {}", mask(&link.access_token)));
        // A real app stores `link.access_token` and `link.link_id` with its user. This one has one user: you.
        *self.last_access_token.lock().expect("nobody panics while holding it") =
            Some(link.access_token.clone());
        Ok(link.access_token)
    }

    /// The access token of whoever connected last.
    pub(crate) fn last_access_token(&self) -> Result<Redacted, Failure> {
        let token = self.last_access_token.lock().expect("nobody panics while holding it").clone();
        token.ok_or_else(Failure::nobody_connected)
    }

    /// One line before a call to Citadel.
    pub(crate) fn log_call(&self, what: &str, path: &str) {
        log(&format!("{what} {}{path}", self.citadel.base_url()));
    }
}
