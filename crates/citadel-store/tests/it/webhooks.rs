//! Endpoints, the outbox, and the log of attempts.

use citadel_domain::{EventId, WebhookId};
use citadel_store::{
    Tenant, Tx,
    deliveries::{self, Filter},
    outbox::{self, Range, Waiting},
    tasks::Task,
    webhook_events, webhooks,
};
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use crate::{
    fixtures::{Done, append_event},
    harness::{Store, for_each_db},
};

const TYPE: &str = "task-status-updated";

async fn due(store: &Store, tenant: Tenant, webhook: WebhookId, now: Timestamp) -> Vec<Waiting> {
    store.db.read(async move |tx| outbox::due(tx, tenant, webhook, now, 100).await).await.unwrap()
}

fn ids(waiting: &[Waiting]) -> Vec<EventId> {
    waiting.iter().map(|row| row.event_id).collect()
}

/// Events of a task that wait for an endpoint.
async fn waiting_events(store: &Store, task: &Task, webhook: WebhookId, count: usize) -> Vec<EventId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let (event, tenant, now) = (store.event(task).await, task.tenant, store.now);
        ids.push(event.id);
        let put = async move |tx: &mut Tx<'_>| {
            outbox::put(tx, tenant, webhook, (event.id, event.sequence, event.task_id), false, now).await
        };
        store.db.write(put).await.unwrap();
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn p27_events_are_numbered_in_the_order_of_their_commits() {
    for_each_db("event_sequence", async |store| {
        let (_, _, task) = store.running_task().await;
        let (_, _, foreign) = store.running_task().await;
        let tenant = task.tenant;
        store.event(&foreign).await;
        let mut writers = JoinSet::new();
        for _ in 0..40 {
            let (store, task) = (store.clone(), task.clone());
            writers.spawn(async move {
                let new = store.new_event(&task);
                let append = async move |tx: &mut Tx<'_>| append_event(tx, &new).await;
                store.db.write(append).await.unwrap()
            });
        }
        // Read on from the newest number while others commit: nothing may turn up behind it.
        let mut seen = Vec::new();
        while seen.len() < 40 {
            let after = seen.last().copied().unwrap_or(0);
            let list = async move |tx: &mut Tx<'_>| webhook_events::list_after(tx, tenant, after, 7).await;
            seen.extend(store.db.read(list).await.unwrap().into_iter().map(|event| event.sequence));
        }
        let mut numbers = writers.join_all().await;
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
        assert_eq!(seen, numbers);
        let last = store.db.read(async move |tx| webhook_events::last_sequence(tx, tenant).await).await;
        assert_eq!(last.unwrap(), 40);
    })
    .await;
}

#[tokio::test]
async fn p31_of_a_task_the_first_event_without_an_attempt_is_due() {
    for_each_db("outbox_order", async |store| {
        let (token, link, task) = store.running_task().await;
        let other = store.task(&token, &link, store.now).await;
        let (tenant, webhook) = (task.tenant, store.webhook(task.tenant).await);
        let first = waiting_events(&store, &task, webhook, 3).await;
        let second = waiting_events(&store, &other, webhook, 2).await;
        let found = due(&store, tenant, webhook, store.now).await;
        assert_eq!(ids(&found), [first[0], second[0]]);
        assert_eq!(found[0].access_key_id, Some(task.access_key_id));

        // A failed attempt lets the next event go, and comes again later.
        let (row, later) = (found[0].clone(), store.after(60));
        let retry = async move |tx: &mut Tx<'_>| outbox::retry(tx, tenant, webhook, &row, false, later).await;
        store.db.write(retry).await.unwrap();
        assert_eq!(ids(&due(&store, tenant, webhook, store.now).await), [first[1], second[0]]);
        assert_eq!(ids(&due(&store, tenant, webhook, later).await), [first[1], second[0], first[0]]);

        for row in due(&store, tenant, webhook, store.now).await {
            let remove = async move |tx: &mut Tx<'_>| outbox::remove(tx, tenant, webhook, &row).await;
            store.db.write(remove).await.unwrap();
        }
        assert_eq!(ids(&due(&store, tenant, webhook, store.now).await), [first[2], second[1]]);
        let next = async move |tx: &mut Tx<'_>| outbox::next_at(tx, tenant, webhook).await;
        assert_eq!(store.db.read(next).await.unwrap(), Some(store.now));
        let clear = async move |tx: &mut Tx<'_>| {
            Done::Ok((outbox::clear(tx, tenant, webhook).await?, outbox::next_at(tx, tenant, webhook).await?))
        };
        assert_eq!(store.db.write(clear).await.unwrap(), (3, None));
    })
    .await;
}

#[tokio::test]
async fn p32_an_event_that_is_asked_for_again_is_not_ended_by_an_earlier_attempt() {
    for_each_db("outbox_round", async |store| {
        let (_, _, task) = store.running_task().await;
        let (tenant, now) = (task.tenant, store.now);
        let webhook = store.webhook(tenant).await;
        let id = waiting_events(&store, &task, webhook, 1).await[0];
        let in_flight = due(&store, tenant, webhook, now).await.remove(0);
        store
            .db
            .write(async move |tx| {
                let event = webhook_events::find(tx, tenant, id).await?.unwrap();
                outbox::put(tx, tenant, webhook, (event.id, event.sequence, event.task_id), false, now)
                    .await?;
                outbox::remove(tx, tenant, webhook, &in_flight).await
            })
            .await
            .unwrap();
        let again = due(&store, tenant, webhook, now).await.remove(0);
        assert_eq!((again.event_id, again.round, again.attempts), (id, 2, 0));
    })
    .await;
}

#[tokio::test]
async fn p32_a_range_is_put_back_by_time_type_and_success() {
    for_each_db("outbox_range", async |store| {
        let (_, _, task) = store.running_task().await;
        let (tenant, now) = (task.tenant, store.now);
        let webhook = store.webhook(tenant).await;
        let (taken, refused) = (store.event(&task).await, store.event(&task).await);
        let mut of_another_type = store.new_event(&task);
        of_another_type.event_type = "link-connected".to_owned();
        let good = store.new_delivery(tenant, webhook, taken.id, 204);
        let bad = store.new_delivery(tenant, webhook, refused.id, 500);
        let count = async |types: &'static [&'static str], from: Timestamp, only_failed: bool| {
            let range = Range { from, to: from + SignedDuration::from_secs(10), only_failed };
            let put = async move |tx: &mut Tx<'_>| {
                outbox::clear(tx, tenant, webhook).await?;
                outbox::put_range(tx, tenant, webhook, types, range, now).await
            };
            store.db.write(put).await.unwrap()
        };
        store
            .db
            .write(async move |tx| {
                append_event(tx, &of_another_type).await?;
                deliveries::append(tx, &good).await?;
                deliveries::append(tx, &bad).await
            })
            .await
            .unwrap();
        assert_eq!(count(&[TYPE], now, false).await, 2);
        assert_eq!(count(&[TYPE, "link-connected"], now, false).await, 3);
        assert_eq!(count(&[TYPE], now, true).await, 1);
        assert_eq!(ids(&due(&store, tenant, webhook, now).await), [refused.id]);
        assert_eq!(count(&[TYPE], store.after(1), false).await, 0);
        assert_eq!(count(&[TYPE], store.after(-11), false).await, 0);
    })
    .await;
}

#[tokio::test]
async fn endpoints_are_kept_changed_and_removed_within_their_environment() {
    for_each_db("webhooks", async |store| {
        let tenant = store.tenant().await;
        let other = store.tenant().await;
        let (id, now) = (store.webhook(tenant).await, store.after(5));
        store
            .db
            .write(async move |tx| {
                assert!(webhooks::find(tx, other, id).await?.is_none());
                assert!(!webhooks::delete(tx, other, id).await?);
                let mut webhook = webhooks::find(tx, tenant, id).await?.unwrap();
                assert_eq!((webhook.is_enabled, webhook.events.as_slice()), (true, &[TYPE.to_owned()][..]));
                webhook.name = "Other".to_owned();
                webhook.events = Vec::new();
                webhooks::update(tx, &webhook, now).await?;
                webhooks::rotate_secret(tx, tenant, id, &[2], &[9], now, now).await?;
                webhooks::set_failing_since(tx, tenant, id, Some(now)).await?;
                webhooks::disable(tx, tenant, id, "gone", now).await?;
                let [webhook] = &webhooks::list(tx, tenant).await?[..] else { panic!("one endpoint") };
                assert_eq!((webhook.name.as_str(), webhook.events.len()), ("Other", 0));
                assert_eq!(
                    (webhook.secret_sealed.as_slice(), &webhook.previous),
                    (&[2][..], &Some((vec![9], now)))
                );
                assert_eq!((webhook.is_enabled, webhook.disabled_because.as_deref()), (false, Some("gone")));
                assert_eq!((webhook.failing_since, webhook.updated_at), (Some(now), now));
                assert!(webhooks::delete(tx, tenant, id).await?);
                assert_eq!(webhooks::list(tx, tenant).await?.len(), 0);
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn p32_attempts_are_listed_newest_first_filtered_and_swept() {
    for_each_db("deliveries", async |store| {
        let (_, _, task) = store.running_task().await;
        let tenant = task.tenant;
        let (webhook, event) = (store.webhook(tenant).await, store.event(&task).await);
        let mut made = Vec::new();
        for number in 0..5 {
            let mut new = store.new_delivery(tenant, webhook, event.id, 200 + number);
            new.attempted_at = store.after(number);
            new.id = citadel_domain::DeliveryId::generate(new.attempted_at, &*store.random);
            new.status_code = (number != 4).then_some(200 + number);
            made.push(new.id);
            store.db.write(async move |tx| deliveries::append(tx, &new).await).await.unwrap();
        }
        let (from, to, middle) = (store.after(1), store.after(3), made[2]);
        store
            .db
            .write(async move |tx| {
                let all = Filter::default();
                let ids =
                    |found: Vec<deliveries::Delivery>| found.iter().map(|row| row.id).collect::<Vec<_>>();
                let newest = deliveries::list_before(tx, tenant, &all, None, 2).await?;
                assert_eq!((newest[0].status_code, newest[0].body.as_str()), (None, "{}"));
                assert_eq!(ids(newest), [made[4], made[3]]);
                assert_eq!(
                    ids(deliveries::list_before(tx, tenant, &all, Some(middle), 9).await?),
                    [made[1], made[0]]
                );
                assert_eq!(
                    ids(deliveries::list_after(tx, tenant, &all, middle, 9).await?),
                    [made[3], made[4]]
                );
                let timed = Filter { from: Some(from), to: Some(to), ..Filter::default() };
                assert_eq!(ids(deliveries::list_before(tx, tenant, &timed, None, 9).await?).len(), 3);
                let typed = Filter { event_type: Some("link-connected".to_owned()), ..Filter::default() };
                assert_eq!(ids(deliveries::list_before(tx, tenant, &typed, None, 9).await?).len(), 0);
                let answered = Filter { status_code: Some(203), ..Filter::default() };
                assert_eq!(ids(deliveries::list_before(tx, tenant, &answered, None, 9).await?), [made[3]]);
                assert_eq!(deliveries::delete_before(tx, from).await?, 1);
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_to_one_endpoint_and_what_waits_for_it_is_told() {
    for_each_db("endpoint_lists", async |store| {
        let (_, _, task) = store.running_task().await;
        let tenant = task.tenant;
        let (one, other) = (store.webhook(tenant).await, store.webhook(tenant).await);
        let events = waiting_events(&store, &task, one, 3).await;
        waiting_events(&store, &task, other, 1).await;
        for (webhook, event) in [(one, events[0]), (other, events[0]), (one, events[1])] {
            let delivery = store.new_delivery(tenant, webhook, event, 200);
            store.db.write(async move |tx| deliveries::append(tx, &delivery).await).await.unwrap();
        }
        let list = async |before| {
            let filter = Filter { webhook_id: Some(one), ..Filter::default() };
            let list =
                async move |tx: &mut Tx<'_>| deliveries::list_before(tx, tenant, &filter, before, 10).await;
            store.db.read(list).await.unwrap()
        };
        let sent = list(None).await;
        let mut told: Vec<_> = sent.iter().map(|row| row.event_id).collect();
        told.sort_unstable();
        assert_eq!(told, events[..2]);
        let newest = sent[0].id;
        let all = async move |tx: &mut Tx<'_>| {
            deliveries::list_before(tx, tenant, &Filter::default(), None, 9).await
        };
        let all: Vec<_> = store.db.read(all).await.unwrap().iter().map(|row| row.id).collect();
        for (before, count, expected) in [
            (None, 0, Some(all[0])),
            (None, 2, Some(all[2])),
            (Some(all[0]), 0, Some(all[1])),
            (None, 3, None),
        ] {
            let find = async move |tx: &mut Tx<'_>| deliveries::find_before(tx, tenant, before, count).await;
            assert_eq!(store.db.read(find).await.unwrap(), expected, "{before:?} {count}");
        }
        let filter = Filter { webhook_id: Some(one), back_to: Some(newest), ..Filter::default() };
        let list_to =
            async move |tx: &mut Tx<'_>| deliveries::list_before(tx, tenant, &filter, None, 9).await;
        assert_eq!(store.db.read(list_to).await.unwrap().len(), 1);
        let older = list(Some(sent[0].id)).await;
        assert_eq!(older.iter().map(|row| row.id).collect::<Vec<_>>(), [sent[1].id]);
        let waiting = store.db.read(async move |tx| outbox::list_waiting(tx, tenant, one, 2).await).await;
        let waiting: Vec<_> = waiting.unwrap().iter().map(|row| (row.event_id, row.attempts)).collect();
        assert_eq!(waiting, [(events[0], 0), (events[1], 0)]);
    })
    .await;
}
