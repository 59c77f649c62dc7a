//! `?provenance=1`, `derived_fields` and `missing_data_fields`: true for every value, whoever it is about.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    sandbox::link,
    support::{TestApp, TestClient, for_each_db},
};

/// The leaves of a report by JSON pointer: what is neither an object nor a list with something in it.
fn leaves(pointer: &str, value: &Value, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                leaves(&format!("{pointer}/{name}"), inner, found);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for (index, inner) in list.iter().enumerate() {
                leaves(&format!("{pointer}/{index}"), inner, found);
            }
        }
        leaf => drop(found.insert(pointer.to_owned(), leaf.clone())),
    }
}

async fn report(client: &TestClient<'_>, path: &str, access_token: &str) -> Value {
    let reply = client.post(path, json!({"access_token": access_token})).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    reply.json()
}

/// Takes the provenance out of a report and checks that it speaks of every leaf and of nothing else.
fn check(who: &str, mut report: Value) -> BTreeMap<String, Value> {
    let told = report.as_object_mut().unwrap().remove("provenance").unwrap();
    let told: BTreeMap<String, Value> = told.as_object().unwrap().clone().into_iter().collect();
    let mut there = BTreeMap::new();
    leaves("", &report, &mut there);
    assert_eq!(told.keys().collect::<Vec<_>>(), there.keys().collect::<Vec<_>>(), "{who}");
    for (pointer, leaf) in &there {
        let (origin, place) = (&told[pointer], format!("{who} {pointer}: {leaf} {}", told[pointer]));
        let is_absent = leaf.is_null() || leaf.as_array().is_some() || leaf == "";
        let basis = origin["basis"].as_str().unwrap();
        let notes_nothing = pointer.ends_with("_fields");
        assert_eq!(basis == "missing", is_absent && !notes_nothing, "{place}");
        assert_eq!(origin["why"].is_string(), basis == "missing", "{place}");
        assert_eq!(
            origin["source"],
            if basis == "reported" { "adp" } else { origin["source"].as_str().unwrap() }
        );
        assert!(["adp", "citadel"].contains(&origin["source"].as_str().unwrap()), "{place}");
        assert!(origin["observed_at"].as_str().unwrap().starts_with("2026-11-18T15:"), "{place}");
        assert!(basis != "computed" || origin["from"].is_string(), "{place}");
    }
    for (index, job) in report["employments"].as_array().into_iter().flatten().enumerate() {
        let at = format!("/employments/{index}");
        listed(who, job, &at, &told, is_named_of_a_job);
        for (index, statement) in job["statements"].as_array().into_iter().flatten().enumerate() {
            listed(who, statement, &format!("{at}/statements/{index}"), &told, |_| true);
        }
    }
    told
}

/// Sums of a job are told apart, and a job that goes on has no end.
fn is_named_of_a_job(name: &str) -> bool {
    !["annual_income_summary", "employed_in_role", "end_date"].contains(&name) && !name.ends_with(".id")
}

/// The two lists of an object name exactly what its provenance says.
fn listed(who: &str, object: &Value, at: &str, told: &BTreeMap<String, Value>, is_named: fn(&str) -> bool) {
    let names = |field: &str| {
        let mut names: Vec<_> =
            object[field].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    let of_basis = |basis: &str| {
        let inside = told.iter().filter_map(|(pointer, origin)| {
            let name = pointer.strip_prefix(at)?.strip_prefix('/')?.replace('/', ".");
            let is_own = name == "md5sum"
                || !name.split('.').any(|step| step.parse::<usize>().is_ok())
                    && (origin["source"] == "adp" || basis == "computed");
            (origin["basis"] == basis && is_own && is_named(&name)).then_some(name)
        });
        let mut names: Vec<_> = inside.collect();
        names.sort();
        names
    };
    let mut missing = of_basis("missing");
    // Only an end that is known to have been can be missing.
    if object["is_active"] == false && object["end_date"].is_null() {
        missing.push("end_date".to_owned());
        missing.sort();
    }
    assert_eq!(names("missing_data_fields"), missing, "{who} {at}");
    let mut derived = names("derived_fields");
    derived.retain(|name| name != "annual_income_summary");
    assert_eq!(derived, of_basis("computed"), "{who} {at}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_value_of_every_report_has_a_provenance() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        for username in ["goodlogin", "hourly.part-time", "goodlogin.tn2"] {
            let access_token = link(&client, "income", username, "goodpassword").await;
            for path in ["/v1/verifications/incomes/", "/v1/verifications/employments/"] {
                let plain = report(&client, path, &access_token).await;
                let full = report(&client, &format!("{path}?provenance=1"), &access_token).await;
                let mut bare = full.clone();
                bare.as_object_mut().unwrap().remove("provenance");
                assert_eq!(masked(bare), masked(plain), "nothing else differs");
                let told = check(username, full);
                assert_eq!(told["/employments/0/job_title"]["basis"], "reported");
                assert_eq!(told["/employments/0/end_date"]["why"], "The job goes on.");
                assert_eq!(told["/employments/0/profile/full_name"]["basis"], "computed");
                assert_eq!(told["/id"]["basis"], "recorded");
            }
        }
        let admin = link(&client, "admin", "goodlogin", "goodpassword").await;
        let told = check("company", report(&client, "/v1/links/reports/admin/?provenance=1", &admin).await);
        assert_eq!(told["/directory/0/first_name"]["basis"], "reported");
        let deposit = link(&client, "deposit_switch", "fulltime", "goodpassword").await;
        let told = check("deposit", report(&client, "/v1/deposit-switches/?provenance=1", &deposit).await);
        for (pointer, basis, source) in [
            ("/initial_accounts/0/account_number", "reported", "adp"),
            ("/initial_accounts/0/deposit_value", "missing", "adp"),
            ("/deposit_details/account_number", "recorded", "citadel"),
            ("/status", "recorded", "citadel"),
        ] {
            let origin = &told[pointer];
            assert_eq!((&origin["basis"], &origin["source"]), (&json!(basis), &json!(source)), "{pointer}");
        }
        let reply =
            client.post("/v1/deposit-switches/?provenance=yes", json!({"access_token": deposit})).await;
        assert_eq!(reply.invalid_fields(), ["provenance"]);
    })
    .await;
}

/// File addresses end at a time of their own.
fn masked(mut value: Value) -> Value {
    fn mask(value: &mut Value) {
        match value {
            Value::Object(object) => object.iter_mut().for_each(|(name, inner)| match name.as_str() {
                "file" => *inner = Value::Null,
                _ => mask(inner),
            }),
            Value::Array(list) => list.iter_mut().for_each(mask),
            _ => {}
        }
    }
    mask(&mut value);
    value
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_is_true_of_people_who_break_integrations() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    for person in citadel_connectors::sandbox::ugly_pack() {
        let token = client.bridge_token("income").await;
        let body = json!({"bridge_token": token, "provider_id": "adp", "username": person.username, "password": "goodpassword"});
        let signed = crate::sandbox::sign_in(&client, body).await.json();
        if signed["status"] != "done" {
            continue;
        }
        let access_token =
            client.exchange(signed["public_token"].as_str().unwrap()).await.json()["access_token"].clone();
        let path = "/v1/verifications/incomes/?provenance=1";
        check(&person.username, report(&client, path, access_token.as_str().unwrap()).await);
    }
}
