//! Asks Citadel to send webhooks to this app, so that nobody has to before they see one.

use citadel_sdk::{
    Citadel, Error,
    types::webhook_endpoints::{CreateWebhook, UpdateWebhook, Webhook},
};

use crate::{Settings, console::log};

/// Registers `/webhook` with a Citadel on this machine. Any other cannot reach a laptop: `citadel listen` brings its events
/// here. What goes wrong is said, and is no reason not to start.
pub async fn register_webhook(settings: &Settings) {
    if !settings.is_sandbox() || !settings.is_citadel_local() {
        log("Webhooks are not registered: Citadel is elsewhere. Run `citadel listen` to get them here.");
        return;
    }
    let url = format!("http://127.0.0.1:{}/webhook", settings.port);
    match register(&settings.citadel, &url).await {
        Ok(()) => log(&format!("Webhooks come to {url}")),
        Err(error) => log(&format!("Webhooks are not registered - {}", error.to_string().escape_debug())),
    }
}

async fn register(citadel: &Citadel, url: &str) -> Result<(), Error> {
    let mut is_there = false;
    for webhook in all(citadel).await? {
        if webhook.webhook_url != url {
            continue;
        }
        is_there = true;
        if !webhook.enabled {
            let on = UpdateWebhook { enabled: Some(true), ..UpdateWebhook::default() };
            citadel.update_webhook(&webhook.id, &on).await?;
        }
    }
    if !is_there {
        let new = CreateWebhook {
            name: "Citadel Quickstart".to_owned(),
            webhook_url: url.to_owned(),
            env_type: "sandbox".to_owned(),
            // No list: the changes of tasks, which is all that this app shows.
            ..CreateWebhook::default()
        };
        citadel.create_webhook(&new).await?;
    }
    Ok(())
}

async fn all(citadel: &Citadel) -> Result<Vec<Webhook>, Error> {
    let mut webhooks = Vec::new();
    for page in 1.. {
        let found = citadel.webhooks(page).await?;
        webhooks.extend(found.results);
        if found.next.is_none() {
            break;
        }
    }
    Ok(webhooks)
}
