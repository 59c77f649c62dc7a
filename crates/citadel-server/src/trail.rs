//! What this crate tells the audit trail, and how (P25, P26).
//!
//! What changes something writes its entry in its own transaction: make it with `Caller::did`, `BridgeSession::did` or
//! `server_did` before the transaction, and append it as the last step but the kept answer.
//!
//! What only reads has no transaction of its own, and is to wait for none: while the disk takes no writes, reads go on (P35). A
//! release of data is noted here and written a quarter of a second later, with all others of that time; equal ones are one entry
//! that tells how many they were. A kill in between loses them, a stop does not. Nothing is released that could not be noted.
//! Refusals that anybody can cause are counted for a minute, so that nobody fills the disk with them.

pub mod heads;
pub(crate) mod started;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use citadel_domain::{ClientId, Environment, LinkId, Product, UserId};
use citadel_store::{
    Error, Tenant,
    audit::{self, Act, Actor, Detail, Entry, Object, ObjectKind, Outcome, SERVER},
};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::{
    app::{App, Shared},
    auth::{BridgeSession, Caller},
    error::ApiResult,
    reports::ReportKind,
};

/// How long a release waits for others.
const EVERY: Duration = Duration::from_millis(250);
/// How many times that long refusals are counted.
const REFUSALS_EVERY: u32 = 240;
/// Notes that wait, at the most. A server that can write none for so long releases nothing more.
const MOST_NOTES: usize = 50_000;
/// Refusals of one count that are told by name: of strangers, who may try any name, and of those whose key was good.
const MOST_OF_STRANGERS: usize = 20;
const MOST_OF_CALLERS: usize = 1000;
/// Entries in one transaction: the end of a chain is held as long as it takes.
const AT_ONCE: usize = 100;

/// What a client reads of a person or a company.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    Report(ReportKind),
    Identity,
    Statements,
    BankAccounts,
    TaxDocuments,
    Register,
    UserReport,
    Profile,
}

impl Data {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Report(kind) => kind.as_str(),
            Self::Identity => "identity",
            Self::Statements => "statements",
            Self::BankAccounts => "bank_accounts",
            Self::TaxDocuments => "tax_documents",
            Self::Register => "payroll_register",
            Self::UserReport => "user_report",
            Self::Profile => "profile",
        }
    }

    /// What a link for this product may give.
    pub(crate) const fn of(product: Product) -> Self {
        match product {
            Product::Employment => Self::Report(ReportKind::Employment),
            Product::Income => Self::Report(ReportKind::Income),
            Product::Admin => Self::Report(ReportKind::Directory),
            Product::DepositSwitch => Self::Report(ReportKind::DirectDeposit),
            Product::Pll => Self::Report(ReportKind::Pll),
            Product::Fas => Self::Report(ReportKind::Funding),
        }
    }

    /// The names of the fields that it may hold.
    pub(crate) const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Report(ReportKind::Employment) => &["profile", "ssn", "date_of_birth", "employer", "job"],
            Self::Report(ReportKind::Income) | Self::UserReport => &[
                "profile",
                "ssn",
                "date_of_birth",
                "employer",
                "job",
                "pay",
                "statements",
                "bank_accounts",
                "tax_documents",
            ],
            Self::Report(ReportKind::Directory) => &["profile", "ssn", "date_of_birth", "job", "pay"],
            Self::Report(ReportKind::DirectDeposit | ReportKind::Pll | ReportKind::Funding)
            | Self::BankAccounts => &["bank_accounts"],
            Self::Identity | Self::Profile => &["profile", "ssn", "date_of_birth"],
            Self::Statements => &["pay", "statements", "bank_accounts"],
            Self::TaxDocuments => &["tax_documents", "ssn"],
            Self::Register => &["profile", "pay", "statements"],
        }
    }

    fn detail(self) -> Detail {
        Detail::NONE.word("data", self.as_str()).words("fields", self.fields().iter().copied())
    }
}

impl Caller {
    /// An entry about what this caller does.
    pub(crate) fn did(&self, app: &App, act: Act, object: Object) -> Entry {
        Entry {
            actor: Actor::access_key(self.access_key_id),
            request_id: self.request_id.map(|id| id.to_string()),
            ..server_did(app, self.tenant, act, object)
        }
    }
}

impl BridgeSession {
    /// An entry about what the person in the widget does.
    pub(crate) fn did(&self, app: &App, act: Act, object: Object) -> Entry {
        Entry {
            actor: Actor::consumer(self.token.id),
            request_id: self.request_id.map(|id| id.to_string()),
            ..server_did(app, self.token.tenant, act, object)
        }
    }
}

/// An entry about what nobody asked for.
pub(crate) fn server_did(app: &App, tenant: Tenant, act: Act, object: Object) -> Entry {
    let Tenant { client_id, environment } = tenant;
    entry(app.clock.now(), client_id, Some(environment), Actor::SERVER, act, object)
}

/// An entry of the server's own chain.
pub(crate) fn of_server(at: Timestamp, actor: Actor, act: Act, object: Object) -> Entry {
    entry(at, SERVER, None, actor, act, object)
}

pub(crate) fn entry(
    at: Timestamp,
    client_id: ClientId,
    environment: Option<Environment>,
    actor: Actor,
    act: Act,
    object: Object,
) -> Entry {
    let (outcome, request_id, detail) = (Outcome::Done, None, Detail::NONE);
    Entry { client_id, environment, at, actor, act, object, outcome, request_id, detail }
}

/// The versions of the root key; which one stands in the detail.
pub(crate) const ROOT_KEY: Object = Object { kind: ObjectKind::RootKey, id: None };

/// A link that is not there yet.
pub(crate) const NO_LINK: Object = Object { kind: ObjectKind::Link, id: None };

pub(crate) const fn link(id: LinkId) -> Object {
    Object::of(ObjectKind::Link, id.as_bytes())
}

pub(crate) const fn user(id: UserId) -> Object {
    Object::of(ObjectKind::User, id.as_bytes())
}

/// What was noted and is not written yet.
#[derive(Default)]
pub(crate) struct Notes {
    releases: Mutex<Counted>,
    refusals: Mutex<Counted>,
}

/// What makes two notes the same.
type Same = (ClientId, Option<Environment>, Actor, Act, Object, Outcome, Detail);

/// Each note as it came first, and how often it came.
type Counted = HashMap<Same, (Entry, u64)>;

fn same(entry: &Entry) -> Same {
    let Entry { client_id, environment, actor, act, object, outcome, .. } = *entry;
    (client_id, environment, actor, act, object, outcome, entry.detail.clone())
}

fn add(notes: &mut Counted, entry: Entry, times: u64) {
    notes.entry(same(&entry)).or_insert((entry, 0)).1 += times;
}

impl Shared {
    /// Notes that data leaves for a caller. To be called before the answer; where it fails, nothing may leave.
    fn note_release(&self, entry: Entry) -> ApiResult<()> {
        let mut notes = self.notes.releases.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() >= MOST_NOTES {
            let what = "the audit trail cannot be written, and nothing is released without it";
            return Err(Error::Unavailable(what.to_owned()).into());
        }
        add(&mut notes, entry, 1);
        Ok(())
    }

    /// Counts something refused that anybody can try as often as they like.
    pub(crate) fn note_refusal(&self, mut entry: Entry) {
        entry.outcome = Outcome::Refused;
        let mut notes = self.notes.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let is_stranger = entry.actor == Actor::STRANGER;
        let most = if is_stranger { MOST_OF_STRANGERS } else { MOST_OF_CALLERS };
        // Who tries many names fills nothing.
        if notes.len() >= most && !notes.contains_key(&same(&entry)) {
            (entry.object.id, entry.environment, entry.client_id) = (None, None, SERVER);
            (entry.actor, entry.detail) = (Actor::STRANGER, Detail::NONE.word("object", "of many"));
        }
        add(&mut notes, entry, 1);
    }
}

/// An entry about what a caller reads, for a transaction that writes something else too.
pub(crate) fn released(app: &App, caller: Caller, object: Object, data: Data) -> Entry {
    Entry { detail: data.detail(), ..caller.did(app, Act::DataReleased, object) }
}

/// Notes what a caller is about to read.
pub(crate) fn release(app: &App, caller: Caller, object: Object, data: Data) -> ApiResult<()> {
    app.note_release(released(app, caller, object, data))
}

/// Notes that a member is about to see a person's data on a page, with what is most personal masked. `entry` says who.
pub(crate) fn release_masked(app: &App, entry: Entry, data: Data) -> ApiResult<()> {
    app.note_release(Entry { detail: data.detail().word("shown", "masked"), ..entry })
}

/// Notes that a document leaves. Its address was the permission, so nobody knows who has it.
pub(crate) fn release_document(app: &App, tenant: Tenant, id: LinkId) -> ApiResult<()> {
    let entry = server_did(app, tenant, Act::DocumentReleased, link(id));
    let actor = Actor::STRANGER;
    app.note_release(Entry { actor, detail: Detail::NONE.word("data", "document"), ..entry })
}

/// Writes notes down, until told to stop. What comes after that is for [`flush`].
pub(crate) async fn until(app: App, mut stop: watch::Receiver<bool>) {
    let mut ticks = 0;
    while !*stop.borrow() {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stop.changed() => {}
        }
        ticks += 1;
        let is_minute = ticks % REFUSALS_EVERY == 0;
        let written = write_down(&app, &app.notes.releases).await;
        tell(if is_minute { written.and(write_down(&app, &app.notes.refusals).await) } else { written });
    }
}

fn tell(written: Result<(), Error>) {
    if let Err(cause) = written {
        tracing::warn!(error.cause = %cause, "cannot write to the audit trail; trying again");
    }
}

/// Writes down everything that was noted.
pub async fn flush(app: &App) -> Result<(), Error> {
    write_down(app, &app.notes.releases).await?;
    write_down(app, &app.notes.refusals).await
}

/// The same at a stop, when it is only told if it fails.
pub(crate) async fn flush_last(app: &App) {
    tell(flush(app).await);
}

async fn write_down(app: &App, notes: &Mutex<Counted>) -> Result<(), Error> {
    let take = || std::mem::take(&mut *notes.lock().unwrap_or_else(PoisonError::into_inner));
    let mut taken: Vec<_> = take().into_values().collect();
    taken.sort_by_key(|(entry, _)| (entry.client_id, entry.at));
    let mut failed = None;
    for noted in taken.chunk_by(|one, next| one.0.client_id == next.0.client_id) {
        for some in noted.chunks(AT_ONCE) {
            let written = match failed {
                None => append(app, some).await,
                Some(_) => Ok(false),
            };
            if matches!(written, Ok(true)) {
                continue;
            }
            failed = failed.or(written.err());
            let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
            some.iter().for_each(|(entry, times)| add(&mut notes, entry.clone(), *times));
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn append(app: &App, noted: &[(Entry, u64)]) -> Result<bool, Error> {
    let Some((first, _)) = noted.first() else { return Ok(true) };
    let client_id = first.client_id;
    let entry = |(entry, times): &(Entry, u64)| {
        let detail = entry.detail.clone();
        let detail = if *times > 1 { detail.count("times", *times) } else { detail };
        Entry { detail, ..entry.clone() }
    };
    let entries: Vec<_> = noted.iter().map(entry).collect();
    let db = if client_id == SERVER { app.db.clone() } else { app.db.scoped(client_id) };
    let keyring = app.keyring.clone();
    db.write(async move |tx| audit::append_all(tx, &keyring, client_id, &entries).await).await?;
    Ok(true)
}
