//! Payroll registers of companies, rendered and sealed. The register of a deleted link is never found.

use citadel_domain::{LinkId, PayrollReportId};
use jiff::Timestamp;

use crate::{Error, Tenant, Tx, value::params};

/// A register to be kept.
#[derive(Clone, Debug)]
pub struct NewPayrollReport {
    pub id: PayrollReportId,
    pub tenant: Tenant,
    pub link_id: LinkId,
    /// `YYYY-MM-DD`, as is `end_date`.
    pub start_date: String,
    pub end_date: String,
    /// `done`, or the status with which reading it ended.
    pub status: String,
    /// Sealed under the link's data key.
    pub body_sealed: Vec<u8>,
    pub created_at: Timestamp,
    pub completed_at: Timestamp,
}

/// A register.
#[derive(Clone, Debug)]
pub struct PayrollReport {
    pub id: PayrollReportId,
    pub link_id: LinkId,
    pub start_date: String,
    pub end_date: String,
    pub status: String,
    pub body_sealed: Vec<u8>,
    pub created_at: Timestamp,
    pub completed_at: Timestamp,
}

/// Keeps a register.
pub async fn create(tx: &mut Tx<'_>, new: &NewPayrollReport) -> Result<(), Error> {
    tx.execute(
        "insert into payroll_reports (client_id, id, environment, link_id, start_date, end_date, status,
                                      body_sealed, created_at, completed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            new.tenant.client_id,
            new.id,
            new.tenant.environment,
            new.link_id,
            &new.start_date,
            &new.end_date,
            &new.status,
            &new.body_sealed,
            new.created_at,
            new.completed_at,
        ],
    )
    .await
    .map(drop)
}

/// The register with this id.
pub async fn find(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: PayrollReportId,
) -> Result<Option<PayrollReport>, Error> {
    tx.fetch_optional(
        "select r.id, r.link_id, r.start_date, r.end_date, r.status, r.body_sealed, r.created_at, r.completed_at
           from payroll_reports r
           join links l on l.client_id = r.client_id and l.id = r.link_id
          where r.client_id = $1 and r.environment = $2 and r.id = $3 and l.deleted_at is null",
        params![tenant.client_id, tenant.environment, id],
        |row| {
            Ok(PayrollReport {
                id: row.get(0)?,
                link_id: row.get(1)?,
                start_date: row.get(2)?,
                end_date: row.get(3)?,
                status: row.get(4)?,
                body_sealed: row.get(5)?,
                created_at: row.get(6)?,
                completed_at: row.get(7)?,
            })
        },
    )
    .await
}
