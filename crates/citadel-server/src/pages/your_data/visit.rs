//! Who gets in, and what a form must carry.

use askama::Template;
use axum::{
    body::to_bytes,
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
    http::{HeaderName, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use citadel_domain::{CallId, Secret, tokens};
use citadel_store::{
    audit::{Act, Actor, ActorKind, Entry},
    consents::{self, Consent},
    links::{self, Link},
};

use super::show;
use crate::{app::App, purposes, trail};

/// The longest form.
const LONGEST_FORM: usize = 4 << 10;
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Somebody with the token of a receipt.
pub(crate) struct Visit {
    /// Its receipt.
    pub(super) consent: Consent,
    /// `None` once it was erased.
    link: Option<Link>,
    token: Secret,
    csrf: String,
    request_id: Option<CallId>,
}

impl FromRequestParts<App> for Visit {
    type Rejection = Refusal;

    /// Whatever is wrong with a token, the answer is the same.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let params = RawPathParams::from_request_parts(parts, app).await.map_err(|_| Refusal::not_found())?;
        let token = params.iter().find(|(name, _)| *name == "token").map(|(_, value)| Secret::new(value));
        let token = token.ok_or_else(Refusal::not_found)?;
        let hash = app.keyring.keyed_hash(purposes::YOUR_DATA, token.expose());
        let found = app.db.read(async move |tx| consents::find_by_page(tx, &hash).await).await?;
        let consent = found.ok_or_else(Refusal::not_found)?;
        let (tenant, link_id) = (consent.tenant, consent.link_id);
        let db = app.db.scoped(tenant.client_id);
        let link = db.read(async move |tx| links::find(tx, tenant, link_id).await).await?;
        let csrf = csrf(app, &token);
        Ok(Self { consent, link, token, csrf, request_id: parts.extensions.get().copied() })
    }
}

impl Visit {
    /// The link, until it is erased.
    pub(super) const fn live_link(&self) -> Option<&Link> {
        self.link.as_ref()
    }

    /// Where the page is.
    pub(super) fn path(&self) -> String {
        format!("/your-data/{}", self.token.expose())
    }

    /// What its forms carry.
    pub(super) fn csrf(&self) -> String {
        self.csrf.clone()
    }

    /// An entry about what the person does.
    pub(super) fn did(&self, app: &App, act: Act) -> Entry {
        let someone = Actor { kind: ActorKind::Consumer, id: None };
        let actor = self.link.as_ref().map_or(someone, |link| Actor::consumer(link.bridge_token_id));
        let request_id = self.request_id.map(|id| id.to_string());
        let object = trail::link(self.consent.link_id);
        Entry { actor, request_id, ..trail::server_did(app, self.consent.tenant, act, object) }
    }
}

fn csrf(app: &App, token: &Secret) -> String {
    tokens::hex(&app.keyring.keyed_hash(purposes::YOUR_DATA_FORM, token.expose())[..16])
}

/// A form that came from the page. The address is known to the person alone, and a site that guesses at it cannot read the page;
/// what the browser says of where a form comes from is asked all the same.
pub(crate) struct Form {
    pub(super) visit: Visit,
    fields: Vec<(String, String)>,
}

impl FromRequest<App> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        // No body is read of whoever has no page.
        let visit = Visit::from_request_parts(&mut parts, app).await?;
        let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
        // The page tells nobody where it is, so its forms come from `null`.
        let is_ours = |origin: &str| origin == "null" || origin == app.public_url;
        let is_same_origin = match text(FETCH_SITE) {
            Some(site) => site == "same-origin",
            None => text(header::ORIGIN).is_none_or(is_ours),
        };
        let bytes = to_bytes(body, LONGEST_FORM).await;
        let Ok(bytes) = bytes else {
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "The form is too long.".to_owned()));
        };
        let fields = form_urlencoded::parse(&bytes).into_owned().collect();
        let form = Self { visit, fields };
        // Of keyed hashes the time of a comparison tells nothing.
        let hash = |text: &str| app.keyring.keyed_hash(purposes::YOUR_DATA_FORM, text);
        let has_token = form.field("csrf").is_some_and(|sent| hash(sent) == hash(&form.visit.csrf));
        if !is_same_origin || !has_token {
            let text = "This form did not come from your page. Open the page again, and try once more.";
            return Err(Refusal::new(StatusCode::FORBIDDEN, text.to_owned()));
        }
        Ok(form)
    }
}

impl Form {
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A page that is not shown, or an act that is not done.
pub(crate) struct Refusal {
    status: StatusCode,
    text: String,
}

impl Refusal {
    pub(super) const fn new(status: StatusCode, text: String) -> Self {
        Self { status, text }
    }

    pub(super) fn not_found() -> Self {
        let text = "There is no such page, or the time for which receipts are kept is over. Check that the whole \
                    address is there, to its last letter.";
        Self::new(StatusCode::NOT_FOUND, text.to_owned())
    }
}

#[derive(Template)]
#[template(path = "your-data/refusal.html")]
struct Refused {
    title: &'static str,
    text: String,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let title = match self.status {
            StatusCode::NOT_FOUND => "Not found",
            status if status.is_client_error() => "Not done",
            _ => "Something went wrong",
        };
        let page = Refused { title, text: self.text };
        show(self.status, &page).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }
}
