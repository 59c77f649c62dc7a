//! A member's own account: password, second factor, sessions.

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use citadel_domain::{Secret, SessionId};
use citadel_store::{
    audit::{Act, Object, ObjectKind, append},
    dashboard_sessions as sessions, members,
    passkeys::Passkey,
};
use serde::Deserialize;

use super::{
    factor,
    guard::Visit,
    page::{Frame, PageError, PageResult, show_as, time},
    passkeys::{self, Question},
    password,
};
use crate::app::App;

#[derive(Template)]
#[template(path = "dashboard/account.html")]
struct Page {
    frame: Frame,
    email: String,
    sessions: Vec<SessionLine>,
    recovery_codes: i64,
    has_app: bool,
    passkeys: Vec<PasskeyLine>,
    new_passkey: Option<Question>,
    /// Whether the second factor has to be proven before a passkey is made: otherwise the browser would make one in vain.
    asks_first: bool,
    problem: Option<String>,
}

struct PasskeyLine {
    id: String,
    name: String,
    made: String,
    used: String,
}

struct SessionLine {
    id: String,
    agent: String,
    began: String,
    seen: String,
    is_this: bool,
}

#[derive(Default, Deserialize)]
pub(super) struct Asked {
    done: Option<String>,
}

pub(super) async fn get_account(
    State(app): State<App>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> PageResult<Response> {
    let notice = asked.done.as_deref().and_then(|done| match done {
        "password" => Some("The password is changed. Other sessions have ended."),
        "session" => Some("The session has ended."),
        "passkey" => Some("The passkey is added. Other sessions have ended."),
        "passkey-deleted" => Some("The passkey is deleted. Other sessions have ended."),
        _ => None,
    });
    show_account(&app, &visit, StatusCode::OK, notice, None).await
}

async fn show_account(
    app: &App,
    visit: &Visit,
    status: StatusCode,
    notice: Option<&str>,
    problem: Option<String>,
) -> PageResult<Response> {
    let (id, this, now) = (visit.member()?.id, visit.session()?.id, visit.now);
    let (sessions, recovery_codes) = app
        .db
        .read(async move |tx| {
            let sessions = sessions::list(tx, id, now).await?;
            Ok::<_, citadel_store::Error>((sessions, members::count_recovery_codes(tx, id).await?))
        })
        .await?;
    let line = |session: sessions::Session| SessionLine {
        is_this: session.id == this,
        id: session.id.to_string(),
        agent: if session.agent.is_empty() { "unknown browser".to_owned() } else { session.agent },
        began: time(session.created_at),
        seen: time(session.seen_at),
    };
    let known = passkeys::of(app, visit).await?;
    let passkey = |one: &Passkey| PasskeyLine {
        id: one.id.to_string(),
        name: one.name.clone(),
        made: time(one.created_at),
        used: one.used_at.map_or_else(|| "never".to_owned(), time),
    };
    let page = Page {
        has_app: visit.member()?.totp_salt.is_some(),
        passkeys: known.iter().map(passkey).collect(),
        new_passkey: if visit.is_fresh() { passkeys::ask_new(app, visit, &known)? } else { None },
        asks_first: app.passkeys.is_some() && !visit.is_fresh(),
        frame: visit.frame("account").saying(notice),
        email: visit.member()?.email.clone(),
        sessions: sessions.into_iter().map(line).collect(),
        recovery_codes,
        problem,
    };
    show_as(status, &page)
}

#[derive(Deserialize)]
pub(super) struct Passwords {
    old: Secret,
    new: Secret,
}

/// Every other session ends (P53).
pub(super) async fn set_password(
    State(app): State<App>,
    visit: Visit,
    Form(sent): Form<Passwords>,
) -> PageResult<Response> {
    let (member, this) = (visit.member()?, visit.session()?.id);
    let wrong = async |problem: String| {
        show_account(&app, &visit, StatusCode::BAD_REQUEST, None, Some(problem)).await
    };
    if let Some(problem) = password::weakness(&sent.new, &[&member.email, &member.name]) {
        return wrong(problem).await;
    }
    if !password::is_right(sent.old.clone(), Some(member.password_hash.clone())).await? {
        return wrong("The present password is not right.".to_owned()).await;
    }
    let hash = password::hash(sent.new.clone(), &*app.random).await?;
    let id = member.id;
    let (keyring, entry) = (app.keyring.clone(), visit.did_own(Act::PasswordChanged)?);
    app.db
        .write(async move |tx| {
            members::set_password(tx, id, &hash).await?;
            sessions::end_others(tx, id, Some(this)).await?;
            append(tx, &keyring, &entry).await
        })
        .await?;
    Ok(Redirect::to("/account?done=password").into_response())
}

pub(super) async fn make_recovery_codes(State(app): State<App>, visit: Visit) -> PageResult<Response> {
    factor::renew_recovery_codes(&app, &visit).await
}

#[derive(Deserialize)]
pub(super) struct Ended {
    id: String,
}

pub(super) async fn end_session(
    State(app): State<App>,
    visit: Visit,
    Form(sent): Form<Ended>,
) -> PageResult<Response> {
    let member_id = visit.member()?.id;
    let id: SessionId = sent.id.parse().map_err(|_| PageError::not_found())?;
    let object = Object::of(ObjectKind::Session, id.as_bytes());
    let (keyring, entry) = (app.keyring.clone(), visit.did(Act::SessionEnded, object)?);
    let is_ended = app
        .db
        .write(async move |tx| {
            let is_ended = sessions::end(tx, member_id, id).await?;
            if is_ended {
                append(tx, &keyring, &entry).await?;
            }
            Ok::<_, citadel_store::Error>(is_ended)
        })
        .await?;
    if !is_ended {
        return Err(PageError::not_found());
    }
    Ok(Redirect::to("/account?done=session").into_response())
}
