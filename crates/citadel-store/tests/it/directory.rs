use citadel_domain::{CompanyId, Product};
use citadel_store::{
    companies::{self, Company},
    providers::{self, Provider},
};

use crate::{fixtures::Done, harness::for_each_db};

fn company(id: u8, name: &str, popularity: u32) -> Company {
    Company {
        id: CompanyId::from_bytes([id; 16]),
        name: name.to_owned(),
        domain: Some(format!("{}.example", name.to_lowercase())),
        synonyms: vec![format!("The {name} Company"), name.to_uppercase()],
        providers: vec!["paywell".to_owned(), "ledgerline".to_owned()],
        popularity,
    }
}

fn provider(id: &str, popularity: u32) -> Provider {
    Provider {
        id: id.to_owned(),
        name: id.to_uppercase(),
        domain: None,
        products: vec![Product::Income, Product::DepositSwitch],
        data_sources: vec!["payroll".to_owned()],
        popularity,
    }
}

#[tokio::test]
async fn the_directory_is_loaded_once_per_version() {
    for_each_db("directory", async |store| {
        store
            .db
            .write(async |tx| {
                let list = [company(1, "Harbor", 5), company(2, "alder", 9), company(3, "Birch", 9)];
                let known = [provider("paywell", 1), provider("ledgerline", 2)];
                assert!(!companies::is_seeded(tx, "1").await?);
                assert!(companies::seed(tx, "1", &list, &known).await?);
                assert!(companies::is_seeded(tx, "1").await? && !companies::is_seeded(tx, "2").await?);
                assert!(!companies::seed(tx, "1", &[company(4, "Never", 1)], &[]).await?);

                let found = companies::list_companies(tx).await?;
                let names: Vec<_> = found.iter().map(|company| company.name.as_str()).collect();
                assert_eq!(
                    names,
                    ["Birch", "alder", "Harbor"],
                    "popularity, then name, the same on both databases"
                );
                assert_eq!(found[2].synonyms, ["The Harbor Company", "HARBOR"]);
                assert_eq!(found[2].providers, ["paywell", "ledgerline"]);
                assert_eq!(found[2].domain.as_deref(), Some("harbor.example"));

                let found = providers::list_providers(tx).await?;
                assert_eq!(
                    found.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(),
                    ["ledgerline", "paywell"]
                );
                assert_eq!(found[0].products, [Product::Income, Product::DepositSwitch]);
                assert_eq!((found[0].domain.as_deref(), found[0].popularity), (None, 2));

                let mut renamed = company(1, "Harbor Foods", 10);
                renamed.domain = None;
                assert!(companies::seed(tx, "2", &[renamed], &[]).await?);
                let found = companies::list_companies(tx).await?;
                assert_eq!(
                    (found.len(), found[0].name.as_str(), &found[0].domain),
                    (3, "Harbor Foods", &None)
                );
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}
