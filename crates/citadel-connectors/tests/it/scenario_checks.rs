//! What a scenario may not be, and where the refusal says it is wrong.

use citadel_connectors::sandbox::scenario::ReadScenario;
use serde_json::{Value, json};

/// A scenario whose one job is that of `job`.
fn of_job(job: &Value) -> Value {
    json!({
        "data_source": "payroll", "label": "checks", "username": "avery", "password": "secret",
        "payload": {"employments": [job]}
    })
}

/// The fields that are refused.
fn refused(scenario: Value) -> Vec<String> {
    let problems = ReadScenario::of(scenario).err().unwrap_or_default();
    problems.into_iter().map(|problem| problem.field.replace("payload.employments[0]", "job")).collect()
}

/// A report tells jobs, statements and W-2s apart by what these are made of.
#[test]
fn nothing_is_told_apart_by_what_is_there_twice() {
    let job = json!({
        "statements": [{"id": "a"}, {"id": "b"}, {"id": "a"}, {}, {"id": "stub-3"}],
        "w2s": [{"year": 2025}, {"year": 2024}, {"year": 2025}]
    });
    assert_eq!(refused(of_job(&job)), ["job.statements[2].id", "job.statements[4].id", "job.w2s[2].year"]);
    let mut scenario = of_job(&json!({}));
    scenario["payload"]["employments"] = json!([{"id": "one"}, {}, {"id": "one"}, {"id": "job-1"}]);
    assert_eq!(refused(scenario), ["payload.employments[2].id", "payload.employments[3].id"]);
}

/// A change may put jobs there that change themselves.
#[test]
fn what_becomes_different_later_in_something_that_became_different_is_checked() {
    let mut scenario = of_job(&json!({}));
    let later = json!({"date": "2027-02-01", "set": {"income_unit": "FORTNIGHTLY"}});
    scenario["changes"] =
        json!([{"date": "2027-01-01", "set": {"payload": {"employments": [{"changes": [later]}]}}}]);
    assert_eq!(refused(scenario), ["job.income_unit"]);
}

/// Each day is read and checked by itself, so their number is the work of a request.
#[test]
fn things_become_different_on_a_hundred_days_at_most() {
    let on_days = |count: i32| {
        let first: jiff::civil::Date = "2027-01-01".parse().expect("a day");
        let days = first.series(jiff::ToSpan::days(1)).take(usize::try_from(count).expect("a number"));
        let changes: Vec<Value> =
            days.map(|day| json!({"date": day, "set": {"job_title": "Clerk"}})).collect();
        of_job(&json!({ "changes": changes }))
    };
    assert_eq!(refused(on_days(100)), [""; 0]);
    assert_eq!(refused(on_days(101)), ["changes"]);
}

/// Statements are written from the first day on.
#[test]
fn a_job_with_generated_statements_begins_in_1900_or_later() {
    let job = |start: &str| {
        let pay =
            json!({"start_date": start, "income": "20.00", "income_unit": "HOURLY", "pay_frequency": "W"});
        let mut job = pay;
        job["generate"] = json!({});
        of_job(&job)
    };
    assert_eq!(refused(job("1900-01-01")), [""; 0]);
    assert_eq!(refused(job("1899-12-31")), ["job.generate"]);
}
