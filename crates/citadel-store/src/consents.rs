//! Receipts of what people agreed to, one per sign-in (P20). They hold no payroll data and outlive their links: they are kept
//! for three years past the last consent.

use aws_lc_rs::digest;
use citadel_domain::{ConsentId, LinkId, Product};
use jiff::Timestamp;

use crate::{Error, Row, Tenant, Tx, value::params, words};

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
        "insert into consents (client_id, id, environment, link_id, text_hash, products, given_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            tenant.client_id,
            consent.id,
            tenant.environment,
            consent.link_id,
            consent.text_hash,
            words::join_products(&consent.products),
            consent.given_at,
            consent.expires_at,
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

/// The receipts of a link, the newest first.
pub async fn list_for_link(tx: &mut Tx<'_>, tenant: Tenant, link_id: LinkId) -> Result<Vec<Consent>, Error> {
    tx.fetch_all(
        "select id, client_id, environment, link_id, text_hash, products, given_at, expires_at from consents
          where client_id = $1 and environment = $2 and link_id = $3 order by given_at desc, id desc",
        params![tenant.client_id, tenant.environment, link_id],
        read,
    )
    .await
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
    })
}
