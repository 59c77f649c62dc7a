//! Administration: clients and their access keys. The same functions serve the command line directly on the store and
//! the admin [`socket`] of a running server.

pub mod root_key;
pub mod socket;

use std::{path::PathBuf, sync::Arc};

use axum::http::Uri;
use citadel_domain::{AccessKeyId, ClientId, Clock, DeletionId, Environment, Random, Secret};
use citadel_store::{
    Db, Keyring, Tenant, access_keys,
    clients::{self, NewClient},
    deletions::Stamp,
    sandboxes::{self, Pace},
};
use serde::{Deserialize, Serialize};

use crate::{config::Profile, new_key::NewKey};

/// The longest name of a client.
const MAX_NAME: usize = 100;

/// What can be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Request {
    /// A new client with a sandbox key.
    CreateClient { name: String, origins: Vec<String> },
    /// Every client.
    ListClients,
    /// One more key.
    CreateKey { client_id: ClientId, environment: String },
    /// The keys of a client, without secrets.
    ListKeys { client_id: ClientId },
    /// The end of a key.
    DeleteKey { client_id: ClientId, key_id: AccessKeyId },
    /// The end of a client with all that is known through it.
    DeleteClient { client_id: ClientId },
    /// The versions of the root key, and what lies under each.
    RootKeyStatus,
    /// A new version of the root key.
    RotateRootKey,
    /// The end of a version that nothing needs.
    RemoveRootKey { id: String },
}

/// What is answered. Secrets appear here and nowhere else, once.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    ClientCreated { client_id: ClientId, secret: Secret },
    Clients(Vec<ClientLine>),
    KeyCreated { key_id: AccessKeyId, environment: String, secret: Secret },
    Keys(Vec<KeyLine>),
    KeyDeleted,
    ClientDeleted,
    RootKeys(Vec<root_key::VersionLine>),
    RootKeyRotated { id: String, is_in_use: bool },
    RootKeyRemoved,
}

/// One client in a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct ClientLine {
    pub client_id: ClientId,
    pub name: String,
    pub created_at: jiff::Timestamp,
}

/// One active key in a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct KeyLine {
    pub key_id: AccessKeyId,
    pub environment: String,
    pub created_at: jiff::Timestamp,
}

/// Why not. The text says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Told(String),
    #[error("the database failed")]
    Store(#[from] citadel_store::Error),
}

/// Everything that administration needs.
pub struct Admin {
    pub db: Db,
    pub keyring: Arc<Keyring>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub profile: Profile,
    /// Where the versions of the root key are written down.
    pub root_key_file: PathBuf,
    /// Where the clock of a new client's sandbox stands.
    pub sandbox_now: Option<jiff::Timestamp>,
}

impl Admin {
    /// Performs one request.
    pub async fn perform(&self, request: Request) -> Result<Answer, Refusal> {
        match request {
            Request::CreateClient { name, origins } => self.create_client(name, origins).await,
            Request::ListClients => self.list_clients().await,
            Request::CreateKey { client_id, environment } => self.create_key(client_id, &environment).await,
            Request::ListKeys { client_id } => self.list_keys(client_id).await,
            Request::DeleteKey { client_id, key_id } => self.delete_key(client_id, key_id).await,
            Request::DeleteClient { client_id } => self.delete_client(client_id).await,
            Request::RootKeyStatus => self.root_key_status().await,
            Request::RotateRootKey => self.rotate_root_key().await,
            Request::RemoveRootKey { id } => self.remove_root_key(&id).await,
        }
    }
}

impl Admin {
    async fn create_client(&self, name: String, origins: Vec<String>) -> Result<Answer, Refusal> {
        check_name(&name)?;
        origins.iter().try_for_each(|origin| check_origin(origin))?;
        let now = self.clock.now();
        let client = NewClient {
            id: ClientId::generate(now, &*self.random),
            name,
            allowed_origins: origins,
            created_at: now,
        };
        let client_id = client.id;
        let NewKey { row, secret } = self.new_key(client_id, Environment::Sandbox)?;
        let sandbox_now = self.sandbox_now;
        self.db
            .write(async move |tx| {
                clients::create(tx, &client).await?;
                if let Some(at) = sandbox_now {
                    let tenant = Tenant { client_id, environment: Environment::Sandbox };
                    sandboxes::set_pace(tx, tenant, Pace::Standing { at }).await?;
                }
                access_keys::create(tx, &row).await.map(drop)
            })
            .await?;
        tracing::info!(client.id = %client_id, "client created");
        Ok(Answer::ClientCreated { client_id, secret })
    }

    async fn list_clients(&self) -> Result<Answer, Refusal> {
        let clients = self.db.read(async |tx| clients::list(tx).await).await?;
        let line = |client: clients::Client| ClientLine {
            client_id: client.id,
            name: client.name,
            created_at: client.created_at,
        };
        Ok(Answer::Clients(clients.into_iter().map(line).collect()))
    }

    async fn create_key(&self, client_id: ClientId, environment: &str) -> Result<Answer, Refusal> {
        let Ok(environment) = environment.parse::<Environment>() else {
            return refused("an environment is sandbox, dev or prod");
        };
        if environment == Environment::Prod && self.profile == Profile::Development {
            return refused("keys for prod are made under CITADEL_PROFILE=production only");
        }
        let NewKey { row, secret } = self.new_key(client_id, environment)?;
        let key_id = row.id;
        let is_made = self
            .db
            .write(async move |tx| {
                if clients::find(tx, client_id).await?.is_none() {
                    return Ok::<_, citadel_store::Error>(None);
                }
                access_keys::create(tx, &row).await.map(Some)
            })
            .await?;
        match is_made {
            None => no_such_client(),
            Some(false) => refused(format!(
                "this client has two active {environment} keys already: delete one first (citadel key delete)"
            )),
            Some(true) => {
                tracing::info!(client.id = %client_id, access_key.id = %key_id, "access key created");
                Ok(Answer::KeyCreated { key_id, environment: environment.to_string(), secret })
            }
        }
    }

    async fn list_keys(&self, client_id: ClientId) -> Result<Answer, Refusal> {
        let keys = self
            .db
            .read(async move |tx| {
                let is_known = clients::find(tx, client_id).await?.is_some();
                let keys = access_keys::list_active(tx, client_id).await?;
                Ok::<_, citadel_store::Error>(is_known.then_some(keys))
            })
            .await?;
        let Some(keys) = keys else { return no_such_client() };
        let line = |key: access_keys::AccessKey| KeyLine {
            key_id: key.id,
            environment: key.environment.to_string(),
            created_at: key.created_at,
        };
        Ok(Answer::Keys(keys.into_iter().map(line).collect()))
    }

    async fn delete_client(&self, client_id: ClientId) -> Result<Answer, Refusal> {
        let stamp = self.stamp();
        if !self.db.write(async move |tx| clients::erase(tx, client_id, stamp).await).await? {
            return no_such_client();
        }
        tracing::info!(client.id = %client_id, "client deleted");
        Ok(Answer::ClientDeleted)
    }

    fn stamp(&self) -> Stamp {
        let at = self.clock.now();
        Stamp { id: DeletionId::generate(at, &*self.random), at }
    }

    async fn delete_key(&self, client_id: ClientId, key_id: AccessKeyId) -> Result<Answer, Refusal> {
        let stamp = self.stamp();
        let is_deleted =
            self.db.write(async move |tx| access_keys::delete(tx, client_id, key_id, stamp).await).await?;
        if !is_deleted {
            return refused("no such key is active (citadel key list --client ID shows those that are)");
        }
        tracing::info!(client.id = %client_id, access_key.id = %key_id, "access key deleted");
        Ok(Answer::KeyDeleted)
    }

    fn new_key(&self, client_id: ClientId, environment: Environment) -> Result<NewKey, Refusal> {
        let tenant = Tenant { client_id, environment };
        Ok(NewKey::generate(&self.keyring, &*self.random, tenant, self.clock.now())?)
    }
}

fn no_such_client() -> Result<Answer, Refusal> {
    refused("no such client (citadel client list shows them)")
}

fn refused<T>(text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Told(text.into()))
}

fn check_name(name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return refused(format!("the name of a client is 1 to {MAX_NAME} characters on one line"));
    }
    Ok(())
}

/// An origin is scheme, host and port, spelt as browsers send it.
fn check_origin(origin: &str) -> Result<(), Refusal> {
    let uri = origin.parse::<Uri>().ok();
    let is_origin = uri.is_some_and(|uri| {
        let (scheme, host) = (uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default());
        let default_port = if scheme == "https" { 443 } else { 80 };
        let port = uri.port_u16().filter(|port| *port != default_port);
        let whole = format!("{scheme}://{host}{}", port.map(|port| format!(":{port}")).unwrap_or_default());
        // It goes into a header as it is: a host, and nothing that a policy could read as its own.
        let plain = |letter: u8| letter.is_ascii_alphanumeric() || b"-.[]:".contains(&letter);
        matches!(scheme, "http" | "https") && !host.is_empty() && host.bytes().all(plain) && whole == origin
    });
    if !is_origin || origin != origin.to_lowercase() {
        return refused(format!("{origin:?} is not a web origin: write for example https://app.example.com"));
    }
    Ok(())
}
