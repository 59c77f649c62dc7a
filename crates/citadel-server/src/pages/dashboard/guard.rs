//! Who may do what: the one gate that every page stands behind (P53, P54, P56).

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequestParts, RawPathParams, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use citadel_domain::{CallId, ClientId, Environment, MemberId, Role, tokens};
use citadel_store::{
    Tenant,
    audit::{Act, Actor, Detail, Entry, Object, ObjectKind, SERVER},
    clients,
    dashboard_sessions::{self as sessions, Session},
    members::{self, Member},
};
use jiff::{SignedDuration, Timestamp};

use super::{
    page::{Frame, PageError, PageResult, Place},
    session,
};
use crate::{app::App, error::ApiResult, purposes, trail};

/// How long after the second factor was proven the acts that need it are open.
pub(super) const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// How often it is written down that a session was seen.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// The longest form.
const LONGEST_FORM: usize = 256 << 10;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a route asks of who calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Nothing.
    Open,
    /// A password that was right. The second factor may be still to come.
    HasPassword,
    /// The second factor too.
    Member,
    /// The second factor within five minutes.
    FreshMember,
    /// At least this role.
    As(Role),
    /// At least this role, and the second factor within five minutes.
    Fresh(Role),
}

impl Permission {
    const fn role(self) -> Option<Role> {
        match self {
            Self::As(role) | Self::Fresh(role) => Some(role),
            _ => None,
        }
    }

    const fn is_fresh(self) -> bool {
        matches!(self, Self::FreshMember | Self::Fresh(_))
    }
}

/// Who came through the gate. In the extensions of every request that a handler sees.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) now: Timestamp,
    /// What forms of this visitor must carry.
    pub(super) csrf: String,
    who: Option<(Session, Member)>,
    request_id: Option<CallId>,
}

impl Visit {
    pub(super) fn member(&self) -> PageResult<&Member> {
        self.who.as_ref().map(|(_, member)| member).ok_or_else(PageError::signed_out)
    }

    pub(super) fn session(&self) -> PageResult<&Session> {
        self.who.as_ref().map(|(session, _)| session).ok_or_else(PageError::signed_out)
    }

    /// Whether the second factor was proven within five minutes.
    pub(super) fn is_fresh(&self) -> bool {
        let proven = self.who.as_ref().and_then(|(session, _)| session.factor_at);
        proven.is_some_and(|at| self.now.duration_since(at) <= FRESH)
    }

    /// An entry about what the member does to members or to their own account. It stands with the client that the member
    /// sees, or with the server.
    pub(super) fn did(&self, act: Act, object: Object) -> PageResult<Entry> {
        let member = self.member()?;
        Ok(self.entry(member.client_id, None, Actor::member(*member.id.as_bytes()), act, object))
    }

    /// The same to their own account.
    pub(super) fn did_own(&self, act: Act) -> PageResult<Entry> {
        self.did(act, Object::of(ObjectKind::Member, self.member()?.id.as_bytes()))
    }

    /// An entry about what somebody does who is not signed in yet.
    pub(super) fn began(&self, member_id: MemberId, client_id: Option<ClientId>, act: Act) -> Entry {
        let id = *member_id.as_bytes();
        self.entry(client_id, None, Actor::member(id), act, Object::of(ObjectKind::Member, &id))
    }

    /// An entry about a client that was made.
    pub(super) fn made_client(&self, member_id: MemberId, client_id: ClientId) -> Entry {
        let object = Object::of(ObjectKind::Client, client_id.as_bytes());
        self.entry(Some(client_id), None, Actor::member(*member_id.as_bytes()), Act::ClientCreated, object)
    }

    fn entry(
        &self,
        client_id: Option<ClientId>,
        environment: Option<Environment>,
        actor: Actor,
        act: Act,
        object: Object,
    ) -> Entry {
        let request_id = self.request_id.map(|id| id.to_string());
        let client_id = client_id.unwrap_or(SERVER);
        Entry { request_id, ..trail::entry(self.now, client_id, environment, actor, act, object) }
    }

    /// What the layout of a page without a client needs.
    pub(super) fn frame(&self, here: &'static str) -> Frame {
        let member = self.who.as_ref().filter(|(session, _)| session.factor_at.is_some());
        Frame::new(here, self.csrf.clone(), member.map(|(_, member)| member))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, PageError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(PageError::signed_out)
    }
}

/// A client's environment, which the member may see. There is no other way to a tenant here (P5).
pub(super) struct Here {
    pub(super) visit: Visit,
    pub(super) tenant: Tenant,
    pub(super) place: Place,
}

impl Here {
    pub(super) fn frame(&self, here: &'static str) -> Frame {
        let mut frame = self.visit.frame(here);
        frame.place = Some(self.place.clone());
        frame
    }

    /// An entry about what the member does here.
    pub(super) fn did(&self, act: Act, object: Object) -> PageResult<Entry> {
        let Tenant { client_id, environment } = self.tenant;
        let actor = Actor::member(*self.visit.member()?.id.as_bytes());
        Ok(self.visit.entry(Some(client_id), Some(environment), actor, act, object))
    }

    /// The address of one of this client's pages.
    pub(super) fn url(&self, page: &str) -> String {
        format!("/c/{}/{}/{page}", self.tenant.client_id, self.tenant.environment)
    }
}

impl FromRequestParts<App> for Here {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageError> {
        let visit = Visit::from_request_parts(parts, app).await?;
        let params =
            RawPathParams::from_request_parts(parts, app).await.map_err(|_| PageError::not_found())?;
        let param = |name| params.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
        let client_id: ClientId =
            param("client_id").and_then(|id| id.parse().ok()).ok_or_else(PageError::not_found)?;
        let environment: Environment =
            param("environment").and_then(|word| word.parse().ok()).ok_or_else(PageError::not_found)?;
        let member = visit.member()?;
        if !member.sees(client_id) {
            return Err(PageError::not_found());
        }
        let all = app.db.read(async |tx| clients::list(tx).await).await?;
        let seen: Vec<_> = all.into_iter().filter(|client| member.sees(client.id)).collect();
        let client = seen.iter().find(|client| client.id == client_id).ok_or_else(PageError::not_found)?;
        let place = Place {
            client_id: client_id.to_string(),
            client_name: client.name.clone(),
            environment,
            others: seen
                .iter()
                .filter(|other| other.id != client_id)
                .map(|other| (other.id.to_string(), other.name.clone()))
                .collect(),
        };
        Ok(Self { tenant: Tenant { client_id, environment }, place, visit })
    }
}

/// The gate.
pub(super) async fn pass(
    State((app, permission)): State<(App, Permission)>,
    request: Request,
    next: Next,
) -> Response {
    match let_in(&app, permission, request).await {
        Ok((request, form_cookie)) => {
            let mut response = next.run(request).await;
            if let Some(cookie) = form_cookie {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(refusal) => refusal,
    }
}

async fn let_in(
    app: &App,
    permission: Permission,
    request: Request,
) -> Result<(Request, Option<HeaderValue>), Response> {
    of_this_host(app, &request)?;
    let now = app.clock.now();
    let who = find(app, request.headers(), now).await.map_err(IntoResponse::into_response)?;
    let (secret, new_cookie) = session::form_secret(app, request.headers());
    let csrf = csrf(app, &secret);
    let mut request = request;
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        request = same_origin_form(app, request, &csrf).await?;
    }
    let visit = Visit { now, csrf, who, request_id: request.extensions().get().copied() };
    judge(app, permission, &visit, &request)?;
    request.extensions_mut().insert(visit);
    Ok((request, new_cookie))
}

/// Names other than the dashboard's own are refused, so that a page elsewhere cannot have its name point here. Who typed another
/// name of this machine is sent to the right one.
fn of_this_host(app: &App, request: &Request) -> Result<(), Response> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let (_, own) = app.dashboard_url.split_once("://").unwrap_or_default();
    if host.eq_ignore_ascii_case(own) {
        return Ok(());
    }
    let is_local = ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .any(|name| host == *name || host.strip_prefix(name).is_some_and(|rest| rest.starts_with(':')));
    if is_local && *request.method() == Method::GET {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        return Err(Redirect::temporary(&format!("{}{path}", app.dashboard_url)).into_response());
    }
    let text = format!(
        "The dashboard is at {}. Another address is set with CITADEL_DASHBOARD_URL.\n",
        app.dashboard_url
    );
    Err((StatusCode::MISDIRECTED_REQUEST, text).into_response())
}

/// The session of the cookie, with its member as they are now: a change bites with the next request.
async fn find(app: &App, headers: &HeaderMap, now: Timestamp) -> ApiResult<Option<(Session, Member)>> {
    let found = look_up(app, headers, now).await?;
    if let Some((session, _)) = &found
        && now.duration_since(session.seen_at) >= TOUCH_EVERY
    {
        let id = session.id;
        app.db.write(async move |tx| sessions::touch(tx, id, now).await).await?;
    }
    Ok(found)
}

/// Whether whoever sent these headers may see the client now. Looking on is no click: it keeps no session alive.
pub(super) async fn may_still_look(app: &App, headers: &HeaderMap, client_id: ClientId) -> bool {
    let found = look_up(app, headers, app.clock.now()).await;
    matches!(found, Ok(Some((session, member))) if session.factor_at.is_some() && member.sees(client_id))
}

async fn look_up(app: &App, headers: &HeaderMap, now: Timestamp) -> ApiResult<Option<(Session, Member)>> {
    let Some(cookie) = session::cookie(headers, session::COOKIE) else { return Ok(None) };
    let hash = app.keyring.keyed_hash(purposes::DASHBOARD_SESSION, &cookie);
    let found = app
        .db
        .read(async move |tx| {
            let Some(session) = sessions::find(tx, &hash, now).await? else {
                return Ok::<_, citadel_store::Error>(None);
            };
            let member = members::find(tx, session.member_id).await?;
            Ok(member.map(|member| (session, member)))
        })
        .await?;
    Ok(found)
}

/// An unsafe method has to come from a page of ours: the browser says so, and the form carries what only such a page knows.
async fn same_origin_form(app: &App, request: Request, csrf: &str) -> Result<Request, Response> {
    let headers = request.headers();
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let is_same_origin = match (text(FETCH_SITE), text(header::ORIGIN)) {
        (Some(site), origin) => {
            site == "same-origin" && origin.is_none_or(|origin| origin == app.dashboard_url)
        }
        (None, Some(origin)) => origin == app.dashboard_url,
        (None, None) => false,
    };
    let foreign = || {
        PageError::refused(StatusCode::FORBIDDEN, "This form did not come from a page of this dashboard, or the page is too old. Go back, load it again, and try once more.")
            .into_response()
    };
    if !is_same_origin {
        return Err(foreign());
    }
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, LONGEST_FORM).await else {
        let text = "The form is too long.";
        return Err(PageError::refused(StatusCode::PAYLOAD_TOO_LARGE, text).into_response());
    };
    let sent = form_urlencoded::parse(&bytes).find(|(name, _)| name == "csrf").map(|(_, value)| value);
    if sent.is_none_or(|sent| !is_same(app, &sent, csrf)) {
        return Err(foreign());
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

fn judge(app: &App, permission: Permission, visit: &Visit, request: &Request) -> Result<(), Response> {
    if permission == Permission::Open {
        return Ok(());
    }
    let Some((session, member)) = &visit.who else { return Err(go_to("/sign-in", request)) };
    if permission == Permission::HasPassword {
        return Ok(());
    }
    if session.factor_at.is_none() {
        return Err(go_to("/code", request));
    }
    if permission.role().is_some_and(|role| member.role < role) {
        if let Ok(entry) =
            visit.did(Act::PermissionRefused, Object::of(ObjectKind::Member, member.id.as_bytes()))
        {
            app.note_refusal(Entry { detail: Detail::NONE.word("role", member.role.as_str()), ..entry });
        }
        let text =
            format!("Your role ({}) does not allow this. An owner can change it under Members.", member.role);
        return Err(PageError::refused(StatusCode::FORBIDDEN, &text).into_response());
    }
    if permission.is_fresh() && !visit.is_fresh() {
        return Err(go_to("/code", request));
    }
    Ok(())
}

/// Sends the browser to prove something first; and then back: to the page, or to the page with the form.
fn go_to(path: &str, request: &Request) -> Response {
    let next = if *request.method() == Method::GET {
        request.uri().path_and_query().map(|path| path.as_str().to_owned())
    } else {
        session::referring_path(request.headers())
    };
    let next = next.filter(|next| next != "/").map(|next| {
        let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
        format!("?next={next}")
    });
    Redirect::to(&format!("{path}{}", next.unwrap_or_default())).into_response()
}

/// Whether two texts are the same. Of their keyed hashes the time of the comparison tells nothing.
pub(super) fn is_same(app: &App, sent: &str, own: &str) -> bool {
    let hash = |text: &str| app.keyring.keyed_hash(purposes::DASHBOARD_FORM, text);
    hash(sent) == hash(own)
}

fn csrf(app: &App, secret: &str) -> String {
    tokens::hex(&app.keyring.keyed_hash(purposes::DASHBOARD_FORM, secret)[..16])
}
