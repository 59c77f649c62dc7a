use citadel_domain::TaskStatus;
use citadel_store::{
    Tenant, retention,
    usage::{self, Kind, Outcome, Reached, Requests, Tally},
};
use jiff::{SignedDuration, Timestamp};

use crate::harness::{Store, for_each_db};

const HOUR: i64 = 3600;

async fn add(store: &Store, tenant: Tenant, seconds: i64, route: &str, status: u16, duration_us: u64) {
    let kind = Kind::of(tenant, store.after(seconds), route, status, duration_us);
    let tally = Tally { calls: 1, duration_us: i64::try_from(duration_us).unwrap() };
    store.db.write(async move |tx| usage::add(tx, &kind, tally).await).await.unwrap();
}

#[tokio::test]
async fn calls_are_counted_by_time_and_route() {
    for_each_db("usage_requests", async |store| {
        let (tenant, other) = (store.tenant().await, store.tenant().await);
        for _ in 0..19 {
            add(&store, tenant, 0, "/v1/links/", 200, 700).await;
        }
        add(&store, tenant, 1, "/v1/links/", 503, 40_000).await;
        add(&store, tenant, 2, "/v1/users/", 404, 1_500).await;
        add(&store, tenant, 3 * HOUR, "/v1/links/", 200, 60_000_000).await;
        add(&store, other, 0, "/v1/links/", 200, 700).await;
        let (since, until) = (store.after(-HOUR), store.after(9 * HOUR));
        let by_time = async |hours| {
            let read = store.db.read(async move |tx| usage::requests(tx, tenant, since, until, hours).await);
            read.await.unwrap()
        };
        let hours = by_time(1).await;
        let (first, second) = (&hours[0].1, &hours[1].1);
        assert_eq!((hours.len(), hours[1].0 - hours[0].0), (2, SignedDuration::from_hours(3)));
        assert_eq!((first.calls, first.refused, first.failed), (21, 1, 1));
        assert_eq!(first.duration_us, 19 * 700 + 40_000 + 1_500);
        assert_eq!(
            (first.within_ms(0.5), first.within_ms(0.95), first.within_ms(1.0)),
            (Some(1), Some(2), Some(64))
        );
        assert_eq!((second.calls, second.within_ms(0.5)), (1, None), "the last bucket has no end");
        assert_eq!(Requests::default().within_ms(0.5), None);
        let days = by_time(24).await;
        assert_eq!(days.iter().map(|(_, day)| day.calls).sum::<i64>(), 22);
        let routes =
            store.db.read(async move |tx| usage::routes(tx, tenant, since, until).await).await.unwrap();
        let counted: Vec<_> =
            routes.iter().map(|(route, requests)| (route.as_str(), requests.calls)).collect();
        assert_eq!(counted, [("/v1/links/", 21), ("/v1/users/", 1)]);

        let later = store.now + retention::USAGE + SignedDuration::from_hours(2);
        let gone = store.db.write(async move |tx| retention::delete_usage(tx, later).await).await.unwrap();
        assert_eq!(gone, 4, "the hour of the first, of both clients");
        assert_eq!(by_time(1).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn conversion_counts_each_widget_once() {
    for_each_db("usage_conversion", async |store| {
        let (token, ..) = store.running_task().await;
        let tenant = token.tenant;
        let second = store.bridge_token(tenant).await;
        for (token, name) in [
            (&token, "SELECT_EMPLOYER"),
            (&token, "SELECT_EMPLOYER"),
            (&second, "SELECT_EMPLOYER"),
            (&token, "SUCCESS"),
        ] {
            store.screen(token, name, 0).await;
        }
        let (since, until) = (store.after(-HOUR), store.after(HOUR));
        let read = store.db.read(async move |tx| usage::conversion(tx, tenant, since, until).await);
        let day = day_of(store.now);
        let reached = |screen: &str, tokens| Reached { day, screen: screen.to_owned(), tokens };
        assert_eq!(read.await.unwrap(), [reached("SELECT_EMPLOYER", 2), reached("SUCCESS", 1)]);
    })
    .await;
}

#[tokio::test]
async fn outcomes_are_counted_by_provider() {
    for_each_db("usage_outcomes", async |store| {
        let (token, link, task) = store.running_task().await;
        let tenant = token.tenant;
        store.put_status(&task, TaskStatus::Done).await;
        let again = store.task(&token, &link, store.after(1)).await;
        store.put_status(&again, TaskStatus::LoginError).await;
        store.task(&token, &link, store.after(2)).await;
        store.running_task().await;
        let (since, until) = (store.after(-HOUR), store.after(HOUR));
        let read = store.db.read(async move |tx| usage::outcomes(tx, tenant, since, until).await);
        let day = day_of(store.now);
        let outcome = |status| Outcome { day, provider_id: "paywell".to_owned(), status, tasks: 1 };
        assert_eq!(read.await.unwrap(), [outcome(TaskStatus::Done), outcome(TaskStatus::LoginError)]);
    })
    .await;
}

fn day_of(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second() / 86_400 * 86_400).unwrap()
}
