//! Fills a store with copies of one link that a real flow made, through the store's own transactions.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail};
use citadel_domain::{Clock, Environment, LinkId, tokens};
use citadel_server::{
    purposes,
    system::{SystemClock, SystemRandom},
};
use citadel_store::{Db, DbConfig, Dialect, Keyring, Place, Tenant, Tx, Value, links, links::Link, reports};

use crate::{
    load,
    server::{Home, Keys},
};

/// Copies that go into one transaction.
const STEP: u64 = 50_000;
/// Bytes on disk per copy of [`rows`], with what is written beside the store meanwhile.
pub(crate) const BYTES_PER_COPY: u64 = 3 << 10;

/// One statement per table that a link has rows in: `$1` to `$2` are the numbers of the copies, `$3` is the link that is
/// copied, `$4` its client.
/// Ids count up from zero, as ids in order of time do, and come before every real one. What is found by a hash gets a
/// random one. Nobody reads a copy, so its report and its event are short.
macro_rules! copies {
    ($numbers:literal, $id:literal, $hash:literal, $report:literal) => {
        [
            concat!(
                "insert into bridge_tokens (client_id, id, environment, access_key_id, token_hash, product,
                     allowed_products, client_name, tracking_info, company_mapping_id, provider_id, data_sources,
                     link_count, sign_in_count, created_at, expires_at)
                 select t.client_id, ", $id, ", t.environment, t.access_key_id, ", $hash, ", t.product,
                     t.allowed_products, t.client_name, t.tracking_info, t.company_mapping_id, t.provider_id,
                     t.data_sources, t.link_count, t.sign_in_count, t.created_at, t.expires_at
                   from ", $numbers, " cross join bridge_tokens t
                  where t.client_id = $4 and t.id = (select bridge_token_id from links where client_id = $4 and id = $3)"
            ),
            concat!(
                "insert into links (client_id, id, environment, bridge_token_id, provider_id, company_mapping_id,
                     tracking_info, product, allowed_products, status, access_token_hash, access_token_sealed,
                     person_hash, data_key_wrapped, created_at, updated_at)
                 select t.client_id, ", $id, ", t.environment, ", $id, ", t.provider_id, t.company_mapping_id,
                     t.tracking_info, t.product, t.allowed_products, t.status, ", $hash, ", t.access_token_sealed,
                     t.person_hash, t.data_key_wrapped, t.created_at, t.updated_at
                   from ", $numbers, " cross join links t where t.client_id = $4 and t.id = $3"
            ),
            concat!(
                "insert into tasks (client_id, id, environment, link_id, bridge_token_id, access_key_id, product, kind,
                     status, created_at, updated_at, finished_at)
                 select t.client_id, ", $id, ", t.environment, ", $id, ", ", $id, ", t.access_key_id, t.product,
                     t.kind, t.status, t.created_at, t.updated_at, t.finished_at
                   from ", $numbers, " cross join tasks t where t.client_id = $4 and t.link_id = $3"
            ),
            concat!(
                "insert into public_tokens (client_id, id, environment, link_id, task_id, token_hash, created_at,
                     expires_at, spent_at)
                 select t.client_id, ", $id, ", t.environment, ", $id, ", ", $id, ", ", $hash, ", t.created_at,
                     t.expires_at, t.spent_at
                   from ", $numbers, " cross join public_tokens t
                  where t.client_id = $4 and t.task_id = (select id from tasks where client_id = $4 and link_id = $3)"
            ),
            concat!(
                "insert into reports (client_id, link_id, kind, environment, body_sealed, updated_at)
                 select t.client_id, ", $id, ", t.kind, t.environment, ", $report, ", t.updated_at
                   from ", $numbers, " cross join reports t where t.client_id = $4 and t.link_id = $3 and t.kind = 'income'"
            ),
            concat!(
                "insert into webhook_events (client_id, id, environment, link_id, task_id, event_type, body, created_at,
                     task_sequence, sequence)
                 select t.client_id, ", $id, ", t.environment, ", $id, ", ", $id, ", t.event_type, '{}', t.created_at,
                     t.task_sequence, -n.i
                   from ", $numbers, " cross join webhook_events t
                  where t.client_id = $4 and t.environment = 'sandbox' and t.link_id = $3 and t.sequence = 1"
            ),
        ]
    };
}

const ON_SQLITE: [&str; 6] = copies!(
    "(with recursive n(i) as (select $1 union all select i + 1 from n where i < $2) select i from n) n",
    "unhex(printf('%032x', n.i))",
    "randomblob(32)",
    "zeroblob(200)"
);
const ON_POSTGRES: [&str; 6] = copies!(
    "generate_series(cast($1 as bigint), cast($2 as bigint)) n(i)",
    "cast(lpad(to_hex(n.i), 32, '0') as uuid)",
    "sha256(convert_to('copy' || n.i, 'UTF8'))",
    "decode(repeat('00', 200), 'hex')"
);

/// Indexes of hashes: built at the end, because random places in a growing index are what a fill would wait for.
const DROP: &str =
    "drop index bridge_tokens_by_hash; drop index links_by_access_token; drop index public_tokens_by_hash";
const MAKE: [&str; 3] = [
    "create unique index bridge_tokens_by_hash on bridge_tokens (token_hash)",
    "create unique index links_by_access_token on links (access_token_hash)",
    "create unique index public_tokens_by_hash on public_tokens (token_hash)",
];

/// Adds copies of a link until there are about `count`. They take their room in every index, and nobody can read them.
pub(crate) async fn rows(
    db: &Db,
    tenant: Tenant,
    link: LinkId,
    count: u64,
    mut seen: impl FnMut(u64),
) -> anyhow::Result<()> {
    for sql in DROP.split("; ") {
        db.write(async move |tx| tx.execute(sql, &[]).await).await?;
    }
    let mut first = 1;
    while first <= count {
        let last = count.min(first + STEP - 1);
        let numbers = [i64::try_from(first)?, i64::try_from(last)?];
        db.write(async move |tx| {
            let statements = match tx.dialect() {
                Dialect::Sqlite => ON_SQLITE,
                Dialect::Postgres => ON_POSTGRES,
            };
            for sql in statements {
                tx.execute(
                    sql,
                    &[Value::Int(numbers[0]), Value::Int(numbers[1]), link.into(), tenant.client_id.into()],
                )
                .await?;
            }
            Ok::<_, citadel_store::Error>(())
        })
        .await?;
        seen(last);
        first = last + 1;
    }
    for sql in MAKE {
        db.write(async move |tx| tx.execute(sql, &[]).await).await?;
    }
    Ok(db.checkpoint().await?)
}

/// The database of a server that stands still.
pub(crate) fn open(home: &Home) -> anyhow::Result<Db> {
    Ok(Db::open(&DbConfig::Sqlite { path: home.data_dir().join("citadel.db") })?)
}

/// The keys of a server whose home this is.
pub(crate) fn keyring(home: &Home) -> anyhow::Result<Arc<Keyring>> {
    let file = home.data_dir().join("root.key");
    let text =
        std::fs::read_to_string(&file).with_context(|| format!("no root key at {}", file.display()))?;
    let digits = text.trim().trim_start_matches("development-");
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair)?, 16)?;
    }
    Ok(Arc::new(Keyring::open(&key, Arc::new(SystemRandom))?))
}

/// Adds copies of the link that `access_token` opens, each sealed for its own place under its own key, with an access token of
/// its own. Answers those tokens.
pub(crate) fn readable(
    home: &Home,
    keys: &Keys,
    access_token: &str,
    count: usize,
) -> anyhow::Result<Vec<String>> {
    let (db, keyring, tenant) = (open(home)?, keyring(home)?, tenant(keys)?);
    let hash = keyring.keyed_hash(purposes::ACCESS_TOKEN, access_token);
    load::block_on_for(Duration::from_millis(count as u64), async {
        let found = db
            .read(async move |tx| {
                let Some(link) = links::find_by_access_token(tx, tenant, &hash).await? else {
                    return Ok(None);
                };
                let report = reports::find(tx, tenant, link.id, "income").await?;
                Ok::<_, citadel_store::Error>(report.map(|report| (link, report)))
            })
            .await?;
        let Some((link, report)) = found else { bail!("the link to copy has no report") };
        let key =
            keyring.unwrap_data_key(&place(&link, "links", "data_key_wrapped"), &link.data_key_wrapped)?;
        let body = Arc::new(key.open(&place(&link, "reports", "income"), &report.body_sealed)?);
        let (link, mut tokens) = (Arc::new(link), Vec::with_capacity(count));
        while tokens.len() < count {
            let (keyring, link, body) = (Arc::clone(&keyring), Arc::clone(&link), Arc::clone(&body));
            let some = 100.min(count - tokens.len());
            let made = db
                .write(async move |tx| {
                    let mut made = Vec::with_capacity(some);
                    for _ in 0..some {
                        let now = SystemClock.now();
                        let copy = Link { id: LinkId::generate(now, &SystemRandom), ..(*link).clone() };
                        let (key, wrapped) =
                            keyring.new_data_key(&place(&copy, "links", "data_key_wrapped"))?;
                        let token = tokens::generate_token(&SystemRandom);
                        let hash = keyring.keyed_hash(purposes::ACCESS_TOKEN, token.expose());
                        let sealed = key
                            .seal(&place(&copy, "links", "access_token_sealed"), token.expose().as_bytes())?;
                        copy_link(tx, &link, &copy, &hash, sealed, wrapped).await?;
                        let report = key.seal(&place(&copy, "reports", "income"), &body)?;
                        reports::put(tx, copy.tenant, copy.id, "income", &report, now).await?;
                        made.push(token.expose().to_owned());
                    }
                    Ok::<_, citadel_store::Error>(made)
                })
                .await?;
            tokens.extend(made);
        }
        db.checkpoint().await?;
        Ok(tokens)
    })
}

fn place(link: &Link, table: &'static str, column: &'static str) -> Place {
    Place::new(link.tenant, table, column, *link.id.as_bytes())
}

/// The rows of a link and its task.
async fn copy_link(
    tx: &mut Tx<'_>,
    link: &Link,
    copy: &Link,
    access_token_hash: &[u8; 32],
    access_token_sealed: Vec<u8>,
    data_key_wrapped: Vec<u8>,
) -> Result<(), citadel_store::Error> {
    tx.execute(
        "insert into links (client_id, id, environment, bridge_token_id, provider_id, company_mapping_id, tracking_info,
             product, allowed_products, status, access_token_hash, access_token_sealed, data_key_wrapped, created_at,
             updated_at)
         select client_id, $2, environment, bridge_token_id, provider_id, company_mapping_id, tracking_info, product,
             allowed_products, status, $3, $4, $5, created_at, updated_at
           from links where client_id = $6 and id = $1",
        &[
            link.id.into(),
            copy.id.into(),
            access_token_hash.into(),
            access_token_sealed.into(),
            data_key_wrapped.into(),
            link.tenant.client_id.into(),
        ],
    )
    .await?;
    tx.execute(
        "insert into tasks (client_id, id, environment, link_id, bridge_token_id, access_key_id, product, kind, status,
             created_at, updated_at, finished_at)
         select client_id, $2, environment, $2, bridge_token_id, access_key_id, product, kind, status, created_at,
             updated_at, finished_at
           from tasks where client_id = $3 and link_id = $1 and kind <> 'refresh'",
        &[link.id.into(), copy.id.into(), link.tenant.client_id.into()],
    )
    .await
    .map(drop)
}

/// The sandbox side of a client.
pub(crate) fn tenant(keys: &Keys) -> anyhow::Result<Tenant> {
    let client_id = keys.client_id.parse().map_err(|_| anyhow::anyhow!("a client without a readable id"))?;
    Ok(Tenant { client_id, environment: Environment::Sandbox })
}
