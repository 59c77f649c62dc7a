//! Administration: clients and their access keys. The same functions serve the command line directly on the store and
//! the admin [`socket`] of a running server.

pub mod audit;
pub mod holds;
pub mod root_key;
pub mod socket;

use std::{path::PathBuf, sync::Arc};

use axum::http::Uri;
use citadel_domain::{AccessKeyId, ClientId, Clock, DeletionId, Environment, LinkId, Random, Secret};
use citadel_store::{
    Db, Keyring, Tenant, access_keys,
    audit::{Act, Actor, Entry, Object, ObjectKind, append, append_all},
    clients::{self, NewClient},
    deletions::Stamp,
    sandboxes::{self, Pace},
};
use serde::{Deserialize, Serialize};

use self::audit::{FindingLine, HeadLine, PlaceLine};
use crate::{config::Profile, new_key::NewKey, pages::dashboard::set_up, trail};

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
    CreateKey { client_id: ClientId, environment: String, is_masked: bool },
    /// The keys of a client, without secrets.
    ListKeys { client_id: ClientId },
    /// The end of a key.
    DeleteKey { client_id: ClientId, key_id: AccessKeyId },
    /// The end of a client with all that is known through it.
    DeleteClient { client_id: ClientId },
    /// A link that is kept past its limits, and why.
    SetHold { client_id: ClientId, link_id: LinkId, reason: String },
    /// The end of that.
    ClearHold { client_id: ClientId, link_id: LinkId },
    /// What is held of a client.
    ListHolds { client_id: ClientId },
    /// A code with which an owner of the dashboard can be made.
    NewSetupCode,
    /// The versions of the root key, and what lies under each.
    RootKeyStatus,
    /// A new version of the root key.
    RotateRootKey,
    /// The end of a version that nothing needs.
    RemoveRootKey { id: String },
    /// Whether the audit trail is as it was written, after a place.
    VerifyAudit { after: Option<PlaceLine> },
    /// Whether entries whose hashes were copied out are there.
    CheckAuditHeads { heads: Vec<HeadLine> },
    /// Entries of the audit trail, the newest first.
    ListAudit(audit::Wanted),
    /// A backup was made beside the server.
    NoteBackup { rows: u64 },
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
    HoldSet,
    HoldCleared,
    Holds(Vec<holds::HoldLine>),
    SetupCode { code: Secret },
    RootKeys(Vec<root_key::VersionLine>),
    RootKeyRotated { id: String, is_in_use: bool },
    RootKeyRemoved,
    AuditVerified(audit::Verified),
    AuditHeadsChecked(Vec<FindingLine>),
    AuditEntries(Vec<audit::EntryLine>),
    Noted,
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
    pub is_masked: bool,
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
            Request::CreateKey { client_id, environment, is_masked } => {
                self.create_key(client_id, &environment, is_masked).await
            }
            Request::ListKeys { client_id } => self.list_keys(client_id).await,
            Request::DeleteKey { client_id, key_id } => self.delete_key(client_id, key_id).await,
            Request::DeleteClient { client_id } => self.delete_client(client_id).await,
            Request::SetHold { client_id, link_id, reason } => {
                self.set_hold(client_id, link_id, reason).await
            }
            Request::ClearHold { client_id, link_id } => self.clear_hold(client_id, link_id).await,
            Request::ListHolds { client_id } => self.list_holds(client_id).await,
            Request::NewSetupCode => self.new_setup_code().await,
            Request::RootKeyStatus => self.root_key_status().await,
            Request::RotateRootKey => self.rotate_root_key().await,
            Request::RemoveRootKey { id } => self.remove_root_key(&id).await,
            Request::VerifyAudit { after } => self.verify_audit(after).await,
            Request::CheckAuditHeads { heads } => self.check_audit_heads(heads).await,
            Request::ListAudit(wanted) => self.list_audit(wanted).await,
            Request::NoteBackup { rows } => self.note_backup(rows).await,
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
        let keyring = Arc::clone(&self.keyring);
        let entries = [
            self.did(client_id, None, Act::ClientCreated, client_of(client_id)),
            self.did(client_id, Some(Environment::Sandbox), Act::AccessKeyCreated, key_of(row.id)),
        ];
        self.db
            .write(async move |tx| {
                clients::create(tx, &client).await?;
                if let Some(at) = sandbox_now {
                    let tenant = Tenant { client_id, environment: Environment::Sandbox };
                    sandboxes::set_pace(tx, tenant, Pace::Standing { at }).await?;
                }
                access_keys::create(tx, &row).await?;
                append_all(tx, &keyring, client_id, &entries).await.map(drop)
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

    async fn create_key(
        &self,
        client_id: ClientId,
        environment: &str,
        is_masked: bool,
    ) -> Result<Answer, Refusal> {
        let Ok(environment) = environment.parse::<Environment>() else {
            return refused("an environment is sandbox, dev or prod");
        };
        if environment == Environment::Prod && self.profile == Profile::Development {
            return refused("keys for prod are made under CITADEL_PROFILE=production only");
        }
        let NewKey { mut row, secret } = self.new_key(client_id, environment)?;
        row.is_masked = is_masked;
        let key_id = row.id;
        let entry = self.did(client_id, Some(environment), Act::AccessKeyCreated, key_of(key_id));
        let keyring = Arc::clone(&self.keyring);
        let is_made = self
            .db
            .write(async move |tx| {
                if clients::find(tx, client_id).await?.is_none() {
                    return Ok::<_, citadel_store::Error>(None);
                }
                let is_made = access_keys::create(tx, &row).await?;
                if is_made {
                    append(tx, &keyring, &entry).await?;
                }
                Ok(Some(is_made))
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
            is_masked: key.is_masked,
            created_at: key.created_at,
        };
        Ok(Answer::Keys(keys.into_iter().map(line).collect()))
    }

    async fn delete_client(&self, client_id: ClientId) -> Result<Answer, Refusal> {
        let stamp = self.stamp();
        let entry = self.did(client_id, None, Act::ClientDeleted, client_of(client_id));
        let keyring = Arc::clone(&self.keyring);
        let erase = self.db.write(async move |tx| {
            let is_erased = clients::erase(tx, client_id, stamp).await?;
            if is_erased {
                append(tx, &keyring, &entry).await?;
            }
            Ok::<_, citadel_store::Error>(is_erased)
        });
        if !erase.await? {
            return no_such_client();
        }
        tracing::info!(client.id = %client_id, "client deleted");
        Ok(Answer::ClientDeleted)
    }

    async fn new_setup_code(&self) -> Result<Answer, Refusal> {
        let now = self.clock.now();
        let code = set_up::new_code(&self.db, &self.keyring, &*self.random, now).await?;
        tracing::info!("a set-up code was made");
        Ok(Answer::SetupCode { code })
    }

    /// An entry about what the command line does.
    fn did(&self, client_id: ClientId, environment: Option<Environment>, act: Act, object: Object) -> Entry {
        trail::entry(self.clock.now(), client_id, environment, Actor::OPERATOR, act, object)
    }

    fn stamp(&self) -> Stamp {
        let at = self.clock.now();
        Stamp { id: DeletionId::generate(at, &*self.random), at }
    }

    async fn delete_key(&self, client_id: ClientId, key_id: AccessKeyId) -> Result<Answer, Refusal> {
        let stamp = self.stamp();
        let entry = self.did(client_id, None, Act::AccessKeyDeleted, key_of(key_id));
        let keyring = Arc::clone(&self.keyring);
        let delete = self.db.write(async move |tx| {
            let is_deleted = access_keys::delete(tx, client_id, key_id, stamp).await?;
            if is_deleted {
                append(tx, &keyring, &entry).await?;
            }
            Ok::<_, citadel_store::Error>(is_deleted)
        });
        let is_deleted = delete.await?;
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

const fn client_of(id: ClientId) -> Object {
    Object::of(ObjectKind::Client, id.as_bytes())
}

const fn key_of(id: AccessKeyId) -> Object {
    Object::of(ObjectKind::AccessKey, id.as_bytes())
}

fn no_such_client() -> Result<Answer, Refusal> {
    refused("no such client (citadel client list shows them)")
}

fn refused<T>(text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Told(text.into()))
}

pub(crate) fn check_name(name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return refused(format!("the name of a client is 1 to {MAX_NAME} characters on one line"));
    }
    Ok(())
}

/// An origin is scheme, host and port, spelt as browsers send it.
pub(crate) fn check_origin(origin: &str) -> Result<(), Refusal> {
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
