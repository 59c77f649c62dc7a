//! The widget is no guessing machine (P14): how often a login may be tried, from where, and on one link. The logins of the
//! sandbox are public, so nobody is counted there.

use std::net::IpAddr;

use citadel_connectors::Login;
use citadel_domain::Environment;
use citadel_store::{
    Tx,
    bridge_tokens::BridgeToken,
    links::Link,
    sign_in_tries::{self, Limit},
    tasks,
};
use jiff::{SignedDuration, Timestamp};

use super::session::login_form;
use crate::{
    app::App,
    connections::subscriber,
    error::{self, ApiResult},
    purposes,
};

/// At a login, over all clients: with pauses of 1, 4, 9, … seconds in between.
const AT_LOGIN: Limit = Limit { most: 10, pause: SignedDuration::from_secs(1) };
/// From an address.
const FROM_ADDRESS: Limit = Limit { most: 50, pause: SignedDuration::ZERO };
/// For one link.
const OF_LINK: i64 = 5;

/// What a sign-in counts for.
#[derive(Clone)]
pub(super) struct Tries {
    login: Option<[u8; 32]>,
    address: Option<[u8; 32]>,
}

impl Tries {
    pub(super) fn of(
        app: &App,
        token: &BridgeToken,
        provider_id: &str,
        login: &Login,
        address: Option<IpAddr>,
    ) -> Self {
        if token.tenant.environment == Environment::Sandbox {
            return Self { login: None, address: None };
        }
        // Whose it is, however it was typed. A way without a name, such as a key alone, cannot be guessed name by name.
        let ways = login_form(app, token, provider_id);
        let fields = ways.iter().flat_map(|form| {
            form.organization.iter().chain(form.ways.iter().flat_map(|way| way.fields)).collect::<Vec<_>>()
        });
        let names =
            fields.filter(|field| !field.is_secret).map(|field| login.get(field.name).trim().to_lowercase());
        let names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
        let whose = format!("{provider_id}\n{}", names.join("\n"));
        let hash = |purpose, text: &str| app.keyring.keyed_hash(purpose, text);
        Self {
            login: (!names.is_empty()).then(|| hash(purposes::TRIED_LOGIN, &whose)),
            address: address.map(|address| hash(purposes::TRYING_ADDRESS, &subscriber(address).to_string())),
        }
    }

    /// Counts the sign-in, or refuses it. To be rolled back with it.
    pub(super) async fn count(&self, tx: &mut Tx<'_>, live: Timestamp) -> ApiResult<()> {
        let all = [
            (self.address, FROM_ADDRESS, "Too many sign-ins from this network"),
            (self.login, AT_LOGIN, "Too many sign-ins with this login"),
        ];
        for (hash, limit, reason) in all {
            let Some(hash) = hash else { continue };
            if let Some(wait) = sign_in_tries::count(tx, &hash, limit, live).await? {
                let seconds = wait.as_millis().div_euclid(1000) + 1;
                return Err(error::throttled(reason, u32::try_from(seconds).unwrap_or(3600)));
            }
        }
        Ok(())
    }
}

/// Refuses one more try on a link that has had its tries.
pub(super) async fn count_of_link(tx: &mut Tx<'_>, link: &Link) -> ApiResult<()> {
    if link.tenant.environment == Environment::Sandbox {
        return Ok(());
    }
    match tasks::count_for_link(tx, link.tenant, link.id).await? {
        tries if tries < OF_LINK => Ok(()),
        _ => Err(error::forbidden("This sign-in has been tried too often. Go back and start again.")),
    }
}
