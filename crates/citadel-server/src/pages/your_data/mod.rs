//! The consumer's own page: who has their data, by what right, and how to stop it (P20 to P22, P24).
//!
//! Its address is the permission: a token of 256 bits, made with the consent and shown at the end of the sign-in, of which the
//! receipt keeps a keyed hash. Read [`visit`] first (who gets in, and what a form must carry), then [`view`] (what the page
//! says), [`words`] (in which words), and [`file`] (what can be taken away).

mod file;
mod known;
mod view;
mod visit;
mod words;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use citadel_store::{
    audit::{self, Act},
    links,
};
use serde::Deserialize;

use self::{
    known::Known,
    view::{Confirmation, Page},
    visit::{Form, Refusal, Visit},
};
use super::kept::{Kept, Life, STYLE};
use crate::{
    api,
    app::App,
    consent,
    error::{self, ApiError},
};

type PageResult = Result<Response, Refusal>;

/// As the dashboard's pages, and without script.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; \
                      base-uri 'none'";

static STYLES: std::sync::LazyLock<Kept> =
    std::sync::LazyLock::new(|| Kept::new(STYLE, include_str!("../../../assets/dashboard/dashboard.css")));

#[derive(Deserialize)]
pub(crate) struct Asked {
    /// What was just done.
    done: Option<String>,
    /// Releases from before this entry of the trail.
    before: Option<i64>,
}

/// The page.
pub(crate) async fn get_your_data(
    State(app): State<App>,
    visit: Visit,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> PageResult {
    let Query(asked) = asked.map_err(|_| Refusal::not_found())?;
    show(StatusCode::OK, &Page::read(&app, visit, asked.done.as_deref(), asked.before).await?)
}

/// Asks once more.
pub(crate) async fn ask_to_stop(State(app): State<App>, visit: Visit) -> PageResult {
    if visit.live_link().is_none_or(|link| link.consent_ended_at.is_some()) {
        return Ok(back(&visit, "stopped"));
    }
    let known = Known::read(&app, &visit).await?;
    show(StatusCode::OK, &Confirmation::to_stop(&visit, known.client_name))
}

/// The person takes their consent back (P21).
pub(crate) async fn stop(State(app): State<App>, Form { visit, .. }: Form) -> PageResult {
    if let Some(link) = visit.live_link() {
        consent::revoke(&app, link.clone(), visit.did(&app, Act::ConsentRevoked)).await?;
    }
    Ok(back(&visit, "stopped"))
}

/// Asks once more.
pub(crate) async fn ask_to_delete(State(app): State<App>, visit: Visit) -> PageResult {
    if visit.live_link().is_none() {
        return Ok(back(&visit, "deleted"));
    }
    let known = Known::read(&app, &visit).await?;
    show(StatusCode::OK, &Confirmation::to_delete(&visit, known.client_name))
}

/// The person has everything deleted (P22).
pub(crate) async fn delete(State(app): State<App>, Form { visit, .. }: Form) -> PageResult {
    if let Some(link) = visit.live_link() {
        let deleted = api::links::erase(&app, link.tenant, link.id, visit.did(&app, Act::LinkDeleted)).await;
        // Somebody else may have been first.
        deleted.or_else(|refusal| if refusal.is_not_found() { Ok(()) } else { Err(refusal) })?;
    }
    Ok(back(&visit, "deleted"))
}

/// The person says that something is wrong, or that it is no more (P24).
pub(crate) async fn dispute(State(app): State<App>, form: Form) -> PageResult {
    let visit = &form.visit;
    let Some(link) = visit.live_link() else { return Ok(back(visit, "deleted")) };
    let is_lifted = form.field("lift").is_some();
    let act = if is_lifted { Act::DisputeLifted } else { Act::DisputeFlagged };
    let (tenant, id) = (link.tenant, link.id);
    let now = app.moment(tenant).await?.now;
    let (entry, writer) = (visit.did(&app, act), app.clone());
    app.db
        .scoped(tenant.client_id)
        .write(async move |tx| {
            if links::set_disputed(tx, tenant, id, (!is_lifted).then_some(now)).await? {
                audit::append(tx, &writer.keyring, &entry).await?;
            }
            Ok::<_, citadel_store::Error>(())
        })
        .await?;
    Ok(back(visit, if is_lifted { "undisputed" } else { "disputed" }))
}

/// The person's file (P24).
pub(crate) async fn make_file(State(app): State<App>, form: Form) -> PageResult {
    let visit = &form.visit;
    let is_ssn_short = form.field("short_ssn").is_some();
    let file = file::make(&app, visit, is_ssn_short).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"your-data.json\"")),
    ];
    Ok((headers, file).into_response())
}

/// The page's looks, which are the dashboard's.
pub(crate) async fn get_your_data_styles(headers: HeaderMap) -> Response {
    STYLES.answer(&headers, Life::Short)
}

fn show(status: StatusCode, template: &impl Template) -> PageResult {
    let html = template.render().map_err(error::internal).map_err(Refusal::from)?;
    let policy = (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Ok((status, [policy], Html(html)).into_response())
}

fn back(visit: &Visit, done: &str) -> Response {
    Redirect::to(&format!("{}?done={done}", visit.path())).into_response()
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let (status, text) = error.into_status_and_message();
        Self::new(status, text)
    }
}

impl From<citadel_store::Error> for Refusal {
    fn from(error: citadel_store::Error) -> Self {
        ApiError::from(error).into()
    }
}
