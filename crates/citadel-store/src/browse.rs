//! Lists for who looks through links and tasks: filtered, newest first, from a cursor on. Each is read along an index, and no
//! further than a page's time goes.

use citadel_domain::{LinkId, Product, TaskId, TaskStatus, UserId};
use jiff::Timestamp;

use crate::{
    Error, Row, Tenant, Tx, Value,
    links::{self, Link},
    tasks::{self, Kind, Task},
    value::params,
};

/// Which links.
#[derive(Clone, Debug, Default)]
pub struct LinkFilter {
    pub status: Option<TaskStatus>,
    pub provider_id: Option<String>,
    pub product: Option<Product>,
    pub user_id: Option<UserId>,
}

/// Which tasks.
#[derive(Clone, Debug, Default)]
pub struct TaskFilter {
    pub status: Option<TaskStatus>,
    pub provider_id: Option<String>,
    pub kind: Option<Kind>,
}

/// A task in a list.
#[derive(Clone, Debug)]
pub struct Listed {
    pub task: Task,
    pub provider_id: Option<String>,
}

/// Something that was told of a task of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub task_id: TaskId,
    pub event_type: String,
    /// The event's JSON. It has the status.
    pub body: String,
    pub at: Timestamp,
}

/// What a look through a list found.
#[derive(Debug)]
pub struct Found<T, I> {
    pub rows: Vec<T>,
    /// How far back was looked without filling the page. Before that there may be more.
    pub back_to: Option<I>,
}

/// Rows that a look goes through, at the most, so that a page costs the same with many rows as with few. An index for each filter
/// would answer at once, and cost every task and link a write for each of its steps.
const LINKS: i64 = 20_000;
const TASKS: i64 = 5_000;

/// Of one user there are few: those are found by the user.
const LINKS_OF_USER: &str = concat!(
    "select ",
    links::columns!(),
    " from links
      where client_id = $1 and environment = $2 and deleted_at is null and user_id = $3 and coalesce(id, $4) < $4
        and ($5 = '' or status = $5) and ($6 = '' or provider_id = $6) and ($7 = '' or product = $7)
      order by created_at desc, id desc limit $8"
);

/// The environment is no part of the search for an index: of those that have it, none has the order.
const LINKS_BETWEEN: &str = concat!(
    "select ",
    links::columns!(),
    " from links
      where client_id = $1 and coalesce(environment, '') = $2 and deleted_at is null and id >= $3 and id < $4
        and ($5 = '' or status = $5) and ($6 = '' or provider_id = $6) and ($7 = '' or product = $7)
      order by id desc limit $8"
);

const TASKS_BETWEEN: &str = concat!(
    "select ",
    tasks::columns!(),
    ", (select l.provider_id from links as l where l.client_id = $1 and l.id = tasks.link_id) from tasks
      where client_id = $1 and coalesce(environment, '') = $2 and id >= $3 and id < $4
        and ($5 = '' or status = $5) and ($7 = '' or kind = $7)
        and exists (select 1 from links as l
                     where l.client_id = $1 and l.id = tasks.link_id and l.deleted_at is null
                       and ($6 = '' or l.provider_id = $6))
      order by id desc limit $8"
);

/// The id that lies so many before another one.
macro_rules! back_to {
    ($table:literal) => {
        concat!(
            "select id from ",
            $table,
            " where client_id = $1 and id < $2 order by id desc limit 1 offset $3"
        )
    };
}
pub(crate) use back_to;

fn word(status: Option<TaskStatus>) -> Value {
    status.map_or("", TaskStatus::as_str).into()
}

/// Links before one, or the newest ones; newest first.
pub async fn links(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    filter: &LinkFilter,
    before: Option<LinkId>,
    limit: u32,
) -> Result<Found<Link, LinkId>, Error> {
    let before = before.unwrap_or(LinkId::from_bytes([0xFF; 16]));
    let back_to: Option<LinkId> = match filter.user_id {
        Some(_) => None,
        None => {
            let params = params![tenant.client_id, before, LINKS];
            tx.fetch_optional(back_to!("links"), params, |row| row.get(0)).await?
        }
    };
    let (sql, least): (_, Value) = match filter.user_id {
        Some(id) => (LINKS_OF_USER, id.into()),
        None => (LINKS_BETWEEN, back_to.unwrap_or(LinkId::from_bytes([0; 16])).into()),
    };
    let params = [
        tenant.client_id.into(),
        tenant.environment.into(),
        least,
        before.into(),
        word(filter.status),
        filter.provider_id.as_deref().unwrap_or_default().into(),
        filter.product.map_or("", Product::as_str).into(),
        i64::from(limit).into(),
    ];
    let rows = tx.fetch_all(sql, &params, links::read).await?;
    Ok(found(rows, limit, back_to))
}

/// Tasks before one, or the newest ones; newest first. Those of deleted links are gone.
pub async fn tasks(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    filter: &TaskFilter,
    before: Option<TaskId>,
    limit: u32,
) -> Result<Found<Listed, TaskId>, Error> {
    let before = before.unwrap_or(TaskId::from_bytes([0xFF; 16]));
    let back_to: Option<TaskId> = {
        let params = params![tenant.client_id, before, TASKS];
        tx.fetch_optional(back_to!("tasks"), params, |row| row.get(0)).await?
    };
    let params = [
        tenant.client_id.into(),
        tenant.environment.into(),
        back_to.unwrap_or(TaskId::from_bytes([0; 16])).into(),
        before.into(),
        word(filter.status),
        filter.provider_id.as_deref().unwrap_or_default().into(),
        filter.kind.map_or("", Kind::as_str).into(),
        i64::from(limit).into(),
    ];
    let rows = tx.fetch_all(TASKS_BETWEEN, &params, read_listed).await?;
    Ok(found(rows, limit, back_to))
}

pub(crate) fn found<T, I>(rows: Vec<T>, limit: u32, back_to: Option<I>) -> Found<T, I> {
    let is_full = rows.len() >= limit as usize;
    Found { rows, back_to: back_to.filter(|_| !is_full) }
}

fn read_listed(row: &Row<'_>) -> Result<Listed, Error> {
    Ok(Listed { task: tasks::read(row)?, provider_id: row.get(16)? })
}

/// The newest tasks of a link, and what was told of them, oldest first.
pub async fn of_link(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    link_id: LinkId,
    limit: u32,
) -> Result<(Vec<Task>, Vec<Step>), Error> {
    let params = params![tenant.client_id, tenant.environment, link_id, i64::from(limit)];
    let tasks = tx
        .fetch_all(
            concat!(
                "select ",
                tasks::columns!(),
                " from tasks where client_id = $1 and environment = $2 and link_id = $3
                  order by created_at desc, id desc limit $4"
            ),
            params,
            tasks::read,
        )
        .await?;
    let steps = tx
        .fetch_all(
            "select task_id, event_type, body, created_at from webhook_events
              where client_id = $1 and environment = $2 and task_id in (
                    select id from tasks where client_id = $1 and environment = $2 and link_id = $3
                     order by created_at desc, id desc limit $4)
              order by task_id, task_sequence",
            params,
            |row| {
                Ok(Step { task_id: row.get(0)?, event_type: row.get(1)?, body: row.get(2)?, at: row.get(3)? })
            },
        )
        .await?;
    Ok((tasks, steps))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::Plans;

    #[tokio::test]
    async fn every_list_goes_along_an_index_in_its_order() {
        let plans = Plans::open("browse").await;
        for (sql, parameters, index) in [
            (LINKS_OF_USER, 8, "USING INDEX links_by_user (client_id=? AND user_id=?)"),
            (LINKS_BETWEEN, 8, "USING INDEX sqlite_autoindex_links_1 (client_id=? AND id>? AND id<?)"),
            (TASKS_BETWEEN, 8, "USING INDEX sqlite_autoindex_tasks_1 (client_id=? AND id>? AND id<?)"),
            (back_to!("links"), 3, "USING COVERING INDEX sqlite_autoindex_links_1 (client_id=? AND id<?)"),
            (back_to!("tasks"), 3, "USING COVERING INDEX sqlite_autoindex_tasks_1 (client_id=? AND id<?)"),
        ] {
            let plan = plans.of(sql, parameters).await.join("; ");
            assert!(plan.contains(index), "{index}: {plan}");
            assert!(!plan.contains("SCAN"), "{plan}");
            // Of one user, what was made in one instant is put in order.
            assert!(!plan.contains("USE TEMP B-TREE FOR ORDER BY"), "{plan}");
        }
    }

    #[tokio::test]
    async fn the_tasks_of_a_link_are_found_by_the_link() {
        let plans = Plans::open("of_link").await;
        for sql in [
            links::JOBS,
            "select id from tasks where client_id = $1 and environment = $2 and link_id = $3 and finished_at is null",
            "select id from tasks where client_id = $1 and environment = $2 and link_id = $3 and kind = 'initial'
                and status = 'done'",
        ] {
            let plan = plans.of(sql, 3).await.join("; ");
            assert!(plan.contains("USING INDEX tasks_by_link (client_id=? AND link_id=?)"), "{sql}: {plan}");
        }
    }
}
