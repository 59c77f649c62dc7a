//! The deposit switches of a person, over all links (contract 5.7).

use axum::{Json, extract::State};
use citadel_api_types::{
    deposits::UserDepositSwitchReport,
    error::{Detail, ErrorBody},
};
use citadel_domain::UserId;
use citadel_store::links;

use super::{PathId, access_tokens::known_access_token, users};
use crate::trail::{self, Data};
use crate::{
    app::App,
    auth::Caller,
    error::{ApiError, ApiResult},
    reports::{self, Facts, ReportKind},
};

/// Links that are looked at, newest first.
const MOST_LINKS: i64 = 100;

/// Read where a person's pay lands, over all links.
#[utoipa::path(get, path = "/v1/users/{user_id}/deposit_switch/report/", tag = "users", params(("user_id" = String, Path)), responses(
    (status = 200, body = UserDepositSwitchReport),
    (status = 401, body = ErrorBody),
    (status = 404, body = Detail),
))]
pub(crate) async fn get_user_deposit_switch(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<UserId>,
) -> ApiResult<Json<UserDepositSwitchReport>> {
    let tenant = caller.tenant;
    let db = app.db.scoped(tenant.client_id);
    let found = db
        .read(async move |tx| {
            let user = users::find(tx, tenant, id).await?;
            let mut found = Vec::new();
            for link in links::list(tx, tenant, Some(user.id), MOST_LINKS, 0).await? {
                if ReportKind::DirectDeposit.is_allowed(&link) {
                    found.push(Facts::of_link(tx, link, ReportKind::DirectDeposit).await?);
                }
            }
            Ok::<_, ApiError>(found)
        })
        .await?;
    let mut switches = Vec::with_capacity(found.len());
    let mut completed_at = None;
    for facts in &found {
        let access_token = known_access_token(&app, &facts.link)?;
        if let Some(switch) = reports::user_deposit_switch(&app, facts, access_token)? {
            switches.push(switch);
            completed_at = completed_at.max(facts.finished_at());
        }
    }
    if !switches.is_empty() {
        trail::release(&app, caller, trail::user(id), Data::BankAccounts)?;
    }
    Ok(Json(UserDepositSwitchReport { completed_at: completed_at.map(reports::time), links: switches }))
}
