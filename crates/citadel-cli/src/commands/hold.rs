//! `citadel hold set|clear|list`.

use std::{path::Path, process::ExitCode};

use anyhow::bail;
use citadel_server::admin::{Answer, Request};

use crate::{admin, args::HoldVerb, output};

pub(crate) async fn run(file: Option<&Path>, verb: HoldVerb) -> anyhow::Result<ExitCode> {
    let config = super::load(file)?;
    let (request, json) = match verb {
        HoldVerb::Set { client, link, reason } => {
            (Request::SetHold { client_id: client, link_id: link, reason }, false)
        }
        HoldVerb::Clear { client, link } => (Request::ClearHold { client_id: client, link_id: link }, false),
        HoldVerb::List { client, json } => (Request::ListHolds { client_id: client }, json),
    };
    match admin::perform(&config, request).await? {
        Answer::HoldSet => output::line("The link is held: it stays until the hold is cleared."),
        Answer::HoldCleared => output::line("The link is held no longer: its limits are those of any other."),
        Answer::Holds(holds) if json => output::json(&holds),
        Answer::Holds(holds) => {
            for hold in &holds {
                // The reason is somebody's text.
                let reason = hold.reason.escape_debug();
                output::line(&format!(
                    "{}  {:<7}  {}  {reason}",
                    hold.link_id, hold.environment, hold.held_at
                ));
            }
            if holds.is_empty() {
                output::line("Nothing of this client is held.");
            }
        }
        _ => bail!("the running server answered another question; is it another release?"),
    }
    Ok(ExitCode::SUCCESS)
}
