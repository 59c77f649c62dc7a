//! A bound on what one client can take of this process (P30).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use citadel_domain::ClientId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Deliveries in flight per client.
const PER_CLIENT: usize = 20;
/// Open event streams per client.
const STREAMS: usize = 10;
/// Files of the sandbox's books that are written or read at once, per client.
const EXPORTS: usize = 4;

/// One set of slots per client.
#[derive(Debug)]
pub struct Lanes {
    size: usize,
    clients: Mutex<HashMap<ClientId, Arc<Semaphore>>>,
}

impl Lanes {
    /// For deliveries.
    pub(crate) fn of_deliveries() -> Self {
        Self { size: PER_CLIENT, clients: Mutex::default() }
    }

    /// For open streams.
    pub(crate) fn of_streams() -> Self {
        Self { size: STREAMS, clients: Mutex::default() }
    }

    /// For exports.
    pub(crate) fn of_exports() -> Self {
        Self { size: EXPORTS, clients: Mutex::default() }
    }

    /// Waits for a free slot of the client.
    pub(crate) async fn enter(&self, client: ClientId) -> OwnedSemaphorePermit {
        self.of(client).acquire_owned().await.expect("nobody closes these semaphores")
    }

    /// A slot of the client, if one is free.
    pub(crate) fn try_enter(&self, client: ClientId) -> Option<OwnedSemaphorePermit> {
        self.of(client).try_acquire_owned().ok()
    }

    fn of(&self, client: ClientId) -> Arc<Semaphore> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(clients.entry(client).or_insert_with(|| Arc::new(Semaphore::new(self.size))))
    }
}
