//! Signing in and out.

use std::net::IpAddr;

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use citadel_domain::Secret;
use citadel_store::{
    Error, Tx,
    audit::{Act, Actor, Object, ObjectKind, SERVER, append},
    dashboard_sessions, members,
    sign_in_tries::{self, Limit},
};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{
    guard::Visit,
    page::{Frame, PageResult, show_as},
    password, session,
};
use crate::{
    app::App,
    connections::{Peer, subscriber},
    purposes, trail,
};

/// Wrong tries at one account from one address: after the n-th, n² seconds pass, so that the thirtieth costs a quarter of an
/// hour (P46). Others, elsewhere, are not kept waiting by them.
const AT_ACCOUNT: Limit = Limit { most: 30, pause: SignedDuration::from_secs(1) };
/// From one address, at whichever accounts.
const FROM_ADDRESS: Limit = Limit { most: 100, pause: SignedDuration::ZERO };

#[derive(Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    pub(super) next: String,
    #[serde(default)]
    out: Option<String>,
}

impl Asked {
    /// Where to go afterwards.
    pub(super) fn next(&self) -> &str {
        if session::is_own_path(&self.next) { &self.next } else { "/" }
    }
}

#[derive(Deserialize)]
pub(super) struct Sent {
    email: String,
    password: Secret,
}

#[derive(Template)]
#[template(path = "dashboard/sign-in.html")]
struct Page {
    frame: Frame,
    email: String,
    next: String,
    is_new: bool,
    problem: Option<String>,
}

pub(super) async fn get_sign_in(
    State(app): State<App>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> PageResult<Response> {
    if visit.session().is_ok_and(|session| session.factor_at.is_some()) {
        return Ok(Redirect::to(asked.next()).into_response());
    }
    let is_new = !app.db.read(async |tx| members::is_any(tx).await).await?;
    let frame = visit.frame("sign-in").saying(asked.out.as_ref().map(|_| "You are signed out."));
    let page = Page { frame, email: String::new(), next: asked.next().to_owned(), is_new, problem: None };
    show_as(StatusCode::OK, &page)
}

pub(super) async fn sign_in(
    State(app): State<App>,
    visit: Visit,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
    Form(sent): Form<Sent>,
) -> PageResult<Response> {
    let now = visit.now;
    let email = sent.email.trim().to_lowercase();
    let tries = Tries::of(&app, &email, peer.and_then(|Extension(peer)| peer.address));
    let again = |status, problem| {
        let frame = visit.frame("sign-in");
        let page = Page {
            frame,
            email: sent.email.clone(),
            next: asked.next().to_owned(),
            is_new: false,
            problem: Some(problem),
        };
        show_as(status, &page)
    };
    if let Some(seconds) = tries.count(&app, now).await? {
        let text = format!("Too many tries. Wait {seconds} seconds, then try again.");
        let mut response = again(StatusCode::TOO_MANY_REQUESTS, text)?;
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        return Ok(response);
    }
    let looked_up = email.clone();
    let member = app.db.read(async move |tx| members::find_by_email(tx, &looked_up).await).await?;
    let kept = member.as_ref().map(|member| member.password_hash.clone());
    let is_right = password::is_right(sent.password.clone(), kept).await?;
    let Some(member) = member.filter(|_| is_right) else {
        tracing::info!("a dashboard sign-in was refused");
        let (act, object) = (Act::MemberSignInRefused, Object { kind: ObjectKind::Member, id: None });
        app.note_refusal(trail::entry(now, SERVER, None, Actor::STRANGER, act, object));
        // An unknown address and a wrong password look alike.
        return again(
            StatusCode::UNAUTHORIZED,
            "This e-mail address and password do not belong together.".to_owned(),
        );
    };
    let (begun, cookie) = session::new(&app, &headers, member.id, None, now);
    let (keyring, entry) =
        (app.keyring.clone(), visit.began(member.id, member.client_id, Act::MemberSignedIn));
    app.db
        .write(async move |tx| {
            tries.forgive(tx).await?;
            dashboard_sessions::create(tx, &begun).await?;
            append(tx, &keyring, &entry).await
        })
        .await?;
    let next: String = form_urlencoded::byte_serialize(asked.next().as_bytes()).collect();
    let to = Redirect::to(&format!("/code?next={next}"));
    Ok(([(header::SET_COOKIE, cookie)], to).into_response())
}

pub(super) async fn sign_out(State(app): State<App>, visit: Visit) -> PageResult<Response> {
    let (member_id, id) = (visit.member()?.id, visit.session()?.id);
    let object = Object::of(ObjectKind::Session, id.as_bytes());
    let (keyring, entry) = (app.keyring.clone(), visit.did(Act::MemberSignedOut, object)?);
    app.db
        .write(async move |tx| {
            dashboard_sessions::end(tx, member_id, id).await?;
            append(tx, &keyring, &entry).await
        })
        .await?;
    Ok(([(header::SET_COOKIE, session::none())], Redirect::to("/sign-in?out=1")).into_response())
}

/// What a try counts for.
#[derive(Clone, Copy)]
pub(super) struct Tries {
    at_account: [u8; 32],
    from_address: Option<[u8; 32]>,
}

impl Tries {
    pub(super) fn of(app: &App, account: &str, address: Option<IpAddr>) -> Self {
        let address = address.map(|address| subscriber(address).to_string());
        let at_account = format!("{account}\n{}", address.as_deref().unwrap_or("here"));
        let hash = |text: &str| app.keyring.keyed_hash(purposes::DASHBOARD_TRIES, text);
        Self { at_account: hash(&at_account), from_address: address.as_deref().map(hash) }
    }

    /// Counts a try, or answers how many seconds to wait.
    pub(super) async fn count(self, app: &App, now: Timestamp) -> Result<Option<u64>, Error> {
        let wait = app
            .db
            .write(async move |tx| {
                if let Some(hash) = self.from_address
                    && let Some(wait) = sign_in_tries::count(tx, &hash, FROM_ADDRESS, now).await?
                {
                    return Ok::<_, Error>(Some(wait));
                }
                sign_in_tries::count(tx, &self.at_account, AT_ACCOUNT, now).await
            })
            .await?;
        Ok(wait.map(|wait| u64::try_from(wait.as_secs()).unwrap_or(0) + 1))
    }

    /// Who is in has guessed nothing.
    pub(super) async fn forgive(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        sign_in_tries::forgive(tx, &self.at_account).await
    }
}
