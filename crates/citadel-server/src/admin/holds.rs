//! Holds on links (P23): set for a reason, cleared, listed.

use std::sync::Arc;

use citadel_domain::{ClientId, LinkId};
use citadel_store::{
    audit::{Act, append},
    clients,
    holds::{self, Hold},
};
use serde::{Deserialize, Serialize};

use super::{Admin, Answer, Refusal, no_such_client, refused};
use crate::trail;

/// The longest reason.
const MAX_REASON: usize = 200;

/// One hold in a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct HoldLine {
    pub link_id: LinkId,
    pub environment: String,
    pub reason: String,
    pub held_at: jiff::Timestamp,
}

impl Admin {
    pub(super) async fn set_hold(
        &self,
        client_id: ClientId,
        link_id: LinkId,
        reason: String,
    ) -> Result<Answer, Refusal> {
        check_reason(&reason)?;
        let now = self.clock.now();
        // The trail tells of the act; the reason stands with the hold, where it can be taken away.
        let entry = self.did(client_id, None, Act::HoldSet, trail::link(link_id));
        let keyring = Arc::clone(&self.keyring);
        let is_set = self
            .db
            .scoped(client_id)
            .write(async move |tx| {
                let is_set = holds::set(tx, client_id, link_id, &reason, now).await?;
                if is_set {
                    append(tx, &keyring, &entry).await?;
                }
                Ok::<_, citadel_store::Error>(is_set)
            })
            .await?;
        if !is_set {
            return refused("this client has no such link");
        }
        tracing::info!(client.id = %client_id, link.id = %link_id, "link held");
        Ok(Answer::HoldSet)
    }

    pub(super) async fn clear_hold(&self, client_id: ClientId, link_id: LinkId) -> Result<Answer, Refusal> {
        let entry = self.did(client_id, None, Act::HoldLifted, trail::link(link_id));
        let keyring = Arc::clone(&self.keyring);
        let is_cleared = self
            .db
            .scoped(client_id)
            .write(async move |tx| {
                let is_cleared = holds::clear(tx, client_id, link_id).await?;
                if is_cleared {
                    append(tx, &keyring, &entry).await?;
                }
                Ok::<_, citadel_store::Error>(is_cleared)
            })
            .await?;
        if !is_cleared {
            return refused("this link is not held (citadel hold list --client ID shows those that are)");
        }
        tracing::info!(client.id = %client_id, link.id = %link_id, "link no longer held");
        Ok(Answer::HoldCleared)
    }

    pub(super) async fn list_holds(&self, client_id: ClientId) -> Result<Answer, Refusal> {
        let found = self
            .db
            .scoped(client_id)
            .read(async move |tx| {
                let is_known = clients::find(tx, client_id).await?.is_some();
                let holds = holds::list(tx, client_id).await?;
                Ok::<_, citadel_store::Error>(is_known.then_some(holds))
            })
            .await?;
        let Some(found) = found else { return no_such_client() };
        let line = |hold: Hold| HoldLine {
            link_id: hold.link_id,
            environment: hold.environment.to_string(),
            reason: hold.reason,
            held_at: hold.held_at,
        };
        Ok(Answer::Holds(found.into_iter().map(line).collect()))
    }
}

fn check_reason(reason: &str) -> Result<(), Refusal> {
    if reason.trim().is_empty() || reason.chars().count() > MAX_REASON || reason.chars().any(char::is_control)
    {
        return refused(format!(
            "the reason of a hold is 1 to {MAX_REASON} characters on one line, and says nothing about the person"
        ));
    }
    Ok(())
}
