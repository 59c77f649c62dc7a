//! The employers and payroll providers that come with the project, loaded into an empty store at the first start.
//!
//! The files are ours, so the reader is strict: a header, one row a line, and no quotes or commas inside a field. Lists
//! inside a field are parted by `|`.

/// A row of `companies.csv`.
#[derive(Clone, Debug)]
pub struct CompanyRow {
    /// 32 lowercase hex digits.
    pub id: String,
    pub name: String,
    pub domain: Option<String>,
    pub synonyms: Vec<String>,
    /// Ids of providers, best first.
    pub providers: Vec<String>,
    /// 1 to 100.
    pub popularity: u32,
}

/// A row of `providers.csv`.
#[derive(Clone, Debug)]
pub struct ProviderRow {
    /// A slug.
    pub id: String,
    pub name: String,
    pub domain: Option<String>,
    /// Words of the wire: `employment`, `income` and so on.
    pub products: Vec<String>,
    pub data_sources: Vec<String>,
    /// 1 to 100.
    pub popularity: u32,
}

const COMPANIES: &str = include_str!("../../data/companies.csv");
const PROVIDERS: &str = include_str!("../../data/providers.csv");

/// The employers, best known first.
pub fn companies() -> Vec<CompanyRow> {
    let row = |[id, name, domain, synonyms, providers, popularity]: [&str; 6]| CompanyRow {
        id: id.to_owned(),
        name: name.to_owned(),
        domain: optional(domain),
        synonyms: list(synonyms),
        providers: list(providers),
        popularity: number(popularity),
    };
    rows(COMPANIES, "id,name,domain,synonyms,providers,popularity").map(row).collect()
}

/// The payroll providers, best known first.
pub fn providers() -> Vec<ProviderRow> {
    let row = |[id, name, domain, products, data_sources, popularity]: [&str; 6]| ProviderRow {
        id: id.to_owned(),
        name: name.to_owned(),
        domain: optional(domain),
        products: list(products),
        data_sources: list(data_sources),
        popularity: number(popularity),
    };
    rows(PROVIDERS, "id,name,domain,products,data_sources,popularity").map(row).collect()
}

fn rows<const N: usize>(file: &'static str, header: &str) -> impl Iterator<Item = [&'static str; N]> {
    let mut lines = file.lines();
    assert_eq!(lines.next(), Some(header), "the columns of a built-in file are tested");
    lines.map(|line| {
        let fields: Vec<_> = line.split(',').collect();
        fields.try_into().expect("every row of a built-in file has all columns; a test reads them all")
    })
}

fn optional(field: &str) -> Option<String> {
    (!field.is_empty()).then(|| field.to_owned())
}

fn list(field: &str) -> Vec<String> {
    field.split('|').filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn number(field: &str) -> u32 {
    field.parse().expect("popularity in a built-in file is a whole number; a test reads them all")
}
