//! Members: inviting, joining, roles, leaving.

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use citadel_domain::{ClientId, MemberId, Role, Secret};
use citadel_store::{
    audit::{Act, Detail, Entry, Object, ObjectKind, append},
    clients, dashboard_sessions as sessions,
    invitations::{self, Invitation},
    members::{self, Changed, Member, NewMember},
    passkeys,
};
use jiff::SignedDuration;
use serde::Deserialize;

use super::{
    guard::Visit,
    page::{Frame, PageError, PageResult, show, show_as, time},
    password, session,
};
use crate::{app::App, auth::new_token, purposes};

/// How long an invitation, and a link for a new password, is good.
const INVITATION_LIFE: SignedDuration = SignedDuration::from_hours(3 * 24);
const RESET_LIFE: SignedDuration = SignedDuration::from_hours(1);

#[derive(Template)]
#[template(path = "dashboard/members.html")]
struct Page {
    frame: Frame,
    members: Vec<MemberLine>,
    invitations: Vec<InvitationLine>,
    clients: Vec<(String, String)>,
    sees_all: bool,
    /// An invitation that was just made: what is it for, and its address. Shown this once.
    made: Option<(String, String)>,
    problem: Option<String>,
}

struct MemberLine {
    id: String,
    name: String,
    email: String,
    role: Role,
    scope: String,
    has_factor: bool,
    since: String,
    is_self: bool,
}

impl MemberLine {
    fn has(&self, role: &str) -> bool {
        self.role.as_str() == role
    }
}

struct InvitationLine {
    email: String,
    role: Role,
    is_reset: bool,
    until: String,
}

/// A name and an address as they are kept, or what is wrong with them.
pub(super) fn check_person(email: &str, name: &str) -> Result<(String, String), String> {
    let (email, name) = (email.trim().to_lowercase(), name.trim().to_owned());
    let (user, host) = email.split_once('@').unwrap_or_default();
    let is_plain = email.chars().all(|letter| !letter.is_whitespace() && !letter.is_control());
    if user.is_empty() || host.is_empty() || host.contains('@') || !is_plain || email.len() > 200 {
        return Err("Write an e-mail address, such as ada@example.com.".to_owned());
    }
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err("Write a name of 1 to 100 characters.".to_owned());
    }
    Ok((email, name))
}

#[derive(Default, Deserialize)]
pub(super) struct Asked {
    done: Option<String>,
}

pub(super) async fn get_members(
    State(app): State<App>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> PageResult<Response> {
    let notice = asked.done.as_deref().and_then(|done| match done {
        "role" => Some("The role is changed. It holds from the member's next click."),
        "removed" => Some("The member is removed. Their sessions have ended."),
        "withdrawn" => Some("The invitation is withdrawn."),
        _ => None,
    });
    show_members(&app, &visit, notice, None, None).await
}

async fn show_members(
    app: &App,
    visit: &Visit,
    notice: Option<&str>,
    made: Option<(String, String)>,
    problem: Option<String>,
) -> PageResult<Response> {
    let now = visit.now;
    let own = visit.member()?;
    let (all, open, clients, with_passkey) = app
        .db
        .read(async move |tx| {
            let all = members::list(tx).await?;
            let open = invitations::list(tx, now).await?;
            Ok::<_, citadel_store::Error>((all, open, clients::list(tx).await?, passkeys::owners(tx).await?))
        })
        .await?;
    let name_of = |id: ClientId| {
        clients.iter().find(|client| client.id == id).map_or("(a deleted client)", |client| &client.name)
    };
    let line = |member: &Member| MemberLine {
        id: member.id.to_string(),
        name: member.name.clone(),
        email: member.email.clone(),
        role: member.role,
        scope: member.client_id.map_or("every client", name_of).to_owned(),
        has_factor: member.totp_salt.is_some() || with_passkey.contains(&member.id),
        since: time(member.created_at),
        is_self: member.id == own.id,
    };
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let page = Page {
        frame: visit.frame("members").saying(notice),
        members: all.iter().filter(|member| rules(own, member.client_id)).map(line).collect(),
        invitations: open
            .into_iter()
            .filter(|invitation| rules(own, invitation.client_id))
            .map(|invitation| InvitationLine {
                email: invitation.email,
                role: invitation.role,
                is_reset: invitation.member_id.is_some(),
                until: time(invitation.expires_at),
            })
            .collect(),
        clients: clients
            .iter()
            .filter(|client| own.sees(client.id))
            .map(|client| (client.id.to_string(), client.name.clone()))
            .collect(),
        sees_all: own.client_id.is_none(),
        made,
        problem,
    };
    show_as(status, &page)
}

/// Whether an owner may change who is at this client (`None`: at every client).
fn rules(owner: &Member, client_id: Option<ClientId>) -> bool {
    owner.client_id.is_none() || owner.client_id == client_id
}

#[derive(Deserialize)]
pub(super) struct Invited {
    email: String,
    role: String,
    client: String,
}

/// Nothing is sent: the owner passes the address on, by whatever way they trust.
pub(super) async fn invite(
    State(app): State<App>,
    visit: Visit,
    Form(sent): Form<Invited>,
) -> PageResult<Response> {
    let own = visit.member()?;
    let wrong = async |problem: &str| show_members(&app, &visit, None, None, Some(problem.to_owned())).await;
    let email = match check_person(&sent.email, "-") {
        Ok((email, _)) => email,
        Err(problem) => return wrong(&problem).await,
    };
    let role: Role = sent.role.parse().map_err(|_| PageError::wrong("Choose a role."))?;
    let client_id = match sent.client.as_str() {
        "" => None,
        id => Some(id.parse::<ClientId>().map_err(|_| PageError::wrong("Choose a client."))?),
    };
    if !rules(own, client_id) {
        return Err(PageError::not_found());
    }
    let looked_up = email.clone();
    let is_taken = app.db.read(async move |tx| members::find_by_email(tx, &looked_up).await).await?.is_some();
    if is_taken {
        return wrong("Somebody with this address is a member already.").await;
    }
    let what = format!("{email} can join as {role} with this link");
    make_invitation(&app, &visit, None, client_id, email, role, INVITATION_LIFE, what).await
}

#[expect(clippy::too_many_arguments, reason = "what an invitation is made of")]
async fn make_invitation(
    app: &App,
    visit: &Visit,
    member_id: Option<MemberId>,
    client_id: Option<ClientId>,
    email: String,
    role: Role,
    life: SignedDuration,
    what: String,
) -> PageResult<Response> {
    let (token, token_hash) = new_token(app, purposes::INVITATION);
    let new = Invitation {
        token_hash,
        member_id,
        client_id,
        email,
        role,
        invited_by: visit.member()?.id,
        created_at: visit.now,
        expires_at: visit.now + life,
    };
    let (act, object) = match member_id {
        Some(id) => (Act::PasswordResetAsked, of_member(id)),
        None => (Act::MemberInvited, Object { kind: ObjectKind::Member, id: None }),
    };
    let detail = Detail::NONE.word("role", role.as_str());
    let (keyring, entry) = (app.keyring.clone(), Entry { detail, ..visit.did(act, object)? });
    app.db
        .write(async move |tx| {
            invitations::create(tx, &new).await?;
            append(tx, &keyring, &entry).await
        })
        .await?;
    let url = format!("{}/join/{}", app.dashboard_url, token.expose());
    show_members(app, visit, None, Some((what, url)), None).await
}

#[derive(Deserialize)]
pub(super) struct Withdrawn {
    email: String,
}

pub(super) async fn withdraw(
    State(app): State<App>,
    visit: Visit,
    Form(sent): Form<Withdrawn>,
) -> PageResult<Response> {
    let (own, now) = (visit.member()?.clone(), visit.now);
    let object = Object { kind: ObjectKind::Member, id: None };
    let (keyring, entry) = (app.keyring.clone(), visit.did(Act::MemberInvitationEnded, object)?);
    let is_done = app
        .db
        .write(async move |tx| {
            let open = invitations::list(tx, now).await?;
            let is_own = open.iter().any(|one| one.email == sent.email && rules(&own, one.client_id));
            let is_done = is_own && invitations::withdraw(tx, &sent.email).await?;
            if is_done {
                append(tx, &keyring, &entry).await?;
            }
            Ok::<_, citadel_store::Error>(is_done)
        })
        .await?;
    if !is_done {
        return Err(PageError::not_found());
    }
    Ok(Redirect::to("/members?done=withdrawn").into_response())
}

#[derive(Deserialize)]
pub(super) struct OfMember {
    id: String,
    #[serde(default)]
    role: String,
}

impl OfMember {
    /// The member, whom this owner may change.
    async fn find(&self, app: &App, visit: &Visit) -> PageResult<Member> {
        let id: MemberId = self.id.parse().map_err(|_| PageError::not_found())?;
        let member = app.db.read(async move |tx| members::find(tx, id).await).await?;
        let own = visit.member()?;
        member.filter(|member| rules(own, member.client_id)).ok_or_else(PageError::not_found)
    }
}

pub(super) async fn set_role(
    State(app): State<App>,
    visit: Visit,
    Form(sent): Form<OfMember>,
) -> PageResult<Response> {
    let member = sent.find(&app, &visit).await?;
    let role: Role = sent.role.parse().map_err(|_| PageError::wrong("Choose a role."))?;
    let detail = Detail::NONE.word("role", role.as_str());
    let entry = Entry { detail, ..visit.did(Act::MemberRoleChanged, of_member(member.id))? };
    let keyring = app.keyring.clone();
    let changed = app
        .db
        .write(async move |tx| {
            let changed = members::set_role(tx, member.id, role).await?;
            if changed == Changed::Done {
                append(tx, &keyring, &entry).await?;
            }
            Ok::<_, citadel_store::Error>(changed)
        })
        .await?;
    settle(&app, &visit, changed, "role").await
}

pub(super) async fn remove(
    State(app): State<App>,
    visit: Visit,
    Form(sent): Form<OfMember>,
) -> PageResult<Response> {
    let member = sent.find(&app, &visit).await?;
    let now = visit.now;
    let (keyring, entry) = (app.keyring.clone(), visit.did(Act::MemberRemoved, of_member(member.id))?);
    let changed = app
        .db
        .write(async move |tx| {
            let changed = members::remove(tx, member.id, now).await?;
            if changed == Changed::Done {
                append(tx, &keyring, &entry).await?;
            }
            Ok::<_, citadel_store::Error>(changed)
        })
        .await?;
    settle(&app, &visit, changed, "removed").await
}

fn of_member(id: MemberId) -> Object {
    Object::of(ObjectKind::Member, id.as_bytes())
}

async fn settle(app: &App, visit: &Visit, changed: Changed, done: &str) -> PageResult<Response> {
    match changed {
        Changed::Done => Ok(Redirect::to(&format!("/members?done={done}")).into_response()),
        Changed::Unknown => Err(PageError::not_found()),
        Changed::LastOwner => {
            let problem =
                "This is the last owner of every client, and stays: make somebody else an owner first.";
            show_members(app, visit, None, None, Some(problem.to_owned())).await
        }
    }
}

/// A link with which the member sets a new password. The second factor is still asked for at the sign-in (P55).
pub(super) async fn reset_password(
    State(app): State<App>,
    visit: Visit,
    Form(sent): Form<OfMember>,
) -> PageResult<Response> {
    let member = sent.find(&app, &visit).await?;
    let what = format!("{} can set a new password with this link, within an hour", member.email);
    let (id, scope, role) = (Some(member.id), member.client_id, member.role);
    make_invitation(&app, &visit, id, scope, member.email, role, RESET_LIFE, what).await
}

#[derive(Template)]
#[template(path = "dashboard/join.html")]
struct JoinPage {
    frame: Frame,
    email: String,
    role: Role,
    is_reset: bool,
    name: String,
    problem: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Joined {
    #[serde(default)]
    name: String,
    password: Secret,
}

pub(super) async fn get_join(
    State(app): State<App>,
    visit: Visit,
    Path(token): Path<String>,
) -> PageResult<Response> {
    let invitation = find_invitation(&app, &visit, &token).await?;
    show(&join_page(&visit, &invitation, String::new(), None))
}

pub(super) async fn join(
    State(app): State<App>,
    visit: Visit,
    Path(token): Path<String>,
    headers: HeaderMap,
    Form(sent): Form<Joined>,
) -> PageResult<Response> {
    let invitation = find_invitation(&app, &visit, &token).await?;
    let now = visit.now;
    let again = |problem: String| {
        let page = join_page(&visit, &invitation, sent.name.clone(), Some(problem));
        show_as(StatusCode::BAD_REQUEST, &page)
    };
    let name = if invitation.member_id.is_some() { "-" } else { &sent.name };
    let (email, name) = match check_person(&invitation.email, name) {
        Ok(person) => person,
        Err(problem) => return again(problem),
    };
    if let Some(problem) = password::weakness(&sent.password, &[&email, &name]) {
        return again(problem);
    }
    let password_hash = password::hash(sent.password.clone(), &*app.random).await?;
    let id = invitation.member_id.unwrap_or_else(|| MemberId::generate(now, &*app.random));
    let (client_id, role) = (invitation.client_id, invitation.role);
    let new = NewMember { id, client_id, email, name, role, password_hash, created_at: now };
    let (begun, cookie) = session::new(&app, &headers, id, None, now);
    let hash = invitation.token_hash;
    let act = if invitation.member_id.is_some() { Act::PasswordReset } else { Act::MemberJoined };
    let (keyring, entry) = (app.keyring.clone(), visit.began(id, client_id, act));
    let is_done = app
        .db
        .write(async move |tx| {
            let Some(invitation) = invitations::spend(tx, &hash, now).await? else {
                return Ok::<_, citadel_store::Error>(false);
            };
            if invitation.member_id.is_some() {
                members::set_password(tx, id, &new.password_hash).await?;
                sessions::end_others(tx, id, None).await?;
            } else if !members::create(tx, &new).await? {
                return Ok(false);
            }
            sessions::create(tx, &begun).await?;
            append(tx, &keyring, &entry).await?;
            Ok(true)
        })
        .await?;
    if !is_done {
        return Err(PageError::not_found());
    }
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/code")).into_response())
}

fn join_page(visit: &Visit, invitation: &Invitation, name: String, problem: Option<String>) -> JoinPage {
    JoinPage {
        frame: visit.frame("join"),
        email: invitation.email.clone(),
        role: invitation.role,
        is_reset: invitation.member_id.is_some(),
        name,
        problem,
    }
}

async fn find_invitation(app: &App, visit: &Visit, token: &str) -> PageResult<Invitation> {
    let hash = app.keyring.keyed_hash(purposes::INVITATION, token);
    let now = visit.now;
    let found = app.db.read(async move |tx| invitations::find(tx, &hash, now).await).await?;
    found.ok_or_else(|| {
        let text = "This link was used already, or is too old. Ask for another one.";
        PageError::refused(StatusCode::NOT_FOUND, text)
    })
}
