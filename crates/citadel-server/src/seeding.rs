//! Employers and payroll providers that ship with the product, put into the store at the first start and whenever the
//! data has changed.

use citadel_store::{
    Db,
    companies::{self, Company},
    providers::Provider,
};

use crate::search::data;

/// Brings the store's directory up to date. `true` when it was not: a start with the same data reads no file, and writes
/// nothing.
pub async fn seed(db: &Db) -> Result<bool, citadel_store::Error> {
    if db.read(async |tx| companies::is_seeded(tx, &data::version()).await).await? {
        return Ok(false);
    }
    let companies: Vec<Company> = data::companies()
        .into_iter()
        .map(|company| Company {
            id: company.id.parse().expect("a test checks that every id of the data file is an id"),
            name: company.name,
            domain: company.domain,
            synonyms: company.synonyms,
            providers: company.providers,
            popularity: company.popularity,
        })
        .collect();
    let providers: Vec<Provider> = data::providers()
        .into_iter()
        .map(|provider| Provider {
            id: provider.id,
            name: provider.name,
            domain: provider.domain,
            products: provider.products.iter().filter_map(|word| word.parse().ok()).collect(),
            data_sources: provider.data_sources,
            popularity: provider.popularity,
        })
        .collect();
    db.write(async move |tx| companies::seed(tx, &data::version(), &companies, &providers).await).await
}
