//! Reports: payroll data of a link, rendered and sealed, one row per kind.

use citadel_domain::LinkId;
use jiff::Timestamp;

use crate::{Error, Tenant, Tx, value::params};

/// A stored report.
#[derive(Clone, Debug)]
pub struct Report {
    pub kind: String,
    /// Sealed under the link's data key.
    pub body_sealed: Vec<u8>,
    pub updated_at: Timestamp,
}

/// Keeps a report, in place of the one before.
pub async fn put(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    link_id: LinkId,
    kind: &str,
    body_sealed: &[u8],
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "insert into reports (client_id, link_id, kind, environment, body_sealed, updated_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (client_id, link_id, kind) do update
            set body_sealed = excluded.body_sealed, updated_at = excluded.updated_at
          where reports.environment = excluded.environment",
        params![tenant.client_id, link_id, kind, tenant.environment, body_sealed, now],
    )
    .await
    .map(drop)
}

/// The report of this kind.
pub async fn find(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    link_id: LinkId,
    kind: &str,
) -> Result<Option<Report>, Error> {
    tx.fetch_optional(
        "select kind, body_sealed, updated_at from reports
          where client_id = $1 and environment = $2 and link_id = $3 and kind = $4",
        params![tenant.client_id, tenant.environment, link_id, kind],
        |row| Ok(Report { kind: row.get(0)?, body_sealed: row.get(1)?, updated_at: row.get(2)? }),
    )
    .await
}

/// Deletes the reports of a link of which no sign-in ever came to its end.
pub async fn delete_unfinished(tx: &mut Tx<'_>, tenant: Tenant, link_id: LinkId) -> Result<(), Error> {
    tx.execute(
        "delete from reports
          where client_id = $1 and environment = $2 and link_id = $3 and not exists (
                select 1 from tasks where tasks.client_id = $1 and tasks.link_id = $3 and tasks.status = 'done')",
        params![tenant.client_id, tenant.environment, link_id],
    )
    .await
    .map(drop)
}
