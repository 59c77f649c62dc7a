//! Passkeys: a second factor that a browser, a telephone or a key on the desk holds (P55).
//!
//! A form has the question in it; the page's script has the browser answer, and sends the form. What has to come back unchanged stands in
//! the form too, under a keyed hash over session and time: no node keeps anything, and in another session it is good for nothing.

use axum::{
    Form,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
};
use citadel_domain::{PasskeyId, tokens};
use citadel_passkeys::{Asked, Site};
use citadel_store::{
    audit::{Act, Detail, Entry, append},
    dashboard_sessions as sessions, members,
    passkeys::{self, Passkey},
};
use serde::Deserialize;

use super::{
    factor,
    guard::{FRESH, Visit, is_same},
    page::{PageError, PageResult},
    session,
};
use crate::{app::App, error, purposes};

/// The longest name of a passkey.
const LONGEST_NAME: usize = 60;
/// The most that a member has.
const MOST: usize = 10;

/// A question in a form.
pub(super) struct Question {
    /// What the script hands to the browser.
    pub(super) options: String,
    /// What comes back.
    pub(super) state: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Answered {
    #[serde(default)]
    pub(super) name: String,
    pub(super) state: String,
    pub(super) answer: String,
}

/// The member's passkeys.
pub(super) async fn of(app: &App, visit: &Visit) -> PageResult<Vec<Passkey>> {
    let id = visit.member()?.id;
    Ok(app.db.read(async move |tx| passkeys::list(tx, id).await).await?)
}

/// Asks for a new one. `None` where browsers make none.
pub(super) fn ask_new(app: &App, visit: &Visit, known: &[Passkey]) -> PageResult<Option<Question>> {
    let Some(site) = &app.passkeys else { return Ok(None) };
    let member = visit.member()?;
    let asked = site.ask_new(*member.id.as_bytes(), &member.email, &credentials(known));
    question(app, visit, asked.map_err(error::internal)?).map(Some)
}

/// Asks for a proof. `None` without a passkey.
pub(super) fn ask(app: &App, visit: &Visit, known: &[Passkey]) -> PageResult<Option<Question>> {
    let Some(site) = app.passkeys.as_ref().filter(|_| !known.is_empty()) else { return Ok(None) };
    question(app, visit, site.ask(&credentials(known)).map_err(error::internal)?).map(Some)
}

/// The passkey that proved it, with the counter that it has now. `None`: nothing was proven.
pub(super) fn proven(
    app: &App,
    visit: &Visit,
    sent: &Answered,
    known: &[Passkey],
) -> PageResult<Option<Passkey>> {
    let (Some(site), Some(state)) = (&app.passkeys, unchanged(app, visit, &sent.state)?) else {
        return Ok(None);
    };
    let taken = site.take(state, &sent.answer, &credentials(known));
    Ok(taken.ok().map(|(place, credential)| Passkey { credential, ..known[place].clone() }))
}

/// The passkey that was made, to be kept.
fn made(app: &App, visit: &Visit, sent: &Answered, known: &[Passkey]) -> PageResult<Passkey> {
    let name = sent.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(PageError::wrong(format!("Give the passkey a name of 1 to {LONGEST_NAME} characters.")));
    }
    if known.len() >= MOST {
        return Err(PageError::wrong(format!("You have {MOST} passkeys. Delete one to add another.")));
    }
    let refused =
        || PageError::wrong("The browser's answer is not good, or came too late. Load the page again.");
    let site: &Site = app.passkeys.as_ref().ok_or_else(refused)?;
    let state = unchanged(app, visit, &sent.state)?.ok_or_else(refused)?;
    let credential = site.take_new(state, &sent.answer).map_err(|_| refused())?;
    if known.iter().any(|one| one.credential == credential) {
        return Err(refused());
    }
    Ok(Passkey {
        id: PasskeyId::generate(visit.now, &*app.random),
        member_id: visit.member()?.id,
        name: name.to_owned(),
        credential,
        created_at: visit.now,
        used_at: None,
    })
}

/// Adds a passkey to those that there are. Other sessions end (P53).
pub(super) async fn add(
    State(app): State<App>,
    visit: Visit,
    Form(sent): Form<Answered>,
) -> PageResult<Response> {
    let known = of(&app, &visit).await?;
    let new = made(&app, &visit, &sent, &known)?;
    let (id, this) = (visit.member()?.id, visit.session()?.id);
    let (keyring, entry) = (app.keyring.clone(), added(&visit)?);
    app.db
        .write(async move |tx| {
            passkeys::create(tx, &new).await?;
            sessions::end_others(tx, id, Some(this)).await?;
            append(tx, &keyring, &entry).await
        })
        .await?;
    Ok(Redirect::to("/account?done=passkey").into_response())
}

/// A passkey as the first second factor: it comes with recovery codes, and the session is a whole one from here on.
pub(super) async fn add_first(
    State(app): State<App>,
    visit: Visit,
    headers: HeaderMap,
    Form(sent): Form<Answered>,
) -> PageResult<Response> {
    let (known, member) = (of(&app, &visit).await?, visit.member()?);
    if !known.is_empty() || member.totp_salt.is_some() {
        return Ok(Redirect::to("/account").into_response());
    }
    let new = made(&app, &visit, &sent, &known)?;
    let (codes, hashes) = factor::recovery_codes(&app);
    let (mut begun, cookie) = session::new(&app, &headers, member.id, Some(visit.now), visit.now);
    begun.created_at = visit.session()?.created_at;
    let (id, keyring, entry) = (member.id, app.keyring.clone(), added(&visit)?);
    app.db
        .write(async move |tx| {
            passkeys::create(tx, &new).await?;
            members::set_recovery_codes(tx, id, &hashes).await?;
            sessions::end_others(tx, id, None).await?;
            sessions::create(tx, &begun).await?;
            append(tx, &keyring, &entry).await
        })
        .await?;
    let page = factor::show_recovery_codes(&visit, codes)?;
    Ok(([(header::SET_COOKIE, cookie)], page).into_response())
}

#[derive(Deserialize)]
pub(super) struct Deleted {
    id: String,
}

/// Forgets a passkey, unless nothing else is left to prove oneself with.
pub(super) async fn delete(
    State(app): State<App>,
    visit: Visit,
    Form(sent): Form<Deleted>,
) -> PageResult<Response> {
    let id: PasskeyId = sent.id.parse().map_err(|_| PageError::not_found())?;
    let (member_id, has_app, this) =
        (visit.member()?.id, visit.member()?.totp_salt.is_some(), visit.session()?.id);
    let entry = visit.did_own(Act::FactorRemoved)?;
    let entry = Entry { detail: Detail::NONE.word("factor", "passkey"), ..entry };
    let keyring = app.keyring.clone();
    app.db
        .write(async move |tx| {
            // Of two at once, the second counts what the first left.
            members::lock(tx, member_id).await?;
            if !passkeys::delete(tx, member_id, id).await? {
                return Err(PageError::not_found());
            }
            if !has_app && passkeys::list(tx, member_id).await?.is_empty() {
                return Err(PageError::wrong(
                    "This is your only second factor. Add an authenticator app or another passkey first.",
                ));
            }
            sessions::end_others(tx, member_id, Some(this)).await?;
            append(tx, &keyring, &entry).await?;
            Ok(())
        })
        .await?;
    Ok(Redirect::to("/account?done=passkey-deleted").into_response())
}

fn added(visit: &Visit) -> PageResult<Entry> {
    Ok(Entry { detail: Detail::NONE.word("factor", "passkey"), ..visit.did_own(Act::FactorAdded)? })
}

fn credentials(known: &[Passkey]) -> Vec<String> {
    known.iter().map(|passkey| passkey.credential.clone()).collect()
}

fn question(app: &App, visit: &Visit, asked: Asked) -> PageResult<Question> {
    let at = visit.now.as_second();
    let state = format!("{at}.{}.{}", proof(app, visit, at, &asked.state)?, asked.state);
    Ok(Question { options: asked.options, state })
}

/// What came back, if it is what this session was asked a moment ago.
fn unchanged<'a>(app: &App, visit: &Visit, sent: &'a str) -> PageResult<Option<&'a str>> {
    let parts =
        sent.split_once('.').and_then(|(at, rest)| Some((at.parse::<i64>().ok()?, rest.split_once('.')?)));
    let Some((at, (tag, state))) = parts else { return Ok(None) };
    let is_young = (0..=FRESH.as_secs()).contains(&visit.now.as_second().saturating_sub(at));
    Ok((is_young && is_same(app, tag, &proof(app, visit, at, state)?)).then_some(state))
}

fn proof(app: &App, visit: &Visit, at: i64, state: &str) -> PageResult<String> {
    let text = format!("{}\n{at}\n{state}", visit.session()?.id);
    Ok(tokens::hex(&app.keyring.keyed_hash(purposes::PASSKEY_QUESTION, &text)))
}
