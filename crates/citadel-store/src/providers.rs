//! Providers: the payroll systems that people sign in at. The same for every client; they change with the data file.

use citadel_domain::Product;

use crate::{Error, Tx, value::params, words};

/// A provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    pub id: String,
    pub name: String,
    pub domain: Option<String>,
    pub products: Vec<Product>,
    pub data_sources: Vec<String>,
    pub popularity: u32,
}

/// Keeps a provider, in place of the one with the same id.
pub(crate) async fn put(tx: &mut Tx<'_>, provider: &Provider) -> Result<(), Error> {
    tx.execute(
        "insert into providers (id, name, domain, products, data_sources, popularity)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (id) do update
            set name = excluded.name, domain = excluded.domain, products = excluded.products,
                data_sources = excluded.data_sources, popularity = excluded.popularity",
        params![
            &provider.id,
            &provider.name,
            provider.domain.clone(),
            words::join_products(&provider.products),
            words::join(&provider.data_sources),
            i64::from(provider.popularity),
        ],
    )
    .await
    .map(drop)
}

/// Every provider, best known first.
pub async fn list_providers(tx: &mut Tx<'_>) -> Result<Vec<Provider>, Error> {
    let mut providers = tx
        .fetch_all("select id, name, domain, products, data_sources, popularity from providers", &[], |row| {
            Ok(Provider {
                id: row.get(0)?,
                name: row.get(1)?,
                domain: row.get(2)?,
                products: words::split(&row.get::<String>(3)?)?,
                data_sources: words::split(&row.get::<String>(4)?)?,
                popularity: u32::try_from(row.get::<i64>(5)?)
                    .map_err(|_| Error::Corrupt { what: "a popularity" })?,
            })
        })
        .await?;
    // Sorted here, because the databases do not agree on the order of texts.
    providers.sort_by(|a, b| b.popularity.cmp(&a.popularity).then_with(|| a.name.cmp(&b.name)));
    Ok(providers)
}
