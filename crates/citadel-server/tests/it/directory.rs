use axum::http::StatusCode;

use crate::support::for_each_db;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn employers_are_found_as_one_types() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let first = async |path: &str, query: &str| {
            let list = client.get(&format!("{path}?query={query}")).await.json();
            // By design a bare list (R2).
            list.as_array()
                .unwrap()
                .first()
                .map_or(String::new(), |hit| hit["name"].as_str().unwrap().to_owned())
        };
        for path in [
            "/v1/company-mappings-search/",
            "/v1/company-mappings-search",
            "/v1/companies-autocomplete-search/",
        ] {
            assert_eq!(first(path, "Facebook").await, "Facebook Demo");
            assert_eq!(first(path, "home%20dep").await, "Home Depot");
            assert_eq!(first(path, "walmrat").await, "Walmart");
            assert_eq!(first(path, "zzzzqqqq").await, "");
        }
        for bad in ["/v1/company-mappings-search/", "/v1/company-mappings-search/?query="] {
            let reply = client.get(bad).await;
            assert_eq!(
                (reply.status, reply.invalid_fields()),
                (StatusCode::BAD_REQUEST, vec!["query".to_owned()])
            );
        }
        let reply = client.get("/v1/company-mappings-search/?query=a&product_type=horoscope").await;
        assert_eq!(reply.invalid_fields(), ["product_type"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_company_is_read_by_the_searchs_id() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let hit = client.get("/v1/company-mappings-search/?query=home+depot").await.json()[0].clone();
        let id = hit["company_mapping_id"].as_str().unwrap();
        let company = client.get(&format!("/v1/companies/{id}?product_type=income")).await.json();
        assert_eq!(company["name"], "Home Depot");
        assert_eq!(company["success_rate"], "high");
        assert!(company["features"]["deposit_switch"].get("max_number").is_some());
        let mark = company["logo_url"].as_str().unwrap().strip_prefix("http://citadel.test").unwrap();
        let mark = app.get(mark).await;
        assert_eq!((mark.status, mark.header("content-type")), (StatusCode::OK, "image/svg+xml"));
        assert_eq!(
            client.get(&format!("/v1/companies/{}/", "0".repeat(32))).await.status,
            StatusCode::NOT_FOUND
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn providers_are_listed_by_page() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let all = client.get("/v1/providers/").await.json();
        let count = all["count"].as_i64().unwrap();
        assert!(count >= 40, "{count}");
        let first = client.get("/v1/providers?page_size=15&product_type=income").await.json();
        assert_eq!(first["results"].as_array().unwrap().len(), 15);
        assert_eq!(first["previous"], serde_json::Value::Null);
        let next = first["next"].as_str().unwrap().strip_prefix("http://citadel.test").unwrap();
        let second = client.get(next).await.json();
        assert_ne!(first["results"][0], second["results"][0]);
        assert!(second["previous"].as_str().is_some());
        assert_eq!(client.get("/v1/providers/?query=ADP").await.json()["results"][0]["id"], "adp");
        assert_eq!(client.get("/v1/providers/adp").await.json()["name"], "ADP");
        assert_eq!(client.get("/v1/providers/truv/").await.json()["name"], "Truv payroll provider");
        assert_eq!(client.get("/v1/providers/nobody/").await.status, StatusCode::NOT_FOUND);
        for bad in ["page=0", "page=-1", "page=x", "page_size=0", "product_type=x"] {
            assert_eq!(
                client.get(&format!("/v1/providers/?{bad}")).await.status,
                StatusCode::BAD_REQUEST,
                "{bad}"
            );
        }
        assert_eq!(client.get("/v1/providers/?page=1000000000").await.status, StatusCode::NOT_FOUND);
    })
    .await;
}
