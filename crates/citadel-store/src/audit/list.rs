//! Looking into the trail.

use citadel_domain::{ClientId, Environment, ObjectId};
use jiff::Timestamp;

use super::{Act, ActorKind, Line, Outcome, read_line, select_lines};
use crate::{Error, Tx, value::params};

/// Which entries. Nothing given: all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub environment: Option<Environment>,
    pub act: Option<Act>,
    pub actor_kind: Option<ActorKind>,
    pub actor_id: Option<ObjectId>,
    pub object_id: Option<ObjectId>,
    pub outcome: Option<Outcome>,
    /// Not before this time.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// Only those after this number: how far back is looked.
    pub after: Option<i64>,
}

/// An entry, as it was kept. Words of a newer release are words too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub number: i64,
    pub at: Timestamp,
    pub actor_kind: String,
    pub actor_id: Option<ObjectId>,
    pub environment: Option<String>,
    pub act: String,
    pub object_kind: String,
    pub object_id: Option<ObjectId>,
    pub outcome: String,
    pub request_id: Option<String>,
    /// JSON.
    pub detail: String,
}

/// Entries of one chain, the newest first, from before a number.
pub async fn list(
    tx: &mut Tx<'_>,
    client_id: ClientId,
    filter: Filter,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Record>, Error> {
    let before = before.unwrap_or(i64::MAX);
    // One statement per index: a plan that is kept cannot choose by what is asked.
    let sql = if filter.object_id.is_some() {
        select_lines!(
            "client_id = $1 and number < $2 and object_id = $7
                and (cast($3 as text) is null or environment = $3) and (cast($4 as text) is null or act = $4)
                and (cast($5 as text) is null or actor_kind = $5) and (cast($6 as uuid) is null or actor_id = $6)
                and (cast($8 as text) is null or outcome = $8) and at >= $9
                and at < $11 and number > $12
              order by number desc limit $10"
        )
    } else {
        select_lines!(
            "client_id = $1 and number < $2 and cast($7 as uuid) is null
                and (cast($3 as text) is null or environment = $3) and (cast($4 as text) is null or act = $4)
                and (cast($5 as text) is null or actor_kind = $5) and (cast($6 as uuid) is null or actor_id = $6)
                and (cast($8 as text) is null or outcome = $8) and at >= $9
                and at < $11 and number > $12
              order by number desc limit $10"
        )
    };
    let since = filter.since.map_or(i64::MIN, Timestamp::as_microsecond);
    let found = tx
        .fetch_all(
            sql,
            params![
                client_id,
                before,
                filter.environment,
                filter.act.map(Act::as_str),
                filter.actor_kind.map(ActorKind::as_str),
                filter.actor_id,
                filter.object_id,
                filter.outcome.map(Outcome::as_str),
                since,
                i64::from(limit),
                filter.until.map_or(i64::MAX, Timestamp::as_microsecond),
                filter.after.unwrap_or(i64::MIN),
            ],
            read_line,
        )
        .await?;
    Ok(found.into_iter().map(|(line, _)| line.into()).collect())
}

impl From<Line> for Record {
    fn from(line: Line) -> Self {
        Self {
            number: line.number,
            at: line.at,
            actor_kind: line.actor_kind,
            actor_id: line.actor_id,
            environment: line.environment,
            act: line.act,
            object_kind: line.object_kind,
            object_id: line.object_id,
            outcome: line.outcome,
            request_id: line.request_id,
            detail: line.detail,
        }
    }
}
