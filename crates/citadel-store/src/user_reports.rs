//! Reports about a person: what all links knew at one moment.

use citadel_domain::{UserId, UserReportId};
use jiff::Timestamp;

use crate::{Error, Row, Tenant, Tx, value::params};

/// A report.
#[derive(Clone, Debug)]
pub struct UserReport {
    pub id: UserReportId,
    pub tenant: Tenant,
    pub user_id: UserId,
    /// About employment without income.
    pub is_voe: bool,
    /// Sealed under the user's data key.
    pub body_sealed: Vec<u8>,
    pub created_at: Timestamp,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, client_id, environment, user_id, is_voe, body_sealed, created_at from user_reports
              where client_id = $1 and environment = $2 and user_id = $3 and ",
            $rest
        )
    };
}

/// Keeps a report.
pub async fn create(tx: &mut Tx<'_>, new: &UserReport) -> Result<(), Error> {
    tx.execute(
        "insert into user_reports (client_id, id, environment, user_id, is_voe, body_sealed, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        params![
            new.tenant.client_id,
            new.id,
            new.tenant.environment,
            new.user_id,
            new.is_voe,
            &new.body_sealed,
            new.created_at
        ],
    )
    .await
    .map(drop)
}

/// The report of a user with this id.
pub async fn find(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    user_id: UserId,
    id: UserReportId,
) -> Result<Option<UserReport>, Error> {
    tx.fetch_optional(select!("id = $4"), params![tenant.client_id, tenant.environment, user_id, id], read)
        .await
}

/// The newest report with income of a user.
pub async fn newest_with_income(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    user_id: UserId,
) -> Result<Option<UserReport>, Error> {
    tx.fetch_optional(
        select!("is_voe = false order by created_at desc, id desc limit 1"),
        params![tenant.client_id, tenant.environment, user_id],
        read,
    )
    .await
}

fn read(row: &Row<'_>) -> Result<UserReport, Error> {
    Ok(UserReport {
        id: row.get(0)?,
        tenant: Tenant { client_id: row.get(1)?, environment: row.get(2)? },
        user_id: row.get(3)?,
        is_voe: row.get(4)?,
        body_sealed: row.get(5)?,
        created_at: row.get(6)?,
    })
}
