//! Links, keys and templates, as the contract spells their calls.

use citadel_sdk::{DeactivateKey, ErrorKind, MatchCompany, UserFilter, WriteTemplate};
use serde_json::{Value, from_str, json};

use crate::double::{Double, answer};

#[tokio::test]
async fn what_a_link_knows_is_read_by_its_id() {
    let statement = json!({"id": "s1", "gross_pay": "10.00"});
    let document = json!({"id": "t1", "document_type": "W2", "year": 2025, "fields": {"wages": "1.00"}});
    let job = json!({"id": "e1", "profile": {"first_name": "John"}, "company": {}});
    let report = json!({"id": "r1", "status": "done", "access_token": null, "employments": [job]});
    let deposit = json!({"id": "r1", "status": "done", "deposit_details": {"account_number": "1"}});
    let double = Double::start([
        answer(200, &report),
        answer(200, &report),
        answer(200, &deposit),
        answer(200, &deposit),
        answer(200, json!([job])),
        answer(200, &job),
        answer(200, json!({"first_name": "John"})),
        answer(200, json!([statement])),
        answer(200, &statement),
        answer(200, json!([{"account_number": "1"}])),
        answer(200, json!([document])),
        answer(200, &document),
        answer(200, "[]"),
    ])
    .await;
    let citadel = &double.citadel;
    assert_eq!(citadel.link_income_report("l1").await.unwrap().access_token, None);
    assert_eq!(citadel.link_employment_report("l1").await.unwrap().employments.len(), 1);
    assert!(citadel.link_deposit_switch_report("l1").await.unwrap().deposit_details.is_some());
    assert_eq!(citadel.link_paycheck_linked_loan_report("l1").await.unwrap().status, "done");
    // A link without income tells jobs without pay.
    assert_eq!(citadel.link_employments("l1").await.unwrap()[0].income, None);
    assert_eq!(citadel.link_employment("l1").await.unwrap().employment.id, "e1");
    assert_eq!(citadel.link_identity("l1").await.unwrap().first_name.as_deref(), Some("John"));
    assert_eq!(citadel.link_statements("l1").await.unwrap()[0].id, "s1");
    assert_eq!(citadel.link_statement("l1", "s1").await.unwrap().gross_pay.as_deref(), Some("10.00"));
    assert_eq!(citadel.link_bank_accounts("l1").await.unwrap().len(), 1);
    assert_eq!(citadel.link_tax_documents("l1").await.unwrap()[0].year, 2025);
    let document = citadel.link_tax_document("l1", "t1").await.unwrap();
    assert_eq!(document.fields.wages.as_deref(), Some("1.00"));
    assert!(citadel.link_shifts("l1").await.unwrap().is_empty());
    let paths = "income/report employment/report direct_deposit/report pll/report employments employment identity \
                 statements statements/s1 bank_accounts tax tax/t1 shifts";
    let expected: Vec<_> = paths.split_whitespace().map(|path| format!("GET /v1/links/l1/{path}/")).collect();
    assert_eq!(double.lines(), expected);
}

#[tokio::test]
async fn links_and_tasks_are_listed_of_a_person_or_of_everybody() {
    let page = |row: Value| json!({"count": 1, "next": null, "previous": null, "results": [row]});
    let link = json!({"id": "l1", "access_token": "a1", "created_at": "", "updated_at": "", "status": "done",
        "provider_id": "adp", "allowed_products": ["income"], "initial_product_type": "income",
        "data_source": "payroll", "is_suspicious": false});
    let task = json!({"id": "t1", "status": "done", "product_type": "income", "created_at": "", "updated_at": "",
        "user_id": "u1", "data_source": "payroll"});
    let double = Double::start([
        answer(200, page(link.clone())),
        answer(200, &link),
        answer(204, ""),
        answer(200, page(task)),
        answer(200, json!({"completed_at": null, "links": []})),
    ])
    .await;
    let citadel = &double.citadel;
    assert_eq!(citadel.links("u1", 1).await.unwrap().results[0].id, "l1");
    assert_eq!(citadel.link("l1").await.unwrap().provider_id, "adp");
    citadel.delete_link("l1").await.unwrap();
    assert_eq!(citadel.tasks("", 2).await.unwrap().results[0].user_id.as_deref(), Some("u1"));
    assert!(citadel.user_deposit_switch_report("u1").await.unwrap().links.is_empty());
    assert_eq!(
        double.lines(),
        [
            "GET /v1/links/?user_id=u1&page=1",
            "GET /v1/links/l1/",
            "DELETE /v1/links/l1/",
            "GET /v1/tasks/?page=2",
            "GET /v1/users/u1/deposit_switch/report/",
        ]
    );
}

/// A document is given as it is, after as many repeats as other answers, and its refusal is an error like others.
#[tokio::test]
async fn users_are_narrowed_and_their_reports_are_documents() {
    let page = json!({"count": 0, "next": null, "previous": null, "results": []});
    let double = Double::start([
        answer(200, &page),
        answer(200, &page),
        answer(503, "{}"),
        answer(200, "%PDF-1.7"),
        answer(404, json!({"detail": "Not Found."})),
    ])
    .await;
    let citadel = &double.citadel;
    citadel.users(UserFilter::default(), 1).await.unwrap();
    let filter = UserFilter {
        external_user_id: "u 1",
        from: "2026-11-18",
        to: "2026-11-19",
        product_type: "income",
        without_links: true,
    };
    citadel.users(filter, 2).await.unwrap();
    assert_eq!(citadel.user_report_pdf("u1", "r1").await.unwrap(), b"%PDF-1.7");
    let missing = citadel.user_report_pdf("u1", "r2").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(
        double.lines(),
        [
            "GET /v1/users/?page=1",
            "GET /v1/users/?external_user_id=u+1&created_at__gte=2026-11-18&created_at__lte=2026-11-19\
             &product_type=income&list_links=false&page=2",
            "GET /v1/users/u1/reports/r1/?fmt=pdf",
            "GET /v1/users/u1/reports/r1/?fmt=pdf",
            "GET /v1/users/u1/reports/r2/?fmt=pdf",
        ]
    );
}

#[tokio::test]
async fn keys_templates_and_employers_are_sent_as_they_are() {
    let key = json!({"id": "k2", "client_id": "c1", "access_secret": "canary", "env_type": "sandbox",
        "created_at": ""});
    let template = json!({"id": "t1", "name": "Main", "created_at": "", "updated_at": "", "landing": [1]});
    let refusal = json!({"error": {"code": "incorrect_parameters", "message": "two active keys already"}});
    let double = Double::start([
        answer(201, key),
        answer(400, refusal),
        answer(200, json!({"id": "k1", "deactivated_at": ""})),
        answer(201, &template),
        answer(200, json!({"count": 1, "next": null, "previous": null, "results": [template]})),
        answer(200, &template),
        answer(200, &template),
        answer(204, ""),
        answer(200, json!({"name": "Home Depot", "confidence_level": "1.00", "mapping_status": "mapped"})),
    ])
    .await;
    let citadel = &double.citadel;
    let made = citadel.create_key().await.unwrap();
    assert_eq!(made.access_secret.expose(), "canary");
    assert!(!format!("{made:?}").contains("canary"));
    assert_eq!(citadel.create_key().await.unwrap_err().kind(), ErrorKind::InvalidRequest);
    let request = DeactivateKey { id: Some("k1".to_owned()), access_secret: None };
    assert_eq!(citadel.deactivate_key(&request).await.unwrap().id, "k1");

    let mut request = WriteTemplate { name: Some("Main".to_owned()), ..WriteTemplate::default() };
    request.look.insert("landing".to_owned(), json!([1]));
    assert_eq!(citadel.create_template(&request).await.unwrap().look["landing"], json!([1]));
    assert_eq!(citadel.templates(1).await.unwrap().results[0].name, "Main");
    assert_eq!(citadel.template("t1").await.unwrap().id, "t1");
    citadel.update_template("t1", &WriteTemplate::default()).await.unwrap();
    citadel.delete_template("t1").await.unwrap();
    let request = MatchCompany { domain: Some("homedepot.com".to_owned()), ..MatchCompany::default() };
    assert_eq!(citadel.match_company(&request).await.unwrap().name, "Home Depot");

    assert_eq!(
        double.lines(),
        [
            "POST /v1/keys/",
            "POST /v1/keys/",
            "POST /v1/keys/deactivate/",
            "POST /v1/templates/",
            "GET /v1/templates/?page=1",
            "GET /v1/templates/t1/",
            "PATCH /v1/templates/t1/",
            "DELETE /v1/templates/t1/",
            "POST /v1/companies/",
        ]
    );
    let sent = double.seen();
    assert_eq!(from_str::<Value>(&sent[2].body).unwrap(), json!({"id": "k1"}));
    assert_eq!(from_str::<Value>(&sent[3].body).unwrap(), json!({"name": "Main", "landing": [1]}));
    assert_eq!(from_str::<Value>(&sent[6].body).unwrap(), json!({}));
    assert_eq!(from_str::<Value>(&sent[8].body).unwrap(), json!({"domain": "homedepot.com"}));
}
