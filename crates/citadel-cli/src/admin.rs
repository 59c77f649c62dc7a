//! Where an administrative request goes: to the running server if one holds the embedded store, else to the store.

use std::{sync::Arc, time::Duration};

use citadel_domain::Random;
use citadel_server::{
    admin::{
        Admin, Answer, Request,
        socket::{self, CallError},
    },
    config::Config,
    opening::{self, OpenError},
    system::{SystemClock, SystemRandom},
};

/// A server that is just starting holds the store before it answers; this is how often and how long we ask again.
const PAUSE: Duration = Duration::from_millis(100);
const TRIES: u32 = 50;

/// Performs a request, wherever the store is.
pub(crate) async fn perform(config: &Config, request: Request) -> anyhow::Result<Answer> {
    for _ in 1..TRIES {
        if config.is_embedded() {
            match socket::call(&config.admin_socket(), &request).await {
                Err(CallError::NotRunning) => {}
                answered => return Ok(answered?),
            }
        }
        match directly(config, &request).await {
            Err(error) if is_in_use(&error) => tokio::time::sleep(PAUSE).await,
            answered => return answered,
        }
    }
    directly(config, &request).await
}

async fn directly(config: &Config, request: &Request) -> anyhow::Result<Answer> {
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let opened = opening::open(config, &SystemClock, &random).await?;
    let admin = Admin {
        db: opened.db,
        keyring: opened.keyring,
        clock: Arc::new(SystemClock),
        random,
        profile: config.profile,
        root_key_file: config.root_key_file.clone(),
        sandbox_now: config.sandbox.now,
    };
    Ok(admin.perform(request.clone()).await?)
}

fn is_in_use(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(OpenError::InUse(_)))
}
