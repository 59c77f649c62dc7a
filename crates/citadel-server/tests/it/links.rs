use std::sync::Arc;

use axum::http::{Method, StatusCode};
use citadel_connectors::{AuthInput, AuthNext, BoxFuture, Connector, Cx, Descriptor, Grant, LoginForm, Want};
use citadel_domain::{Environment, Product, Secret, payroll::PayrollData};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::support::{PASSWORD_FORM, Reply, TestApp, TestClient, for_each_db};

const NOT_FOUND: &str = r#"{"detail":"Not Found."}"#;

fn check_not_found(reply: &Reply) {
    assert_eq!((reply.status, reply.text()), (StatusCode::NOT_FOUND, NOT_FOUND));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_are_listed_of_everybody_or_of_one_person() {
    for_each_db(async |app| {
        let (acme, other) = (app.client("acme").await, app.client("other").await);
        let user_id = acme.user("ada").await;
        let (link_id, access_token) = acme.link_of(&user_id, "income").await;
        acme.link("employment").await;
        let masked = format!("{}{}", "*".repeat(28), &access_token[28..]);

        let all = acme.get("/v1/links/").await.json();
        assert_eq!(all["count"], 2);
        let (newest, first) = (&all["results"][0], &all["results"][1]);
        assert_eq!((&newest["user_id"], &newest["user_external_id"]), (&Value::Null, &Value::Null));
        assert_eq!((&first["id"], &first["access_token"]), (&json!(link_id), &json!(masked)));
        let own = acme.get(&format!("/v1/links?user_id={user_id}&page_size=1")).await.json();
        let link = &own["results"][0];
        assert_eq!((&own["count"], &own["next"]), (&json!(1), &Value::Null));
        assert_eq!((&link["access_token"], &link["user_external_id"]), (&json!(access_token), &json!("ada")));
        assert_eq!((&link["status"], &link["is_dds_available"]), (&json!("done"), &json!(true)));

        let one = acme.get(&format!("/v1/links/{link_id}")).await.json();
        assert_eq!((&one["access_token"], &one["user_external_id"]), (&json!(masked), &json!("ada")));
        for user_id in [&user_id, &"0".repeat(32)] {
            let reply = other.get(&format!("/v1/links/?user_id={user_id}")).await;
            assert_eq!((reply.status, &reply.json()["results"]), (StatusCode::OK, &json!([])));
        }
        check_not_found(&other.get(&format!("/v1/links/{link_id}/")).await);
        check_not_found(&acme.get("/v1/links/reports/").await);
        assert_eq!(acme.get("/v1/links/?user_id=x").await.invalid_fields(), ["user_id"]);
        assert_eq!(acme.get("/v1/links/?page=0").await.invalid_fields(), ["page"]);
        assert_eq!(app.get("/v1/links/").await.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_links_report_is_the_one_of_its_access_token() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let user_id = client.user("ada").await;
        for (product, kinds, older) in [
            ("income", &["income"][..], "verifications/incomes"),
            ("income", &["employment"][..], "verifications/employments"),
            ("deposit_switch", &["direct_deposit", "deposit_switch"][..], "deposit-switches"),
            ("pll", &["pll", "ppl"][..], "paycheck-linked-loans"),
            ("admin", &["admin"][..], "administrators/directories"),
        ] {
            let (link_id, access_token) = client.link_of(&user_id, product).await;
            let expected = client.post(&format!("/v1/{older}/"), json!({"access_token": access_token})).await;
            assert_eq!(expected.json()["access_token"], access_token.as_str());
            for kind in kinds {
                for path in [
                    format!("/v1/links/{link_id}/{kind}/report"),
                    format!("/v1/links/{link_id}/{kind}/report/"),
                ] {
                    let reply = client.get(&path).await;
                    assert_eq!((reply.status, reply.json()), (StatusCode::OK, expected.json()), "{path}");
                }
                let path = format!("/v1/links/{link_id}/{kind}/report/?provenance=1");
                assert!(client.get(&path).await.json()["provenance"].is_object(), "{path}");
                let path = format!("/v1/links/{link_id}/{kind}/report/?provenance=x");
                assert_eq!(client.get(&path).await.invalid_fields(), ["provenance"]);
            }
            let refused = if product == "pll" { "direct_deposit" } else { "pll" };
            let reply = client.get(&format!("/v1/links/{link_id}/{refused}/report")).await;
            assert_eq!((reply.status, reply.code().as_str()), (StatusCode::FORBIDDEN, "not_authenticated"));
            check_not_found(&client.get(&format!("/v1/links/{link_id}/horoscope/report")).await);
        }
        check_not_found(&client.get(&format!("/v1/links/{}/income/report", "0".repeat(32))).await);
    })
    .await;
}

/// R13: the key is there before there is a token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_before_the_exchange_has_no_access_token() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        client.connect("income").await;
        let link = client.get("/v1/links/").await.json()["results"][0].clone();
        assert_eq!(link["access_token"], Value::Null);
        let id = link["id"].as_str().unwrap();
        let report = client.get(&format!("/v1/links/{id}/income/report/")).await.json();
        assert_eq!(report.get("access_token"), Some(&Value::Null));
        assert_eq!(report["employments"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_parts_are_those_of_the_report() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let user_id = client.user("ada").await;
        let (id, access_token) = client.link_of(&user_id, "income").await;
        let report =
            client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await.json();
        let read = async |what: &str| {
            let reply = client.get(&format!("/v1/links/{id}/{what}")).await;
            assert_eq!(reply.status, StatusCode::OK, "{what}: {reply:?}");
            reply.json()
        };
        assert_eq!(read("employments/").await, report["employments"]);
        let job = &report["employments"][0];
        assert_eq!(read("employment/").await, *job);
        assert_eq!(read("identity").await, job["profile"]);
        assert_eq!(read("bank_accounts/").await, job["bank_accounts"]);
        assert_eq!(read("shifts/").await, json!([]));
        let statements = read("statements").await;
        assert_eq!(statements, job["statements"]);
        let statement = &statements[3];
        let path = format!("statements/{}", statement["id"].as_str().unwrap());
        assert_eq!(read(&path).await, *statement);
        for path in [format!("/v1/link/{id}/statements"), format!("/v1/link/{id}/{path}/")] {
            assert_eq!(client.get(&path).await.status, StatusCode::OK, "{path}");
        }

        let documents = read("tax/").await;
        let (document, w2) = (&documents[0], &job["w2s"][0]);
        assert_eq!(documents.as_array().unwrap().len(), job["w2s"].as_array().unwrap().len());
        assert_eq!((&document["document_type"], &document["year"]), (&json!("W2"), &w2["year"]));
        for field in ["wages", "federal_tax", "social_security_wages", "medicare_tax"] {
            assert_eq!(document["fields"][field], w2[field], "{field}");
        }
        for key in ["document_subtype", "md5sum"] {
            assert_eq!(document.get(key), Some(&Value::Null), "{key}");
        }
        let document_id = document["id"].as_str().unwrap();
        assert_eq!(read(&format!("tax/{document_id}")).await, *document);
        let file = document["file"].as_str().unwrap().strip_prefix("http://citadel.test").unwrap();
        assert!(file.contains(document_id));
        assert!(app.get(file).await.body.starts_with(b"%PDF-"));
        for part in ["statements", "tax"] {
            check_not_found(&client.get(&format!("/v1/links/{id}/{part}/{}", "0".repeat(32))).await);
            check_not_found(&client.get(&format!("/v1/links/{id}/{part}/x")).await);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_without_income_shows_no_pay() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let user_id = client.user("ada").await;
        let (id, _) = client.link_of(&user_id, "employment").await;
        let job = client.get(&format!("/v1/links/{id}/employment/")).await.json();
        assert_eq!(job["company"]["name"].as_str().map(str::is_empty), Some(false));
        let jobs = client.get(&format!("/v1/links/{id}/employments/")).await.json();
        for job in [&job, &jobs[0]] {
            assert!(job.get("income").is_none() && job.get("statements").is_none(), "{job}");
        }
        assert_eq!(client.get(&format!("/v1/links/{id}/identity/")).await.json(), job["profile"]);
        let none = "0".repeat(32);
        for what in
            ["statements", "bank_accounts", "tax", &format!("statements/{none}"), &format!("tax/{none}")]
        {
            let reply = client.get(&format!("/v1/links/{id}/{what}/")).await;
            assert_eq!((reply.status, reply.code().as_str()), (StatusCode::FORBIDDEN, "not_authenticated"));
        }
        let (id, _) = client.link_of(&user_id, "deposit_switch").await;
        for what in ["employments", "employment", "identity", "shifts", "statements"] {
            let reply = client.get(&format!("/v1/links/{id}/{what}/")).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{what}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_persons_deposit_switches_are_told_together() {
    for_each_db(async |app| {
        let (acme, other) = (app.client("acme").await, app.client("other").await);
        let user_id = acme.user("ada").await;
        let path = format!("/v1/users/{user_id}/deposit_switch/report/");
        assert_eq!(acme.get(&path).await.json(), json!({"completed_at": null, "links": []}));
        let (link_id, access_token) = acme.link_of(&user_id, "deposit_switch").await;
        acme.link_of(&user_id, "income").await;
        let report = acme.get(&path).await.json();
        assert_eq!(report["links"].as_array().unwrap().len(), 1);
        let switch = &report["links"][0];
        assert_eq!((&switch["link_id"], &switch["access_token"]), (&json!(link_id), &json!(access_token)));
        assert_eq!(switch["deposit_details"]["account_number"], "16002600");
        assert_eq!(switch["provider"]["id"], "adp");
        let actions = &switch["provider"]["supported_bank_account_actions"];
        assert_eq!(*actions, json!(["create", "update", "delete"]));
        let alone = acme.get(&format!("/v1/links/{link_id}/direct_deposit/report")).await.json();
        assert_eq!(switch["deposit_details"], alone["deposit_details"]);
        assert_eq!(report["completed_at"], alone["finished_at"]);
        check_not_found(&other.get(&path).await);
        check_not_found(&acme.get("/v1/users/x/deposit_switch/report/").await);
        assert_eq!(app.get(&path).await.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

/// P22: what was known through a link is gone with it, and stays gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p22_a_deleted_link_is_erased() {
    for_each_db(async |app| {
        let (acme, other) = (app.client("acme").await, app.client("other").await);
        let user_id = acme.user("ada").await;
        for alias in ["links", "link"] {
            let (id, access_token) = acme.link_of(&user_id, "income").await;
            let path = format!("/v1/{alias}/{id}");
            let body = json!({"access_token": access_token});
            let report = acme.post("/v1/verifications/incomes/", body.clone()).await.json();
            let file = report["employments"][0]["statements"][0]["file"].as_str().unwrap().to_owned();
            check_not_found(&other.delete(&path).await);
            let reply = acme.delete(&path).await;
            assert_eq!((reply.status, reply.body.len()), (StatusCode::NO_CONTENT, 0));
            check_not_found(&acme.delete(&path).await);
            check_not_found(&acme.get(&format!("/v1/links/{id}/")).await);
            check_not_found(&acme.get(&format!("/v1/links/{id}/income/report/")).await);
            check_not_found(&acme.post("/v1/verifications/incomes/", body.clone()).await);
            check_not_found(&acme.post("/v1/refresh/tasks/", body).await);
            check_not_found(&app.get(file.strip_prefix("http://citadel.test").unwrap()).await);
            assert_eq!(acme.get(&format!("/v1/links/?user_id={user_id}")).await.json()["count"], 0);
            let events = acme.events().await;
            let last = events.last().unwrap();
            assert_eq!(
                (&last["event_type"], &last["payload"]["link_id"]),
                (&json!("link-deleted"), &json!(id))
            );
            assert_eq!(last["payload"]["user_id"], user_id.as_str());
        }
        assert_eq!(rows(&app, "reports").await, 0);
    })
    .await;
}

/// A provider that answers a read only when it is told to.
struct Waiting {
    descriptor: Descriptor,
    reached: Arc<Semaphore>,
    go_on: Arc<Semaphore>,
}

impl Connector for Waiting {
    fn describe(&self) -> &Descriptor {
        &self.descriptor
    }

    fn login_form(&self, _: &str, _: Product) -> LoginForm {
        PASSWORD_FORM
    }

    fn auth<'a>(&'a self, _: &'a Cx, _: AuthInput) -> BoxFuture<'a, AuthNext> {
        Box::pin(async move { Ok(AuthNext::Ready(Secret::new("grant"))) })
    }

    fn fetch<'a>(&'a self, cx: &'a Cx, _: &'a Grant, _: Want) -> BoxFuture<'a, PayrollData> {
        Box::pin(async move {
            self.reached.add_permits(1);
            self.go_on.acquire().await.unwrap().forget();
            let today = jiff::tz::Offset::UTC.to_datetime(cx.now).date();
            Ok(citadel_connectors::sandbox::anybody("7", Some("Harbor Foods"), today))
        })
    }
}

/// P22: a worker that is at the provider while the link is deleted writes nothing afterwards, and nothing begins anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p22_a_running_task_of_a_deleted_link_writes_nothing() {
    let (reached, go_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let connector = || Waiting {
        descriptor: Descriptor {
            id: "waiting",
            products: &[Product::Income],
            environments: &[Environment::Sandbox],
        },
        reached: reached.clone(),
        go_on: go_on.clone(),
    };
    for app in TestApp::each_with_connector(connector).await {
        let client = app.client("acme").await;
        let bridge_token = client.bridge_token("income").await;
        let task_id = app.sign_in(&bridge_token, "anybody", "anything").await;
        let link_id = client.get(&format!("/v1/tasks/{task_id}")).await.json()["link_id"].clone();
        let at_the_provider = async {
            reached.acquire().await.unwrap().forget();
            let reply = client.delete(&format!("/v1/links/{}/", link_id.as_str().unwrap())).await;
            assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:?}");
            go_on.add_permits(1);
        };
        tokio::join!(app.run_jobs(), at_the_provider);
        // Neither a lease that runs out nor time brings it back.
        app.advance(600);
        assert_eq!(app.run_jobs().await, 0);
        for table in ["reports", "logins", "jobs"] {
            assert_eq!(rows(&app, table).await, 0, "{table}");
        }
        check_not_found(&client.get(&format!("/v1/tasks/{task_id}")).await);
        let reply = app.widget(Method::GET, &format!("/tasks/{task_id}"), &bridge_token, None).await;
        check_not_found(&reply);
        let told: Vec<_> = client.events().await.iter().map(|event| event["event_type"].clone()).collect();
        assert_eq!(told.last(), Some(&json!("link-deleted")), "nothing is told after it: {told:?}");

        // A task that has not begun goes too.
        let task_id = sign_in_and_delete(&app, &client, &bridge_token).await;
        assert_eq!(app.run_jobs().await, 0);
        check_not_found(&client.get(&format!("/v1/tasks/{task_id}")).await);
    }
}

async fn sign_in_and_delete(app: &TestApp, client: &TestClient<'_>, bridge_token: &str) -> String {
    let task_id = app.sign_in(bridge_token, "anybody", "anything").await;
    let link_id = client.get(&format!("/v1/tasks/{task_id}")).await.json()["link_id"].clone();
    client.delete(&format!("/v1/links/{}/", link_id.as_str().unwrap())).await;
    task_id
}

/// How many rows a table has.
async fn rows(app: &TestApp, table: &str) -> i64 {
    let sql = match table {
        "reports" => "select cast(count(*) as bigint) from reports",
        "logins" => "select cast(count(*) as bigint) from logins",
        _ => "select cast(count(*) as bigint) from jobs",
    };
    app.app.db.read(async move |tx| tx.fetch_one(sql, &[], |row| row.get(0)).await).await.unwrap()
}

/// An old page writes `link` for `links`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn older_spellings_reach_the_same_link() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let user = client.user("somebody").await;
        let (link, _) = client.link_of(&user, "income").await;
        let list = client.get(&format!("/v1/links/{link}/statements/")).await.json();
        let statement = list[0]["id"].as_str().unwrap();
        for slash in ["", "/"] {
            assert_eq!(client.get(&format!("/v1/link/{link}/statements{slash}")).await.json(), list);
            let one = client.get(&format!("/v1/link/{link}/statements/{statement}{slash}")).await;
            assert_eq!(one.json(), list[0]);
        }
        assert_eq!(client.delete(&format!("/v1/link/{link}")).await.status, StatusCode::NO_CONTENT);
        assert_eq!(client.get(&format!("/v1/links/{link}/")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(client.delete(&format!("/v1/link/{link}/")).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}
