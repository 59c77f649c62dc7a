//! What a scenario's person is paid, from one day to the next.

use std::sync::Arc;

use citadel_connectors::{
    AuthNext, Connector, Cx, Invented, MemoryBooks, Phase, Want,
    sandbox::{Sandbox, scenario},
};
use citadel_domain::{
    Money, Secret,
    payroll::{Employment, PayUnit},
};
use jiff::civil::{Date, date};

use crate::support::{auth, cx, login};

/// The first job of a scenario with one user, `avery`, on a day.
async fn job(scenario: &serde_json::Value, today: &str) -> Employment {
    jobs(scenario, today).await.into_iter().next().expect("a job")
}

async fn jobs(scenario: &serde_json::Value, today: &str) -> Vec<Employment> {
    scenario::read(scenario).expect("a scenario that is right");
    let invented = Invented { id: "avery".to_owned(), json: Secret::new(scenario.to_string()) };
    let books = Arc::new(MemoryBooks::with_scenarios(vec![("avery".to_owned(), invented)]));
    let cx = Cx { books, ..cx(&format!("{today}T12:00:00Z")) };
    let Ok(AuthNext::Ready(grant)) = auth(&cx, login("avery", "secret")).await else { panic!("not in") };
    Sandbox::new().fetch(&cx, &grant, Want { phase: Phase::Deep }).await.expect("data").employments
}

#[tokio::test]
async fn a_raise_changes_the_pay_from_its_day_on() {
    let scenario = serde_json::json!({
        "data_source": "payroll", "label": "raise", "username": "avery", "password": "secret",
        "payload": {"employments": [{
            "start_date": "2024-01-01", "income": "52000.00", "income_unit": "YEARLY", "pay_frequency": "W",
            "generate": {},
            "changes": [
                {"date": "2026-11-02", "set": {"income": "104000.00"}},
                {"date": "2026-06-01", "set": {"income": "78000.00"}}
            ]
        }]}
    });
    let paid = |job: &Employment, from: Date| {
        let mut statements = job.statements.iter();
        statements
            .find(|statement| statement.period_start == Some(from))
            .and_then(|statement| statement.gross)
    };
    let before = job(&scenario, "2026-05-30").await;
    let after = job(&scenario, "2026-11-23").await;
    let dollars = |dollars: i64| Some(Money::from_cents(dollars * 100));
    assert_eq!(before.pay.and_then(|pay| pay.rate), dollars(52_000));
    assert_eq!(after.pay.and_then(|pay| pay.rate), dollars(104_000));
    assert_eq!(paid(&after, date(2026, 5, 18)), dollars(1_000));
    assert_eq!(paid(&after, date(2026, 6, 1)), dollars(1_500));
    assert_eq!(paid(&after, date(2026, 11, 2)), dollars(2_000));
    // A later day only adds.
    let oldest = after.statements.last().and_then(|statement| statement.pay_date);
    for statement in before.statements.iter().filter(|statement| statement.pay_date >= oldest) {
        assert!(after.statements.contains(statement), "{:?}", statement.pay_date);
    }
}

#[tokio::test]
async fn a_listed_w2_stands_in_the_place_of_a_generated_one() {
    let scenario = serde_json::json!({
        "data_source": "payroll", "label": "w2", "username": "avery", "password": "secret",
        "payload": {"employments": [{
            "start_date": "2024-01-01", "income": "52000.00", "income_unit": "YEARLY", "pay_frequency": "W",
            "generate": {},
            "w2s": [{"year": 2025, "wages": "1.00"}]
        }]}
    });
    let job = job(&scenario, "2026-11-23").await;
    let wages: Vec<_> = job.w2s.iter().map(|w2| (w2.year, w2.wages.map(|wages| wages.to_string()))).collect();
    assert_eq!(wages, [(2025, Some("1.00".to_owned())), (2024, Some("51000.00".to_owned()))]);
}

#[tokio::test]
async fn a_promotion_from_hours_to_a_salary_changes_the_pay_from_its_day_on() {
    let promoted = serde_json::json!({"income": "78000.00", "income_unit": "YEARLY"});
    let scenario = serde_json::json!({
        "data_source": "payroll", "label": "promotion", "username": "avery", "password": "secret",
        "payload": {"employments": [{
            "start_date": "2024-01-01", "income": "20.00", "income_unit": "HOURLY", "pay_frequency": "W",
            "generate": {"hours_per_week": "30"},
            "changes": [
                {"date": "2026-03-02", "set": {"generate": {"hours_per_week": "38"}}},
                {"date": "2026-06-01", "set": promoted}
            ]
        }]}
    });
    let before = job(&scenario, "2026-05-30").await;
    let after = job(&scenario, "2026-11-23").await;
    let on =
        |from: Date| after.statements.iter().find(move |each| each.period_start == Some(from)).expect("pay");
    let (part_time, more, salary) = (on(date(2026, 2, 23)), on(date(2026, 3, 2)), on(date(2026, 6, 1)));
    assert_eq!((part_time.basis, more.basis), (Some(PayUnit::Hourly), Some(PayUnit::Hourly)));
    assert!(part_time.hours < more.hours, "{:?} {:?}", part_time.hours, more.hours);
    assert_eq!((salary.basis, salary.gross), (Some(PayUnit::Yearly), Some(Money::from_cents(150_000))));
    let oldest = after.statements.last().and_then(|statement| statement.pay_date);
    for statement in before.statements.iter().filter(|statement| statement.pay_date >= oldest) {
        assert!(after.statements.contains(statement), "{:?}", statement.pay_date);
    }
}

/// A job that has an id is the same job wherever it stands in the list.
#[tokio::test]
async fn jobs_that_change_places_keep_their_past() {
    let of_job = |id: &str, start: &str, income: &str| {
        serde_json::json!({
            "id": id, "start_date": start, "income": income, "income_unit": "HOURLY", "pay_frequency": "W", "generate": {},
        })
    };
    let [a, b] = [of_job("a", "2024-01-01", "20.00"), of_job("b", "2025-01-06", "50.00")];
    let later =
        serde_json::json!([of_job("c", "2026-01-05", "70.00"), of_job("b", "2025-01-06", "60.00"), a]);
    let last = serde_json::json!([of_job("c", "2026-01-05", "80.00"), of_job("b", "2025-01-06", "60.00"), a]);
    let scenario = serde_json::json!({
        "data_source": "payroll", "label": "places", "username": "avery", "password": "secret",
        "payload": {"employments": [a, b]},
        "changes": [
            {"date": "2026-06-01", "set": {"payload": {"employments": later}}},
            {"date": "2026-09-07", "set": {"payload": {"employments": last}}},
        ]
    });
    let of_id = |jobs: &[Employment], id: &str| {
        jobs.iter().find(|job| job.external_id == id).unwrap_or_else(|| panic!("{id}")).clone()
    };
    let days = ["2026-05-30", "2026-08-31", "2026-11-23"];
    let mut on_days = Vec::new();
    for today in days {
        on_days.push(jobs(&scenario, today).await);
    }
    for (earlier, later) in on_days.iter().zip(&on_days[1..]) {
        for before in earlier {
            let after = of_id(later, &before.external_id);
            let oldest = after.statements.last().and_then(|statement| statement.pay_date);
            for statement in before.statements.iter().filter(|each| each.pay_date >= oldest) {
                assert!(after.statements.contains(statement), "{}: {statement:?}", before.external_id);
            }
        }
    }
    let rate = |id: &str, from: Date| {
        let job = of_id(&on_days[2], id);
        let paid = job.statements.iter().find(|each| each.period_start == Some(from)).expect("pay");
        paid.earnings[0].rate.expect("a rate").to_string()
    };
    assert_eq!((rate("b", date(2026, 5, 25)), rate("b", date(2026, 6, 1))), ("50.00".into(), "60.00".into()));
    // Pay of a time before the job was first told of is as it was told of first.
    assert_eq!((rate("c", date(2026, 5, 25)), rate("c", date(2026, 9, 7))), ("70.00".into(), "80.00".into()));
}
