//! What a client's sandbox has of its own: its clock, its faults, and the counter that its ids follow from.

use citadel_domain::{ClientId, Environment, Fault};
use jiff::{SignedDuration, Timestamp};

use crate::{Error, Tenant, Tx, settings, value::params, words};

/// Where a sandbox's clock ends, with the year 2099: people retire, and tables of taxes end.
pub const LAST: Timestamp = Timestamp::constant(4_102_444_799, 999_999_000);

/// How a sandbox's clock goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// With the machine's, this much ahead.
    Running {
        /// Never below zero.
        ahead: SignedDuration,
    },
    /// Not at all.
    Standing {
        /// Where it stands.
        at: Timestamp,
    },
}

impl Pace {
    /// As it is kept: microseconds ahead, unless the clock stands. Nothing is kept outside the sandbox.
    pub(crate) fn of(ahead: Option<i64>, standing_at: Option<Timestamp>) -> Self {
        match standing_at {
            Some(at) => Self::Standing { at },
            None => Self::Running { ahead: SignedDuration::from_micros(ahead.unwrap_or(0)) },
        }
    }

    /// What a clock with this pace shows when the machine's shows `live`. One that was turned stops at its [`LAST`] instant.
    pub fn shows(self, live: Timestamp) -> Timestamp {
        match self {
            Self::Running { ahead } if ahead.is_zero() => live,
            Self::Running { ahead } => live.saturating_add(ahead).unwrap_or(LAST).min(LAST),
            Self::Standing { at } => at,
        }
    }
}

/// Makes the sandbox of a new client.
pub(crate) async fn create(tx: &mut Tx<'_>, client_id: ClientId) -> Result<(), Error> {
    // Held until the commit, so that no two clients take one number.
    settings::put(tx, "last_sandbox", "").await?;
    tx.execute(
        "insert into sandboxes (client_id, number, made, clock_ahead, standing_at, faults)
         select $1, coalesce(max(number), 0) + 1, 0, 0, null, '' from sandboxes",
        params![client_id],
    )
    .await
    .map(drop)
}

/// How the clock of a client goes. Outside the sandbox it is the machine's.
pub async fn pace(tx: &mut Tx<'_>, tenant: Tenant) -> Result<Pace, Error> {
    if tenant.environment != Environment::Sandbox {
        return Ok(Pace::of(None, None));
    }
    let found = tx
        .fetch_optional(
            "select clock_ahead, standing_at from sandboxes where client_id = $1",
            params![tenant.client_id],
            |row| Ok(Pace::of(row.get(0)?, row.get(1)?)),
        )
        .await?;
    Ok(found.unwrap_or(Pace::of(None, None)))
}

/// The sandboxes whose clocks were turned, and how those go.
pub async fn turned(tx: &mut Tx<'_>) -> Result<Vec<(ClientId, Pace)>, Error> {
    tx.fetch_all(
        "select client_id, clock_ahead, standing_at from sandboxes where clock_ahead <> 0 or standing_at is not null",
        &[],
        |row| Ok((row.get(0)?, Pace::of(row.get(1)?, row.get(2)?))),
    )
    .await
}

/// As [`pace`], and holds the sandbox until the commit: nobody else turns the clock meanwhile.
pub async fn lock(tx: &mut Tx<'_>, tenant: Tenant) -> Result<Pace, Error> {
    tx.execute("update sandboxes set made = made where client_id = $1", params![tenant.client_id]).await?;
    pace(tx, tenant).await
}

/// Sets how the clock goes.
pub async fn set_pace(tx: &mut Tx<'_>, tenant: Tenant, pace: Pace) -> Result<(), Error> {
    let (ahead, standing_at) = match pace {
        Pace::Running { ahead } => (i64::try_from(ahead.as_micros()).unwrap_or(i64::MAX), None),
        Pace::Standing { at } => (0, Some(at)),
    };
    tx.execute(
        "update sandboxes set clock_ahead = $2, standing_at = $3 where client_id = $1",
        params![tenant.client_id, ahead, standing_at],
    )
    .await
    .map(drop)
}

/// Counts one more thing that a client made: the client's number among all, and the thing's among the client's.
pub async fn count(tx: &mut Tx<'_>, tenant: Tenant) -> Result<(i64, i64), Error> {
    tx.fetch_one(
        "update sandboxes set made = made + 1 where client_id = $1 returning number, made",
        params![tenant.client_id],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
    .await
}

/// What goes wrong on purpose in everything that the client does.
pub async fn faults(tx: &mut Tx<'_>, tenant: Tenant) -> Result<Vec<Fault>, Error> {
    if tenant.environment != Environment::Sandbox {
        return Ok(Vec::new());
    }
    let found = tx
        .fetch_optional(
            "select faults from sandboxes where client_id = $1",
            params![tenant.client_id],
            |row| row.get::<String>(0),
        )
        .await?;
    words::split(&found.unwrap_or_default())
}

/// Sets [`faults`].
pub async fn set_faults(tx: &mut Tx<'_>, tenant: Tenant, faults: &[Fault]) -> Result<(), Error> {
    tx.execute(
        "update sandboxes set faults = $2 where client_id = $1",
        params![tenant.client_id, words::join(faults)],
    )
    .await
    .map(drop)
}

/// Deletes everything of a client's sandbox but its keys, and sets its counter, clock and faults to the beginning.
pub async fn empty(tx: &mut Tx<'_>, tenant: Tenant) -> Result<(), Error> {
    // Jobs have the ids of their tasks and endpoints.
    for statement in [
        "delete from idempotency_keys where client_id = $1 and environment = $2",
        "delete from jobs where id in (select id from tasks where client_id = $1 and environment = $2)",
        "delete from jobs where id in (select id from webhooks where client_id = $1 and environment = $2)",
        "delete from call_bodies where client_id = $1 and environment = $2",
        "delete from calls where client_id = $1 and environment = $2",
        "delete from screens where client_id = $1 and environment = $2",
        "delete from usage_hours where client_id = $1 and environment = $2",
        "delete from deliveries where client_id = $1 and environment = $2",
        "delete from outbox where client_id = $1 and environment = $2",
        "delete from webhook_events where client_id = $1 and environment = $2",
        "delete from event_counters where client_id = $1 and environment = $2",
        "delete from webhooks where client_id = $1 and environment = $2",
        "delete from reports where client_id = $1 and environment = $2",
        "delete from payroll_reports where client_id = $1 and environment = $2",
        "delete from changes where client_id = $1 and environment = $2",
        "delete from public_tokens where client_id = $1 and environment = $2",
        "delete from logins where client_id = $1 and environment = $2",
        "delete from tasks where client_id = $1 and environment = $2",
        "delete from consents where client_id = $1 and environment = $2",
        "delete from links where client_id = $1 and environment = $2",
        "delete from bridge_tokens where client_id = $1 and environment = $2",
        "delete from user_reports where client_id = $1 and environment = $2",
        "delete from order_employers where client_id = $1 and environment = $2",
        "delete from orders where client_id = $1 and environment = $2",
        "delete from users where client_id = $1 and environment = $2",
        "delete from templates where client_id = $1 and environment = $2",
        "delete from provider_books where client_id = $1 and environment = $2",
        "delete from scenarios where client_id = $1 and environment = $2",
    ] {
        tx.execute(statement, params![tenant.client_id, tenant.environment]).await?;
    }
    tx.execute(
        "update sandboxes set made = 0, clock_ahead = 0, standing_at = null, faults = '' where client_id = $1",
        params![tenant.client_id],
    )
    .await
    .map(drop)
}
