//! Companies: the employers that people search for. The same for every client; they change with the data file.

use citadel_domain::CompanyId;

use crate::{
    Error, Tx,
    providers::{self, Provider},
    settings,
    value::params,
    words,
};

/// The setting that names the data that was loaded last.
const DIRECTORY_VERSION: &str = "directory_version";

/// An employer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    pub id: CompanyId,
    pub name: String,
    pub domain: Option<String>,
    /// Other names that people type.
    pub synonyms: Vec<String>,
    /// Ids of the providers that pay its people, best first.
    pub providers: Vec<String>,
    pub popularity: u32,
}

/// Whether this version of the data file is loaded.
pub async fn is_seeded(tx: &mut Tx<'_>, version: &str) -> Result<bool, Error> {
    Ok(settings::get(tx, DIRECTORY_VERSION).await?.as_deref() == Some(version))
}

/// Loads the data file, unless this version of it is loaded. `true` when it was loaded now.
pub async fn seed(
    tx: &mut Tx<'_>,
    version: &str,
    companies: &[Company],
    providers: &[Provider],
) -> Result<bool, Error> {
    if is_seeded(tx, version).await? {
        return Ok(false);
    }
    for provider in providers {
        providers::put(tx, provider).await?;
    }
    for company in companies {
        put(tx, company).await?;
    }
    settings::put(tx, DIRECTORY_VERSION, version).await?;
    Ok(true)
}

async fn put(tx: &mut Tx<'_>, company: &Company) -> Result<(), Error> {
    tx.execute(
        "insert into companies (id, name, domain, synonyms, providers, popularity)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (id) do update
            set name = excluded.name, domain = excluded.domain, synonyms = excluded.synonyms,
                providers = excluded.providers, popularity = excluded.popularity",
        params![
            company.id,
            &company.name,
            company.domain.clone(),
            words::join_lines(&company.synonyms),
            words::join(&company.providers),
            i64::from(company.popularity),
        ],
    )
    .await
    .map(drop)
}

/// Every employer, best known first.
pub async fn list_companies(tx: &mut Tx<'_>) -> Result<Vec<Company>, Error> {
    let mut companies = tx
        .fetch_all("select id, name, domain, synonyms, providers, popularity from companies", &[], |row| {
            Ok(Company {
                id: row.get(0)?,
                name: row.get(1)?,
                domain: row.get(2)?,
                synonyms: words::split_lines(&row.get::<String>(3)?),
                providers: words::split(&row.get::<String>(4)?)?,
                popularity: u32::try_from(row.get::<i64>(5)?)
                    .map_err(|_| Error::Corrupt { what: "a popularity" })?,
            })
        })
        .await?;
    // Sorted here, because the databases do not agree on the order of texts.
    companies.sort_by(|a, b| b.popularity.cmp(&a.popularity).then_with(|| a.name.cmp(&b.name)));
    Ok(companies)
}
