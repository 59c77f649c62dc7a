//! What a scenario may not be, and where the refusal says it is wrong.

use citadel_connectors::sandbox::scenario::{self, Problem, line_of};
use serde_json::{Value, json};

/// A scenario whose one job is that of `job`.
fn of_job(job: &Value) -> Value {
    json!({
        "data_source": "payroll", "label": "checks", "username": "avery", "password": "secret",
        "payload": {"employments": [job]}
    })
}

fn problems(scenario: &Value) -> Vec<Problem> {
    scenario::read(scenario).err().unwrap_or_default()
}

/// The fields that are refused.
fn refused(scenario: Value) -> Vec<String> {
    problems(&scenario)
        .into_iter()
        .map(|problem| problem.field.replace("payload.employments[0]", "job"))
        .collect()
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

/// Readers of JSON take a list for the fields of an object, in the order of some program.
#[test]
fn a_list_is_no_object() {
    let job = json!({
        "profile": ["Al", "Quist"], "company": {"address": []}, "statements": [{"earnings": [["Regular"]]}]
    });
    let mut found = refused(of_job(&job));
    found.sort();
    assert_eq!(found, ["job.company.address", "job.profile", "job.statements[0].earnings[0]"]);
    assert_eq!(refused(json!([of_job(&json!({}))])), [""]);
}

#[test]
fn what_is_missing_is_named() {
    let mut scenario = of_job(&json!({"changes": [{"set": {}}]}));
    assert_eq!(refused(scenario.clone()), ["job.changes[0].date"]);
    scenario["payload"] = json!({});
    scenario.as_object_mut().expect("an object").remove("password");
    assert_eq!(refused(scenario), ["password"]);
}

#[test]
fn pay_that_is_not_above_zero_is_told_where_it_stands() {
    let job = json!({
        "start_date": "2020-01-06", "income": "-5.00", "income_unit": "HOURLY", "pay_frequency": "W", "generate": {}
    });
    assert_eq!(refused(of_job(&job)), ["job.income"]);
    assert_eq!(refused(of_job(&json!({"income": "5.00", "generate": {}}))), ["job.generate"]);
}

/// A change may put jobs there that change themselves.
#[test]
fn what_becomes_different_later_in_something_that_became_different_is_checked() {
    let mut scenario = of_job(&json!({}));
    let later = json!({"date": "2027-02-01", "set": {"income_unit": "FORTNIGHTLY"}});
    scenario["changes"] =
        json!([{"date": "2027-01-01", "set": {"payload": {"employments": [{"changes": [later]}]}}}]);
    assert_eq!(refused(scenario), ["changes[0].set.job.changes[0].set.income_unit"]);
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

/// A client finds the line in the text that it sent, which is not the scenario as it is on the day.
#[test]
fn what_is_wrong_from_a_day_on_is_told_where_the_change_of_the_day_stands() {
    let check = |changed: &Value, job_changes: &Value, needle: &str, field: &str| {
        let pay = json!({"start_date": "2020-01-06", "income": "20.00", "income_unit": "HOURLY", "pay_frequency": "W"});
        let mut job = pay.clone();
        job["generate"] = json!({});
        job["changes"] = job_changes.clone();
        let mut scenario = of_job(&job);
        scenario["changes"] = changed.clone();
        let text = serde_json::to_string_pretty(&scenario).unwrap();
        let found = problems(&scenario);
        assert_eq!(found.first().map(|problem| problem.field.as_str()), Some(field), "{found:?}");
        // An object begins on the line before its first field.
        let line =
            text.lines().position(|line| line.contains(needle)).unwrap() + usize::from(!field.ends_with(']'));
        assert_eq!(line_of(&text, field), Some(line), "{needle}");
    };
    let none = json!([]);
    let on = |date: &str, set: &Value| json!({"date": date, "set": set});
    // Of the third change, which is the second by day.
    let changes = json!([
        on("2027-01-04", &json!({"income": "21.00"})),
        on("2027-03-01", &json!({"income": "23.00"})),
        on("2027-02-01", &json!({"job_title": "Clerk", "income_unit": "FORTNIGHTLY"})),
    ]);
    let job = "payload.employments[0]";
    check(&none, &changes, "FORTNIGHTLY", &format!("{job}.changes[2].set.income_unit"));
    // Of what is merged into an object, and of a list, which is replaced.
    let changes = json!([on("2027-01-04", &json!({"generate": {"hours_per_week": "101"}}))]);
    check(&none, &changes, "\"101\"", &format!("{job}.changes[0].set.generate.hours_per_week"));
    let jobs = json!([{"job_title": "Clerk"}, {"job_type": "Z"}]);
    let changes = json!([on("2027-01-04", &json!({"payload": {"employments": jobs}}))]);
    check(&changes, &none, "\"Z\"", "changes[0].set.payload.employments[1].job_type");
    // Something older is made wrong by the change: it is the change that is told.
    let changes = json!([
        on("2027-01-04", &json!({"generate": {"hours_per_week": "30"}})),
        {"set": {"income": null}, "date": "2027-02-01"},
    ]);
    check(&none, &changes, "2027-02-01", &format!("{job}.changes[1]"));
}

/// One is opened and read for each sign-in, whatever is in it.
#[test]
fn a_scenario_has_64_kilobytes_at_most() {
    let of_size = |bytes: usize| {
        let mut scenario = of_job(&json!({}));
        let rest = bytes - scenario.to_string().len() - r#","description":"""#.len();
        scenario["description"] = "x".repeat(rest).into();
        assert_eq!(scenario.to_string().len(), bytes);
        scenario
    };
    assert_eq!(problems(&of_size(65_536)), []);
    let found = problems(&of_size(65_537));
    assert!(found.len() == 1 && found[0].message.contains("65536 bytes"), "{found:?}");
}

#[test]
fn statements_are_written_for_twenty_jobs_at_most() {
    let jobs = |count: usize| {
        let job = json!({
            "start_date": "2020-01-06", "income": "20.00", "income_unit": "HOURLY", "pay_frequency": "W", "generate": {},
        });
        let mut scenario = of_job(&json!({}));
        scenario["payload"]["employments"] = vec![job; count].into();
        scenario
    };
    assert_eq!(refused(jobs(20)), [""; 0]);
    assert_eq!(refused(jobs(21)), ["payload.employments"]);
}

#[test]
fn days_are_of_the_years_1900_to_2199() {
    for (day, is_right) in
        [("1899-12-31", false), ("1900-01-01", true), ("2199-12-31", true), ("9999-12-31", false)]
    {
        let job = json!({
            "start_date": day, "end_date": day, "original_hire_date": day, "external_last_updated": day,
            "profile": {"date_of_birth": day},
            "statements": [{"pay_date": day, "period_start": day, "period_end": day}],
            "income": "20.00", "income_unit": "HOURLY", "pay_frequency": "W",
            "generate": {"earnings": [{"name": "Tips", "amount": "1.00", "from": day, "until": day}]},
            "changes": [{"date": day, "set": {}}],
        });
        let fields = [
            "job.start_date",
            "job.end_date",
            "job.original_hire_date",
            "job.external_last_updated",
            "job.profile.date_of_birth",
            "job.generate.earnings[0].from",
            "job.generate.earnings[0].until",
            "job.statements[0].pay_date",
            "job.statements[0].period_start",
            "job.statements[0].period_end",
            "job.changes[0].date",
        ];
        let expected = if is_right { &[][..] } else { &fields[..] };
        assert_eq!(refused(of_job(&job)), expected, "{day}");
    }
    assert_eq!(refused(of_job(&json!({"w2s": [{"year": 1900}, {"year": 2199}]}))), [""; 0]);
    let fields = ["job.w2s[0].year", "job.w2s[1].year"];
    assert_eq!(refused(of_job(&json!({"w2s": [{"year": 1899}, {"year": 32_767}]}))), fields);
}

#[test]
fn shares_of_deposits_are_percents_or_amounts() {
    let check = |kind: &str, value: &str, is_right: bool| {
        let account = json!({
            "account_number": "5550001", "routing_number": "110000002", "deposit_type": kind, "deposit_value": value,
        });
        let expected: &[&str] = if is_right { &[] } else { &["job.bank_accounts[0].deposit_value"] };
        assert_eq!(refused(of_job(&json!({"bank_accounts": [account]}))), expected, "{kind} {value}");
    };
    for (value, is_right) in [("0", true), ("33.333", true), ("100", true), ("100.01", false), ("-1", false)]
    {
        check("P", value, is_right);
    }
    for (value, is_right) in
        [("0", true), ("100000000", true), ("0.001", false), ("-1", false), ("100000001", false)]
    {
        check("A", value, is_right);
    }
    check("E", "79228162514264337593543950335", false);
}
