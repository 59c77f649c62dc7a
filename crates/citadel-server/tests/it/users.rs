//! Users: bad input, names that nobody sent, and changes at the same time. What becomes of a user is in `orders.rs`.

use axum::http::{Method, StatusCode};
use citadel_domain::{Environment, UserId};
use citadel_server::purposes;
use citadel_store::Tenant;
use serde_json::{Value, json};

use crate::{
    clients::id,
    support::{Reply, TestClient, account, for_each_db},
};

fn check_invalid(reply: &Reply, field: &str) {
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (StatusCode::BAD_REQUEST, "incorrect_parameters"),
        "{field}"
    );
    assert_eq!(reply.invalid_fields(), [field], "{reply:?}");
}

async fn order(client: &TestClient<'_>, body: Value) -> Value {
    let reply = client.post("/v1/orders/", body).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    reply.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_refused_by_name() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let user = client.user("u-1").await;
        let tokens = format!("/v1/users/{user}/tokens/");
        let reports = format!("/v1/users/{user}/reports/");
        for (query, field) in [
            ("created_at__gte=soon", "created_at__gte"),
            ("created_at__lte=2026-13-01", "created_at__lte"),
            ("created_at__gte=2026-11-19&created_at__lte=2026-11-18", "created_at__lte"),
            ("list_links=x", "list_links"),
            ("product_type=horoscope", "product_type"),
            ("page=0", "page"),
            ("page_size=x", "page_size"),
        ] {
            check_invalid(&client.get(&format!("/v1/users/?{query}")).await, field);
        }
        check_invalid(&client.get(&format!("/v1/users/{user}/?list_links=x")).await, "list_links");
        // What is right narrows the list.
        for (query, count) in [("created_at__gte=2026-11-18", 1), ("created_at__gte=2026-11-19", 0)] {
            assert_eq!(client.get(&format!("/v1/users/?{query}")).await.json()["count"], count, "{query}");
        }
        for (body, field) in [
            (json!({}), "product_type"),
            (json!({"product_type": null}), "product_type"),
            (json!({"product_type": 7}), "product_type"),
            (json!({"product_type": "horoscope"}), "product_type"),
            (json!({"product_type": "income", "allowed_products": ["horoscope"]}), "allowed_products"),
            (json!({"product_type": "income", "company_mapping_id": "x"}), "company_mapping_id"),
            (json!({"product_type": "income", "provider_id": "nobody"}), "provider_id"),
            (json!({"product_type": "income", "client_name": "x".repeat(1025)}), "client_name"),
            (json!({"product_type": "income", "template_id": "x"}), "template_id"),
            (json!({"product_type": "income", "data_sources": ["docs"]}), "data_sources"),
            (json!({"product_type": "income", "data_sources": ["payroll", "dreams"]}), "data_sources"),
            (json!({"product_type": "income", "data_sources": "payroll"}), "data_sources"),
        ] {
            check_invalid(&client.post(&tokens, body).await, field);
        }
        let mut loan = account("pll");
        loan["deposit_value"] = json!(0);
        let body = json!({"product_type": "pll", "account": loan});
        check_invalid(&client.post(&tokens, body).await, "account.deposit_value");
        let nobody = format!("/v1/users/{}/tokens/", "0".repeat(32));
        assert_eq!(
            client.post(&nobody, json!({"product_type": "income"})).await.status,
            StatusCode::NOT_FOUND
        );

        for is_voe in [json!("maybe"), json!(1), json!([true])] {
            check_invalid(&client.post(&reports, json!({"is_voe": is_voe})).await, "is_voe");
        }
        // Nothing was meant by these (Q4).
        for is_voe in [Value::Null, json!(""), json!(false)] {
            assert_eq!(
                client.post(&reports, json!({"is_voe": is_voe})).await.status,
                StatusCode::OK,
                "{is_voe}"
            );
        }
        let made = client.post(&reports, json!({})).await.json();
        let report = format!("{reports}{}/", id(&made["report_id"]));
        check_invalid(&client.get(&format!("{report}?fmt=docx")).await, "fmt");
        assert_eq!(client.get(&format!("{report}?fmt=")).await.json(), made);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_for_orders_is_refused_by_name() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let path =
            format!("/v1/orders/{}/", id(&order(&client, json!({"products": ["income"]})).await["id"]));
        for (query, field) in [("page=0", "page"), ("page=x", "page"), ("page_size=0", "page_size")] {
            check_invalid(&client.get(&format!("/v1/orders/?{query}")).await, field);
        }
        assert_eq!(client.get("/v1/orders/?page=2").await.status, StatusCode::NOT_FOUND);
        let before = client.get(&path).await.json();
        for (body, field) in [
            (json!({"first_name": 5}), "first_name"),
            (json!({"first_name": "x".repeat(257)}), "first_name"),
            (json!({"ssn": "12"}), "ssn"),
            (json!({"notes": "x".repeat(1025)}), "notes"),
            (json!({"loan": {"x": "x".repeat(16 * 1024)}}), "loan"),
        ] {
            check_invalid(&client.patch(&path, body).await, field);
        }
        for (body, field) in [
            (json!({"company_mapping_id": "nowhere"}), "company_mapping_id"),
            (json!({"start_date": "soon"}), "start_date"),
            (json!({"company_name": 5}), "company_name"),
        ] {
            check_invalid(&client.post(&format!("{path}employers/"), body).await, field);
        }
        assert_eq!(client.get(&path).await.json(), before);
    })
    .await;
}

/// Whoever came with an order that names nobody is a user like others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_without_a_name_can_be_changed() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let made = order(&client, json!({"products": ["income"], "first_name": null})).await;
        let path = format!("/v1/users/{}", id(&made["user_id"]));
        let changed = client.patch(&path, json!({"email": "j@example.com", "first_name": null})).await;
        assert_eq!((changed.status, &changed.json()["email"]), (StatusCode::OK, &json!("j@example.com")));
        check_invalid(&client.patch(&path, json!({"first_name": "  "})).await, "first_name");
        assert_eq!(client.patch(&path, json!({"last_name": "Doe"})).await.json()["last_name"], "Doe");
        let reply = client.post("/v1/users/", json!({"email": "j@example.com"})).await;
        assert_eq!(reply.invalid_fields(), ["first_name", "last_name"]);
    })
    .await;
}

/// A product of the published API that is not here is a 403 wherever it is named, and an invented one a 400.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_that_are_not_here_are_told_apart_from_mistakes() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let user = client.user("u-1").await;
        for (product, status, code) in [
            ("assets", StatusCode::FORBIDDEN, "not_authenticated"),
            ("insurance", StatusCode::FORBIDDEN, "not_authenticated"),
            ("horoscope", StatusCode::BAD_REQUEST, "incorrect_parameters"),
        ] {
            let body = json!({"product_type": product});
            for reply in [
                client.post("/v1/bridge-tokens/", body.clone()).await,
                client.post(&format!("/v1/users/{user}/tokens/"), body).await,
                client.post("/v1/orders/", json!({"products": [product]})).await,
                client.post("/v1/companies/", json!({"name": "Home Depot", "product_type": product})).await,
                client.get(&format!("/v1/providers/?product_type={product}")).await,
                client.get(&format!("/v1/users/?product_type={product}")).await,
                client.get(&format!("/v1/company-mappings-search/?query=home&product_type={product}")).await,
            ] {
                assert_eq!((reply.status, reply.code().as_str()), (status, code), "{product}: {reply:?}");
            }
        }
        let body = json!({"product_type": "income", "allowed_products": ["assets", "employment"]});
        let token = client.post("/v1/bridge-tokens/", body).await.json();
        assert_eq!(token["allowed_products"], json!(["income", "employment"]), "as in an order");
    })
    .await;
}

/// Each of several changes at once is kept, whoever makes them first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_at_the_same_time_lose_nothing() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let body =
            json!({"products": ["income"], "first_name": "A", "last_name": "B", "external_user_id": "u-1"});
        let made = order(&client, body).await;
        let order_path = format!("/v1/orders/{}/", id(&made["id"]));
        let user_path = format!("/v1/users/{}/", id(&made["user_id"]));
        let template = client.post("/v1/templates/", json!({"name": "Main"})).await.json();
        let template_path = format!("/v1/templates/{}/", id(&template["id"]));
        for round in 0..4 {
            let change = async |path: &str, field: &str, value: String| {
                let reply = client.patch(path, json!({field: value})).await;
                assert_eq!(reply.status, StatusCode::OK, "{path} {field}: {reply:?}");
            };
            let mail = format!("{round}@example.com");
            let (one, two) = (format!("one {round}"), format!("two {round}"));
            tokio::join!(
                change(&user_path, "email", mail.clone()),
                change(&user_path, "phone", one.clone()),
                change(&order_path, "first_name", one.clone()),
                change(&order_path, "last_name", two.clone()),
                change(&template_path, "a", one.clone()),
                change(&template_path, "b", two.clone()),
                change(&template_path, "c", one.clone()),
            );
            let user = client.get(&user_path).await.json();
            for (field, expected) in
                [("email", &mail), ("phone", &one), ("first_name", &one), ("last_name", &two)]
            {
                assert_eq!(user[field], *expected, "{field}: {user}");
            }
            let order = client.get(&order_path).await.json();
            assert_eq!((&order["first_name"], &order["last_name"]), (&json!(one), &json!(two)));
            let template = client.get(&template_path).await.json();
            for (field, expected) in [("a", &one), ("b", &two), ("c", &one)] {
                assert_eq!(template[field], *expected, "{field}: {template}");
            }
        }
    })
    .await;
}

/// `link_hash` is "stable per set of credentials": the same for every link to one person at one provider, and for nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_with_the_same_credentials_have_the_same_hash() {
    for_each_db(async |app| {
        let (acme, other) = (app.client("acme").await, app.client("other").await);
        let hash = async |client: &TestClient<'_>, login: &str, provider: &str| {
            let bridge_token = client.bridge_token("income").await;
            let login = json!({"username": login, "password": "goodpassword"});
            let task = json!({"provider_id": provider, "login": login});
            let task_id = app.create_task(&bridge_token, task).await;
            app.run_jobs().await;
            let public_token = app.public_token(&bridge_token, &task_id).await;
            let link = id(&client.exchange(&public_token).await.json()["link_id"]);
            id(&client.get(&format!("/v1/links/{link}/")).await.json()["link_hash"])
        };
        let first = hash(&acme, "goodlogin", "adp").await;
        assert_eq!(hash(&acme, "goodlogin", "adp").await, first);
        assert_ne!(hash(&acme, "fulltime", "adp").await, first, "another person");
        assert_ne!(hash(&acme, "goodlogin", "truv").await, first, "another provider");
        assert_ne!(hash(&other, "goodlogin", "adp").await, first, "another client");
    })
    .await;
}

/// Nobody who reads the database learns that two clients know the same id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_of_the_clients_own_are_hashed_for_each_client() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let user: UserId = client.user("u-1").await.parse().unwrap();
        let tenant = Tenant { client_id: client.id, environment: Environment::Sandbox };
        let find = async |text: String| {
            let hash = app.app.keyring.keyed_hash(purposes::EXTERNAL_USER_ID, &text);
            let found = app
                .app
                .db
                .read(async move |tx| citadel_store::users::find_by_external_id(tx, tenant, &hash).await);
            found.await.unwrap().map(|user| user.id)
        };
        assert_eq!(find("u-1".to_owned()).await, None);
        assert_eq!(find(format!("{}\u{1f}u-1", client.id)).await, Some(user));
        let listed = client.get("/v1/users/?external_user_id=u-1").await.json();
        assert_eq!(listed["count"], 1);
        let other = app.client("other").await;
        assert_eq!(other.get("/v1/users/?external_user_id=u-1").await.json()["count"], 0);
    })
    .await;
}

/// A list embeds the newest ten links of each user, and `links/` has all of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_users_embeds_ten_links_of_each() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let user = client.user("u-1").await;
        for _ in 0..11 {
            client.link_of(&user, "employment").await;
        }
        let listed = client.get("/v1/users/").await.json();
        assert_eq!(listed["results"][0]["links"].as_array().unwrap().len(), 10);
        let links = client.get(&format!("/v1/links/?user_id={user}")).await.json();
        assert_eq!(links["count"], 11);
        assert_eq!(listed["results"][0]["links"][0]["id"], links["results"][0]["id"], "the newest first");
        let whole = client.get(&format!("/v1/users/{user}/")).await.json();
        assert_eq!(whole["links"].as_array().unwrap().len(), 11);
        let request = client.request(Method::GET, "/v1/users/?list_links=0").body("".into()).unwrap();
        assert!(app.send(request).await.json()["results"][0].get("links").is_none());
    })
    .await;
}
