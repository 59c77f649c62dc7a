use axum::http::StatusCode;
use serde_json::{Value, json};

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
async fn an_employer_is_matched_by_what_is_known_of_it() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let matched = async |body: Value| {
            let reply = client.post("/v1/companies/", body).await;
            assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
            reply.json()
        };
        let by_name = matched(json!({"name": "Home Depot", "state": "GA", "address": {"zip": "30339"}})).await;
        assert_eq!((&by_name["name"], &by_name["mapping_status"]), (&json!("Home Depot"), &json!("mapped")));
        let id = by_name["company_mapping_id"].clone();
        for known in [
            json!({"domain": "https://www.HomeDepot.com/careers"}),
            json!({"id": id, "name": "Walmart"}),
            json!({"domain": "homedepot.com", "name": "Walmart", "ein": "12-3456789", "phone": ""}),
        ] {
            let found = matched(known).await;
            assert_eq!((&found["company_mapping_id"], &found["confidence_level"]), (&id, &json!("1.00")));
        }
        let nobody = matched(json!({"name": "Zzzzqqqq Xyzzy", "domain": "zzzzqqqq.example"})).await;
        assert_eq!(
            nobody,
            json!({"company_mapping_id": null, "name": "Zzzzqqqq Xyzzy", "domain": "zzzzqqqq.example", "logo_url": null,
                   "confidence_level": "0.00", "success_rate": null, "mapping_status": "unmapped", "sso": null})
        );
        for (body, field) in [
            (json!({}), "name"),
            (json!({"name": "  ", "ein": "12-3456789"}), "name"),
            (json!({"id": "0".repeat(32)}), "id"),
            (json!({"name": "Home Depot", "product_type": "horoscope"}), "product_type"),
        ] {
            let reply = client.post("/v1/companies/", body).await;
            assert_eq!((reply.status, reply.invalid_fields()), (StatusCode::BAD_REQUEST, vec![field.to_owned()]));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_of_providers_knows_no_search() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let all = client.get("/v1/providers/").await.json();
        assert_eq!(client.get("/v1/providers/?search=zzzz").await.json()["count"], all["count"]);
        assert_eq!(client.get("/v1/providers/?query=zzzz").await.json()["count"], 0);
        assert_eq!(client.get("/v1/providers/?data_source=docs").await.json()["count"], 0);
        let served =
            client.get("/v1/providers/?query=adp&product_type=income&data_source=payroll").await.json();
        assert_eq!(served["results"][0]["id"], "adp");
        let reply = client.get("/v1/providers/?product_type=horoscope").await;
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
