//! `citadel setup-code`.

use std::{path::Path, process::ExitCode};

use anyhow::bail;
use citadel_server::admin::{Answer, Request};
use serde_json::json;

use crate::{admin, output};

pub(crate) async fn run(file: Option<&Path>, json: bool) -> anyhow::Result<ExitCode> {
    let config = super::load(file)?;
    let Answer::SetupCode { code } = admin::perform(&config, Request::NewSetupCode).await? else {
        bail!("the running server answered another question; is it another release?");
    };
    let url = format!("{}/set-up", config.dashboard_url_for(config.dashboard_listen));
    if json {
        output::json(&json!({ "code": code.expose(), "url": url }));
    } else {
        output::line(&format!("set-up code  {}", code.expose()));
        output::line(&format!("Use it within an hour, once, at {url}"));
    }
    Ok(ExitCode::SUCCESS)
}
