//! Deliveries to endpoints: nothing lost, signed, retried, in order.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    http::{StatusCode, header},
    response::IntoResponse,
};
use citadel_domain::Clock;
use citadel_sdk::webhooks::{Verifier, VerifyError, verify_citadel_signature};
use citadel_server::jobs;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::{
    receiver::{BadReceiver, Received, Receiver},
    support::{TestApp, TestClient, for_each_db},
};

/// Every change of a task arrived at this receiver, byte for byte, and nothing else did: that is what an endpoint without a
/// list of events gets.
async fn check_all_arrived(client: &TestClient<'_>, receiver: &Receiver) {
    let written: BTreeMap<_, _> = client
        .events()
        .await
        .into_iter()
        .filter(|event| event["event_type"] == "task-status-updated")
        .map(|event| (event["id"].as_str().unwrap().to_owned(), event["payload"].clone()))
        .collect();
    let arrived: BTreeMap<_, _> =
        receiver.received().into_iter().map(|request| (request.id(), request.json())).collect();
    assert_eq!(arrived, written);
}

/// P27: whatever is committed arrives; what is rolled back does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p27_what_is_committed_arrives_and_nothing_else() {
    for_each_db(async |app| {
        let (client, other) = (app.client("acme").await, app.client("other").await);
        let (receiver, foreign) = (Receiver::start().await, Receiver::start().await);
        client.webhook(&receiver.url()).await;
        other.webhook(&foreign.url()).await;
        client.connect("income").await;
        let bridge_token = client.bridge_token("income").await;
        app.sign_in(&bridge_token, "error.user", "account_locked").await;
        other.connect("employment").await;
        app.run_jobs().await;
        assert_eq!(receiver.received().len(), 5 + 3);
        check_all_arrived(&client, &receiver).await;
        check_all_arrived(&other, &foreign).await;
        assert_eq!(app.run_jobs().await, 0, "the dispatchers have ended");
    })
    .await;
}

/// P27: a transaction that wrote its event, and then failed, tells nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p27_a_change_that_is_rolled_back_is_not_told() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let receiver = Receiver::start().await;
    client.webhook(&receiver.url()).await;
    let run = async |sql: &'static str| {
        app.app.db.write(async move |tx| tx.execute(sql, &[]).await).await.unwrap();
    };
    // The quick steps of a task share a commit, so those before the last one were written, too.
    run("create trigger stop after insert on webhook_events when new.body like '%\"status\":\"done\"%'
         begin select raise(abort, 'on purpose'); end")
    .await;
    let bridge_token = client.bridge_token("income").await;
    let task_id = app.sign_in(&bridge_token, "goodlogin", "goodpassword").await;
    app.run_jobs().await;
    let told = |statuses: &[&str]| {
        let found: Vec<_> = receiver
            .received()
            .iter()
            .map(|request| request.json()["status"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(found, statuses);
    };
    told(&["new"]);
    run("drop trigger stop").await;
    app.advance(60);
    app.run_jobs().await;
    assert_eq!(app.task(&bridge_token, &task_id).await["status"], "done");
    told(&["new", "login", "parse", "full_parse", "done"]);
    check_all_arrived(&client, &receiver).await;
}

/// P27: a worker that sent and did not come to record it. The event comes again, with its id; nobody records twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p27_a_crash_between_sending_and_recording_repeats_with_the_same_id() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let (arrived, released) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (tell, wait) = (arrived.clone(), released.clone());
        let receiver = BadReceiver::start(move |mut stream| {
            let (tell, wait) = (tell.clone(), wait.clone());
            async move {
                tell.add_permits(1);
                wait.acquire().await.unwrap().forget();
                let _ = tokio::io::AsyncWriteExt::write_all(
                    &mut stream,
                    b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                )
                .await;
            }
        })
        .await;
        client.webhook(&receiver.url()).await;
        let bridge_token = client.bridge_token("income").await;
        app.sign_in(&bridge_token, "nobody", "nothing").await;
        let worker = app.app.clone();
        let first = tokio::spawn(async move { jobs::run_due(&worker).await });
        arrived.acquire().await.unwrap().forget();
        // Another worker has the job now: as when this one was silent for longer than its lease.
        app.app
            .db
            .write(async |tx| {
                tx.execute("update jobs set fence = fence + 1 where kind = 'deliver_webhooks'", &[]).await
            })
            .await
            .unwrap();
        released.add_permits(1000);
        first.await.unwrap().unwrap();
        assert_eq!(client.attempts().await, Vec::<Value>::new(), "a stale worker records nothing");
        app.advance(31);
        app.run_jobs().await;
        let attempts = client.attempts().await;
        let told: BTreeSet<_> =
            attempts.iter().map(|attempt| attempt["webhook_id"].as_str().unwrap()).collect();
        assert_eq!((attempts.len(), told.len(), receiver.connections()), (3, 3, 4));
    })
    .await;
}

/// P27: what waits, waits through a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p27_what_waits_is_delivered_after_a_restart() {
    for_each_db(async |app| {
        let receiver = Receiver::start().await;
        let (id, key_id, secret) = {
            let client = app.client("acme").await;
            client.webhook(&receiver.url()).await;
            let bridge_token = client.bridge_token("income").await;
            app.sign_in(&bridge_token, "goodlogin", "goodpassword").await;
            (client.id, client.key_id, client.secret.clone())
        };
        let app = app.reopen().await;
        app.run_jobs().await;
        let client = TestClient { app: &app, id, key_id, secret };
        assert_eq!(receiver.received().len(), 5);
        check_all_arrived(&client, &receiver).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_gets_the_events_that_it_wants_while_it_is_on() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let [all, none, off, gone] = [
            Receiver::start().await,
            Receiver::start().await,
            Receiver::start().await,
            Receiver::start().await,
        ];
        client.webhook(&all.url()).await;
        let (id, _) = client.webhook(&none.url()).await;
        client.patch(&format!("/v1/webhooks/{id}/"), json!({"events": ["link-deleted"]})).await;
        let (off_id, _) = client.webhook(&off.url()).await;
        let (gone_id, _) = client.webhook(&gone.url()).await;
        let bridge_token = client.bridge_token("income").await;
        app.sign_in(&bridge_token, "goodlogin", "goodpassword").await;
        // What waits for an endpoint that is switched off or deleted is dropped.
        client.patch(&format!("/v1/webhooks/{off_id}/"), json!({"enabled": false})).await;
        client.delete(&format!("/v1/webhooks/{gone_id}/")).await;
        app.run_jobs().await;
        client.patch(&format!("/v1/webhooks/{off_id}/"), json!({"enabled": true})).await;
        app.advance(100);
        app.run_jobs().await;
        let counts = [&all, &none, &off, &gone].map(|receiver| receiver.received().len());
        assert_eq!(counts, [5, 0, 0, 0]);
        assert_eq!(waiting(&app).await, None);
        client.connect("income").await;
        app.run_jobs().await;
        let counts = [&all, &none, &off, &gone].map(|receiver| receiver.received().len());
        assert_eq!(counts, [10, 0, 5, 0]);
    })
    .await;
}

fn verify(verifier: &Verifier, request: &Received, now: Timestamp) -> Result<(), VerifyError> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now.as_second().try_into().unwrap());
    let header = |name: &str| request.header(name);
    verifier.verify(
        header("webhook-id"),
        header("webhook-timestamp"),
        header("webhook-signature"),
        &request.body,
        now,
    )
}

/// P28: both signatures, over the bytes that were sent; checked with the SDK, whose own tests hold values from
/// elsewhere, and with the reference library of Standard Webhooks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p28_every_delivery_carries_both_signatures() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let receiver = Receiver::start().await;
        let (_, secret) = client.webhook(&receiver.url()).await;
        client.connect("income").await;
        app.run_jobs().await;
        let reference = standardwebhooks::Webhook::new(&secret).unwrap();
        let verifier = Verifier::new([secret.as_str()]).unwrap();
        for request in receiver.received() {
            assert_eq!(request.path, "/webhook");
            assert_eq!(request.header("content-type"), "application/json");
            assert_eq!(request.header("user-agent"), "Truv-Webhook-Service/2.0");
            assert_eq!(request.header("webhook-id"), request.id());
            assert_eq!(request.header("webhook-timestamp"), app.clock.now().as_second().to_string());
            assert_eq!(request.header("content-length"), request.body.len().to_string());
            let older = request.header("x-webhook-sign");
            assert_eq!(verify_citadel_signature(&client.secret, older, &request.body), Ok(()));
            assert!(
                older
                    .strip_prefix("v1=")
                    .unwrap()
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            );
            assert_eq!(verify(&verifier, &request, app.clock.now()), Ok(()));
            // It knows no other time than the machine's, so it signs where it cannot verify.
            let at = app.clock.now().as_second();
            let signed = |body: &[u8]| reference.sign(&request.id(), at, body).unwrap();
            assert_eq!(request.header("webhook-signature"), signed(&request.body));
            let mut flipped = request.clone();
            let mut body = request.body.to_vec();
            body[20] ^= 1;
            flipped.body = body.into();
            assert!(verify(&verifier, &flipped, app.clock.now()).is_err());
            assert!(verify_citadel_signature(&client.secret, older, &flipped.body).is_err());
            assert_ne!(request.header("webhook-signature"), signed(&flipped.body));
        }
    })
    .await;
}

/// P28: for 24 hours after a rotation both secrets sign, then the new one alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p28_a_rotation_leaves_no_delivery_unverifiable() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let receiver = Receiver::start().await;
        let (id, old) = client.webhook(&receiver.url()).await;
        let rotated = client.post(&format!("/v1/webhooks/{id}/rotate-secret/"), json!({})).await.json();
        let new = rotated["secret"].as_str().unwrap().to_owned();
        let accepts = async |secret: &str| {
            client.connect("income").await;
            app.run_jobs().await;
            let verifier = Verifier::new([secret]).unwrap();
            verify(&verifier, receiver.received().last().unwrap(), app.clock.now()).is_ok()
        };
        assert!(accepts(&old).await && accepts(&new).await);
        app.advance(24 * 3600 - 60);
        assert!(accepts(&old).await && accepts(&new).await);
        app.advance(60);
        assert!(!accepts(&old).await && accepts(&new).await);
    })
    .await;
}

/// P28: the secret of the key that made the bridge token signs. When that key is gone, the newest of the environment
/// does; when none is left, nothing leaves unsigned.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p28_the_key_behind_the_event_signs_or_the_newest_one() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let receiver = Receiver::start().await;
        client.webhook(&receiver.url()).await;
        app.advance(1);
        let (newer, newer_secret) = app.key(client.id, citadel_domain::Environment::Sandbox).await;
        let signed_by = async |secret: &str| {
            app.run_jobs().await;
            let last = receiver.received().pop().unwrap();
            verify_citadel_signature(secret, last.header("x-webhook-sign"), &last.body).is_ok()
        };
        let delete = async |key| {
            let (client_id, now) = (client.id, app.stamp());
            let delete = app
                .app
                .db
                .write(async move |tx| citadel_store::access_keys::delete(tx, client_id, key, now).await);
            assert!(delete.await.unwrap());
        };
        client.connect("income").await;
        assert!(signed_by(&client.secret).await);
        let bridge_token = client.bridge_token("income").await;
        app.sign_in(&bridge_token, "goodlogin", "mfa").await;
        delete(client.key_id).await;
        assert!(signed_by(&newer_secret).await);
        let event = receiver.received().pop().unwrap().id();
        let with_newer = TestClient { app: &app, id: client.id, key_id: newer, secret: newer_secret.clone() };
        let count = receiver.received().len();
        with_newer.post(&format!("/v1/events/{event}/resend/"), json!({})).await;
        delete(newer).await;
        app.run_jobs().await;
        assert_eq!(receiver.received().len(), count, "nothing was sent");
        app.advance(7);
        let (_, secret) = app.key(client.id, citadel_domain::Environment::Sandbox).await;
        assert!(signed_by(&secret).await);
        assert_eq!(receiver.received().len(), count + 1);
        let with_new = TestClient { app: &app, id: client.id, key_id: newer, secret };
        assert!(with_new.attempts().await.iter().any(|attempt| {
            attempt["status_code"].is_null()
                && attempt["error_message"].as_str().unwrap().contains("no active access key")
        }));
    })
    .await;
}

/// When the next attempt at any endpoint is due.
async fn waiting(app: &TestApp) -> Option<Timestamp> {
    let next = app.app.db.read(async |tx| {
        tx.fetch_optional("select next_at from outbox order by next_at limit 1", &[], |row| row.get(0)).await
    });
    next.await.unwrap()
}

const TABLE: [i64; 9] = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400];

/// An app with one event that waits, and its client's parts.
async fn one_event(
    app: &TestApp,
    receiver: &Receiver,
) -> (citadel_domain::ClientId, citadel_domain::AccessKeyId, String) {
    let client = app.client("acme").await;
    client.webhook(&receiver.url()).await;
    let bridge_token = client.bridge_token("income").await;
    app.sign_in(&bridge_token, "goodlogin", "goodpassword").await;
    // One event is enough here: the rest of the task is not run.
    let parked =
        app.app.db.write(async |tx| tx.execute("delete from jobs where kind = 'run_task'", &[]).await);
    parked.await.unwrap();
    (client.id, client.key_id, client.secret.clone())
}

/// P29: ten attempts, each within a fifth of the table, with a restart between any two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p29_attempts_follow_the_table_through_restarts() {
    for_each_db(async |mut app| {
        let receiver = Receiver::answering(|_, _| StatusCode::SERVICE_UNAVAILABLE.into_response()).await;
        let (id, key_id, secret) = one_event(&app, &receiver).await;
        app.run_jobs().await;
        for (index, wait) in TABLE.into_iter().enumerate() {
            assert_eq!(receiver.received().len(), index + 1);
            let due = waiting(&app).await.unwrap();
            let share = (due - app.clock.now()).as_secs_f64() / wait as f64;
            assert!((0.8..=1.2).contains(&share), "{index}: {share}");
            app = app.reopen().await;
            app.clock.advance(due.duration_since(app.clock.now()) - jiff::SignedDuration::from_millis(1));
            app.run_jobs().await;
            assert_eq!(receiver.received().len(), index + 1, "not too early");
            app.clock.advance(jiff::SignedDuration::from_millis(1));
            app.run_jobs().await;
        }
        assert_eq!((receiver.received().len(), waiting(&app).await), (10, None));
        let client = TestClient { app: &app, id, key_id, secret };
        let attempts = client.attempts().await;
        assert_eq!(attempts.len(), 10);
        assert_eq!((&attempts[0]["attempt"], &attempts[0]["status_code"]), (&json!(10), &json!(503)));
        let ids: BTreeSet<_> = receiver.received().iter().map(Received::id).collect();
        assert_eq!(ids.len(), 1);
    })
    .await;
}

/// P29: what a receiver asks for counts between one and two waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p29_absurd_wishes_of_a_receiver_are_bounded() {
    let app = TestApp::on_sqlite().await;
    let receiver = Receiver::answering(|number, _| {
        const WISHES: [&str; 10] = [
            "99999999999999999999999999999999",
            "Fri, 31 Dec 9999 23:59:59 GMT",
            "-1",
            "0",
            "1e300",
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "soon",
            "9223372036854775807",
            "\t7 days",
            "18446744073709551616",
        ];
        let wish = [(header::RETRY_AFTER, WISHES[number % 10])];
        (StatusCode::TOO_MANY_REQUESTS, wish).into_response()
    })
    .await;
    one_event(&app, &receiver).await;
    app.run_jobs().await;
    for (index, wait) in TABLE.into_iter().enumerate() {
        let due = waiting(&app).await.unwrap();
        let share = (due - app.clock.now()).as_secs_f64() / wait as f64;
        assert!((0.8..=2.0).contains(&share), "{index}: {share}");
        app.clock.advance(due.duration_since(app.clock.now()));
        app.run_jobs().await;
    }
    assert_eq!(receiver.received().len(), 10);
}

/// P29: 410 switches an endpoint off at once, five days of nothing but failure do too; both can be undone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p29_endpoints_are_switched_off_with_the_reason() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let gone = Receiver::answering(|_, _| StatusCode::GONE.into_response()).await;
        let (gone_id, _) = client.webhook(&gone.url()).await;
        let failing = Receiver::answering(|_, _| StatusCode::IM_A_TEAPOT.into_response()).await;
        let (failing_id, _) = client.webhook(&failing.url()).await;
        client.connect("income").await;
        app.run_jobs().await;
        let read = async |id: &str| client.get(&format!("/v1/webhooks/{id}/")).await.json();
        let state = read(&gone_id).await;
        assert_eq!(
            (&state["enabled"], &state["disabled_because"]),
            (&json!(false), &json!("The endpoint answered 410 Gone."))
        );
        let sent = gone.received().len();
        for _ in 0..11 {
            app.advance(11 * 3600);
            if client.events().await.len() < 50 {
                client.connect("income").await;
            }
            app.run_jobs().await;
        }
        let state = read(&failing_id).await;
        assert_eq!(state["disabled_because"], "Every delivery failed for five days.");
        assert_eq!(state["enabled"], false);
        assert_eq!((gone.received().len(), waiting(&app).await), (sent, None));

        let path = format!("/v1/webhooks/{failing_id}/");
        let on = client.patch(&path, json!({"enabled": true})).await.json();
        assert_eq!((&on["enabled"], &on["disabled_because"]), (&json!(true), &json!(null)));
        let before = failing.received().len();
        client.connect("income").await;
        app.run_jobs().await;
        assert!(failing.received().len() > before);
        assert_eq!(read(&failing_id).await["enabled"], true, "one new failure is not five days");
    })
    .await;
}

/// P31: of each task the first attempts arrive in the order of its changes, whatever the receiver answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p31_first_attempts_of_a_task_keep_their_order() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let receiver = Receiver::answering(|number, _| match number % 3 {
            0 => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            _ => StatusCode::OK.into_response(),
        })
        .await;
        client.webhook(&receiver.url()).await;
        for _ in 0..4 {
            let bridge_token = client.bridge_token("income").await;
            for _ in 0..10 {
                app.sign_in(&bridge_token, "nobody", "wrong").await;
            }
            app.sign_in(&client.bridge_token("income").await, "goodlogin", "goodpassword").await;
        }
        app.run_jobs().await;
        let mut first = BTreeMap::<String, Vec<String>>::new();
        let mut seen = BTreeSet::new();
        for request in receiver.received() {
            if seen.insert(request.id()) {
                let event = request.json();
                first.entry(event["task_id"].to_string()).or_default().push(request.id());
            }
        }
        let mut written = BTreeMap::<String, Vec<String>>::new();
        let events = client.events().await;
        for event in events.iter().filter(|event| event["event_type"] == "task-status-updated") {
            let ids = written.entry(event["payload"]["task_id"].to_string()).or_default();
            ids.push(event["id"].as_str().unwrap().to_owned());
        }
        assert_eq!(written.len(), 44);
        assert_eq!(first, written);
    })
    .await;
}
