//! Reading a company's payroll register. Published clients ask for it and read it in the same breath (contract R8), so this is
//! not queued: the caller waits. It reads only, so a caller who goes away leaves nothing behind.

use std::time::Duration;

use citadel_domain::{Product, TaskStatus, payroll::PayrollRow};
use citadel_store::links::Link;
use jiff::civil::Date;
use tokio::time::timeout;

use super::{run_task::context, sign_in::LINK_GRANT};
use crate::{app::App, error::ApiResult, owner_key::OwnerKey};

/// How long a provider may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Every statement with a pay day in the range; or the status with which reading ended.
pub(crate) async fn read(
    app: &App,
    link: &Link,
    from: Date,
    to: Date,
) -> ApiResult<Result<Vec<PayrollRow>, TaskStatus>> {
    let Some(connector) = app.connectors.find(link.tenant.environment, &link.provider_id) else {
        return Ok(Err(TaskStatus::NotSupported));
    };
    // Without the provider's permission the person has to sign in first, or again.
    let Some(sealed) = &link.grant_sealed else { return Ok(Err(TaskStatus::LoginError)) };
    let grant = OwnerKey::of_link(app, link)?.unseal_text(LINK_GRANT, sealed)?;
    let cx = context(app, link, Product::Admin, app.moment(link.tenant).await?, 1, &[]);
    Ok(match timeout(PATIENCE, connector.fetch_payroll(&cx, &grant, from, to)).await {
        Ok(Ok(rows)) => Ok(rows),
        Ok(Err(refusal)) => Err(refusal.status()),
        Err(_) => Err(TaskStatus::Unavailable),
    })
}
