//! The second factor: one-time codes, recovery codes, and the proofs of passkeys (P55).

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use citadel_domain::{MemberId, Secret, tokens};
use citadel_store::{
    Tx,
    audit::{Act, append},
    dashboard_sessions as sessions, members,
    passkeys::{Passkey, set_used},
};
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    guard::Visit,
    page::{Frame, PageError, PageResult, show, show_as},
    passkeys::{self, Answered, Question},
    session,
    sign_in::{Asked, Tries},
    totp,
};
use crate::{app::App, connections::Peer, purposes};

/// How many recovery codes somebody gets.
const RECOVERY_CODES: usize = 10;

#[derive(Template)]
#[template(path = "dashboard/code.html")]
struct CodePage {
    frame: Frame,
    next: String,
    is_again: bool,
    has_app: bool,
    passkey: Option<Question>,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "dashboard/factor.html")]
struct FactorPage {
    frame: Frame,
    passkey: Option<Question>,
    salt: String,
    picture: String,
    spelled: String,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "dashboard/recovery-codes.html")]
struct RecoveryPage {
    frame: Frame,
    codes: Vec<Secret>,
}

/// Asks for a code; and sends who has none yet to get some.
pub(super) async fn get_code(
    State(app): State<App>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> PageResult<Response> {
    let known = passkeys::of(&app, &visit).await?;
    if visit.member()?.totp_salt.is_none() && known.is_empty() {
        return Ok(Redirect::to("/factor").into_response());
    }
    show(&code_page(&app, &visit, &asked, &known, None)?)
}

fn code_page(
    app: &App,
    visit: &Visit,
    asked: &Asked,
    known: &[Passkey],
    problem: Option<String>,
) -> PageResult<CodePage> {
    Ok(CodePage {
        next: asked.next().to_owned(),
        is_again: visit.session()?.factor_at.is_some(),
        has_app: visit.member()?.totp_salt.is_some(),
        passkey: passkeys::ask(app, visit, known)?,
        frame: visit.frame("code"),
        problem,
    })
}

#[derive(Deserialize)]
pub(super) struct Code {
    code: String,
}

/// Takes a one-time or a recovery code.
pub(super) async fn prove(
    State(app): State<App>,
    visit: Visit,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
    Form(sent): Form<Code>,
) -> PageResult<Response> {
    let member = visit.member()?;
    let tries = tries_of(&app, &visit, peer)?;
    if let Some(seconds) = tries.count(&app, visit.now).await? {
        return again(&app, &visit, &asked, StatusCode::TOO_MANY_REQUESTS, wait(seconds)).await;
    }
    let proof = Proof::of(&app, member.id, member.totp_salt.as_deref(), &sent.code, visit.now);
    settle(&app, &visit, &headers, &asked, tries, Some(proof)).await
}

/// Takes the answer of a passkey.
pub(super) async fn prove_by_passkey(
    State(app): State<App>,
    visit: Visit,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
    Form(sent): Form<Answered>,
) -> PageResult<Response> {
    let tries = tries_of(&app, &visit, peer)?;
    if let Some(seconds) = tries.count(&app, visit.now).await? {
        return again(&app, &visit, &asked, StatusCode::TOO_MANY_REQUESTS, wait(seconds)).await;
    }
    let known = passkeys::of(&app, &visit).await?;
    let proof = passkeys::proven(&app, &visit, &sent, &known)?;
    let proof = proof.map(|passkey| Proof::Passkey(passkey, visit.now));
    settle(&app, &visit, &headers, &asked, tries, proof).await
}

fn tries_of(app: &App, visit: &Visit, peer: Option<Extension<Peer>>) -> PageResult<Tries> {
    let address = peer.and_then(|Extension(peer)| peer.address);
    Ok(Tries::of(app, &visit.member()?.id.to_string(), address))
}

fn wait(seconds: u64) -> String {
    format!("Too many tries. Wait {seconds} seconds.")
}

/// Lets in whoever has proven it. The session gets a new name: whoever knew the old one knows nothing now (P53).
async fn settle(
    app: &App,
    visit: &Visit,
    headers: &HeaderMap,
    asked: &Asked,
    tries: Tries,
    proof: Option<Proof>,
) -> PageResult<Response> {
    let (member, old, now) = (visit.member()?, visit.session()?.clone(), visit.now);
    let (mut new, cookie) = session::new(app, headers, member.id, Some(now), now);
    // It is the same session under another name: its hours count from its beginning.
    new.created_at = old.created_at;
    let (id, keyring) = (member.id, app.keyring.clone());
    let is_recovery = matches!(proof, Some(Proof::Recovery(..)));
    let entry = visit.did_own(if is_recovery { Act::RecoveryCodeUsed } else { Act::FactorConfirmed })?;
    let prove = async move |tx: &mut Tx<'_>| {
        let Some(proof) = &proof else { return Ok::<_, citadel_store::Error>(false) };
        if !proof.spend(tx).await? {
            return Ok(false);
        }
        tries.forgive(tx).await?;
        // A session that was ended meanwhile does not begin again.
        if !sessions::end(tx, id, old.id).await? {
            return Ok(false);
        }
        sessions::create(tx, &new).await?;
        append(tx, &keyring, &entry).await?;
        Ok(true)
    };
    if !app.db.write(prove).await? {
        app.note_refusal(visit.did_own(Act::FactorRefused)?);
        let problem =
            "This is not right, or was used already. Wait for the next code, or try again.".to_owned();
        return again(app, visit, asked, StatusCode::UNAUTHORIZED, problem).await;
    }
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(asked.next())).into_response())
}

async fn again(
    app: &App,
    visit: &Visit,
    asked: &Asked,
    status: StatusCode,
    problem: String,
) -> PageResult<Response> {
    let known = passkeys::of(app, visit).await?;
    show_as(status, &code_page(app, visit, asked, &known, Some(problem))?)
}

/// What a code claims to be.
enum Proof {
    /// A one-time code of this step of time.
    Step(MemberId, i64),
    /// Perhaps a recovery code.
    Recovery(MemberId, [u8; 32]),
    /// A passkey that has answered, as it is to be kept.
    Passkey(Passkey, Timestamp),
}

impl Proof {
    fn of(app: &App, id: MemberId, salt: Option<&[u8]>, code: &str, now: Timestamp) -> Self {
        match salt.and_then(|salt| totp::step_of(&totp::seed(app, salt), code, now)) {
            Some(step) => Self::Step(id, step),
            None => Self::Recovery(id, recovery_hash(app, code)),
        }
    }

    async fn spend(&self, tx: &mut Tx<'_>) -> Result<bool, citadel_store::Error> {
        match self {
            Self::Step(id, step) => members::spend_totp(tx, *id, *step).await,
            Self::Recovery(id, hash) => members::spend_recovery_code(tx, *id, hash).await,
            Self::Passkey(one, now) => set_used(tx, one, *now).await,
        }
    }
}

/// Shows a new seed. It is kept only once a code of it was entered.
pub(super) async fn get_factor(State(app): State<App>, visit: Visit) -> PageResult<Response> {
    let known = passkeys::of(&app, &visit).await?;
    needs_none_or_proof(&visit, &known)?;
    let mut salt = [0; 16];
    app.random.fill(&mut salt);
    show(&factor_page(&app, &visit, &salt, &known, None)?)
}

#[derive(Deserialize)]
pub(super) struct Added {
    salt: String,
    code: String,
}

/// Keeps the seed of which this is a code, and gives recovery codes. Other sessions end.
pub(super) async fn add(
    State(app): State<App>,
    visit: Visit,
    headers: HeaderMap,
    Form(sent): Form<Added>,
) -> PageResult<Response> {
    let known = passkeys::of(&app, &visit).await?;
    needs_none_or_proof(&visit, &known)?;
    let (member, old, now) = (visit.member()?, visit.session()?, visit.now);
    let salt = u128::from_str_radix(&sent.salt, 16).map_err(|_| PageError::wrong("Load the page again."))?;
    let salt = salt.to_be_bytes();
    let Some(step) = totp::step_of(&totp::seed(&app, &salt), &sent.code, now) else {
        let problem =
            "This is not the code of this picture. Look at the app again, and at the clock of the telephone.";
        return show_as(StatusCode::BAD_REQUEST, &factor_page(&app, &visit, &salt, &known, Some(problem))?);
    };
    let (codes, hashes) = recovery_codes(&app);
    let (mut new, cookie) = session::new(&app, &headers, member.id, Some(now), now);
    new.created_at = old.created_at;
    let (id, keyring) = (member.id, app.keyring.clone());
    let entry = visit.did_own(Act::FactorAdded)?;
    app.db
        .write(async move |tx| {
            members::set_totp(tx, id, Some(&salt), step).await?;
            members::set_recovery_codes(tx, id, &hashes).await?;
            sessions::end_others(tx, id, None).await?;
            sessions::create(tx, &new).await?;
            append(tx, &keyring, &entry).await
        })
        .await?;
    let page = show_recovery_codes(&visit, codes)?;
    Ok(([(header::SET_COOKIE, cookie)], page).into_response())
}

/// The seed may be set by who has none, and by who has just proven the one before.
fn needs_none_or_proof(visit: &Visit, known: &[Passkey]) -> PageResult<()> {
    let has_one = visit.member()?.totp_salt.is_some() || !known.is_empty();
    if has_one && !visit.is_fresh() {
        return Err(PageError::refused(
            StatusCode::FORBIDDEN,
            "You have a second factor. To set another one, confirm with a code first: open Account.",
        ));
    }
    Ok(())
}

/// Makes new recovery codes in the place of the old.
pub(super) async fn renew_recovery_codes(app: &App, visit: &Visit) -> PageResult<Response> {
    let (codes, hashes) = recovery_codes(app);
    let id = visit.member()?.id;
    let (keyring, entry) = (app.keyring.clone(), visit.did_own(Act::RecoveryCodesMade)?);
    app.db
        .write(async move |tx| {
            members::set_recovery_codes(tx, id, &hashes).await?;
            append(tx, &keyring, &entry).await
        })
        .await?;
    show(&RecoveryPage { frame: visit.frame("account"), codes })
}

/// The page that shows recovery codes, the once. Its own forms have a new cookie's token only with the next page, so it has none.
pub(super) fn show_recovery_codes(visit: &Visit, codes: Vec<Secret>) -> PageResult<Response> {
    show(&RecoveryPage { frame: Frame::new("factor", String::new(), Some(visit.member()?)), codes })
}

fn factor_page(
    app: &App,
    visit: &Visit,
    salt: &[u8; 16],
    known: &[Passkey],
    problem: Option<&str>,
) -> PageResult<FactorPage> {
    let seed = totp::seed(app, salt);
    let picture = totp::picture(&seed, &visit.member()?.email)
        .ok_or_else(|| PageError::wrong("The e-mail address is too long for a picture."))?;
    // Who has a factor adds passkeys under Account.
    let is_first = visit.member()?.totp_salt.is_none() && known.is_empty();
    Ok(FactorPage {
        passkey: if is_first { passkeys::ask_new(app, visit, known)? } else { None },
        frame: visit.frame("factor"),
        salt: tokens::hex(salt),
        picture,
        spelled: totp::spelled(&seed),
        problem: problem.map(str::to_owned),
    })
}

/// Ten codes of 120 bits, in groups that can be read aloud, and what is kept of them.
pub(super) fn recovery_codes(app: &App) -> (Vec<Secret>, Vec<[u8; 32]>) {
    let code = || {
        let mut bytes = [0; 15];
        app.random.fill(&mut bytes);
        let hex = tokens::hex(&bytes);
        let groups: Vec<_> = (0..30).step_by(6).map(|start| &hex[start..start + 6]).collect();
        Secret::new(groups.join("-"))
    };
    let codes: Vec<_> = std::iter::repeat_with(code).take(RECOVERY_CODES).collect();
    let hashes = codes.iter().map(|code| recovery_hash(app, code.expose())).collect();
    (codes, hashes)
}

fn recovery_hash(app: &App, code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_lowercase();
    app.keyring.keyed_hash(purposes::RECOVERY_CODE, &plain)
}
