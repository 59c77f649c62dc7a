//! The audit trail: whether it is as it was written, and what is in it (P25).

use citadel_domain::{ClientId, ObjectId};
use citadel_store::{
    Error,
    audit::{
        self, Act, Actor, Detail, Entry, Filter, Head, Object, Record, SERVER,
        verify::{self, Finding, Place},
    },
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Admin, Answer, Refusal, client_of, refused};
use crate::trail;

/// Entries that are read at once.
const AT_ONCE: u32 = 1000;
/// Entries, and chains, after which an answer is given; whoever asks goes on from there.
const MOST_CHECKED: u64 = 20_000;
const MOST_CHAINS: u32 = 1000;
/// Entries of a list, at the most.
const MOST_LISTED: u32 = 1000;

/// Up to where the trail was checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlaceLine {
    pub client_id: ClientId,
    pub number: i64,
    pub hash: [u8; 32],
}

/// The end of a chain, as it was copied out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HeadLine {
    pub client_id: ClientId,
    pub number: i64,
    pub hash: [u8; 32],
}

/// The first entry of a chain that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingLine {
    /// `server`, or the client's id.
    pub chain: String,
    pub number: i64,
    pub text: String,
}

/// What came of a part of the trail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Verified {
    pub checked: u64,
    pub findings: Vec<FindingLine>,
    /// Where to go on. `None`: that was all.
    pub next: Option<PlaceLine>,
}

/// Which entries.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Wanted {
    /// `None`: of the server's own chain.
    pub client_id: Option<ClientId>,
    pub since: Option<Timestamp>,
    /// A word of the trail.
    pub act: Option<String>,
    pub object_id: Option<ObjectId>,
    /// Those before this number.
    pub before: Option<i64>,
}

/// One entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EntryLine {
    pub number: i64,
    pub at: Timestamp,
    pub act: String,
    pub outcome: String,
    pub actor_kind: String,
    pub actor_id: Option<ObjectId>,
    pub environment: Option<String>,
    pub object_kind: String,
    pub object_id: Option<ObjectId>,
    pub request_id: Option<String>,
    pub detail: serde_json::Value,
}

impl Admin {
    pub(super) async fn verify_audit(&self, after: Option<PlaceLine>) -> Result<Answer, Refusal> {
        let mut place = after.map(|PlaceLine { client_id, number, hash }| Place { client_id, number, hash });
        let mut verified = Verified { checked: 0, findings: Vec::new(), next: None };
        let db = self.db.patient();
        for _ in 0..MOST_CHAINS {
            let (keyring, after) = (self.keyring.clone(), place);
            let page = db.read(async move |tx| verify::page(tx, &keyring, after, AT_ONCE).await).await?;
            verified.checked += page.checked;
            verified.findings.extend(page.finding.as_ref().map(FindingLine::of));
            place = page.next;
            if place.is_none() || verified.checked >= MOST_CHECKED {
                break;
            }
        }
        verified.next = place.map(|Place { client_id, number, hash }| PlaceLine { client_id, number, hash });
        Ok(Answer::AuditVerified(verified))
    }

    pub(super) async fn check_audit_heads(&self, heads: Vec<HeadLine>) -> Result<Answer, Refusal> {
        let head = |HeadLine { client_id, number, hash }| Head { client_id, number, hash };
        let heads: Vec<_> = heads.into_iter().map(head).collect();
        let keyring = self.keyring.clone();
        let found = self.db.read(async move |tx| verify::exported(tx, &keyring, &heads).await).await?;
        Ok(Answer::AuditHeadsChecked(found.iter().map(FindingLine::of).collect()))
    }

    /// Whoever looks is in the trail too.
    pub(super) async fn list_audit(&self, wanted: Wanted) -> Result<Answer, Refusal> {
        let act = match wanted.act.as_deref().map(str::parse::<Act>) {
            None => None,
            Some(Ok(act)) => Some(act),
            Some(Err(())) => {
                let words: Vec<_> = Act::ALL.iter().map(|act| act.as_str()).collect();
                return refused(format!("the trail has no such act; it has {}", words.join(", ")));
            }
        };
        let client_id = wanted.client_id.unwrap_or(SERVER);
        if wanted.before.is_none() {
            let (keyring, entry) = (self.keyring.clone(), self.listed(wanted.client_id));
            self.db.write(async move |tx| audit::append(tx, &keyring, &entry).await).await?;
        }
        let filter = Filter { act, object_id: wanted.object_id, since: wanted.since, ..Filter::default() };
        let before = wanted.before;
        let found = self
            .db
            .read(async move |tx| audit::list(tx, client_id, filter, before, MOST_LISTED).await)
            .await?;
        Ok(Answer::AuditEntries(found.into_iter().map(EntryLine::of).collect::<Result<_, Error>>()?))
    }

    fn listed(&self, client_id: Option<ClientId>) -> Entry {
        let object = client_id.map_or(Object::SERVER, client_of);
        trail::of_server(self.clock.now(), Actor::OPERATOR, Act::AuditListed, object)
    }

    pub(super) async fn note_backup(&self, rows: u64) -> Result<Answer, Refusal> {
        let detail = Detail::NONE.count("rows", rows);
        let entry = trail::of_server(self.clock.now(), Actor::OPERATOR, Act::BackupMade, Object::SERVER);
        let (keyring, entry) = (self.keyring.clone(), Entry { detail, ..entry });
        self.db.write(async move |tx| audit::append(tx, &keyring, &entry).await).await?;
        Ok(Answer::Noted)
    }
}

impl FindingLine {
    fn of(finding: &Finding) -> Self {
        let chain = match finding.client_id {
            SERVER => "server".to_owned(),
            client_id => client_id.to_string(),
        };
        Self { chain, number: finding.number, text: finding.what.to_string() }
    }
}

impl EntryLine {
    fn of(record: Record) -> Result<Self, Error> {
        Ok(Self {
            number: record.number,
            at: record.at,
            act: record.act,
            outcome: record.outcome,
            actor_kind: record.actor_kind,
            actor_id: record.actor_id,
            environment: record.environment,
            object_kind: record.object_kind,
            object_id: record.object_id,
            request_id: record.request_id,
            detail: serde_json::from_str(&record.detail)
                .map_err(|_| Error::Corrupt { what: "the detail of an entry of the audit trail" })?,
        })
    }
}

impl From<Head> for HeadLine {
    fn from(head: Head) -> Self {
        Self { client_id: head.client_id, number: head.number, hash: head.hash }
    }
}
