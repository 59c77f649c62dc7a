//! How much a client calls, how far people come in its widget, and what became of its tasks, over time.

use citadel_domain::TaskStatus;
use jiff::Timestamp;

use crate::{Error, Row, Tenant, Tx, value::params};

/// Buckets of the time that calls take: the first holds those under a millisecond, each other one twice as much as the one
/// before, the last all that took longer.
pub const BUCKETS: usize = 14;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// Calls that are counted together: of one tenant, hour, route, first digit of the status and bucket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    pub tenant: Tenant,
    /// Where its hour begins, on the machine's clock.
    pub hour: Timestamp,
    /// The template.
    pub route: String,
    pub status_class: u16,
    pub bucket: usize,
}

impl Kind {
    /// Where a call counts.
    pub fn of(tenant: Tenant, at: Timestamp, route: &str, status: u16, duration_us: u64) -> Self {
        let micros = at.as_microsecond().div_euclid(HOUR) * HOUR;
        Self {
            tenant,
            hour: Timestamp::from_microsecond(micros).unwrap_or(at),
            route: route.to_owned(),
            status_class: status / 100,
            bucket: (64 - (duration_us / 1000).leading_zeros() as usize).min(BUCKETS - 1),
        }
    }
}

/// What such calls come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub calls: i64,
    pub duration_us: i64,
}

/// Adds to what was counted, unless the client was erased.
pub async fn add(tx: &mut Tx<'_>, kind: &Kind, tally: Tally) -> Result<(), Error> {
    tx.execute(
        "insert into usage_hours (client_id, environment, hour, route, status_class, bucket, calls, duration_us)
         select $1, $2, $3, $4, $5, $6, $7, $8 from clients where clients.id = $1 and clients.deleted_at is null
         on conflict (client_id, environment, hour, route, status_class, bucket) do update
            set calls = usage_hours.calls + excluded.calls, duration_us = usage_hours.duration_us + excluded.duration_us",
        params![
            kind.tenant.client_id,
            kind.tenant.environment,
            kind.hour,
            &kind.route,
            i64::from(kind.status_class),
            i64::try_from(kind.bucket).unwrap_or(i64::MAX),
            tally.calls,
            tally.duration_us,
        ],
    )
    .await
    .map(drop)
}

/// Calls of a stretch of time, or of a route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    pub calls: i64,
    /// Those answered 4xx.
    pub refused: i64,
    /// Those answered 5xx.
    pub failed: i64,
    /// What all took together.
    pub duration_us: i64,
    /// How many took how long.
    pub buckets: [i64; BUCKETS],
}

impl Requests {
    fn add(&mut self, status_class: i64, bucket: i64, tally: Tally) {
        self.calls += tally.calls;
        self.duration_us += tally.duration_us;
        match status_class {
            4 => self.refused += tally.calls,
            5 => self.failed += tally.calls,
            _ => {}
        }
        let bucket = usize::try_from(bucket).unwrap_or(BUCKETS).min(BUCKETS - 1);
        self.buckets[bucket] += tally.calls;
    }

    /// Within how many milliseconds this share of the calls was answered (0.95 for 95 %), rounded up to the end of its bucket.
    /// `None` without calls, and where it lies in the last bucket, which has no end.
    pub fn within_ms(&self, share: f64) -> Option<u64> {
        let mut counted = 0;
        let bucket = self.buckets.iter().position(|calls| {
            counted += calls;
            counted > 0 && counted as f64 >= share * self.calls as f64
        })?;
        (bucket < BUCKETS - 1).then(|| 1 << bucket)
    }
}

/// Calls by time: one entry for each stretch of so many hours in which there were any, oldest first.
pub async fn requests(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    since: Timestamp,
    until: Timestamp,
    hours: u32,
) -> Result<Vec<(Timestamp, Requests)>, Error> {
    let rows = tx
        .fetch_all(
            "select hour / $5 * $5, status_class, bucket, cast(sum(calls) as bigint), cast(sum(duration_us) as bigint)
               from usage_hours
              where client_id = $1 and environment = $2 and hour >= $3 and hour < $4
              group by hour / $5 * $5, status_class, bucket order by 1",
            params![tenant.client_id, tenant.environment, since, until, i64::from(hours.max(1)) * HOUR],
            |row| Ok((row.get::<Timestamp>(0)?, read(row)?)),
        )
        .await?;
    Ok(by(rows))
}

/// Calls by route, in the order of their templates.
pub async fn routes(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<(String, Requests)>, Error> {
    let rows = tx
        .fetch_all(
            "select route, status_class, bucket, cast(sum(calls) as bigint), cast(sum(duration_us) as bigint)
               from usage_hours
              where client_id = $1 and environment = $2 and hour >= $3 and hour < $4
              group by route, status_class, bucket order by route",
            params![tenant.client_id, tenant.environment, since, until],
            |row| Ok((row.get::<String>(0)?, read(row)?)),
        )
        .await?;
    Ok(by(rows))
}

fn read(row: &Row<'_>) -> Result<(i64, i64, Tally), Error> {
    Ok((row.get(1)?, row.get(2)?, Tally { calls: row.get(3)?, duration_us: row.get(4)? }))
}

/// Rows that stand together by what they are about.
fn by<T: PartialEq>(rows: Vec<(T, (i64, i64, Tally))>) -> Vec<(T, Requests)> {
    let mut all: Vec<(T, Requests)> = Vec::new();
    for (what, (status_class, bucket, tally)) in rows {
        if all.last().is_none_or(|(last, _)| *last != what) {
            all.push((what, Requests::default()));
        }
        if let Some((_, requests)) = all.last_mut() {
            requests.add(status_class, bucket, tally);
        }
    }
    all
}

/// How many widgets came to a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Where its day begins, in UTC on the client's clock.
    pub day: Timestamp,
    /// The screen.
    pub screen: String,
    /// Bridge tokens whose widget showed it for the first time on that day.
    pub tokens: i64,
}

/// How far people came in the widget, by day.
pub async fn conversion(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<Reached>, Error> {
    tx.fetch_all(
        "select at / $5 * $5, name, cast(count(*) as bigint) from screens
          where client_id = $1 and environment = $2 and at >= $3 and at < $4 and is_first = true
          group by at / $5 * $5, name order by 1, name",
        params![tenant.client_id, tenant.environment, since, until, DAY],
        |row| Ok(Reached { day: row.get(0)?, screen: row.get(1)?, tokens: row.get(2)? }),
    )
    .await
}

/// How many tasks came to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Where its day begins, in UTC on the client's clock.
    pub day: Timestamp,
    pub provider_id: String,
    pub status: TaskStatus,
    pub tasks: i64,
}

/// What became of tasks, by day and provider. Tasks that failed are kept for 30 days: before that only the good ones count.
pub async fn outcomes(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<Outcome>, Error> {
    tx.fetch_all(
        "select t.finished_at / $5 * $5, l.provider_id, t.status, cast(count(*) as bigint)
           from tasks as t join links as l on l.client_id = t.client_id and l.id = t.link_id
          where t.client_id = $1 and t.environment = $2 and t.finished_at >= $3 and t.finished_at < $4
          group by t.finished_at / $5 * $5, l.provider_id, t.status order by 1, l.provider_id, t.status",
        params![tenant.client_id, tenant.environment, since, until, DAY],
        |row| {
            Ok(Outcome {
                day: row.get(0)?,
                provider_id: row.get(1)?,
                status: row.get(2)?,
                tasks: row.get(3)?,
            })
        },
    )
    .await
}
