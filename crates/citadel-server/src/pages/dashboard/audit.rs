//! The audit trail, to look at: a client's chain for its developers, the server's own for owners of every client.
//!
//! Viewers see neither (P56): it tells who has which role, who was refused, and what was looked at.

use std::collections::HashMap;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use citadel_domain::{ClientId, ObjectId};
use citadel_store::{
    Db, Error, access_keys,
    audit::{self, Act, ActorKind, Entry, Filter, Object, ObjectKind, Record, SERVER, append},
    members,
};
use serde::Deserialize;

use super::{
    asked::{ROWS, filled, query, time_of, value},
    guard::{Here, Visit},
    lists::Older,
    page::{Frame, PageError, PageResult, show, time},
};
use crate::app::App;

/// Entries that one page looks through for those that a filter asks for, so that it answers at once however long the chain is.
const LOOKED_THROUGH: i64 = 20_000;

#[derive(Template)]
#[template(path = "dashboard/audit.html")]
struct Page {
    frame: Frame,
    /// Whose chain it is: the server's own.
    is_server: bool,
    path: String,
    asked: Asked,
    is_filtered: bool,
    people: Vec<(String, String)>,
    kinds: Vec<(&'static str, &'static str)>,
    acts: Vec<(&'static str, String)>,
    entries: Vec<Line>,
    older: Option<Older>,
}

struct Line {
    number: i64,
    at: String,
    who: String,
    who_id: Option<String>,
    act: String,
    is_refused: bool,
    object: String,
    object_id: Option<String>,
    environment: String,
    detail: String,
    request_id: Option<String>,
}

/// Which entries are listed.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Asked {
    actor: Option<String>,
    act: Option<String>,
    object: Option<String>,
    since: Option<String>,
    until: Option<String>,
    before: Option<String>,
}

impl Asked {
    fn text(text: &Option<String>) -> &str {
        text.as_deref().unwrap_or_default()
    }

    fn is(asked: &Option<String>, value: &str) -> bool {
        asked.as_deref() == Some(value)
    }

    fn filter(&self) -> PageResult<Filter> {
        let actor = filled(self.actor.as_deref());
        let actor_kind = actor.and_then(|word| word.parse::<ActorKind>().ok());
        let act = filled(self.act.as_deref()).map(str::parse::<Act>).transpose();
        Ok(Filter {
            act: act.map_err(|()| PageError::wrong("Act: the trail has no such act."))?,
            actor_kind,
            actor_id: if actor_kind.is_some() { None } else { value("Who", actor)? },
            object_id: value("Id", self.object.as_deref())?,
            since: time_of("Since", self.since.as_deref())?,
            until: time_of("Until", self.until.as_deref())?,
            ..Filter::default()
        })
    }

    fn is_filtered(&self) -> bool {
        let filters = [&self.actor, &self.act, &self.object, &self.since, &self.until];
        filters.into_iter().any(|filter| filled(filter.as_deref()).is_some())
    }
}

pub(super) async fn get_audit(
    State(app): State<App>,
    here: Here,
    Query(asked): Query<Asked>,
) -> PageResult<Response> {
    let client_id = here.tenant.client_id;
    let entry = here.did(Act::AuditListed, Object::of(ObjectKind::Client, client_id.as_bytes()))?;
    let chain = Chain { client_id, db: app.db.scoped(client_id), path: here.url("audit"), entry };
    show_chain(&app, here.frame("audit"), chain, asked).await
}

pub(super) async fn get_server_audit(
    State(app): State<App>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> PageResult<Response> {
    if visit.member()?.client_id.is_some() {
        return Err(PageError::not_found());
    }
    let entry = visit.did(Act::AuditListed, Object::SERVER)?;
    let chain = Chain { client_id: SERVER, db: app.db.clone(), path: "/audit".to_owned(), entry };
    show_chain(&app, visit.frame("members"), chain, asked).await
}

/// What is looked at, and the entry that says so.
struct Chain {
    client_id: ClientId,
    db: Db,
    path: String,
    entry: Entry,
}

async fn show_chain(app: &App, frame: Frame, chain: Chain, asked: Asked) -> PageResult<Response> {
    let Chain { client_id, db, path, entry } = chain;
    let filter = asked.filter()?;
    let before: Option<i64> = value("Before", asked.before.as_deref())?;
    if before.is_none() {
        let keyring = app.keyring.clone();
        db.write(async move |tx| append(tx, &keyring, &entry).await).await?;
    }
    let names = Names::read(app, &db, client_id).await?;
    let (mut found, looked_back_to) = db
        .read(async move |tx| {
            let newest = match before {
                Some(before) => before - 1,
                None => {
                    let newest = audit::list(tx, client_id, Filter::default(), None, 1).await?;
                    newest.first().map_or(0, |entry| entry.number)
                }
            };
            // Those of one object are found by themselves.
            let back_to = if filter.object_id.is_some() { 0 } else { (newest - LOOKED_THROUGH).max(0) };
            let filter = Filter { after: Some(back_to), ..filter };
            let found = audit::list(tx, client_id, filter, before, ROWS as u32 + 1).await?;
            Ok::<_, Error>((found, back_to))
        })
        .await?;
    let next = if found.len() > ROWS {
        found.truncate(ROWS);
        found.last().map(|last| (last.number, false))
    } else {
        (looked_back_to > 0).then_some((looked_back_to + 1, true))
    };
    let older = next.map(|(before, is_search)| {
        let before = before.to_string();
        let filters = [
            ("actor", asked.actor.as_deref()),
            ("act", asked.act.as_deref()),
            ("object", asked.object.as_deref()),
            ("since", asked.since.as_deref()),
            ("until", asked.until.as_deref()),
            ("before", Some(before.as_str())),
        ];
        Older { url: query(&path, &filters), is_search }
    });
    show(&Page {
        frame,
        is_server: client_id == SERVER,
        path,
        is_filtered: asked.is_filtered(),
        asked,
        entries: found.into_iter().map(|entry| names.line(entry)).collect(),
        people: names.people,
        kinds: KINDS.to_vec(),
        acts: Act::ALL.iter().map(|act| (act.as_str(), sentence(act.as_str()))).collect(),
        older,
    })
}

/// Kinds of actors, in words.
const KINDS: [(&str, &str); 6] = [
    (ActorKind::Member.as_str(), "a member"),
    (ActorKind::AccessKey.as_str(), "a back end, by its key"),
    (ActorKind::Consumer.as_str(), "a person in the widget"),
    (ActorKind::Operator.as_str(), "the command line"),
    (ActorKind::Server.as_str(), "the server itself"),
    (ActorKind::Stranger.as_str(), "a stranger"),
];

/// What the actors of a chain are called.
struct Names {
    names: HashMap<ObjectId, String>,
    /// Members, to choose from.
    people: Vec<(String, String)>,
}

impl Names {
    async fn read(app: &App, db: &Db, client_id: ClientId) -> Result<Self, Error> {
        let members = app.db.read(async |tx| members::list(tx).await).await?;
        let is_server = client_id == SERVER;
        let members: Vec<_> =
            members.into_iter().filter(|member| is_server || member.sees(client_id)).collect();
        let keys = db.read(async move |tx| access_keys::list_active(tx, client_id).await).await?;
        let mut names: HashMap<_, _> = keys
            .into_iter()
            .filter(|key| !key.name.is_empty())
            .map(|key| (ObjectId::from_bytes(*key.id.as_bytes()), format!("key {}", key.name)))
            .collect();
        names.extend(
            members.iter().map(|member| (ObjectId::from_bytes(*member.id.as_bytes()), member.name.clone())),
        );
        let people = members.into_iter().map(|member| (member.id.to_string(), member.name)).collect();
        Ok(Self { names, people })
    }

    fn line(&self, entry: Record) -> Line {
        let name = entry.actor_id.and_then(|id| self.names.get(&id));
        let kind = || KINDS.iter().find(|(word, _)| *word == entry.actor_kind).map(|(_, text)| *text);
        Line {
            number: entry.number,
            at: time(entry.at),
            who: match name {
                Some(name) => name.clone(),
                None => kind().unwrap_or(&entry.actor_kind).to_owned(),
            },
            // Who has a name needs no id.
            who_id: entry.actor_id.filter(|_| name.is_none()).map(|id| id.to_string()),
            act: sentence(&entry.act),
            is_refused: entry.outcome == audit::Outcome::Refused.as_str(),
            object: entry.object_kind.replace('_', " "),
            object_id: entry.object_id.map(|id| id.to_string()),
            environment: entry.environment.unwrap_or_default(),
            detail: told(&entry.detail),
            request_id: entry.request_id,
        }
    }
}

/// A word of the trail as people read it: `access_key_created` is "Access key created".
fn sentence(word: &str) -> String {
    let mut text = word.replace('_', " ");
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// A detail without its brackets.
fn told(detail: &str) -> String {
    let Ok(serde_json::Value::Object(members)) = serde_json::from_str(detail) else {
        return detail.to_owned();
    };
    let plain = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(elements) => {
            elements.iter().filter_map(|one| one.as_str()).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    members.iter().map(|(key, value)| format!("{key}: {}", plain(value))).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_told_in_plain_words() {
        assert_eq!(sentence("access_key_created"), "Access key created");
        assert_eq!(sentence(""), "");
        assert_eq!(
            told(r#"{"data":"income","fields":["ssn","pay"],"times":3}"#),
            "data: income; fields: ssn, pay; times: 3"
        );
        assert_eq!(told("{}"), "");
        assert!(ActorKind::ALL.iter().all(|kind| KINDS.iter().any(|(word, _)| *word == kind.as_str())));
    }
}
