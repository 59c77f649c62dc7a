//! What every handler and job shares.

use std::{
    ops::Deref,
    sync::{Arc, atomic::AtomicBool},
};

use citadel_api_types::providers::ProviderRef;
use citadel_connectors::{Registry, sandbox::DEFAULT_SEED};
use citadel_domain::{Clock, DeletionId, Random};
use citadel_passkeys::Site;
use citadel_store::{Db, Keyring, deletions::Stamp};
use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use crate::{
    auth::Callers, calls::Calls, config::ReplayPolicy, directory::Directory, idempotency::Running,
    jobs::Hands, metrics::Metrics, outbound::Outbound, rate_limit::RateLimit, system::SystemRandom,
    task_bells::TaskBells, trail::Notes, webhooks::lanes::Lanes,
};

/// The parts that [`App::new`] puts together.
pub struct AppParts {
    /// The store.
    pub db: Db,
    /// Seals and keyed hashes.
    pub keyring: Arc<Keyring>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes for ids, tokens and nonces.
    pub random: Arc<dyn Random>,
    /// Employers and payroll providers, as loaded from the store.
    pub directory: Directory,
    /// Our code that speaks to providers.
    pub connectors: Registry,
    /// Where consumers and clients reach this server, without a trailing slash.
    pub public_url: String,
    /// Where members reach the dashboard, without a trailing slash.
    pub dashboard_url: String,
    /// Whether keys for real people may be made: in production only.
    pub makes_prod_keys: bool,
    /// Whether browsers are told never to call this server without TLS.
    pub is_transport_strict: bool,
    /// The way to clients' endpoints.
    pub outbound: Outbound,
    /// What sandboxes grow from.
    pub sandbox: SandboxSettings,
    /// Requests a minute with one access key; 0 for any number.
    pub rate_limit: u32,
    /// What a second exchange of a public token does.
    pub replay_policy: ReplayPolicy,
    /// Whether the record of calls has masked bodies.
    pub keeps_call_bodies: bool,
}

/// What sandboxes grow from.
#[derive(Clone, Debug)]
pub struct SandboxSettings {
    /// People and ids are a function of it.
    pub seed: String,
    /// Where the clock of a new sandbox stands; it runs with the machine's when absent.
    pub now: Option<Timestamp>,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self { seed: DEFAULT_SEED.to_owned(), now: None }
    }
}

/// Shared state; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// What [`App`] points to.
pub struct Shared {
    parts: AppParts,
    /// Rung when a job was queued, so that a worker in this process need not wait for its next look.
    pub job_bell: Notify,
    /// The worker of tasks in this process, if it has hands free.
    pub hands: Hands,
    /// Rung when a task has news, for those who wait for it in this process.
    pub(crate) task_bells: TaskBells,
    /// Rung when an event was written, for whoever passes events on.
    pub event_bell: watch::Sender<()>,
    /// Whose passkeys the dashboard's are. `None`: its address has no name, and browsers make none.
    pub(crate) passkeys: Option<Site>,
    /// Whether this node was told to stop: connections that are kept open end with their next answer.
    pub(crate) is_leaving: AtomicBool,
    /// Says that the server stops: open streams end.
    pub stopping: watch::Sender<bool>,
    /// Access keys that were good a moment ago.
    pub(crate) callers: Callers,
    /// Calls under idempotency keys that are answered now.
    pub(crate) running: Running,
    /// What the audit trail is to be told.
    pub(crate) notes: Notes,
    /// Who called how often.
    pub(crate) rate_limit: RateLimit,
    /// Deliveries in flight.
    pub deliveries: Lanes,
    /// Open streams of events.
    pub streams: Lanes,
    /// Lists of calls that are shown as they come.
    pub(crate) tails: Lanes,
    /// Files of the sandbox's books that are on their way.
    pub exports: Lanes,
    /// The record of calls.
    pub calls: Calls,
    /// Figures about this process.
    pub metrics: Metrics,
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: AppParts) -> Self {
        Self(Arc::new(Shared {
            rate_limit: RateLimit::new(parts.rate_limit),
            passkeys: Site::new(&parts.dashboard_url),
            parts,
            job_bell: Notify::new(),
            hands: Hands::default(),
            task_bells: TaskBells::default(),
            event_bell: watch::Sender::new(()),
            is_leaving: AtomicBool::new(false),
            stopping: watch::Sender::new(false),
            callers: Callers::default(),
            running: Running::default(),
            notes: Notes::default(),
            deliveries: Lanes::of_deliveries(),
            streams: Lanes::of_streams(),
            tails: Lanes::of_streams(),
            exports: Lanes::of_exports(),
            calls: Calls::default(),
            metrics: Metrics::default(),
        }))
    }
}

impl Shared {
    /// The name and the time of a deletion that is about to be made.
    pub(crate) fn deletion_stamp(&self) -> Stamp {
        let at = self.clock.now();
        Stamp { id: DeletionId::generate(at, &SystemRandom), at }
    }

    /// Has written events delivered without waiting for the next look. Call it after the commit.
    pub(crate) fn ring_events(&self) {
        self.event_bell.send_replace(());
    }

    /// The address of our own plain mark for a company or provider.
    pub(crate) fn mark_url(&self, id: &str) -> String {
        format!("{}/bridge/marks/{id}.svg", self.public_url)
    }

    /// A provider, as other objects name it.
    pub(crate) fn provider_ref(&self, id: &str) -> Option<ProviderRef> {
        let provider = self.directory.provider(id)?;
        let logo_url = Some(self.mark_url(&provider.id));
        Some(ProviderRef { id: provider.id.clone(), name: provider.name.clone(), logo_url })
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Deref for Shared {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.parts
    }
}
