//! Links: a consumer's consented connection to one provider. A deleted link is never found.

use citadel_domain::{BridgeTokenId, ClientId, CompanyId, LinkId, Product, TaskStatus, UserId};
use jiff::Timestamp;

use crate::{
    Error, Row, Tenant, Tx,
    bridge_tokens::BridgeToken,
    deletions::{self, Deleted, Deletion, Stamp},
    orders::{Stretch, in_stretch},
    value::params,
    words,
};

/// A link to be made.
#[derive(Clone, Debug)]
pub struct NewLink {
    pub id: LinkId,
    pub tenant: Tenant,
    pub bridge_token_id: BridgeTokenId,
    pub provider_id: String,
    pub company_mapping_id: Option<CompanyId>,
    pub tracking_info: Option<String>,
    pub product: Product,
    pub allowed_products: Vec<Product>,
    pub data_key_wrapped: Vec<u8>,
    /// The person for whom its token was made.
    pub user_id: Option<UserId>,
    pub created_at: Timestamp,
    /// Until when the person allows it to be read.
    pub consent_expires_at: Timestamp,
}

/// A link.
#[derive(Clone, Debug)]
pub struct Link {
    pub id: LinkId,
    pub tenant: Tenant,
    pub bridge_token_id: BridgeTokenId,
    pub provider_id: String,
    pub company_mapping_id: Option<CompanyId>,
    pub tracking_info: Option<String>,
    pub product: Product,
    pub allowed_products: Vec<Product>,
    /// Of the newest task.
    pub status: TaskStatus,
    /// Set by the first exchange of a public token.
    pub access_token_sealed: Option<Vec<u8>>,
    /// What a refresh signs in with. `None` before the first success, and after the provider took it back.
    pub grant_sealed: Option<Vec<u8>>,
    pub data_key_wrapped: Vec<u8>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
    pub user_id: Option<UserId>,
    /// Whose link it is, from the first sign-in that succeeded: the same for the same person at the same provider.
    pub person_hash: Option<[u8; 32]>,
    /// Until when the person allows it to be read.
    pub consent_expires_at: Timestamp,
    /// When it was seen that this has ended: nothing is read any more.
    pub consent_ended_at: Option<Timestamp>,
    /// Since when the person says that what it knows is wrong (P24).
    pub disputed_at: Option<Timestamp>,
}

/// What [`read`] reads, in its order.
macro_rules! columns {
    () => {
        "id, client_id, environment, bridge_token_id, provider_id, company_mapping_id, tracking_info, product, \
         allowed_products, status, access_token_sealed, data_key_wrapped, created_at, updated_at, deleted_at, \
         grant_sealed, user_id, person_hash, consent_expires_at, \
         consent_ended_at, disputed_at"
    };
}
pub(crate) use columns;

/// Makes a link.
pub async fn create(tx: &mut Tx<'_>, new: &NewLink) -> Result<Link, Error> {
    tx.fetch_one(
        concat!(
            "insert into links (
             client_id, id, environment, bridge_token_id, provider_id, company_mapping_id, tracking_info,
             product, allowed_products, status, data_key_wrapped, created_at, updated_at, user_id,
             consent_expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14)
         returning ",
            columns!()
        ),
        params![
            new.tenant.client_id,
            new.id,
            new.tenant.environment,
            new.bridge_token_id,
            &new.provider_id,
            new.company_mapping_id,
            new.tracking_info.clone(),
            new.product,
            words::join_products(&new.allowed_products),
            TaskStatus::New,
            &new.data_key_wrapped,
            new.created_at,
            new.user_id,
            new.consent_expires_at,
        ],
        read,
    )
    .await
}

/// The link with this id.
pub async fn find(tx: &mut Tx<'_>, tenant: Tenant, id: LinkId) -> Result<Option<Link>, Error> {
    tx.fetch_optional(
        concat!(
            "select ",
            columns!(),
            "
           from links
          where client_id = $1 and environment = $2 and id = $3 and deleted_at is null"
        ),
        params![tenant.client_id, tenant.environment, id],
        read,
    )
    .await
}

/// The links of the orders of a page.
pub async fn list_of_page(tx: &mut Tx<'_>, page: &Stretch) -> Result<Vec<Link>, Error> {
    tx.fetch_all(
        concat!(
            "select ",
            columns!(),
            "
           from links
          where client_id = $1 and environment = $2 and deleted_at is null and id in (
                select e.link_id from order_employers e where e.client_id = $1 and e.order_id in ",
            in_stretch!(),
            ")"
        ),
        &page.params(),
        read,
    )
    .await
}

/// The newest link of a bridge token for an employer at a provider whose tasks have all ended, none of them well, and
/// which belongs to nobody yet: a second try goes on with it.
pub async fn find_unfinished(
    tx: &mut Tx<'_>,
    token: &BridgeToken,
    provider_id: &str,
    company_mapping_id: Option<CompanyId>,
) -> Result<Option<Link>, Error> {
    tx.fetch_optional(
        concat!(
            "select ",
            columns!(),
            "
           from links
          where client_id = $1 and environment = $2 and bridge_token_id = $3 and provider_id = $4
            and company_mapping_id is not distinct from $5
            and person_hash is null and deleted_at is null
            and not exists (select 1 from tasks
                             where tasks.client_id = links.client_id and tasks.link_id = links.id
                               and (tasks.finished_at is null or tasks.status = 'done'))
          order by created_at desc, id desc
          limit 1"
        ),
        params![token.tenant.client_id, token.tenant.environment, token.id, provider_id, company_mapping_id],
        read,
    )
    .await
}

/// The link that an access token opens.
pub async fn find_by_access_token(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    access_token_hash: &[u8; 32],
) -> Result<Option<Link>, Error> {
    tx.fetch_optional(
        concat!(
            "select ",
            columns!(),
            "
           from links
          where client_id = $1 and environment = $2 and access_token_hash = $3
            and consent_ended_at is null and deleted_at is null"
        ),
        params![tenant.client_id, tenant.environment, access_token_hash],
        read,
    )
    .await
}

/// The same, also where the consent has ended: for the person to give it anew.
pub async fn find_to_repair(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    access_token_hash: &[u8; 32],
) -> Result<Option<Link>, Error> {
    tx.fetch_optional(
        concat!(
            "select ",
            columns!(),
            "
           from links
          where client_id = $1 and environment = $2 and access_token_hash = $3 and deleted_at is null"
        ),
        params![tenant.client_id, tenant.environment, access_token_hash],
        read,
    )
    .await
}

/// The link of a document address. It names no environment: the caller has checked the address's own proof, which only
/// we can make and which names this client and link.
pub async fn find_by_file_grant(
    tx: &mut Tx<'_>,
    client_id: ClientId,
    id: LinkId,
) -> Result<Option<Link>, Error> {
    tx.fetch_optional(
        concat!(
            "select ",
            columns!(),
            "
           from links
          where client_id = $1 and id = $2 and consent_ended_at is null and deleted_at is null"
        ),
        params![client_id, id],
        read,
    )
    .await
}

/// A part of the list, newest first; of one person, if one is asked for.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    user_id: Option<UserId>,
    limit: i64,
    offset: i64,
) -> Result<Vec<Link>, Error> {
    match user_id {
        Some(user_id) => {
            tx.fetch_all(
                concat!(
                    "select ",
                    columns!(),
                    " from links
                      where client_id = $1 and environment = $2 and user_id = $3 and deleted_at is null
                      order by created_at desc, id desc limit $4 offset $5"
                ),
                params![tenant.client_id, tenant.environment, user_id, limit, offset],
                read,
            )
            .await
        }
        None => {
            tx.fetch_all(
                concat!(
                    "select ",
                    columns!(),
                    " from links
                      where client_id = $1 and environment = $2 and deleted_at is null
                      order by id desc limit $3 offset $4"
                ),
                params![tenant.client_id, tenant.environment, limit, offset],
                read,
            )
            .await
        }
    }
}

/// How many there are in that list.
pub async fn count(tx: &mut Tx<'_>, tenant: Tenant, user_id: Option<UserId>) -> Result<i64, Error> {
    tx.fetch_one(
        "select cast(count(*) as bigint) from links
          where client_id = $1 and environment = $2 and deleted_at is null and ($3 = false or user_id = $4)",
        params![
            tenant.client_id,
            tenant.environment,
            user_id.is_some(),
            user_id.unwrap_or(UserId::from_bytes([0; 16]))
        ],
        |row| row.get(0),
    )
    .await
}

/// Ends the work of a link. Jobs have the ids of their tasks.
pub(crate) const JOBS: &str = "delete from jobs where id in (
     select id from tasks where client_id = $1 and environment = $2 and link_id = $3 and finished_at is null)";

/// Erases a link: its key goes, and with it all that lies under it; its tasks end; the ledger tells of it (P22). The row goes
/// later. `false` when there is no such link.
///
/// A worker that holds a job of the link finds it gone when it wants to write, and writes nothing.
pub async fn erase(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: LinkId,
    now: Timestamp,
    stamp: Stamp,
) -> Result<bool, Error> {
    // First the jobs, because a worker takes its job's row before that of the link; and once more below, for a task that began
    // while this one waited for the link.
    tx.execute(JOBS, params![tenant.client_id, tenant.environment, id]).await?;
    let erased = tx
        .execute(
            "update links set data_key_wrapped = $4, access_token_hash = null, access_token_sealed = null,
                              grant_sealed = null, person_hash = null, deleted_at = $5, updated_at = $5
              where client_id = $1 and environment = $2 and id = $3 and deleted_at is null",
            params![tenant.client_id, tenant.environment, id, &Vec::<u8>::new(), now],
        )
        .await?;
    for statement in [
        JOBS,
        "delete from logins where client_id = $1 and environment = $2 and task_id in (
             select id from tasks where client_id = $1 and link_id = $3)",
        "delete from reports where client_id = $1 and environment = $2 and link_id = $3",
        "delete from payroll_reports where client_id = $1 and environment = $2 and link_id = $3",
        "delete from changes where client_id = $1 and environment = $2 and link_id = $3",
        "delete from public_tokens where client_id = $1 and environment = $2 and link_id = $3",
        "delete from idempotency_keys where client_id = $1 and environment = $2 and link_id = $3",
        "delete from call_bodies where client_id = $1 and environment = $2 and call_id in (
             select id from calls where client_id = $1 and environment = $2 and link_id = $3)",
        // Reports about the person hold a copy of what the link knew, and so do answers about the person.
        "delete from idempotency_keys where client_id = $1 and environment = $2
            and user_id = (select user_id from links where client_id = $1 and id = $3)",
        "delete from user_reports where client_id = $1 and environment = $2
            and user_id = (select user_id from links where client_id = $1 and id = $3)",
        "update orders set voie_report_id = null where client_id = $1 and environment = $2
            and user_id = (select user_id from links where client_id = $1 and id = $3)",
    ] {
        tx.execute(statement, params![tenant.client_id, tenant.environment, id]).await?;
    }
    tx.execute(
        "update tasks set status = 'error', step = null, finished_at = $4, updated_at = $4
          where client_id = $1 and environment = $2 and link_id = $3 and finished_at is null",
        params![tenant.client_id, tenant.environment, id, now],
    )
    .await?;
    if erased == 1 {
        deletions::append(tx, &Deletion { stamp, deleted: Deleted::Link(tenant, id) }).await?;
    }
    Ok(erased == 1)
}

/// Ends the access token of a link. The next exchange makes another one.
pub async fn revoke_access_token(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: LinkId,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "update links set access_token_hash = null, access_token_sealed = null, updated_at = $4
          where client_id = $1 and environment = $2 and id = $3",
        params![tenant.client_id, tenant.environment, id, now],
    )
    .await
    .map(drop)
}

/// Says since when the person finds wrong what the link knows, or that they do no more. `false` when that is so already, or the
/// link is gone.
pub async fn set_disputed(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: LinkId,
    disputed_at: Option<Timestamp>,
) -> Result<bool, Error> {
    let changed = tx
        .execute(
            "update links set disputed_at = $4
              where client_id = $1 and environment = $2 and id = $3 and deleted_at is null
                and (disputed_at is null) <> (cast($4 as bigint) is null)",
            params![tenant.client_id, tenant.environment, id, disputed_at],
        )
        .await?;
    Ok(changed == 1)
}

/// Makes other transactions that lock or erase the link wait until this one ends. (SQLite has one writer at a time anyway.)
/// `false` when the link is gone: nothing may be made for it any more.
pub async fn lock(tx: &mut Tx<'_>, tenant: Tenant, id: LinkId) -> Result<bool, Error> {
    let locked = tx
        .execute(
            "update links set updated_at = updated_at
              where client_id = $1 and environment = $2 and id = $3 and deleted_at is null",
            params![tenant.client_id, tenant.environment, id],
        )
        .await?;
    Ok(locked == 1)
}

/// Gives the link its access token. `false` when it has one.
pub async fn set_access_token_if_absent(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: LinkId,
    access_token_hash: &[u8; 32],
    access_token_sealed: &[u8],
) -> Result<bool, Error> {
    let set = tx
        .execute(
            "update links set access_token_hash = $4, access_token_sealed = $5
              where client_id = $1 and environment = $2 and id = $3
                and access_token_hash is null and deleted_at is null",
            params![tenant.client_id, tenant.environment, id, access_token_hash, access_token_sealed],
        )
        .await?;
    Ok(set == 1)
}

/// Keeps what a refresh signs in with, in place of what was there; or forgets it.
pub async fn set_grant(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: LinkId,
    grant_sealed: Option<&[u8]>,
) -> Result<(), Error> {
    tx.execute(
        "update links set grant_sealed = $4
          where client_id = $1 and environment = $2 and id = $3 and deleted_at is null",
        params![tenant.client_id, tenant.environment, id, grant_sealed.map(<[u8]>::to_vec)],
    )
    .await
    .map(drop)
}

/// Says whose link it is. `false` when it is another person's: then nothing was changed.
pub async fn claim_person(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: LinkId,
    person_hash: &[u8; 32],
) -> Result<bool, Error> {
    let claimed = tx
        .execute(
            "update links set person_hash = $4
              where client_id = $1 and environment = $2 and id = $3
                and (person_hash is null or person_hash = $4) and deleted_at is null",
            params![tenant.client_id, tenant.environment, id, person_hash],
        )
        .await?;
    Ok(claimed == 1)
}

pub(crate) fn read(row: &Row<'_>) -> Result<Link, Error> {
    Ok(Link {
        id: row.get(0)?,
        tenant: Tenant { client_id: row.get(1)?, environment: row.get(2)? },
        bridge_token_id: row.get(3)?,
        provider_id: row.get(4)?,
        company_mapping_id: row.get(5)?,
        tracking_info: row.get(6)?,
        product: row.get(7)?,
        allowed_products: words::split(&row.get::<String>(8)?)?,
        status: row.get(9)?,
        access_token_sealed: row.get(10)?,
        data_key_wrapped: row.get(11)?,
        created_at: row.get(12)?,
        updated_at: row.get(13)?,
        deleted_at: row.get(14)?,
        grant_sealed: row.get(15)?,
        user_id: row.get(16)?,
        person_hash: row.get(17)?,
        consent_expires_at: row.get(18)?,
        consent_ended_at: row.get(19)?,
        disputed_at: row.get(20)?,
    })
}
