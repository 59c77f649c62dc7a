//! The record of answered requests, kept for 30 days: what a client's developers see of what their code did. Bodies come here
//! masked and lie in a table of their own.

use citadel_domain::{AccessKeyId, BridgeTokenId, CallId, LinkId, TaskId};
use jiff::Timestamp;

use crate::{Error, Row, Tenant, Tx, Value, value::params};

/// A call to be kept.
#[derive(Clone, Debug)]
pub struct NewCall {
    /// The request id. Begins with the machine's time.
    pub id: CallId,
    pub tenant: Tenant,
    /// On the client's clock.
    pub at: Timestamp,
    pub method: String,
    /// The template.
    pub route: String,
    /// The same with its ids.
    pub path: String,
    pub status: i64,
    pub duration_us: i64,
    /// `None`: the widget called.
    pub access_key_id: Option<AccessKeyId>,
    pub bridge_token_id: Option<BridgeTokenId>,
    /// As the call named them. What is not the tenant's own is not kept.
    pub link_id: Option<LinkId>,
    pub task_id: Option<TaskId>,
    /// Tokens that the call named: their bridge token and link are kept.
    pub bridge_token_hash: Option<[u8; 32]>,
    pub access_token_hash: Option<[u8; 32]>,
    /// Without anybody's data or secrets.
    pub request: Option<Vec<u8>>,
    pub response: Option<Vec<u8>>,
}

/// A call without its bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub id: CallId,
    /// On the client's clock.
    pub at: Timestamp,
    pub method: String,
    pub route: String,
    pub path: String,
    pub status: i64,
    pub duration_us: i64,
    pub access_key_id: Option<AccessKeyId>,
    pub bridge_token_id: Option<BridgeTokenId>,
    pub link_id: Option<LinkId>,
    pub task_id: Option<TaskId>,
}

impl Call {
    /// When it came in, on the machine's clock.
    pub fn received_at(&self) -> Timestamp {
        let mut millis = [0; 8];
        millis[2..].copy_from_slice(&self.id.as_bytes()[..6]);
        Timestamp::from_millisecond(i64::from_be_bytes(millis)).unwrap_or(Timestamp::MAX)
    }
}

/// What was sent and answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bodies {
    pub request: Option<Vec<u8>>,
    pub response: Option<Vec<u8>>,
}

/// Which statuses are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// One, such as 404.
    Exactly(u16),
    /// All with this first digit.
    Class(u16),
}

/// Which calls are listed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub status: Option<Status>,
    /// The template.
    pub route: Option<String>,
    pub access_key_id: Option<AccessKeyId>,
    pub link_id: Option<LinkId>,
    /// On the machine's clock.
    pub since: Option<Timestamp>,
    /// Not included.
    pub until: Option<Timestamp>,
}

/// What [`read`] reads, in its order.
macro_rules! columns {
    () => {
        "id, at, method, route, path, status, duration_us, access_key_id, bridge_token_id, link_id, task_id"
    };
}
pub(crate) use columns;

/// Keeps a call, unless its client was erased. What it names is kept as far as it is the tenant's, and its bodies unless
/// its link was erased. Answers what was kept.
pub async fn append(tx: &mut Tx<'_>, new: &NewCall) -> Result<Option<Call>, Error> {
    let tenant = new.tenant;
    let kept = tx
        .fetch_optional(
            concat!(
                "insert into calls (client_id, environment, id, at, method, route, path, status, is_error, duration_us,
                                    access_key_id, bridge_token_id, link_id, task_id)
                 select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
                        coalesce($12, (select b.id from bridge_tokens as b
                                        where b.token_hash = $15 and b.client_id = $1 and b.environment = $2)),
                        (select l.id from links as l
                          where l.client_id = $1 and l.environment = $2 and l.id = coalesce(
                                $13,
                                (select t.link_id from tasks as t where t.client_id = $1 and t.id = $14),
                                (select a.id from links as a where a.access_token_hash = $16 and a.client_id = $1))),
                        (select t.id from tasks as t where t.client_id = $1 and t.environment = $2 and t.id = $14)
                   from clients where clients.id = $1 and clients.deleted_at is null
                 on conflict do nothing
                 returning ",
                columns!()
            ),
            params![
                tenant.client_id,
                tenant.environment,
                new.id,
                new.at,
                &new.method,
                &new.route,
                &new.path,
                new.status,
                new.status >= 400,
                new.duration_us,
                new.access_key_id,
                new.bridge_token_id,
                new.link_id,
                new.task_id,
                new.bridge_token_hash,
                new.access_token_hash,
            ],
            read,
        )
        .await?;
    let Some(call) = kept else { return Ok(None) };
    if new.request.is_none() && new.response.is_none() {
        return Ok(Some(call));
    }
    tx.execute(
        "insert into call_bodies (client_id, environment, call_id, request, response)
         select $1, $2, $3, $4, $5 from clients
          where clients.id = $1 and not exists (
                select 1 from links where client_id = $1 and id = $6 and deleted_at is not null)",
        params![
            tenant.client_id,
            tenant.environment,
            new.id,
            new.request.clone(),
            new.response.clone(),
            call.link_id
        ],
    )
    .await?;
    Ok(Some(call))
}

/// The call with this request id, and its bodies as far as they were kept.
pub async fn get(tx: &mut Tx<'_>, tenant: Tenant, id: CallId) -> Result<Option<(Call, Bodies)>, Error> {
    let params = params![tenant.client_id, tenant.environment, id];
    let call = tx
        .fetch_optional(
            concat!(
                "select ",
                columns!(),
                " from calls where client_id = $1 and environment = $2 and id = $3"
            ),
            params,
            read,
        )
        .await?;
    let Some(call) = call else { return Ok(None) };
    let bodies = tx
        .fetch_optional(
            "select request, response from call_bodies where client_id = $1 and environment = $2 and call_id = $3",
            params,
            |row| Ok(Bodies { request: row.get(0)?, response: row.get(1)? }),
        )
        .await?;
    Ok(Some((call, bodies.unwrap_or_default())))
}

/// One statement for each index that a list may go by. The conditions that it does not go by stand in each.
macro_rules! list {
    ($by:literal) => {
        concat!(
            "select ",
            columns!(),
            " from calls
              where client_id = $1 and environment = $2 and id >= $3 and id < $4 and status >= $5 and status < $6
                and ($7 = '' or route = $7) and ($8 = false or access_key_id = $9) and ($10 = false or link_id = $11)",
            $by,
            " order by id desc limit $12"
        )
    };
}

/// Calls before one, or the newest ones; newest first.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    filter: &Filter,
    before: Option<CallId>,
    limit: u32,
) -> Result<Vec<Call>, Error> {
    let sql = if filter.link_id.is_some() {
        list!(" and link_id = $11")
    } else if filter.status.is_some_and(Status::is_error) {
        list!(" and is_error = true")
    } else if filter.route.is_some() {
        list!(" and route = $7")
    } else if filter.access_key_id.is_some() {
        list!(" and access_key_id = $9")
    } else {
        list!("")
    };
    let until = filter.until.map_or([0xFF; 16], first_at);
    let before = before.map_or(until, |before| until.min(*before.as_bytes()));
    let (from, to) = filter.status.map_or((0, 1000), Status::range);
    let no_id = Value::Id([0; 16]);
    let params = [
        tenant.client_id.into(),
        tenant.environment.into(),
        CallId::from_bytes(filter.since.map_or([0; 16], first_at)).into(),
        CallId::from_bytes(before).into(),
        from.into(),
        to.into(),
        filter.route.as_deref().unwrap_or_default().into(),
        filter.access_key_id.is_some().into(),
        filter.access_key_id.map_or_else(|| no_id.clone(), Value::from),
        filter.link_id.is_some().into(),
        filter.link_id.map_or(no_id, Value::from),
        i64::from(limit).into(),
    ];
    tx.fetch_all(sql, &params, read).await
}

impl Status {
    const fn range(self) -> (i64, i64) {
        match self {
            Self::Exactly(status) => (status as i64, status as i64 + 1),
            Self::Class(digit) => (digit as i64 * 100, digit as i64 * 100 + 100),
        }
    }

    const fn is_error(self) -> bool {
        self.range().0 >= 400
    }
}

/// The least id of a call that came in at this time.
fn first_at(time: Timestamp) -> [u8; 16] {
    let mut id = [0; 16];
    let millis = u64::try_from(time.as_millisecond()).unwrap_or(0);
    id[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    id
}

pub(crate) fn read(row: &Row<'_>) -> Result<Call, Error> {
    Ok(Call {
        id: row.get(0)?,
        at: row.get(1)?,
        method: row.get(2)?,
        route: row.get(3)?,
        path: row.get(4)?,
        status: row.get(5)?,
        duration_us: row.get(6)?,
        access_key_id: row.get(7)?,
        bridge_token_id: row.get(8)?,
        link_id: row.get(9)?,
        task_id: row.get(10)?,
    })
}
