//! What a scenario's person is paid, from one day to the next.

use std::sync::Arc;

use citadel_connectors::{AuthNext, Connector, Cx, Invented, MemoryBooks, Phase, Want, sandbox::Sandbox};
use citadel_domain::{
    Money, Secret,
    payroll::{Employment, PayUnit},
};
use jiff::civil::{Date, date};

use crate::support::{auth, cx, login};

/// The first job of a scenario with one user, `avery`, on a day.
async fn job(scenario: &serde_json::Value, today: &str) -> Employment {
    let invented = Invented { id: "avery".to_owned(), json: Secret::new(scenario.to_string()) };
    let books = Arc::new(MemoryBooks::with_scenarios(vec![("avery".to_owned(), invented)]));
    let cx = Cx { books, ..cx(&format!("{today}T12:00:00Z")) };
    let Ok(AuthNext::Ready(grant)) = auth(&cx, login("avery", "secret")).await else { panic!("not in") };
    let data = Sandbox::new().fetch(&cx, &grant, Want { phase: Phase::Deep }).await.expect("data");
    data.employments.into_iter().next().expect("a job")
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
