use std::{
    collections::HashSet,
    sync::atomic::{AtomicUsize, Ordering},
};

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use citadel_domain::Environment;
use serde_json::{Value, json};

use crate::support::{Reply, TestClient, for_each_db};

/// What one client owns: for each id or token that any operation takes, by the name of its parameter or field.
struct Belongings {
    task_id: String,
    public_token: String,
    access_token: String,
    deposit_access_token: String,
    loan_access_token: String,
    funding_access_token: String,
    admin_access_token: String,
    payroll_report_id: String,
    refresh_task_id: String,
    /// No id, but a part of a path.
    kind: String,
    webhook_id: String,
    event_id: String,
    scenario_id: String,
    user_id: String,
    /// Behind the user's id.
    user_report: String,
    order_id: String,
    /// Of an income link.
    link_id: String,
    /// Of that link, behind its id and the word for what they are.
    income_report: String,
    statement: String,
    tax_document: String,
    template_id: String,
}

async fn belongings(client: &TestClient<'_>) -> Belongings {
    let bridge_token = client.bridge_token("income").await;
    let task_id = client.app.sign_in(&bridge_token, "goodlogin", "goodpassword").await;
    client.app.run_jobs().await;
    let spent = client.app.public_token(&bridge_token, &task_id).await;
    let access_token = client.exchange(&spent).await.json()["access_token"].as_str().unwrap().to_owned();
    let public_token = client.app.public_token(&bridge_token, &task_id).await;
    let admin_access_token = client.link("admin").await;
    let range =
        json!({"access_token": admin_access_token, "start_date": "2020-01-01", "end_date": "2020-02-01"});
    let text = |reply: Reply, field: &str| reply.json()[field].as_str().unwrap().to_owned();
    let refreshed = json!({"access_token": client.link("income").await});
    let user_id = client.user("somebody").await;
    let (link_id, _) = client.link_of(&user_id, "income").await;
    let first = async |list: &str| {
        let found = client.get(&format!("/v1/links/{link_id}/{list}/")).await.json();
        format!("{link_id}/{list}/{}", found[0]["id"].as_str().unwrap())
    };
    let (statement, tax_document) = (first("statements").await, first("tax").await);
    Belongings {
        task_id,
        public_token,
        access_token,
        deposit_access_token: client.link("deposit_switch").await,
        loan_access_token: client.link_as("pll", "goodlogin.weekly", "goodpassword").await,
        funding_access_token: client.link("fas").await,
        payroll_report_id: text(
            client.post("/v1/administrators/payrolls/", range).await,
            "payroll_report_id",
        ),
        refresh_task_id: text(client.post("/v1/refresh/tasks/", refreshed).await, "task_id"),
        admin_access_token,
        kind: "income".to_owned(),
        webhook_id: endpoint_of(client).await,
        event_id: client.events().await[0]["id"].as_str().unwrap().to_owned(),
        scenario_id: scenario_of(client).await,
        user_report: {
            let path = format!("/v1/users/{user_id}/reports/");
            format!("{user_id}/reports/{}", text(client.post(&path, json!({})).await, "report_id"))
        },
        order_id: order_of(client).await,
        user_id,
        income_report: format!("{link_id}/income"),
        statement,
        tax_document,
        template_id: template_of(client).await,
        link_id,
    }
}

/// What no link has.
const NO_LINK: &str = "0193a6c2f1d27c4e9a5be2d7f0a14c8a";

/// A new endpoint, at which nobody answers.
async fn endpoint_of(client: &TestClient<'_>) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    client.webhook(&format!("http://127.0.0.1:9/{number}")).await.0
}

/// A new order.
async fn order_of(client: &TestClient<'_>) -> String {
    let made = client.post("/v1/orders/", json!({"products": ["income"]})).await.json();
    made["id"].as_str().unwrap().to_owned()
}

/// A new template.
async fn template_of(client: &TestClient<'_>) -> String {
    client.post("/v1/templates/", json!({"name": "Main"})).await.json()["id"].as_str().unwrap().to_owned()
}

/// A new scenario.
async fn scenario_of(client: &TestClient<'_>) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let label = format!("scenario {}", NEXT.fetch_add(1, Ordering::Relaxed));
    let body = json!({"data_source": "payroll", "label": label, "username": label, "password": "own"});
    client.post("/v1/sandbox/scenarios/", body).await.json()["id"].as_str().unwrap().to_owned()
}

/// P5: every operation of the API document × every id or token that it takes × whose it is. Whatever is not the
/// caller's own gets the very answer that a random one gets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_clients_never_meet() {
    for_each_db(async |app| {
        let (acme, other) = (app.client("acme").await, app.client("other").await);
        let theirs = belongings(&other).await;
        let (_, secret) = app.key(other.id, Environment::Dev).await;
        let other_dev = TestClient { app: &app, id: other.id, key_id: other.key_id, secret };
        let token = || "0e".repeat(16);
        let random = Belongings {
            task_id: "0193a6c2f1d27c4e9a5be2d7f0a14c83".to_owned(),
            public_token: "0f".repeat(16),
            access_token: token(),
            deposit_access_token: token(),
            loan_access_token: token(),
            funding_access_token: token(),
            admin_access_token: token(),
            payroll_report_id: "0193a6c2f1d27c4e9a5be2d7f0a14c84".to_owned(),
            refresh_task_id: "0193a6c2f1d27c4e9a5be2d7f0a14c85".to_owned(),
            kind: "income".to_owned(),
            webhook_id: "0193a6c2f1d27c4e9a5be2d7f0a14c86".to_owned(),
            event_id: "0193a6c2f1d27c4e9a5be2d7f0a14c87".to_owned(),
            scenario_id: "0193a6c2f1d27c4e9a5be2d7f0a14c88".to_owned(),
            user_id: "0193a6c2f1d27c4e9a5be2d7f0a14c89".to_owned(),
            user_report: format!("{NO_LINK}/reports/{NO_LINK}"),
            order_id: NO_LINK.to_owned(),
            link_id: NO_LINK.to_owned(),
            income_report: format!("{NO_LINK}/income"),
            statement: format!("{NO_LINK}/statements/{NO_LINK}"),
            tax_document: format!("{NO_LINK}/tax/{NO_LINK}"),
            template_id: "0193a6c2f1d27c4e9a5be2d7f0a14c8b".to_owned(),
        };
        let document = app.get("/openapi.json").await.json();
        let mut covered = HashSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let operation_id = operation["operationId"].as_str().unwrap();
                covered.insert(operation_id.to_owned());
                for pick in FIELDS.iter().filter(|pick| pick.operation == operation_id) {
                    let expected = send(&acme, method, path, pick, &random).await;
                    assert_eq!(expected.status, StatusCode::NOT_FOUND, "{operation_id}: {expected:?}");
                    let found = send(&acme, method, path, pick, &theirs).await;
                    assert_eq!(
                        (found.status, &found.body),
                        (expected.status, &expected.body),
                        "{operation_id}"
                    );
                    // The same client in another environment, which may be told that this exists in the sandbox only.
                    let expected = send(&other_dev, method, path, pick, &random).await;
                    let refusals = [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN];
                    assert!(refusals.contains(&expected.status), "{operation_id}: {expected:?}");
                    let found = send(&other_dev, method, path, pick, &theirs).await;
                    assert_eq!(
                        (found.status, &found.body),
                        (expected.status, &expected.body),
                        "{operation_id}"
                    );
                    // And the owner finds it, so that the refusal above was not for another reason.
                    let own = send(&other, method, path, pick, &theirs).await;
                    assert!(own.status.is_success(), "{operation_id}: {own:?}");
                }
            }
        }
        // Deleted: gone for its owner too.
        let deleted_at = citadel_domain::Clock::now(&*app.clock);
        app.app
            .db
            .write(async move |tx| tx.execute("update links set deleted_at = $1", &[deleted_at.into()]).await)
            .await
            .unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let of_links =
                    |pick: &&Pick| operation["operationId"] == pick.operation && !pick.outlives_links;
                for pick in FIELDS.iter().filter(of_links) {
                    let expected = send(&other, method, path, pick, &random).await;
                    let found = send(&other, method, path, pick, &theirs).await;
                    assert_eq!(
                        (found.status, &found.body),
                        (expected.status, &expected.body),
                        "{}",
                        pick.operation
                    );
                }
            }
        }
        let listed: HashSet<_> =
            FIELDS.iter().map(|pick| pick.operation).chain(PUBLIC.iter().chain(OWN).copied()).collect();
        let missing: Vec<_> = covered.iter().filter(|id| !listed.contains(id.as_str())).collect();
        assert!(
            missing.is_empty(),
            "say for these operations which ids they take, or that they take none: {missing:?}"
        );
    })
    .await;
}

/// The ids and tokens that operations take.
const FIELDS: &[Pick] = &[
    Pick {
        operation: "get_task",
        body: |_| json!({}),
        path: |own| Some(&own.task_id),
        outlives_links: false,
    },
    Pick {
        operation: "create_access_token",
        body: |own| json!({"public_token": own.public_token}),
        path: |_| None,
        outlives_links: false,
    },
    Pick {
        operation: "create_access_tokens",
        body: |own| json!({"public_tokens": [own.public_token]}),
        path: |_| None,
        outlives_links: false,
    },
    Pick {
        operation: "get_employment_verification",
        body: |own| json!({"access_token": own.access_token}),
        path: |_| None,
        outlives_links: false,
    },
    Pick {
        operation: "get_income_verification",
        body: |own| json!({"access_token": own.access_token}),
        path: |_| None,
        outlives_links: false,
    },
    Pick {
        operation: "get_report_by_kind",
        body: |own| json!({"access_token": own.access_token}),
        path: |own| Some(&own.kind),
        outlives_links: false,
    },
    Pick {
        operation: "get_deposit_switch",
        body: |own| json!({"access_token": own.deposit_access_token}),
        path: |_| None,
        outlives_links: false,
    },
    Pick {
        operation: "get_paycheck_linked_loan",
        body: |own| json!({"access_token": own.loan_access_token}),
        path: |_| None,
        outlives_links: false,
    },
    Pick {
        operation: "get_account_switch",
        body: |own| json!({"access_token": own.funding_access_token}),
        path: |_| None,
        outlives_links: false,
    },
    Pick {
        operation: "get_directory",
        body: |own| json!({"access_token": own.admin_access_token}),
        path: |_| None,
        outlives_links: false,
    },
    Pick {
        operation: "get_admin_report",
        body: |own| json!({"access_token": own.admin_access_token}),
        path: |_| None,
        outlives_links: false,
    },
    Pick {
        operation: "create_payroll_report",
        body: |own| json!({"access_token": own.admin_access_token, "start_date": "2020-01-01", "end_date": "2020-01-03"}),
        path: |_| None,
        outlives_links: false,
    },
    Pick {
        operation: "get_payroll_report",
        body: |_| json!({}),
        path: |own| Some(&own.payroll_report_id),
        outlives_links: false,
    },
    Pick {
        operation: "create_refresh_task",
        body: |own| json!({"access_token": own.access_token}),
        path: |_| None,
        outlives_links: false,
    },
    Pick {
        operation: "get_refresh_task",
        body: |_| json!({}),
        path: |own| Some(&own.refresh_task_id),
        outlives_links: false,
    },
    Pick {
        operation: "create_bridge_token",
        body: |own| json!({"product_type": "income", "access_token": own.access_token}),
        path: |_| None,
        outlives_links: false,
    },
    Pick {
        operation: "get_webhook",
        body: |_| json!({}),
        path: |own| Some(&own.webhook_id),
        outlives_links: true,
    },
    Pick {
        operation: "update_webhook",
        body: |_| json!({"name": "Other"}),
        path: |own| Some(&own.webhook_id),
        outlives_links: true,
    },
    Pick {
        operation: "rotate_webhook_secret",
        body: |_| json!({}),
        path: |own| Some(&own.webhook_id),
        outlives_links: true,
    },
    Pick {
        operation: "delete_webhook",
        body: |_| json!({}),
        path: |own| Some(&own.webhook_id),
        outlives_links: true,
    },
    Pick {
        operation: "resend_event",
        body: |_| json!({}),
        path: |own| Some(&own.event_id),
        outlives_links: true,
    },
    Pick {
        operation: "resend_events",
        body: |own| json!({"created_at__gte": "2026-11-18", "webhook_id": own.webhook_id}),
        path: |_| None,
        outlives_links: true,
    },
    Pick {
        operation: "get_sandbox_scenario",
        body: |_| json!({}),
        path: |own| Some(&own.scenario_id),
        outlives_links: true,
    },
    Pick {
        operation: "update_sandbox_scenario",
        body: |_| json!({"description": "Other"}),
        path: |own| Some(&own.scenario_id),
        outlives_links: true,
    },
    Pick {
        operation: "delete_sandbox_scenario",
        body: |_| json!({}),
        path: |own| Some(&own.scenario_id),
        outlives_links: true,
    },
    Pick {
        operation: "create_user_report",
        body: |_| json!({}),
        path: |own| Some(&own.user_id),
        outlives_links: true,
    },
    Pick {
        operation: "get_user_report",
        body: |_| json!({}),
        path: |own| Some(&own.user_report),
        outlives_links: true,
    },
    Pick {
        operation: "get_order",
        body: |_| json!({}),
        path: |own| Some(&own.order_id),
        outlives_links: true,
    },
    Pick {
        operation: "reverify_order",
        body: |_| json!({}),
        path: |own| Some(&own.order_id),
        outlives_links: true,
    },
    Pick {
        operation: "update_order",
        body: |_| json!({}),
        path: |own| Some(&own.order_id),
        outlives_links: true,
    },
    Pick {
        operation: "refresh_order",
        body: |_| json!({}),
        path: |own| Some(&own.order_id),
        outlives_links: true,
    },
    Pick {
        operation: "cancel_order",
        body: |_| json!({}),
        path: |own| Some(&own.order_id),
        outlives_links: true,
    },
    Pick {
        operation: "add_order_employer",
        body: |_| json!({}),
        path: |own| Some(&own.order_id),
        outlives_links: true,
    },
    Pick {
        operation: "list_order_events",
        body: |_| json!({}),
        path: |own| Some(&own.order_id),
        outlives_links: true,
    },
    Pick { operation: "get_user", body: |_| json!({}), path: |own| Some(&own.user_id), outlives_links: true },
    Pick {
        operation: "update_user",
        body: |_| json!({}),
        path: |own| Some(&own.user_id),
        outlives_links: true,
    },
    Pick {
        operation: "create_user_token",
        body: |_| json!({"product_type": "income"}),
        path: |own| Some(&own.user_id),
        outlives_links: true,
    },
    Pick {
        operation: "get_user_deposit_switch",
        body: |_| json!({}),
        path: |own| Some(&own.user_id),
        outlives_links: true,
    },
    Pick {
        operation: "get_link",
        body: |_| json!({}),
        path: |own| Some(&own.link_id),
        outlives_links: false,
    },
    Pick {
        operation: "list_link_employments",
        body: |_| json!({}),
        path: |own| Some(&own.link_id),
        outlives_links: false,
    },
    Pick {
        operation: "get_link_employment",
        body: |_| json!({}),
        path: |own| Some(&own.link_id),
        outlives_links: false,
    },
    Pick {
        operation: "get_link_identity",
        body: |_| json!({}),
        path: |own| Some(&own.link_id),
        outlives_links: false,
    },
    Pick {
        operation: "list_link_statements",
        body: |_| json!({}),
        path: |own| Some(&own.link_id),
        outlives_links: false,
    },
    Pick {
        operation: "list_link_bank_accounts",
        body: |_| json!({}),
        path: |own| Some(&own.link_id),
        outlives_links: false,
    },
    Pick {
        operation: "list_link_tax_documents",
        body: |_| json!({}),
        path: |own| Some(&own.link_id),
        outlives_links: false,
    },
    Pick {
        operation: "list_link_shifts",
        body: |_| json!({}),
        path: |own| Some(&own.link_id),
        outlives_links: false,
    },
    Pick {
        operation: "get_link_report",
        body: |_| json!({}),
        path: |own| Some(&own.income_report),
        outlives_links: false,
    },
    Pick {
        operation: "get_link_statement",
        body: |_| json!({}),
        path: |own| Some(&own.statement),
        outlives_links: false,
    },
    Pick {
        operation: "get_link_tax_document",
        body: |_| json!({}),
        path: |own| Some(&own.tax_document),
        outlives_links: false,
    },
    Pick {
        operation: "delete_link",
        body: |_| json!({}),
        path: |own| Some(&own.link_id),
        outlives_links: false,
    },
    Pick {
        operation: "delete_user",
        body: |_| json!({}),
        path: |own| Some(&own.user_id),
        outlives_links: true,
    },
    Pick {
        operation: "get_template",
        body: |_| json!({}),
        path: |own| Some(&own.template_id),
        outlives_links: true,
    },
    Pick {
        operation: "update_template",
        body: |_| json!({}),
        path: |own| Some(&own.template_id),
        outlives_links: true,
    },
    Pick {
        operation: "delete_template",
        body: |_| json!({}),
        path: |own| Some(&own.template_id),
        outlives_links: true,
    },
];

/// Operations that take no id, and show or make the caller's own.
const OWN: &[&str] = &[
    "list_users",
    "create_user",
    "list_orders",
    "create_order",
    // Takes a number of the client's: `orders::an_order_number_of_somebody_else_finds_nothing`.
    "look_up_orders",
    "list_templates",
    "create_template",
    // They take a person to narrow by: `links::links_are_listed…` and `tasks::tasks_are_listed…` have somebody else's.
    "list_links",
    "list_tasks",
    // Takes a key's id or secret, which ends: `keys::keys_of_somebody_else_are_not_there`.
    "create_key",
    "deactivate_key",
    "list_webhooks",
    "create_webhook",
    "list_webhook_requests",
    "list_events",
    "stream_events",
    "get_sandbox_clock",
    "turn_sandbox_clock",
    "get_sandbox_faults",
    "set_sandbox_faults",
    "reset_sandbox",
    // Takes a user name: `ledger::scenarios_and_changes_of_pay_are_in_the_books` has somebody else's.
    "export_sandbox_ledger",
    "list_sandbox_scenarios",
    "create_sandbox_scenario",
    "resolve_sandbox_scenario",
    // Takes a bridge token, and waits for its task: `sandbox::p05_a_session_of_somebody_else_is_not_there`.
    "create_sandbox_public_token",
];

/// Operations on facts that are the same for every client.
const PUBLIC: &[&str] =
    &["search_companies", "match_company", "get_company", "list_providers", "get_provider"];

struct Pick {
    operation: &'static str,
    body: fn(&Belongings) -> Value,
    path: fn(&Belongings) -> Option<&String>,
    /// It is about something that stays when the links of its owner are deleted.
    outlives_links: bool,
}

async fn send(client: &TestClient<'_>, method: &str, path: &str, pick: &Pick, own: &Belongings) -> Reply {
    let path = match ((pick.path)(own), path.find('{')) {
        // A value may stand for several parameters and the words between them.
        (Some(id), Some(start)) => {
            let end = path.rfind('}').unwrap_or(start);
            format!("{}{id}{}", &path[..start], &path[end + 1..])
        }
        _ => path.to_owned(),
    };
    // A deleted endpoint is gone for the tries that follow.
    let path = match pick.operation {
        "delete_webhook" if is_owner(client, own).await => {
            path.replace(&own.webhook_id, &endpoint_of(client).await)
        }
        "delete_sandbox_scenario" if is_owner(client, own).await => {
            path.replace(&own.scenario_id, &scenario_of(client).await)
        }
        "cancel_order" if is_owner(client, own).await => path.replace(&own.order_id, &order_of(client).await),
        "delete_template" if is_owner(client, own).await => {
            path.replace(&own.template_id, &template_of(client).await)
        }
        "delete_user" if is_owner(client, own).await => {
            path.replace(&own.user_id, &client.user("somebody").await)
        }
        "delete_link" if is_owner(client, own).await => {
            // Of somebody else: reports about a person go with any of the links.
            let user = client.user("another").await;
            path.replace(&own.link_id, &client.link_of(&user, "income").await.0)
        }
        _ => path,
    };
    // An exchange spends what it takes: a fresh token for each owner's try.
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let mut body = (pick.body)(own);
    if pick.operation.starts_with("create_access_token") && is_owner(client, own).await {
        let fresh = client.connect("income").await;
        body = match body.get("public_token") {
            Some(_) => json!({"public_token": fresh}),
            None => json!({"public_tokens": [fresh]}),
        };
    }
    let request = client.request(method, &path).header("Content-Type", "application/json");
    client.app.send(request.body(Body::from(body.to_string())).unwrap()).await
}

async fn is_owner(client: &TestClient<'_>, own: &Belongings) -> bool {
    client.get(&format!("/v1/tasks/{}", own.task_id)).await.status == StatusCode::OK
}

/// P5: what is not enabled does not tell either what exists.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_what_is_not_enabled_is_refused_to_owners_only() {
    for_each_db(async |app| {
        let (acme, other) = (app.client("acme").await, app.client("other").await);
        let user_id = acme.user("somebody").await;
        let (link_id, _) = acme.link_of(&user_id, "income").await;
        let of_links = "auth balances bank_statements transactions investments liabilities \
                        income/transactions/reports insurance/report insurance/auto insurance/home";
        let of_users = "assets/reports income_insights/reports";
        let mut calls = Vec::new();
        for (words, kind, id) in [(of_links, "links", &link_id), (of_users, "users", &user_id)] {
            for what in words.split_whitespace() {
                calls.push((Method::GET, format!("/v1/{kind}/{id}/{what}/"), id));
            }
        }
        for what in of_users.split_whitespace() {
            calls.push((Method::POST, format!("/v1/users/{user_id}/{what}/"), &user_id));
            calls.push((Method::GET, format!("/v1/users/{user_id}/{what}/{NO_LINK}/?fmt=pdf"), &user_id));
        }
        let query = "?page_size=100&page=1&transacted_at_from=2026-01-01T00:00:00Z";
        calls.push((Method::GET, format!("/v1/links/{link_id}/transactions{query}"), &link_id));
        let send = async |client: &TestClient<'_>, method: &Method, path: &str| {
            client.app.send(client.request(method.clone(), path).body(Body::empty()).unwrap()).await
        };
        for (method, path, id) in &calls {
            let own = send(&acme, method, path).await;
            assert_eq!(
                (own.status, own.code().as_str()),
                (StatusCode::FORBIDDEN, "not_authenticated"),
                "{path}"
            );
            assert!(own.text().contains("not enabled"), "{own:?}");
            for (client, path) in [(&other, path.clone()), (&acme, path.replace(*id, NO_LINK))] {
                let reply = send(client, method, &path).await;
                assert_eq!(
                    (reply.status, reply.text()),
                    (StatusCode::NOT_FOUND, r#"{"detail":"Not Found."}"#)
                );
            }
        }
        for (method, path) in [
            (Method::GET, "/v1/scoring_attributes/reports/".to_owned()),
            (Method::POST, "/v1/scoring_attributes/reports/".to_owned()),
            (Method::GET, format!("/v1/scoring_attributes/reports/{NO_LINK}/")),
        ] {
            assert_eq!(send(&acme, &method, &path).await.status, StatusCode::FORBIDDEN, "{path}");
        }
        assert_eq!(app.get("/v1/scoring_attributes/reports/").await.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

/// P5: lists show the caller's own, in its own environment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_lists_of_webhooks_and_events_are_the_callers_own() {
    for_each_db(async |app| {
        let (acme, other) = (app.client("acme").await, app.client("other").await);
        let theirs = belongings(&other).await;
        let mine = belongings(&acme).await;
        for (client, own) in [(&acme, &mine), (&other, &theirs)] {
            client.post(&format!("/v1/events/{}/resend/", own.event_id), json!({})).await;
        }
        app.run_jobs().await;
        let (_, secret) = app.key(other.id, Environment::Dev).await;
        let other_dev = TestClient { app: &app, id: other.id, key_id: other.key_id, secret };
        for path in ["/v1/webhooks/", "/v1/events/", "/v1/webhook-requests/"] {
            let shown = acme.get(path).await;
            assert!(!shown.json()["results"].as_array().unwrap().is_empty(), "{path}");
            assert!(
                !shown.text().contains(&theirs.webhook_id) && !shown.text().contains(&theirs.task_id),
                "{path}"
            );
            assert_eq!(other_dev.get(path).await.json()["results"], json!([]), "{path}");
        }
        // An event of one's own cannot be sent to somebody else's endpoint.
        let path = format!("/v1/events/{}/resend/", mine.event_id);
        let reply = acme.post(&path, json!({"webhook_id": theirs.webhook_id})).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
        assert_eq!(
            acme.patch(&format!("/v1/webhooks/{}/", theirs.webhook_id), json!({"name": ""})).await.status,
            StatusCode::NOT_FOUND
        );
    })
    .await;
}

/// P5: a client's keys of two environments see two worlds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_environments_never_meet() {
    for_each_db(async |app| {
        let sandbox = app.client("acme").await;
        let (_, secret) = app.key(sandbox.id, Environment::Dev).await;
        let dev = TestClient { app: &app, id: sandbox.id, key_id: sandbox.key_id, secret };
        let own = belongings(&sandbox).await;
        assert_eq!(dev.get(&format!("/v1/tasks/{}", own.task_id)).await.status, StatusCode::NOT_FOUND);
        assert_eq!(dev.exchange(&own.public_token).await.status, StatusCode::NOT_FOUND);
        let body = json!({"access_token": own.access_token});
        assert_eq!(dev.post("/v1/verifications/incomes/", body).await.status, StatusCode::NOT_FOUND);
        // The token was not spent by the foreign try.
        assert_eq!(sandbox.exchange(&own.public_token).await.status, StatusCode::OK);
    })
    .await;
}

/// Outside the sandbox a provider without a connector says so; nothing is made up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p06_dev_never_shows_sandbox_people() {
    for_each_db(async |app| {
        let client = app.client_in("acme", Environment::Dev).await;
        let bridge_token = client.bridge_token("income").await;
        let body = json!({"provider_id": "adp", "login": {}});
        let reply = app.widget(Method::POST, "/tasks", &bridge_token, Some(body)).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        let task_id = reply.json()["task_id"].as_str().unwrap().to_owned();
        app.run_jobs().await;
        assert_eq!(app.task(&bridge_token, &task_id).await["status"], "not_supported");
    })
    .await;
}
