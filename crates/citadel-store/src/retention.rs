//! What has had its time goes (P23). Each step takes a bounded number of rows and can be repeated; age is told by the client's
//! clock, so that each step is taken once for all whose clock is the machine's and once for each sandbox that turned its own.
//!
//! What belongs to a link that is [held](crate::holds) stays: the link, its tasks, tokens and reports, what was told of it, and its
//! receipts.

use citadel_domain::{ClientId, LinkId, ObjectId, UserId};
use jiff::{SignedDuration, Timestamp};

use crate::{Error, Row, Tenant, Tx, value::params};

/// Rows that go in one step.
pub const AT_ONCE: i64 = 200;

/// Widgets that came to nothing.
pub const ABANDONED: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Failed tasks, events, calls, and screens of the widget.
pub const FAILED: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Anything after its last use: 24 months.
pub const UNUSED: SignedDuration = SignedDuration::from_hours(730 * 24);
/// How often who called what: thirteen months, so that a month can be held against the same one a year ago.
pub const USAGE: SignedDuration = SignedDuration::from_hours(396 * 24);
/// Receipts after the end of the last consent: three years.
pub const RECEIPTS: SignedDuration = SignedDuration::from_hours(1096 * 24);

/// Whose rows, and what their clock shows.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// The one sandbox that has a clock of its own. `None`: all others.
    pub sandbox: Option<ClientId>,
    pub now: Timestamp,
}

impl Scope {
    fn params(self, age: SignedDuration) -> [crate::Value; 4] {
        let before = self.now.saturating_sub(age).unwrap_or(Timestamp::MIN);
        let client_id = self.sandbox.unwrap_or(ClientId::from_bytes([0; 16]));
        [before.into(), self.sandbox.is_some().into(), client_id.into(), AT_ONCE.into()]
    }
}

/// The rows of a scope.
macro_rules! in_scope {
    () => {
        "(($2 = true and client_id = $3 and environment = 'sandbox')
          or ($2 = false and (environment <> 'sandbox' or client_id not in (
              select client_id from sandboxes where clock_ahead <> 0 or standing_at is not null))))"
    };
}

macro_rules! abandoned {
    () => {
        "deleted_at is null and held_at is null and access_token_hash is null and (user_id is null or person_hash is null)
         and not exists (select 1 from public_tokens as p
                          where p.client_id = links.client_id and p.link_id = links.id and p.spent_at is not null)
         and not exists (select 1 from tasks as t
                          where t.client_id = links.client_id and t.link_id = links.id and t.finished_at is null)"
    };
}

macro_rules! unused {
    () => {
        "deleted_at is null
         and not exists (select 1 from links as l where l.client_id = users.client_id and l.user_id = users.id)
         and not exists (select 1 from orders as o where o.client_id = users.client_id and o.user_id = users.id)"
    };
}

/// Rows of a table that names a link, unless that is held.
macro_rules! not_held {
    ($table:literal) => {
        concat!(
            " and not exists (select 1 from links as h where h.client_id = ",
            $table,
            ".client_id and h.id = ",
            $table,
            ".link_id and h.held_at is not null)"
        )
    };
}

/// What has had its time, of one kind: how it is found, and what goes with each.
struct Rule {
    table: &'static str,
    age: SignedDuration,
    find: &'static str,
    delete: &'static [&'static str],
}

macro_rules! rule {
    ($age:expr, of_link $table:literal, $which:literal $(, $before:literal)* $(,)?) => {
        Rule {
            table: $table,
            age: $age,
            find: concat!(
                "select client_id, id from ", $table, " where ", in_scope!(), " and ", $which, not_held!($table), " limit $4"
            ),
            delete: &[$($before,)* concat!("delete from ", $table, " where client_id = $1 and id = $2")],
        }
    };
    ($age:expr, $table:literal, $which:literal $(, $before:literal)* $(,)?) => {
        Rule {
            table: $table,
            age: $age,
            find: concat!("select client_id, id from ", $table, " where ", in_scope!(), " and ", $which, " limit $4"),
            delete: &[$($before,)* concat!("delete from ", $table, " where client_id = $1 and id = $2")],
        }
    };
}

/// In an order in which what is named by others comes after them.
const RULES: &[Rule] = &[
    rule!(ABANDONED, of_link "public_tokens", "expires_at < $1 and spent_at is null"),
    rule!(UNUSED, of_link "public_tokens", "expires_at < $1"),
    rule!(FAILED, "deliveries", "attempted_at < $1"),
    rule!(
        FAILED,
        of_link "webhook_events",
        "created_at < $1",
        "delete from deliveries where client_id = $1 and event_id = $2",
        "delete from outbox where client_id = $1 and event_id = $2",
    ),
    // What was tried on a funding account stays with its link, because tries are counted.
    rule!(
        FAILED,
        of_link "tasks",
        "finished_at < $1 and status <> 'done'
         and not exists (select 1 from changes as c
                          where c.client_id = tasks.client_id and c.task_id = tasks.id and c.kind = 'funding_proof')",
        "delete from logins where client_id = $1 and task_id = $2",
        "delete from changes where client_id = $1 and task_id = $2",
        "delete from public_tokens where client_id = $1 and task_id = $2",
    ),
    rule!(UNUSED, of_link "payroll_reports", "created_at < $1"),
    rule!(UNUSED, "user_reports", "created_at < $1"),
    rule!(
        UNUSED,
        "orders",
        "updated_at < $1",
        "delete from order_employers where client_id = $1 and order_id = $2",
    ),
    rule!(
        UNUSED,
        "provider_books",
        "created_at < $1
         and not exists (select 1 from provider_books as b
                          where b.client_id = provider_books.client_id
                            and b.account_hash = provider_books.account_hash and b.created_at >= $1)"
    ),
    rule!(
        ABANDONED,
        "bridge_tokens",
        "expires_at < $1
         and not exists (select 1 from links as l
                          where l.client_id = bridge_tokens.client_id and l.bridge_token_id = bridge_tokens.id)
         and not exists (select 1 from tasks as t
                          where t.client_id = bridge_tokens.client_id and t.bridge_token_id = bridge_tokens.id)"
    ),
    rule!(
        UNUSED,
        "access_keys",
        "deleted_at < $1
         and not exists (select 1 from bridge_tokens as t
                          where t.client_id = access_keys.client_id and t.access_key_id = access_keys.id)
         and not exists (select 1 from tasks as t
                          where t.client_id = access_keys.client_id and t.access_key_id = access_keys.id)
         and not exists (select 1 from orders as o
                          where o.client_id = access_keys.client_id and o.access_key_id = access_keys.id)"
    ),
    rule!(
        RECEIPTS,
        of_link "consents",
        "expires_at < $1
         and not exists (select 1 from consents as c
                          where c.client_id = consents.client_id and c.link_id = consents.link_id
                            and c.expires_at >= $1)"
    ),
];

/// How many rules there are for [`find`] and [`delete`].
pub const COUNT: usize = RULES.len();

/// The table that a rule is about.
pub fn table(rule: usize) -> &'static str {
    RULES.get(rule).map_or("", |rule| rule.table)
}

/// A row that has had its time.
pub type Aged = (ClientId, ObjectId);

/// Some rows that have had their time by a rule. Looking is kept apart from [`delete`], so that nobody waits for the writer while
/// a table is looked through.
pub async fn find(tx: &mut Tx<'_>, scope: Scope, rule: usize) -> Result<Vec<Aged>, Error> {
    let Some(Rule { age, find, .. }) = RULES.get(rule) else { return Ok(Vec::new()) };
    tx.fetch_all(find, &scope.params(*age), |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?))).await
}

/// Deletes what [`find`] found. A row that came into use meanwhile is named by others: then the whole step is a conflict.
pub async fn delete(tx: &mut Tx<'_>, rule: usize, aged: &[Aged]) -> Result<u64, Error> {
    let mut gone = 0;
    for (client_id, id) in aged {
        for statement in RULES.get(rule).map(|rule| rule.delete).unwrap_or_default() {
            gone += tx.execute(statement, params![*client_id, *id]).await?;
        }
    }
    Ok(gone)
}

/// Links of which nobody has made any use for a week after the last sign-in: their public token was never exchanged, and they
/// belong to no user who is known by another way. Look again with [`is_abandoned`] before one is erased.
pub async fn list_abandoned_links(tx: &mut Tx<'_>, scope: Scope) -> Result<Vec<(Tenant, LinkId)>, Error> {
    tx.fetch_all(
        concat!(
            "select client_id, environment, id from links where ",
            in_scope!(),
            " and updated_at < $1 and ",
            abandoned!(),
            " limit $4"
        ),
        &scope.params(ABANDONED),
        |row: &Row<'_>| Ok((Tenant { client_id: row.get(0)?, environment: row.get(1)? }, row.get(2)?)),
    )
    .await
}

/// Whether a link is still of no use to anybody, apart from its age.
pub async fn is_abandoned(tx: &mut Tx<'_>, tenant: Tenant, id: LinkId) -> Result<bool, Error> {
    let found = tx
        .fetch_optional(
            concat!(
                "select id from links where client_id = $1 and environment = $2 and id = $3 and ",
                abandoned!()
            ),
            params![tenant.client_id, tenant.environment, id],
            |row| row.get::<LinkId>(0),
        )
        .await?;
    Ok(found.is_some())
}

/// Links whose consent ended thirty days ago, and was not given anew. Look again with [`crate::holds::is_held`].
pub async fn list_ended_links(tx: &mut Tx<'_>, scope: Scope) -> Result<Vec<(Tenant, LinkId)>, Error> {
    tx.fetch_all(
        concat!(
            "select client_id, environment, id from links where ",
            in_scope!(),
            " and consent_ended_at < $1 and held_at is null and deleted_at is null limit $4"
        ),
        &scope.params(FAILED),
        |row: &Row<'_>| Ok((Tenant { client_id: row.get(0)?, environment: row.get(1)? }, row.get(2)?)),
    )
    .await
}

/// Users of whom nothing was heard for 24 months, and who have neither links nor orders. Look again with [`is_unused`] before one
/// is erased.
pub async fn list_unused_users(tx: &mut Tx<'_>, scope: Scope) -> Result<Vec<(Tenant, UserId)>, Error> {
    tx.fetch_all(
        concat!(
            "select client_id, environment, id from users where ",
            in_scope!(),
            " and updated_at < $1 and ",
            unused!(),
            " limit $4"
        ),
        &scope.params(UNUSED),
        |row: &Row<'_>| Ok((Tenant { client_id: row.get(0)?, environment: row.get(1)? }, row.get(2)?)),
    )
    .await
}

/// Whether a user still has neither links nor orders.
pub async fn is_unused(tx: &mut Tx<'_>, tenant: Tenant, id: UserId) -> Result<bool, Error> {
    let found = tx
        .fetch_optional(
            concat!(
                "select id from users where client_id = $1 and environment = $2 and id = $3 and ",
                unused!()
            ),
            params![tenant.client_id, tenant.environment, id],
            |row| row.get::<UserId>(0),
        )
        .await?;
    Ok(found.is_some())
}

/// Calls with their bodies, and screens, in one step: answers how many rows went, 0 when none is left. There are many, and nothing
/// names them, so that they need not be looked up before.
pub async fn delete_recorded(tx: &mut Tx<'_>, scope: Scope) -> Result<u64, Error> {
    let mut gone = 0;
    for statement in [
        concat!(
            "delete from call_bodies where (client_id, environment, call_id) in (
                 select client_id, environment, id from calls where ",
            in_scope!(),
            " and at < $1 order by at, id limit $4)"
        ),
        concat!(
            "delete from calls where (client_id, environment, id) in (
                 select client_id, environment, id from calls where ",
            in_scope!(),
            " and at < $1 order by at, id limit $4)"
        ),
        concat!(
            "delete from screens where (client_id, id) in (
                 select client_id, id from screens where ",
            in_scope!(),
            " and at < $1 order by at, id limit $4)"
        ),
    ] {
        gone += tx.execute(statement, &scope.params(FAILED)).await?;
    }
    Ok(gone)
}

/// Hours of usage. They are the machine's.
pub async fn delete_usage(tx: &mut Tx<'_>, live: Timestamp) -> Result<u64, Error> {
    let before = live.saturating_sub(USAGE).unwrap_or(Timestamp::MIN);
    tx.execute("delete from usage_hours where hour < $1", params![before]).await
}

/// Jobs that were given up thirty days ago. They are about machines: the time is the machine's.
pub async fn delete_buried_jobs(tx: &mut Tx<'_>, live: Timestamp) -> Result<u64, Error> {
    let before = live.saturating_sub(FAILED).unwrap_or(Timestamp::MIN);
    tx.execute("delete from jobs where done = true and run_at < $1", params![before]).await
}
