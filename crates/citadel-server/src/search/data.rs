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

/// Tells one state of the two files from another, so that a store knows whether it has these rows.
pub fn version() -> String {
    format!("{:08x}{:08x}", crc32fast::hash(COMPANIES.as_bytes()), crc32fast::hash(PROVIDERS.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use citadel_domain::{CompanyId, Product};

    use super::*;

    fn is_clean(text: &str) -> bool {
        !text.is_empty()
            && text.trim() == text
            && !text.contains(['"', ',', '|', '\\'])
            && !text.chars().any(char::is_control)
    }

    fn is_domain(text: &str) -> bool {
        text.contains('.')
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte))
    }

    #[test]
    fn files_keep_the_format() {
        for file in [COMPANIES, PROVIDERS] {
            assert!(
                file.ends_with('\n') && !file.contains('\r') && !file.contains("\n\n") && !file.contains('"')
            );
        }
        for header in
            ["Facebook Demo,facebook.com,Facebook|FB,", "\n1144a24f67cf7dbcb37340550cca5d39,Walmart,"]
        {
            assert!(COMPANIES.contains(header), "ids are stable: links refer to them");
        }
    }

    #[test]
    fn employers_are_sound() {
        let companies = companies();
        let providers: HashMap<_, _> = providers().into_iter().map(|row| (row.id, row.products)).collect();
        assert!(companies.len() >= 300, "{}", companies.len());
        assert!(companies.is_sorted_by_key(|row| std::cmp::Reverse(row.popularity)));
        let (mut ids, mut names) = (HashSet::new(), HashSet::new());
        for row in &companies {
            let name = &row.name;
            assert!(row.id.parse::<CompanyId>().is_ok(), "{name}: {}", row.id);
            assert!(ids.insert(row.id.clone()), "{name}: the id is taken");
            assert!(names.insert(name.to_lowercase()), "{name} is there twice");
            assert!(is_clean(name) && row.synonyms.iter().all(|synonym| is_clean(synonym)), "{name}");
            assert!(row.domain.as_deref().is_none_or(is_domain), "{name}: {:?}", row.domain);
            assert!((1..=100).contains(&row.popularity), "{name}");
            assert!((1..=3).contains(&row.providers.len()), "{name}");
            assert_eq!(row.providers.iter().collect::<HashSet<_>>().len(), row.providers.len(), "{name}");
            assert!(row.providers.iter().all(|id| providers.contains_key(id)), "{name}: {:?}", row.providers);
            // In the sandbox every product can be tried at every employer.
            let serves = |product: &str| {
                row.providers.iter().any(|id| providers[id].iter().any(|served| served == product))
            };
            assert!(
                Product::ALL.iter().all(|product| serves(product.as_str())),
                "{name}: {:?}",
                row.providers
            );
        }
        for name in
            ["Facebook Demo", "Meta", "Home Depot", "Google", "Walmart", "Amazon", "US Postal Service"]
        {
            assert!(names.contains(&name.to_lowercase()), "{name}");
        }
    }

    #[test]
    fn providers_are_sound() {
        let providers = providers();
        assert!(providers.len() >= 40, "{}", providers.len());
        assert!(providers.is_sorted_by_key(|row| std::cmp::Reverse(row.popularity)));
        let (mut ids, mut names) = (HashSet::new(), HashSet::new());
        for row in &providers {
            let id = &row.id;
            assert!(
                !id.is_empty()
                    && id
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            );
            assert!(ids.insert(id.clone()) && names.insert(row.name.to_lowercase()), "{id} is there twice");
            assert!(is_clean(&row.name) && row.domain.as_deref().is_some_and(is_domain), "{id}");
            assert!((1..=100).contains(&row.popularity), "{id}");
            assert_eq!(row.data_sources, ["payroll"], "{id}");
            let known = |product: &String| Product::ALL.iter().any(|known| known.as_str() == product);
            assert!(row.products.iter().all(known), "{id}: {:?}", row.products);
            assert!(row.products.starts_with(&["employment".to_owned(), "income".to_owned()]), "{id}");
        }
        let name = |id| providers.iter().find(|row| row.id == id).map(|row| row.name.as_str());
        assert_eq!(name("truv"), Some("Truv payroll provider"));
        assert_eq!(name("adp"), Some("ADP"));
        assert_eq!(name("bamboohr"), Some("Bamboo HR"));
    }
}
