//! Screens that the widget showed, kept for 30 days.

use citadel_domain::{BridgeTokenId, ScreenId};
use jiff::Timestamp;

use crate::{Error, Tenant, Tx, value::params};

/// Of one token at the most, so that a page that tells without end fills no disk.
const MOST: i64 = 200;

/// A screen to be kept.
#[derive(Clone, Debug)]
pub struct NewScreen {
    pub id: ScreenId,
    pub tenant: Tenant,
    pub bridge_token_id: BridgeTokenId,
    pub name: &'static str,
    /// On the client's clock.
    pub at: Timestamp,
}

/// Keeps a screen, unless its token is gone or has shown very many.
pub async fn append(tx: &mut Tx<'_>, new: &NewScreen) -> Result<(), Error> {
    tx.execute(
        "insert into screens (client_id, environment, id, bridge_token_id, name, is_first, at)
         select $1, $2, $3, $4, $5, not exists (
                    select 1 from screens as s where s.client_id = $1 and s.bridge_token_id = $4 and s.name = $5), $6
           from bridge_tokens as t
          where t.client_id = $1 and t.environment = $2 and t.id = $4
            and (select count(*) from screens as s where s.client_id = $1 and s.bridge_token_id = $4) < $7",
        params![
            new.tenant.client_id,
            new.tenant.environment,
            new.id,
            new.bridge_token_id,
            new.name,
            new.at,
            MOST
        ],
    )
    .await
    .map(drop)
}
