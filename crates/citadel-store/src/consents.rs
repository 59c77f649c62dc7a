//! Receipts of what people agreed to, one per sign-in (P20). They hold no payroll data and outlive their links: they are kept
//! for three years past the last consent. And the ends of consents (P21).

use aws_lc_rs::digest;
use citadel_domain::{ClientId, ConsentId, LinkId, Product};
use jiff::Timestamp;

use crate::{
    Error, Row, Tenant, Tx,
    links::{self, Link},
    value::params,
    words,
};

/// What a person agreed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    pub id: ConsentId,
    pub tenant: Tenant,
    pub link_id: LinkId,
    /// Of the words that were shown.
    pub text_hash: [u8; 32],
    pub products: Vec<Product>,
    pub given_at: Timestamp,
    pub expires_at: Timestamp,
    /// Hash of the token in the address of the person's page.
    pub page_hash: Option<[u8; 32]>,
    /// Who asked, as it stood on the screen.
    pub client_name: Option<String>,
    /// What for.
    pub purpose: Option<Product>,
}

/// The hash of words that were shown, each behind its length.
pub fn text_hash(words: &[&str]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for text in words {
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    }
    context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Keeps a receipt. What it allows begins with the first task that succeeds under it: [`renew`].
pub async fn give(tx: &mut Tx<'_>, consent: &Consent) -> Result<(), Error> {
    let tenant = consent.tenant;
    tx.execute(
        "insert into consents (client_id, id, environment, link_id, text_hash, products, given_at, expires_at, page_hash,
                               client_name, purpose)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        params![
            tenant.client_id,
            consent.id,
            tenant.environment,
            consent.link_id,
            consent.text_hash,
            words::join_products(&consent.products),
            consent.given_at,
            consent.expires_at,
            consent.page_hash,
            consent.client_name.as_ref(),
            consent.purpose,
        ],
    )
    .await
    .map(drop)
}

/// The person has signed in: the link may be read as long as the newest receipt says.
pub async fn renew(tx: &mut Tx<'_>, tenant: Tenant, link_id: LinkId) -> Result<(), Error> {
    tx.execute(
        "update links set consent_ended_at = null, consent_expires_at = (
             select coalesce(max(c.expires_at), links.consent_expires_at) from consents as c
              where c.client_id = links.client_id and c.link_id = links.id)
          where client_id = $1 and environment = $2 and id = $3 and deleted_at is null",
        params![tenant.client_id, tenant.environment, link_id],
    )
    .await
    .map(drop)
}

/// What [`read`] reads, in its order.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "select id, client_id, environment, link_id, text_hash, products, given_at, expires_at, page_hash, client_name,
                    purpose
               from consents where ",
            $condition
        )
    };
}

/// The receipt whose page this is. The hash is the proof, and tells the client.
pub async fn find_by_page(tx: &mut Tx<'_>, page_hash: &[u8; 32]) -> Result<Option<Consent>, Error> {
    tx.fetch_optional(select!("page_hash = $1"), params![page_hash], read).await
}

/// The receipts of a link, the newest first.
pub async fn list_for_link(tx: &mut Tx<'_>, tenant: Tenant, link_id: LinkId) -> Result<Vec<Consent>, Error> {
    tx.fetch_all(
        select!("client_id = $1 and environment = $2 and link_id = $3 order by given_at desc, id desc"),
        params![tenant.client_id, tenant.environment, link_id],
        read,
    )
    .await
}

/// Links whose consent has ended, outside sandboxes with clocks of their own.
pub async fn list_consent_ended(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<Vec<Link>, Error> {
    tx.fetch_all(
        concat!(
            "select ",
            links::columns!(),
            " from links
              where consent_expires_at <= $1 and consent_ended_at is null and deleted_at is null
                and (environment <> 'sandbox' or client_id not in (
                    select client_id from sandboxes where clock_ahead <> 0 or standing_at is not null))
              order by consent_expires_at limit $2"
        ),
        params![now, limit],
        links::read,
    )
    .await
}

/// The same in one client's sandbox, by its own clock.
pub async fn list_sandbox_consent_ended(
    tx: &mut Tx<'_>,
    client_id: ClientId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Link>, Error> {
    tx.fetch_all(
        concat!(
            "select ",
            links::columns!(),
            " from links
              where client_id = $1 and environment = 'sandbox' and consent_expires_at <= $2 and consent_ended_at is null
                and deleted_at is null
              order by consent_expires_at limit $3"
        ),
        params![client_id, now, limit],
        links::read,
    )
    .await
}

/// Ends what the person allowed: tasks stop, nothing can be read or refreshed, and what would sign in again goes (P21). The data
/// stays sealed for a while, for a new sign-in of the same person. `false` when it has ended already.
pub async fn end_consent(tx: &mut Tx<'_>, tenant: Tenant, id: LinkId, now: Timestamp) -> Result<bool, Error> {
    // As in [`links::erase`]: jobs first.
    tx.execute(links::JOBS, params![tenant.client_id, tenant.environment, id]).await?;
    let ended = tx
        .execute(
            "update links set consent_ended_at = $4, grant_sealed = null
              where client_id = $1 and environment = $2 and id = $3
                and consent_ended_at is null and consent_expires_at <= $4 and deleted_at is null",
            params![tenant.client_id, tenant.environment, id, now],
        )
        .await?;
    if ended == 0 {
        return Ok(false);
    }
    for statement in [
        links::JOBS,
        "delete from logins where client_id = $1 and environment = $2 and task_id in (
             select id from tasks where client_id = $1 and link_id = $3)",
    ] {
        tx.execute(statement, params![tenant.client_id, tenant.environment, id]).await?;
    }
    for statement in [
        "update public_tokens set revoked_at = $4
          where client_id = $1 and environment = $2 and link_id = $3 and spent_at is null and revoked_at is null",
        "update tasks set status = 'error', step = null, finished_at = $4, updated_at = $4
          where client_id = $1 and environment = $2 and link_id = $3 and finished_at is null",
    ] {
        tx.execute(statement, params![tenant.client_id, tenant.environment, id, now]).await?;
    }
    Ok(true)
}

/// The person takes back what they allowed: as [`end_consent`], before its time. `false` when it has ended already.
pub async fn revoke(tx: &mut Tx<'_>, tenant: Tenant, id: LinkId, now: Timestamp) -> Result<bool, Error> {
    tx.execute(links::JOBS, params![tenant.client_id, tenant.environment, id]).await?;
    tx.execute(
        "update links set consent_expires_at = $4
          where client_id = $1 and environment = $2 and id = $3
            and consent_ended_at is null and consent_expires_at > $4 and deleted_at is null",
        params![tenant.client_id, tenant.environment, id, now],
    )
    .await?;
    end_consent(tx, tenant, id, now).await
}

fn read(row: &Row<'_>) -> Result<Consent, Error> {
    Ok(Consent {
        id: row.get(0)?,
        tenant: Tenant { client_id: row.get(1)?, environment: row.get(2)? },
        link_id: row.get(3)?,
        text_hash: row.get(4)?,
        products: words::split(&row.get::<String>(5)?)?,
        given_at: row.get(6)?,
        expires_at: row.get(7)?,
        page_hash: row.get(8)?,
        client_name: row.get(9)?,
        purpose: row.get(10)?,
    })
}
