//! Employers and payroll providers, held in memory with their search index.
//!
//! The tables in the store are the truth; they change by migration or import, so one copy is read at the start.

use std::collections::HashMap;

use citadel_domain::{CompanyId, Product};
use citadel_store::{Db, companies, providers};

use crate::search::{self, CompanyIndex};

/// Employers among which one of a name is looked for.
const MOST_NAMESAKES: usize = 20;

/// An employer and the providers that pay its people, best first.
pub struct Company {
    pub(crate) id: CompanyId,
    pub(crate) name: String,
    pub(crate) domain: Option<String>,
    /// Short, former and other names.
    synonyms: Box<[String]>,
    /// Positions in [`Directory::providers`].
    pub(crate) providers: Vec<usize>,
}

/// A payroll provider.
pub struct Provider {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) domain: Option<String>,
    pub(crate) products: Vec<Product>,
}

/// Every employer and provider.
pub struct Directory {
    companies: Vec<Company>,
    providers: Vec<Provider>,
    company_positions: HashMap<CompanyId, usize>,
    index: CompanyIndex,
}

impl Directory {
    /// Reads both tables and builds the index.
    pub async fn load(db: &Db) -> Result<Self, citadel_store::Error> {
        let (rows, provider_rows) = db
            .read(async |tx| {
                let companies = companies::list_companies(tx).await?;
                let providers = providers::list_providers(tx).await?;
                Ok::<_, citadel_store::Error>((companies, providers))
            })
            .await?;
        let providers: Vec<_> = provider_rows
            .into_iter()
            .map(|row| Provider { id: row.id, name: row.name, domain: row.domain, products: row.products })
            .collect();
        let positions: HashMap<&str, usize> = providers
            .iter()
            .enumerate()
            .map(|(position, provider)| (provider.id.as_str(), position))
            .collect();
        let index = CompanyIndex::new(rows.iter().map(|row| search::CompanyRecord {
            id: row.id.to_string(),
            name: row.name.clone(),
            domain: row.domain.clone(),
            synonyms: row.synonyms.clone(),
            popularity: row.popularity,
        }));
        let companies: Vec<_> = rows
            .into_iter()
            .map(|row| Company {
                id: row.id,
                name: row.name,
                domain: row.domain,
                synonyms: row.synonyms.into_boxed_slice(),
                providers: row
                    .providers
                    .iter()
                    .filter_map(|id| positions.get(id.as_str()).copied())
                    .collect(),
            })
            .collect();
        let company_positions =
            companies.iter().enumerate().map(|(position, company)| (company.id, position)).collect();
        Ok(Self { companies, providers, company_positions, index })
    }

    /// The employer with this id.
    pub(crate) fn find_company(&self, id: CompanyId) -> Option<&Company> {
        self.companies.get(*self.company_positions.get(&id)?)
    }

    /// The employer with the id that this text may be.
    pub(crate) fn company(&self, id: &str) -> Option<&Company> {
        self.find_company(id.parse().ok()?)
    }

    /// The best known employer with this web domain, in lower case.
    pub(crate) fn company_of_domain(&self, domain: &str) -> Option<&Company> {
        self.companies.iter().find(|company| company.domain.as_deref() == Some(domain))
    }

    /// The provider with this id.
    pub(crate) fn provider(&self, id: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.id == id)
    }

    /// Providers whose name matches, best known first.
    pub(crate) fn providers<'a>(
        &'a self,
        query: &'a str,
        product: Option<Product>,
    ) -> impl Iterator<Item = &'a Provider> {
        self.providers.iter().filter(move |provider| {
            product.is_none_or(|product| provider.products.contains(&product))
                && search::matches_provider(
                    query,
                    &provider.name,
                    &provider.id,
                    provider.domain.as_deref().unwrap_or_default(),
                )
        })
    }

    /// The providers of an employer, best first.
    pub(crate) fn providers_of<'a>(&'a self, company: &'a Company) -> impl Iterator<Item = &'a Provider> {
        company.providers.iter().filter_map(|position| self.providers.get(*position))
    }

    /// Whether any provider of the employer serves the product.
    pub(crate) fn serves(&self, company: &Company, product: Product) -> bool {
        self.providers_of(company).any(|provider| provider.products.contains(&product))
    }

    /// Employers that match as one types, best first, each with how sure the match is (0 to 1).
    pub(crate) fn search(&self, query: &str, product: Option<Product>, limit: usize) -> Vec<(&Company, f64)> {
        // Employers that do not serve the product are rare, so a few spare hits are enough.
        let hits = self.index.search(query, limit * 2).into_iter();
        hits.filter_map(|hit| self.companies.get(hit.index).map(|company| (company, hit.confidence)))
            .filter(|(company, _)| product.is_none_or(|product| self.serves(company, product)))
            .take(limit)
            .collect()
    }

    /// The best known employer that is called so, in whatever spelling, and serves the product. Parts of names are not enough.
    pub(crate) fn company_named(&self, name: &str, product: Product) -> Option<&Company> {
        let words = search::bare_name(name);
        let is_it = |known: &String| search::bare_name(known).split(' ').eq(words.split(' '));
        let hits = self.search(&words, Some(product), MOST_NAMESAKES).into_iter();
        hits.map(|(company, _)| company)
            .find(|company| std::iter::once(&company.name).chain(&company.synonyms).any(is_it))
    }
}
