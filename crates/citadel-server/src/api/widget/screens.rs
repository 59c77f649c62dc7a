//! Which screens the widget showed: for the line of a flow and for how far people come. Nothing depends on it.

use axum::{extract::State, http::StatusCode};
use serde::Deserialize;

use crate::{
    app::App,
    auth::BridgeSession,
    body::Body,
    calls,
    error::{self, ApiResult},
};

/// Every view that the widget names, and no other text.
const NAMES: [&str; 9] = [
    "SELECT_EMPLOYER",
    "PROVIDER_LIST",
    "PROVIDER_ORG_ID",
    "PROVIDER_LOGIN",
    "DEPOSIT_CONFIRM",
    "LOADING",
    "PROVIDER_MFA",
    "SUCCESS",
    "ERROR",
];

/// Screens of one call.
const MOST: usize = 20;

#[derive(Deserialize)]
pub(crate) struct Screens {
    screens: Vec<Screen>,
}

#[derive(Deserialize)]
struct Screen {
    name: String,
    /// Milliseconds since it was shown.
    #[serde(default)]
    ago: u64,
}

/// Tells which screens were shown, oldest first.
pub(crate) async fn tell_screens(
    State(app): State<App>,
    session: BridgeSession,
    Body(body): Body<Screens>,
) -> ApiResult<StatusCode> {
    if body.screens.len() > MOST {
        return Err(error::invalid("screens", format!("Send {MOST} at the most.")));
    }
    let known =
        |screen: &Screen| NAMES.into_iter().find(|name| *name == screen.name).map(|name| (name, screen.ago));
    let screens: Option<Vec<_>> = body.screens.iter().map(known).collect();
    let screens = screens.ok_or_else(|| error::invalid("screens", "Unknown screen."))?;
    for (name, ago) in screens {
        app.calls.screen(&app, &session.token, name, calls::before(session.moment.live, ago));
    }
    Ok(StatusCode::NO_CONTENT)
}
