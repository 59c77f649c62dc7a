//! Which scenario is behind a login: one of the client's own, or one that comes with the sandbox.

use super::{
    scenario::{Kept, Scenario},
    sign_in::Right,
    ugly,
};
use crate::{ConnectorError, Cx, Invented};

/// A scenario as it is on the present day.
pub(super) struct Found {
    /// `None` for one that comes with the sandbox.
    pub(super) id: Option<String>,
    pub(super) scenario: Scenario,
}

/// The scenario whose user name and password these are, at the provider and for the product of the run.
pub(super) async fn of_login(cx: &Cx, user: &str, password: &str) -> Result<Option<Found>, ConnectorError> {
    let is_meant = |kept: &Kept| kept.is_for(cx.today, &cx.provider_id, cx.product, password);
    if let Some(ugly) = ugly::find(user) {
        let scenario = is_meant(ugly).then(|| ugly.on(cx.today)).flatten();
        return Ok(scenario.map(|scenario| Found { id: None, scenario }));
    }
    let mut all = cx.books.scenarios(user).await?.into_iter();
    Ok(all.find_map(|invented| {
        let scenario = kept(&invented).filter(is_meant)?.on(cx.today)?;
        Some(Found { id: Some(invented.id), scenario })
    }))
}

/// The scenario of an earlier sign-in. `None` for a person of the sandbox. One that was deleted since is a login that is wrong.
pub(super) async fn of_right(cx: &Cx, right: &Right) -> Result<Option<Scenario>, ConnectorError> {
    let found = if let Some(ugly) = ugly::find(&right.user) {
        ugly.on(cx.today)
    } else {
        let Some(id) = &right.scenario else { return Ok(None) };
        let all = cx.books.scenarios(&right.user).await?;
        let found = all.iter().find(|invented| invented.id == *id).and_then(kept);
        found.and_then(|kept| kept.on(cx.today))
    };
    found.map(Some).ok_or(ConnectorError::LoginRejected)
}

/// The right that a user name would get, whatever its password.
pub(super) async fn right_of(cx: &Cx, user: &str) -> Result<Right, ConnectorError> {
    let newest = cx.books.scenarios(user).await?.into_iter().next();
    Ok(Right { scenario: newest.map(|invented| invented.id), ..Right::of(user) })
}

fn kept(invented: &Invented) -> Option<Kept> {
    serde_json::from_str(invented.json.expose()).ok().map(Kept::new)
}
